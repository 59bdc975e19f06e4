//! How often a hypervisor is asked when a set-up fails: once, and once more where that may help, wherever it failed.
//!
//! QEMU has one VNC password for a machine, and every `vncproxy` takes one of a hundred ports: a repetition within a
//! repetition would disturb the neighbours of a machine that is in trouble already.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::time::Duration;

use consolepass::{Backend, Code, Kind, Options, Proxmox, Relay, Subscription, What};
use consolepass_emulator::proxmox::{Emulator, Faults, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ORIGIN: &str = "https://portal.example.com";

/// What came of a browser, and what it cost the hypervisor.
struct Tried {
    /// The code and the message of the event, if there was no console.
    refused: Option<(Code, String)>,
    tickets: usize,
    websockets: usize,
}

async fn start(faults: Faults) -> (Emulator, Proxmox) {
    let mut settings = Settings { faults, ..Settings::default() };
    settings.timing.unauthorized_delay = Duration::from_millis(20);
    let emulator = Emulator::start(settings).await.unwrap();
    let options = Options::new()
        .set("host", emulator.address().to_string())
        .set("fingerprint", emulator.fingerprint())
        .set("token_id", "portal@pve!console")
        .set("token_secret", "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a");
    (emulator, Proxmox::new(&options).unwrap())
}

/// One browser through a relay, up to its screen or the reason why there is none.
async fn through_a_relay(faults: Faults) -> Tried {
    let (emulator, proxmox) = start(faults).await;
    let backend: Arc<dyn Backend> = Arc::new(proxmox);
    let options = Options::new().set("listen", "127.0.0.1:0").set("public_url", ORIGIN);
    let relay = Relay::new([("dc1", backend)], &options).unwrap();
    let address = relay.start().await.unwrap();
    let mut events = relay.events();
    let pass = relay.issue("dc1", "pve1/qemu/101", &Options::new()).await.unwrap();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: {ORIGIN}\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: consolepass.1\r\n\r\n",
        pass.url().replace("wss://portal.example.com", "")
    );
    let mut browser = TcpStream::connect(address).await.unwrap();
    browser.write_all(request.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    let is_up = loop {
        let text = String::from_utf8_lossy(&heard);
        if text.contains(r#""step":"ready""#) || text.contains(r#""type":"end""#) {
            break text.contains("ready");
        }
        assert_ne!(browser.read_buf(&mut heard).await.unwrap(), 0, "closed without a word: {heard:?}");
    };
    let refused = if is_up { None } else { Some(ended(&mut events).await) };
    let record = emulator.record();
    Tried { refused, tickets: record.count("POST", "/vncproxy"), websockets: record.count("GET", "/vncwebsocket") }
}

async fn ended(events: &mut Subscription) -> (Code, String) {
    loop {
        if let What::Ended { code, message } = events.next().await.event().unwrap().what {
            return (code, message);
        }
    }
}

/// A set-up that fails twice, and the same after one failure.
async fn is_tried_twice(fault: impl Fn(u32) -> Faults, code: Code, websockets: usize) {
    let after_one = through_a_relay(fault(1)).await;
    let after_two = through_a_relay(fault(2)).await;

    assert!(after_one.refused.is_none(), "{:?}", after_one.refused);
    assert_eq!((after_one.tickets, after_two.tickets), (2, 2));
    assert_eq!(after_two.websockets, websockets);
    assert_eq!(after_two.refused.unwrap().0, code);
}

#[tokio::test]
async fn a_task_that_does_not_start_is_asked_for_twice_and_not_four_times() {
    let fault = |count| Faults { worker_failures: count, ..Faults::default() };

    is_tried_twice(fault, Code::TicketRefused, 0).await;
}

#[tokio::test]
async fn a_password_that_is_replaced_is_tried_twice() {
    let fault = |count| Faults { overwritten_passwords: count, ..Faults::default() };

    is_tried_twice(fault, Code::TicketRefused, 2).await;
}

#[tokio::test]
async fn a_console_that_ends_without_a_greeting_is_tried_twice() {
    let fault = |count| Faults { ends_without_banner: count, ..Faults::default() };

    is_tried_twice(fault, Code::Closed, 2).await;
}

#[tokio::test]
async fn two_failures_of_different_kinds_are_two_failures() {
    let faults = Faults { worker_failures: 1, overwritten_passwords: 1, ..Faults::default() };

    let tried = through_a_relay(faults).await;

    assert_eq!((tried.tickets, tried.websockets), (2, 1));
    assert_eq!(tried.refused.unwrap().0, Code::TicketRefused);
}

#[tokio::test]
async fn a_ticket_that_is_refused_at_the_websocket_is_tried_twice() {
    // Born expired, as on a cluster whose clocks do not agree.
    let tried = through_a_relay(Faults { console_ticket_skew: -60, ..Faults::default() }).await;

    assert_eq!((tried.tickets, tried.websockets), (2, 2));
    assert_eq!(tried.refused.unwrap().0, Code::TicketRefused);
}

#[tokio::test]
async fn what_does_not_pass_in_a_moment_is_not_tried_again() {
    for (status, words, code) in [
        (500, "VM is locked (backup)", Code::TicketRefused),
        (500, "CT is locked (snapshot)", Code::TicketRefused),
        (500, "unable to find free port (5900-6000)", Code::Busy),
        (500, "VM 101 not running", Code::MachineNotRunning),
        (403, "Permission check failed (/vms/101, VM.Console)", Code::PermissionDenied),
        (595, "No route to host", Code::Unreachable),
    ] {
        // The fault is spent with one answer: a second question would be answered well.
        let tried = through_a_relay(Faults { next_answer: Some((status, words.into())), ..Faults::default() }).await;

        let (seen, message) = tried.refused.unwrap();
        assert_eq!((seen, tried.tickets), (code, 1), "{message}");
        assert!(message.contains(words) && !message.contains("twice"), "{message}");
    }
}

#[tokio::test]
async fn a_direct_console_survives_a_task_that_did_not_start_and_no_lock() {
    let faults = [
        (Faults { worker_failures: 1, ..Faults::default() }, 2, None),
        (Faults { worker_failures: 2, ..Faults::default() }, 2, Some("got no worker upid")),
        (Faults { next_answer: Some((500, "VM is locked (backup)".into())), ..Faults::default() }, 1, Some("locked")),
    ];
    for (fault, tickets, words) in faults {
        let (emulator, proxmox) = start(fault).await;

        let outcome = proxmox.open("pve1/qemu/101", Kind::Vnc).await;

        assert_eq!(emulator.record().count("POST", "/vncproxy"), tickets);
        let message = outcome.err().map(|error| error.to_string());
        match words {
            None => assert_eq!(message, None),
            Some(words) => assert!(message.is_some_and(|said| said.contains(words) && !said.contains("twice"))),
        }
    }
}
