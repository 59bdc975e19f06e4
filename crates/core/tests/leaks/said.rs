//! Everything that was said during the run, in one place.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// What left: bytes to browsers, log lines, errors, events, debug forms.
#[derive(Clone, Default)]
pub(crate) struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    /// Hears every line of this process's log from here on, ours and that of the libraries below us.
    pub(crate) fn listening() -> Self {
        let said = Self::default();
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(said.clone());
        subscriber.init();
        // rustls and reqwest have a log of their own kind.
        log::set_logger(Box::leak(Box::new(said.clone()))).expect("nobody else listens");
        log::set_max_level(log::LevelFilter::Trace);
        said
    }

    pub(crate) fn add(&self, bytes: impl AsRef<[u8]>) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend(bytes.as_ref());
        said.push(b'\n');
    }

    /// All of it as text. What is no UTF-8 is lost, but no part of a secret is that.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

/// The line around the first place in `text` that has `form`, with the secret itself left out.
pub(crate) fn line_with(text: &str, form: &str) -> Option<String> {
    let at = text.find(form)?;
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    Some(line.replace(form, "<HERE>"))
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Said {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl log::Log for Said {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.add(format!("{} {}: {}", record.level(), record.target(), record.args()));
    }

    fn flush(&self) {}
}
