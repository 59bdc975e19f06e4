//! The relay's port: the websocket, the viewer's files, and nothing else.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::assets;
use super::events::What;
use super::pipe::{FrameStream, Role};
use super::session::{self, Admission};
use super::upgrade::{NoPass, NoUpgrade, Upgrade};
use super::{Shared, control::Dialect};
use crate::links::PublicUrl;
use crate::net::dial;
use crate::{Code, Error, Result};

/// The largest head of a request.
const LARGEST_HEAD: usize = 16 * 1024;

/// A connection that never asks for a console may live for so many handshake timeouts, however it spends them.
const PATIENCE: u32 = 6;

/// How long to wait when the system cannot give a connection, for example for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type Answer = Response<Full<Bytes>>;

/// Accepts connections until `stop` changes.
pub(super) async fn serve(shared: Arc<Shared>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let handshakes = Arc::new(Semaphore::new(shared.max_handshakes));
    loop {
        // Beyond the limit connections wait in the kernel's queue, and the timeouts make room.
        let accepted = async {
            let permit = Arc::clone(&handshakes).acquire_owned().await;
            (permit, accept(&listener).await)
        };
        tokio::select! {
            _ = stop.changed() => return,
            (permit, accepted) = accepted => match (permit, accepted) {
                (Ok(permit), Ok(stream)) => {
                    tokio::spawn(connection(Arc::clone(&shared), stream, permit, stop.clone()));
                }
                (_, Err(error)) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
                // The semaphore is never closed.
                (Err(_), _) => return,
            },
        }
    }
}

/// The next connection, without delay for small messages and watched for a peer that is gone.
async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    let (stream, _) = listener.accept().await?;
    dial::tune(&stream);
    Ok(stream)
}

async fn connection(
    shared: Arc<Shared>,
    stream: TcpStream,
    permit: OwnedSemaphorePermit,
    mut stop: watch::Receiver<bool>,
) {
    let permit = Arc::new(permit);
    let patience = shared.handshake_timeout;
    let service = service_fn(|request| {
        let answer = answer(&shared, request, &permit);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let served = timeout(patience * PATIENCE, async {
        tokio::select! {
            served = &mut connection => served,
            _ = stop.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    });
    match served.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "connection ended"),
        Err(_) => tracing::debug!("connection took too long"),
    }
}

async fn answer(shared: &Arc<Shared>, request: Request<Incoming>, permit: &Arc<OwnedSemaphorePermit>) -> Answer {
    // A reverse proxy passes the prefix of the public URL on, or takes it off; both are common.
    let whole = request.uri().path();
    let path = whole.strip_prefix(shared.public_url.prefix()).unwrap_or(whole).to_owned();
    let mut answer = match path.as_str() {
        "" => to_slash(&shared.public_url),
        "/ws" => websocket(shared, request, permit).await,
        path if assets::is_viewer_path(path) => viewer(request.method(), path),
        _ => text(StatusCode::NOT_FOUND, "There is nothing here. The console's page is one level up.\n"),
    };
    for (name, value) in &shared.headers {
        answer.headers_mut().insert(name, value.clone());
    }
    answer
}

/// The page's own references are relative, so it must be asked for with a slash at its end.
fn to_slash(public_url: &PublicUrl) -> Answer {
    let mut answer = text(StatusCode::PERMANENT_REDIRECT, "The console's page is at this address with a slash.\n");
    if let Ok(address) = HeaderValue::from_str(&format!("{}/", public_url.as_str())) {
        answer.headers_mut().insert(header::LOCATION, address);
    }
    answer
}

fn viewer(method: &Method, path: &str) -> Answer {
    if method != Method::GET && method != Method::HEAD {
        let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "This page can only be read.\n");
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    let Some(asset) = assets::find(path) else {
        return text(StatusCode::NOT_FOUND, assets::MISSING);
    };
    let mut answer = Response::new(Full::new(Bytes::from_static(asset.bytes)));
    answer.headers_mut().insert(header::CONTENT_TYPE, asset.content_type);
    answer
}

/// Completes every handshake that is one, so that the browser can be told why it gets no console: it hides the status of a
/// failed one. The origin is checked before the pass is taken, and a place reserved, so that neither spends it.
async fn websocket(shared: &Arc<Shared>, request: Request<Incoming>, permit: &Arc<OwnedSemaphorePermit>) -> Answer {
    let (parts, body) = request.into_parts();
    let upgrade = match Upgrade::parse(&parts) {
        Ok(upgrade) => upgrade,
        Err(NoUpgrade(status, words)) => {
            let mut answer = text(status, words);
            answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            answer.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            return answer;
        }
    };
    let admission = match admit(shared, &parts, &upgrade).await {
        Ok(admission) => admission,
        Err(error) => Admission::Refused { error },
    };
    let on_upgrade = hyper::upgrade::on(Request::from_parts(parts, body));
    let (shared, permit, dialect) = (Arc::clone(shared), Arc::clone(permit), upgrade.dialect);
    tokio::spawn(async move {
        match on_upgrade.await.map(hyper::upgrade::Upgraded::downcast::<TokioIo<TcpStream>>) {
            Ok(Ok(upgraded)) => {
                let stream = upgraded.io.into_inner();
                let text_is_control = dialect == Dialect::Control;
                let browser = FrameStream::new(stream, Role::Server, &upgraded.read_buf, text_is_control);
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

    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, upgrade.accept);
    if let Some(protocol) = upgrade.protocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    answer
}

async fn admit(shared: &Arc<Shared>, parts: &http::request::Parts, upgrade: &Upgrade) -> Result<Admission> {
    shared.origins.check(&parts.headers)?;
    let permit = shared.sessions.reserve()?;
    let pass = upgrade.pass.as_ref().map_err(|NoPass(what)| Error::new(Code::PassInvalid, format!("pass: {what}")))?;
    let grant = shared.acceptor.take(pass.expose()).await?;
    shared.events.send(Some(&grant.reference), Some(&grant), What::Taken);
    let place = shared.sessions.enter(grant.reference.clone(), permit).inspect_err(|error| {
        shared.events.send(Some(&grant.reference), Some(&grant), session::ended(error));
    })?;
    Ok(Admission::Granted { grant, place })
}

fn text(status: StatusCode, words: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(words.as_bytes())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// The headers of every answer.
pub(super) fn fixed_headers(websocket_origin: &str, frame_ancestors: &str) -> Vec<(HeaderName, HeaderValue)> {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self' {websocket_origin}; base-uri 'none'; form-action 'none'; frame-ancestors {frame_ancestors}"
    );
    // Both parts are origins, which hold nothing that a header may not.
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    vec![
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_browsers_connection_is_tuned_as_ours_to_the_hypervisor_is() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();

        let (accepted, _browser) = tokio::join!(accept(&listener), TcpStream::connect(address));

        let accepted = accepted.unwrap();
        let options = socket2::SockRef::from(&accepted);
        assert!(accepted.nodelay().unwrap() && options.keepalive().unwrap());
        assert!(options.tcp_user_timeout().unwrap().is_some());
    }
}
