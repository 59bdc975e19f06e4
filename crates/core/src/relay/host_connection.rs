//! A connection that a host hands over by its descriptor.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;

use bytes::Bytes;
use socket2::{Domain, Socket, Type};
use tokio::net::UnixStream;

use super::Relay;
use crate::{Code, Error, Result};

/// A connection that a host has accepted: TCP, or a unix stream from a web server in front of it.
pub struct HostConnection {
    socket: Socket,
    is_unix: bool,
}

impl HostConnection {
    /// Looks at what `descriptor` is, and fails if the relay cannot serve it. From then on nothing blocks on it, which goes
    /// for every copy of the descriptor.
    pub fn new(descriptor: OwnedFd) -> io::Result<Self> {
        let socket = Socket::from(descriptor);
        let unfit = |what: String| io::Error::new(io::ErrorKind::InvalidInput, what);
        let kind = socket.r#type().map_err(|error| unfit(format!("no socket: {error}")))?;
        let domain = socket.domain()?;
        if kind != Type::STREAM || ![Domain::IPV4, Domain::IPV6, Domain::UNIX].contains(&domain) {
            return Err(unfit("neither a TCP connection nor a unix stream".to_owned()));
        }
        socket.peer_addr().map_err(|error| unfit(format!("not connected: {error}")))?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, is_unix: domain == Domain::UNIX })
    }
}

impl fmt::Debug for HostConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostConnection").field("is_unix", &self.is_unix).finish_non_exhaustive()
    }
}

impl Relay {
    /// Serves a connection as [`Relay::serve`] or [`Relay::serve_tcp`] does, whichever it is for.
    pub async fn serve_connection(&self, connection: HostConnection, read: Bytes) -> Result<()> {
        let descriptor = OwnedFd::from(connection.socket);
        if !connection.is_unix {
            return self.serve_tcp(descriptor.into(), read).await;
        }
        let stream = UnixStream::from_std(descriptor.into())
            .map_err(|error| Error::new(Code::Internal, "a unix stream cannot be waited for").with_source(error))?;
        self.serve(stream, read).await
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use super::*;

    #[test]
    fn what_no_relay_can_serve_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();

        for (descriptor, words) in [
            (OwnedFd::from(listener), "not connected"),
            (OwnedFd::from(datagrams), "neither a TCP connection nor a unix stream"),
            (OwnedFd::from(file), "no socket"),
        ] {
            let error = HostConnection::new(descriptor).unwrap_err();
            assert!(error.to_string().starts_with(words), "{error}");
        }
    }

    #[test]
    fn both_kinds_are_taken_and_nothing_blocks_on_them() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (unix, _other) = std::os::unix::net::UnixStream::pair().unwrap();

        for (descriptor, is_unix) in [(OwnedFd::from(tcp), false), (OwnedFd::from(unix), true)] {
            let connection = HostConnection::new(descriptor).unwrap();
            assert_eq!(connection.is_unix, is_unix);
            assert!(connection.socket.nonblocking().unwrap());
        }
    }
}
