//! The native half of the Python package: what of the core Python code calls, and how it waits for it.
//!
//! Nothing here is public: the package's own classes, written in Python, are its face. Whatever can wait is an
//! [`operation::Operation`], which the package waits for in a thread or awaits in an event loop.
//!
//! Only two threads of ours ever take the interpreter: one wakes event loops, one hands over log lines ([`process`]). The
//! threads of the runtime never do, so whoever holds the interpreter may wait for anything of the core.

mod backend;
mod call;
mod command;
mod console;
mod error;
mod events;
mod host;
mod issuer;
mod links;
mod log;
mod operation;
mod options;
mod pass;
mod process;
mod relay;
mod text;

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;

/// Written out, and not declared: a declared module's classes are made before any code of ours could refuse.
#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    in_main_interpreter(module.py())?;
    module.add("VERSION", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<backend::Backend>()?;
    module.add_class::<console::Console>()?;
    module.add_class::<console::RfbParameters>()?;
    module.add_class::<events::Events>()?;
    module.add_class::<host::Socket>()?;
    module.add_class::<issuer::Issuer>()?;
    module.add_class::<operation::Operation>()?;
    module.add_class::<pass::Pass>()?;
    module.add_class::<relay::Relay>()?;
    module.add_function(wrap_pyfunction!(command::run, module)?)?;
    module.add_function(wrap_pyfunction!(error::close_code, module)?)?;
    module.add_function(wrap_pyfunction!(links::cloudtower_direct, module)?)?;
    module.add_function(wrap_pyfunction!(links::cloudtower_via, module)?)?;
    module.add_function(wrap_pyfunction!(process::end, module)?)?;
    module.add_function(wrap_pyfunction!(process::ended, module)?)
}

/// Refuses any other interpreter of the process: there is one set of our classes, threads and runtime a process, and an
/// interpreter that uses those of another crashes, hangs, or raises what its own `except` does not catch.
fn in_main_interpreter(py: Python<'_>) -> PyResult<()> {
    #[allow(unsafe_code, reason = "PyO3 has no other way to ask which interpreter this is")]
    // SAFETY: the interpreter is ours, and so the current one is there.
    let number = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    match number {
        0 => Ok(()),
        -1 => Err(PyErr::fetch(py)),
        _ => Err(PyImportError::new_err(
            "consolepass works in the main interpreter of a process only, and this is another one: under mod_wsgi set \
             \"WSGIApplicationGroup %{GLOBAL}\", under uWSGI \"single-interpreter = true\"",
        )),
    }
}
