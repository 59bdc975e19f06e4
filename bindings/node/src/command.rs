//! The `consolepass` command, for `npx consolepass`.

use std::ffi::OsString;

use napi_derive::napi;

/// Runs the command to its end, in this thread: its own runtime, signals and output are those of the program.
#[napi(catch_unwind)]
pub fn run(arguments: Vec<String>) -> u32 {
    consolepass_cli::run(arguments.into_iter().map(OsString::from)).into()
}
