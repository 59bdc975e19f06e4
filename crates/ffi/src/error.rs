//! Errors
//!
//! A function that can fail returns NULL when it did not, and else an error that the caller frees. The code says what a
//! program can act on, and is the same in every language, in logs and in events; the message names the thing and the place
//! in words that are safe to log, the hint says what to do. A browser is told the sentence and nothing else.

use std::ffi::c_char;

use consolepass::Error;

use crate::guard::{free, given, infallible};
use crate::text::{Text, lend};

/// The code of an error: CPASS_OK, or another number of this section. Numbers are only ever added.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub type cpass_code = i32;

/// Why a call failed.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_error {
    error: Error,
    name: Text,
    message: Text,
    hint: Text,
    sentence: Text,
    fingerprint: Option<Text>,
    reference: Option<Text>,
}

impl cpass_error {
    pub(crate) fn into_raw(error: Error) -> *mut Self {
        Box::into_raw(Box::new(Self {
            name: Text::new(error.code().name()),
            message: Text::shown(&error),
            hint: Text::new(error.hint()),
            sentence: Text::new(error.code().sentence()),
            fingerprint: error.fingerprint().map(Text::new),
            reference: error.reference().map(Text::shown),
            error,
        }))
    }
}

/// The number of what went wrong.
///
/// error:  may be NULL, which is CPASS_OK.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_error_code(error: *const cpass_error) -> cpass_code {
    infallible(0, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(error) }.map(|error| error.error.code().number().into())
    })
}

/// The name of the code, such as "permission_denied".
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the error is freed. NULL if the error is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_error_name(error: *const cpass_error, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(error, length, |error| Some(&error.name)) }
}

/// What failed, where and why, for the log. It holds no secret.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the error is freed. NULL if the error is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_error_message(error: *const cpass_error, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(error, length, |error| Some(&error.message)) }
}

/// What the person who runs the portal can do about it.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the error is freed. NULL if the error is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_error_hint(error: *const cpass_error, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(error, length, |error| Some(&error.hint)) }
}

/// The code in words that a customer may see: it names no host, node, path or upstream's words.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the error is freed. NULL if the error is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_error_sentence(error: *const cpass_error, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(error, length, |error| Some(&error.sentence)) }
}

/// Whether the same call may succeed a moment later, with nothing changed. False for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_error_is_retryable(error: *const cpass_error) -> bool {
    infallible(false, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(error) }.map(|error| error.error.is_retryable())
    })
}

/// The HTTP status that the management API answered; 0 if there was none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_error_http_status(error: *const cpass_error) -> u16 {
    infallible(0, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(error) }.and_then(|error| error.error.http_status())
    })
}

/// The SHA-256 fingerprint of a certificate that was refused, to compare with the hypervisor's and to pin. NULL if the
/// error is about something else.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the error is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_error_fingerprint(error: *const cpass_error, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(error, length, |error| error.fingerprint.as_ref()) }
}

/// The public name of the console that the error is about, as in events and the log. NULL if no pass named one.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the error is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_error_reference(error: *const cpass_error, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(error, length, |error| error.reference.as_ref()) }
}

/// Frees an error, and every text that it lent. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_error_free(error: *mut cpass_error) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(error) }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use consolepass::{Code, Reference};

    use super::*;

    #[test]
    fn an_error_names_its_console_if_it_has_one() {
        let reference: Reference = "0123456789".parse().unwrap();
        let nobodys = Error::new(Code::Busy, "relay: full");
        let of_one = Error::new(Code::PassUsed, "pass: already used").with_reference(&reference);

        for (error, expected) in [(nobodys, None), (of_one, Some(reference.as_str()))] {
            let (error, mut length) = (cpass_error::into_raw(error), 9000);
            // SAFETY: made above, and freed below.
            let lent = unsafe { cpass_error_reference(error, &raw mut length) };
            // SAFETY: what is lent is a text, and its error is still there.
            let told = (!lent.is_null()).then(|| unsafe { CStr::from_ptr(lent) }.to_str().unwrap());
            assert_eq!(told, expected);
            assert_eq!(length, expected.map_or(0, str::len));
            // SAFETY: made above.
            unsafe { cpass_error_free(error) };
        }
    }
}
