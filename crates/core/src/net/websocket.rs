//! The upgrade of a connection to a websocket.
//!
//! hyper reads and writes the heads; what makes an upgrade one that may carry a console is checked here, and then the
//! stream is taken back from hyper with every byte that came behind the answer's head.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use http::header::{
    CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tokio::time::{Instant, timeout_at};

use super::exchange::alongside;
use super::http::{Answer, reason_phrase};
use super::route::Route;
use super::{Opened, Stream, failure};
use crate::console::WebSocketTarget;
use crate::reference::random_bytes;
use crate::{Code, Error, Result, Secret};

/// What helps where nobody answers an upgrade.
const PORT_GONE: &str = "the console's port may have been gone: the hypervisor waits 10 seconds for a console to be opened, once; open it again";
/// What is read of a refusal's body; the sentence in it is short.
const LARGEST_REFUSAL: usize = 64 * 1024;
/// How long the rest of a refusal may take, once its status is known: the status says the most.
const REFUSAL_TIME: Duration = Duration::from_secs(1);

/// Opens the websocket of a console at the address that issued its ticket, in at most `timeout` and the backend's own.
///
/// The time is our own: pveproxy never answers an upgrade to a port where nothing listens.
pub(crate) async fn open(target: &WebSocketTarget, timeout: Duration) -> Result<Opened> {
    let uri: Uri = target
        .url
        .expose()
        .parse()
        .map_err(|_| Error::new(Code::Internal, "a console's websocket URL cannot be read"))?;
    let server = server_name(&uri);
    let timeout = timeout.min(target.timeout);
    let deadline = Instant::now() + timeout;
    match timeout_at(deadline, upgrade(target, &uri, &server, timeout)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(failure::late(&server, "opening the console's websocket", timeout).with_hint(PORT_GONE)),
    }
}

/// The answer to a `Sec-WebSocket-Key` (RFC 6455, section 4.2.2).
pub(crate) fn accept_key(key: &[u8]) -> String {
    const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    BASE64.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key, GUID].concat()))
}

async fn upgrade(target: &WebSocketTarget, uri: &Uri, server: &str, timeout: Duration) -> Result<Opened> {
    let socket = target.route.connect(timeout).await.map_err(|failed| failed.error)?;
    let stream = target.trust.secure(server, uri, socket).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(Stream::Tls(Box::new(stream))))
        .await
        .map_err(|error| failure::answering(server, &error))?;
    let key = BASE64.encode(random_bytes::<16>()?);
    let request = request(target, uri, &key)?;

    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| no_answer(server, &error))?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let answer = refusal(response, &target.route).await;
            return Err((target.refused)(target, &answer));
        }
        verify(server, response.headers(), &key)?;
        hyper::upgrade::on(response).await.map_err(|error| failure::answering(server, &error))
    };
    let upgraded = alongside(connection.with_upgrades(), exchange).await?;
    let parts = upgraded
        .downcast::<TokioIo<Stream>>()
        .map_err(|_| Error::new(Code::Internal, "the stream behind a websocket was lost"))?;
    Ok(Opened { stream: parts.io.into_inner(), read_ahead: parts.read_buf })
}

fn request(target: &WebSocketTarget, uri: &Uri, key: &str) -> Result<Request<Empty<Bytes>>> {
    let unusable = |_| Error::new(Code::Internal, "a console's websocket request cannot be written");
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let mut request = Request::get(path)
        .header(HOST, authority)
        .header(UPGRADE, "websocket")
        .header(CONNECTION, "Upgrade")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, key)
        // PVE up to 6.3 demands one; later ones answer with whatever was offered, so that two would be no valid answer.
        .header(SEC_WEBSOCKET_PROTOCOL, "binary")
        .header(USER_AGENT, super::USER_AGENT)
        .body(Empty::new())
        .map_err(unusable)?;
    for (name, value) in &target.headers {
        let (name, value) = header(name, value)
            .ok_or_else(|| Error::new(Code::Internal, format!("the header {name} cannot be written")))?;
        request.headers_mut().append(name, value);
    }
    Ok(request)
}

fn header(name: &str, value: &Secret) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::from_str(value.expose()).ok()?;
    value.set_sensitive(true);
    Some((name.parse().ok()?, value))
}

/// Checks what a websocket client must (RFC 6455, section 4.1) before one byte passes: otherwise a stray HTTP server, or
/// a cache in between, could be taken for a console.
fn verify(server: &str, headers: &HeaderMap, key: &str) -> Result<()> {
    let wrong = |what: &str| {
        Err(Error::new(Code::Protocol, format!("{server}: its answer to the websocket request {what}"))
            .with_http_status(101)
            .with_hint("a reverse proxy between the portal and the hypervisor may not pass websockets on"))
    };
    if !has_token(headers, &UPGRADE, "websocket") {
        return wrong("does not upgrade to websocket");
    }
    if !has_token(headers, &CONNECTION, "upgrade") {
        return wrong("has no Connection: upgrade");
    }
    let mut accepts = headers.get_all(SEC_WEBSOCKET_ACCEPT).iter();
    let expected = accept_key(key.as_bytes());
    if accepts.next().is_none_or(|accept| accept.as_bytes() != expected.as_bytes()) || accepts.next().is_some() {
        return wrong("does not fit the key that was sent");
    }
    if headers.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
        return wrong("has an extension that was not offered");
    }
    let mut protocols = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    if protocols.next().is_some_and(|protocol| protocol.as_bytes() != b"binary") || protocols.next().is_some() {
        return wrong("has a sub-protocol that was not offered");
    }
    Ok(())
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// A server that closes without a word; pveproxy's worker does when it cannot reach the console's port.
fn no_answer(server: &str, error: &hyper::Error) -> Error {
    let torn = failure::io_cause(error)
        .is_some_and(|error| matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset));
    if error.is_incomplete_message() || torn {
        return Error::new(
            Code::Closed,
            format!("{server}: it closed the connection without an answer to the websocket request"),
        )
        .with_hint(PORT_GONE);
    }
    failure::answering(server, error)
}

/// A refusal with as much of its body as there is: it may end with the connection, and not in good order.
async fn refusal(response: Response<Incoming>, route: &Route) -> Answer {
    let status = response.status();
    let reason = reason_phrase(status, response.extensions());
    let mut incoming = response.into_body();
    let mut body = BytesMut::new();
    let deadline = Instant::now() + REFUSAL_TIME;
    while let Ok(Some(Ok(frame))) = timeout_at(deadline, incoming.frame()).await {
        let Ok(data) = frame.into_data() else { break };
        if body.len() + data.len() > LARGEST_REFUSAL {
            break;
        }
        body.extend_from_slice(&data);
    }
    Answer { status: status.as_u16(), reason, body: body.freeze(), route: Some(route.clone()) }
}

/// `host:port`, for errors: the URL itself holds the ticket.
fn server_name(uri: &Uri) -> String {
    uri.authority().map_or_else(String::new, ToString::to_string)
}

#[cfg(test)]
mod tests;
