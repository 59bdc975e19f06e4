//! From a console to a server that let us in: the steps that the relay takes for a browser, and the doctor to look at each.

use std::time::Duration;

use tokio::time::timeout;

use super::pipe::{FrameStream, Role, ServerEnd};
use crate::backend::Backend;
use crate::console::Target;
use crate::net::{self, Opened, Stream};
use crate::rfb::security::{self, LogInFailure, LoggedIn};
use crate::{Code, Console, Error, Result};

/// Connects to where the console's bytes are, in at most `patience`.
pub(crate) async fn connect(backend: &dyn Backend, console: &Console, patience: Duration) -> Result<Opened> {
    match net::open_target(&console.target, patience).await {
        // pveproxy never answers where the port of a ticket is gone; the task behind it knows.
        Err(error) if error.code() == Code::Timeout => Err(backend.explain(console).await.unwrap_or(error)),
        opened => opened,
    }
}

/// Logs in to the server, in at most `patience`.
pub(crate) async fn log_in(
    backend: &dyn Backend,
    console: &Console,
    opened: Opened,
    patience: Duration,
) -> Result<(ServerEnd<Stream>, LoggedIn)> {
    let mut server = match &console.target {
        Target::WebSocket(_) => {
            ServerEnd::Frames(FrameStream::new(opened.stream, Role::Client, &opened.read_ahead, false))
        }
        Target::Tcp(_) | Target::Unix(_) => ServerEnd::Bytes(opened.stream),
    };
    let secrets = console.secrets();
    let log_in = security::log_in(&mut server, console.password.as_ref(), &secrets);
    let late = |_| {
        let message = format!("{}: {}: no RFB log-in within {patience:?}", console.backend, console.machine);
        let error = Error::new(Code::Timeout, message);
        LogInFailure::Other(match console.target {
            Target::WebSocket(_) => error,
            Target::Tcp(_) | Target::Unix(_) => error.with_hint(
                "an RFB server speaks first: check that it is one that listens there, and that its machine is not stuck",
            ),
        })
    };
    match timeout(patience, log_in).await.map_err(late).flatten() {
        Ok(logged_in) => Ok((server, logged_in)),
        Err(failure) => {
            drop(server);
            Err(explained(backend, console, failure).await)
        }
    }
}

/// Why a log-in failed, with the hypervisor's own reason where it has one.
async fn explained(backend: &dyn Backend, console: &Console, failure: LogInFailure) -> Error {
    let about = |code, what: &str| Error::new(code, format!("{}: {}: {what}", console.backend, console.machine));
    match failure {
        LogInFailure::Other(error) => error,
        LogInFailure::Silent => match backend.explain(console).await {
            Some(reason) => reason,
            None => about(Code::Closed, "the console ended before it said anything"),
        },
        LogInFailure::Refused(words) => {
            let what = format!("the VNC password was refused ({words:?})");
            match console.target {
                Target::WebSocket(_) => about(Code::TicketRefused, &what),
                Target::Tcp(_) | Target::Unix(_) => about(Code::AuthFailed, &what)
                    .with_hint("check the option password, of which VNC looks at the first 8 bytes"),
            }
        }
    }
}
