//! Portals that own their port: they hand over connections, or the messages of a websocket.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::rig::{Browser, Fake, Mood, ORIGIN, Rig, fake, rig, rig_with, upgrade};
use crate::relay::pipe::{FrameStream, Role, frames};
use crate::relay::*;

/// A relay that was not started.
pub(super) async fn hosted(moods: Vec<Mood>, options: Options) -> (Arc<Relay>, Arc<Fake>) {
    let fake = Arc::new(fake(moods).await);
    let backend: Arc<dyn Backend> = Arc::clone(&fake) as _;
    let relay = Relay::new([("dc1", backend)], &options.set("public_url", format!("{ORIGIN}/console"))).unwrap();
    (Arc::new(relay), fake)
}

pub(super) async fn target(relay: &Relay) -> String {
    let pass = relay.issue("dc1", "qemu/101", &Options::new()).await.unwrap();
    pass.url().replace("wss://portal.example.com", "")
}

/// A socket, and the other end of it as the host accepted it.
async fn sockets() -> (TcpStream, std::net::TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (browser, host) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (browser.unwrap(), host.unwrap().0.into_std().unwrap())
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a whole head"));
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn a_connection_that_the_host_has_read_from_gets_its_console() {
    let (relay, fake) = hosted(vec![Mood::Echo], Options::new()).await;
    // The host has read all of the request, and half of the ping behind it.
    let mut ping = Vec::new();
    frames::append(&mut ping, frames::PING, Some([1, 2, 3, 4]), b"early");
    let request = upgrade(&target(&relay).await, "binary", Some(ORIGIN));
    let read = [request.as_bytes(), &ping[..7]].concat();
    let (mut stream, host) = sockets().await;
    stream.write_all(&ping[7..]).await.unwrap();

    let serving = Arc::clone(&relay);
    tokio::spawn(async move { serving.serve_tcp(host, Bytes::from(read)).await });

    let head = head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    // The answer to the ping and the greeting, in either order.
    let mut both = [0; 7 + 14];
    stream.read_exact(&mut both).await.unwrap();
    let has = |frame: &[u8]| both.windows(frame.len()).any(|window| window == frame);
    assert!(has(b"\x8a\x05early") && has(b"\x82\x0cRFB 003.008\n"), "{both:?}");
    let mut browser = Browser { head, stream: FrameStream::new(stream, Role::Client, &Bytes::new(), false) };
    browser.say(b"RFB 003.008\n").await;
    assert_eq!(browser.read::<2>().await, [1, 1]);
    browser.say(&[1]).await;
    assert_eq!(browser.read::<4>().await, [0; 4]);
    browser.say(b"\x01echo").await;
    assert_eq!(&browser.read::<5>().await, b"\x01echo");
    assert_eq!(fake.opened.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_browser_that_is_handed_over_after_the_stop_hears_that_the_relay_is_shutting_down() {
    let (relay, fake) = hosted(vec![], Options::new()).await;
    let request = upgrade(&target(&relay).await, "consolepass.1", Some(ORIGIN));
    relay.stop().await;

    for _ in 0..20 {
        let (mut stream, host) = sockets().await;
        let (serving, read) = (Arc::clone(&relay), Bytes::from(request.clone()));
        tokio::spawn(async move { serving.serve_tcp(host, read).await });

        assert!(head(&mut stream).await.starts_with("HTTP/1.1 101"));
        let mut end = [0; 60];
        stream.read_exact(&mut end).await.unwrap();
        assert!(String::from_utf8_lossy(&end).contains("shutting_down"), "{end:?}");
    }
    assert_eq!(fake.opened.load(Ordering::SeqCst), 0);
}

/// The console's bytes from a host's websocket, however they are cut.
pub(super) async fn read(socket: &HostSocket, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        match socket.receive().await {
            Some(Message::Binary(part)) => bytes.extend(&part),
            other => panic!("{other:?} after {bytes:?}"),
        }
    }
    bytes
}

pub(super) async fn say(socket: &HostSocket, bytes: &[u8]) {
    socket.send(&Message::Binary(Bytes::copy_from_slice(bytes))).await.unwrap();
}

pub(super) fn headers(origin: &str) -> [(&[u8], &[u8]); 2] {
    [(b"origin", origin.as_bytes()), (b"sec-websocket-protocol", b"binary")]
}

pub(super) async fn query(relay: &Relay) -> String {
    target(relay).await.split_once('?').unwrap().1.to_owned()
}

pub(super) async fn log_in(socket: &HostSocket) {
    assert_eq!(read(socket, 12).await, b"RFB 003.008\n");
    say(socket, b"RFB 003.008\n").await;
    assert_eq!(read(socket, 2).await, [1, 1]);
    say(socket, &[1]).await;
    assert_eq!(read(socket, 4).await, [0; 4]);
}

#[tokio::test]
async fn a_websocket_whose_frames_the_host_keeps_gets_its_console_and_its_end() {
    let (relay, _) = hosted(vec![Mood::Echo], Options::new()).await;
    let socket = relay.accept(&query(&relay).await, headers(ORIGIN)).await.unwrap();
    assert_eq!(socket.protocol(), Some("binary"));
    log_in(&socket).await;

    // More than either side holds, so that the one waits for the other.
    let sent: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0] ^ 0x5a).collect();
    let echo = async {
        for part in sent.chunks(300_000) {
            say(&socket, part).await;
        }
    };
    let (received, ()) = tokio::join!(read(&socket, sent.len()), echo);
    assert!(received == sent, "the bytes came back changed");

    relay.stop().await;
    let code = Code::ShuttingDown;
    let farewell = Message::Close { code: code.close_code(), reason: code.name().into() };
    assert_eq!(socket.receive().await, Some(farewell));
    assert_eq!(socket.receive().await, None);
    assert_eq!(socket.send(&Message::Binary(Bytes::new())).await.unwrap_err().code(), Code::Closed);
}

