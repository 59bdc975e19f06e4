//! The whole way through a proxy, against the emulator.

use super::emulator::{LONG, SHORT, log_in, start, with_token};
use super::*;
use crate::doctor::{self, Report};
use crate::net;
use crate::net::testing::{Gate, TestProxy};

const PROXY_USER: &str = "portal:HUNTER2@";

fn through(options: Options, proxy: &TestProxy) -> Options {
    options.set("proxy", format!("http://{PROXY_USER}{}", proxy.address))
}

#[tokio::test]
async fn api_and_console_go_through_tunnels_to_the_same_place() {
    let emulator = start(|_| ()).await;
    let proxy = TestProxy::start(|_| Gate::Open).await;
    let place = emulator.address().to_string();

    let console = open(&through(with_token(&emulator), &proxy), "101").await.unwrap();
    let outcome = log_in(&console).await;

    assert!(outcome.is_ok(), "{outcome:?}");
    // The search for the machine, its ticket, its websocket.
    assert_eq!(proxy.asked(), [&*place, &*place, &*place]);
    assert!(proxy.seen().iter().all(|request| request.header("proxy-authorization").len() == 1));
    assert_eq!(console.address(), Some(emulator.address()));
    assert!(!console.headers().iter().any(|(name, _)| name.starts_with("proxy")));
    assert!(!format!("{console:?}").contains("HUNTER2"));
}

#[tokio::test]
async fn a_name_that_the_proxy_alone_can_look_up_is_as_good() {
    let emulator = start(|_| ()).await;
    let beyond = emulator.address();
    let proxy = TestProxy::start(move |_| Gate::To(beyond)).await;
    let options = through(with_token(&emulator), &proxy).set("host", "pve.invalid");

    let console = open(&options, "pve1/qemu/101").await.unwrap();
    let outcome = log_in(&console).await;

    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(proxy.asked(), ["pve.invalid:8006", "pve.invalid:8006"]);
    assert_eq!(console.address(), None);
    assert!(console.websocket_url().unwrap().starts_with("wss://pve.invalid:8006/"));
}

#[tokio::test]
async fn a_node_that_the_proxy_cannot_reach_is_passed_over_for_both() {
    let emulator = start(|_| ()).await;
    let place = emulator.address().to_string();
    let timed_out = "HTTP/1.1 504 Gateway Timeout\r\n\r\n";
    let proxy = TestProxy::start(
        move |request| {
            if request.line.contains("192.0.2.1") { Gate::Say(timed_out) } else { Gate::Open }
        },
    )
    .await;
    let options = through(with_token(&emulator), &proxy).set("host", format!("192.0.2.1,{place}"));

    let console = open(&options, "pve1/qemu/101").await.unwrap();
    let outcome = log_in(&console).await;

    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(proxy.asked(), ["192.0.2.1:8006", &*place, &*place]);
}

#[tokio::test]
async fn a_websocket_that_the_proxy_does_not_let_through_is_told_like_a_call() {
    for (gate, code, words) in [
        (Gate::Say("HTTP/1.1 407 HUNTER2\r\n\r\n"), Code::Unreachable, "refused a tunnel (HTTP 407)"),
        (Gate::Say(""), Code::Unreachable, "closed the connection without an answer"),
        (Gate::Hang, Code::Timeout, "took longer"),
    ] {
        let emulator = start(|_| ()).await;
        let mut gates = vec![gate, Gate::Open];
        let proxy = TestProxy::start(move |_| gates.pop().unwrap()).await;
        let console = open(&through(with_token(&emulator), &proxy), "pve1/qemu/101").await.unwrap();

        let error =
            net::open_target(&console.target, if code == Code::Timeout { SHORT } else { LONG }).await.unwrap_err();

        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error:?} {}", error.hint()).contains("HUNTER2"), "{error:?}");
    }
}

#[tokio::test]
async fn the_certificate_at_the_far_end_is_checked_and_the_proxy_cannot_take_its_place() {
    let emulator = start(|_| ()).await;
    let stranger = start(|_| ()).await;
    let beyond = stranger.address();
    let proxy = TestProxy::start(move |_| Gate::To(beyond)).await;

    let error = open(&through(with_token(&emulator), &proxy), "pve1/qemu/101").await.unwrap_err();

    assert_eq!(error.code(), Code::TlsUntrusted);
    assert_eq!(error.fingerprint(), Some(stranger.fingerprint()));
    assert!(stranger.requests().is_empty());
}

/// What the doctor finds on its way through the proxy.
async fn examined(options: &Options, machine: &str) -> Report {
    doctor::examine(&Proxmox::new(options).unwrap(), &machine.parse().unwrap(), Kind::Vnc).await
}

#[tokio::test]
async fn the_doctor_says_what_the_proxy_was_asked_for() {
    let emulator = start(|_| ()).await;
    let beyond = emulator.address();
    let proxy = TestProxy::start(move |_| Gate::To(beyond)).await;
    let options = through(with_token(&emulator), &proxy).set("host", "pve.invalid");

    let report = examined(&options, "pve1/qemu/101").await;

    assert!(report.error().is_none(), "{report:?}");
    let first = |step: usize| report.steps()[step].facts[0].clone();
    let place = proxy.address;
    assert_eq!(first(0), format!("the proxy {place} is asked for pve.invalid:8006"));
    assert_eq!(first(1), format!("the proxy {place} made a tunnel to pve.invalid:8006"));
    assert_eq!(first(2), "TLS 1.3 with pve.invalid:8006; its certificate is pinned");
    assert_eq!(first(6), "upgraded on the same way");
    assert!(!format!("{report:?}").contains("HUNTER2"));
}

#[tokio::test]
async fn a_proxy_that_makes_no_tunnel_is_where_the_doctor_stops() {
    let emulator = start(|_| ()).await;
    let proxy = TestProxy::start(|_| Gate::Say("HTTP/1.1 403 HUNTER2\r\n\r\n")).await;

    let report = examined(&through(with_token(&emulator), &proxy), "qemu/101").await;

    let failed = report.steps().iter().find(|examined| matches!(examined.outcome, doctor::Outcome::Failed(_)));
    assert_eq!(failed.map(|examined| examined.step), Some(doctor::Step::Port));
    let error = report.error().unwrap();
    assert!(error.to_string().contains("refused a tunnel (HTTP 403)") && error.hint().contains("permit CONNECT"));
    assert!(!format!("{report:?} {}", error.hint()).contains("HUNTER2"));
}
