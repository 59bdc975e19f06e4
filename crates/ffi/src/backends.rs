//! Backends of a relay
//!
//! A relay knows its backends by names of the portal's own, which passes carry: a list of them is made first.

use std::collections::BTreeMap;
use std::ffi::c_char;
use std::sync::{Arc, Mutex, PoisonError};

use consolepass::{Backend, Error, Result};

use crate::backend::cpass_backend;
use crate::error::cpass_error;
use crate::guard::{Out, fallible, free, needed, text};

/// Backends by name.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_backends(Mutex<BTreeMap<String, cpass_backend>>);

impl cpass_backends {
    /// All of them once more, for one relay.
    pub(crate) fn anew(&self) -> Result<Vec<(String, Arc<dyn Backend>)>> {
        let named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        named.iter().map(|(name, backend)| Ok((name.clone(), backend.anew()?))).collect()
    }
}

/// Makes an empty list.
///
/// out:  set to the new list.
///
/// Memory: the caller frees *out with cpass_backends_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_backends_new(out: *mut *mut cpass_backends) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: NULL or writable, by the contract at the top of the header.
        let out = unsafe { Out::new(out, "out") }?;
        out.set(cpass_backends(Mutex::default()));
        Ok(())
    })
}

/// Adds a backend.
///
/// name:     1 to 64 letters, digits, '-', '_' or '.', which cpass_relay_new() looks at; another one than those that are there.
/// backend:  may be freed afterwards.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_backends_add(
    backends: *mut cpass_backends,
    name: *const c_char,
    name_length: usize,
    backend: *const cpass_backend,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL, or live and of the length given, by the contract at the top of the header.
        let (backends, name, backend) =
            unsafe { (needed(backends, "backends")?, text(name, name_length, "name")?, needed(backend, "backend")?) };
        let mut named = backends.0.lock().unwrap_or_else(PoisonError::into_inner);
        if named.contains_key(name) {
            return Err(Error::invalid("name", name, "another backend has this name"));
        }
        named.insert(name.to_owned(), backend.share());
        Ok(())
    })
}

/// Frees a list. NULL is fine. The backends are not freed with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_backends_free(backends: *mut cpass_backends) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(backends) }
}
