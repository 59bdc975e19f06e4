//! Logging in, and every way to fail at it (observed on PVE 8.4 and 9.2).

use consolepass_emulator::proxmox::Generation;
use serde_json::Value;

use crate::support::login::{LOGIN, log_in, logged_in, people};
use crate::support::{Client, encoded, quick, started};

#[tokio::test]
async fn a_login_gives_a_ticket_of_the_real_shape_and_no_cookie() {
    let emulator = started(quick()).await;

    let answer = log_in(&emulator, "username=portal@pve&password=portal-password").await;

    let data = answer.data();
    let ticket = data["ticket"].as_str().unwrap();
    let (head, signature) = ticket.split_once("::").unwrap();
    assert!(head.starts_with("PVE:portal@pve:") && head.len() == "PVE:portal@pve:".len() + 8, "{head}");
    assert!(signature.len() == 344 && signature.ends_with("=="), "{signature}");
    let (stamp, digest) = data["CSRFPreventionToken"].as_str().unwrap().split_once(':').unwrap();
    assert_eq!((stamp.len(), digest.len()), (8, 43));
    assert_eq!(data["username"], "portal@pve");
    assert!(data["cap"].is_object());
    assert!(answer.all("Set-Cookie").is_empty());
}

#[tokio::test]
async fn the_realm_may_stand_apart_and_the_body_may_be_json() {
    let emulator = started(quick()).await;
    let json = r#"{"username":"portal","realm":"pve","password":"portal-password"}"#;
    let mut client = Client::to(&emulator).await;

    let form = log_in(&emulator, "username=portal&realm=pve&password=portal-password").await;
    client
        .send(crate::support::request("POST", LOGIN, &[("Content-Type", "application/json; charset=utf-8")], json))
        .await;

    assert_eq!(form.data()["username"], "portal@pve");
    assert_eq!(client.answer().await.data()["username"], "portal@pve");
}

#[tokio::test]
async fn every_wrong_login_is_the_same_401() {
    let emulator = started(people(Generation::Hardened)).await;

    for form in [
        "username=portal@pve&password=wrong",
        "username=nobody@pve&password=secret",
        "username=off@pve&password=secret",
        "username=old@pve&password=secret",
        "username=portal@nowhere&password=portal-password",
        "username=portal&password=portal-password",
        "username=portal@pve&password=portal+password",
    ] {
        let answer = log_in(&emulator, form).await;
        assert_eq!(answer.status_line, "HTTP/1.1 401 authentication failure", "{form}");
        assert_eq!(answer.json(), serde_json::json!({ "data": null, "message": "authentication failure\n" }));
    }
}

#[tokio::test]
async fn a_missing_or_strange_parameter_is_named() {
    let emulator = started(quick()).await;

    let answer = log_in(&emulator, "username=portal@pve&passwort=x").await;

    assert_eq!(answer.status_line, "HTTP/1.1 400 Parameter verification failed.");
    let body = answer.json();
    assert_eq!(body["errors"]["password"], "property is missing and it is not optional");
    assert_eq!(
        body["errors"]["passwort"],
        "property is not defined in schema and the schema does not allow additional properties"
    );
    assert_eq!(body["message"], "Parameter verification failed.\n");
}

#[tokio::test]
async fn getting_the_ticket_path_is_a_dummy_that_needs_nobody() {
    let emulator = started(quick()).await;

    let answer = Client::to(&emulator).await.get(LOGIN, &[]).await;

    assert_eq!(answer.data(), Value::Null);
}

#[tokio::test]
async fn a_ticket_renews_itself() {
    let emulator = started(quick()).await;
    let first = logged_in(&emulator).await;

    let answer = log_in(&emulator, &format!("username=portal@pve&password={}", encoded(&first.ticket))).await;

    assert!(answer.data()["ticket"].as_str().unwrap().starts_with("PVE:portal@pve:"));
}

#[tokio::test]
async fn a_second_factor_makes_half_a_ticket_that_only_the_factor_completes() {
    let emulator = started(people(Generation::Hardened)).await;

    let half = log_in(&emulator, "username=two@pve&password=secret").await.data();
    let ticket = half["ticket"].as_str().unwrap();
    let cookie = format!("PVEAuthCookie={}", encoded(ticket));
    let used = Client::to(&emulator).await.get("/api2/json/version", &[("Cookie", &cookie)]).await;
    let answer = |code: &str| format!("username=two@pve&password={code}&tfa-challenge={}", encoded(ticket));
    let wrong = log_in(&emulator, &answer("totp:000000")).await;
    let whole = log_in(&emulator, &answer("totp:123456")).await.data();

    assert_eq!(half["NeedTFA"], 1);
    assert!(ticket.starts_with(r#"PVE:!tfa!{"totp"%3Atrue,"#), "{ticket}");
    assert!(half.get("cap").is_none());
    assert_eq!(used.status_line, "HTTP/1.1 401 Authentication failed!");
    assert_eq!(wrong.status_line, "HTTP/1.1 401 authentication failure");
    assert!(whole["ticket"].as_str().unwrap().starts_with("PVE:two@pve:"));
    assert!(whole.get("NeedTFA").is_none());
}
