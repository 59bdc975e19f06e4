//! The machines of an emulated cluster.

use std::fmt;
use std::str::FromStr;

use crate::rfb::Address;
use crate::screen::Screen;

/// Virtual machine or container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GuestKind {
    /// A QEMU virtual machine.
    Qemu,
    /// An LXC container.
    Lxc,
}

/// `qemu/101` or `lxc/200`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GuestId {
    /// Virtual machine or container.
    pub kind: GuestKind,
    /// The number, unique in a cluster and at least 100.
    pub vmid: u32,
}

/// What a guest's console shows.
#[derive(Debug, Clone)]
pub enum ScreenSource {
    /// The small screen of text.
    BuiltIn(Screen),
    /// An RFB server that asks for no password, such as QEMU's display socket.
    Address(Address),
}

/// One guest.
#[derive(Debug, Clone)]
pub struct Guest {
    /// Kind and number.
    pub id: GuestId,
    /// The node its configuration lives on.
    pub node: String,
    /// Its name as lists show it.
    pub name: String,
    /// A stopped guest still gets a ticket and a websocket; only its task says why there is no picture.
    pub running: bool,
    /// A lock such as `backup` or `migrate`. It is shown and keeps nobody from the console.
    pub lock: Option<String>,
    /// What its console shows.
    pub screen: ScreenSource,
}

/// A text that is no guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadGuest(String);

impl GuestKind {
    /// As paths and lists spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::Lxc => "lxc",
        }
    }

    /// The folder of its configuration files below a node's.
    pub(crate) fn configuration_folder(self) -> &'static str {
        match self {
            Self::Qemu => "qemu-server",
            Self::Lxc => "lxc",
        }
    }
}

impl Guest {
    /// A running guest on `pve1` with a built-in screen.
    #[must_use]
    pub fn new(id: GuestId) -> Self {
        Self {
            id,
            node: "pve1".to_owned(),
            name: format!("guest{}", id.vmid),
            running: true,
            lock: None,
            screen: ScreenSource::BuiltIn(Screen::new()),
        }
    }
}

impl FromStr for GuestId {
    type Err = BadGuest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadGuest(text.to_owned());
        let (kind, number) = text.split_once('/').ok_or_else(bad)?;
        let kind = match kind {
            "qemu" => GuestKind::Qemu,
            "lxc" => GuestKind::Lxc,
            _ => return Err(bad()),
        };
        let vmid = number.parse().ok().filter(|vmid| (100..=999_999_999).contains(vmid)).ok_or_else(bad)?;
        Ok(Self { kind, vmid })
    }
}

impl FromStr for Guest {
    type Err = BadGuest;

    /// `[node/]qemu/101[=screen]`, where the screen is `host:port` or `unix:/path`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadGuest(text.to_owned());
        let (place, screen) = match text.split_once('=') {
            Some((place, screen)) => (place, Some(screen)),
            None => (text, None),
        };
        let (node, id) = match place.split('/').count() {
            3 => place.split_once('/').ok_or_else(bad)?,
            _ => ("pve1", place),
        };
        let mut guest = Self::new(id.parse().map_err(|_| bad())?);
        if node.is_empty() {
            return Err(bad());
        }
        node.clone_into(&mut guest.node);
        if let Some(screen) = screen {
            guest.screen = ScreenSource::Address(screen.parse().map_err(|_| bad())?);
        }
        Ok(guest)
    }
}

impl fmt::Display for GuestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind.as_str(), self.vmid)
    }
}

impl fmt::Display for BadGuest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no guest: `{}`; write qemu/101, lxc/200, pve2/qemu/101 or qemu/101=unix:/path", self.0)
    }
}

impl std::error::Error for BadGuest {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_spelt_with_or_without_node_and_screen() {
        let guest: Guest = "pve2/lxc/200=unix:/run/ct.sock".parse().unwrap();
        assert_eq!((guest.node.as_str(), guest.id.to_string().as_str()), ("pve2", "lxc/200"));
        assert!(matches!(guest.screen, ScreenSource::Address(Address::Unix(_))));
        assert_eq!("qemu/101".parse::<Guest>().unwrap().node, "pve1");
        for wrong in ["101", "qemu/99", "qemu/x", "kvm/101", "qemu/101=", "/qemu/101", ""] {
            assert!(wrong.parse::<Guest>().is_err(), "{wrong}");
        }
    }
}
