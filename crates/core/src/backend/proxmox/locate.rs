//! Where a machine is.

use super::Inner;
use super::refusal::Step;
use super::wire;
use crate::{Code, Error, GuestType, Machine, Result};

/// The numbers that a guest can have (pve-common, `pve-vmid`).
const GUEST_IDS: std::ops::RangeInclusive<u32> = 100..=999_999_999;

/// A guest with everything that its paths need.
pub(super) struct Found {
    pub(super) node: String,
    pub(super) guest: GuestType,
    pub(super) id: u32,
}

impl Inner {
    /// Finds the guest's type and node where they were not given. Nothing is remembered: guests move.
    pub(super) async fn locate(&self, machine: &Machine) -> Result<Found> {
        if let Machine::Guest { id, .. } | Machine::Number(id) = machine
            && !GUEST_IDS.contains(id)
        {
            let reason = "the numbers of Proxmox VE's guests go from 100 to 999999999";
            return Err(Error::invalid("machine", &machine.to_string(), reason));
        }
        let (guest, id) = match machine {
            Machine::Guest { node: Some(node), guest, id } => {
                return Ok(Found { node: node.clone(), guest: *guest, id: *id });
            }
            Machine::Guest { node: None, guest, id } => (Some(*guest), *id),
            Machine::Number(id) => (None, *id),
            Machine::Node(_) => {
                return Err(Error::new(
                    Code::Unsupported,
                    format!("proxmox: {machine}: consoles of nodes are not supported; guests' are"),
                ));
            }
            Machine::Name(name) => {
                return Err(Error::invalid(
                    "machine",
                    name,
                    "proxmox knows machines by number; accepted are 101, qemu/101, lxc/200 and pve2/qemu/101",
                ));
            }
        };
        let reply = self.api.ask(&wire::guests(), Step::Lookup, &machine.to_string()).await?;
        let guests = wire::read_guests(&reply.answer.body)?;
        let count = guests.len();
        let Some(found) = guests.into_iter().find(|found| found.id == id) else {
            return Err(not_listed(machine, id, count));
        };
        if guest.is_some_and(|guest| guest != found.kind) {
            let right = found.kind.as_str();
            return Err(Error::new(
                Code::MachineNotFound,
                format!("proxmox: {machine} is not there; {id} is {right}/{id}"),
            )
            .with_hint(format!("spell it {right}/{id}, or {id} alone")));
        }
        Ok(Found { node: found.node, guest: found.kind, id })
    }
}

fn not_listed(machine: &Machine, id: u32, count: usize) -> Error {
    let error = Error::new(
        Code::MachineNotFound,
        format!("proxmox: {machine} is not among the {count} guests that the account sees"),
    );
    if count == 0 {
        return error.with_hint(format!(
            "the account sees no guest at all: grant it VM.Audit on /vms/{id} to have the node looked up, \
             or give the node, as in pve1/qemu/{id}"
        ));
    }
    error.with_hint(format!(
        "check the number; if the machine exists, grant the account VM.Audit on /vms/{id}, or give its node, as in pve1/qemu/{id}"
    ))
}
