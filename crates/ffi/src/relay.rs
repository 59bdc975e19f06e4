//! Relays
//!
//! A relay issues passes, and serves the browsers that bring them: it asks for a ticket when a browser has connected, logs in
//! and carries the bytes. Its work is done by threads of its own, from cpass_relay_start() to cpass_relay_stop() or
//! cpass_relay_free(). Start it in the process that is to serve, not before a fork. A portal that has a port of its own does not
//! start it, see below.

use std::ffi::c_char;

use consolepass::Owner;
use consolepass::options::Scope;

use crate::backends::cpass_backends;
use crate::error::cpass_error;
use crate::guard::{Out, fallible, free, given, infallible, needed, text};
use crate::options::cpass_options;
use crate::owner::Owned;
use crate::pass::cpass_pass;
use crate::serving::Serving;
use crate::text::lend;

/// A relay.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_relay {
    pub(crate) owner: Owner,
    pub(crate) serving: Owned<Serving>,
}

/// Makes a relay, and reads the key file. Nothing is opened yet.
///
/// backends:  at least one.
/// options:   of a relay, listed above.
/// out:       set to the new relay.
///
/// Memory: the caller frees *out with cpass_relay_free(); backends and options are copied.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_relay_new(
    backends: *const cpass_backends,
    options: *const cpass_options,
    out: *mut *mut cpass_relay,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL or live, by the contract at the top of the header.
        let (backends, options, out) =
            unsafe { (needed(backends, "backends")?, needed(options, "options")?, Out::new(out, "out")?) };
        let serving = Serving::new(backends.anew()?, &options.for_scope(Scope::Relay))?;
        let owner = serving.owner().clone();
        out.set(cpass_relay { serving: Owned::new(owner.clone(), serving), owner });
        Ok(())
    })
}

/// Listens, and serves from now on.
///
/// Returns CPASS_LISTEN_FAILED if the address is taken: it may be tried again. A relay that was stopped stays so, and
/// returns CPASS_CLOSED.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_relay_start(relay: *mut cpass_relay) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { needed(relay, "relay") }?.serving.here()?.start()
    })
}

/// The address that it listens on, such as "127.0.0.1:8700", once it was started.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the relay is freed. NULL before the start and after the stop.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_relay_address(relay: *const cpass_relay, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(relay, length, |relay| relay.serving.here().ok()?.address()) }
}

/// Issues a pass for a machine of one of this relay's backends.
///
/// relay:    may be used by several threads at once.
/// backend:  its name in the list.
/// machine:  "qemu/101", "lxc/200", "pve2/qemu/101" with its node, or "101".
/// options:  of a pass, listed above; NULL for the defaults.
/// out:      set to the new pass.
///
/// Memory: the caller frees *out with cpass_pass_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_relay_issue(
    relay: *const cpass_relay,
    backend: *const c_char,
    backend_length: usize,
    machine: *const c_char,
    machine_length: usize,
    options: *const cpass_options,
    out: *mut *mut cpass_pass,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL, or live and of the length given, by the contract at the top of the header.
        let (relay, backend, machine, options, out) = unsafe {
            (
                needed(relay, "relay")?,
                text(backend, backend_length, "backend")?,
                text(machine, machine_length, "machine")?,
                given(options),
                Out::new(out, "out")?,
            )
        };
        let options = cpass_options::or_none(options, Scope::Pass);
        out.set(cpass_pass::new(relay.serving.here()?.issue(backend, machine, &options)?));
        Ok(())
    })
}

/// Ends the console of a pass, and makes the pass useless if it was not used yet.
///
/// reference:  of the pass, as cpass_pass_reference() gave it: kept in the portal's database, or read out by the customer.
/// found:      set to whether there was such a session or unused pass; may be NULL. An unused signed pass is made useless as
///             well, but cannot be found.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_relay_revoke(
    relay: *const cpass_relay,
    reference: *const c_char,
    reference_length: usize,
    found: *mut bool,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL, or live and of the length given, by the contract at the top of the header.
        let (relay, reference) = unsafe { (needed(relay, "relay")?, text(reference, reference_length, "reference")?) };
        let ended = relay.serving.here()?.revoke(&reference.parse()?)?;
        if !found.is_null() {
            // SAFETY: not NULL, and then writable by the contract.
            unsafe { found.write(ended) };
        }
        Ok(())
    })
}

/// How many consoles are open. 0 for NULL, and in a process that was forked off.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_relay_session_count(relay: *const cpass_relay) -> usize {
    infallible(0, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(relay) }?.serving.here().ok().map(Serving::session_count)
    })
}

/// Stops for good: accepts nobody any more, tells every browser why its console ends, and waits for that as long as the
/// option shutdown_grace says. What is left then is cut off. Every thread that does it waits for the same end.
///
/// timeout_ms:  waits no longer than this in any case; 0 leaves it to the option.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_relay_stop(relay: *mut cpass_relay, timeout_ms: u32) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { needed(relay, "relay") }?.serving.here()?.stop(timeout_ms)
    })
}

/// Frees a relay, and cuts off what it carries; cpass_relay_stop() before it lets the browsers hear why. NULL is fine, and so
/// is a process that was forked off: there it ends nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_relay_free(relay: *mut cpass_relay) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(relay) }
}
