//! What the command prints: words for a person, or one JSON object a line for a program.

use std::io::{IsTerminal, Write, stderr, stdout};

use consolepass::Error;
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
    pub(crate) fn result(&self, fields: &[(&str, Value)]) {
        let mut out = stdout().lock();
        // A reader that went away wants no more; there is nobody to tell.
        let _ = if self.json {
            let object: Map<String, Value> =
                fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            writeln!(out, "{}", Value::Object(object))
        } else {
            let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
            fields.iter().try_for_each(|(name, value)| {
                let label = name.replace('_', " ");
                match value {
                    Value::String(text) => writeln!(out, "{label:width$}  {text}"),
                    Value::Array(items) if items.is_empty() => writeln!(out, "{label:width$}  nothing"),
                    Value::Array(items) if items.iter().all(Value::is_string) => {
                        let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                        writeln!(out, "{label:width$}  {}", texts.join(", "))
                    }
                    other => writeln!(out, "{label:width$}  {other}"),
                }
            })
        };
        let _ = out.flush();
    }

    /// Says what is going on, to a person who looks.
    pub(crate) fn progress(&self, words: &str) {
        if !self.json && stderr().is_terminal() {
            let _ = writeln!(stderr(), "{words}");
        }
    }

    /// Says what failed, where, and what to do.
    pub(crate) fn error(&self, error: &Error) {
        if self.json {
            print_object(&json!({"error": error_object(error)}));
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
pub(crate) fn print_object(object: &Value) {
    // A reader that went away wants no more; there is nobody to tell.
    let _ = writeln!(stdout(), "{object}");
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
