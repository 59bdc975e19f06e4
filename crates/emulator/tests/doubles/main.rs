//! The doubles, held against what is known of the real servers. Written from that knowledge, not from the code: where
//! a test and the emulator disagree, neither is right until somebody has looked at the real one.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

mod cluster;
mod containers;
mod credentials;
mod framing;
mod http_core;
mod login;
mod machine_console;
mod noise;
mod player;
mod rfb_login;
mod screens;
mod support;
mod upgrade;
mod vncproxy;
