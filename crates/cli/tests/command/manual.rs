//! `consolepass man`, as `man` and `groff` show it.

use std::process::{Command, Stdio};

use consolepass::Code;
use consolepass::options::{Scope, TABLE};

use crate::support::{Folder, run};

/// What a program makes of the page, without any warning.
fn shown_by(program: &[&str]) -> String {
    let folder = Folder::new(&format!("manual-{}", program[0]));
    let page = run(&["man"]);
    assert!(page.status.success(), "{page:?}");
    assert!(page.stdout.is_ascii(), "every roff reads it");
    let file = folder.file("consolepass.1", &String::from_utf8(page.stdout).unwrap());
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).arg(file).stdin(Stdio::null());
    // Wide, so that no line of an example or a table is broken.
    command.env("LC_ALL", "C.UTF-8").env("MANWIDTH", "400").env_remove("MANROFFOPT");
    let output = command.output().unwrap_or_else(|error| panic!("{}: {error}", program[0]));
    let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && warnings.is_empty(), "{}: {warnings}", program[0]);
    String::from_utf8(output.stdout).unwrap()
}

/// Each line without the spaces at its ends.
fn lines(page: &str) -> Vec<&str> {
    page.lines().map(str::trim).collect()
}

#[test]
fn groff_has_no_warning() {
    assert!(shown_by(&["groff", "-man", "-Tutf8", "-ww"]).contains("CONSOLEPASS(1)"));
}

#[test]
fn every_command_is_there_with_its_options_and_all_that_its_help_says() {
    let page = shown_by(&["man", "--warnings=w", "-l"]);
    let page = lines(&page);
    let commands: [&[&str]; 11] = [
        &["open"],
        &["relay"],
        &["pass"],
        &["doctor"],
        &["viewer", "export"],
        &["emulate"],
        &["emulate", "proxmox"],
        &["emulate", "script"],
        &["demo"],
        &["completion"],
        &["man"],
    ];
    for command in commands {
        let help = run(&[command, &["--help"]].concat());
        let help = String::from_utf8(help.stdout).unwrap();
        let usage = help.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap();
        let start = page.iter().position(|line| *line == usage).unwrap_or_else(|| panic!("{usage:?} is missing"));
        let part = &page[start..];
        for line in help.lines().filter(|line| line.trim_start().starts_with("--")) {
            // The flag with its value, up to the meaning.
            let flag = line.trim().split("  ").next().unwrap();
            assert!(part.iter().any(|line| *line == flag || line.starts_with(&format!("{flag} "))), "{usage}: {flag}");
        }
        let (_, behind) = help.split_once("  -h, --help").unwrap();
        let others = |line: &&str| !line.is_empty() && !line.starts_with("--");
        for line in behind.lines().skip(1).map(str::trim).filter(others) {
            assert!(part.contains(&line), "{usage}: {line:?}");
        }
    }
}

#[test]
fn every_option_of_the_file_and_every_code_is_there_with_its_meaning() {
    let page = shown_by(&["man", "--warnings=w", "-l"]);
    let page = lines(&page);
    for row in TABLE.iter().filter(|row| [Scope::Relay, Scope::Proxmox, Scope::Vnc].contains(&row.scope)) {
        let default = row.default.map(|default| format!(" The default is {default}.")).unwrap_or_default();
        let meaning = format!("{}{default}", row.meaning);
        let at = |line: &&str| line.starts_with(&format!("{}, ", row.name));
        assert!(page.windows(2).any(|pair| at(&pair[0]) && pair[1] == meaning), "{}: {meaning}", row.name);
    }
    for code in Code::ALL {
        let at = format!("{}, {}", code.name(), code.number());
        assert!(page.windows(2).any(|pair| pair[0] == at && pair[1].ends_with(&format!("{}.", code.hint()))), "{at}");
    }
}
