//! A connection that a portal accepted by itself.

use std::ffi::c_int;
use std::os::fd::BorrowedFd;

use consolepass::{Code, Error, HostConnection, Result};

/// Makes another descriptor of the portal's connection, whose own stays its own.
///
/// # Safety
/// If `descriptor` is open, nobody closes it meanwhile.
pub(crate) unsafe fn copy_of(descriptor: c_int) -> Result<HostConnection> {
    let unfit = |reason: String| Error::new(Code::InvalidArgument, format!("fd: {descriptor}: {reason}"));
    if descriptor < 0 {
        return Err(unfit("it is negative".to_owned()));
    }
    // SAFETY: not -1, and used for this one call alone; one that is not open is refused by the system.
    let copy = unsafe { BorrowedFd::borrow_raw(descriptor) }.try_clone_to_owned();
    copy.and_then(HostConnection::new).map_err(|error| unfit(error.to_string()))
}
