//! Options
//!
//! Everything is configured by options, whose names, meanings and defaults are the same in every language and file format.
//! All values are text: numbers in decimal digits, durations in whole seconds, true or false, several values separated by
//! commas. They are looked at by the function that takes the options, which names the option that it does not know or
//! cannot use; it copies what it needs, so that the same options may serve again or be freed.

use std::collections::BTreeMap;
use std::ffi::c_char;
use std::sync::{Mutex, PoisonError};

use consolepass::options::{Kind, Scope, TABLE, Value};
use consolepass::{Options, Secret};

use crate::error::cpass_error;
use crate::guard::{Out, fallible, free, needed, text};

/// A set of options.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_options(Mutex<BTreeMap<String, Secret>>);

impl cpass_options {
    /// The options as the core takes them. Every value was kept as a secret, for only now it is known which are.
    pub(crate) fn for_scope(&self, scope: Scope) -> Options {
        let secret = |name: &str| {
            TABLE.iter().any(|row| row.scope == scope && row.name == name && matches!(row.kind, Kind::Secret))
        };
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value = |name: &str, value: &Secret| {
            if secret(name) { Value::Secret(value.clone()) } else { Value::String(value.expose().to_owned()) }
        };
        values.iter().map(|(name, given)| (name.clone(), value(name, given))).collect()
    }

    /// The same where options may be left out.
    pub(crate) fn or_none(options: Option<&Self>, scope: Scope) -> Options {
        options.map_or_else(Options::new, |options| options.for_scope(scope))
    }
}

/// Makes an empty set of options.
///
/// out:  set to the new options.
///
/// Memory: the caller frees *out with cpass_options_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_options_new(out: *mut *mut cpass_options) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: NULL or writable, by the contract at the top of the header.
        let out = unsafe { Out::new(out, "out") }?;
        out.set(cpass_options(Mutex::default()));
        Ok(())
    })
}

/// Sets one option, in place of an earlier one of the same name.
///
/// name:   such as "host".
/// value:  its value as text. It is copied, and overwritten when the options are freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_options_set(
    options: *mut cpass_options,
    name: *const c_char,
    name_length: usize,
    value: *const c_char,
    value_length: usize,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL or live and of the length given, by the contract at the top of the header.
        let (options, name, value) = unsafe {
            (needed(options, "options")?, text(name, name_length, "name")?, text(value, value_length, "value")?)
        };
        let mut values = options.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.insert(name.to_owned(), Secret::new(value));
        Ok(())
    })
}

/// Frees options, and overwrites their values. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_options_free(options: *mut cpass_options) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(options) }
}
