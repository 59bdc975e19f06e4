//! Log lines
//!
//! What the library would write into a log: a certificate that is not checked, a login that was lost, the way of each console.
//! It prints nothing by itself. Whoever wants the lines opens a log, and fetches them as events are fetched; those that nobody
//! fetches are dropped, the oldest first, when there are more than 1024, and their number is told. A log has the lines of all
//! handles of the process that opened it. No line holds a secret.

use std::ffi::c_char;
use std::time::{Duration, SystemTime};

use consolepass::log::{Level, Line};

use crate::error::cpass_error;
use crate::guard::{Out, fallible, free, given, infallible, needed, text};
use crate::lines::{Lines, Next};
use crate::text::{Text, lend, unix_milliseconds};

/// A place to fetch log lines from.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_log(Lines);

/// One line.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_log_line {
    at: i64,
    level: Text,
    target: Text,
    text: Text,
    message: Text,
    fields: Vec<(Text, Text)>,
    lost: u64,
}

impl cpass_log_line {
    fn new(at: SystemTime, line: &Line) -> Self {
        Self {
            at: unix_milliseconds(at),
            level: Text::new(line.level.as_str()),
            target: Text::new(&line.target),
            text: Text::shown(line),
            message: Text::new(&line.message),
            fields: line.fields.iter().map(|(name, value)| (Text::new(name), Text::new(value))).collect(),
            lost: 0,
        }
    }

    fn lost(count: u64) -> Self {
        let message = "log lines were lost, for they were not fetched in time";
        Self {
            at: unix_milliseconds(SystemTime::now()),
            level: Text::new(Level::Warn.as_str()),
            target: Text::new("consolepass::log"),
            text: Text::new(&format!("{message} count={count}")),
            message: Text::new(message),
            fields: vec![(Text::new("count"), Text::shown(&count))],
            lost: count,
        }
    }
}

/// Opens a log: from now on lines are kept for this handle.
///
/// level:  "error", "warn", "info", "debug" or "trace": lines of this level, and of those before it in this list.
/// out:    set to the new log.
///
/// Memory: the caller frees *out with cpass_log_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_log_new(
    level: *const c_char,
    level_length: usize,
    out: *mut *mut cpass_log,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL, or live and of the length given, by the contract at the top of the header.
        let (level, out) = unsafe { (text(level, level_length, "level")?, Out::new(out, "out")?) };
        out.set(cpass_log(Lines::open(level.parse()?)?));
        Ok(())
    })
}

/// Fetches the next line, and waits for it.
///
/// log:         several threads may fetch; each line goes to one of them.
/// timeout_ms:  how long to wait; 0 does not wait.
/// out:         set to the line, or to NULL if there was none in this time.
///
/// Returns CPASS_FORKED in a process that was forked off: open another log there.
///
/// Memory: the caller frees *out with cpass_log_line_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_log_next(
    log: *mut cpass_log,
    timeout_ms: u32,
    out: *mut *mut cpass_log_line,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL or live, by the contract at the top of the header.
        let (log, out) = unsafe { (needed(log, "log")?, Out::new(out, "out")?) };
        match log.0.next(Duration::from_millis(timeout_ms.into()))? {
            Some(Next::Line(at, line)) => out.set(cpass_log_line::new(at, &line)),
            Some(Next::Lost(count)) => out.set(cpass_log_line::lost(count)),
            None => out.set_none(),
        }
        Ok(())
    })
}

/// Closes a log. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_log_free(log: *mut cpass_log) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(log) }
}

/// When it was written, in milliseconds since 1970.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_log_line_at(log_line: *const cpass_log_line) -> i64 {
    infallible(0, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(log_line) }.map(|line| line.at)
    })
}

/// How much it matters: "error", "warn", "info", "debug" or "trace".
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the line is freed. NULL if the line is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_log_line_level(log_line: *const cpass_log_line, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(log_line, length, |line| Some(&line.level)) }
}

/// The part of the library that wrote it, such as "consolepass::relay::events".
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the line is freed. NULL if the line is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_log_line_target(log_line: *const cpass_log_line, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(log_line, length, |line| Some(&line.target)) }
}

/// The whole line: its message, and its fields behind that, as in "console ended reference=8w3kq2m5xd code=idle".
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the line is freed. NULL if the line is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_log_line_text(log_line: *const cpass_log_line, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(log_line, length, |line| Some(&line.text)) }
}

/// What happened, without the fields.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the line is freed. NULL if the line is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_log_line_message(log_line: *const cpass_log_line, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(log_line, length, |line| Some(&line.message)) }
}

/// How many fields it has.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_log_line_field_count(log_line: *const cpass_log_line) -> usize {
    infallible(0, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(log_line) }.map(|line| line.fields.len())
    })
}

/// The name of a field, such as "reference", counted from 0. NULL if there are not so many.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the line is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_log_line_field_name(
    log_line: *const cpass_log_line,
    index: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(log_line, length, |line| line.fields.get(index).map(|(name, _)| name)) }
}

/// The value of a field, counted from 0. NULL if there are not so many.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the line is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_log_line_field_value(
    log_line: *const cpass_log_line,
    index: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(log_line, length, |line| line.fields.get(index).map(|(_, value)| value)) }
}

/// How many lines were dropped before this one, if it was written to tell that. 0 for every other line.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_log_line_lost(log_line: *const cpass_log_line) -> u64 {
    infallible(0, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(log_line) }.map(|line| line.lost)
    })
}

/// Frees a line. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_log_line_free(log_line: *mut cpass_log_line) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(log_line) }
}
