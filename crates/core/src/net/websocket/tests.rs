use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::net::testing::{Act, Seen, TestServer, trust};

const PATH: &str = "/api2/json/nodes/pve1/qemu/101/vncwebsocket?port=5900&vncticket=F%28K%2B%3B%26%25%23";
const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(20);

fn target(server: &TestServer) -> WebSocketTarget {
    WebSocketTarget {
        url: Secret::new(format!("wss://localhost:{}{PATH}", server.address.port())),
        handed_out: ["F(K+;&%#".into(), "F(K+;&%#".into()],
        route: Route::Direct(server.address),
        headers: vec![("authorization", "PVEAPIToken=a@b!c=HUNTER2".into())],
        trust: Arc::new(trust(&server.pinned()).unwrap()),
        what: "qemu/101 on pve1".to_owned(),
        timeout: LONG,
        refused: |target, answer| {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            Error::new(Code::TicketRefused, format!("{}: {} {} [{body}]", target.what, answer.status, answer.reason))
        },
    }
}

/// The answer of pveproxy: these headers and nothing more.
fn accepted(request: &Seen) -> String {
    let accept = accept_key(request.header("sec-websocket-key")[0].as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: binary\r\n\r\n"
    )
}

async fn open_against(answer: impl FnMut(&Seen) -> Act + Send + 'static, timeout: Duration) -> Result<Opened> {
    let server = TestServer::start(answer).await;
    open(&target(&server), timeout).await
}

