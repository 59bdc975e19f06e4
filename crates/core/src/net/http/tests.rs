use super::*;
use crate::net::testing::{Act, Seen, TestServer, trust};

/// Half of it is for connecting, which a busy machine must manage.
const SHORT: Duration = Duration::from_secs(3);
const LONG: Duration = Duration::from_secs(20);

fn request(server: &TestServer) -> Request {
    let port = server.address.port();
    Request {
        method: Method::GET,
        server: format!("localhost:{port}"),
        url: format!("https://localhost:{port}/api2/json/x?secret=HUNTER2"),
        headers: vec![("authorization", "PVEAPIToken=a@b!c=HUNTER2".into())],
        form: None,
    }
}

async fn ask(server: &TestServer, timeout: Duration) -> Result<Answer, Unanswered> {
    let trust = trust(&server.pinned()).unwrap();
    let outcome = ApiClient::new(&trust, timeout).unwrap().send(request(server)).await;
    if let Err(unanswered) = &outcome {
        let source = std::error::Error::source(&unanswered.error).map(|source| format!("{source} {source:?}"));
        let shown = format!("{unanswered:?} {} {source:?}", unanswered.error);
        assert!(!shown.contains("HUNTER2"), "{shown}");
    }
    outcome
}

async fn ask_one_that(
    answer: impl FnMut(&Seen) -> Act + Send + 'static,
    timeout: Duration,
) -> Result<Answer, Unanswered> {
    ask(&TestServer::start(answer).await, timeout).await
}

