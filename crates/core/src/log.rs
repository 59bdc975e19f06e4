//! Log lines for hosts that have no `tracing`: Python's `logging`, a Node event, a C program that asks for them.
//!
//! The library itself installs nothing. A face that is a shared library of its own has `tracing`'s global state to itself, and
//! installs a [`Subscriber`] there, once.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata};

use crate::{Error, Result};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something that an operator should know, such as a certificate that is not checked.
    Warn,
    /// What happens to consoles.
    Info,
    /// How.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// The word for it in every language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }

    fn of(level: tracing::Level) -> Self {
        match level {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warn,
            tracing::Level::INFO => Self::Info,
            tracing::Level::DEBUG => Self::Debug,
            tracing::Level::TRACE => Self::Trace,
        }
    }
}

impl FromStr for Level {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let levels = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];
        let named = levels.into_iter().find(|level| level.as_str() == text);
        named.ok_or_else(|| Error::invalid("level", text, "accepted are error, warn, info, debug and trace"))
    }
}

/// One line. No secret is ever part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// How much it matters.
    pub level: Level,
    /// The part of the library that wrote it, such as `consolepass::relay::session`.
    pub target: String,
    /// What happened.
    pub message: String,
    /// The rest, by name: `reference`, `backend`, `code`.
    pub fields: Vec<(&'static str, String)>,
}

/// The message with its fields, as `console ended reference=… code=idle`.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.fields.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

/// Delivers the library's lines up to a level, and nothing of other libraries.
///
/// What delivers is called in the thread in which the line was written, which may be one that carries consoles: it must not
/// wait.
pub struct Subscriber<D> {
    deliver: D,
}

/// The most that is delivered by any subscriber. A level that is off costs a look at a number.
static MOST: AtomicUsize = AtomicUsize::new(0);

/// Sets what is delivered from now on; nothing, until it was called.
pub fn set_level(level: Option<Level>) {
    let number = level.map_or(0, |level| level as usize + 1);
    MOST.store(number, Ordering::Release);
    tracing::callsite::rebuild_interest_cache();
}

impl<D: Fn(Line) + Send + Sync + 'static> Subscriber<D> {
    /// Hands each line to `deliver`.
    pub fn new(deliver: D) -> Self {
        Self { deliver }
    }

    /// Makes it the one subscriber of this program, or of this shared library if `tracing` is linked into it. Returns whether
    /// there was none before.
    pub fn install(self) -> bool {
        tracing::subscriber::set_global_default(self).is_ok()
    }
}

fn most() -> LevelFilter {
    match MOST.load(Ordering::Acquire) {
        0 => LevelFilter::OFF,
        1 => Level::Error.filter(),
        2 => Level::Warn.filter(),
        3 => Level::Info.filter(),
        4 => Level::Debug.filter(),
        _ => Level::Trace.filter(),
    }
}

impl<D: Fn(Line) + Send + Sync + 'static> tracing::Subscriber for Subscriber<D> {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("consolepass") && *metadata.level() <= most()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(most())
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut line = Line {
            level: Level::of(*metadata.level()),
            target: metadata.target().to_owned(),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut Words(&mut line));
        (self.deliver)(line);
    }

    // The library has no spans.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl<D> fmt::Debug for Subscriber<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber").finish_non_exhaustive()
    }
}

struct Words<'a>(&'a mut Line);

impl Words<'_> {
    fn put(&mut self, field: &Field, words: String) {
        if field.name() == "message" {
            self.0.message = words;
        } else {
            self.0.fields.push((field.name(), words));
        }
    }
}

impl Visit for Words<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_level_is_read_from_its_word() {
        for level in [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace] {
            assert_eq!(level.as_str().parse::<Level>().unwrap(), level);
        }
        assert_eq!("WARN".parse::<Level>().unwrap_err().code(), crate::Code::InvalidArgument);
    }

    #[test]
    fn a_line_has_its_message_and_fields_and_comes_only_if_its_level_is_on() {
        let (sender, lines) = mpsc::channel();
        let subscriber = Subscriber::new(move |line| sender.send(line).unwrap());
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!("while it is off");
            set_level(Some(Level::Info));
            tracing::info!(reference = "0123456789", code = %crate::Code::Idle, count = 7, "console {}", "ended");
            tracing::debug!("not asked for");
            tracing::info!(target: "hyper", "somebody else's");
            set_level(None);
            tracing::error!("off again");
        });

        let line = lines.recv().unwrap();
        assert_eq!((line.level, line.target.as_str()), (Level::Info, "consolepass::log::tests"));
        assert_eq!(line.to_string(), "console ended reference=0123456789 code=idle count=7");
        assert!(lines.recv().is_err(), "one line and no other");
    }
}
