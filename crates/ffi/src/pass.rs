//! Passes
//!
//! A pass is what a portal hands to a browser. It opens one session, soon, and holds no secret of the hypervisor; but whoever
//! has it may use it, so it goes to the one browser that it is meant for, over HTTPS, and into no log.

use std::ffi::c_char;

use consolepass::Pass;
use consolepass::options::Scope;

use crate::error::cpass_error;
use crate::guard::{Out, fallible, free, given, infallible, needed, text};
use crate::link::cpass_link;
use crate::options::cpass_options;
use crate::rfb_parameters::cpass_rfb_parameters;
use crate::text::{Text, lend, unix_milliseconds};

/// An issued pass.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_pass {
    pass: Pass,
    url: Text,
    viewer_url: Text,
    sub_protocol: Text,
    reference: Text,
}

impl cpass_pass {
    pub(crate) fn new(pass: Pass) -> Self {
        Self {
            url: Text::new(&pass.url()),
            viewer_url: Text::new(&pass.viewer_url()),
            sub_protocol: Text::new(&pass.sub_protocol()),
            reference: Text::new(pass.reference().as_str()),
            pass,
        }
    }
}

/// The websocket, with the pass in it, for a page that knows only a URL: "wss://.../ws?pass=...".
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the pass is freed. NULL if the pass is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_pass_url(pass: *const cpass_pass, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(pass, length, |pass| Some(&pass.url)) }
}

/// The page with the viewer, with the pass in its fragment, which no server's log sees: "https://.../#pass=...".
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the pass is freed. NULL if the pass is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_pass_viewer_url(pass: *const cpass_pass, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(pass, length, |pass| Some(&pass.viewer_url)) }
}

/// The websocket sub-protocol to offer in place of a pass in the URL, beside "binary".
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the pass is freed. NULL if the pass is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_pass_sub_protocol(pass: *const cpass_pass, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(pass, length, |pass| Some(&pass.sub_protocol)) }
}

/// The public name of this console, in logs and events from the pass to the end, and for cpass_relay_revoke(). It is safe to
/// show.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the pass is freed. NULL if the pass is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_pass_reference(pass: *const cpass_pass, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(pass, length, |pass| Some(&pass.reference)) }
}

/// When the pass ends if it is not used, in milliseconds since 1970. 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_pass_expires_at(pass: *const cpass_pass) -> i64 {
    infallible(0, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(pass) }.map(|pass| unix_milliseconds(pass.pass.expires_at()))
    })
}

/// The link of somebody's noVNC page that opens this pass's console, once. The relay has to allow the page's origin.
///
/// page:     the address of a vnc.html, vnc_lite.html or vnc_auto.html.
/// options:  of the page, listed above; NULL for the defaults.
/// out:      set to the new link.
///
/// Memory: the caller frees *out with cpass_link_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_pass_novnc_url(
    pass: *const cpass_pass,
    page: *const c_char,
    page_length: usize,
    options: *const cpass_options,
    out: *mut *mut cpass_link,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL, or live and of the length given, by the contract at the top of the header.
        let (pass, page, options, out) =
            unsafe { (needed(pass, "pass")?, text(page, page_length, "page")?, given(options), Out::new(out, "out")?) };
        out.set(cpass_link::new(&pass.pass.novnc_url(page, &cpass_options::or_none(options, Scope::Page))?));
        Ok(())
    })
}

/// What a page of one's own gives to RFB() of noVNC: the websocket alone, for the relay asks for no password.
///
/// out:  set to the new parameters.
///
/// Memory: the caller frees *out with cpass_rfb_parameters_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_pass_rfb_parameters(
    pass: *const cpass_pass,
    out: *mut *mut cpass_rfb_parameters,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL or live, by the contract at the top of the header.
        let (pass, out) = unsafe { (needed(pass, "pass")?, Out::new(out, "out")?) };
        out.set(cpass_rfb_parameters::new(&pass.pass.rfb_parameters()));
        Ok(())
    })
}

/// Frees a pass, and overwrites it. NULL is fine. The pass itself stays good.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_pass_free(pass: *mut cpass_pass) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(pass) }
}
