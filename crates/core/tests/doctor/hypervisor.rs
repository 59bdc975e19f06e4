//! What the hypervisor says no to.

use consolepass::Code;
use consolepass::doctor::{Report, Step};
use consolepass_emulator::proxmox::{Grant, ScreenSource};
use consolepass_emulator::rfb::Address;
use consolepass_emulator::script::{Player, Script};
use serde_json::{Value, json};

use super::{TOKEN, assert_fails_at, examine, of, outcomes, shown, start, token_at, with_password, with_token};

#[tokio::test]
async fn an_account_that_is_not_let_in_fails_at_the_login() {
    let emulator = start(|settings| {
        settings.users[0].second_factor = Some("totp:123456".to_owned());
        settings.tokens[0].expired = true;
    })
    .await;
    let other = "11111111-2222-3333-4444-555555555555";

    let cases = [
        (with_token(&emulator).set("token_secret", other), Code::AuthFailed, "token_secret"),
        (with_password(&emulator).set("password", other), Code::AuthFailed, "username"),
        (with_token(&emulator), Code::AuthFailed, "expired"),
        (with_password(&emulator), Code::TfaRequired, "API token"),
    ];
    for (options, code, cure) in cases {
        let report = examine(&options, "qemu/101").await;

        assert_fails_at(&report, Step::Login, code);
        assert!(report.error().unwrap().hint().contains(cure), "{}", report.error().unwrap().hint());
        assert!(of(&report, Step::Login).facts.is_empty());
    }
}

#[tokio::test]
async fn a_missing_permission_is_found_before_a_ticket_is_asked_for() {
    let emulator = start(|settings| settings.grants[1].privileges = vec!["VM.Audit".to_owned()]).await;

    let report = examine(&with_token(&emulator), "qemu/101").await;

    assert_fails_at(&report, Step::Permission, Code::PermissionDenied);
    assert_eq!(of(&report, Step::Permission).facts[1], "portal@pve!console has VM.Audit on /vms/101");
    let hint = report.error().unwrap().hint();
    assert!(hint.contains("VM.Console on /vms/101") && hint.contains("privilege-separated"), "{hint}");
    assert_eq!(emulator.record().count("POST", "/vncproxy"), 0);
}

#[tokio::test]
async fn an_account_without_any_privilege_is_told_apart_from_a_machine_that_is_not_there() {
    let emulator = start(|settings| {
        settings.grants.retain(|grant| grant.to != TOKEN);
        settings.grants.push(Grant::new("/vms/200", TOKEN, &["VM.Console", "VM.Audit"]));
    })
    .await;

    let not_granted = examine(&with_token(&emulator), "qemu/101").await;
    let not_granted_on_node = examine(&with_token(&emulator), "pve1/qemu/101").await;
    let not_there = examine(&with_password(&emulator), "qemu/999").await;
    let of_other_type = examine(&with_password(&emulator), "lxc/101").await;

    assert_fails_at(&not_granted, Step::Permission, Code::MachineNotFound);
    assert_eq!(of(&not_granted, Step::Permission).facts, ["portal@pve!console has no privilege on /vms/101"]);
    assert!(not_granted.error().unwrap().hint().contains("grant the account VM.Audit"));
    assert_fails_at(&not_granted_on_node, Step::Permission, Code::PermissionDenied);
    assert_fails_at(&not_there, Step::Permission, Code::MachineNotFound);
    assert!(not_there.error().unwrap().hint().starts_with("check the number"));
    assert_fails_at(&of_other_type, Step::Permission, Code::MachineNotFound);
    assert!(of_other_type.error().unwrap().hint().contains("qemu/101"));
}

#[tokio::test]
async fn a_machine_that_is_not_on_the_given_node_fails_at_the_ticket() {
    let emulator = start(|_| ()).await;

    let report = examine(&with_token(&emulator), "pve2/qemu/101").await;

    assert_fails_at(&report, Step::Ticket, Code::MachineNotFound);
    assert_eq!(of(&report, Step::Permission).facts[0], "pve2 is given as its node");
}

#[tokio::test]
async fn a_stopped_machine_and_one_without_a_display_fail_at_the_screen() {
    let emulator = start(|settings| {
        settings.guests[0].screen = ScreenSource::Address(Address::Unix("/nonexistent/qemu-server/101.vnc".into()));
        settings.guests[1].running = false;
    })
    .await;

    let no_display = examine(&with_token(&emulator), "qemu/101").await;
    let stopped = examine(&with_token(&emulator), "lxc/200").await;

    assert_fails_at(&no_display, Step::Screen, Code::NoConsole);
    assert_fails_at(&stopped, Step::Screen, Code::MachineNotRunning);
    for report in [&no_display, &stopped] {
        assert!(emulator.secrets().iter().all(|secret| !shown(report).contains(secret)), "{report:?}");
    }
}

