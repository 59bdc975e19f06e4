//! The command as a program: what it prints, and how it exits.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod completion;
mod consoles;
mod doctor;
mod doubles;
mod manual;
mod parity;
mod readme;
mod relays;
mod support;
mod usage;
mod viewer;
