//! Consoles
//!
//! A console is a ticket with everything needed to use it: where to connect, with what, and until when. It holds secrets of
//! the hypervisor, and is for the portal's own process and for operators, never for a customer's browser.

use std::ffi::c_char;

use consolepass::Console;
use consolepass::options::Scope;

use crate::error::cpass_error;
use crate::guard::{Out, fallible, free, given, infallible, needed, text};
use crate::link::cpass_link;
use crate::options::cpass_options;
use crate::rfb_parameters::cpass_rfb_parameters;
use crate::text::{Text, lend, unix_milliseconds};

/// An open console.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_console {
    console: Console,
    machine: Text,
    kind: Text,
    websocket_url: Option<Text>,
    password: Option<Text>,
    address: Option<Text>,
    headers: Vec<(Text, Text)>,
}

impl cpass_console {
    pub(crate) fn new(console: Console) -> Self {
        let header = |(name, value): &(&str, &str)| (Text::new(name), Text::new(value));
        Self {
            machine: Text::shown(console.machine()),
            kind: Text::new(console.kind().as_str()),
            websocket_url: console.websocket_url().map(Text::new),
            password: console.password().map(Text::new),
            address: console.address().as_ref().map(Text::shown),
            headers: console.headers().iter().map(header).collect(),
            console,
        }
    }
}

/// The machine, with the type and node that the backend found: "pve1/qemu/101".
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the console is freed. NULL if the console is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_console_machine(console: *const cpass_console, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(console, length, |console| Some(&console.machine)) }
}

/// The kind of console: "vnc".
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the console is freed. NULL if the console is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_console_kind(console: *const cpass_console, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(console, length, |console| Some(&console.kind)) }
}

/// The websocket to open, with the ticket in it: a secret. NULL if the console is a plain RFB server. It is ready to use; any
/// further encoding breaks the ticket.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the console is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_console_websocket_url(
    console: *const cpass_console,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(console, length, |console| console.websocket_url.as_ref()) }
}

/// The VNC password: a secret. NULL if the console needs none.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the console is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_console_password(console: *const cpass_console, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(console, length, |console| console.password.as_ref()) }
}

/// The address to dial, such as "192.0.2.1:8006": the one that issued the ticket, for behind a name with several addresses
/// only this one knows it. Through a proxy it is what the proxy is to be asked for. NULL if the console is behind a unix
/// socket, or if only the proxy can look its address up.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the console is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_console_address(console: *const cpass_console, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(console, length, |console| console.address.as_ref()) }
}

/// How many headers the websocket's request needs.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_console_header_count(console: *const cpass_console) -> usize {
    infallible(0, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(console) }.map(|console| console.headers.len())
    })
}

/// The name of a header, counted from 0. NULL if there are not so many.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the console is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_console_header_name(
    console: *const cpass_console,
    index: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(console, length, |console| console.headers.get(index).map(|(name, _)| name)) }
}

/// The value of a header, counted from 0: a secret, for it is the account's own login. NULL if there are not so many.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the console is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_console_header_value(
    console: *const cpass_console,
    index: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(console, length, |console| console.headers.get(index).map(|(_, value)| value)) }
}

/// When the ticket ends, in milliseconds since 1970: the connection must stand by then, and may outlive it. 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_console_expires_at(console: *const cpass_console) -> i64 {
    infallible(0, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(console) }.map(|console| unix_milliseconds(console.console.expires_at()))
    })
}

/// The link of a noVNC page that opens this console, for an operator. Not for customers: the browser then talks to the
/// hypervisor itself, and needs the hypervisor's own login cookie as well.
///
/// page:     the address of a vnc.html, vnc_lite.html or vnc_auto.html.
/// options:  of the page, listed above; NULL for the defaults.
/// out:      set to the new link.
///
/// Memory: the caller frees *out with cpass_link_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_console_novnc_url(
    console: *const cpass_console,
    page: *const c_char,
    page_length: usize,
    options: *const cpass_options,
    out: *mut *mut cpass_link,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL, or live and of the length given, by the contract at the top of the header.
        let (console, page, options, out) = unsafe {
            (needed(console, "console")?, text(page, page_length, "page")?, given(options), Out::new(out, "out")?)
        };
        let link = console.console.novnc_url(page, &cpass_options::or_none(options, Scope::Page))?;
        out.set(cpass_link::new(link.expose()));
        Ok(())
    })
}

/// What a page of one's own gives to RFB() of noVNC. As with cpass_console_novnc_url(), it is not for customers.
///
/// out:  set to the new parameters.
///
/// Returns CPASS_UNSUPPORTED if the console is a plain RFB server, which has no websocket.
///
/// Memory: the caller frees *out with cpass_rfb_parameters_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_console_rfb_parameters(
    console: *const cpass_console,
    out: *mut *mut cpass_rfb_parameters,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL or live, by the contract at the top of the header.
        let (console, out) = unsafe { (needed(console, "console")?, Out::new(out, "out")?) };
        out.set(cpass_rfb_parameters::new(&console.console.rfb_parameters()?));
        Ok(())
    })
}

/// Frees a console, and overwrites its secrets. NULL is fine. A connection that was made with it goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_console_free(console: *mut cpass_console) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(console) }
}
