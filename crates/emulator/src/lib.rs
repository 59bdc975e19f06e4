//! Strict doubles of hypervisors' management APIs, for testing whatever talks to them.
//!
//! A double here refuses what the real server refuses, in the same words and after the same time, and hands out
//! credentials that look like, live like and die like the real ones. Being lenient would be a defect: a client that
//! works against a lenient double breaks at its first customer.
//!
//! * [`proxmox::Emulator`] is Proxmox VE's API daemon with its consoles: login, tokens, permissions, `vncproxy`, and
//!   the websocket that carries RFB. [`proxmox::Settings`] says who may do what, and which faults to commit.
//! * [`screen::Screen`] is a small RFB server that shows text and remembers what was typed. It is what an emulated
//!   guest shows unless it is given a real one, and it can listen by itself.
//! * [`script::Player`] plays a fixed list of HTTPS exchanges and reports every difference.
//!
//! Each of them listens on loopback, on a port of the system's choice, and stops when it is dropped. The crate shares
//! no code with the library it helps to test: one misreading of a protocol cannot hide in both.

mod encoding;
mod http;
mod locked;
pub mod proxmox;
mod random;
pub mod rfb;
pub mod screen;
pub mod script;
mod stream;
mod time;
mod tls;
mod websocket;
