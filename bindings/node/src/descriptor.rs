//! Sockets of Node, taken over by their descriptor.

use std::io;
use std::net::TcpStream;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use socket2::{SockRef, Type};

/// A connected socket that was Node's.
pub(crate) enum Taken {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Makes a descriptor of our own for the socket that `descriptor` names; Node closes its own, and the connection stays.
pub(crate) fn take(descriptor: i32) -> io::Result<Taken> {
    if descriptor < 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: it is borrowed for this block alone, in the thread of Node that owns the socket and does nothing else
    // meanwhile. A number that names no open file is an error of the system's.
    let owned: OwnedFd = unsafe { BorrowedFd::borrow_raw(descriptor) }.try_clone_to_owned()?;
    let socket = SockRef::from(&owned);
    if socket.r#type()? != Type::STREAM {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let address = socket.local_addr()?;
    if address.is_unix() {
        return Ok(Taken::Unix(owned.into()));
    }
    if address.as_socket().is_none() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(Taken::Tcp(owned.into()))
}

impl Taken {
    /// The same connection once more, to answer with when it is not served.
    pub(crate) fn again(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
        })
    }
}

impl io::Write for Taken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