#[tokio::test]
async fn what_passes_is_taken_once_more_from_the_ticket_on() {
    let at_ticket = start(|settings| settings.faults.worker_failures = 1).await;
    let at_screen = start(|settings| settings.faults.overwritten_passwords = 1).await;
    let for_good = start(|settings| settings.faults.worker_failures = 9).await;

    let again_at_ticket = examine(&with_token(&at_ticket), "qemu/101").await;
    let again_at_screen = examine(&with_token(&at_screen), "qemu/101").await;
    let twice = examine(&with_token(&for_good), "qemu/101").await;

    assert!(again_at_ticket.error().is_none() && again_at_screen.error().is_none());
    let behind = |report: &Report| outcomes(report)[5..].to_vec();
    let fine = [("ticket", "ok"), ("upgrade", "ok"), ("screen", "ok")];
    let failed = ("ticket", "failed");
    assert_eq!(behind(&again_at_ticket), [&[failed][..], &fine].concat());
    assert_eq!(
        behind(&again_at_screen),
        [&[("ticket", "ok"), ("upgrade", "ok"), ("screen", "failed")][..], &fine].concat()
    );
    assert_eq!(behind(&twice), [failed, failed, ("upgrade", "not_reached"), ("screen", "not_reached")]);
    assert_eq!(twice.error().unwrap().code(), Code::TicketRefused);
}

/// One exchange of a script.
fn exchange(method: &str, path: &str, response: &Value) -> Value {
    json!({ "request": { "method": method, "path": format!("/api2/json{path}") }, "response": response })
}

fn ok(data: &Value) -> Value {
    json!({ "status": 200, "json": { "data": data } })
}

/// What the doctor makes of a server that follows this script to its end.
async fn played(exchanges: &Value) -> Report {
    let player = Player::start(Script::from_json(&exchanges.to_string()).unwrap()).await.unwrap();

    let report = examine(&token_at(player.address(), player.fingerprint().unwrap()), "pve1/qemu/101").await;

    player.finish().await.unwrap();
    report
}

const VNCPROXY: &str = "/nodes/pve1/qemu/101/vncproxy";

#[tokio::test]
async fn a_locked_machine_and_a_node_that_is_down_fail_at_the_ticket() {
    for (status, words, code, cure) in [
        (500, "VM is locked (backup)", Code::TicketRefused, "locked by a task"),
        (595, "No route to host", Code::Unreachable, "pvedaemon"),
        (403, "Permission check failed (/vms/101, VM.Console)", Code::PermissionDenied, "VM.Console on /vms/101"),
    ] {
        let refusal =
            json!({ "status": status, "reason": words, "json": { "data": null, "message": format!("{words}\n") } });

        let report = played(&json!([
            exchange("GET", "/version", &ok(&json!({ "version": "9.2.11" }))),
            // Granted without being passed on to what lies below.
            exchange("GET", "/access/permissions", &ok(&json!({ "/vms/101": { "VM.Console": 0 } }))),
            exchange("POST", VNCPROXY, &refusal),
        ]))
        .await;

        assert_fails_at(&report, Step::Ticket, code);
        assert!(report.error().unwrap().hint().contains(cure), "{}", report.error().unwrap().hint());
    }
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_a_warning_and_the_ticket_tells() {
    let report = played(&json!([
        exchange("GET", "/version", &json!({ "status": 403, "reason": "Forbidden", "text": "by the reverse proxy" })),
        exchange("GET", "/access/permissions", &ok(&json!([]))),
        exchange("POST", VNCPROXY, &json!({ "status": 501, "reason": "no", "text": "" })),
    ]))
    .await;

    assert_fails_at(&report, Step::Ticket, Code::Protocol);
    assert!(of(&report, Step::Login).warnings[0].contains("HTTP 403"));
    assert!(of(&report, Step::Permission).warnings[0].contains("the ticket will tell"));
}

#[tokio::test]
async fn a_server_that_is_no_hypervisor_fails_at_the_login() {
    let page = json!({ "status": 200, "text": "<html>welcome</html>" });

    let report = played(&json!([exchange("GET", "/version", &page)])).await;

    assert_fails_at(&report, Step::Login, Code::Protocol);
    assert!(report.error().unwrap().to_string().contains("is no JSON"));
}
