//! The command as a program: what it prints, and how it exits.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

mod doctor;
mod support;
mod viewer;

use self::support::{Folder, Running, TOKEN_SECRET, consolepass, json, run};

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
fn help_of_every_command_exits_with_0_and_has_an_example() {
    for command in [
        &["open"][..],
        &["relay"],
        &["pass"],
        &["doctor"],
        &["emulate"],
        &["emulate", "proxmox"],
        &["emulate", "script"],
        &["demo"],
    ] {
        let output = consolepass(command).arg("--help").output().unwrap();

        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains("Example"), "{command:?}");
    }
}

#[test]
fn a_console_is_opened_and_its_secrets_are_shown_only_when_asked_for() {
    let hypervisor = Running::hypervisor();

    let hidden = json(&hypervisor.open(TOKEN_SECRET, &[]));
    let shown = json(&hypervisor.open(TOKEN_SECRET, &["--show-secrets"]));

    assert_eq!(hidden["machine"], "pve1/qemu/101");
    assert!(!hidden.to_string().contains("PVEVNC") && !hidden.to_string().contains(TOKEN_SECRET), "{hidden}");
    assert!(shown["websocket_url"].as_str().unwrap().contains("PVEVNC"), "{shown}");
    assert_eq!(shown["password"].as_str().unwrap().len(), 8);
}

#[test]
fn a_link_of_the_hypervisors_own_page_is_printed_and_another_page_must_be_wanted() {
    let hypervisor = Running::hypervisor();
    let own = format!("https://{}/novnc/vnc.html", hypervisor.says("address"));

    let link = json(&hypervisor.open(TOKEN_SECRET, &["--show-secrets", "--novnc", &own, "--page-version", "1.3"]));
    let foreign = hypervisor.open(TOKEN_SECRET, &["--novnc", "https://elsewhere.example/vnc.html"]);

    let url = link["novnc_url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{own}#autoconnect=1&host=127.0.0.1")), "{url}");
    assert_eq!(foreign.status.code(), Some(2));
    assert!(json(&foreign)["error"]["hint"].as_str().unwrap().contains("foreign_origin"));
}

#[test]
fn a_failure_exits_with_1_and_says_what_to_do() {
    let hypervisor = Running::hypervisor();

    let output = hypervisor.open("11111111-2222-3333-4444-555555555555", &[]);

    assert_eq!(output.status.code(), Some(1));
    let error = &json(&output)["error"];
    assert_eq!((error["code"].as_str(), error["number"].as_u64()), (Some("auth_failed"), Some(2)));
    assert_eq!(error["http_status"], 401);
    assert!(error["hint"].as_str().unwrap().len() > 20);
}

#[test]
fn a_secret_may_come_from_a_file_or_from_standard_input() {
    let hypervisor = Running::hypervisor();
    let folder = Folder::new("secret");
    let file = folder.file("secret", &format!("{TOKEN_SECRET}\n"));

    let from_file = hypervisor.open("", &["--token-secret-file", &file]);
    let place = ["--host", hypervisor.says("address"), "--fingerprint", hypervisor.says("fingerprint")];
    let mut command =
        consolepass(&["open", "qemu/101", "--token-id", "portal@pve!console", "--token-secret-file", "-"]);
    let mut child = command.args(place).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(TOKEN_SECRET.as_bytes()).unwrap();

    assert!(from_file.status.success(), "{from_file:?}");
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test]
fn a_pass_is_issued_from_the_relays_file_without_its_backends_secrets() {
    let folder = Folder::new("pass");
    let key = folder.path("pass.jwk");
    let config = folder.file(
        "consolepass.toml",
        &format!(
            "[relay]\npublic_url = \"https://portal.example.com/console\"\npass_key_file = \"{key}\"\n\
             [backend.dc1]\ntype = \"proxmox\"\nhost = \"pve.example.com\"\ntoken_id = \"a@pve!b\"\ntoken_secret_env = \"NOT_SET_HERE\"\n"
        ),
    );
    let issue =
        |backend: &str| run(&["pass", "--config", &config, "--backend", backend, "--machine", "qemu/101", "--json"]);

    assert!(run(&["pass", "--new-key", &key]).status.success());
    let again = run(&["pass", "--new-key", &key]);
    let pass = json(&issue("dc1"));

    assert_eq!(again.status.code(), Some(2), "an existing key is never overwritten");
    assert!(pass["viewer_url"].as_str().unwrap().starts_with("https://portal.example.com/console/#pass="));
    assert!(pass["url"].as_str().unwrap().starts_with("wss://portal.example.com/console/ws?pass="));
    assert!(json(&issue("dc2"))["error"]["message"].as_str().unwrap().contains("dc1"));
    let output = run(&["relay", "--config", &config]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("NOT_SET_HERE"));
}

