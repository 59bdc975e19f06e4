//! What happens to a relay's consoles.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use consolepass::{NextEvent, Owner, Subscription, What};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::call::call;
use crate::error;
use crate::operation::Operation;

/// A place to fetch a relay's events from; behind both `Events` classes of the package.
#[pyclass(frozen, module = "consolepass._native")]
pub(crate) struct Events {
    owner: Owner,
    subscription: Arc<Mutex<Subscription>>,
}

impl Events {
    pub(crate) fn new(owner: Owner, subscription: Subscription) -> Self {
        Self { owner, subscription: Arc::new(Mutex::new(subscription)) }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if self.owner.check().is_err() {
            // A child has the locks of the parent's threads as they were, perhaps held for ever: it is left alone.
            std::mem::forget(Arc::clone(&self.subscription));
        }
    }
}

#[pymethods]
impl Events {
    /// The next event; None if there is none in so many seconds.
    fn next(&self, py: Python<'_>, seconds: Option<f64>) -> PyResult<Operation> {
        let limit = match seconds.map(Duration::try_from_secs_f64).transpose() {
            Ok(limit) => limit,
            Err(wrong) => return Err(error::invalid(py, "timeout", &wrong.to_string())),
        };
        error::raised(py, self.owner.check())?;
        let subscription = Arc::clone(&self.subscription);
        let next = async move {
            let next = async { subscription.lock().await.next().await };
            let next = match limit {
                Some(limit) => timeout(limit, next).await.ok(),
                None => Some(next.await),
            };
            if matches!(next, Some(NextEvent::Ended)) {
                return Err(NextEvent::ended());
            }
            Ok(next)
        };
        Ok(Operation::new(next, presented))
    }
}

/// What an event's `what` says.
fn word(what: &What) -> &'static str {
    match what {
        What::Taken => "taken",
        What::Connected => "connected",
        What::Ended { .. } => "ended",
        _ => "other",
    }
}

fn presented(py: Python<'_>, next: Option<NextEvent>) -> PyResult<Py<PyAny>> {
    static EVENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = EVENT.import(py, "consolepass._events", "Event")?;
    let event = match next {
        None | Some(NextEvent::Ended) => return Ok(py.None()),
        Some(NextEvent::Lost(count)) => {
            let none = py.None();
            call(class, ("lost", SystemTime::now(), &none, &none, &none, &none, &none, &none, count))?
        }
        Some(NextEvent::Event(event)) => {
            let (code, message) = match &event.what {
                What::Ended { code, message } => (Some(code.name()), Some(message.as_str())),
                _ => (None, None),
            };
            let console = event.console.as_ref();
            let parts = (
                word(&event.what),
                event.at,
                event.reference.as_ref().map(ToString::to_string),
                console.map(|console| console.backend.as_str()),
                console.map(|console| console.machine.to_string()),
                console.and_then(|console| console.user.as_deref()),
                code,
                message,
                0,
            );
            call(class, parts)?
        }
    };
    Ok(event.unbind())
}
