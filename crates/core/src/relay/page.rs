//! What the relay answers to plain requests: the viewer's files, and words for who comes to the wrong place.

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{HeaderValue, Method, Response, StatusCode};

use super::Shared;
use super::assets;
use super::upgrade::NoUpgrade;
use crate::links::PublicUrl;

/// An answer whose body is all there.
pub(super) type Answer = Response<Bytes>;

/// Whether `path`, as it came to the relay, is the websocket's.
pub(super) fn is_websocket(shared: &Shared, path: &str) -> bool {
    own(shared, path) == "/ws"
}

/// The answer to a request that asks for no websocket.
pub(super) fn answer(shared: &Shared, method: &Method, path: &str) -> Answer {
    match own(shared, path) {
        "" => to_slash(&shared.public_url),
        "/ws" => no_upgrade(&NoUpgrade::look()),
        path if assets::is_viewer_path(path) => viewer(method, path),
        _ => text(StatusCode::NOT_FOUND, "There is nothing here. The console's page is one level up.\n"),
    }
}

/// The answer to a request that should ask for a websocket and does not.
pub(super) fn no_upgrade(NoUpgrade(status, words): &NoUpgrade) -> Answer {
    let mut answer = text(*status, words);
    answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    answer.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    answer
}

/// Puts the headers on that every answer has.
pub(super) fn dress<T>(shared: &Shared, mut answer: Response<T>) -> Response<T> {
    for (name, value) in &shared.headers {
        answer.headers_mut().insert(name, value.clone());
    }
    answer
}

/// The path behind the public URL's prefix. A reverse proxy passes the prefix on, or takes it off; both are common.
fn own<'a>(shared: &Shared, path: &'a str) -> &'a str {
    path.strip_prefix(shared.public_url.prefix()).unwrap_or(path)
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
    let mut answer = Response::new(Bytes::from_static(asset.bytes));
    answer.headers_mut().insert(header::CONTENT_TYPE, asset.content_type);
    answer
}

fn text(status: StatusCode, words: &'static str) -> Answer {
    let mut answer = Response::new(Bytes::from_static(words.as_bytes()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// What the viewer needs, and nothing else. Some browsers do not count websockets of the page's own origin as `'self'`, so
/// that of the relay is named.
pub(super) fn policy(websocket_origin: &str) -> String {
    let connect = format!("'self' {websocket_origin}");
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src {}; base-uri 'none'; \
         form-action 'none'",
        connect.trim_end()
    )
}

/// The headers of every answer.
pub(super) fn fixed_headers(websocket_origin: &str, frame_ancestors: &str) -> Vec<(HeaderName, HeaderValue)> {
    let policy = format!("{}; frame-ancestors {frame_ancestors}", policy(websocket_origin));
    // Both parts are origins with strict hosts, which hold nothing that a header may not.
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    vec![
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]
}
