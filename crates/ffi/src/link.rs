//! Links
//!
//! A link of somebody's noVNC page. It holds a ticket or a pass, and so does whoever sees it.

use std::ffi::c_char;

use crate::guard::free;
use crate::text::{Text, lend};

/// The link of a page.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_link(Text);

impl cpass_link {
    pub(crate) fn new(url: &str) -> Self {
        Self(Text::new(url))
    }
}

/// The link's URL: a secret.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the link is freed. NULL if the link is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_link_url(link: *const cpass_link, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(link, length, |link| Some(&link.0)) }
}

/// Frees a link, and overwrites it. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_link_free(link: *mut cpass_link) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(link) }
}
