use std::sync::Arc;

use super::*;
use crate::net::http::{Answer, ApiClient, Request, Unanswered};
use crate::net::route::{Destination, Route};
use crate::net::testing::{Act, Gate, Seen, TestProxy, TestServer, trust};
use crate::options::Scope;
use crate::{Options, Result};

/// Half of it is for connecting, which a busy machine must manage.
const SHORT: Duration = Duration::from_secs(3);
const LONG: Duration = Duration::from_secs(20);

fn option(text: &str) -> Result<Option<Proxy>> {
    Proxy::from_options(&Options::new().set("proxy", text).check(Scope::Proxmox)?)
}

fn proxy(text: &str) -> Arc<Proxy> {
    Arc::new(option(text).unwrap().unwrap())
}

fn request(server: &str) -> Request {
    Request {
        method: http::Method::POST,
        server: server.to_owned(),
        url: format!("https://{server}/api2/json/x?secret=HUNTER2"),
        headers: vec![("authorization", "PVEAPIToken=a@b!c=HUNTER2".into())],
        form: Some("websocket=1".into()),
    }
}

/// Asks `server`, whose name errors use, through `proxy`.
async fn ask(proxy: &Arc<Proxy>, server: &TestServer, name: &str, timeout: Duration) -> Result<Answer, Unanswered> {
    let trust = trust(&server.pinned()).unwrap();
    let outcome = ApiClient::through(proxy, &trust, timeout).send(request(name)).await;
    if let Err(unanswered) = &outcome {
        let source = std::error::Error::source(&unanswered.error).map(|source| format!("{source} {source:?}"));
        let shown = format!("{unanswered:?} {} {} {source:?}", unanswered.error, unanswered.error.hint());
        assert!(!shown.contains("HUNTER2") && !shown.contains("SFVOVEVSM"), "{shown}");
    }
    outcome
}

/// The error of a question to a server that would answer, through a proxy that does not let it.
async fn refused(gate: impl FnMut(&Seen) -> Gate + Send + 'static, user: &str) -> (Unanswered, String, String) {
    let server = TestServer::start(|_| ok()).await;
    let proxy_server = TestProxy::start(gate).await;
    let proxy = proxy(&format!("http://{user}{}", proxy_server.address));

    let unanswered = ask(&proxy, &server, &server.address.to_string(), SHORT).await.unwrap_err();

    assert!(server.seen().is_empty());
    assert!(!unanswered.sent);
    let message = unanswered.error.to_string();
    assert!(message.contains(&format!("the proxy {}", proxy_server.address)), "{message}");
    assert!(message.starts_with(&server.address.to_string()), "{message}");
    let hint = unanswered.error.hint().to_owned();
    (unanswered, message, hint)
}

fn ok() -> Act {
    Act::Send("HTTP/1.1 200 fine\r\nContent-Length: 2\r\n\r\n{}".to_owned())
}

#[tokio::test]
async fn a_question_goes_through_a_tunnel_and_the_proxy_sees_nothing_of_it() {
    let server = TestServer::start(|_| ok()).await;
    let proxy_server = TestProxy::start(|_| Gate::Open).await;
    let proxy = proxy(&format!("http://{}", proxy_server.address));
    let name = server.address.to_string();

    let answer = ask(&proxy, &server, &name, LONG).await.unwrap();

    assert_eq!((answer.status, answer.reason.as_str(), &answer.body[..]), (200, "fine", &b"{}"[..]));
    assert_eq!(answer.route.as_ref().and_then(Route::address), Some(server.address));
    let asked = &proxy_server.seen()[0];
    assert_eq!(asked.line, format!("CONNECT {name} HTTP/1.1"));
    assert_eq!(asked.header("host"), [name.as_str()]);
    assert_eq!(asked.headers.len(), 2, "{asked:?}");
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "POST /api2/json/x?secret=HUNTER2 HTTP/1.1");
    assert_eq!(seen.body, "websocket=1");
    assert_eq!(seen.header("host"), [name.as_str()]);
    assert_eq!(seen.header("authorization"), ["PVEAPIToken=a@b!c=HUNTER2"]);
    assert_eq!(seen.header("content-type"), ["application/x-www-form-urlencoded"]);
    assert_eq!(seen.header("content-length"), ["11"]);
    assert!(seen.header("transfer-encoding").is_empty() && seen.header("proxy-authorization").is_empty());
}

