//! The client of a management API.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Extensions, StatusCode};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use reqwest::{Client, Method, Response};

use super::failure;
use super::name;
use super::proxy::Proxy;
use super::route::Route;
use super::tls::Trust;
use super::tunnels::Tunnels;
use crate::links::ApiAddress;
use crate::{Code, Error, Result, Secret};

/// pveproxy closes an idle connection after 5 seconds; one that we would take up at that moment would fail.
const IDLE: Duration = Duration::from_secs(4);

/// Far above any answer that we ask for: a cluster's list of ten thousand guests has about 5 MiB.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Talks HTTP/1.1 over TLS. Made for pveproxy: no chunked bodies, no redirects, reason phrases kept.
#[derive(Clone)]
pub(crate) struct ApiClient {
    way: Way,
    timeout: Duration,
}

#[derive(Clone)]
enum Way {
    Direct(Client),
    Proxied(Arc<Tunnels>),
}

/// One question to a management API.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// `host:port`, for errors.
    pub(crate) server: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, Secret)>,
    /// Its body, as `application/x-www-form-urlencoded`.
    pub(crate) form: Option<Secret>,
}

/// What a management API answered, whatever its status is.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The words behind the status. Before pve-http-server 5.2 they are the only place that says what failed.
    pub(crate) reason: String,
    pub(crate) body: Bytes,
    /// The way to who answered: behind a name with several addresses, the one that knows the ticket.
    pub(crate) route: Option<Route>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct Unanswered {
    pub(crate) error: Error,
    /// Whether the server may have taken the question: if not, it can be asked elsewhere.
    pub(crate) sent: bool,
}

impl ApiClient {
    /// A client whose questions take at most `timeout`, all in all.
    pub(crate) fn new(trust: &Trust, timeout: Duration) -> Result<Self> {
        Client::builder()
            .tls_backend_preconfigured((**trust.config()).clone())
            .https_only(true)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(IDLE)
            .timeout(timeout)
            // A node that is switched off must leave time for the next one of its cluster.
            .connect_timeout(timeout.div_f32(2.0))
            .user_agent(super::USER_AGENT)
            .build()
            .map(|client| Self { way: Way::Direct(client), timeout })
            .map_err(|cause| Error::new(Code::Internal, "the HTTP client cannot be made").with_source(cause))
    }

    /// The same through a proxy.
    pub(crate) fn through(proxy: &Arc<Proxy>, trust: &Trust, timeout: Duration) -> Self {
        Self { way: Way::Proxied(Arc::new(Tunnels::new(Arc::clone(proxy), trust.clone()))), timeout }
    }

    /// The ways to a host, in the order in which they are tried, for whoever looks at each.
    pub(crate) async fn routes(&self, host: &ApiAddress) -> Result<Vec<Route>> {
        match &self.way {
            Way::Direct(_) => {
                let addresses = name::look_up(host, self.timeout).await?;
                Ok(addresses.into_iter().map(Route::Direct).collect())
            }
            Way::Proxied(tunnels) => Ok(tunnels.routes(host).await),
        }
    }

    /// Asks, and reads the whole answer.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, Unanswered> {
        let client = match &self.way {
            Way::Direct(client) => client,
            Way::Proxied(tunnels) => {
                let server = request.server.clone();
                let read = async |response: http::Response<Incoming>, route| {
                    self.read(&server, response.map(reqwest::Body::wrap).into(), Some(route)).await
                };
                return tunnels.send(request, self.timeout, read).await;
            }
        };
        let Request { method, server, url, headers, form } = request;
        let mut builder = client.request(method, url);
        for (name, value) in &headers {
            builder = builder.header(*name, value.expose());
        }
        if let Some(form) = &form {
            builder =
                builder.header("content-type", "application/x-www-form-urlencoded").body(form.expose().to_owned());
        }
        let response = builder.send().await.map_err(|error| {
            // The URL may hold a ticket, and errors end in logs.
            let error = error.without_url();
            Unanswered { sent: !error.is_connect(), error: self.unsent(&server, error) }
        })?;
        let route = response.remote_addr().map(Route::Direct);
        self.read(&server, response, route).await
    }

    async fn read(&self, server: &str, mut response: Response, route: Option<Route>) -> Result<Answer, Unanswered> {
        let status = response.status();
        let reason = reason_phrase(status, response.extensions());
        let answered = |error| Unanswered { error, sent: true };
        if status.is_redirection() {
            return Err(answered(
                Error::new(Code::Protocol, format!("{server}: it answered with a redirect (HTTP {})", status.as_u16()))
                    .with_http_status(status.as_u16())
                    .with_hint("give the address of the management API itself; redirects are not followed, for they could lead the credentials astray"),
            ));
        }
        let mut body = BytesMut::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > LARGEST_ANSWER => {
                    return Err(answered(Error::new(
                        Code::Protocol,
                        format!("{server}: its answer is longer than {LARGEST_ANSWER} bytes"),
                    )));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                // pveproxy's own refusals have no length and end with the connection, not always in good order.
                Err(_) if status.as_u16() >= 400 => break,
                Err(error) if error.is_timeout() => {
                    return Err(answered(failure::late(server, "its answer", self.timeout)));
                }
                Err(error) => {
                    return Err(answered(failure::answering(server, &error.without_url())));
                }
            }
        }
        Ok(Answer { status: status.as_u16(), reason, route, body: body.freeze() })
    }

    fn unsent(&self, server: &str, error: reqwest::Error) -> Error {
        let named = match (error.is_connect(), error.is_timeout()) {
            (true, true) => failure::late(server, "connecting", self.timeout.div_f32(2.0)),
            (false, true) => failure::late(server, "its answer", self.timeout),
            (true, false) => failure::connecting(server, &error),
            (false, false) => failure::answering(server, &error),
        };
        named.with_source(error)
    }
}

/// The words beside a status: its own, or the usual ones.
pub(crate) fn reason_phrase(status: StatusCode, extensions: &Extensions) -> String {
    let own = extensions.get::<ReasonPhrase>().map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned());
    own.or_else(|| status.canonical_reason().map(str::to_owned)).unwrap_or_default()
}

impl fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiClient").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its body may hold a ticket.
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("reason", &self.reason)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
