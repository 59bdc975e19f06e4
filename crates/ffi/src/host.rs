//! A port of the portal's own
//!
//! A relay need not listen. A portal that accepts by itself hands over each connection whose request is for a path below
//! public_url, with what it has read from it: cpass_relay_serve(). The relay answers it, for the viewer and the websocket alike,
//! with threads that begin then; cpass_relay_start() is not needed. The portal looks at the person's login before, and keeps its
//! one port. A server that ends TLS by itself makes a socketpair(), hands over one end, and copies the bytes between its
//! connection and the other end.
//!
//! A server that does not let a connection go may ask what the relay would answer to a plain request, and send that by itself:
//! cpass_relay_answer(). The websocket needs the connection.
//!
//! With signed passes the option marks_dir is needed, as several processes of the portal may serve them.

use std::ffi::{c_char, c_int};

use bytes::Bytes;
use http::Response;

use crate::error::cpass_error;
use crate::guard::{Out, bytes, fallible, free, given, infallible, needed, text};
use crate::relay::cpass_relay;
use crate::socket;
use crate::text::{Text, lend};

/// An answer to a plain request.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_answer {
    status: u16,
    headers: Vec<(Text, Text)>,
    body: Bytes,
}

impl cpass_answer {
    fn new(answer: Response<Bytes>) -> Self {
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            // The relay's own are all text.
            Some((Text::new(name.as_str()), Text::new(value.to_str().ok()?)))
        };
        Self {
            status: answer.status().as_u16(),
            headers: answer.headers().iter().filter_map(header).collect(),
            body: answer.into_body(),
        }
    }
}

/// Hands a connection over. It is served in the background, until it ends; the call returns at once.
///
/// fd:    a TCP connection or a connected unix stream. The relay makes another descriptor of it, so the caller closes this one
///        when the call has returned, whatever it has returned, and does nothing else with it.
/// read:  what was read from the connection so far: nothing, a part of the request, or all of it and more. It is copied. May
///        be NULL if read_length is 0.
///
/// Returns CPASS_INVALID_ARGUMENT if fd is no such connection, or if marks_dir is missing, and CPASS_CLOSED when the relay was
/// stopped. A connection that could not be served later, as too many are on their way, is closed and told in the log.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_relay_serve(
    relay: *mut cpass_relay,
    fd: c_int,
    read: *const u8,
    read_length: usize,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL, or live and of the length given, by the contract at the top of the header.
        let (relay, read) = unsafe { (needed(relay, "relay")?, bytes(read, read_length, "read")?) };
        let serving = relay.serving.here()?;
        // SAFETY: the caller closes it only when this call has returned.
        let connection = unsafe { socket::copy_of(fd) }?;
        serving.serve(connection, Bytes::copy_from_slice(read))
    })
}

/// What the relay answers to a request that asks for no websocket: the viewer's files, or words for who came to the wrong
/// place.
///
/// method:  "GET". For HEAD the answer is the same, and its body is not sent.
/// path:    with the prefix of public_url or without; no query.
/// out:     set to the new answer.
///
/// Memory: the caller frees *out with cpass_answer_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_relay_answer(
    relay: *const cpass_relay,
    method: *const c_char,
    method_length: usize,
    path: *const c_char,
    path_length: usize,
    out: *mut *mut cpass_answer,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL, or live and of the length given, by the contract at the top of the header.
        let (relay, method, path, out) = unsafe {
            (
                needed(relay, "relay")?,
                text(method, method_length, "method")?,
                text(path, path_length, "path")?,
                Out::new(out, "out")?,
            )
        };
        out.set(cpass_answer::new(relay.serving.here()?.answer(method, path)));
        Ok(())
    })
}

/// The HTTP status, such as 200. 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_answer_status(answer: *const cpass_answer) -> u16 {
    infallible(0, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(answer) }.map(|answer| answer.status)
    })
}

/// How many headers it has. Each must be sent; Content-Length is not among them, and is the length of the body.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_answer_header_count(answer: *const cpass_answer) -> usize {
    infallible(0, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(answer) }.map(|answer| answer.headers.len())
    })
}

/// The name of a header, counted from 0. NULL if there are not so many.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the answer is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_answer_header_name(
    answer: *const cpass_answer,
    index: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(answer, length, |answer| answer.headers.get(index).map(|(name, _)| name)) }
}

/// The value of a header, counted from 0. NULL if there are not so many.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the answer is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_answer_header_value(
    answer: *const cpass_answer,
    index: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(answer, length, |answer| answer.headers.get(index).map(|(_, value)| value)) }
}

/// The body: bytes, without a NUL at the end.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the bytes are lent until the answer is freed. NULL if the answer is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_answer_body(answer: *const cpass_answer, length: *mut usize) -> *const u8 {
    infallible(std::ptr::null(), || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        let answer = unsafe { given(answer) };
        if !length.is_null() {
            // SAFETY: not NULL, and then writable by the contract.
            unsafe { length.write(answer.map_or(0, |answer| answer.body.len())) };
        }
        answer.map(|answer| answer.body.as_ptr())
    })
}

/// Frees an answer. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_answer_free(answer: *mut cpass_answer) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(answer) }
}
