//! Sockets of Node, taken over by their descriptor.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use consolepass::HostConnection;

/// Makes a descriptor of our own for the socket that `descriptor` names; Node closes its own, and the connection stays.
pub(crate) fn take(descriptor: i32) -> io::Result<HostConnection> {
    if descriptor < 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: it is borrowed for this block alone, in the thread of Node that owns the socket and does nothing else
    // meanwhile. A number that names no open file is an error of the system's.
    let owned: OwnedFd = unsafe { BorrowedFd::borrow_raw(descriptor) }.try_clone_to_owned()?;
    HostConnection::new(owned)
}