#[test]
fn a_pair_of_keys_is_written_with_the_private_half_for_its_owner_alone() {
    let folder = Folder::new("pair");
    let (private, public) = (folder.path("pass.jwk"), folder.path("pass.pub.jwk"));
    let issue = |key: &str| {
        let place = ["--public-url", "https://portal.example.com", "--pass-key-file", key];
        let what = ["pass", "--backend", "dc1", "--machine", "qemu/101", "--json"];
        run(&[&what[..], &place[..]].concat())
    };

    let written = json(&run(&["pass", "--new-key", &private, "--public-key", &public, "--json"]));

    assert_eq!(
        (written["pass_key_file"].as_str(), written["public_key_file"].as_str()),
        (Some(&*private), Some(&*public))
    );
    let mode = |path: &str| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&private), mode(&public) & 0o022), (0o600, 0));
    assert!(issue(&private).status.success());
    let refused = json(&issue(&public));
    assert!(refused["error"]["message"].as_str().unwrap().contains("public half"), "{refused}");
    let other = folder.path("other.jwk");
    let again = run(&["pass", "--new-key", &other, "--public-key", &public]);
    assert_eq!(again.status.code(), Some(2), "an existing key is never overwritten");
    assert!(!fs::exists(&other).unwrap(), "and no half is left behind");
    assert_eq!(run(&["pass", "--public-key", &other]).status.code(), Some(2));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = Folder::new("taken");
    let config = folder.file(
        "consolepass.toml",
        &format!(
            "[relay]\nlisten = \"{address}\"\npublic_url = \"https://portal.example.com\"\n\
             [backend.desk]\ntype = \"vnc\"\nhost = \"127.0.0.1:5900\"\n"
        ),
    );

    let output = run(&["relay", "--config", &config, "--json"]);

    assert_eq!(output.status.code(), Some(1));
    let error = &json(&output)["error"];
    assert_eq!(error["code"], "listen_failed");
    assert!(error["message"].as_str().unwrap().contains(&address));
}

#[test]
fn a_vector_says_at_which_address_it_is_played() {
    let folder = Folder::new("listen");
    let wrong = folder.file("wrong.json", r#"{"name": "v", "listen": "[::1]:80", "exchanges": []}"#);
    let here = folder.file("vector.json", r#"{"name": "v", "listen": "::1", "exchanges": []}"#);

    let refused = run(&["emulate", "script", &wrong, "--json"]);

    assert_eq!(refused.status.code(), Some(2));
    assert!(json(&refused)["error"]["message"].as_str().unwrap().contains("listen"));
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        eprintln!("this machine has no ::1");
        return;
    }
    let player = Running::start(consolepass(&["emulate", "script", &here, "--json"]));
    assert!(player.says("address").starts_with("[::1]:"), "{}", player.says("address"));
}

#[test]
fn a_vector_is_played_to_whoever_follows_it_and_to_nobody_else() {
    let folder = Folder::new("script");
    let vector = r#"{"name": "v", "exchanges": [{"request": {"method": "POST",
        "path": "/api2/json/nodes/pve1/qemu/101/vncproxy"}, "response": {"status": 403, "reason": "no", "text": ""}}]}"#;
    let file = folder.file("vector.json", vector);
    for (machine, follows) in [("pve1/qemu/101", true), ("pve1/qemu/102", false)] {
        let mut player = Running::start(consolepass(&["emulate", "script", &file, "--json"]));
        let place = ["--host", player.says("address"), "--fingerprint", player.says("fingerprint")];
        let mut open = consolepass(&["open", machine, "--token-id", "portal@pve!console"]);
        open.args(place).env("CONSOLEPASS_TOKEN_SECRET", TOKEN_SECRET).output().unwrap();

        assert_eq!(player.0.wait().unwrap().success(), follows, "{machine}");
    }
}
