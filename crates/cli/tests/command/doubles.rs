//! `consolepass emulate` and `consolepass demo`: what they serve, and what they refuse before anything is started.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use super::support::{Folder, Running, TOKEN_SECRET, consolepass, json, run};

/// `emulate proxmox` with one good guest.
fn emulate(arguments: &[&str]) -> Command {
    let mut command = consolepass(&["emulate", "proxmox", "--json", "--guest", "qemu/101=screen"]);
    command.args(arguments);
    command
}

/// With a port that is taken: whatever is looked at before it is opened cannot be its fault.
#[test]
fn what_cannot_be_emulated_is_named_with_its_value() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let cases = [
        ("user", "portal"),
        ("user", "portal@"),
        ("user", "@pve"),
        ("user", "por tal@pve"),
        ("user", "portal@pve!console"),
        ("token", "portal@pve"),
        ("token", "portal@pve!"),
        ("token", "portal!console"),
        ("token", "portal@pve!con sole"),
        ("node", ""),
        ("node", "pve 1"),
        ("node", "pve1/x"),
        ("node", "-pve"),
        ("guest", ""),
        ("guest", "qemu/102"),
        ("guest", "kvm/102=screen"),
        ("guest", "node/pve1=screen"),
        ("guest", "qemu/abc=screen"),
        ("guest", "qemu/102="),
        ("guest", "qemu/102=unix:"),
        ("guest", "qemu/102=a-host-without-a-port"),
        ("guest", "lxc/101=screen"),
        ("listen", "localhost"),
        ("generation", "2027"),
        ("unauthorized_delay", "soon"),
        ("unauthorized_delay", "-1"),
        ("banner_delay", "inf"),
    ];
    for (name, value) in cases {
        let flag = format!("--{}={value}", name.replace('_', "-"));
        let mut command = emulate(&[&flag]);
        if name != "listen" {
            command.args(["--listen", &listen]);
        }
        command.env("CONSOLEPASS_EMULATE_PASSWORD", "x").env("CONSOLEPASS_EMULATE_TOKEN_SECRET", "x");

        let output = command.output().unwrap();

        assert_eq!(output.status.code(), Some(2), "{flag}: {output:?}");
        let error = &json(&output)["error"];
        assert_eq!(error["code"], "invalid_argument", "{flag}: {error}");
        let named = format!("{name}: {value:?}: ");
        assert!(error["message"].as_str().unwrap().starts_with(&named), "{flag}: {error}");
    }
}

#[test]
fn an_emulated_account_needs_its_secret_in_the_environment() {
    for (account, variable) in [
        (["--user", "portal@pve"], "CONSOLEPASS_EMULATE_PASSWORD"),
        (["--token", "portal@pve!console"], "CONSOLEPASS_EMULATE_TOKEN_SECRET"),
    ] {
        let output = emulate(&account).output().unwrap();

        assert_eq!(output.status.code(), Some(2));
        assert!(json(&output)["error"]["message"].as_str().unwrap().contains(variable), "{output:?}");
    }
}

/// With a port that is taken here as well.
#[test]
fn a_file_that_cannot_be_written_in_the_end_is_named_at_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let folder = Folder::new("unwritable");
    let script = folder.file("vector.json", r#"{"exchanges": []}"#);
    let file = "/nonexistent/folder/file";
    let cases: [(&[&str], &str); 3] = [
        (&["demo", "--json", "--listen", &listen, "--secrets-file", file], "secrets_file"),
        (
            &["emulate", "proxmox", "--json", "--guest", "qemu/101=screen", "--listen", &listen, "--ca-file", file],
            "ca_file",
        ),
        (&["emulate", "script", &script, "--json", "--ca-file", file], "ca_file"),
    ];
    for (arguments, name) in cases {
        let output = consolepass(arguments).output().unwrap();

        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let error = &json(&output)["error"];
        assert_eq!(error["code"], "invalid_argument");
        assert!(error["message"].as_str().unwrap().starts_with(&format!("{name}: {file:?}: ")), "{error}");
    }
}

#[test]
fn a_file_of_an_earlier_run_survives_a_start_that_fails() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let folder = Folder::new("earlier");
    let file = folder.file("ca.pem", "of an earlier run");

    let output = emulate(&["--listen", &listen, "--ca-file", &file]).output().unwrap();

    assert_eq!(json(&output)["error"]["code"], "listen_failed");
    assert!(json(&output)["error"]["message"].as_str().unwrap().contains(&listen));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "of an earlier run");
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

/// A client must find the port even where it is to say nothing, and a silence must last until the client has had enough.
#[test]
fn a_player_that_stays_is_there_until_it_is_told_to_end_and_judges_then() {
    let folder = Folder::new("stay");
    let silent = folder.file("silent.json", r#"{"name": "v", "exchanges": []}"#);
    let request =
        r#"{"name": "v", "exchanges": [{"request": {"path": "/"}, "response": {"status": 200, "text": ""}}]}"#;
    let unfinished = folder.file("unfinished.json", request);
    for (file, follows) in [(silent, true), (unfinished, false)] {
        let mut player = Running::start(consolepass(&["emulate", "script", &file, "--json", "--stay"]));
        for _ in 0..2 {
            TcpStream::connect(player.says("address")).unwrap();
        }
        assert!(Command::new("kill").arg(player.0.id().to_string()).status().unwrap().success());

        assert_eq!(player.0.wait().unwrap().success(), follows);
    }
}

#[test]
fn a_vector_says_at_which_address_it_is_played() {
    let folder = Folder::new("listen");
    let wrong = folder.file("wrong.json", r#"{"name": "v", "listen": "[::1]:80", "exchanges": []}"#);
    let here = folder.file("vector.json", r#"{"name": "v", "listen": "::1", "exchanges": []}"#);

    let refused = run(&["emulate", "script", &wrong, "--json"]);

    assert_eq!(refused.status.code(), Some(2));
    assert!(json(&refused)["error"]["message"].as_str().unwrap().contains("listen"));
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("this machine has no ::1");
        return;
    }
    let player = Running::start(consolepass(&["emulate", "script", &here, "--json"]));
    assert!(player.says("address").starts_with("[::1]:"), "{}", player.says("address"));
}

/// No hypervisor, no QEMU, no guest: an installed package can show itself.
#[test]
fn the_demo_shows_its_own_screen_to_whoever_has_the_link() {
    let demo = Running::start(consolepass(&["demo", "--json"]));
    let (address, link) = (demo.says("relay"), demo.says("viewer_url"));
    let (page, pass) = link.split_once("#pass=").unwrap();
    assert_eq!(page, format!("http://{address}/"));

    let mut browser = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET /ws?pass={pass} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let answers: [(&[u8], &[u8]); 4] = [
        (request.as_bytes(), b"RFB 003.008\n"),
        (b"\x82\x8c\0\0\0\0RFB 003.008\n", b"\x01\x01"),
        (b"\x82\x81\0\0\0\0\x01", b"\0\0\0\0"),
        (b"\x82\x81\0\0\0\0\x01", b"consolepass demo screen"),
    ];
    for (say, hear) in answers {
        browser.write_all(say).unwrap();
        let mut heard = Vec::new();
        while !heard.ends_with(hear) {
            let mut byte = [0];
            browser.read_exact(&mut byte).unwrap_or_else(|_| panic!("the end after {heard:?}"));
            heard.extend(byte);
        }
    }
}
