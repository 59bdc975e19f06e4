//! `tests/tables.json`: the two tables for whoever checks a face against them without Rust.

use std::fs;
use std::path::{Path, PathBuf};

use consolepass::Code;
use consolepass::options::{Kind, Specification, TABLE};
use serde_json::{Value, json};

/// Writes the file.
pub fn write() -> Result<(), String> {
    fs::write(path(), text()?).map_err(|error| format!("{}: {error}", path().display()))
}

/// Says whether the file is what the source says.
pub fn check() -> Result<(), String> {
    if fs::read_to_string(path()).unwrap_or_default() == text()? {
        return Ok(());
    }
    Err(format!("{} is stale: cargo run -p xtask -- tables", path().display()))
}

fn text() -> Result<String, String> {
    let options: Vec<Value> = TABLE.iter().map(option).collect();
    let codes: Vec<Value> = Code::ALL.iter().copied().map(code).collect();
    let tables = json!({ "options": options, "codes": codes });
    serde_json::to_string_pretty(&tables).map(|text| text + "\n").map_err(|error| error.to_string())
}

fn option(row: &Specification) -> Value {
    let (kind, min, max) = match row.kind {
        Kind::String => ("string", None, None),
        Kind::Integer { min, max } => ("integer", Some(min), Some(max)),
        Kind::Seconds { min, max } => ("seconds", Some(min), Some(max)),
        Kind::Boolean => ("boolean", None, None),
        Kind::List => ("list", None, None),
        Kind::Secret => ("secret", None, None),
        _ => ("unknown", None, None),
    };
    json!({
        "scope": row.scope.name(),
        "name": row.name,
        "type": kind,
        "min": min,
        "max": max,
        "default": row.default,
        "meaning": row.meaning,
    })
}

fn code(code: Code) -> Value {
    json!({
        "name": code.name(),
        "number": code.number(),
        "sentence": code.sentence(),
        "hint": code.hint(),
        "retryable": code.is_retryable(),
    })
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/tables.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_tables_are_those_of_the_source() {
        check().unwrap();
    }

    #[test]
    fn every_type_of_option_has_a_name() {
        assert!(TABLE.iter().all(|row| option(row)["type"] != "unknown"));
    }
}
