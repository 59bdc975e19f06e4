//! The HTTP rules of pve-http-server: what it takes, what it refuses, and when it falls silent.

use std::time::Duration;

use consolepass_emulator::proxmox::{Emulator, Settings};
use tokio::time::Instant;

use crate::support::{Client, Ending, TOKEN, plain, quick, request, started};

const VERSION: &str = "/api2/json/version";

/// Settings that close an idle connection soon, for tests that wait for it.
fn impatient() -> Settings {
    let mut settings = quick();
    settings.timing.idle_close = Duration::from_millis(150);
    settings
}

async fn refusal(emulator: &Emulator, bytes: &str) -> String {
    let mut client = Client::to(emulator).await;
    client.send(bytes).await;
    let answer = client.answer().await;
    assert_eq!(answer.all("Connection"), ["close"]);
    assert_eq!(client.rest().await, (Vec::new(), Ending::Clean), "a refusal ends the connection");
    answer.status_line
}

#[tokio::test]
async fn an_answer_has_the_real_headers_in_the_real_order() {
    let emulator = started(quick()).await;

    let answer = Client::to(&emulator).await.get(VERSION, &[("Authorization", TOKEN)]).await;

    assert_eq!(answer.status_line, "HTTP/1.1 200 OK");
    let names =
        ["Cache-Control", "Connection", "Date", "Pragma", "Server", "Content-Length", "Content-Type", "Expires"];
    assert_eq!(answer.names(), names);
    assert_eq!(answer.all("Server"), ["pve-api-daemon/3.0"]);
    assert_eq!(answer.all("Content-Type"), ["application/json;charset=UTF-8"]);
}

