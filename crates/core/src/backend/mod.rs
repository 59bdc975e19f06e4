//! Backends: where consoles come from.
//!
//! Each is a folder or file of its own that knows one management API. A folder holds a `wire` module that builds
//! requests and reads answers and does no I/O, and a driver that carries them. The relay knows backends by [`Backend`]
//! alone, and a backend never knows the relay.

use std::future::Future;
use std::pin::Pin;

use tokio::sync::OwnedMutexGuard;

#[cfg(feature = "relay")]
use crate::doctor::{Examination, Step, Stopped};
use crate::{Console, Error, Kind, Machine, Result};

mod proxmox;
mod turns;
mod vnc;

pub use proxmox::Proxmox;
pub use vnc::Vnc;

/// A future in a box, so that a relay can hold backends of any type.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One hypervisor management API with the credentials for it.
pub trait Backend: Send + Sync + 'static {
    /// Its type, as configuration files spell it: `proxmox`, `vnc`.
    fn name(&self) -> &'static str;

    /// Asks for one console of `machine`. Every call asks anew, for a ticket is good once.
    fn open<'a>(&'a self, machine: &'a Machine, kind: Kind) -> BoxFuture<'a, Result<Console>>;

    /// The same for those who repeat a failed set-up as a whole, as the relay does: it asks once, where [`Backend::open`]
    /// may ask again after a failure that passes. Otherwise a repetition within a repetition would ask four times.
    fn open_once<'a>(&'a self, machine: &'a Machine, kind: Kind) -> BoxFuture<'a, Result<Console>> {
        self.open(machine, kind)
    }

    /// Waits for the right to set a console of `machine` up, where only one at a time can: the holder opens, connects and
    /// logs in before the turn is dropped. QEMU has one VNC password for a machine, and the next set-up replaces it.
    fn turn<'a>(&'a self, machine: &'a Machine) -> BoxFuture<'a, Turn> {
        let _ = machine;
        Box::pin(async { Turn(None) })
    }

    /// Takes the steps up to a ticket one by one, and notes what each comes to, for the [`doctor`](crate::doctor).
    #[cfg(feature = "relay")]
    fn examine<'a>(
        &'a self,
        machine: &'a Machine,
        kind: Kind,
        examination: &'a mut Examination<'_>,
    ) -> BoxFuture<'a, Result<Console, Stopped>> {
        Box::pin(async move {
            examination.plan(&[Step::Ticket, Step::Upgrade, Step::Screen]);
            examination.begin(Step::Ticket);
            examination.end(self.open_once(machine, kind).await)
        })
    }

    /// Asks why a console ended before it began, if the hypervisor can tell.
    fn explain<'a>(&'a self, console: &'a Console) -> BoxFuture<'a, Option<Error>> {
        let _ = console;
        Box::pin(async { None })
    }
}

/// The right to set up one machine's console; it ends when dropped.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held for its drop")] Option<OwnedMutexGuard<()>>);

impl Turn {
    /// A turn that lasts as long as `guard`.
    pub(crate) fn held(guard: OwnedMutexGuard<()>) -> Self {
        Self(Some(guard))
    }
}
