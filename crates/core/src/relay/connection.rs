//! One connection to the relay, on its own port or handed over by a host: plain requests, and the upgrade.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::admission::{Admission, admit};
use super::control::Dialect;
use super::pipe::{FrameStream, Role};
use super::rewound::Rewound;
use super::upgrade::Upgrade;
use super::{Shared, page, session};
use crate::{Code, Error};

/// The largest head of a request.
const LARGEST_HEAD: usize = 16 * 1024;

/// A connection that never asks for a console may live for so many handshake timeouts, however it spends them.
const PATIENCE: u32 = 6;

/// How long a connection of a relay that stops may take to hear so.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What can carry a connection.
pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Socket for S {}

/// Serves a connection from which `read` was read before.
pub(super) async fn serve<S: Socket>(shared: Arc<Shared>, stream: S, read: Bytes, permit: OwnedSemaphorePermit) {
    let permit = Arc::new(permit);
    let patience = shared.handshake_timeout;
    let stopped = shared.stopped();
    let service = service_fn(|request| {
        let answer = answer::<S>(&shared, request, &permit);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(Rewound::new(stream, read)), service)
        .with_upgrades();
    tokio::pin!(connection);
    let served = timeout(patience * PATIENCE, async {
        tokio::select! {
            served = &mut connection => Some(served),
            // Not hyper's own way to end: it loses the answer of an upgrade that is on its way.
            () = stopped => timeout(LAST_WORDS, connection).await.ok(),
        }
    });
    match served.await {
        Ok(None | Some(Ok(()))) => {}
        Ok(Some(Err(error))) => tracing::debug!(%error, "connection ended"),
        Err(_) => tracing::debug!("connection took too long"),
    }
}

async fn answer<S: Socket>(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
    permit: &Arc<OwnedSemaphorePermit>,
) -> Response<Full<Bytes>> {
    let answer = if page::is_websocket(shared, request.uri().path()) {
        websocket::<S>(shared, request, permit).await
    } else {
        page::answer(shared, request.method(), request.uri().path())
    };
    page::dress(shared, answer).map(Full::new)
}

/// Completes every handshake that is one, so that the browser can be told why it gets no console: it hides the status of a
/// failed one.
async fn websocket<S: Socket>(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
    permit: &Arc<OwnedSemaphorePermit>,
) -> page::Answer {
    let (parts, body) = request.into_parts();
    let Upgrade { accept, visit } = match Upgrade::parse(&parts) {
        Ok(upgrade) => upgrade,
        Err(reason) => return page::no_upgrade(&reason),
    };
    let admission = admit(shared, &parts.headers, &visit).await;
    let on_upgrade = hyper::upgrade::on(Request::from_parts(parts, body));
    let (shared, permit, dialect) = (Arc::clone(shared), Arc::clone(permit), visit.dialect);
    tokio::spawn(async move {
        match on_upgrade.await.map(hyper::upgrade::Upgraded::downcast::<TokioIo<Rewound<S>>>) {
            Ok(Ok(upgraded)) => {
                let text_is_control = dialect == Dialect::Control;
                let browser =
                    FrameStream::new(upgraded.io.into_inner(), Role::Server, &upgraded.read_buf, text_is_control);
                session::run(shared, browser, dialect, admission, permit).await;
            }
            Ok(Err(_)) => tracing::error!("an upgraded connection is of another type than it was"),
            Err(error) => {
                if let Admission::Granted { grant, .. } = &admission {
                    let error = Error::new(Code::Closed, "the browser went away during the upgrade").with_source(error);
                    shared.events.send(Some(&grant.reference), Some(grant), session::ended(&error));
                }
            }
        }
    });

    let mut answer = page::Answer::default();
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(protocol) = visit.protocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    answer
}
