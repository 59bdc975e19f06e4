//! Relays.

use std::sync::Arc;

use consolepass::options::Scope;
use consolepass::{Code, Error, Reference, Result};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tokio::sync::watch;

use crate::backend::Backend;
use crate::error;
use crate::events::Events;
use crate::operation::Operation;
use crate::options::options;
use crate::pass::Pass;
use crate::text::text;

/// Issues passes and serves the browsers that bring them; behind both `Relay` classes of the package.
#[pyclass(frozen, module = "consolepass._native")]
pub(crate) struct Relay(Arc<Inner>);

struct Inner {
    relay: consolepass::Relay,
    /// Whether it was stopped. It goes away with the relay, which says the same.
    stopped: watch::Sender<bool>,
}

impl Inner {
    fn check_open(&self) -> Result<()> {
        if *self.stopped.borrow() {
            return Err(Error::new(Code::Closed, "relay: it was stopped").with_hint("make a new relay"));
        }
        Ok(())
    }
}

#[pymethods]
impl Relay {
    #[new]
    fn new(py: Python<'_>, backends: &Bound<'_, PyDict>, given: &Bound<'_, PyDict>) -> PyResult<Self> {
        let mut named = Vec::new();
        for (name, backend) in backends {
            let backend = backend.cast::<Backend>()?.get();
            named.push((text("a backend's name", &name)?, Arc::clone(&backend.0)));
        }
        let options = options(Scope::Relay, Some(given))?;
        let made = py.detach(|| consolepass::Relay::new(named, &options));
        Ok(Self(Arc::new(Inner { relay: error::raised(py, made)?, stopped: watch::Sender::new(false) })))
    }

    fn start(&self) -> Operation {
        let inner = Arc::clone(&self.0);
        let started = async move {
            inner.check_open()?;
            inner.relay.start().await
        };
        Operation::new(started, |py, _| Ok(py.None()))
    }

    fn issue(
        &self,
        backend: &Bound<'_, PyAny>,
        machine: &Bound<'_, PyAny>,
        given: &Bound<'_, PyDict>,
    ) -> PyResult<Operation> {
        let (backend, machine) = (text("backend", backend)?, text("machine", machine)?);
        let options = options(Scope::Pass, Some(given))?;
        let inner = Arc::clone(&self.0);
        let issued = async move {
            inner.check_open()?;
            inner.relay.issue(&backend, &machine, &options).await
        };
        Ok(Operation::new(issued, Pass::new))
    }

    fn revoke(&self, py: Python<'_>, reference: &Bound<'_, PyAny>) -> PyResult<Operation> {
        let reference: Reference = error::raised(py, text("reference", reference)?.parse())?;
        let inner = Arc::clone(&self.0);
        let revoked = async move { inner.relay.revoke(&reference).await };
        Ok(Operation::new(revoked, |py, found| Ok(found.into_pyobject(py)?.to_owned().into_any().unbind())))
    }

    fn stop(&self) -> Operation {
        let inner = Arc::clone(&self.0);
        let stopped = async move {
            if !inner.stopped.send_replace(true) {
                inner.relay.stop().await;
            }
            Ok(())
        };
        Operation::new(stopped, |py, ()| Ok(py.None()))
    }

    fn events(&self) -> Events {
        Events::new(self.0.relay.events(), self.0.stopped.subscribe())
    }

    #[getter]
    fn session_count(&self) -> usize {
        self.0.relay.session_count()
    }

    #[getter]
    fn address(&self) -> Option<String> {
        self.0.relay.address().map(|address| address.to_string())
    }
}
