use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Waker};

use super::*;

#[tokio::test]
async fn a_token_and_a_node_need_one_call() {
    let server = server(|_| None).await;

    let console = open(&with_token(&server), "pve1/qemu/101").await.unwrap();

    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].line, format!("POST {PROXY} HTTP/1.1"));
    assert_eq!(seen[0].header("authorization"), ["PVEAPIToken=a@pve!t=HUNTER2"]);
    assert!(seen[0].header("cookie").is_empty() && seen[0].header("csrfpreventiontoken").is_empty());
    assert_eq!(
        console.websocket_url().unwrap(),
        format!(
            "wss://{}/api2/json/nodes/pve1/qemu/101/vncwebsocket?port=5900&vncticket=a%3Bb%3Ac%3Dd%2B%3APVEVNC%3AHUNTER2%3D%3D",
            server.address
        )
    );
    assert_eq!(console.headers(), [("authorization", "PVEAPIToken=a@pve!t=HUNTER2")]);
    assert_eq!(console.password(), Some("a;b:c=d+"));
    assert_eq!(console.address(), Some(server.address));
    assert_eq!(console.machine().to_string(), "pve1/qemu/101");
    let left = console.expires_at().duration_since(SystemTime::now()).unwrap();
    assert!(left <= LISTENER_LIFE && left > LISTENER_LIFE / 2, "{left:?}");
}

#[tokio::test]
async fn the_console_goes_to_the_address_that_answered_under_the_name_that_was_given() {
    let server = server(|_| None).await;
    let host = format!("localhost:{}", server.address.port());

    let console = open(&with_token(&server).set("host", &*host), "pve1/qemu/101").await.unwrap();

    assert!(console.websocket_url().unwrap().starts_with(&format!("wss://{host}/")));
    assert_eq!(console.address(), Some(server.address));
}

#[tokio::test]
async fn the_node_is_looked_up_when_it_is_not_given() {
    let guests = r#"{"data":[{"type":"lxc","vmid":200,"node":"pve2"},{"type":"qemu","vmid":101,"node":"pve1"}]}"#;
    let answer = move |request: &Seen| (path(request) == GUESTS).then(|| ok(guests));
    for (machine, found) in
        [("101", "pve1/qemu/101"), ("qemu/101", "pve1/qemu/101"), ("200", "pve2/lxc/200"), ("lxc/200", "pve2/lxc/200")]
    {
        let server = server(answer).await;

        let console = open(&with_token(&server), machine).await.unwrap();

        assert_eq!(console.machine().to_string(), found);
        assert_eq!(paths(&server), [GUESTS.to_owned(), format!("/api2/json/nodes/{found}/vncproxy")]);
    }
}

#[tokio::test]
async fn a_machine_that_is_not_listed_is_not_found_and_the_hint_fits() {
    let some = r#"{"data":[{"type":"lxc","vmid":200,"node":"pve2"}]}"#;
    let none = r#"{"data":[]}"#;
    for (machine, guests, words, hint) in [
        ("101", some, "among the 1 guests", "/vms/101"),
        ("qemu/101", none, "among the 0 guests", "VM.Audit on /vms/101"),
        ("qemu/200", some, "200 is lxc/200", "spell it lxc/200"),
    ] {
        let server = server(move |_| Some(ok(guests))).await;

        let error = open(&with_token(&server), machine).await.unwrap_err();

        assert_eq!(error.code(), Code::MachineNotFound, "{error}");
        assert!(error.to_string().contains(words) && error.hint().contains(hint), "{error}: {}", error.hint());
        assert_eq!(paths(&server), [GUESTS]);
    }
}

#[tokio::test]
async fn what_is_no_guest_is_refused_without_a_call() {
    let server = server(|_| None).await;

    let name = open(&with_token(&server), "web-1").await.unwrap_err();
    let node = open(&with_token(&server), "node/pve1").await.unwrap_err();

    assert_eq!(name.code(), Code::InvalidArgument);
    assert_eq!(node.code(), Code::Unsupported);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn websocket_is_always_said_and_a_password_of_its_own_is_asked_for_screens_only() {
    let server = server(|_| None).await;
    let proxmox = Proxmox::new(&with_token(&server)).unwrap();

    proxmox.open("pve1/qemu/101", Kind::Vnc).await.unwrap();
    proxmox.open("pve1/lxc/200", Kind::Vnc).await.unwrap();

    let bodies: Vec<String> = server.seen().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, ["websocket=1&generate-password=1", "websocket=1"]);
}

