//! The two tables, for the JavaScript half, and its measure of time.

use std::time::{SystemTime, UNIX_EPOCH};

use consolepass::Code;
use consolepass::options::TABLE;
use napi_derive::napi;

/// One kind of failure.
#[napi(object, object_from_js = false)]
pub struct CodeRow {
    pub name: &'static str,
    pub number: u32,
    pub sentence: &'static str,
    pub hint: &'static str,
    pub retryable: bool,
}

#[napi(catch_unwind)]
pub fn codes() -> Vec<CodeRow> {
    let row = |code: &Code| CodeRow {
        name: code.name(),
        number: code.number().into(),
        sentence: code.sentence(),
        hint: code.hint(),
        retryable: code.is_retryable(),
    };
    Code::ALL.iter().map(row).collect()
}

/// The names of all options, as the core spells them.
#[napi(catch_unwind)]
pub fn option_names() -> Vec<&'static str> {
    TABLE.iter().map(|row| row.name).collect()
}

#[napi(catch_unwind)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Milliseconds since 1970, as JavaScript's `Date` counts.
pub(crate) fn milliseconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
}
