//! What a server at the right address may answer all the same: a code each, never a hang, a panic or a secret.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use consolepass::{Code, Console, Error, Kind, Options, Proxmox};
use consolepass_emulator::script;
use serde_json::{Value, json};

const SECRET: &str = "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a";

/// Opens a console against a server that answers the one request for a ticket like this.
async fn open(response: Value, tls: bool) -> consolepass::Result<Console> {
    let form = json!({"websocket": "1", "generate-password": "1"});
    let exchange = json!([{
        "request": {"method": "POST", "path": "/api2/json/nodes/pve1/qemu/101/vncproxy", "form": form},
        "response": response,
    }]);
    let script = script::Script::from_json(&exchange.to_string()).unwrap();
    let options = script::Options { tls, ..script::Options::default() };
    let player = script::Player::start_with(script, options).await.unwrap();
    let options = Options::new()
        .set("host", player.address().to_string())
        .set("token_id", "portal@pve!console")
        .set("token_secret", SECRET)
        .set("timeout", "4");
    let options = match player.fingerprint() {
        Some(fingerprint) => options.set("fingerprint", fingerprint),
        None => options.set("insecure", true),
    };
    Proxmox::new(&options)?.open("pve1/qemu/101", Kind::Vnc).await
}

async fn refused(response: Value) -> Error {
    let error = open(response, true).await.unwrap_err();
    let shown = format!("{error} {error:?} {}", error.hint());
    assert!(!shown.contains("HUNTER2") && !shown.contains(SECRET), "{shown}");
    error
}

fn ticket(data: &Value) -> Value {
    json!({"status": 200, "json": {"data": data}})
}

#[tokio::test]
async fn a_good_answer_is_taken_whatever_the_type_of_its_port() {
    for port in [json!("5900"), json!(5900)] {
        let data =
            json!({"port": port, "ticket": "PVEVNC:6B0269DE::abc==", "upid": "UPID:pve1:1:2:3:vncproxy:101:a@b:"});

        let console = open(ticket(&data), true).await.unwrap();

        assert!(console.websocket_url().unwrap().contains("?port=5900&vncticket=PVEVNC%3A6B0269DE%3A%3Aabc%3D%3D"));
    }
}

#[tokio::test]
async fn answers_that_are_no_ticket_are_protocol_errors() {
    let long = format!("HUNTER2{}", "x".repeat(593));
    for (response, words) in [
        (json!({"status": 200, "text": "<html>HUNTER2</html>"}), "is no JSON"),
        (json!({"status": 200, "text": ""}), "is no JSON"),
        (ticket(&json!(null)), "has no ticket"),
        (ticket(&json!({"port": "5900"})), "has no ticket"),
        (ticket(&json!({"port": "5900", "ticket": long})), "600 characters"),
        (ticket(&json!({"port": "22", "ticket": "HUNTER2"})), "5900 to 5999"),
        (ticket(&json!({"port": "6000", "ticket": "HUNTER2"})), "5900 to 5999"),
        (ticket(&json!({"ticket": "HUNTER2"})), "has no port"),
        (json!({"status": 301, "headers": {"location": "https://elsewhere.example/?HUNTER2"}, "text": ""}), "redirect"),
        (json!({"status": 404, "text": "HUNTER2"}), "404"),
        (json!({"raw": "SSH-2.0-OpenSSH_9.2\r\n"}), "no HTTP"),
        (json!({"status": 200, "endless": true}), "longer than"),
    ] {
        let error = refused(response.clone()).await;

        // What is slower than the limit is long is a timeout instead; both end it.
        let endless = response.get("endless").is_some() && error.code() == Code::Timeout;
        assert!(endless || error.code() == Code::Protocol, "{response}: {error}");
        assert!(endless || error.to_string().contains(words), "{response}: {error}");
    }
}

#[tokio::test]
async fn silence_ends_in_time_and_a_close_at_once() {
    let start = Instant::now();

    let silence = refused(json!({"hang": true})).await;
    let close = refused(json!({"close": true})).await;

    assert_eq!(silence.code(), Code::Timeout);
    assert_eq!(close.code(), Code::Unreachable);
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn plain_http_on_the_port_is_told() {
    let error = open(ticket(&json!({})), false).await.unwrap_err();

    // The player closes; servers that answer the first bytes of TLS in plain HTTP are told as such.
    assert_eq!(error.code(), Code::Protocol, "{error}");
    assert!(error.to_string().contains("before TLS was up"), "{error}");
    assert!(error.hint().contains("HTTPS"), "{}", error.hint());
}