#[tokio::test]
async fn a_server_that_does_not_know_generate_password_is_asked_without_it_each_time() {
    let refusal = r#"{"data":null,"errors":{"generate-password":"property is not defined in schema and the schema does not allow additional properties"},"message":"Parameter verification failed.\n"}"#;
    let answer = move |request: &Seen| {
        request.body.contains("generate-password").then(|| status("400 Parameter verification failed.", refusal))
    };
    let server = server(answer).await;
    let proxmox = Proxmox::new(&with_token(&server)).unwrap();

    proxmox.open("pve1/qemu/101", Kind::Vnc).await.unwrap();
    proxmox.open("pve1/qemu/101", Kind::Vnc).await.unwrap();

    let bodies: Vec<String> = server.seen().into_iter().map(|request| request.body).collect();
    // Nothing is remembered: behind one name there may be nodes that still need it.
    assert_eq!(bodies, ["websocket=1&generate-password=1", "websocket=1"].repeat(2));
}

#[tokio::test]
async fn a_worker_that_did_not_start_is_asked_for_once_more() {
    let failed = || status("500 got no worker upid - start worker failed", "");
    let once = server(in_turn([failed()])).await;
    let twice = server(in_turn([failed(), failed()])).await;

    let fine = open(&with_token(&once), "pve1/qemu/101").await;
    let error = open(&with_token(&twice), "pve1/qemu/101").await.unwrap_err();

    assert!(fine.is_ok());
    assert_eq!(once.seen().len(), 2);
    assert_eq!(error.code(), Code::TicketRefused);
    assert_eq!(twice.seen().len(), 2);
}

#[tokio::test]
async fn any_other_failure_is_not_repeated() {
    for line in [
        "403 Permission check failed (/vms/101, VM.Console)",
        "500 unable to find free port (5900-6000)",
        "401 Authentication failed!",
    ] {
        let server = server(move |_| Some(status(line, ""))).await;

        let error = open(&with_token(&server), "pve1/qemu/101").await.unwrap_err();

        assert_eq!(server.seen().len(), 1, "{line}: {error}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_a_protocol_error() {
    for body in ["<html>", r#"{"data":null}"#, r#"{"data":{"port":"22","ticket":"x"}}"#] {
        let server = server(move |_| Some(ok(body))).await;

        let error = open(&with_token(&server), "pve1/qemu/101").await.unwrap_err();

        assert_eq!(error.code(), Code::Protocol, "{body}: {error}");
    }
}

#[tokio::test]
async fn no_debug_shows_a_secret() {
    let server = server(|_| None).await;
    for options in [with_token(&server), with_password(&server)] {
        let proxmox = Proxmox::new(&options).unwrap();

        let console = proxmox.open("pve1/qemu/101", Kind::Vnc).await.unwrap();

        let shown = format!("{proxmox:?} {console:?} {proxmox:#?} {console:#?}");
        assert!(!shown.contains("HUNTER2") && !shown.contains("a;b:c=d+"), "{shown}");
    }
}

#[tokio::test]
async fn one_machine_has_one_turn_however_it_is_spelled() {
    let server = server(|_| None).await;
    let proxmox = Proxmox::new(&with_token(&server)).unwrap();
    let clone = proxmox.clone();
    let machine = |text: &str| text.parse::<Machine>().unwrap();
    let (number, guest, placed, other) =
        (machine("101"), machine("qemu/101"), machine("pve1/qemu/101"), machine("102"));
    let mut context = Context::from_waker(Waker::noop());

    let held = proxmox.turn(&number).await;

    assert!(pin!(clone.turn(&guest)).poll(&mut context).is_pending());
    assert!(pin!(clone.turn(&placed)).poll(&mut context).is_pending());
    assert!(pin!(clone.turn(&other)).poll(&mut context).is_ready());
    drop(held);
    assert!(pin!(clone.turn(&placed)).poll(&mut context).is_ready());
}

#[test]
fn bad_options_are_named_before_anything_is_asked() {
    let token = || Options::new().set("token_id", "a@pve!t").set("token_secret", "x").set("host", "pve.example.com");
    for (options, words) in [
        (Options::new().set("token_id", "a@pve!t").set("token_secret", "x"), "\"host\" is missing"),
        (token().set("host", ""), "\"host\" is missing"),
        (token().set("host", "http://pve:8006"), "http://pve:8006"),
        (token().set("host", "pve,a b"), "a b"),
        (token().set("timeout", "0"), "timeout"),
        (token().set("tokenid", "x"), "tokenid"),
        (token().set("insecure", "yes"), "insecure"),
    ] {
        let error = Proxmox::new(&options).unwrap_err();

        assert_eq!(error.code(), Code::InvalidArgument, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}
