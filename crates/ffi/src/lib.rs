//! consolepass: console tickets, links and a relay for virtual machines, to embed in a customer portal.
//!
//! A portal's user owns a virtual machine and clicks "Console". This library gets the hypervisor's ticket, builds the one
//! correct URL and, if asked to, relays the bytes, so that noVNC works in the browser while no credential of the hypervisor
//! ever reaches it. A backend opens a console, which is for operators; a relay issues a pass, which is for customers.
//!
//! Linking: cc program.c $(pkg-config --cflags --libs consolepass). The shared library stays in memory once it was loaded.
//!
//! Ownership: every handle is freed by the function of its own name that ends in _free, which accepts NULL. Nothing is ever
//! consumed, and the order of frees does not matter. Text goes in as a pointer and a number of bytes: UTF-8, without a NUL,
//! and not NULL even if it is empty. Text comes out lent: a const char * with a NUL at its end, good until the handle that lent
//! it is freed. What a function makes is written to *out, on success alone. NULL for a handle, text or out that is needed is an
//! error, or for a function without errors the value that means nothing; it never ends the program.
//!
//! Waiting: calls block until they are done or have failed, and there are no callbacks. A timeout is in milliseconds.
//!
//! Threads: a handle may be used by any number of threads at once; it is freed by one of them when the others are done.
//! A thread must not be cancelled within a call (pthread_cancel()), which ends the program, nor leave one by longjmp(), after which
//! its further calls fail.
//!
//! Fork: a relay belongs to the process that started it, and a log to the one that opened it. In a child they, and the relay's
//! events, return CPASS_FORKED, and freeing them is harmless. Everything else works on both sides, relays that were not started
//! yet included.
//!
//! Errors: a function that can fail returns an error or NULL, which is success. A failure of ours is CPASS_INTERNAL, never the
//! end of the program. What is no failure and yet should be known, such as the option insecure, is told by a log alone: open
//! one (cpass_log_new()).
#![allow(clippy::doc_markdown, reason = "the comments are the C header's, where nothing is in backticks")]
#![allow(unsafe_code, reason = "this crate is the border to C")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the contract stands once, above; a section each would end in the C header"
)]

pub mod backend;
pub mod backends;
pub mod console;
pub mod error;
pub mod events;
mod guard;
pub mod host;
pub mod issuer;
mod lines;
pub mod link;
pub mod log;
pub mod options;
mod owner;
pub mod pass;
pub mod relay;
pub mod rfb_parameters;
mod serving;
mod socket;
mod text;
pub mod version;
mod waiting;
