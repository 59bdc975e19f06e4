//! Options from keyword arguments.

use consolepass::options::{Kind, Scope, TABLE, Value};
use consolepass::{Options, Secret};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyInt, PyList, PyString, PyTuple};

use crate::call::call;
use crate::error;
use crate::text::{text, type_name};

/// The options that were given; `None` stands for one that was not. Names and values are looked at by the core.
pub(crate) fn options(scope: Scope, given: Option<&Bound<'_, PyDict>>) -> PyResult<Options> {
    let mut options = Options::new();
    for (name, given) in given.into_iter().flatten() {
        let name = text("an option's name", &name)?;
        if !given.is_none() {
            let value = value(scope, &name, &given)?;
            options = options.set(name, value);
        }
    }
    Ok(options)
}

fn value(scope: Scope, name: &str, given: &Bound<'_, PyAny>) -> PyResult<Value> {
    let place = || format!("{}: {name}", scope.name());
    let Some(kind) = TABLE.iter().find(|row| row.scope == scope && row.name == name).map(|row| row.kind) else {
        // There is no such option, which the core says, with those that there are: the value does not matter.
        return Ok(Value::Boolean(false));
    };
    if given.is_instance_of::<PyString>() {
        let text = text(&place(), given)?;
        return Ok(if kind == Kind::Secret { Value::Secret(Secret::new(text)) } else { Value::String(text) });
    }
    // Before the whole numbers: to Python, True is one of them.
    if let Ok(value) = given.cast::<PyBool>() {
        return Ok(Value::Boolean(value.is_true()));
    }
    if given.is_instance_of::<PyInt>() {
        // A number that is too large even for this is out of every range; the core says which range.
        return Ok(given.extract().map_or_else(|_| Value::String("a huge number".to_owned()), Value::Integer));
    }
    if let Ok(list) = given.cast::<PyList>() {
        return Ok(Value::List(list.iter().map(|item| text(&place(), &item)).collect::<PyResult<_>>()?));
    }
    if let Ok(items) = given.cast::<PyTuple>() {
        return Ok(Value::List(items.iter().map(|item| text(&place(), &item)).collect::<PyResult<_>>()?));
    }
    if let Some(path) = path(given)? {
        return Ok(Value::String(text(&place(), &path)?));
    }
    let reason = format!("must be {}, not {}", wanted(name, kind), type_name(given));
    Err(error::invalid(given.py(), &place(), &reason))
}

/// What an option takes, in Python's words.
fn wanted(name: &str, kind: Kind) -> String {
    match kind {
        Kind::String if ["_file", "_dir"].iter().any(|end| name.ends_with(end)) => "str or a path".to_owned(),
        Kind::String | Kind::Secret => "str".to_owned(),
        Kind::Integer { min, max } => format!("a whole number from {min} to {max}"),
        Kind::Seconds { min, max } => format!("a whole number of seconds from {min} to {max}"),
        Kind::Boolean => "True or False".to_owned(),
        Kind::List => "str or a list of str".to_owned(),
        _ => "str, int, bool or a list of str".to_owned(),
    }
}

/// The text of a path, as pathlib has it; None if this is no path.
fn path<'py>(given: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    static FSPATH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = given.py();
    // To Python, these are paths as they are.
    if given.is_instance_of::<PyBytes>() {
        return Ok(None);
    }
    match call(FSPATH.import(py, "os", "fspath")?, (given,)) {
        Ok(path) => Ok(Some(path)),
        Err(error) if error.is_instance_of::<PyTypeError>(py) => Ok(None),
        Err(error) => Err(error),
    }
}
