//! The C face as C programs meet it: an installed library, a header, a compiler.
//!
//! `installed` installs and compiles, `cluster` is what the programs talk to and `browser` who talks to their relay. The
//! programs are those of `examples/c` and `tests/c`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod browser;
mod cluster;
mod header;
mod installed;
mod places;
mod programs;
mod readme;
mod tables;
mod vectors;
