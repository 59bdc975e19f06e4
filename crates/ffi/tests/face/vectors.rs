//! The vectors of `tests/vectors`, which every language runs, by a C program.

use std::path::PathBuf;
use std::process::Command;

use super::installed::{SANITIZED, compile, root, succeed};

const SOURCES: &[&str] =
    &["tests/c/vectors/vectors.c", "tests/c/vectors/calls.c", "tests/c/vectors/player.c", "tests/c/vectors/place.c"];

/// The command, which plays the servers. It is built with the rest of the workspace.
fn command() -> PathBuf {
    let built = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("consolepass");
    let program = std::env::var_os("CONSOLEPASS_PROGRAM").map_or(built, PathBuf::from);
    assert!(program.is_file(), "{} is missing: cargo build --workspace", program.display());
    program
}

/// Runs those of the files that begin with `prefix`; of which there are at least `fewest`.
fn run(prefix: &str, fewest: u32) -> Command {
    let name = format!("vectors_{prefix}{fewest}");
    let program = compile(&name, "gcc", &[SANITIZED, &["-Wl,--no-as-needed", "-lcjson"]].concat(), SOURCES);
    let mut run = Command::new(program);
    run.arg(root().join("tests/vectors")).args([prefix, &fewest.to_string()]).env("CONSOLEPASS_PROGRAM", command());
    run
}

#[test]
fn every_vector_of_proxmox_comes_out_as_it_says() {
    succeed(&mut run("proxmox-", 100));
}

#[test]
fn every_link_is_the_one_that_its_page_understands() {
    succeed(&mut run("links-", 205));
}

#[test]
fn fewer_vectors_than_there_were_are_a_failure() {
    let output = run("links-cloudtower", 1000).output().unwrap();

    let told = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success() && told.contains(" vectors, 0 failed, 0 left out\n"), "{told}");
}
