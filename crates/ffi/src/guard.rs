//! The border: every exported function passes through here, so that no caller's mistake and no defect of ours crosses it
//! as anything but an error.

use std::any::Any;
use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::slice;

use consolepass::{Code, Error, Result};

use crate::error::cpass_error;

/// Runs the body of a function that can fail.
///
/// `AssertUnwindSafe` is right here: what a panic leaves behind is either dropped with it, or behind atomics and locks that
/// are whole after every step.
pub(crate) fn fallible(body: impl FnOnce() -> Result<()>) -> *mut cpass_error {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => ptr::null_mut(),
        Ok(Err(error)) => cpass_error::into_raw(error),
        Err(panic) => cpass_error::into_raw(Error::new(Code::Internal, format!("panicked: {}", words(&*panic)))),
    }
}

/// Runs the body of a function that has no error to return; what it returns instead is `otherwise`.
pub(crate) fn infallible<T>(otherwise: T, body: impl FnOnce() -> Option<T>) -> T {
    catch_unwind(AssertUnwindSafe(body)).ok().flatten().unwrap_or(otherwise)
}

/// Frees a handle that was made by [`Out::set`]; NULL is fine.
///
/// # Safety
/// `handle` is NULL, or was made by this library, was not freed before, and is used by no other thread.
pub(crate) unsafe fn free<T>(handle: *mut T) {
    infallible((), || {
        if !handle.is_null() {
            // SAFETY: it came from `Box::into_raw` in `Out::set` or `cpass_error::into_raw`; the caller gives it back once.
            drop(unsafe { Box::from_raw(handle) });
        }
        None
    });
}

/// A handle that is needed.
///
/// # Safety
/// `handle` is NULL, or a live handle of this library that is not freed while the returned reference lives.
pub(crate) unsafe fn needed<'a, T>(handle: *const T, name: &str) -> Result<&'a T> {
    // SAFETY: as this function's own.
    unsafe { given(handle) }.ok_or_else(|| is_null(name))
}

/// A handle that may be left out.
///
/// # Safety
/// As of [`needed`].
pub(crate) unsafe fn given<'a, T>(handle: *const T) -> Option<&'a T> {
    // SAFETY: our handles come from `Box`, so one that is not NULL is aligned and points at a whole value.
    unsafe { handle.as_ref() }
}

/// Text from the caller.
///
/// An error does not repeat what was given: it may be a secret in the wrong place.
///
/// # Safety
/// `start` is NULL, or points at `length` bytes that nobody writes while the returned text lives.
pub(crate) unsafe fn text<'a>(start: *const c_char, length: usize, name: &str) -> Result<&'a str> {
    if start.is_null() {
        return Err(is_null(name));
    }
    let refused = |reason: String| Error::new(Code::InvalidArgument, format!("{name}: {reason}"));
    // SAFETY: as this function's own.
    let bytes = unsafe { bytes(start.cast(), length, name) }?;
    if let Some(place) = bytes.iter().position(|byte| *byte == 0) {
        return Err(refused(format!("byte {place} is a NUL; text has none, and its length counts no terminator")));
    }
    std::str::from_utf8(bytes).map_err(|error| refused(format!("not UTF-8 at byte {}", error.valid_up_to())))
}

/// Bytes from the caller; none may be NULL.
///
/// # Safety
/// As of [`text`].
pub(crate) unsafe fn bytes<'a>(start: *const u8, length: usize, name: &str) -> Result<&'a [u8]> {
    if length == 0 {
        return Ok(&[]);
    }
    if start.is_null() {
        return Err(is_null(name));
    }
    if isize::try_from(length).is_err() {
        let message = format!("{name}: a length of {length} bytes is not possible");
        return Err(Error::new(Code::InvalidArgument, message));
    }
    // SAFETY: not NULL, bytes have no alignment, and the caller answers for the length.
    Ok(unsafe { slice::from_raw_parts(start, length) })
}

/// Where a function puts what it made. It is checked before anything is done, and written only on success.
pub(crate) struct Out<T>(*mut *mut T);

impl<T> Out<T> {
    /// # Safety
    /// `place` is NULL, or may be written until this value is gone.
    pub(crate) unsafe fn new(place: *mut *mut T, name: &str) -> Result<Self> {
        if place.is_null() { Err(is_null(name)) } else { Ok(Self(place)) }
    }

    /// Hands `value` over to the caller, who frees it.
    pub(crate) fn set(self, value: T) {
        // SAFETY: `new` has seen that it is not NULL, and its caller answers for the rest. What was there is not read.
        unsafe { self.0.write(Box::into_raw(Box::new(value))) };
    }

    /// Says that there is nothing.
    pub(crate) fn set_none(self) {
        // SAFETY: as in `set`.
        unsafe { self.0.write(ptr::null_mut()) };
    }
}

fn is_null(name: &str) -> Error {
    Error::new(Code::InvalidArgument, format!("{name}: it is NULL"))
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason was given")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{cpass_error_code, cpass_error_free, cpass_error_message};
    use std::ffi::CStr;

    #[test]
    fn a_panic_becomes_an_error_with_its_words() {
        let error = fallible(|| panic!("a defect of {}", "ours"));

        // SAFETY: made above, freed once, and the message is read before.
        let (code, message) = unsafe {
            let message = CStr::from_ptr(cpass_error_message(error, ptr::null_mut())).to_str().unwrap().to_owned();
            let code = cpass_error_code(error);
            cpass_error_free(error);
            (code, message)
        };
        assert_eq!((code, message.as_str()), (i32::from(Code::Internal.number()), "panicked: a defect of ours"));
    }

    #[test]
    fn a_panic_where_no_error_can_be_returned_gives_the_other_value() {
        assert_eq!(infallible(7, || panic!("a defect")), 7);
    }

    #[test]
    fn text_that_is_none_is_refused_without_repeating_it() {
        for (bytes, reason) in [(&b"hunter2\xff"[..], "not UTF-8 at byte 7"), (b"hunter2\0", "byte 7 is a NUL")] {
            // SAFETY: a slice and its own length.
            let error = unsafe { text(bytes.as_ptr().cast(), bytes.len(), "value") }.unwrap_err().to_string();

            assert!(error.contains(reason) && error.starts_with("value: ") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_negative_length_that_became_huge_is_refused() {
        // SAFETY: the length is refused before anything is read.
        let error = unsafe { text(c"x".as_ptr(), usize::MAX, "value") }.unwrap_err();

        assert_eq!(error.code(), Code::InvalidArgument);
    }
}
