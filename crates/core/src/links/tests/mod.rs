//! The links as those read them who are given them: the hypervisor, and every version of noVNC's pages.

mod pages;
mod printer;
mod properties;
mod refusals;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{ApiAddress, GuestPath, proxmox_websocket};
use crate::console::{Target, WebSocketTarget};
use crate::net::route::Route;
use crate::net::tls::Trust;
use crate::options::Scope;
use crate::{Code, Console, Error, GuestType, Kind, Machine, Options, Secret};

/// An open console of Proxmox VE's guest 101, as its backend makes it.
fn console(host: &str, port: u16, ticket: &str, password: Option<&str>) -> Console {
    let api = ApiAddress::parse(host, 8006).unwrap();
    let guest = GuestPath { node: "pve1", guest: GuestType::Qemu, id: 101 };
    let trusting = Options::new().set("insecure", true).check(Scope::Proxmox);
    let target = WebSocketTarget {
        url: proxmox_websocket(&api, &guest, port, &Secret::new(ticket)),
        handed_out: [ticket.into(), password.unwrap_or_default().into()],
        route: Route::Direct(SocketAddr::from(([127, 0, 0, 1], 8006))),
        headers: Vec::new(),
        trust: Arc::new(Trust::from_options(&trusting.unwrap()).unwrap()),
        what: "qemu/101 on pve1".into(),
        timeout: Duration::from_secs(1),
        refused: |_, _| Error::new(Code::TicketRefused, "never dialled"),
    };
    Console {
        backend: "proxmox",
        machine: Machine::Guest { node: Some("pve1".into()), guest: GuestType::Qemu, id: 101 },
        kind: Kind::Vnc,
        target: Target::WebSocket(Box::new(target)),
        password: password.map(Secret::new),
        expires_at: SystemTime::now(),
        task: None,
    }
}
