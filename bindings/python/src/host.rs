//! A portal's own server: what it asks the relay, and the websockets whose frames it keeps.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use bytes::Bytes;
use consolepass::{Code, Error, HostConnection, HostSocket, Message, Owner, Result};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::error;
use crate::operation::Operation;
use crate::process::process;
use crate::text::type_name;

/// A websocket of the portal's server, with a console on its other end.
#[pyclass(frozen, module = "consolepass._native")]
pub(crate) struct Socket {
    owner: Owner,
    socket: Arc<HostSocket>,
}

impl Socket {
    pub(crate) fn presented(py: Python<'_>, owner: Owner, socket: HostSocket) -> PyResult<Py<PyAny>> {
        Ok(Py::new(py, Self { owner, socket: Arc::new(socket) })?.into_any())
    }

    /// What is on its other end, in the process where that is.
    fn here(&self, py: Python<'_>) -> PyResult<Arc<HostSocket>> {
        error::raised(py, self.owner.check())?;
        Ok(Arc::clone(&self.socket))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.owner.check().is_err() {
            // A child has the locks of the parent's threads as they were, perhaps held for ever: it is left alone.
            std::mem::forget(Arc::clone(&self.socket));
        }
    }
}

#[pymethods]
impl Socket {
    #[getter]
    fn protocol(&self) -> Option<&str> {
        self.socket.protocol()
    }

    /// The next message for the browser: bytes, str, or a close code with its reason; None once all was said.
    fn receive(&self, py: Python<'_>) -> PyResult<Operation> {
        let socket = self.here(py)?;
        Ok(Operation::new(async move { Ok(socket.receive().await) }, presented))
    }

    /// Hands over a message of the browser.
    fn send(&self, message: &Bound<'_, PyAny>) -> PyResult<Operation> {
        let socket = self.here(message.py())?;
        let message = message_of(message)?;
        Ok(Operation::new(async move { socket.send(&message).await }, |py, ()| Ok(py.None())))
    }
}

fn presented(py: Python<'_>, message: Option<Message>) -> PyResult<Py<PyAny>> {
    Ok(match message {
        None => py.None(),
        Some(Message::Binary(bytes)) => PyBytes::new(py, &bytes).into_any().unbind(),
        Some(Message::Text(text)) => PyString::new(py, &text).into_any().unbind(),
        Some(Message::Close { code, reason }) => (code, reason).into_pyobject(py)?.into_any().unbind(),
    })
}

fn message_of(message: &Bound<'_, PyAny>) -> PyResult<Message> {
    if let Ok(bytes) = message.cast::<PyBytes>() {
        return Ok(Message::Binary(Bytes::copy_from_slice(bytes.as_bytes())));
    }
    if let Ok(text) = message.cast::<PyString>() {
        // A browser's text is UTF-8; a server that let something else through has it as it could be read.
        return Ok(Message::Text(text.to_string_lossy().into_owned()));
    }
    match message.extract::<(u16, String)>() {
        Ok((code, reason)) => Ok(Message::Close { code, reason }),
        Err(_) => Err(error::invalid(message.py(), "message", &format!("cannot be {}", type_name(message)))),
    }
}

/// A connection that a Python server gave up, and what it has read from it.
pub(crate) struct Given {
    connection: HostConnection,
    read: Bytes,
}

impl Given {
    /// Takes over `descriptor`, which nobody else has or closes any more.
    pub(crate) fn new(descriptor: RawFd, read: &[u8]) -> Result<Self> {
        if descriptor < 0 {
            let words = format!("descriptor: {descriptor} is none");
            return Err(Error::new(Code::InvalidArgument, words).with_hint("give the number of an open socket"));
        }
        #[allow(unsafe_code, reason = "a Python socket gives its descriptor away as a number")]
        // SAFETY: it is not -1, which an `OwnedFd` must not be. It is a copy that the package has made of a socket's; the package
        // calls this once with it, and does nothing else with it.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        let unfit =
            |error| Error::new(Code::InvalidArgument, "the WSGI server's socket cannot be used").with_source(error);
        Ok(Self { connection: HostConnection::new(descriptor).map_err(unfit)?, read: Bytes::copy_from_slice(read) })
    }

    /// Serves it in the background, until it ends.
    pub(crate) fn serve(self, relay: Arc<consolepass::Relay>) -> Result<()> {
        let process = process()?;
        process.runtime.spawn(async move {
            if let Err(error) = relay.serve_connection(self.connection, self.read).await {
                // The log is Python's, so that whoever runs the server sees it.
                tracing::error!(target: "consolepass::python", code = %error.code(), hint = error.hint(), "a connection that the WSGI server gave was not served: {error}");
            }
        });
        Ok(())
    }
}
