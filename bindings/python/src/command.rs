//! The command: `python -m consolepass`.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the `consolepass` command, and returns its exit status.
#[pyfunction]
pub(crate) fn run(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| consolepass_cli::run(arguments))
}
