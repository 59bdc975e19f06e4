//! The library's log lines, on standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// Shows what the library logs, from `level` on; `CONSOLEPASS_LOG` changes that, in the syntax of `RUST_LOG`.
pub(crate) fn show(level: &str) {
    let filter = EnvFilter::try_from_env("CONSOLEPASS_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false);
    // Another subscriber stays in charge, if the host program has one.
    let _ = subscriber.try_init();
}