fn ok(body: &str) -> Act {
    // pveproxy sends both of these in what it passes on from pvedaemon, and keeps the connection.
    Act::Send(format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nConnection: Keep-Alive\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

#[tokio::test]
async fn an_answer_has_its_status_reason_body_and_address() {
    let server = TestServer::start(|_| ok("{\"data\":1}")).await;

    let answer = ask(&server, LONG).await.unwrap();

    assert_eq!((answer.status, answer.reason.as_str()), (200, "OK"));
    assert_eq!(&answer.body[..], b"{\"data\":1}");
    assert_eq!(answer.route.as_ref().and_then(Route::address), Some(server.address));
    assert!(!format!("{answer:?}").contains("data"));
}

#[tokio::test]
async fn a_form_goes_out_whole_with_its_length() {
    let server = TestServer::start(|_| ok("{}")).await;
    let trust = trust(&server.pinned()).unwrap();
    let client = ApiClient::new(&trust, LONG).unwrap();

    client
        .send(Request {
            method: Method::POST,
            headers: vec![("cookie", "PVEAuthCookie=x".into()), ("csrfpreventiontoken", "y".into())],
            form: Some("websocket=1".into()),
            ..request(&server)
        })
        .await
        .unwrap();

    let seen = &server.seen()[0];
    assert_eq!(seen.body, "websocket=1");
    assert_eq!(seen.header("content-type"), ["application/x-www-form-urlencoded"]);
    assert_eq!(seen.header("content-length"), ["11"]);
    assert!(seen.header("transfer-encoding").is_empty() && seen.header("expect").is_empty());
    assert_eq!(seen.header("cookie"), ["PVEAuthCookie=x"]);
    assert!(seen.header("accept-encoding").is_empty() && seen.header("referer").is_empty());
}

#[tokio::test]
async fn a_refusal_keeps_its_reason_without_body_and_length() {
    let answer = ask_one_that(|_| Act::Last("HTTP/1.1 401 No ticket\r\nConnection: close\r\n\r\n".to_owned()), LONG)
        .await
        .unwrap();

    assert_eq!((answer.status, answer.reason.as_str()), (401, "No ticket"));
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = TestServer::start(|_| {
        Act::Last("HTTP/1.1 301 Moved\r\nLocation: https://localhost:1/x\r\nContent-Length: 0\r\n\r\n".to_owned())
    })
    .await;

    let error = ask(&server, LONG).await.unwrap_err().error;

    assert_eq!(error.code(), Code::Protocol);
    assert_eq!(error.http_status(), Some(301));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_endless_body_is_cut() {
    let endless = |_: &Seen| Act::Endless("HTTP/1.1 200 OK\r\n\r\n".to_owned(), "x".repeat(128 * 1024));

    let error = ask_one_that(endless, LONG).await.unwrap_err().error;

    assert_eq!(error.code(), Code::Protocol);
    assert!(error.to_string().contains("longer than"), "{error}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_timeout() {
    let stalled = |_: &Seen| Act::Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".to_owned());

    let unanswered = ask_one_that(stalled, SHORT).await.unwrap_err();

    assert_eq!(unanswered.error.code(), Code::Timeout);
    assert!(unanswered.sent);
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let unanswered = ask_one_that(|_| Act::Hang, SHORT).await.unwrap_err();

    assert_eq!(unanswered.error.code(), Code::Timeout);
    assert!(unanswered.sent);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_unreachable() {
    for act in [|| Act::Close, || Act::Last("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_owned())] {
        let unanswered = ask_one_that(move |_| act(), LONG).await.unwrap_err();

        assert_eq!(unanswered.error.code(), Code::Unreachable, "{}", unanswered.error);
        assert!(unanswered.sent);
    }
}

#[tokio::test]
async fn garbage_is_a_protocol_error() {
    let unanswered = ask_one_that(|_| Act::Last("SSH-2.0-OpenSSH_9.2\r\n".to_owned()), LONG).await.unwrap_err();

    assert_eq!(unanswered.error.code(), Code::Protocol, "{}", unanswered.error);
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_was_asked_nothing() {
    let server = TestServer::start(|_| Act::Close).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let client = ApiClient::new(&trust(&server.pinned()).unwrap(), LONG).unwrap();

    let unanswered = client
        .send(Request { server: address.to_string(), url: format!("https://{address}/"), ..request(&server) })
        .await
        .unwrap_err();

    assert_eq!(unanswered.error.to_string(), format!("{address}: connection refused"));
    assert_eq!(unanswered.error.code(), Code::Unreachable);
    assert!(!unanswered.sent);
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_unreachable() {
    let server = TestServer::start(|_| Act::Close).await;
    let client = ApiClient::new(&trust(&server.pinned()).unwrap(), LONG).unwrap();

    let unanswered = client
        .send(Request { url: "https://does-not-exist.invalid/".to_owned(), ..request(&server) })
        .await
        .unwrap_err();

    assert_eq!(unanswered.error.code(), Code::Unreachable, "{}", unanswered.error);
    assert!(!unanswered.sent);
}

#[tokio::test]
async fn plain_http_where_tls_should_be_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut server = TestServer::start(|_| Act::Close).await;
    server.address = listener.local_addr().unwrap();
    let serve = async {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 1024]).await;
        let _ = socket.write_all(b"HTTP/1.1 301 Moved Permanently\r\n\r\n").await;
    };

    let (outcome, ()) = tokio::join!(ask(&server, LONG), serve);

    let unanswered = outcome.unwrap_err();
    assert_eq!(unanswered.error.code(), Code::Protocol);
    assert!(unanswered.error.to_string().contains("does not speak TLS"), "{}", unanswered.error);
    assert!(!unanswered.sent);
}

/// A proxy would be another address than the ticket's, and would see where the portal's hypervisors are. The variables are
/// read once in a process, so the test runs itself again with them set.
#[tokio::test]
async fn the_environments_proxies_are_not_used() {
    const NAME: &str = "net::http::tests::the_environments_proxies_are_not_used";
    if std::env::var_os("ALL_PROXY").is_none() {
        let again = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME])
            .env("ALL_PROXY", "http://127.0.0.1:1")
            .env("HTTPS_PROXY", "http://127.0.0.1:1")
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&again.stdout);
        assert!(again.status.success() && printed.contains("1 passed"), "{printed}");
        return;
    }
    let server = TestServer::start(|_| ok("{}")).await;

    let answer = ask(&server, LONG).await.unwrap();

    assert_eq!(answer.route.as_ref().and_then(Route::address), Some(server.address));
}
