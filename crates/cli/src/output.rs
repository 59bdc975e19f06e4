//! What the command prints: words for a person, or one JSON object a line for a program.

use std::io::{IsTerminal, Write, stderr, stdout};

use consolepass::Error;
use serde_json::{Map, Value, json};

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
        let code = error.code();
        if self.json {
            let object = json!({"error": {
                "code": code.name(),
                "number": code.number(),
                "message": error.to_string(),
                "hint": error.hint(),
                "retryable": error.is_retryable(),
                "http_status": error.http_status(),
                "fingerprint": error.fingerprint(),
            }});
            let _ = writeln!(stdout(), "{object}");
            return;
        }
        let (red, plain) = if stderr().is_terminal() { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        let mut err = stderr().lock();
        let _ = writeln!(err, "{red}error{plain}: {error} ({code})");
        if let Some(seen) = error.fingerprint() {
            let _ = writeln!(err, "  seen: {seen}");
        }
        let _ = writeln!(err, "  hint: {}", error.hint());
    }
}
