//! TCP connections, and how their sockets are set.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::failure;
use crate::{Code, Error, Result};

/// How long a peer may leave sent bytes unacknowledged before its connection is given up.
const USER_TIMEOUT: Duration = Duration::from_secs(30);
/// A silent peer is asked after this time, then every [`KEEPALIVE_INTERVAL`].
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;

/// Connects to the first of `addresses` that answers. Each gets its share of the time that is left, so that a silent one
/// does not take it all.
pub(crate) async fn connect(addresses: &[SocketAddr], timeout: Duration) -> Result<TcpStream> {
    let deadline = Instant::now() + timeout;
    let mut failures = Vec::new();
    let mut silent = false;
    let mut refused = false;
    for (index, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => {
                tune(&socket);
                return Ok(socket);
            }
            Ok(Err(error)) => {
                refused |= error.kind() == io::ErrorKind::ConnectionRefused;
                failures.push(format!("{address}: {}", failure::plain(&error)));
            }
            Err(_) => {
                silent = true;
                failures.push(format!("{address}: no answer in {} ms", share.as_millis()));
            }
        }
    }
    let code = if silent { Code::Timeout } else { Code::Unreachable };
    let message = if failures.is_empty() { "no address to connect to".to_owned() } else { failures.join("; ") };
    let error = Error::new(code, message);
    Err(match (silent, refused) {
        (true, _) => error.with_hint(failure::SILENT),
        (false, true) => error.with_hint(failure::NOBODY_LISTENS),
        (false, false) => error,
    })
}

/// Sets a console's socket: small writes leave at once, and a peer that is gone is found.
pub(crate) fn tune(socket: &TcpStream) {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_RETRIES);
    let socket = SockRef::from(socket);
    let outcome = socket.set_tcp_nodelay(true).and_then(|()| socket.set_tcp_keepalive(&keepalive));
    #[cfg(target_os = "linux")]
    let outcome = outcome.and_then(|()| socket.set_tcp_user_timeout(Some(USER_TIMEOUT)));
    // A socket that cannot be tuned still carries bytes.
    if let Err(error) = outcome {
        tracing::debug!(%error, "a socket's options could not be set");
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_first_address_that_answers_is_taken_and_tuned() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dead = closed.local_addr().unwrap();
        drop(closed);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let alive = listener.local_addr().unwrap();

        let socket = connect(&[dead, alive], Duration::from_secs(5)).await.unwrap();

        assert_eq!(socket.peer_addr().unwrap(), alive);
        assert!(socket.nodelay().unwrap());
        let options = SockRef::from(&socket);
        assert!(options.keepalive().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(options.tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
    }

    #[tokio::test]
    async fn every_address_that_failed_is_named() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dead = closed.local_addr().unwrap();
        drop(closed);

        let error = connect(&[dead, dead], Duration::from_secs(5)).await.unwrap_err();

        assert_eq!(error.code(), Code::Unreachable);
        assert_eq!(error.to_string(), format!("{dead}: connection refused; {dead}: connection refused"));
    }
}
