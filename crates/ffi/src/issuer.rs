//! Issuers
//!
//! An issuer makes signed passes, where the relay is another process: it needs the relay's public_url and the key that both
//! have, no backend and no port. It starts no thread, and works on both sides of a fork.

use std::ffi::c_char;

use consolepass::Issuer;
use consolepass::options::Scope;

use crate::error::cpass_error;
use crate::guard::{Out, fallible, free, given, needed, text};
use crate::options::cpass_options;
use crate::pass::cpass_pass;
use crate::waiting::Waiting;

/// A maker of passes.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_issuer {
    issuer: Issuer,
    waiting: Waiting,
}

/// Makes an issuer, and reads the key file.
///
/// options:  of an issuer, listed above.
/// out:      set to the new issuer.
///
/// Memory: the caller frees *out with cpass_issuer_free(); the options are copied.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_issuer_new(
    options: *const cpass_options,
    out: *mut *mut cpass_issuer,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL or live, by the contract at the top of the header.
        let (options, out) = unsafe { (needed(options, "options")?, Out::new(out, "out")?) };
        let issuer = Issuer::new(&options.for_scope(Scope::Issuer))?;
        out.set(cpass_issuer { issuer, waiting: Waiting::new() });
        Ok(())
    })
}

/// Issues a pass.
///
/// issuer:   may be used by several threads at once.
/// backend:  the name under which the relay knows the backend.
/// machine:  "qemu/101", "lxc/200", "pve2/qemu/101" with its node, or "101".
/// options:  of a pass, listed above; NULL for the defaults.
/// out:      set to the new pass.
///
/// Memory: the caller frees *out with cpass_pass_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_issuer_issue(
    issuer: *const cpass_issuer,
    backend: *const c_char,
    backend_length: usize,
    machine: *const c_char,
    machine_length: usize,
    options: *const cpass_options,
    out: *mut *mut cpass_pass,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL, or live and of the length given, by the contract at the top of the header.
        let (issuer, backend, machine, options, out) = unsafe {
            (
                needed(issuer, "issuer")?,
                text(backend, backend_length, "backend")?,
                text(machine, machine_length, "machine")?,
                given(options),
                Out::new(out, "out")?,
            )
        };
        let options = cpass_options::or_none(options, Scope::Pass);
        let pass = issuer.waiting.wait(0, "a pass", issuer.issuer.issue(backend, machine, &options))?;
        out.set(cpass_pass::new(pass));
        Ok(())
    })
}

/// Frees an issuer. NULL is fine. Its passes stay good.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_issuer_free(issuer: *mut cpass_issuer) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(issuer) }
}
