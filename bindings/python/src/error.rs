//! Errors of the core as exceptions of the package, whose classes are written in Python.

use std::error::Error as _;

use consolepass::{Code, Error};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::call::call;

/// The exception for an error.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    made(py, error).map_or_else(|failed| failed, PyErr::from_value)
}

/// A result of the core, as Python wants it.
pub(crate) fn raised<T>(py: Python<'_>, result: Result<T, Error>) -> PyResult<T> {
    result.map_err(|error| exception(py, &error))
}

/// The exception for an argument that cannot be used; `reason` shows no value that may be a secret.
pub(crate) fn invalid(py: Python<'_>, name: &str, reason: &str) -> PyErr {
    exception(py, &Error::new(Code::InvalidArgument, format!("{name}: {reason}")))
}

/// The websocket close code that tells a browser; 1011 is the protocol's own for what has none.
#[pyfunction]
pub(crate) fn close_code(name: &str) -> u16 {
    Code::ALL.iter().find(|code| code.name() == name).map_or(1011, |code| code.close_code())
}

fn made<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    let arguments = (
        error.code().name(),
        error.to_string(),
        error.hint(),
        error.is_retryable(),
        error.http_status(),
        error.fingerprint(),
        error.reference().map(ToString::to_string),
        error.code().sentence(),
        causes,
    );
    call(MAKE.import(py, "consolepass._errors", "made")?, arguments)
}
