//! Wrong usage, help, and where arguments may come from.

use std::fs::File;

use super::support::{consolepass, json, run};

#[test]
fn wrong_usage_exits_with_2_and_names_what_is_wrong() {
    let cases: [(&[&str], &str); 7] = [
        (&[], "Usage"),
        (&["opne"], "opne"),
        (&["open"], "MACHINE"),
        (&["open", "qemu/101", "--token-secret", "x"], "--token-secret"),
        (&["open", "kvm/101", "--host", "h"], "pve2/qemu/101"),
        (&["relay", "--config", "/nonexistent.toml"], "/nonexistent.toml"),
        (&["emulate", "proxmox", "--guest", "qemu/101=nowhere"], "qemu/101=nowhere"),
    ];
    for (arguments, named) in cases {
        let output = run(arguments);

        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(named), "{arguments:?}: {said}");
        assert!(!said.contains('\x1b'), "colour without a terminal");
    }
}

#[test]
fn what_is_asked_for_in_vain_says_what_to_give() {
    let token = ["--host", "h", "--token-id", "a@pve!b"];
    let user = ["--host", "h", "--username", "a@pve"];
    let cases: [(&[&str], &[&str], &str, &str); 6] = [
        (&["doctor", "101"], &token, "token_secret", "set $CONSOLEPASS_TOKEN_SECRET, or give --token-secret-file FILE"),
        (&["open", "101"], &user, "password", "set $CONSOLEPASS_PASSWORD, or give --password-file FILE"),
        (&["open", "101", "--backend", "dc1"], &token, "backend", "named option"),
        (&["viewer", "export", ""], &[], "DIR", "named option"),
        (&["viewer", "export", "x", "--relay", "nope"], &[], "relay: \"nope\"", "named option"),
        (
            &["demo", "--guest", "qemu/101=screen"],
            &[],
            "guest: \"qemu/101=screen\": accepted are unix:PATH",
            "named option",
        ),
    ];
    for (arguments, more, named, hint) in cases {
        let output = run(&[arguments, more, &["--json"]].concat());

        let error = &json(&output)["error"];
        assert_eq!(error["code"], "invalid_argument", "{arguments:?}: {error}");
        assert!(error["message"].as_str().unwrap().contains(named), "{error}");
        assert!(error["hint"].as_str().unwrap().contains(hint), "{error}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_a_failure_and_one_that_nobody_reads_is_not() {
    for arguments in [&["man"][..], &["completion", "bash"], &["open", "x/y/z/1", "--json"], &["--help"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = consolepass(arguments).stdout(full).output().unwrap();

        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        // clap prints its help by itself.
        assert!(!output.stderr.is_empty() || arguments == ["--help"], "{arguments:?}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = consolepass(&["man"]).stdout(writer).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn help_of_every_command_exits_with_0_and_has_an_example() {
    for command in [
        &["open"][..],
        &["relay"],
        &["pass"],
        &["doctor"],
        &["viewer"],
        &["viewer", "export"],
        &["emulate"],
        &["emulate", "proxmox"],
        &["emulate", "script"],
        &["demo"],
        &["completion"],
        &["man"],
    ] {
        let output = consolepass(command).arg("--help").output().unwrap();

        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains("Example"), "{command:?}");
    }
}

#[test]
fn wrong_usage_is_json_as_well_where_that_was_asked_for() {
    let cases: [(&[&str], &str); 7] = [
        (&["--json"], "--json"),
        (&["opne", "--json"], "opne"),
        (&["open", "--json"], "MACHINE"),
        (&["open", "--json", "qemu/101", "--nope"], "--nope"),
        (&["pass", "--json", "--backend", "dc1"], "--machine"),
        (&["emulate", "proxmox", "--json"], "--guest"),
        (&["open", "kvm/101", "--host", "h", "--json"], "kvm/101"),
    ];
    for (arguments, named) in cases {
        let output = run(arguments);

        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let error = &json(&output)["error"];
        assert_eq!((error["code"].as_str(), error["number"].as_u64()), (Some("invalid_argument"), Some(1)), "{error}");
        assert!(error["message"].as_str().unwrap().contains(named), "{error}");
        assert!(!error["hint"].as_str().unwrap().is_empty(), "{error}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}

#[test]
fn an_argument_beside_a_file_is_refused_before_the_file_is_read() {
    let cases: [&[&str]; 2] = [
        &["open", "qemu/101", "--config", "/nonexistent.toml", "--host", "pve.example.com"],
        &[
            "pass",
            "--config",
            "/nonexistent.toml",
            "--backend",
            "dc1",
            "--machine",
            "101",
            "--public-url",
            "https://x.example",
        ],
    ];
    for arguments in cases {
        let output = run(arguments);

        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("cannot be used with") && !said.contains("No such file"), "{said}");
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_consolepass");

/// `script` gives its command a terminal.
fn on_a_terminal(command: &str) -> String {
    let mut script = std::process::Command::new("script");
    script.args(["--quiet", "--return", "--command", command, "/dev/null"]);
    let output = script.stdin(std::process::Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn colour_is_for_a_person_at_a_terminal_and_for_nobody_else() {
    let arguments = ["open", "kvm/101", "--host", "pve.example.com"];
    let asked = format!("{PROGRAM} {}", arguments.join(" "));

    let seen = on_a_terminal(&asked);
    let piped = run(&arguments);
    let json = on_a_terminal(&format!("{asked} --json"));

    assert!(seen.contains("\x1b[1;31merror\x1b[0m: "), "{seen:?}");
    let said = String::from_utf8_lossy(&piped.stderr);
    assert!(said.starts_with("error: ") && !said.contains('\x1b'), "{said:?}");
    assert!(!json.contains('\x1b') && json.starts_with('{'), "{json:?}");
}

#[test]
fn what_is_going_on_is_told_to_a_person_at_a_terminal_and_to_nobody_else() {
    // Interrupted as by Ctrl-C, once it has had time to say all of it.
    let demo = |arguments: &str| format!("timeout --signal=INT 2 {PROGRAM} demo {arguments}");
    let piped = std::process::Command::new("sh").args(["-c", &demo("")]).output().unwrap();

    let seen = on_a_terminal(&demo(""));
    let json = on_a_terminal(&demo("--json"));

    let words = "Ctrl-C ends the demo";
    assert!(seen.contains(words) && seen.contains("viewer url"), "{seen:?}");
    assert!(!json.contains(words) && json.contains("viewer_url"), "{json:?}");
    let (out, err) = (String::from_utf8_lossy(&piped.stdout), String::from_utf8_lossy(&piped.stderr));
    assert!(out.contains("viewer url") && !out.contains(words) && err.is_empty(), "{out:?} {err:?}");
}