#[tokio::test]
async fn a_proxied_answer_has_two_connection_headers_and_stays_open() {
    let emulator = started(quick()).await;
    let mut client = Client::to(&emulator).await;

    let path = "/api2/json/nodes/pve1/qemu/101/vncproxy";
    let answer = client.post(path, &[("Authorization", TOKEN)], "websocket=1").await;

    assert_eq!(answer.all("Connection"), ["close", "Keep-Alive"]);
    assert_eq!(client.get(VERSION, &[("Authorization", TOKEN)]).await.status_line, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn the_hundredth_answer_closes_the_connection() {
    let emulator = started(quick()).await;
    let mut client = Client::to(&emulator).await;

    for count in 1..=100 {
        let answer = client.get(VERSION, &[("Authorization", TOKEN)]).await;
        let expected = if count == 100 { "close" } else { "Keep-Alive" };
        assert_eq!(answer.all("Connection"), [expected], "answer {count}");
    }

    assert_eq!(client.rest().await, (Vec::new(), Ending::Clean));
}

#[tokio::test]
async fn an_idle_connection_is_closed_before_and_after_a_request_and_within_one() {
    let emulator = started(impatient()).await;
    let whole = request("GET", VERSION, &[("Authorization", TOKEN)], "");

    let mut fresh = Client::to(&emulator).await;
    assert_eq!(fresh.rest().await, (Vec::new(), Ending::Clean));
    let mut silent = tokio::net::TcpStream::connect(emulator.address()).await.unwrap();
    assert_eq!(tokio::io::AsyncReadExt::read(&mut silent, &mut [0]).await.unwrap(), 0, "not even TLS was begun");
    let mut half = Client::to(&emulator).await;
    half.send(&whole[..40]).await;
    assert_eq!(half.rest().await, (Vec::new(), Ending::Clean));
    let mut used = Client::to(&emulator).await;
    used.get(VERSION, &[("Authorization", TOKEN)]).await;
    assert_eq!(used.rest().await, (Vec::new(), Ending::Clean));
}

#[test]
fn by_default_an_idle_connection_lives_for_five_seconds_and_a_401_takes_three() {
    let timing = Settings::default().timing;

    assert_eq!(timing.idle_close, Duration::from_secs(5));
    assert_eq!(timing.unauthorized_delay, Duration::from_secs(3));
    assert_eq!(timing.listener_life, Duration::from_secs(10));
    assert_eq!(timing.password_life, Duration::from_secs(30));
}

#[tokio::test]
async fn too_many_or_too_large_headers_get_no_answer_and_then_the_end() {
    let emulator = started(impatient()).await;
    let with_lines = |count| {
        let lines = "X: y\r\n".repeat(count);
        format!("GET {VERSION} HTTP/1.1\r\nAuthorization: {TOKEN}\r\n{lines}\r\n")
    };
    let with_size =
        |size| format!("GET {VERSION} HTTP/1.1\r\nAuthorization: {TOKEN}\r\nX: {}\r\n\r\n", "y".repeat(size));

    for refused in [with_lines(63), with_size(8192)] {
        let mut client = Client::to(&emulator).await;
        client.send(refused).await;
        assert_eq!(client.rest().await, (Vec::new(), Ending::Clean));
    }
    for taken in [with_lines(62), with_size(8000)] {
        let mut client = Client::to(&emulator).await;
        client.send(taken).await;
        assert_eq!(client.answer().await.status_line, "HTTP/1.1 200 OK");
    }
}

#[tokio::test]
async fn a_request_line_may_be_as_long_as_it_likes() {
    let emulator = started(quick()).await;

    let path = format!("{VERSION}?_dc={}", "1".repeat(20_000));
    let answer = Client::to(&emulator).await.get(&path, &[("Authorization", TOKEN)]).await;

    assert_eq!(answer.status_line, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn what_the_server_cannot_do_is_refused_in_its_words() {
    let emulator = started(quick()).await;
    let with = |method, headers: &[(&str, &str)], body: &str| {
        let mut all = vec![("Authorization", TOKEN)];
        all.extend(headers);
        request(method, VERSION, &all, body)
    };

    let cases = [
        (with("POST", &[("Transfer-Encoding", "chunked")], ""), "501 chunked transfer encoding not supported"),
        (with("OPTIONS", &[], ""), "501 method 'OPTIONS' not available"),
        (with("PATCH", &[], ""), "501 method 'PATCH' not available"),
        (with("GET", &[], "a=1"), "501 Unexpected content for method 'GET'"),
        (with("DELETE", &[], "a=1"), "501 Unexpected content for method 'DELETE'"),
        (with("POST", &[("Content-Type", "text/plain")], "a"), "506 upload 'Content-Type 'text/plain' not implemented"),
        (with("POST", &[("Content-Length", "524289")], ""), "501 for data too large"),
        (format!("GET {VERSION} HTTP/1.1\r\nno header\r\n\r\n"), "506 unable to parse request header"),
        ("PRI * HTTP/2.0\r\n\r\n".to_owned(), "506 http protocol version 2.0 not supported"),
        (with("GET", &[], "").replace("/version", "/nothing"), "501 Method 'GET /nothing' not implemented"),
        (with("POST", &[], ""), "501 Method 'POST /version' not implemented"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(refusal(&emulator, &bytes).await, format!("HTTP/1.1 {expected}"));
    }
}

#[tokio::test]
async fn a_refused_head_request_has_no_body() {
    let emulator = started(quick()).await;
    let mut client = Client::to(&emulator).await;

    client.send(request("HEAD", VERSION, &[("Authorization", TOKEN)], "")).await;
    let (bytes, ending) = client.rest().await;

    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with("HTTP/1.1 501 method 'HEAD' not available\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\n"), "{text}");
    assert_eq!(ending, Ending::Clean);
}

#[tokio::test]
async fn no_continue_is_ever_sent() {
    let emulator = started(quick()).await;
    let mut client = Client::to(&emulator).await;

    let form = "username=portal%40pve&password=portal-password";
    let answer = client.post("/api2/json/access/ticket", &[("Expect", "100-continue")], form).await;

    assert_eq!(answer.status_line, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn who_is_calling_is_asked_before_anything_else() {
    let emulator = started(quick()).await;

    for path in ["/api2/json/nothing", VERSION, "/api2/json/nodes/pve1/qemu/999/vncwebsocket?x=1"] {
        let line = refusal(&emulator, &request("GET", path, &[], "")).await;
        assert_eq!(line, "HTTP/1.1 401 No ticket");
    }
}

#[tokio::test]
async fn a_401_of_the_authentication_stage_has_no_body_and_takes_its_time() {
    let mut settings = quick();
    settings.timing.unauthorized_delay = Duration::from_millis(300);
    let emulator = started(settings).await;
    let mut client = Client::to(&emulator).await;

    let begun = Instant::now();
    let answer = client.get(VERSION, &[]).await;

    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert_eq!(answer.status_line, "HTTP/1.1 401 No ticket");
    assert_eq!(answer.names(), ["Cache-Control", "Connection", "Date", "Pragma", "Server", "Expires"]);
    assert_eq!(answer.body, b"");
}

#[tokio::test]
async fn by_default_a_401_takes_three_seconds() {
    let emulator = started(Settings::default()).await;
    let begun = Instant::now();

    Client::to(&emulator).await.get(VERSION, &[]).await;

    assert!((3..6).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_client_that_wants_the_end_gets_it() {
    let emulator = started(quick()).await;
    let mut client = Client::to(&emulator).await;

    let headers = [("Authorization", TOKEN), ("Connection", "Close")];
    let answer = client.get(VERSION, &headers).await;

    assert_eq!(answer.all("Connection"), ["close"]);
    assert_eq!(client.rest().await, (Vec::new(), Ending::Clean));
}

#[tokio::test]
async fn a_large_body_is_packed_for_who_asks_and_for_nobody_else() {
    let emulator = started(quick()).await;
    let gzip = [("Authorization", TOKEN), ("Accept-Encoding", "gzip, deflate")];
    let large = "/api2/json/nodes/pve1/qemu/101/vncproxy";
    let mut client = Client::to(&emulator).await;

    let small = client.get(VERSION, &gzip).await;
    let packed = client.post(large, &gzip, "").await;
    let plain = client.post(large, &gzip[..1], "").await;

    assert!(small.all("Content-Encoding").is_empty() && plain.all("Content-Encoding").is_empty());
    assert_eq!(packed.all("Content-Encoding"), ["gzip"]);
    assert_eq!(packed.body[..3], [0x1F, 0x8B, 8]);
    assert!(plain.body.len() > 1024, "the certificate alone is larger");
}

#[tokio::test]
async fn plain_http_is_sent_to_the_same_place_with_tls() {
    let emulator = started(quick()).await;

    let got = plain(emulator.address(), "GET /x?y=1 HTTP/1.1\r\nHost: pve:8006\r\n\r\n").await;
    let posted = plain(emulator.address(), "POST /x HTTP/1.1\r\nHost: pve:8006\r\n\r\n").await;

    assert!(got.starts_with("HTTP/1.1 301 Moved Permanently\r\nLocation: https://pve:8006/x?y=1\r\n"), "{got}");
    assert!(posted.starts_with("HTTP/1.1 308 "), "{posted}");
}

#[tokio::test]
async fn a_connection_that_says_nothing_readable_ends_and_others_do_not_notice() {
    let emulator = started(impatient()).await;

    let noise = plain(emulator.address(), "\u{1}\u{2}\u{3}").await;
    let answer = Client::to(&emulator).await.get(VERSION, &[("Authorization", TOKEN)]).await;

    assert_eq!(noise, "");
    assert_eq!(answer.status_line, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn noise_inside_tls_is_refused_or_waited_out() {
    let emulator = started(impatient()).await;

    assert_eq!(refusal(&emulator, "what?\r\n\r\n").await, "HTTP/1.1 400 bad request");
    let mut endless = Client::to(&emulator).await;
    endless.send([0xFF; 5000]).await;
    assert_eq!(endless.rest().await, (Vec::new(), Ending::Clean));
}

#[tokio::test]
async fn the_record_is_bounded_however_much_is_asked() {
    let emulator = started(quick()).await;
    let body = "username=nobody@pve&password=".to_owned() + &"x".repeat(10_000);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let mut client = Client::to(&emulator).await;
    client.send(request("POST", "/api2/json/access/ticket", &form, &body)).await;
    client.answer().await;
    // A hundred on each connection, as many as it serves.
    let flood = request("GET", "/api2/json/access/ticket", &[], "").repeat(100);

    for _ in 0..101 {
        let mut client = Client::to(&emulator).await;
        client.send(&flood).await;
        assert!(!client.rest().await.0.is_empty());
    }

    let calls = emulator.requests();
    assert_eq!(calls.len(), 10_000);
    assert_eq!(calls[0].body, &body.as_bytes()[..4096]);
    let line = Client::to(&emulator).await.get(VERSION, &[("Authorization", TOKEN)]).await.status_line;
    assert_eq!(line, "HTTP/1.1 200 OK", "beyond the record it serves as before");
}

#[tokio::test]
async fn no_protocol_is_chosen_whatever_is_offered_and_the_second_version_is_refused() {
    let emulator = started(quick()).await;

    let client = Client::to(&emulator).await;
    let second = refusal(&emulator, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;

    assert_eq!(client.stream.get_ref().1.alpn_protocol(), None);
    assert_eq!(second, "HTTP/1.1 506 http protocol version 2.0 not supported");
}

#[tokio::test]
async fn the_fingerprint_is_that_of_the_certificate_shown() {
    let emulator = started(quick()).await;
    let client = Client::to(&emulator).await;

    let shown = client.stream.get_ref().1.peer_certificates().unwrap()[0].clone();
    let digest = ring::digest::digest(&ring::digest::SHA256, &shown);
    let spelt: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();

    assert_eq!(emulator.fingerprint(), spelt.join(":"));
}

#[tokio::test]
async fn dropping_the_emulator_ends_its_connections() {
    let emulator = started(quick()).await;
    let address = emulator.address();
    let mut client = Client::to(&emulator).await;

    drop(emulator);

    assert_eq!(client.rest().await.0, b"");
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
