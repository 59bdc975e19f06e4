//! Console tickets, links and a relay for virtual machines, to embed in a customer portal.
//!
//! A portal's user owns a virtual machine and clicks "Console". consolepass gets the hypervisor's ticket, builds the one
//! correct URL and, if asked to, relays the bytes, so that noVNC works in the browser while no credential of the
//! hypervisor ever reaches it.
//!
//! # Two ways to use it
//!
//! **Direct**, for operators, tests and portals with a relay of their own: a [`Backend`] such as `Proxmox` opens a
//! [`Console`], which holds the URL, the headers and the password. They are secrets.
//!
//! **Relay**, for customers: a `Relay` issues a `Pass` for a machine. The browser connects with the pass; only then
//! is the hypervisor asked for a ticket, and the relay logs in with it and answers the browser. A pass works once.
//!
//! # Words
//!
//! A *backend* is one management API with its credentials; a *machine* has a console; a *ticket* is what a backend hands
//! out for one console, a *pass* what the portal hands to a browser; a *reference* names one console in every log line.
//!
//! # Options and errors
//!
//! Everything is configured by [`Options`], whose names, types and defaults stand in one table ([`options::TABLE`]). Every
//! failure is an [`Error`] with a [`Code`], a message, and a hint that says what to do.
//!
//! The library logs through `tracing` and installs no subscriber; [`log`] has one for hosts that have no `tracing`.

#![cfg_attr(not(feature = "relay"), allow(dead_code, reason = "what only the relay uses stays in its place"))]

mod backend;
mod console;
#[cfg(feature = "relay")]
pub mod doctor;
mod error;
mod links;
pub mod log;
mod machine;
mod net;
pub mod options;
mod quote;
mod reference;
#[cfg(feature = "relay")]
mod relay;
mod rfb;
mod secret;
mod small_file;

pub use backend::{Backend, BoxFuture, Proxmox, Turn, Vnc};
pub use console::{Console, Kind};
pub use error::{Code, Error, Result};
pub use links::{
    CloudTowerMachine, CloudTowerRawToken, CloudTowerToken, RfbParameters, cloudtower_direct, cloudtower_via,
};
pub use machine::{GuestType, Machine};
pub use net::process::PerProcess;
pub use options::Options;
pub use reference::Reference;
#[cfg(feature = "relay")]
pub use relay::{
    Event, EventConsole, HostConnection, HostSocket, Issuer, Message, NextEvent, Owner, Pass, PassKey, Relay,
    Subscription, Viewer, ViewerFile, What,
};
pub use secret::Secret;
