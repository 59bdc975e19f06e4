//! Relays.

use std::os::fd::RawFd;
use std::sync::Arc;

use consolepass::options::Scope;
use consolepass::{Code, Error, Reference};
use http::{HeaderName, HeaderValue};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::backend::Backend;
use crate::error;
use crate::events::Events;
use crate::host::{Given, Socket};
use crate::log::released;
use crate::operation::Operation;
use crate::options::options;
use crate::pass::Pass;
use crate::process::process;
use crate::text::text;

/// Issues passes and serves the browsers that bring them; behind both `Relay` classes of the package.
#[pyclass(frozen, module = "consolepass._native")]
pub(crate) struct Relay(Arc<consolepass::Relay>);

/// Status, headers and body.
type Answer<'py> = (u16, Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>, Bound<'py, PyBytes>);

impl Drop for Relay {
    fn drop(&mut self) {
        if self.0.owner().check().is_err() {
            // A child has the locks of the parent's threads as they were, perhaps held for ever: it is left alone.
            std::mem::forget(Arc::clone(&self.0));
        }
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
        let made = released(py, || consolepass::Relay::new(named, &options))?;
        Ok(Self(Arc::new(error::raised(py, made)?)))
    }

    fn start(&self) -> Operation {
        let relay = Arc::clone(&self.0);
        let started = async move { relay.start().await };
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
        let relay = Arc::clone(&self.0);
        let made = async move { relay.issue(&backend, &machine, &options).await };
        Ok(Operation::new(made, Pass::presented))
    }

    fn revoke(&self, py: Python<'_>, reference: &Bound<'_, PyAny>) -> PyResult<Operation> {
        let reference: Reference = error::raised(py, text("reference", reference)?.parse())?;
        let relay = Arc::clone(&self.0);
        let revoked = async move { relay.revoke(&reference).await };
        Ok(Operation::new(revoked, |py, found| Ok(found.into_pyobject(py)?.to_owned().into_any().unbind())))
    }

    fn stop(&self) -> Operation {
        let relay = Arc::clone(&self.0);
        let stopped = async move {
            relay.owner().check()?;
            relay.close();
            // A task of its own: who stops waiting for the end does not undo it, and its last events are told all the same.
            let ending = process()?.runtime.spawn(async move { relay.stop().await });
            ending.await.map_err(|error| Error::new(Code::Internal, "relay: its end panicked").with_source(error))?;
            Ok(())
        };
        Operation::new(stopped, |py, ()| Ok(py.None()))
    }

    fn events(&self, py: Python<'_>) -> PyResult<Events> {
        error::raised(py, self.0.owner().check())?;
        Ok(Events::new(self.0.owner().clone(), self.0.events()))
    }

    /// Fails where it serves nobody: once it was stopped, and in a child of its process.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        error::raised(py, self.0.check())
    }

    /// What the relay answers to a request that asks for no websocket: status, headers and body.
    fn answer<'py>(&self, py: Python<'py>, method: &Bound<'_, PyString>, path: &Bound<'_, PyString>) -> Answer<'py> {
        // What is no text is no path that there is.
        let answer = self.0.answer(&method.to_string_lossy(), &path.to_string_lossy());
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            (PyBytes::new(py, name.as_str().as_bytes()), PyBytes::new(py, value.as_bytes()))
        };
        let headers = answer.headers().iter().map(header).collect();
        (answer.status().as_u16(), headers, PyBytes::new(py, answer.body()))
    }

    /// Takes a websocket whose frames the portal's server keeps.
    fn accept(&self, query: String, headers: Vec<(Vec<u8>, Vec<u8>)>) -> Operation {
        let relay = Arc::clone(&self.0);
        let accepted = async move {
            relay.check()?;
            let headers = headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
            relay.accept(&query, headers).await
        };
        let owner = self.0.owner().clone();
        Operation::new(accepted, move |py, socket| Socket::presented(py, owner, socket))
    }

    /// Serves a connection that the portal's server has given up, in the background. `read` is what the server has read.
    fn serve(&self, py: Python<'_>, descriptor: RawFd, read: &[u8]) -> PyResult<()> {
        let served = Given::new(descriptor, read).and_then(|given| {
            self.0.check()?;
            given.serve(Arc::clone(&self.0))
        });
        error::raised(py, served)
    }

    #[getter]
    fn session_count(&self) -> usize {
        self.0.session_count()
    }

    #[getter]
    fn address(&self) -> Option<String> {
        self.0.address().map(|address| address.to_string())
    }
}
