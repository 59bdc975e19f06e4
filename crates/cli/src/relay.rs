//! `consolepass relay`: a relay of its own, beside the portal.

use clap::ArgMatches;
use consolepass::{Code, Error, Relay, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::log;
use crate::output::Output;

pub(crate) async fn run(matches: &ArgMatches, output: &Output) -> Result<()> {
    log::show("info");
    let path = matches.get_one::<String>("config").map(String::as_str).unwrap_or_default();
    let config = Config::read(path)?;
    let relay = Relay::new(config.backends()?, &config.relay)?;
    // Before the start, so that no signal is missed.
    let asked = asked_to_end()?;
    let address = relay.start().await?;
    output.result(&[("address", address.to_string().into())])?;
    asked.await;
    output.progress("stopping");
    relay.stop().await;
    Ok(())
}

/// Resolves at Ctrl-C, or when a service manager asks the process to end.
pub(crate) fn asked_to_end() -> Result<impl Future<Output = ()>> {
    let failed = |error| Error::new(Code::Internal, "no signals").with_source(error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
