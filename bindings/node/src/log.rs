//! The library's log lines, for each of Node's environments that asks for them.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::SystemTime;

use consolepass::log::{Level, Line, Subscriber, set_level};
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::ThreadsafeFunction;
use napi_derive::napi;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::runtime::runtime;
use crate::tables::milliseconds;

/// Lines beyond this many are dropped and counted, when JavaScript does not come to read them.
const KEPT: usize = 1024;

/// One line.
#[napi(object, object_from_js = false)]
pub struct LogLine {
    pub at: f64,
    pub level: &'static str,
    pub target: String,
    pub message: String,
    pub fields: Vec<Vec<String>>,
}

/// Whoever reads lines. Few: one a thread of Node.
static READERS: Mutex<Vec<Arc<Reader>>> = Mutex::new(Vec::new());

struct Reader {
    most: Mutex<Option<Level>>,
    lines: Sender<LogLine>,
    lost: Arc<AtomicU64>,
    /// What hands the lines on, until there is a first one: a program that only loads the package has no threads of ours.
    waiting: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
}

impl Reader {
    fn push(&self, line: LogLine) {
        if self.lines.try_send(line).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        let mut waiting = locked(&self.waiting);
        if waiting.is_some()
            && let Ok(runtime) = runtime()
            && let Some(reading) = waiting.take()
        {
            runtime.spawn(reading);
        }
    }
}

/// An environment's place among the readers; it goes with the environment.
#[napi]
pub struct Log(Arc<Reader>);

type Callback = ThreadsafeFunction<Vec<LogLine>, (), Vec<LogLine>, napi::Status, false, true>;

#[napi]
impl Log {
    /// Hands lines to `callback`, several at once, as soon as a level is set.
    #[napi(constructor, catch_unwind)]
    pub fn new(callback: Function<'_, Vec<LogLine>, ()>) -> napi::Result<Self> {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            Subscriber::new(deliver).install();
        });
        let callback: Callback = callback.build_threadsafe_function().weak().callee_handled().build()?;
        let (sender, lines) = mpsc::channel(KEPT);
        let lost = Arc::new(AtomicU64::new(0));
        let waiting = Mutex::new(Some(Box::pin(read(lines, Arc::clone(&lost), callback)) as _));
        let reader = Arc::new(Reader { most: Mutex::new(None), lines: sender, lost, waiting });
        locked(&READERS).push(Arc::clone(&reader));
        Ok(Self(reader))
    }

    /// Lines up to `level` are read from now on: error, warn, info, debug or trace.
    #[napi(catch_unwind)]
    pub fn set_level(&self, level: String) {
        const LEVELS: [Level; 5] = [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];
        let readers = locked(&READERS);
        *locked(&self.0.most) = LEVELS.into_iter().find(|known| known.as_str() == level);
        follow(&readers);
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let mut readers = locked(&READERS);
        readers.retain(|other| !Arc::ptr_eq(other, &self.0));
        follow(&readers);
    }
}

async fn read(mut lines: Receiver<LogLine>, lost: Arc<AtomicU64>, callback: Callback) {
    let mut several = Vec::new();
    while lines.recv_many(&mut several, KEPT).await > 0 {
        let mut told = std::mem::take(&mut several);
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            told.push(LogLine {
                at: milliseconds(SystemTime::now()),
                level: Level::Warn.as_str(),
                target: module_path!().to_owned(),
                message: format!("{lost} lines were lost, as nobody came to read them"),
                fields: Vec::new(),
            });
        }
        // It fails when the environment of Node is gone.
        if callback.call_async(told).await.is_err() {
            return;
        }
    }
}

/// The library writes what the most curious reader wants. Whoever calls it holds the lock, so that the last change is the one that
/// stays.
fn follow(readers: &[Arc<Reader>]) {
    set_level(readers.iter().filter_map(|reader| *locked(&reader.most)).max());
}

fn deliver(line: Line) {
    for reader in locked(&READERS).iter() {
        let wanted = locked(&reader.most).is_some_and(|most| line.level <= most);
        let told = || LogLine {
            at: milliseconds(SystemTime::now()),
            level: line.level.as_str(),
            target: line.target.clone(),
            message: line.message.clone(),
            fields: line.fields.iter().map(|(name, value)| vec![(*name).to_owned(), value.clone()]).collect(),
        };
        if wanted {
            reader.push(told());
        }
    }
}

fn locked<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