#[tokio::test]
async fn a_connection_that_cannot_be_served_hears_so() {
    let (relay, _) = hosted(vec![Mood::Echo], Options::new()).await;
    relay.owner.take_elsewhere();
    let (mut browser, host) = sockets().await;

    let error = relay.serve_tcp(host, Bytes::from_static(b"GET /ws HTTP/1.1\r\n\r\n")).await.unwrap_err();

    assert_eq!(error.code(), Code::Forked);
    let mut answer = String::new();
    browser.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains(Code::Forked.sentence()), "{answer}");
}

#[tokio::test]
async fn of_a_websockets_headers_only_those_that_matter_are_looked_at() {
    let (relay, _) = hosted(vec![Mood::Echo], Options::new()).await;
    let [origin, offer] = headers(ORIGIN);
    let cookie: (&[u8], &[u8]) = (b"Cookie", b"name=\x00\xff");

    let socket = relay.accept(&query(&relay).await, [cookie, (b"Origin", origin.1), offer]).await.unwrap();

    log_in(&socket).await;
}

#[tokio::test]
async fn a_hosts_browser_that_is_refused_hears_why_over_the_websocket() {
    let (relay, fake) = hosted(vec![Mood::Echo], Options::new()).await;
    let query = query(&relay).await;
    drop(relay.accept(&query, headers(ORIGIN)).await.unwrap());

    for (query, origin, code) in
        [(query.as_str(), ORIGIN, Code::PassUsed), ("", ORIGIN, Code::PassInvalid), ("", "null", Code::OriginRefused)]
    {
        let offer: [(&[u8], &[u8]); 2] =
            [(b"origin", origin.as_bytes()), (b"sec-websocket-protocol", b"consolepass.1")];
        let socket = relay.accept(query, offer).await.unwrap();
        assert_eq!(socket.protocol(), Some("consolepass.1"));

        let Some(Message::Text(text)) = socket.receive().await else { panic!("no text") };
        assert!(text.contains(&format!(r#""code":"{code}""#)), "{text}");
        assert_eq!(
            socket.receive().await,
            Some(Message::Close { code: code.close_code(), reason: code.name().into() })
        );
    }
    // The first browser left at once; whether its ticket was asked for by then does not matter.
    assert!(fake.opened.load(Ordering::SeqCst) <= 1);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_keeps_the_frames_looks_after_the_browsers_life() {
    let (relay, _) = hosted(vec![Mood::Echo], Options::new().set("ping_interval", "1")).await;
    let socket = relay.accept(&query(&relay).await, headers(ORIGIN)).await.unwrap();
    log_in(&socket).await;

    tokio::time::sleep(Duration::from_secs(60)).await;
    say(&socket, b"alive").await;

    assert_eq!(read(&socket, 5).await, b"alive");
}

#[tokio::test]
async fn a_host_that_drops_its_socket_ends_the_session() {
    let (relay, _) = hosted(vec![Mood::Echo], Options::new()).await;
    let mut events = relay.events();
    let socket = relay.accept(&query(&relay).await, headers(ORIGIN)).await.unwrap();
    log_in(&socket).await;
    assert_eq!(relay.session_count(), 1);

    drop(socket);

    loop {
        if let What::Ended { code, message } = events.next().await.event().unwrap().what {
            assert_eq!((code, message.as_str()), (Code::Closed, "closed by the browser"));
            return;
        }
    }
}

#[tokio::test]
async fn a_host_gets_the_viewer_and_words_for_every_other_path() {
    let (relay, _) = hosted(vec![Mood::Echo], Options::new()).await;

    for (method, path, status) in [
        ("GET", "/console", 308),
        ("GET", "/ws", 426),
        ("GET", "/console/ws", 426),
        ("POST", "/", 405),
        ("GET", "/other", 404),
        ("no method", "/", 405),
    ] {
        let answer = relay.answer(method, path);
        // A relay that was built without the viewer has no files.
        assert_eq!(answer.status(), status, "{method} {path}");
        assert!(answer.headers().contains_key("content-security-policy"), "{method} {path}");
    }
}

#[tokio::test]
async fn signed_passes_of_a_host_need_a_folder_for_their_marks() {
    let folder = std::env::temp_dir().join(format!("consolepass-host-{}", Reference::random().unwrap()));
    std::fs::create_dir(&folder).unwrap();
    let key = folder.join("pass.jwk");
    std::fs::write(&key, PassKey::generate().unwrap().expose()).unwrap();
    let options = Options::new().set("pass_key_file", key.display().to_string());

    let (without, _) = hosted(vec![Mood::Echo], options.clone()).await;
    let error = without.accept(&query(&without).await, headers(ORIGIN)).await.unwrap_err();
    assert!(error.to_string().contains("marks_dir"), "{error}");

    // Two relays, as of two workers: a pass of the one opens a console at the other, once.
    let options = options.set("marks_dir", folder.display().to_string());
    let (issuing, _) = hosted(vec![Mood::Echo], options.clone()).await;
    let (taking, _) = hosted(vec![Mood::Echo], options).await;
    let query = query(&issuing).await;
    log_in(&taking.accept(&query, headers(ORIGIN)).await.unwrap()).await;
    let offer: [(&[u8], &[u8]); 2] = [(b"origin", ORIGIN.as_bytes()), (b"sec-websocket-protocol", b"consolepass.1")];
    let again = issuing.accept(&query, offer).await.unwrap();

    assert!(matches!(again.receive().await, Some(Message::Text(text)) if text.contains("pass_used")));
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_relay_of_another_process_refuses_everything_and_ends_nothing() {
    let Rig { relay, address, .. } = rig(vec![Mood::Echo]).await;
    relay.owner.take_elsewhere();

    let (_, host) = sockets().await;
    let refused = [
        relay.start().await.err(),
        relay.take().err(),
        relay.issue("dc1", "qemu/101", &Options::new()).await.err(),
        relay.revoke(&Reference::random().unwrap()).await.err(),
        relay.accept("", headers(ORIGIN)).await.err(),
        relay.serve_tcp(host, Bytes::new()).await.err(),
    ];
    assert!(
        refused.iter().all(|error| error.as_ref().is_some_and(|error| error.code() == Code::Forked)),
        "{refused:?}"
    );
    assert_eq!((relay.session_count(), relay.address()), (0, None));
    relay.stop().await;
    drop(relay);

    TcpStream::connect(address).await.expect("the other process still listens");
}

#[tokio::test]
async fn a_start_that_came_to_nothing_may_be_tried_again() {
    let Rig { address, .. } = rig_with(vec![Mood::Echo], |_| (), Options::new()).await;
    let (relay, _) = hosted(vec![Mood::Echo], Options::new().set("listen", address.to_string())).await;

    for _ in 0..2 {
        assert_eq!(relay.start().await.unwrap_err().code(), Code::ListenFailed);
    }
}
