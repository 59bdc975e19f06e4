//! Parameters of RFB()
//!
//! What a page of one's own gives to noVNC's new RFB(element, url, { credentials: { password } }), and to react-vnc.

use std::ffi::c_char;

use consolepass::RfbParameters;

use crate::guard::free;
use crate::text::{Text, lend};

/// A websocket and its password.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_rfb_parameters {
    url: Text,
    password: Option<Text>,
}

impl cpass_rfb_parameters {
    pub(crate) fn new(parameters: &RfbParameters) -> Self {
        Self { url: Text::new(parameters.url()), password: parameters.password().map(Text::new) }
    }
}

/// The websocket, with the ticket or pass in it: a secret. It is ready to use; any further encoding breaks the ticket.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the parameters are freed. NULL if the parameters are.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_rfb_parameters_url(
    rfb_parameters: *const cpass_rfb_parameters,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(rfb_parameters, length, |parameters| Some(&parameters.url)) }
}

/// The VNC password: a secret. NULL if the server asks for none, as the relay does.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the parameters are freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_rfb_parameters_password(
    rfb_parameters: *const cpass_rfb_parameters,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(rfb_parameters, length, |parameters| parameters.password.as_ref()) }
}

/// Frees parameters, and overwrites them. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_rfb_parameters_free(rfb_parameters: *mut cpass_rfb_parameters) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(rfb_parameters) }
}
