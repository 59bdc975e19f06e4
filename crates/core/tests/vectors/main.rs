//! The vectors of `tests/vectors`, which every language runs, through the public API of Rust.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(feature = "relay")]
mod doctor;
#[cfg(feature = "relay")]
mod links;
mod proxmox;
#[cfg_attr(not(feature = "relay"), allow(dead_code, reason = "some of it is for passes"))]
mod vector;
