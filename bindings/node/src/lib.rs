//! The native half of the Node face.
//!
//! It is as thin as it can be: classes that hold the core's values, and promises for what waits. What a user of Node sees,
//! with its names, checks and documentation, is JavaScript beside this crate, which alone loads this module; so a value of
//! the wrong type never comes here.
#![allow(unsafe_code, reason = "the macros of napi write it; our own is in `descriptor` and `command`, and says why")]
#![allow(missing_docs, unreachable_pub, reason = "the public is JavaScript's, which `index.d.ts` documents")]
#![cfg_attr(test, allow(dead_code, reason = "what registers the functions is left out of a test program"))]
#![allow(clippy::needless_pass_by_value, reason = "what comes from JavaScript is a value of its own")]

mod backend;
mod call;
mod command;
mod console;
mod descriptor;
mod error;
mod events;
mod hosting;
mod issuer;
mod links;
mod log;
mod options;
mod pass;
mod relay;
mod runtime;
mod tables;