#[tokio::test]
async fn who_we_are_to_the_proxy_is_told_to_the_proxy_alone() {
    let server = TestServer::start(|_| ok()).await;
    let proxy_server = TestProxy::start(|_| Gate::Open).await;
    let proxy = proxy(&format!("http://portal:HUNTER2%2F%40@{}", proxy_server.address));

    ask(&proxy, &server, &server.address.to_string(), LONG).await.unwrap();

    let told = BASE64.encode("portal:HUNTER2/@");
    assert_eq!(proxy_server.seen()[0].header("proxy-authorization"), [format!("Basic {told}")]);
    assert!(server.seen()[0].header("proxy-authorization").is_empty());
    assert_eq!(format!("{proxy} {proxy:?}"), format!("{0} Proxy({0})", proxy_server.address));
}

#[tokio::test]
async fn a_name_is_left_to_the_proxy_and_the_certificate_must_still_be_its() {
    // The proxy alone knows where this is; the server's certificate is for localhost.
    let server = TestServer::start(|_| ok()).await;
    let beyond = server.address;
    let proxy_server = TestProxy::start(move |_| Gate::To(beyond)).await;
    let proxy = proxy(&proxy_server.address.to_string());
    let by_pin = ask(&proxy, &server, "pve.invalid:8006", LONG).await.unwrap();
    let ca_file = server.ca_file();
    let by_authority = trust(&Options::new().set("ca_file", ca_file.path())).unwrap();
    let client = ApiClient::through(&proxy, &by_authority, LONG);

    let wrong_name = client.send(request("pve.invalid:8006")).await.unwrap_err();
    let right_name = client.send(request(&format!("localhost:{}", beyond.port()))).await;

    assert!(matches!(&by_pin.route, Some(Route::Tunnel(_, Destination::Name(name))) if name == "pve.invalid:8006"));
    assert_eq!(by_pin.route.as_ref().and_then(Route::address), None);
    assert_eq!(proxy_server.asked()[..2], ["pve.invalid:8006", "pve.invalid:8006"]);
    assert_eq!(wrong_name.error.code(), Code::TlsUntrusted);
    assert!(!wrong_name.sent && right_name.is_ok());
}

#[tokio::test]
async fn every_yes_of_a_proxy_is_one() {
    for words in [
        "HTTP/1.0 200 Connection established\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nProxy-Agent: x\r\n\r\n",
        "HTTP/1.1 299 \r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let server = TestServer::start(|_| ok()).await;
        let proxy_server = TestProxy::start(move |_| Gate::OpenWith(words)).await;

        let proxy = proxy(&proxy_server.address.to_string());
        let answer = ask(&proxy, &server, &server.address.to_string(), LONG).await;

        assert!(answer.is_ok(), "{words:?}: {answer:?}");
    }
}

#[tokio::test]
async fn every_no_of_a_proxy_has_its_status_and_what_to_do_and_none_of_its_words() {
    let with_body = "HTTP/1.1 407 HUNTER2\r\nProxy-Authenticate: Basic\r\nContent-Length: 7\r\n\r\nHUNTER2";
    for (words, user, status, hint) in [
        (with_body, "", "HTTP 407", "http://user:password@host:port"),
        (with_body, "u:HUNTER2@", "HTTP 407", "does not take the user and password"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "u:HUNTER2@", "HTTP 403", "permit CONNECT"),
        ("HTTP/1.0 503 Service Unavailable\r\n\r\n", "", "HTTP 503", "cannot reach the hypervisor"),
        ("HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\n\r\n", "", "HTTP 405", "makes tunnels"),
        ("HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n", "", "HTTP 302", "makes tunnels"),
    ] {
        let (unanswered, message, said) = refused(move |_| Gate::Say(words), user).await;

        assert_eq!(unanswered.error.code(), Code::Unreachable, "{words}");
        assert!(message.contains("refused a tunnel") && message.contains(status), "{message}");
        assert!(said.contains(hint), "{words}: {said}");
    }
}

