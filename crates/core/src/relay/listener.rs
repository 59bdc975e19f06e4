//! The relay's own port: each connection goes to `connection`.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::{Shared, connection};
use crate::net::dial;
use crate::{Code, Error, Result};

/// How long to wait when the system cannot give a connection, for example for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens at `address`, and returns it with the port that was chosen if it asks for 0.
pub(super) async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        io::Result::Ok((listener, address))
    };
    bound.await.map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::AddrNotAvailable => {
                "this machine has no such address: give one of its own, or 0.0.0.0 for all"
            }
            io::ErrorKind::PermissionDenied if address.port() < 1024 => {
                "ports below 1024 are for privileged processes: choose a higher one"
            }
            _ => Code::ListenFailed.hint(),
        };
        let message = format!("relay: cannot listen on {address}: {error}");
        Error::new(Code::ListenFailed, message).with_hint(hint).with_source(error)
    })
}

/// Accepts connections until the relay stops.
pub(super) async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    accept_all(&shared, &listener).await;
    // By itself, and not by closing: a child that was forked off has the socket open as well, and accepts nobody.
    let _ = SockRef::from(&listener).shutdown(Shutdown::Both);
}

async fn accept_all(shared: &Arc<Shared>, listener: &TcpListener) {
    let stopped = shared.stopped();
    tokio::pin!(stopped);
    loop {
        // Beyond the limit connections wait in the kernel's queue, and the timeouts make room.
        let accepted = async {
            let permit = Arc::clone(&shared.handshakes).acquire_owned().await;
            (permit, accept(listener).await)
        };
        tokio::select! {
            () = &mut stopped => return,
            (permit, accepted) = accepted => match (permit, accepted) {
                (Ok(permit), Ok(stream)) => {
                    tokio::spawn(connection::serve(Arc::clone(shared), stream, Bytes::new(), permit));
                }
                (_, Err(error)) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
                // The semaphore is never closed.
                (Err(_), _) => return,
            },
        }
    }
}

/// The next connection, without delay for small messages and watched for a peer that is gone.
async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    let (stream, _) = listener.accept().await?;
    dial::tune(&stream);
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_browsers_connection_is_tuned_as_ours_to_the_hypervisor_is() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();

        let (accepted, _browser) = tokio::join!(accept(&listener), TcpStream::connect(address));

        let accepted = accepted.unwrap();
        let options = SockRef::from(&accepted);
        assert!(accepted.nodelay().unwrap() && options.keepalive().unwrap());
        assert!(options.tcp_user_timeout().unwrap().is_some());
    }
}
