//! The library's log lines, on standard error.

use std::env;
use std::io::{IsTerminal, stderr};

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Shows what the library logs, from `level` on; `CONSOLEPASS_LOG` changes that: a level, or a list such as
/// `info,consolepass::relay=debug`.
pub(crate) fn show(level: &str) {
    let wanted = env::var("CONSOLEPASS_LOG").ok().and_then(|wanted| wanted.parse::<Targets>().ok());
    let filter = wanted.or_else(|| level.parse().ok()).unwrap_or_default();
    let lines =
        tracing_subscriber::fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal()).with_target(false);
    // Another subscriber stays in charge, if the host program has one.
    let _ = tracing_subscriber::registry().with(lines).with(filter).try_init();
}
