//! What the command prints: words for a person, or one JSON object a line for a program.

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};
use std::time::SystemTime;

use consolepass::{Code, Error, Result};
use serde_json::{Map, Value, json};

pub(crate) const RED: &str = "\x1b[1;31m";
pub(crate) const YELLOW: &str = "\x1b[33m";
pub(crate) const GREEN: &str = "\x1b[32m";
pub(crate) const DIM: &str = "\x1b[2m";
pub(crate) const PLAIN: &str = "\x1b[0m";

/// Where results go, and in which form.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints results under their names.
    pub(crate) fn result(&self, fields: &[(&str, Value)]) -> Result<()> {
        if self.json {
            let object: Map<String, Value> =
                fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            return print_object(&Value::Object(object));
        }
        let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let lines = fields.iter().map(|(name, value)| {
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Array(items) if items.is_empty() => "nothing".to_owned(),
                Value::Array(items) if items.iter().all(Value::is_string) => {
                    items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
                }
                other => other.to_string(),
            };
            format!("{:width$}  {value}\n", name.replace('_', " "))
        });
        print(&lines.collect::<String>())
    }

    /// Says what is going on, to a person who looks.
    pub(crate) fn progress(&self, words: &str) {
        if !self.json && stderr().is_terminal() {
            let _ = writeln!(stderr(), "{words}");
        }
    }

    /// Says what failed, where, and what to do.
    pub(crate) fn error(&self, error: &Error) {
        // If that cannot be printed, a program is told nowhere else, but perhaps a person.
        if self.json && print_object(&json!({"error": error_object(error)})).is_ok() {
            return;
        }
        let mut err = stderr().lock();
        let _ = err.write_all(error_words(error, stderr().is_terminal()).as_bytes());
        if let Some(seen) = error.fingerprint() {
            let _ = writeln!(err, "  seen: {seen}");
        }
    }

    /// Whether a program reads along.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }
}

/// Prints one object on a line of its own.
pub(crate) fn print_object(object: &Value) -> Result<()> {
    print(&format!("{object}\n"))
}

/// Prints to standard output. A reader that went away wants no more; whatever else keeps the words from it is a failure.
pub(crate) fn print(words: &str) -> Result<()> {
    let mut out = stdout().lock();
    match out.write_all(words.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let message = format!("standard output cannot be written to: {error}");
            Err(Error::new(Code::Internal, message).with_hint("give the output a place where there is room for it"))
        }
        _ => Ok(()),
    }
}

/// Whole seconds until `moment`, rounded up.
pub(crate) fn seconds_until(moment: SystemTime) -> u64 {
    let left = moment.duration_since(SystemTime::now()).unwrap_or_default();
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

/// An error for a program.
pub(crate) fn error_object(error: &Error) -> Value {
    let code = error.code();
    json!({
        "code": code.name(),
        "number": code.number(),
        "message": error.to_string(),
        "hint": error.hint(),
        "retryable": error.is_retryable(),
        "http_status": error.http_status(),
        "fingerprint": error.fingerprint(),
    })
}

/// An error for a person.
pub(crate) fn error_words(error: &Error, on_terminal: bool) -> String {
    let (red, plain) = if on_terminal { (RED, PLAIN) } else { ("", "") };
    format!("{red}error{plain}: {error} ({})\n  hint: {}\n", error.code(), error.hint())
}