#[test]
fn the_accept_key_is_that_of_the_rfc() {
    assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#[tokio::test]
async fn the_request_is_what_pveproxy_asks_for_and_nothing_more() {
    let server = TestServer::start(|request| Act::Send(accepted(request))).await;

    let opened = open(&target(&server), LONG).await.unwrap();

    let seen = &server.seen()[0];
    assert_eq!(seen.line, format!("GET {PATH} HTTP/1.1"));
    assert_eq!(seen.header("host"), [format!("localhost:{}", server.address.port())]);
    assert_eq!(seen.header("upgrade"), ["websocket"]);
    assert_eq!(seen.header("connection"), ["Upgrade"]);
    assert_eq!(seen.header("sec-websocket-version"), ["13"]);
    assert_eq!(seen.header("sec-websocket-protocol"), ["binary"]);
    assert_eq!(seen.header("authorization"), ["PVEAPIToken=a@b!c=HUNTER2"]);
    assert_eq!(BASE64.decode(seen.header("sec-websocket-key")[0]).unwrap().len(), 16);
    assert!(seen.header("sec-websocket-extensions").is_empty());
    assert_eq!(seen.headers.len(), 8, "{seen:?}");
    assert!(opened.read_ahead.is_empty());
}

#[tokio::test]
async fn a_key_is_used_once() {
    let server = TestServer::start(|request| Act::Send(accepted(request))).await;

    open(&target(&server), LONG).await.unwrap();
    open(&target(&server), LONG).await.unwrap();

    let seen = server.seen();
    assert_ne!(seen[0].header("sec-websocket-key"), seen[1].header("sec-websocket-key"));
}

#[tokio::test]
async fn bytes_behind_the_answer_are_kept_and_the_stream_goes_on() {
    // The RFB banner often comes in the same segment as the 101.
    let server = TestServer::start(|request| match request.line.as_str() {
        "more" => Act::Last("fghij".to_owned()),
        _ => Act::Send(format!("{}abcde", accepted(request))),
    })
    .await;

    let mut opened = open(&target(&server), LONG).await.unwrap();
    opened.stream.write_all(b"more\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    opened.stream.read_to_end(&mut rest).await.unwrap();

    let all = [&opened.read_ahead[..], &rest[..]].concat();
    assert_eq!(all, b"abcdefghij");
    let Stream::Tls(stream) = &opened.stream else { panic!("{opened:?}") };
    assert!(stream.get_ref().0.nodelay().unwrap());
}

#[tokio::test]
async fn an_answer_without_a_sub_protocol_is_fine() {
    let answer = |request: &Seen| Act::Send(accepted(request).replace("Sec-WebSocket-Protocol: binary\r\n", ""));

    assert!(open_against(answer, LONG).await.is_ok());
}

#[tokio::test]
async fn no_byte_passes_unless_the_upgrade_is_ours() {
    type Change = fn(String) -> String;
    let changes: [(&str, Change); 9] = [
        ("upgrade to websocket", |head| head.replace("Upgrade: websocket\r\n", "")),
        ("upgrade to websocket", |head| head.replace("Upgrade: websocket", "Upgrade: h2c")),
        ("Connection: upgrade", |head| head.replace("Connection: upgrade", "Connection: keep-alive")),
        ("key that was sent", |head| head.replace("Accept: ", "Accept: x")),
        ("key that was sent", |head| head.replace("Sec-WebSocket-Accept", "X-Accept")),
        ("key that was sent", |head| head.replace("\r\n\r\n", "\r\nSec-WebSocket-Accept: x\r\n\r\n")),
        ("extension", |head| head.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")),
        ("sub-protocol", |head| head.replace(": binary", ": binary, base64")),
        ("sub-protocol", |head| head.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: binary\r\n\r\n")),
    ];
    for (words, change) in changes {
        let error = open_against(move |request| Act::Send(change(accepted(request))), LONG).await.unwrap_err();

        assert_eq!(error.code(), Code::Protocol, "{words}: {error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_refusal_keeps_status_reason_and_body() {
    let json = "{\"data\":null,\"message\":\"permission denied - invalid PVEVNC ticket\\n\"}";
    let with_body = format!(
        "HTTP/1.1 401 permission denied - invalid PVEVNC ticket\r\nContent-Length: {}\r\n\r\n{json}",
        json.len()
    );
    // The stage of authentication: no body, no length, the end of the connection.
    let without = "HTTP/1.1 401 No ticket\r\nCache-Control: max-age=0\r\nConnection: close\r\n\r\n".to_owned();

    let full = open_against(move |_| Act::Send(with_body.clone()), LONG).await.unwrap_err();
    let empty = open_against(move |_| Act::Last(without.clone()), LONG).await.unwrap_err();

    assert_eq!(full.to_string(), format!("qemu/101 on pve1: 401 permission denied - invalid PVEVNC ticket [{json}]"));
    assert_eq!(empty.to_string(), "qemu/101 on pve1: 401 No ticket []");
}

#[tokio::test]
async fn a_refusal_that_never_ends_is_still_told() {
    let answer = |_: &Seen| Act::Endless("HTTP/1.1 403 no\r\n\r\n".to_owned(), "x".repeat(1000));

    let error = open_against(answer, LONG).await.unwrap_err();

    assert_eq!(error.code(), Code::TicketRefused);
    assert!(error.to_string().len() < 2 * LARGEST_REFUSAL);
}

#[tokio::test]
async fn a_dead_port_is_a_timeout_as_the_server_never_answers() {
    let error = open_against(|_| Act::Hang, SHORT).await.unwrap_err();

    assert_eq!(error.code(), Code::Timeout);
    assert!(error.hint().contains("10 seconds"), "{}", error.hint());
}

#[tokio::test]
async fn the_backends_own_timeout_holds_as_well() {
    let server = TestServer::start(|_| Act::Hang).await;
    let mut target = target(&server);
    target.timeout = SHORT;

    let error = open(&target, LONG).await.unwrap_err();

    assert_eq!(error.code(), Code::Timeout);
    assert!(error.to_string().contains("0.2 seconds"), "{error}");
}

#[tokio::test]
async fn a_server_that_closes_without_a_word_is_told_apart() {
    let error = open_against(|_| Act::Close, LONG).await.unwrap_err();

    assert_eq!(error.code(), Code::Closed);
}

#[tokio::test]
async fn garbage_and_heads_without_end_are_protocol_errors() {
    let garbage = open_against(|_| Act::Last("SSH-2.0-OpenSSH_9.2\r\n\r\n".to_owned()), LONG).await;
    let endless = open_against(
        |_| {
            Act::Endless(
                "HTTP/1.1 101 Switching Protocols\r\n".to_owned(),
                "X-Filler: xxxxxxxxxxxxxxxxxxxxx\r\n".to_owned(),
            )
        },
        LONG,
    )
    .await;

    for outcome in [garbage, endless] {
        assert_eq!(outcome.unwrap_err().code(), Code::Protocol);
    }
}

#[tokio::test]
async fn plain_http_where_tls_should_be_is_told() {
    let server = TestServer::plain(|_| Act::Close).await;
    // The first bytes of TLS are no request: it answers like an HTTP server would.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut target = target(&server);
    target.route = Route::Direct(listener.local_addr().unwrap());
    let serve = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 1024]).await;
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    };

    let (outcome, ()) = tokio::join!(open(&target, LONG), serve);

    let error = outcome.unwrap_err();
    assert_eq!(error.code(), Code::Protocol);
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_names_both() {
    let server = TestServer::start(|request| Act::Send(accepted(request))).await;
    let other = TestServer::start(|_| Act::Close).await;
    let mut target = target(&server);
    target.trust = Arc::new(trust(&other.pinned()).unwrap());

    let error = open(&target, LONG).await.unwrap_err();

    assert_eq!(error.code(), Code::TlsUntrusted);
    assert_eq!(error.fingerprint(), Some(server.fingerprint.as_str()));
    assert!(error.to_string().contains(&other.fingerprint), "{error}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn nobody_at_the_address_is_unreachable() {
    let server = TestServer::start(|_| Act::Close).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut target = target(&server);
    target.route = Route::Direct(closed.local_addr().unwrap());
    drop(closed);

    let error = open(&target, LONG).await.unwrap_err();

    assert_eq!(error.code(), Code::Unreachable);
}

#[tokio::test]
async fn no_error_and_no_debug_shows_the_ticket_or_the_token() {
    let server = TestServer::start(|_| Act::Close).await;
    let target = target(&server);

    let error = open(&target, LONG).await.unwrap_err();

    let shown = format!("{error} {error:?} {target:?}");
    assert!(!shown.contains("HUNTER2") && !shown.contains("vncticket"), "{shown}");
}

#[test]
fn the_future_may_move_between_threads() {
    fn assert_send<T: Send>(_: T) {}

    fn check(target: &WebSocketTarget) {
        assert_send(open(target, LONG));
    }
    let _ = check;
}
