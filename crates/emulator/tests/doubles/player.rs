//! Scripts: what fits is answered, what does not is reported.

use consolepass_emulator::script::{Options, Player, Script};

use crate::support::socket::{Socket, frame};
use crate::support::{Client, request};

const TWO: &str = r#"[
    {"request": {"method": "POST", "path": "/login", "form": {"user": "a b"}, "headers": {"x-one": {"starts_with": "ab"}},
                 "absent_headers": ["cookie"]},
     "response": {"status": 403, "reason": "No Entry", "json": {"data": null}}},
    {"request": {"method": "GET", "path": "/next", "query": {"q": "1+1"}}, "response": {"text": "fine"}}
]"#;

async fn player(script: &str) -> (Player, Client) {
    let player = Player::start(Script::from_json(script).unwrap()).await.unwrap();
    let client = Client::connect(player.address(), player.ca_pem().unwrap()).await;
    (player, client)
}

#[tokio::test]
async fn a_script_that_is_followed_has_no_complaints() {
    let (player, mut client) = player(TWO).await;

    let first = client.post("/login", &[("X-One", "abc")], "user=a+b").await;
    let second = client.get("/next?q=1%2B1", &[]).await;

    assert_eq!(first.status_line, "HTTP/1.1 403 No Entry");
    assert_eq!(first.json(), serde_json::json!({ "data": null }));
    assert_eq!(second.body, b"fine");
    assert_eq!(player.finish().await, Ok(()));
}

#[tokio::test]
async fn every_difference_and_everything_that_did_not_happen_is_named() {
    let (player, mut client) = player(TWO).await;

    let answer = client.post("/other", &[("X-One", "xyz"), ("Cookie", "a=b")], "user=c&more=1").await;

    assert!(answer.status_line.contains("599"), "{}", answer.status_line);
    let complaints = player.finish().await.unwrap_err().join("\n");
    for part in
        ["path is `/other`", "x-one", "cookie", "form user", "form more is unexpected", "exchange 2 never happened"]
    {
        assert!(complaints.contains(part), "{part} is not in:\n{complaints}");
    }
}

#[tokio::test]
async fn a_request_beyond_the_script_is_a_complaint() {
    let (player, mut client) = player("[]").await;

    client.get("/", &[]).await;

    assert_eq!(player.finish().await, Err(vec!["an unexpected request: GET /".to_owned()]));
}

#[tokio::test]
async fn a_websocket_plays_its_frames() {
    let script = r#"[{"request": {"path": "/ws"}, "response": {"upgrade": {"frames": [
        {"send": "aGVsbG8="}, {"receive": "d29ybGQ="}, {"close": true}]}}}]"#;
    let (player, mut client) = player(script).await;

    let upgrade = [("Upgrade", "websocket"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")];
    let answer = client.get("/ws", &upgrade).await;
    let mut socket = Socket { client, stream: Vec::new() };

    assert_eq!(answer.all("Sec-WebSocket-Accept"), ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]);
    assert_eq!(socket.bytes(5).await, b"hello");
    socket.raw(&[frame(0x82, true, b"wor"), frame(0x82, true, b"ld")].concat()).await;
    assert_eq!(socket.frame().await.unwrap(), (0x88, vec![0x03, 0xE8]));
    assert_eq!(player.finish().await, Ok(()));
}

#[tokio::test]
async fn wrong_bytes_on_a_websocket_are_a_complaint() {
    let script = r#"[{"request": {}, "response": {"upgrade": {"frames": [{"receive": "d29ybGQ="}]}}}]"#;
    let (player, mut client) = player(script).await;

    client.get("/ws", &[("Upgrade", "websocket"), ("Sec-WebSocket-Key", "k")]).await;
    client.send(frame(0x82, true, b"words")).await;

    assert_eq!(player.finish().await, Err(vec!["frame 1: `words` came instead of `world`".to_owned()]));
}

#[tokio::test]
async fn raw_bytes_closing_and_hanging_are_answers_too() {
    let script = r#"[{"request": {}, "response": {"raw": "HTTP/1.0 200 Hm\r\n\r\nodd", "close": true}},
                     {"request": {}, "response": {"close": true}}, {"request": {}, "response": {"hang": true}}]"#;
    let (player, mut client) = player(script).await;

    client.send(request("GET", "/", &[], "")).await;
    assert_eq!(client.rest().await.0, b"HTTP/1.0 200 Hm\r\n\r\nodd");
    let mut client = Client::connect(player.address(), player.ca_pem().unwrap()).await;
    client.send(request("GET", "/", &[], "")).await;
    assert_eq!(client.rest().await.0, b"");
    let mut client = Client::connect(player.address(), player.ca_pem().unwrap()).await;
    client.send(request("GET", "/", &[], "")).await;
    assert!(client.is_silent().await);

    assert_eq!(player.finish().await, Ok(()));
}

#[tokio::test]
async fn an_endless_body_goes_on_until_the_client_has_had_enough() {
    let (player, mut client) = player(r#"[{"request": {}, "response": {"endless": true, "text": "{"}}]"#).await;

    client.send(request("GET", "/", &[], "")).await;
    client.exactly(4 * 1024 * 1024).await;
    drop(client);

    assert_eq!(player.finish().await, Ok(()));
}

#[tokio::test]
async fn plain_http_is_served_when_it_is_asked_for() {
    let script = Script::from_json(r#"[{"request": {"path": "/x"}, "response": {"text": "y"}}]"#).unwrap();
    let player = Player::start_with(script, Options { tls: false, ..Options::default() }).await.unwrap();

    let answer = crate::support::plain(player.address(), &request("GET", "/x", &[("Connection", "close")], "")).await;

    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\ny"), "{answer}");
    assert_eq!(player.finish().await, Ok(()));
}

#[test]
fn a_misspelt_demand_is_refused() {
    for wrong in [
        "{}",
        r#"[{"request": {"metod": "GET"}, "response": {}}]"#,
        r#"[{"request": {}, "response": {"text": "a", "json": 1}}]"#,
        r#"[{"request": {}, "response": {"upgrade": {"frames": [{"send": "%"}]}}}]"#,
    ] {
        assert!(Script::from_json(wrong).is_err(), "{wrong}");
    }
}
