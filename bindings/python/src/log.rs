//! Log lines, for Python's `logging`.
//!
//! A line of a Python thread that is inside the library is kept until the interpreter is back in its hands, and handed over
//! before the call returns. Those of all other threads go through one of our own. So a handler, which may do anything, never
//! runs while the library holds a lock, and never in a thread that carries consoles.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Once};
use std::time::Duration;

use consolepass::log::{Level, Line, Subscriber, set_level};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::call::{call, unraisable};
use crate::process::{Door, process};

/// Lines that nobody has handed over yet; beyond this many they are counted and dropped.
const MOST_WAITING: usize = 10_000;

/// How long the end of the interpreter waits for a handler.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

thread_local! {
    /// The lines of a Python thread that is inside the library.
    static KEPT: RefCell<Option<Vec<Line>>> = const { RefCell::new(None) };
}

/// Runs `body` with the interpreter released, and hands its log lines over.
pub(crate) fn released<T: Send>(py: Python<'_>, body: impl FnOnce() -> T + Send) -> PyResult<T> {
    follow(py)?;
    let outer = KEPT.replace(Some(Vec::new()));
    let value = py.detach(body);
    let lines = KEPT.replace(outer).unwrap_or_default();
    hand_over(py, lines)?;
    Ok(value)
}

/// Looks at the level of Python's logger: whoever changes it needs not tell us.
fn follow(py: Python<'_>) -> PyResult<()> {
    static INSTALL: Once = Once::new();
    static LEVEL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static KNOWN: AtomicUsize = AtomicUsize::new(usize::MAX);
    INSTALL.call_once(|| {
        // The command has one of its own, if this is the command.
        Subscriber::new(write).install();
    });
    let number: usize = call(LEVEL.import(py, "consolepass._log", "level")?, ())?.extract()?;
    if KNOWN.swap(number, Ordering::Relaxed) != number {
        set_level(level_of(number));
    }
    Ok(())
}

/// Python's numbers: a logger of level 30 wants warnings and errors.
fn level_of(number: usize) -> Option<Level> {
    match number {
        0..=5 => Some(Level::Trace),
        6..=10 => Some(Level::Debug),
        11..=20 => Some(Level::Info),
        21..=30 => Some(Level::Warn),
        31..=40 => Some(Level::Error),
        _ => None,
    }
}

fn number_of(level: Level) -> u8 {
    match level {
        Level::Error => 40,
        Level::Warn => 30,
        Level::Info => 20,
        Level::Debug => 10,
        Level::Trace => 5,
    }
}

/// Called in the thread that has something to say.
fn write(line: Line) {
    let line = KEPT.with_borrow_mut(|kept| match kept {
        Some(lines) => {
            lines.push(line);
            None
        }
        None => Some(line),
    });
    if let (Some(line), Ok(process)) = (line, process()) {
        process.lines.send(line);
    }
}

/// The way to the thread that hands lines over.
pub(crate) struct Lines {
    notes: Sender<Note>,
    waiting: Arc<Waiting>,
}

#[derive(Default)]
struct Waiting {
    lines: AtomicUsize,
    dropped: AtomicUsize,
}

enum Note {
    Line(Line),
    /// Answered when everything before it was handed over.
    Flush(Sender<()>),
}

impl Lines {
    /// Starts the thread.
    pub(crate) fn new(door: Arc<Door>) -> std::io::Result<Self> {
        let (notes, received) = channel();
        let waiting = Arc::new(Waiting::default());
        let shared = Arc::clone(&waiting);
        std::thread::Builder::new().name("consolepass-log".into()).spawn(move || deliver(&received, &shared, &door))?;
        Ok(Self { notes, waiting })
    }

    fn send(&self, line: Line) {
        if self.waiting.lines.fetch_add(1, Ordering::Relaxed) < MOST_WAITING {
            // The thread ends with the interpreter; then nobody listens.
            let _ = self.notes.send(Note::Line(line));
        } else {
            self.waiting.lines.fetch_sub(1, Ordering::Relaxed);
            self.waiting.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until what was said so far is handed over, unless a handler takes too long.
    pub(crate) fn flush(&self) {
        let (done, flushed) = channel();
        if self.notes.send(Note::Flush(done)).is_ok() {
            let _ = flushed.recv_timeout(PATIENCE);
        }
    }
}

fn deliver(notes: &Receiver<Note>, waiting: &Waiting, door: &Door) {
    while let Ok(first) = notes.recv() {
        let mut lines = Vec::new();
        let mut flushed = Vec::new();
        for note in std::iter::once(first).chain(notes.try_iter()) {
            match note {
                Note::Line(line) => lines.push(line),
                Note::Flush(done) => flushed.push(done),
            }
        }
        waiting.lines.fetch_sub(lines.len(), Ordering::Relaxed);
        let dropped = waiting.dropped.swap(0, Ordering::Relaxed);
        let handed = door.enter(|py| {
            let handed = hand_over(py, lines).and_then(|()| if dropped > 0 { lost(py, dropped) } else { Ok(()) });
            if let Err(error) = handed.and_then(|()| follow(py)) {
                unraisable(py, error, None);
            }
        });
        for done in flushed {
            let _ = done.send(());
        }
        if handed.is_none() {
            return;
        }
    }
}

fn lost(py: Python<'_>, count: usize) -> PyResult<()> {
    static LOST: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    call(LOST.import(py, "consolepass._log", "lost")?, (count,)).map(drop)
}

fn hand_over(py: Python<'_>, lines: Vec<Line>) -> PyResult<()> {
    static HANDLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if lines.is_empty() {
        return Ok(());
    }
    let handle = HANDLE.import(py, "consolepass._log", "handle")?;
    for line in lines {
        let parts = (number_of(line.level), &line.target, line.to_string(), &line.message, line.fields);
        match call(handle, parts) {
            Err(error) if error.is_instance_of::<PyException>(py) => unraisable(py, error, Some(handle)),
            // A signal: Ctrl-C in a handler is still Ctrl-C.
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Ok(())
}
