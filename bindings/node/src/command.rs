//! The `consolepass` command, for `npx consolepass`.

use std::ffi::OsString;

use napi_derive::napi;

/// Runs the command to its end, in this thread: its runtime, signals and output are the program's own.
#[napi(catch_unwind)]
pub fn run(arguments: Vec<String>) -> u32 {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // Node's handler ends the process by raising the signal anew, which would come back to it from the command's own
        // handler, for ever: that one calls the one before it.
        // SAFETY: the system's own reaction takes the place of Node's; neither has anything that could be left half done.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    consolepass_cli::run(arguments.into_iter().map(OsString::from)).into()
}
