//! Text from Python.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error;

/// The text of an argument. Nothing of what was given is in an error: it may be a secret.
pub(crate) fn text(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = value.py();
    let Ok(string) = value.cast::<PyString>() else {
        return Err(error::invalid(py, name, &format!("must be str, not {}", type_name(value))));
    };
    // Python's text may hold halves of surrogate pairs, which no encoding has.
    let Ok(text) = string.to_str() else {
        return Err(error::invalid(py, name, "holds a lone surrogate, which is no character"));
    };
    if text.contains('\0') {
        return Err(error::invalid(py, name, "holds a NUL character"));
    }
    Ok(text.to_owned())
}

/// The name of a value's type, for errors.
pub(crate) fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "something else".to_owned(), |name| name.to_string())
}
