//! Browsers that get none, and what they read.

use std::sync::atomic::Ordering;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::rig::{Mood, ORIGIN, closes_with, connect, request, rig, rig_with, upgrade};
use crate::relay::*;

#[tokio::test]
async fn a_pass_works_once_and_the_second_browser_reads_why() {
    let rig = rig(vec![Mood::Echo]).await;
    let pass = rig.pass().await;
    let target = pass.url().replace("wss://portal.example.com", "");
    let mut first = connect(rig.address, &target, "binary", Some(ORIGIN)).await;
    first.log_in().await;

    let mut second = connect(rig.address, &target, "binary", Some(ORIGIN)).await;

    // With the reference, so that the support finds the line in the log.
    let expected = format!("{} (reference {})", Code::PassUsed.sentence(), pass.reference());
    assert_eq!(second.refusal().await, expected);
    assert!(closes_with(&second.rest().await, Code::PassUsed));
    assert_eq!(rig.fake.opened.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_look_at_the_address_spends_no_pass() {
    let rig = rig(vec![Mood::Echo]).await;
    let target = rig.target().await;
    for method in ["GET", "HEAD", "POST", "OPTIONS"] {
        let (head, _) = request(rig.address, &format!("{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        assert!(head.starts_with("HTTP/1.1 426"), "{head}");
    }
    let foreign = connect(rig.address, &target, "binary", Some("https://evil.example")).await;
    drop(foreign);

    connect(rig.address, &target, "binary", Some(ORIGIN)).await.log_in().await;
}

#[tokio::test]
async fn another_page_is_refused_before_its_pass_is_taken() {
    let rig = rig(vec![Mood::Echo]).await;
    for origin in [Some("https://evil.example"), Some("null"), None] {
        let mut browser = connect(rig.address, &rig.target().await, "binary", origin).await;

        assert_eq!(browser.refusal().await, Code::OriginRefused.sentence());
        assert!(closes_with(&browser.rest().await, Code::OriginRefused));
    }
    assert_eq!(rig.fake.opened.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_empty_list_of_origins_means_the_relays_own_and_a_full_one_means_itself() {
    let (own, other) = (ORIGIN, "https://other.example.com:8443");
    for (list, allowed, refused) in [("", own, other), (other, other, own), (other, other, "https://other.example.com")]
    {
        let rig = rig_with(vec![Mood::Echo], |_| (), Options::new().set("allowed_origins", list)).await;

        connect(rig.address, &rig.target().await, "", Some(allowed)).await.log_in().await;
        let mut browser = connect(rig.address, &rig.target().await, "", Some(refused)).await;

        assert_eq!(browser.refusal().await, Code::OriginRefused.sentence(), "{list:?}: {refused}");
    }
}

#[tokio::test]
async fn our_own_page_hears_steps_and_the_end_as_text() {
    let rig = rig_with(vec![Mood::HangUp], |fake| fake.reason = Some(Code::MachineNotRunning), Options::new()).await;
    let pass = rig.pass().await;

    let offer = format!("consolepass.1, binary, {}", pass.sub_protocol());
    let browser = connect(rig.address, "/ws", &offer, Some(ORIGIN)).await;
    assert!(browser.head.to_lowercase().contains("sec-websocket-protocol: consolepass.1"));
    let raw = browser.rest().await;

    let text = String::from_utf8_lossy(&raw);
    assert!(text.contains(r#""step":"ticket""#), "{text}");
    assert!(text.contains(r#""code":"machine_not_running","sentence":"the machine is not running""#), "{text}");
    assert!(text.contains(pass.reference().as_str()));
    assert!(!text.contains("VM 101"), "an upstream's words");
    assert!(closes_with(&raw, Code::MachineNotRunning));
}

#[tokio::test]
async fn an_upstreams_words_go_to_the_event_and_not_to_the_browser() {
    let rig = rig_with(vec![Mood::Echo], |fake| fake.refusal = Some(Code::PermissionDenied), Options::new()).await;
    let mut events = rig.relay.events();
    let pass = rig.pass().await;
    let target = pass.url().replace("wss://portal.example.com", "");

    let mut browser = connect(rig.address, &target, "", Some(ORIGIN)).await;

    let expected = format!("{} (reference {})", Code::PermissionDenied.sentence(), pass.reference());
    assert_eq!(browser.refusal().await, expected);
    assert_eq!(events.next().await.event().unwrap().what, What::Taken);
    let ended = events.next().await.event().unwrap();
    assert_eq!(ended.reference.as_ref(), Some(pass.reference()));
    assert!(
        matches!(ended.what, What::Ended { code: Code::PermissionDenied, message } if message.contains("192.0.2.1"))
    );
}

#[tokio::test]
async fn a_wrong_password_of_a_plain_server_is_not_repeated() {
    let rig = rig(vec![Mood::Refuse]).await;

    let mut browser = rig.browse("").await;

    assert!(browser.refusal().await.starts_with(Code::AuthFailed.sentence()));
    assert_eq!(rig.fake.opened.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_full_relay_says_busy_and_the_pass_stays_good() {
    let rig = rig_with(vec![Mood::Echo], |_| (), Options::new().set("max_sessions", 1)).await;
    let mut first = rig.browse("").await;
    first.log_in().await;
    let target = rig.target().await;

    let mut second = connect(rig.address, &target, "", Some(ORIGIN)).await;
    assert_eq!(second.refusal().await, Code::Busy.sentence());

    let mut events = rig.relay.events();
    drop(first);
    while !matches!(events.next().await.event().unwrap().what, What::Ended { code: Code::Closed, .. }) {}
    while rig.relay.session_count() > 0 {
        tokio::task::yield_now().await;
    }
    connect(rig.address, &target, "", Some(ORIGIN)).await.log_in().await;
}

/// Sends these bytes again and again, one at a time and never so slowly as to be silent, until the other side hangs up.
async fn drip(address: SocketAddr, beginning: &str, endless: &[u8]) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(beginning.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let dripping = async {
        for byte in endless.iter().cycle() {
            if writer.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let mut heard = Vec::new();
    tokio::select! {
        _ = reader.read_to_end(&mut heard) => {}
        () = dripping => {}
    }
}

/// Sends these bytes at once, and waits for the other side to hang up.
async fn blurt(address: SocketAddr, bytes: &[u8]) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The relay may hang up before it has read all of it.
    let _ = stream.write_all(bytes).await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn random_slow_and_no_bytes_are_closed_in_time_and_harm_nobody() {
    let rig = rig_with(vec![Mood::Echo], |_| (), Options::new().set("handshake_timeout", 1)).await;
    let mut living = rig.browse("").await;
    living.log_in().await;
    let address = rig.address;

    let mut nuisances = tokio::task::JoinSet::new();
    nuisances.spawn(async move { blurt(address, b"").await });
    nuisances.spawn(async move { blurt(address, b"GET /ws HT").await });
    nuisances.spawn(async move { blurt(address, b"GET / HTTP/1.1\r\nContent-Length: 1000\r\n\r\nx").await });
    let huge = format!("GET / HTTP/1.1\r\nX: {}\r\n", "x".repeat(32 * 1024));
    nuisances.spawn(async move { blurt(address, huge.as_bytes()).await });
    for first in [0x00, 0x16, 0x80, b'G', 0xff] {
        let mut noise = crate::reference::random_bytes::<4096>().unwrap();
        noise[0] = first;
        nuisances.spawn(async move { blurt(address, &noise).await });
        nuisances.spawn(async move { drip(address, "", &noise).await });
    }
    for beginning in ["", "GET / HTTP/1.1\r\nX: ", "POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"] {
        nuisances.spawn(async move { drip(address, beginning, b"GET").await });
    }
    let upgraded = upgrade(&rig.target().await, "", Some(ORIGIN));
    nuisances.spawn(async move { drip(address, &upgraded, b"\x82\x81\0\0\0\0R").await });

    while let Some(ended) = timeout(Duration::from_secs(20), nuisances.join_next()).await.expect("still open") {
        ended.unwrap();
    }
    living.say(b"\x01").await;
    assert_eq!(living.read::<1>().await, [1]);
}

#[tokio::test]
async fn the_viewers_address_answers_with_and_without_the_prefix_and_always_strictly() {
    let rig = rig(vec![Mood::Echo]).await;
    for path in ["/console/", "/", "/console/ws", "/nothing", "/console/viewer.js"] {
        let (head, _) = request(rig.address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        let head = head.to_lowercase();

        assert!(head.contains("default-src 'none'") && head.contains("frame-ancestors 'none'"), "{head}");
        assert!(head.contains("connect-src 'self' wss://portal.example.com;"), "{head}");
        for header in ["nosniff", "no-referrer", "no-store"] {
            assert!(head.contains(header), "{path}: {header}");
        }
    }
    let (head, _) = request(rig.address, "GET /console HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(head.contains("308") && head.contains("https://portal.example.com/console/"), "{head}");
    let (head, _) = request(rig.address, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 405"), "{head}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_the_idle_ones_are_closed() {
    let options = Options::new().set("handshake_timeout", 1).set("max_handshakes", 1);
    let rig = rig_with(vec![Mood::Echo], |_| (), options).await;
    let mut idle = TcpStream::connect(rig.address).await.unwrap();

    let mut waiting = TcpStream::connect(rig.address).await.unwrap();
    waiting.write_all(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let early = timeout(Duration::from_millis(300), waiting.read_u8()).await;
    let closed = timeout(Duration::from_secs(5), idle.read_to_end(&mut Vec::new())).await;

    assert!(early.is_err(), "the second was served beside the first");
    assert!(closed.is_ok(), "the first was never closed");
    assert_eq!(waiting.read_u8().await.unwrap(), b'H');
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused_for_its_size() {
    let rig = rig(vec![Mood::Echo]).await;
    let fits = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(8 * 1024));
    let large = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(20 * 1024));

    // Whatever there is at this address: without the viewer it is a 404.
    assert!(!request(rig.address, &fits).await.0.starts_with("HTTP/1.1 431"), "8 KiB are no attack");
    assert!(request(rig.address, &large).await.0.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn a_connection_that_only_asks_for_pages_ends_however_it_spends_its_time() {
    let rig = rig_with(vec![Mood::Echo], |_| (), Options::new().set("handshake_timeout", 1)).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let drip = async {
        while stream.write_all(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n").await.is_ok() {
            if stream.read(&mut [0; 4096]).await.unwrap_or(0) == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };

    assert!(timeout(Duration::from_secs(10), drip).await.is_ok(), "still served after ten seconds");
}

#[tokio::test]
async fn a_browser_that_never_answers_the_greeting_is_closed_without_a_second_one() {
    let rig = rig_with(vec![Mood::Echo], |_| (), Options::new().set("handshake_timeout", 1)).await;

    let mut browser = rig.browse("").await;
    assert_eq!(&browser.read::<12>().await, b"RFB 003.008\n");
    let rest = browser.rest().await;

    assert!(closes_with(&rest, Code::Closed), "{rest:?}");
    assert!(!rest.windows(3).any(|window| window == b"RFB"), "greeted twice");
}

#[tokio::test]
async fn a_browser_that_leaves_early_lets_the_next_one_take_its_turn() {
    let rig = rig(vec![Mood::Hang, Mood::Echo]).await;
    let first = rig.browse("").await;
    while rig.fake.opened.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }

    let mut second = rig.browse("").await;
    drop(first);

    // Long before the first one's log-in would have run into its timeout of ten seconds.
    timeout(Duration::from_secs(5), second.log_in()).await.expect("its turn came");
}

#[tokio::test]
async fn a_live_console_does_not_count_as_a_handshake() {
    let rig = rig_with(vec![Mood::Echo], |_| (), Options::new().set("max_handshakes", 1)).await;
    let mut first = rig.browse("").await;
    first.log_in().await;
    first.stream.write_all(b"\x01x").await.unwrap();
    first.stream.flush().await.unwrap();
    assert_eq!(&first.read::<2>().await, b"\x01x");

    let mut second = timeout(Duration::from_secs(5), rig.browse("")).await.expect("let in beside a live console");

    second.log_in().await;
}
