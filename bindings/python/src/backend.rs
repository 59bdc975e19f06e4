//! Backends.

use std::sync::Arc;

use consolepass::options::Scope;
use consolepass::{Kind, Machine, Proxmox, Vnc};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::console::Console;
use crate::error;
use crate::log::released;
use crate::operation::Operation;
use crate::options::options;
use crate::text::text;

/// A hypervisor and an account on it; behind both `Proxmox` classes of the package, and behind both `Vnc` classes.
#[pyclass(frozen, module = "consolepass._native")]
pub(crate) struct Backend(pub(crate) Arc<dyn consolepass::Backend>);

#[pymethods]
impl Backend {
    #[staticmethod]
    fn proxmox(py: Python<'_>, given: &Bound<'_, PyDict>) -> PyResult<Self> {
        let options = options(Scope::Proxmox, Some(given))?;
        // A file may have to be read.
        let made = released(py, || Proxmox::new(&options))?;
        Ok(Self(Arc::new(error::raised(py, made)?)))
    }

    #[staticmethod]
    fn vnc(py: Python<'_>, given: &Bound<'_, PyDict>) -> PyResult<Self> {
        let options = options(Scope::Vnc, Some(given))?;
        let made = released(py, || Vnc::new(&options))?;
        Ok(Self(Arc::new(error::raised(py, made)?)))
    }

    fn open(&self, py: Python<'_>, machine: &Bound<'_, PyAny>, kind: &Bound<'_, PyAny>) -> PyResult<Operation> {
        let machine: Machine = error::raised(py, text("machine", machine)?.parse())?;
        let kind: Kind = error::raised(py, text("kind", kind)?.parse())?;
        let backend = Arc::clone(&self.0);
        let opened = async move { backend.open(&machine, kind).await };
        Ok(Operation::new(opened, |py, console| Ok(Py::new(py, Console::new(console))?.into_any())))
    }
}
