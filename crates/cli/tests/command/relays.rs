//! `consolepass pass` and `consolepass relay`, from one file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::support::{Folder, json, run};

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
