//! The library's log lines, kept for those who asked for them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use consolepass::log::{Level, Line, Subscriber, set_level};
use consolepass::{Code, Error, PerProcess, Result};

/// How many lines are kept for whoever fetches them.
const MOST_WAITING: usize = 1024;

/// Every queue of this process. A child begins with none, as the lock here may be held by a thread that it does not have.
static QUEUES: PerProcess<Mutex<Vec<Arc<Queue>>>> = PerProcess::new();

/// Lines up to a level, from now on. They belong to the process that asked for them.
pub(crate) struct Lines {
    process: u32,
    queue: Arc<Queue>,
}

/// The next thing that is known.
pub(crate) enum Next {
    Line(SystemTime, Line),
    /// So many lines were not fetched in time.
    Lost(u64),
}

impl Lines {
    pub(crate) fn open(level: Level) -> Result<Self> {
        /// Whether lines of this library come to us. No `Once`: a child of a process that was in the middle of one would wait
        /// for ever.
        static INSTALLED: AtomicBool = AtomicBool::new(false);
        let queue = Arc::new(Queue { level, waiting: Mutex::default(), arrived: Condvar::new() });
        let mut queues = locked(QUEUES.get(|| Ok(Mutex::default()))?);
        if !INSTALLED.swap(true, Ordering::AcqRel) {
            // A shared library has `tracing` to itself, so there is none before.
            let _ = Subscriber::new(|line| deliver(&line)).install();
        }
        queues.push(Arc::clone(&queue));
        follow(&queues);
        Ok(Self { process: std::process::id(), queue })
    }

    /// The next line; `None` if there is none within `limit`.
    pub(crate) fn next(&self, limit: Duration) -> Result<Option<Next>> {
        let here = std::process::id();
        if self.process != here {
            let message = format!("log: it was opened in process {}, and this is {here}", self.process);
            return Err(Error::new(Code::Forked, message).with_hint("open another log in this process"));
        }
        Ok(self.queue.next(limit))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // In a child the list is another one, which never had it.
        if let Some(queues) = QUEUES.made() {
            let mut queues = locked(queues);
            queues.retain(|other| !Arc::ptr_eq(other, &self.queue));
            follow(&queues);
        }
    }
}

/// Called in the thread that has something to say.
fn deliver(line: &Line) {
    let Some(queues) = QUEUES.made() else { return };
    for queue in locked(queues).iter().filter(|queue| line.level <= queue.level) {
        queue.push(line.clone());
    }
}

/// As many lines as somebody wants. Whoever calls it holds the lock, so that the last change is the one that stays.
fn follow(queues: &[Arc<Queue>]) {
    set_level(queues.iter().map(|queue| queue.level).max());
}

struct Queue {
    level: Level,
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<(SystemTime, Line)>,
    lost: u64,
}

impl Queue {
    fn push(&self, line: Line) {
        let mut waiting = locked(&self.waiting);
        if waiting.lines.len() == MOST_WAITING {
            waiting.lines.pop_front();
            waiting.lost += 1;
        }
        waiting.lines.push_back((SystemTime::now(), line));
        drop(waiting);
        self.arrived.notify_one();
    }

    fn next(&self, limit: Duration) -> Option<Next> {
        let waiting = locked(&self.waiting);
        let waited = self.arrived.wait_timeout_while(waiting, limit, |waiting| waiting.lines.is_empty());
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match std::mem::take(&mut waiting.lost) {
            0 => waiting.lines.pop_front().map(|(at, line)| Next::Line(at, line)),
            lost => Some(Next::Lost(lost)),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
