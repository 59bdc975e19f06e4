//! Issuers.

use std::sync::Arc;

use consolepass::options::Scope;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error;
use crate::log::released;
use crate::operation::Operation;
use crate::options::options;
use crate::pass::Pass;
use crate::text::text;

/// A maker of signed passes; behind both `Issuer` classes of the package.
#[pyclass(frozen, module = "consolepass._native")]
pub(crate) struct Issuer(Arc<consolepass::Issuer>);

#[pymethods]
impl Issuer {
    #[new]
    fn new(py: Python<'_>, given: &Bound<'_, PyDict>) -> PyResult<Self> {
        let options = options(Scope::Issuer, Some(given))?;
        let made = released(py, || consolepass::Issuer::new(&options))?;
        Ok(Self(Arc::new(error::raised(py, made)?)))
    }

    fn issue(
        &self,
        backend: &Bound<'_, PyAny>,
        machine: &Bound<'_, PyAny>,
        given: &Bound<'_, PyDict>,
    ) -> PyResult<Operation> {
        let (backend, machine) = (text("backend", backend)?, text("machine", machine)?);
        let options = options(Scope::Pass, Some(given))?;
        let issuer = Arc::clone(&self.0);
        let made = async move { issuer.issue(&backend, &machine, &options).await };
        Ok(Operation::new(made, Pass::presented))
    }
}
