//! A connection that a portal accepted by itself.

use std::ffi::c_int;
use std::os::fd::{BorrowedFd, OwnedFd};

use bytes::Bytes;
use consolepass::{Code, Error, Relay, Result};
use socket2::{Domain, Type};
use tokio::net::UnixStream;

/// Another descriptor of the portal's connection.
pub(crate) struct Socket {
    socket: socket2::Socket,
    is_unix: bool,
}

impl Socket {
    /// Makes another descriptor of the portal's, which stays its own.
    ///
    /// # Safety
    /// If `descriptor` is open, nobody closes it meanwhile.
    pub(crate) unsafe fn copy_of(descriptor: c_int) -> Result<Self> {
        let unfit = |reason: String| Error::new(Code::InvalidArgument, format!("fd: {descriptor}: {reason}"));
        if descriptor < 0 {
            return Err(unfit("it is negative".to_owned()));
        }
        // SAFETY: not -1, and used for this one call alone; one that is not open is refused by the system.
        let copy = unsafe { BorrowedFd::borrow_raw(descriptor) }.try_clone_to_owned();
        let socket = socket2::Socket::from(copy.map_err(|error| unfit(error.to_string()))?);
        let kind = socket.r#type().map_err(|error| unfit(format!("no socket: {error}")))?;
        let domain = socket.domain().map_err(|error| unfit(error.to_string()))?;
        if kind != Type::STREAM || ![Domain::IPV4, Domain::IPV6, Domain::UNIX].contains(&domain) {
            return Err(unfit("neither a TCP connection nor a unix stream".to_owned()));
        }
        socket.peer_addr().map_err(|error| unfit(format!("not connected: {error}")))?;
        socket.set_nonblocking(true).map_err(|error| unfit(error.to_string()))?;
        Ok(Self { socket, is_unix: domain == Domain::UNIX })
    }

    /// Lets the relay serve it, until it ends.
    pub(crate) async fn serve(self, relay: &Relay, read: Bytes) -> Result<()> {
        if !self.is_unix {
            return relay.serve_tcp(OwnedFd::from(self.socket).into(), read).await;
        }
        let stream = UnixStream::from_std(OwnedFd::from(self.socket).into())
            .map_err(|error| Error::new(Code::Internal, "a unix stream cannot be waited for").with_source(error))?;
        relay.serve(stream, read).await
    }
}
