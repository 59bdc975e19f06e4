//! The headers as a whole: an introduction, then one section for each object, each from one file of `crates/ffi/src`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use consolepass::Code;
use consolepass::options::{Kind, Scope, Specification, TABLE};

use crate::fragment::{self, For};
use crate::prose::{comment, introduction, sentence};

/// The files, in an order in which each needs only those before it.
const SECTIONS: &[&str] = &[
    "version",
    "error",
    "options",
    "link",
    "rfb_parameters",
    "console",
    "backend",
    "pass",
    "issuer",
    "backends",
    "relay",
    "host",
    "events",
    "log",
];

const SCOPES: &[(Scope, &str)] = &[
    (Scope::Proxmox, "a backend of type proxmox"),
    (Scope::Vnc, "a backend of type vnc"),
    (Scope::Relay, "a relay"),
    (Scope::Issuer, "an issuer"),
    (Scope::Pass, "a pass"),
    (Scope::Page, "a page"),
];

/// Writes both headers into `include`.
pub fn write() -> Result<(), String> {
    for (path, text) in headers()? {
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Says whether both headers are what the source says.
pub fn check() -> Result<(), String> {
    for (path, text) in headers()? {
        if fs::read_to_string(&path).unwrap_or_default() != text {
            return Err(format!("{} is stale: cargo run -p xtask -- header", path.display()));
        }
    }
    Ok(())
}

fn headers() -> Result<[(PathBuf, String); 2], String> {
    let include = root().join("include");
    Ok([(include.join("consolepass.h"), for_c()?), (include.join("consolepass.ffi.h"), for_php()?)])
}

fn for_c() -> Result<String, String> {
    let mut text = comment(&introduction(&source("lib")?));
    text.push_str(PROLOGUE);
    let version = env!("CARGO_PKG_VERSION");
    for section in SECTIONS {
        let path = path_of(section);
        writeln!(text, "\n{}", comment(&format!("---- {}", introduction(&source(section)?)))).map_err(in_words)?;
        match *section {
            "version" => writeln!(text, "#define CPASS_VERSION \"{version}\"\n").map_err(in_words)?,
            "error" => text.push_str(&codes(true)),
            "options" => text.push_str(&options()),
            _ => {}
        }
        text.push_str(&fragment::of(&path, For::C)?);
    }
    text.push_str(EPILOGUE);
    Ok(text)
}

/// PHP's FFI has no preprocessor, and knows the types of stdint.h by itself.
fn for_php() -> Result<String, String> {
    let version: Vec<&str> = env!("CARGO_PKG_VERSION").split('.').collect();
    let soname = format!("libconsolepass.so.{}.{}", version[0], version[1]);
    // FFI::load() looks for these two at the very beginning.
    let mut text = format!("#define FFI_SCOPE \"CONSOLEPASS\"\n#define FFI_LIB \"{soname}\"\n");
    text.push_str(&comment(
        "consolepass for PHP's FFI. Made from the same source as consolepass.h, which explains it.",
    ));
    for section in SECTIONS {
        text.push('\n');
        if *section == "error" {
            text.push_str(&codes(false));
        }
        text.push_str(&constants(&fragment::of(&path_of(section), For::Php)?));
    }
    Ok(text)
}

/// What cbindgen writes as macros, as an enum.
fn constants(fragment: &str) -> String {
    let constant = |line: &str| {
        let (name, value) = line.strip_prefix("#define ")?.split_once(' ')?;
        Some(format!("enum {{ {name} = {value} }};"))
    };
    let lines = fragment.lines().map(|line| constant(line).unwrap_or_else(|| line.to_owned()));
    lines.map(|line| line + "\n").collect()
}

/// The numbers, from the core's table: a second list could go stale.
fn codes(explained: bool) -> String {
    let mut text = "enum {\n".to_owned();
    let mut line = |number: u16, name: &str, sentence_of: &str| {
        let explanation = if explained { format!("  /* {sentence_of} */") } else { String::new() };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  CPASS_{} = {number},{explanation}", name.to_uppercase());
    };
    line(0, "ok", "nothing failed");
    for code in Code::ALL {
        line(code.number(), code.name(), code.sentence());
    }
    text.push_str("};\n\n");
    text
}

/// The options, from the core's table.
fn options() -> String {
    let mut text = String::new();
    for (scope, of) in SCOPES {
        let rows = TABLE.iter().filter(|row| row.scope == *scope);
        let list: Vec<String> = rows.map(option).collect();
        text.push_str(&comment(&format!("The options of {of}:\n\n{}", list.join("\n"))));
        text.push('\n');
    }
    text
}

fn option(row: &Specification) -> String {
    let kind = match row.kind {
        Kind::Integer { min, max } => format!("{min} to {max}"),
        Kind::Seconds { min, max } => format!("seconds, {min} to {max}"),
        Kind::Boolean => "true or false".to_owned(),
        Kind::List => "a list".to_owned(),
        Kind::Secret => "a secret".to_owned(),
        _ => "text".to_owned(),
    };
    let default = row.default.map_or_else(String::new, |default| format!("; {default} if not given"));
    sentence(&format!("{} ({kind}{default})", row.name), row.meaning)
}

fn source(section: &str) -> Result<String, String> {
    let path = path_of(section);
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn path_of(section: &str) -> PathBuf {
    root().join("crates/ffi/src").join(section).with_extension("rs")
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

fn in_words(error: std::fmt::Error) -> String {
    error.to_string()
}

const PROLOGUE: &str = "\
#ifndef CONSOLEPASS_H
#define CONSOLEPASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A result that must be looked at: an error that is dropped is a leak, and a failure that nobody hears of. */
#if defined(__GNUC__) || defined(__clang__)
#define CPASS_MUST_USE __attribute__((warn_unused_result))
#else
#define CPASS_MUST_USE
#endif

#ifdef __cplusplus
extern \"C\" {
#endif
";

const EPILOGUE: &str = "
#ifdef __cplusplus
}
#endif

#endif
";

#[cfg(test)]
mod tests {
    #[test]
    fn the_headers_that_are_checked_in_are_what_the_source_says() {
        super::check().unwrap();
    }
}
