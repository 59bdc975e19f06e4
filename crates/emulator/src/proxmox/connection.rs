//! One connection: requests in, answers out, until it is idle, full, wrong, or becomes a websocket.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use super::api::{self, Answer};
use super::record::{self, Call, LONGEST_BODY};
use super::settings::EventLoop;
use super::shared::Shared;
use super::{credentials, tunnel};
use crate::http::{Body, Connection, Incoming, Request, Response};
use crate::stream::Stream;

/// How many requests a connection serves.
const REQUESTS: u32 = 100;
/// The first byte of a TLS record that carries a handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// Serves a connection to its end.
pub(crate) async fn serve(shared: Arc<Shared>, tcp: TcpStream, number: u64) {
    let idle = shared.settings().timing.idle_close;
    let _ = tcp.set_nodelay(true);
    let mut first = [0];
    let Ok(Ok(1)) = timeout(idle, tcp.peek(&mut first)).await else {
        return;
    };
    if first[0] != TLS_HANDSHAKE {
        return redirect(tcp, idle).await;
    }
    let Ok(Ok(tls)) = timeout(idle, shared.identity.acceptor.accept(tcp)).await else {
        return;
    };
    answer_all(&shared, Connection::new(Stream::Tls(Box::new(tls)), idle), number).await;
}

async fn answer_all(shared: &Arc<Shared>, mut connection: Connection, number: u64) {
    for count in 1..=REQUESTS {
        let incoming = connection.next().await;
        let arrived = Instant::now();
        let settings = shared.settings();
        let request = match incoming {
            Incoming::Request(request) => request,
            Incoming::Refused(refusal, method) => {
                let bytes = Response::text_error(&refusal).to_bytes(true, method != "HEAD");
                // The connection is over whether or not this arrives.
                let _ = connection.write(&bytes).await;
                break;
            }
            Incoming::Silence => {
                connection.drain(Some(settings.timing.idle_close)).await;
                break;
            }
            Incoming::End => break,
        };
        let call = take_note(shared, &request, number);
        match api::answer(shared, &request) {
            Answer::Response(response) => {
                if response.status == 401 {
                    sleep_until(arrived + settings.timing.unauthorized_delay).await;
                }
                let response = if request.takes_gzip() { response.packed() } else { response };
                let closing = response.is_final() || request.wants_close() || count == REQUESTS;
                if connection.write(&response.to_bytes(closing, true)).await.is_err() {
                    return;
                }
                settle(shared, call, response.status, &response.reason);
                if closing {
                    break;
                }
            }
            Answer::Upgrade(upgrade) => {
                settle(shared, call, 101, "Switching Protocols");
                return tunnel::serve(shared, connection, *upgrade).await;
            }
            Answer::Silence => {
                match settings.event_loop {
                    EventLoop::Ev => connection.drain(None).await,
                    EventLoop::PurePerl => {
                        connection.drain(Some(settings.timing.idle_close)).await;
                        shared.die();
                    }
                }
                break;
            }
        }
    }
    connection.into_parts().0.end().await;
}

/// Plain HTTP on the TLS port is sent to the same place with TLS.
async fn redirect(tcp: TcpStream, idle: Duration) {
    let address = tcp.local_addr().map(|address| address.to_string()).unwrap_or_default();
    let mut connection = Connection::new(Stream::Plain(tcp), idle);
    if let Incoming::Request(Request { method, target, headers, .. }) = connection.next().await {
        let host = headers.joined("host").unwrap_or(address);
        // The client may be gone already; nothing is lost.
        let _ = connection.write(&Response::redirect(&method, &format!("https://{host}{target}"))).await;
    }
    connection.into_parts().0.end().await;
}

fn take_note(shared: &Shared, request: &Request, connection: u64) -> usize {
    let call = Call {
        connection,
        method: request.method.clone(),
        path: request.path(),
        query: request.query().to_owned(),
        headers: request.headers.iter().cloned().collect(),
        body: match &request.body {
            Body::Read(bytes) => bytes[..bytes.len().min(LONGEST_BODY)].to_vec(),
            Body::Refused(_) => Vec::new(),
        },
        credential: credentials::find(&request.headers).map(|(credential, _)| credential),
        status: None,
        reason: None,
    };
    let mut index = usize::MAX;
    shared.record.send_modify(|record| index = record::keep(&mut record.calls, call));
    index
}

fn settle(shared: &Shared, call: usize, status: u16, reason: &str) {
    shared.record.send_modify(|record| {
        if let Some(call) = record.calls.get_mut(call) {
            call.status = Some(status);
            call.reason = Some(reason.to_owned());
        }
    });
}
