//! Backends
//!
//! A backend is one hypervisor's management API and the account to use it with. Making one asks nothing of the hypervisor,
//! and starts no thread. It works on both sides of a fork.

use std::ffi::c_char;
use std::sync::Arc;

use consolepass::options::Scope;
use consolepass::{Backend, Code, Error, Kind, Machine, Options, Proxmox, Result, Vnc};

use crate::console::cpass_console;
use crate::error::cpass_error;
use crate::guard::{Out, fallible, free, needed, text};
use crate::options::cpass_options;
use crate::waiting::Waiting;

/// A hypervisor and an account on it.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_backend(Arc<Inner>);

/// Makes a backend of one type from its options.
type Make = fn(&Options) -> Result<Arc<dyn Backend>>;

struct Inner {
    make: Make,
    options: Options,
    // Before the runtime, so that its HTTP client goes first.
    backend: Arc<dyn Backend>,
    waiting: Waiting,
}

impl cpass_backend {
    fn new(kind: &str, options: &cpass_options) -> Result<Self> {
        let (make, scope): (Make, Scope) = match kind {
            "proxmox" => (|options| Ok(Arc::new(Proxmox::new(options)?)), Scope::Proxmox),
            "vnc" => (|options| Ok(Arc::new(Vnc::new(options)?)), Scope::Vnc),
            "opennebula" | "cloudtower" => {
                let message = format!("type: {kind:?} is not supported yet; proxmox and vnc are");
                return Err(Error::new(Code::Unsupported, message));
            }
            _ => return Err(Error::invalid("type", kind, "accepted are proxmox and vnc")),
        };
        let options = options.for_scope(scope);
        let backend = make(&options)?;
        Ok(Self(Arc::new(Inner { make, options, backend, waiting: Waiting::new() })))
    }

    /// The same backend once more, for a relay. Its connections live on the relay's runtime: one that was shared could be
    /// taken up here, and nobody would carry its bytes there.
    pub(crate) fn anew(&self) -> Result<Arc<dyn Backend>> {
        (self.0.make)(&self.0.options)
    }

    /// Another handle of the same backend, for a list of them: what is freed first does not matter then.
    pub(crate) fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Makes a backend.
///
/// type:     "proxmox" or "vnc", which is a plain RFB server.
/// options:  of that type, listed above.
/// out:      set to the new backend.
///
/// Returns CPASS_INVALID_ARGUMENT if an option is unknown, missing or wrong, and names it.
///
/// Memory: the caller frees *out with cpass_backend_free(); the options are copied.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_backend_new(
    r#type: *const c_char,
    type_length: usize,
    options: *const cpass_options,
    out: *mut *mut cpass_backend,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL, or live and of the length given, by the contract at the top of the header.
        let (kind, options, out) =
            unsafe { (text(r#type, type_length, "type")?, needed(options, "options")?, Out::new(out, "out")?) };
        out.set(cpass_backend::new(kind, options)?);
        Ok(())
    })
}

/// Opens a console: asks the hypervisor for a ticket, and waits for it.
///
/// backend:     may be used by several threads at once.
/// machine:     "qemu/101", "lxc/200", "pve2/qemu/101" with its node, or "101".
/// kind:        "vnc".
/// timeout_ms:  how long to wait in all; 0 leaves it to the backend's option timeout, which counts for each question.
/// out:         set to the new console.
///
/// Returns, beside others, CPASS_AUTH_FAILED, CPASS_PERMISSION_DENIED, CPASS_MACHINE_NOT_FOUND, CPASS_TLS_UNTRUSTED with the
/// fingerprint that was seen, CPASS_UNREACHABLE or CPASS_TIMEOUT.
///
/// Memory: the caller frees *out with cpass_console_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_backend_open(
    backend: *const cpass_backend,
    machine: *const c_char,
    machine_length: usize,
    kind: *const c_char,
    kind_length: usize,
    timeout_ms: u32,
    out: *mut *mut cpass_console,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL, or live and of the length given, by the contract at the top of the header.
        let (backend, machine, kind, out) = unsafe {
            (
                needed(backend, "backend")?,
                text(machine, machine_length, "machine")?,
                text(kind, kind_length, "kind")?,
                Out::new(out, "out")?,
            )
        };
        let (machine, kind): (Machine, Kind) = (machine.parse()?, kind.parse()?);
        let inner = &backend.0;
        let what = format!("{}: a console of {machine}", inner.backend.name());
        let console = inner.waiting.wait(timeout_ms, &what, inner.backend.open(&machine, kind))?;
        out.set(cpass_console::new(console));
        Ok(())
    })
}

/// Frees a backend. NULL is fine. A relay that was made with it keeps what it needs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_backend_free(backend: *mut cpass_backend) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(backend) }
}
