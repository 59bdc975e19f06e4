//! `crates/ffi/consolepass.abi`: what programs that were linked with the library rely on, and whether it changed.
//!
//! The library's own debug information knows Rust's types, most of them private, and is another one with each compiler. So
//! what is compared is a library made of the header: the same names, each function with the parameters that it has in C, and
//! nothing behind them. That the real one has these functions and no others, and that the header is what the source says, is
//! tested elsewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::header::root;

/// What libabigail is not to look at: where it was made, and with what.
const ANYWHERE: &[&str] = &["--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--no-architecture"];

/// In place of the system's headers, whose types are others on another system. These are those of every 64-bit Linux.
const TYPES: &str = "\
typedef _Bool bool;
typedef unsigned long size_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long int64_t;
typedef unsigned long uint64_t;
";

/// Writes the file.
pub fn write() -> Result<(), String> {
    let folder = Folder::new()?;
    let library = folder.library_of(&header()?)?;
    let dumped = run(Command::new("abidw")
        .args(ANYWHERE)
        .args(["--load-all-types", "--out-file"])
        .arg(checked_in())
        .arg(library))?;
    if dumped.success { Ok(()) } else { Err(dumped.said) }
}

/// Says whether programs of before still fit, and whether the file knows all there is.
pub fn check() -> Result<(), String> {
    check_header(&header()?)
}

fn check_header(header: &str) -> Result<(), String> {
    let folder = Folder::new()?;
    let library = folder.library_of(header)?;
    let compared = run(Command::new("abidiff")
        .args(ANYWHERE.iter().filter(|option| **option == "--no-show-locs" || **option == "--no-architecture"))
        .arg("--non-reachable-types")
        .arg(checked_in())
        .arg(library))?;
    if compared.success {
        return Ok(());
    }
    Err(format!(
        "the ABI is another one than {} says:\n{}\nIf this was meant: cargo run -p xtask -- abi; and if a function of a released \
         version changed or went, raise CPASS_ABI_VERSION as well.",
        checked_in().display(),
        compared.said
    ))
}

fn header() -> Result<String, String> {
    let path = root().join("include/consolepass.h");
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn checked_in() -> PathBuf {
    root().join("crates/ffi/consolepass.abi")
}

/// The header with a body for each function. Nobody calls them.
fn stub(header: &str) -> String {
    let code: String = header.split("/*").map(|part| part.rsplit("*/").next().unwrap_or_default()).collect();
    let lines = code.lines().filter(|line| !line.starts_with("#include"));
    let code: String = lines.map(|line| line.to_owned() + "\n").collect();
    TYPES.to_owned() + &code.replace(");", ") { __builtin_trap(); }")
}

/// A folder that goes when it is no longer needed.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        // Tests look at several at once.
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("consolepass-abi-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }

    fn library_of(&self, header: &str) -> Result<PathBuf, String> {
        let source = self.0.join("stub.c");
        fs::write(&source, stub(header)).map_err(|error| format!("{}: {error}", source.display()))?;
        let version: Vec<&str> = env!("CARGO_PKG_VERSION").split('.').collect();
        let compiled = run(Command::new("cc")
            .args(["-std=c11", "-g", "-shared", "-fPIC", "-nostdlib"])
            // The codes are an enum that no function mentions.
            .arg("-fno-eliminate-unused-debug-types")
            .arg(format!("-Wl,-soname,libconsolepass.so.{}.{}", version[0], version[1]))
            .args(["-o", "stub.so", "stub.c"])
            .current_dir(&self.0))?;
        if compiled.success { Ok(self.0.join("stub.so")) } else { Err(compiled.said) }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Done {
    success: bool,
    said: String,
}

fn run(command: &mut Command) -> Result<Done, String> {
    let name = Path::new(command.get_program()).display().to_string();
    let output = command.output().map_err(|error| {
        let package = if name == "cc" { "gcc" } else { "abigail-tools" };
        format!("{name}: {error}: sudo apt-get install -y {package}")
    })?;
    let said = [output.stdout, output.stderr].concat();
    Ok(Done { success: output.status.success(), said: String::from_utf8_lossy(&said).into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_abi_is_the_one_that_is_checked_in() {
        check().unwrap();
    }

    #[test]
    fn whatever_changes_for_a_program_is_told() {
        let header = header().unwrap();
        let changes = [
            ("uint32_t timeout_ms,\n", "uint64_t timeout_ms,\n", "cpass_backend_open"),
            ("void cpass_backend_free(cpass_backend *backend);", "", "cpass_backend_free"),
            (
                "void cpass_backend_free(cpass_backend *backend);",
                "void cpass_backend_free(cpass_link *link);",
                "cpass_backend_free",
            ),
            ("const char *cpass_version(void);", "const char *cpass_version(int more);", "cpass_version"),
            ("CPASS_EVENT_ENDED = 3", "CPASS_EVENT_ENDED = 5", "CPASS_EVENT_ENDED"),
            ("CPASS_DENIED = 22", "CPASS_DENIED = 99", "CPASS_DENIED"),
            // No program minds, but the file has to know it before it can be taken away again.
            ("void cpass_backend_free(", "void cpass_new(void);\nvoid cpass_backend_free(", "cpass_new"),
        ];
        for (from, to, named) in changes {
            assert!(header.contains(from), "{from}");

            let error = check_header(&header.replacen(from, to, 1)).unwrap_err();

            assert!(error.contains(named) && error.contains("xtask -- abi"), "{from}: {error}");
        }
    }

    #[test]
    fn what_is_said_about_a_function_is_not_what_it_is() {
        let header = header().unwrap();

        check_header(&header.replace("Frees a backend. NULL is fine.", "Frees it(); NULL is fine (as ever);")).unwrap();
    }
}
