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

use pyo3::pymodule;

#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::backend::Backend;
    #[pymodule_export]
    use super::command::run;
    #[pymodule_export]
    use super::console::{Console, RfbParameters};
    #[pymodule_export]
    use super::error::close_code;
    #[pymodule_export]
    use super::events::Events;
    #[pymodule_export]
    use super::host::Socket;
    #[pymodule_export]
    use super::issuer::Issuer;
    #[pymodule_export]
    use super::links::{cloudtower_direct, cloudtower_via};
    #[pymodule_export]
    use super::operation::Operation;
    #[pymodule_export]
    use super::pass::Pass;
    #[pymodule_export]
    use super::process::{end, ended};
    #[pymodule_export]
    use super::relay::Relay;

    use pyo3::Bound;
    use pyo3::PyResult;
    use pyo3::types::{PyModule, PyModuleMethods};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("VERSION", env!("CARGO_PKG_VERSION"))
    }
}
