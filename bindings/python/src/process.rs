//! What one process has: the runtime, and the two threads that take the interpreter.
//!
//! All of it is made at first use, and made anew in a process that was forked off: threads do not survive a fork.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant};

use consolepass::{Code, Error, PerProcess, Result};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::runtime::{Builder, Runtime};

use crate::call::{call, unraisable};
use crate::log::{Lines, PATIENCE};

/// This process's own.
pub(crate) struct Process {
    pub(crate) runtime: Runtime,
    pub(crate) lines: Lines,
    waker: Sender<u64>,
    door: Arc<Door>,
}

/// This process's own, made now if it is needed for the first time.
pub(crate) fn process() -> Result<&'static Process> {
    PROCESS.get(Process::new)
}

static PROCESS: PerProcess<Process> = PerProcess::new();
/// Whether the interpreter is about to end.
static ENDED: AtomicBool = AtomicBool::new(false);

impl Process {
    fn new() -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(Code::Internal, format!("the system gives no threads: {error}")).with_source(error)
        };
        let runtime = Builder::new_multi_thread().enable_all().thread_name("consolepass").build().map_err(failed)?;
        let door = Arc::new(Door::new());
        let (waker, numbers) = channel();
        let inside = Arc::clone(&door);
        let thread = std::thread::Builder::new().name("consolepass-wake".into());
        thread.spawn(move || wake(&numbers, &inside)).map_err(failed)?;
        let lines = Lines::new(Arc::clone(&door)).map_err(failed)?;
        Ok(Self { runtime, lines, waker, door })
    }

    /// Has the event loop that awaits an operation look at it.
    pub(crate) fn finished(&self, number: u64) {
        // The thread ends with the interpreter; then nobody awaits anything.
        let _ = self.waker.send(number);
    }
}

/// Lets no thread of ours into the interpreter any more, which is about to end.
#[pyfunction]
pub(crate) fn end(py: Python<'_>) {
    ENDED.store(true, Ordering::Release);
    // A process that made nothing has nothing to end, and in a child it is not made for that.
    if let Some(process) = PROCESS.made() {
        py.detach(|| {
            process.lines.flush();
            process.door.close();
        });
    }
}

/// Whether no thread of ours wakes an event loop any more: it is an exit handler that awaits, later than ours.
#[pyfunction]
pub(crate) fn ended() -> bool {
    ENDED.load(Ordering::Acquire)
}

/// Between our threads and the interpreter. To enter it while it ends would hang the thread, or the program.
pub(crate) struct Door(RwLock<bool>);

impl Door {
    fn new() -> Self {
        // What an exit handler makes after ours, nobody closes any more.
        Self(RwLock::new(!ended()))
    }

    /// Takes the interpreter for `visit`, unless it ends.
    pub(crate) fn enter<T>(&self, visit: impl FnOnce(Python<'_>) -> T) -> Option<T> {
        let open = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if *open { Python::try_attach(visit) } else { None }
    }

    /// Waits for those inside, and closes. Who is kept inside by a handler that does not end is left there.
    fn close(&self) {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            match self.0.try_write() {
                Ok(mut open) => {
                    *open = false;
                    return;
                }
                Err(TryLockError::Poisoned(open)) => {
                    *open.into_inner() = false;
                    return;
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }
}

fn wake(numbers: &Receiver<u64>, door: &Door) {
    static WAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    while let Ok(first) = numbers.recv() {
        let finished: Vec<u64> = std::iter::once(first).chain(numbers.try_iter()).collect();
        let woken = door.enter(|py| {
            let wake = WAKE.import(py, "consolepass._waiting", "wake");
            if let Err(error) = wake.and_then(|wake| call(wake, (finished,))) {
                unraisable(py, error, None);
            }
        });
        if woken.is_none() {
            return;
        }
    }
}
