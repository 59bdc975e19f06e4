//! Opening consoles through the public interface, against the emulator: what is refused, and why.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use consolepass::{Code, Console, Error, Kind, Options, Proxmox};
use consolepass_emulator::proxmox::{Account, Emulator, Grant, Settings, Timing, Token, User};

const TOKEN: &str = "portal@pve!console";
const SECRET: &str = "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a";

async fn start(change: impl FnOnce(&mut Settings)) -> Emulator {
    let mut settings = Settings {
        timing: Timing { unauthorized_delay: Duration::from_millis(20), ..Timing::default() },
        ..Settings::default()
    };
    change(&mut settings);
    Emulator::start(settings).await.unwrap()
}

fn token(emulator: &Emulator, id: &str, secret: &str) -> Options {
    Options::new()
        .set("host", emulator.address().to_string())
        .set("fingerprint", emulator.fingerprint())
        .set("token_id", id)
        .set("token_secret", secret)
}

fn user(emulator: &Emulator, name: &str, password: &str) -> Options {
    Options::new()
        .set("host", emulator.address().to_string())
        .set("fingerprint", emulator.fingerprint())
        .set("username", name)
        .set("password", password)
}

async fn open(options: &Options, machine: &str) -> consolepass::Result<Console> {
    Proxmox::new(options)?.open(machine, Kind::Vnc).await
}

/// Opens what must be refused, and looks for secrets in the refusal.
async fn refused(emulator: &Emulator, options: &Options, machine: &str) -> Error {
    let error = open(options, machine).await.unwrap_err();
    let shown = format!("{error} {error:?} {}", error.hint());
    let secrets = emulator.secrets();
    for secret in secrets.iter().map(String::as_str).chain([SECRET, "hunter2"]) {
        assert!(!shown.contains(secret), "{shown}");
    }
    error
}

#[tokio::test]
async fn one_call_asks_for_one_ticket_and_says_websocket() {
    let emulator = start(|_| ()).await;

    let console = open(&token(&emulator, TOKEN, SECRET), "pve1/qemu/101").await.unwrap();

    let calls = emulator.requests();
    assert_eq!(calls.len(), 1);
    let body = String::from_utf8(calls[0].body.clone()).unwrap();
    assert!(body.split('&').any(|pair| pair == "websocket=1"), "{body}");
    assert_eq!(console.address(), Some(emulator.address()));
    assert_eq!(console.machine().to_string(), "pve1/qemu/101");
}

#[tokio::test]
async fn the_node_is_found_by_number() {
    let emulator = start(|settings| {
        settings.nodes.push("pve2".to_owned());
        settings.guests[1].node = "pve2".to_owned();
    })
    .await;

    let console = open(&token(&emulator, TOKEN, SECRET), "200").await.unwrap();

    assert_eq!(console.machine().to_string(), "pve2/lxc/200");
}

#[tokio::test]
async fn accounts_that_are_not_good_fail_to_authenticate() {
    let emulator = start(|settings| {
        settings.tokens.push(Token { expired: true, ..Token::new("portal@pve!old", SECRET) });
        settings.users.push(User { account: Account::Disabled, ..User::new("gone@pve", "hunter2") });
    })
    .await;
    for options in [
        token(&emulator, TOKEN, "00000000-0000-0000-0000-000000000000"),
        token(&emulator, "portal@pve!nobody", SECRET),
        token(&emulator, "portal@pve!old", SECRET),
        user(&emulator, "portal@pve", "wrong"),
        user(&emulator, "nobody@pve", "hunter2"),
        user(&emulator, "gone@pve", "hunter2"),
        user(&emulator, "portal@nowhere", "portal-password"),
    ] {
        let error = refused(&emulator, &options, "pve1/qemu/101").await;

        assert_eq!(error.code(), Code::AuthFailed, "{error}");
        assert_eq!(error.http_status(), Some(401), "{error}");
    }
}

#[tokio::test]
async fn a_second_factor_is_told() {
    let emulator = start(|settings| {
        settings
            .users
            .push(User { second_factor: Some("totp:123456".to_owned()), ..User::new("careful@pve", "hunter2") });
    })
    .await;

    let options = user(&emulator, "careful@pve", "hunter2");
    let error = refused(&emulator, &options, "pve1/qemu/101").await;

    assert_eq!(error.code(), Code::TfaRequired);
    assert_eq!(emulator.record().count("POST", "/vncproxy"), 0);
}

#[tokio::test]
async fn a_missing_right_names_privilege_and_path() {
    let emulator = start(|settings| {
        settings.grants = vec![
            Grant::new("/vms", "portal@pve", &["VM.Console", "VM.Audit"]),
            Grant::new("/vms", TOKEN, &["VM.Audit"]),
        ];
    })
    .await;

    let error = refused(&emulator, &token(&emulator, TOKEN, SECRET), "qemu/101").await;
    let owner = open(&user(&emulator, "portal@pve", "portal-password"), "qemu/101").await;

    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(error.hint().contains("VM.Console on /vms/101"), "{}", error.hint());
    assert!(owner.is_ok());
}

#[tokio::test]
async fn without_the_right_to_look_the_hint_is_vm_audit_and_the_node_helps() {
    let emulator = start(|settings| {
        settings.grants =
            vec![Grant::new("/vms", "portal@pve", &["VM.Console"]), Grant::new("/vms", TOKEN, &["VM.Console"])];
    })
    .await;
    let options = token(&emulator, TOKEN, SECRET);

    let error = refused(&emulator, &options, "qemu/101").await;
    let with_node = open(&options, "pve1/qemu/101").await;

    assert_eq!(error.code(), Code::MachineNotFound);
    assert!(error.hint().contains("VM.Audit"), "{}", error.hint());
    assert!(with_node.is_ok());
}

#[tokio::test]
async fn a_machine_that_is_not_where_it_is_said_to_be_is_not_found() {
    let emulator = start(|settings| settings.nodes.push("pve2".to_owned())).await;
    let options = token(&emulator, TOKEN, SECRET);
    for machine in ["pve2/qemu/101", "pve1/qemu/999", "qemu/999", "999", "lxc/101", "pve1/lxc/101", "pve9/qemu/101"] {
        let error = refused(&emulator, &options, machine).await;

        assert_eq!(error.code(), Code::MachineNotFound, "{machine}: {error}");
    }
}

#[tokio::test]
async fn a_node_that_is_down_behind_the_api_is_unreachable() {
    let down = Some((595, "No route to host".to_owned()));
    let emulator = start(|settings| settings.faults.next_answer = down).await;

    let error = refused(&emulator, &token(&emulator, TOKEN, SECRET), "pve1/qemu/101").await;

    assert_eq!(error.code(), Code::Unreachable);
    assert_eq!(error.http_status(), Some(595));
}

/// pveproxy closes an idle connection after five seconds; a question that is sent at that moment is lost.
#[tokio::test]
async fn a_connection_is_used_again_at_once_and_never_when_the_server_may_be_closing_it() {
    let emulator = start(|_| ()).await;
    let proxmox = Proxmox::new(&token(&emulator, TOKEN, SECRET)).unwrap();
    let ask = async || proxmox.open("qemu/999", Kind::Vnc).await.unwrap_err();

    ask().await;
    ask().await;
    // What is tested is time itself.
    tokio::time::sleep(Duration::from_millis(4_200)).await;
    ask().await;

    let connections: Vec<u64> = emulator.requests().iter().map(|call| call.connection).collect();
    assert_eq!(connections, [1, 1, 2]);
}
