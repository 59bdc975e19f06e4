//! Waiting: in a thread, or in an event loop.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use consolepass::{Code, Error, Result};
use pyo3::prelude::*;
use tokio::task::AbortHandle;

use crate::call::check_signals;
use crate::error;
use crate::log::released;
use crate::process::{Process, process};

/// How long a signal may go unnoticed in a thread that waits: Python's handlers run only when it asks for them.
const SIGNALS: Duration = Duration::from_millis(50);

/// Something of the core that takes a while, not begun yet.
///
/// `wait()` is for threads. For event loops there is `start()`: true if it is done at once, and otherwise the package's
/// `_waiting.wake()` is called with the operation's number when it is. Then `result()` is what it came to.
#[pyclass(frozen, module = "consolepass._native")]
pub(crate) struct Operation {
    number: u64,
    state: Mutex<State>,
}

enum State {
    New(Work),
    Running { process: u32, task: AbortHandle, outcome: Arc<Mutex<Option<Outcome>>> },
    Done(Outcome),
    Taken,
}

type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;
/// Made by whatever thread is done, looked at by the one that has the interpreter.
type Outcome = Result<Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>>;

impl Operation {
    /// `present` makes of the result what Python gets.
    pub(crate) fn new<T: Send + 'static>(
        future: impl Future<Output = Result<T>> + Send + 'static,
        present: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let work = async move {
            let value = future.await?;
            Ok(Box::new(move |py: Python<'_>| present(py, value)) as Box<_>)
        };
        Self { number: NEXT.fetch_add(1, Ordering::Relaxed), state: Mutex::new(State::New(Box::pin(work))) }
    }

    fn swap(&self, state: State) -> State {
        std::mem::replace(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner), state)
    }

    fn work(&self, py: Python<'_>) -> PyResult<Work> {
        match self.swap(State::Taken) {
            State::New(work) => Ok(work),
            other => {
                self.swap(other);
                Err(error::exception(py, &Error::new(Code::Internal, "an operation was begun twice")))
            }
        }
    }
}

#[pymethods]
impl Operation {
    #[getter]
    fn number(&self) -> u64 {
        self.number
    }

    /// Waits, and returns what it came to. A signal's handler that raises ends the wait, and with it the work.
    fn wait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mut work = self.work(py)?;
        let process = error::raised(py, process())?;
        loop {
            let polled = released(py, || {
                caught(|| process.runtime.block_on(async { tokio::time::timeout(SIGNALS, &mut work).await.ok() }))
            })?;
            match polled {
                Ok(Some(outcome)) => return presented(py, outcome),
                Ok(None) => check_signals(py)?,
                Err(panic) => return presented(py, Err(panic)),
            }
        }
    }

    /// Begins. True if it is done already.
    fn start(&self, py: Python<'_>) -> PyResult<bool> {
        let mut work = self.work(py)?;
        let process = error::raised(py, process())?;
        let polled = released(py, || {
            let _inside = process.runtime.enter();
            caught(|| work.as_mut().poll(&mut Context::from_waker(Waker::noop())))
        })?;
        let done = match polled {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(outcome)) => Some(outcome),
            Err(panic) => Some(Err(panic)),
        };
        let is_done = done.is_some();
        self.swap(done.map_or_else(|| spawned(process, self.number, work), State::Done));
        Ok(is_done)
    }

    /// Whether it was started, and is done.
    #[getter]
    fn is_done(&self) -> bool {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Running { outcome, .. } => outcome.lock().unwrap_or_else(PoisonError::into_inner).is_some(),
            State::Done(_) => true,
            State::New(_) | State::Taken => false,
        }
    }

    /// What it came to, once it is done.
    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let outcome = match self.swap(State::Taken) {
            State::Done(outcome) => Some(outcome),
            State::Running { outcome, .. } => outcome.lock().unwrap_or_else(PoisonError::into_inner).take(),
            State::New(_) | State::Taken => None,
        };
        presented(py, outcome.unwrap_or_else(|| Err(Error::new(Code::Internal, "an operation is not done"))))
    }

    /// Gives it up. Nothing happens if it is done.
    fn cancel(&self) {
        // Another process's runtime is not ours to touch.
        if let State::Running { process, task, .. } = self.swap(State::Taken)
            && process == std::process::id()
        {
            task.abort();
        }
    }
}

fn spawned(process: &'static Process, number: u64, work: Work) -> State {
    let outcome = Arc::new(Mutex::new(None));
    let place = Arc::clone(&outcome);
    let guarded = process.runtime.spawn(work);
    let task = guarded.abort_handle();
    process.runtime.spawn(async move {
        let outcome = match guarded.await {
            Ok(outcome) => outcome,
            Err(ended) if ended.is_panic() => Err(panicked(&*ended.into_panic())),
            // Given up: nobody awaits it.
            Err(_) => return,
        };
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        process.finished(number);
    });
    State::Running { process: std::process::id(), task, outcome }
}

fn presented(py: Python<'_>, outcome: Outcome) -> PyResult<Py<PyAny>> {
    match outcome {
        Ok(present) => present(py),
        Err(error) => Err(error::exception(py, &error)),
    }
}

/// A defect of ours is an error like others, and not the end of the program.
fn caught<T>(body: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|panic| panicked(&*panic))
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let words = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::new(Code::Internal, format!("panic: {}", words.unwrap_or("without words")))
}
