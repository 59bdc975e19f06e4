//! The library as `make install` installs it, and programs built against that.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// What every C program of ours must compile with, without a word.
pub(crate) const C11: &[&str] =
    &["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-D_POSIX_C_SOURCE=200809L", "-g"];
/// The same, where every access to memory is looked at, and what is left over at the end.
pub(crate) const SANITIZED: &[&str] = &[
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-pedantic",
    "-D_POSIX_C_SOURCE=200809L",
    "-g",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
];

pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap())
}

/// A folder of this run's own.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c-face");
        // What an earlier run left must not make this one pass.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    })
}

pub(crate) fn file(name: &str, content: &str) -> PathBuf {
    let path = folder().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// Where the library is: installed, and then carried elsewhere, as from an archive.
pub(crate) fn prefix() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let built = env::current_exe().unwrap().parent().unwrap().to_owned();
        let (made, prefix) = (folder().join("made"), folder().join("prefix"));
        let variable = |name: &str, path: &Path| format!("{name}={}", path.display());
        succeed(
            tool("make", "make")
                .args(["install", &variable("BUILT", &built), &variable("PREFIX", &made)])
                .env_remove("DESTDIR")
                .current_dir(root()),
        );
        std::fs::rename(&made, &prefix).unwrap();
        prefix
    })
}

/// Builds a program from sources of the repository, with the flags that pkg-config tells.
pub(crate) fn compile(program: &str, compiler: &str, flags: &[&str], sources: &[&str]) -> PathBuf {
    let told = succeed(
        tool("pkg-config", "pkg-config")
            .args(["--cflags", "--libs", "consolepass"])
            .env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig")),
    );
    let output = folder().join(program);
    let package = if compiler == "g++" { "g++" } else { "gcc" };
    succeed(
        tool(compiler, package)
            .args(flags)
            .args(sources.iter().map(|source| root().join(source)))
            .arg("-I")
            .arg(folder())
            .arg("-o")
            .arg(&output)
            .args(String::from_utf8(told.stdout).unwrap().split_whitespace())
            .arg(format!("-Wl,-rpath,{}", prefix().join("lib").display())),
    );
    output
}

/// A command that must be there.
pub(crate) fn tool(name: &str, package: &str) -> Command {
    let found = env::split_paths(&env::var_os("PATH").unwrap()).any(|folder| folder.join(name).is_file());
    assert!(found, "{name} is missing: sudo apt-get install -y {package}");
    Command::new(name)
}

/// Runs a command that must succeed.
pub(crate) fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        words(&output.stdout),
        words(&output.stderr)
    );
    output
}
