//! One connection to a player.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::exchange::{Frame, Reply, Upgrade};
use super::matching::differences;
use super::player::Stage;
use crate::http::{Connection, Incoming, Request};
use crate::stream::Stream;
use crate::websocket;

/// What is sent again and again to who asked for a body without end.
const FILLING: [u8; 8192] = [b' '; 8192];

/// Whether a connection goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Request,
    End,
}

/// Serves a connection to its end.
pub(super) async fn serve(stage: Arc<Stage>, tcp: TcpStream) {
    let _ = tcp.set_nodelay(true);
    let stream = match &stage.identity {
        None => Stream::Plain(tcp),
        Some(identity) => {
            match timeout(stage.options.idle_close, identity.acceptor.accept(tcp)).await {
                Ok(Ok(tls)) => Stream::Tls(Box::new(tls)),
                // A client that does not trust the certificate is no mismatch: a script may be about just that.
                _ => return,
            }
        }
    };
    let mut connection = Connection::new(stream, stage.options.idle_close);
    loop {
        let request = match connection.next().await {
            Incoming::Request(request) => request,
            Incoming::Refused(refusal, line) => {
                mismatch(&stage, format!("no request that could be read: {} ({line})", refusal.reason));
                break;
            }
            Incoming::Silence => {
                mismatch(&stage, "a request with too many headers".to_owned());
                break;
            }
            Incoming::End => break,
        };
        let Some(reply) = cue(&stage, &request) else {
            let _ = connection
                .write(b"HTTP/1.1 599 Not In The Script\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .await;
            break;
        };
        if let Some(upgrade) = &reply.upgrade {
            return play_frames(&stage, connection, &request, &reply, upgrade).await;
        }
        let next = answer(&mut connection, &reply).await;
        stage.progress.send_modify(|progress| progress.done += 1);
        if reply.hang {
            connection.drain(None).await;
        }
        if next == Next::End || request.wants_close() {
            break;
        }
    }
    connection.into_parts().0.end().await;
}

/// The answer to a request if it is the one whose turn it is; else the difference is noted.
fn cue(stage: &Stage, request: &Request) -> Option<Reply> {
    let mut reply = None;
    stage.progress.send_modify(|progress| {
        let number = progress.begun + 1;
        let Some(exchange) = stage.script.exchanges.get(progress.begun) else {
            progress.mismatches.push(format!("an unexpected request: {} {}", request.method, request.target));
            return;
        };
        let found = differences(&exchange.request, request);
        if found.is_empty() {
            progress.begun = number;
            reply = Some(exchange.response.clone());
        }
        progress.mismatches.extend(found.into_iter().map(|difference| format!("exchange {number}: {difference}")));
    });
    reply
}

async fn answer(connection: &mut Connection, reply: &Reply) -> Next {
    if reply.hang {
        return Next::End;
    }
    if let Some(raw) = &reply.raw {
        let _ = connection.write(raw.as_bytes()).await;
        return if reply.close { Next::End } else { Next::Request };
    }
    if reply.close && reply.status.is_none() {
        return Next::End;
    }
    let body = body(reply);
    let mut head = head(reply, 200, "OK");
    if reply.endless {
        head.push_str("\r\n");
        if connection.write(head.as_bytes()).await.is_ok() && connection.write(&body).await.is_ok() {
            while connection.write(&FILLING).await.is_ok() {}
        }
        return Next::End;
    }
    if !has_header(reply, "content-length") && !has_header(reply, "transfer-encoding") {
        let _ = write!(head, "Content-Length: {}\r\n", body.len());
    }
    head.push_str("\r\n");
    let bytes = [head.as_bytes(), &body].concat();
    if connection.write(&bytes).await.is_err() || reply.close {
        return Next::End;
    }
    Next::Request
}

async fn play_frames(stage: &Stage, mut connection: Connection, request: &Request, reply: &Reply, upgrade: &Upgrade) {
    let mut head = head(reply, 101, "Switching Protocols");
    let mut default = |name: &str, value: &str| {
        if !has_header(reply, name) {
            let _ = write!(head, "{name}: {value}\r\n");
        }
    };
    let key = request.headers.joined("sec-websocket-key").unwrap_or_default();
    default("Upgrade", "websocket");
    default("Connection", "upgrade");
    default("Sec-WebSocket-Accept", &websocket::accept_key(&key));
    if let Some(protocol) = request.headers.joined("sec-websocket-protocol") {
        default("Sec-WebSocket-Protocol", &protocol);
    }
    head.push_str("\r\n");
    if connection.write(head.as_bytes()).await.is_err() {
        return mismatch(stage, "the client left during the upgrade".to_owned());
    }
    let (mut stream, mut ahead) = connection.into_parts();
    let mut received = Vec::new();
    for (index, frame) in upgrade.frames.iter().enumerate() {
        let outcome = match frame {
            Frame::Send(bytes) => send(&mut stream, &websocket::binary(&decode(bytes))).await,
            Frame::Receive(bytes) => {
                let wanted = decode(bytes);
                let received = receive(&mut stream, &mut ahead, &mut received, &wanted);
                let late = |_| Err(format!("`{}` did not come in time", wanted.escape_ascii()));
                timeout(stage.options.idle_close, received).await.unwrap_or_else(late)
            }
            Frame::Close(_) => {
                if send(&mut stream, &websocket::close(1000)).await.is_ok() {
                    stream.end().await;
                }
                stage.progress.send_modify(|progress| progress.done += 1);
                return;
            }
        };
        if let Err(difference) = outcome {
            return mismatch(stage, format!("frame {}: {difference}", index + 1));
        }
    }
    stage.progress.send_modify(|progress| progress.done += 1);
    // The script says nothing of an end, so it is the client's.
    let mut sink = [0; 4096];
    while let Ok(Ok(1..)) = timeout(stage.options.idle_close, stream.read(&mut sink)).await {}
}

/// Reads data frames until `wanted` has come; pings are answered on the way.
async fn receive(
    stream: &mut Stream,
    ahead: &mut Vec<u8>,
    received: &mut Vec<u8>,
    wanted: &[u8],
) -> Result<(), String> {
    loop {
        if received.len() >= wanted.len() {
            let got: Vec<u8> = received.drain(..wanted.len()).collect();
            return if got == wanted { Ok(()) } else { Err(differing(wanted, &got)) };
        }
        match websocket::take(ahead).map_err(|violation| violation.to_string())? {
            Some(websocket::Frame::Data(payload)) => received.extend(payload),
            Some(websocket::Frame::Ping(payload)) => {
                send(stream, &websocket::pong(&payload)).await?;
            }
            Some(websocket::Frame::Pong) => {}
            Some(websocket::Frame::Close) => return Err(differing(wanted, received)),
            None => {
                ahead.reserve(16 * 1024);
                if !matches!(stream.read_buf(ahead).await, Ok(1..)) {
                    return Err(differing(wanted, received));
                }
            }
        }
    }
}

fn differing(wanted: &[u8], got: &[u8]) -> String {
    format!("`{}` came instead of `{}`", got.escape_ascii(), wanted.escape_ascii())
}

async fn send(stream: &mut Stream, bytes: &[u8]) -> Result<(), String> {
    let sent = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    sent.await.map_err(|error| format!("the client is gone: {error}"))
}

fn mismatch(stage: &Stage, difference: String) {
    stage.progress.send_modify(|progress| progress.mismatches.push(difference));
}

/// Status line and headers, open for more.
fn head(reply: &Reply, status: u16, reason: &str) -> String {
    let status = reply.status.unwrap_or(status);
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reply.reason.as_deref().unwrap_or(reason));
    if reply.json.is_some() && !has_header(reply, "content-type") {
        head.push_str("Content-Type: application/json;charset=UTF-8\r\n");
    }
    for (name, value) in &reply.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head
}

fn has_header(reply: &Reply, name: &str) -> bool {
    reply.headers.keys().any(|given| given.eq_ignore_ascii_case(name))
}

fn body(reply: &Reply) -> Vec<u8> {
    match (&reply.json, &reply.text) {
        (Some(json), _) => json.to_string().into_bytes(),
        (_, Some(text)) => text.clone().into_bytes(),
        _ => Vec::new(),
    }
}

/// The script was checked when it was read.
fn decode(bytes: &str) -> Vec<u8> {
    STANDARD.decode(bytes).unwrap_or_default()
}
