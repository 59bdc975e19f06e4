//! Which machine a console is for.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// What has a console, as every backend spells it.
///
/// | spelling | meaning |
/// |---|---|
/// | `qemu/101`, `lxc/200` | a guest; its node is looked up |
/// | `pve2/qemu/101` | the same with its node given |
/// | `node/pve1` | a node itself |
/// | `101` | a number: a Proxmox VE guest of either type, an OpenNebula machine |
/// | `web-1`, a UUID | a name or id, for backends that have no numbers |
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Machine {
    /// A Proxmox VE guest whose type is known.
    Guest {
        /// The node it runs on, if the caller knows it.
        node: Option<String>,
        /// Which kind of guest.
        guest: GuestType,
        /// Its number, the `vmid`.
        id: u32,
    },
    /// A Proxmox VE node.
    Node(String),
    /// A number alone.
    Number(u32),
    /// A name, an id of letters and digits, or a UUID.
    Name(String),
}

/// The two kinds of Proxmox VE guests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GuestType {
    /// A virtual machine.
    Qemu,
    /// A container.
    Lxc,
}

impl GuestType {
    /// The word in API paths and in spellings of machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::Lxc => "lxc",
        }
    }
}

/// The spellings, for errors.
pub(crate) const ACCEPTED: &str =
    "accepted are qemu/101, lxc/200, pve2/qemu/101, node/pve1, a number, or a name without a slash";

/// Long enough for any name a hypervisor allows, short enough for a log line.
const LONGEST_NAME: usize = 255;

impl FromStr for Machine {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |reason: &str| Error::invalid("machine", text, format_args!("{reason}; {ACCEPTED}"));
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let id = if plain { digits.parse::<u32>().ok() } else { None };
            id.ok_or_else(|| wrong("the last part must be a number below 2^32"))
        };
        let node_name = |name: &str| {
            if is_node_name(name) { Ok(name.to_owned()) } else { Err(wrong("this is no node's name")) }
        };
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            ["node", name] => Ok(Self::Node(node_name(name)?)),
            [guest, id] => {
                let guest = guest_type(guest).ok_or_else(|| wrong("the type must be qemu, lxc or node"))?;
                Ok(Self::Guest { node: None, guest, id: number(id)? })
            }
            [node, guest, id] => {
                let guest = guest_type(guest).ok_or_else(|| wrong("the type must be qemu or lxc"))?;
                Ok(Self::Guest { node: Some(node_name(node)?), guest, id: number(id)? })
            }
            [""] => Err(wrong("it is empty")),
            [digits] if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Self::Number(number(digits)?)),
            [name] if name.len() <= LONGEST_NAME && !name.contains(char::is_control) && name.trim() == *name => {
                Ok(Self::Name((*name).to_owned()))
            }
            [_] => Err(wrong("a name has at most 255 bytes, no control characters and no space at its ends")),
            _ => Err(wrong("it has too many parts")),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guest { node: Some(node), guest, id } => write!(f, "{node}/{}/{id}", guest.as_str()),
            Self::Guest { node: None, guest, id } => write!(f, "{}/{id}", guest.as_str()),
            Self::Node(name) => write!(f, "node/{name}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

fn guest_type(word: &str) -> Option<GuestType> {
    match word {
        "qemu" => Some(GuestType::Qemu),
        "lxc" => Some(GuestType::Lxc),
        _ => None,
    }
}

/// A node's name is a host name without a domain: it becomes a part of API paths, so nothing else may pass.
pub(crate) fn is_node_name(name: &str) -> bool {
    let allowed = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (1..=63).contains(&name.len()) && allowed && !name.starts_with('-') && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_reads_back_as_it_was_written() {
        for text in [
            "qemu/101",
            "lxc/200",
            "node/pve1",
            "pve2/qemu/101",
            "pve-2/lxc/7",
            "101",
            "web-1",
            "3f0c9c1e-5a54-4f1a-9b1a-000000000000",
            "my machine",
        ] {
            let machine: Machine = text.parse().unwrap();

            assert_eq!(machine.to_string(), text);
        }
    }

    #[test]
    fn a_wrong_spelling_says_what_is_accepted() {
        for text in [
            "",
            "qemu/",
            "qemu/abc",
            "qemu/-1",
            "kvm/101",
            "a/b/c/d",
            "pve.x/qemu/101",
            "node/",
            "node/../x",
            "../qemu/1",
            "99999999999",
            " 101 x ",
            "qemu/101/",
            "na\nme",
            "qemu/+5",
            "/qemu/101",
        ] {
            let error = text.parse::<Machine>().unwrap_err();

            assert_eq!(error.code(), crate::Code::InvalidArgument, "{text:?}");
            assert!(error.to_string().contains("pve2/qemu/101"), "{error}");
        }
    }
}
