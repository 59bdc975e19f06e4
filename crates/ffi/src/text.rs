//! Text that is lent to the caller until the handle that holds it is freed.

use std::ffi::c_char;
use std::ptr;
use std::time::{SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use crate::guard::{given, infallible};

/// A text and the NUL behind it. All are overwritten when they go: most of them are secrets, or stand beside one.
pub(crate) struct Text(Zeroizing<Vec<u8>>);

impl Text {
    pub(crate) fn new(text: &str) -> Self {
        // With room for the NUL at once: a vector that grows leaves its bytes behind.
        let mut bytes = Vec::with_capacity(text.len() + 1);
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn shown(value: &impl ToString) -> Self {
        Self::new(&value.to_string())
    }
}

/// Lends a text of a handle, and says how long it is to those who ask. There may be none: then NULL, of length 0.
///
/// # Safety
/// `handle` is NULL or a live handle; `length` is NULL or may be written.
pub(crate) unsafe fn lend<'a, H: 'a>(
    handle: *const H,
    length: *mut usize,
    pick: impl FnOnce(&'a H) -> Option<&'a Text>,
) -> *const c_char {
    infallible(ptr::null(), || {
        // SAFETY: as this function's own.
        let text = unsafe { given(handle) }.and_then(pick);
        if !length.is_null() {
            // SAFETY: not NULL, and the caller answers for the rest.
            unsafe { length.write(text.map_or(0, |text| text.0.len() - 1)) };
        }
        text.map(|text| text.0.as_ptr().cast())
    })
}

/// Milliseconds since 1970; times before that do not occur.
pub(crate) fn unix_milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
