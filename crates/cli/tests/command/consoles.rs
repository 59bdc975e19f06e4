//! `consolepass open`: what it prints and what it hides.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use super::support::{Folder, PASSWORD, Running, TOKEN_SECRET, consolepass, json};

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

/// A portal's environment may hold both secrets; which one is meant, the account says that was named.
#[test]
fn a_secret_in_the_environment_is_only_used_for_its_own_account() {
    let hypervisor = Running::hypervisor();
    let place = ["--host", hypervisor.says("address"), "--fingerprint", hypervisor.says("fingerprint"), "--json"];
    let open = |account: &[&str]| {
        let mut command = consolepass(&["open", "qemu/101"]);
        command.args(place).args(account).env("CONSOLEPASS_TOKEN_SECRET", TOKEN_SECRET);
        command.env("CONSOLEPASS_PASSWORD", PASSWORD).output().unwrap()
    };

    let token = open(&["--token-id", "portal@pve!console"]);
    let user = open(&["--username", "portal@pve"]);
    let both = open(&["--token-id", "portal@pve!console", "--username", "portal@pve"]);

    assert!(token.status.success() && user.status.success(), "{token:?} {user:?}");
    assert_eq!(both.status.code(), Some(2));
    assert!(json(&both)["error"]["message"].as_str().unwrap().contains("give one account"), "{both:?}");
}

/// With no account named, the one secret that there is names what is missing.
#[test]
fn a_secret_without_its_account_says_which_account_is_missing() {
    for (variable, missing) in [("CONSOLEPASS_TOKEN_SECRET", "token_id"), ("CONSOLEPASS_PASSWORD", "username")] {
        let output =
            consolepass(&["open", "101", "--json", "--host", "pve"]).env(variable, "hunter2").output().unwrap();

        assert_eq!(output.status.code(), Some(2));
        assert!(json(&output)["error"]["message"].as_str().unwrap().contains(missing), "{output:?}");
    }
}

/// Proxmox VE shows a new token as `USER@REALM!TOKENID=SECRET`, and that is what people paste.
#[test]
fn a_token_that_was_pasted_with_its_secret_is_shown_without_it() {
    let pasted = "portal@pve!console=8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a";
    for (option, variable) in [("--token-id", "CONSOLEPASS_TOKEN_SECRET"), ("--username", "CONSOLEPASS_PASSWORD")] {
        let mut command = consolepass(&["open", "101", "--json", "--host", "pve", option, pasted]);

        let output = command.env(variable, "hunter2").output().unwrap();

        let said = json(&output).to_string();
        assert_eq!(output.status.code(), Some(2));
        assert!(said.contains("portal@pve!console=…") && !said.contains("8f2a6c1e"), "{said}");
    }
}

#[test]
fn a_login_ticket_comes_from_the_environment_and_a_token_that_lies_beside_it_is_not_meant() {
    let vectors =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/proxmox-open.json")).unwrap();
    let vectors: Vec<Value> = serde_json::from_str(&vectors).unwrap();
    let name = "a login ticket of another client is used as it came";
    let vector = vectors.iter().find(|vector| vector["name"] == name).unwrap();
    let folder = Folder::new("ticket");
    let mut player =
        Running::start(consolepass(&["emulate", "script", &folder.file("x.json", &vector.to_string()), "--json"]));
    let option = |name: &str| vector["options"][name].as_str().unwrap();
    let place = ["--host", player.says("address"), "--fingerprint", player.says("fingerprint")];
    let mut open = consolepass(&["open", "pve1/qemu/101", "--json", "--username", option("username")]);
    open.args(place).env("CONSOLEPASS_TOKEN_SECRET", TOKEN_SECRET);

    let opened = open
        .env("CONSOLEPASS_LOGIN_TICKET", option("login_ticket"))
        .env("CONSOLEPASS_CSRF_TOKEN", option("csrf_token"))
        .output()
        .unwrap();

    assert_eq!(json(&opened)["machine"], "pve1/qemu/101");
    assert!(player.0.wait().unwrap().success());
}

#[test]
fn a_login_ticket_that_lies_beside_a_token_is_not_meant() {
    let hypervisor = Running::hypervisor();
    let place = ["--host", hypervisor.says("address"), "--fingerprint", hypervisor.says("fingerprint")];
    let mut open = consolepass(&["open", "qemu/101", "--json", "--token-id", "portal@pve!console"]);
    open.args(place).env("CONSOLEPASS_TOKEN_SECRET", TOKEN_SECRET);

    let opened = open.env("CONSOLEPASS_LOGIN_TICKET", "PVE:x").env("CONSOLEPASS_CSRF_TOKEN", "x").output().unwrap();

    assert_eq!(json(&opened)["machine"], "pve1/qemu/101");
}