#[tokio::test]
async fn a_proxy_that_hangs_up_or_says_something_else_is_told() {
    for (words, code) in [
        ("", Code::Unreachable),
        ("HTTP/1.1 200 Conn", Code::Unreachable),
        ("RFB 003.008\n", Code::Protocol),
        ("HTTP/1.1 abc\r\n\r\n", Code::Protocol),
    ] {
        let (unanswered, message, hint) = refused(move |_| Gate::Say(words), "u:HUNTER2@").await;

        assert_eq!(unanswered.error.code(), code, "{words:?}: {message}");
        assert!(hint.contains("names an HTTP proxy"), "{hint}");
    }
}

#[tokio::test]
async fn a_proxy_that_keeps_silent_is_a_timeout() {
    let (unanswered, message, _) = refused(|_| Gate::Hang, "u:HUNTER2@").await;

    assert_eq!(unanswered.error.code(), Code::Timeout);
    assert!(message.contains("a tunnel of the proxy"), "{message}");
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named_with_the_reason() {
    let server = TestServer::start(|_| ok()).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = closed.local_addr().unwrap();
    drop(closed);
    for (address, reason) in [(dead.to_string(), "connection refused"), ("proxy.invalid:3128".to_owned(), "")] {
        let proxy = proxy(&format!("http://u:HUNTER2@{address}"));

        let unanswered = ask(&proxy, &server, "pve.invalid:8006", LONG).await.unwrap_err();

        let message = unanswered.error.to_string();
        assert_eq!(unanswered.error.code(), Code::Unreachable);
        assert!(
            message.starts_with(&format!("pve.invalid:8006: the proxy {address} cannot be reached: ")),
            "{message}"
        );
        assert!(message.contains(reason) && !unanswered.sent, "{message}");
    }
}

#[tokio::test]
async fn bytes_right_behind_the_answer_are_not_taken_for_tls() {
    let (unanswered, message, hint) =
        refused(|_| Gate::OpenWith("HTTP/1.1 200 OK\r\n\r\nRFB 003.008\n"), "u:HUNTER2@").await;

    assert_eq!(unanswered.error.code(), Code::Protocol);
    assert!(message.contains("does not speak TLS") && hint.contains("check the port"), "{message} {hint}");
}

#[tokio::test]
async fn an_answer_that_does_not_come_through_the_tunnel_is_a_timeout_of_the_server() {
    let server = TestServer::start(|_| Act::Hang).await;
    let proxy_server = TestProxy::start(|_| Gate::Open).await;
    let proxy = proxy(&proxy_server.address.to_string());

    let unanswered = ask(&proxy, &server, &server.address.to_string(), SHORT).await.unwrap_err();

    assert_eq!(unanswered.error.code(), Code::Timeout);
    assert!(unanswered.sent && unanswered.error.to_string().contains("its answer took longer than 3"));
}

#[tokio::test]
async fn a_tunnel_that_breaks_leaves_open_whether_the_question_arrived() {
    let server = TestServer::start(|_| Act::Close).await;
    let proxy_server = TestProxy::start(|_| Gate::Open).await;
    let proxy = proxy(&proxy_server.address.to_string());

    let unanswered = ask(&proxy, &server, &server.address.to_string(), LONG).await.unwrap_err();

    assert_eq!(unanswered.error.code(), Code::Unreachable);
    assert!(unanswered.sent);
}

#[test]
fn an_option_that_is_no_http_proxy_is_named_and_not_shown() {
    for text in ["socks5://u:HUNTER2@proxy:1080", "https://u:HUNTER2@proxy", "http://u:HUN/TER2@proxy:1", ""] {
        let error = option(text).unwrap_err();

        assert_eq!(error.code(), Code::InvalidArgument, "{text:?}");
        assert!(error.to_string().contains("proxmox: proxy") && error.to_string().contains("accepted is"), "{error}");
        assert!(!format!("{error:?}").contains("HUN"), "{error:?}");
    }
    assert!(Proxy::from_options(&Options::new().check(Scope::Proxmox).unwrap()).unwrap().is_none());
}
