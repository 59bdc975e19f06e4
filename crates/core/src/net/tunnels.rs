//! The client of a management API behind a proxy.
//!
//! reqwest speaks to proxies as well, but tells neither the status of a refusal nor which server it reached, and it asks
//! for names alone: two of its tunnels may end at two nodes, of which one does not know the other's tickets.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use http::{Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;

use super::exchange::alongside;
use super::failure;
use super::http::{Request, Unanswered};
use super::proxy::Proxy;
use super::route::{Destination, Route};
use super::tls::{Trust, host};
use crate::links::ApiAddress;
use crate::{Code, Error, Result};

/// How long a name may take to look up before the proxy is left to do it.
const LOOKUP: Duration = Duration::from_secs(2);
/// Where one name took longer, none is looked up for this time: behind a proxy there often is no DNS.
const NO_LOOKUP: Duration = Duration::from_secs(60);

/// Tunnels of one proxy. Each carries one request: who asks through a proxy asks seldom.
pub(super) struct Tunnels {
    proxy: Arc<Proxy>,
    trust: Trust,
    no_lookup_until: Mutex<Option<Instant>>,
}

impl Tunnels {
    pub(super) fn new(proxy: Arc<Proxy>, trust: Trust) -> Self {
        Self { proxy, trust, no_lookup_until: Mutex::new(None) }
    }

    /// Asks in at most `timeout`, of which half is for connecting, and gives the answer to `read`.
    pub(super) async fn send<T>(
        &self,
        request: Request,
        timeout: Duration,
        read: impl AsyncFnOnce(Response<Incoming>, Route) -> Result<T, Unanswered>,
    ) -> Result<T, Unanswered> {
        let deadline = Instant::now() + timeout;
        let unsent = |error| Unanswered { error, sent: false };
        let server = request.server.clone();
        let (uri, request) = write(request).map_err(unsent)?;
        let (stream, route) = self.reach(&server, &uri, timeout.div_f32(2.0)).await.map_err(unsent)?;
        let answering = |error: hyper::Error| Unanswered { error: failure::answering(&server, &error), sent: true };
        let exchange = async {
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(answering)?;
            let exchange = async {
                let response = sender.send_request(request).await.map_err(answering)?;
                read(response, route).await
            };
            alongside(connection, exchange).await
        };
        match timeout_at(deadline, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Unanswered { error: failure::late(&server, "its answer", timeout), sent: true }),
        }
    }

    /// The tunnels that a call to `host` would ask for, in this order.
    pub(super) async fn routes(&self, host: &ApiAddress) -> Vec<Route> {
        let destinations = self.destinations(host.host(), host.port(), &host.authority(), LOOKUP).await;
        destinations.into_iter().map(|destination| Route::Tunnel(Arc::clone(&self.proxy), destination)).collect()
    }

    async fn reach(&self, server: &str, uri: &Uri, limit: Duration) -> Result<(TlsStream<TcpStream>, Route)> {
        let deadline = Instant::now() + limit;
        let host = host(uri);
        let patience = limit.div_f32(2.0).min(LOOKUP);
        let destinations = self.destinations(host, uri.port_u16().unwrap_or(443), server, patience).await;
        let (socket, route) = self.first(&destinations, deadline).await?;
        match timeout_at(deadline, self.trust.secure(server, uri, socket)).await {
            Ok(stream) => Ok((stream?, route)),
            Err(_) => Err(failure::late(server, "connecting", limit)),
        }
    }

    /// What the proxy is asked for, one after the other.
    ///
    /// A name with several addresses is pinned to one of them. Any other is left to the proxy: its rules are made of names,
    /// and it may be the only one that can look them up.
    async fn destinations(&self, host: &str, port: u16, name: &str, patience: Duration) -> Vec<Destination> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return vec![Destination::Address(SocketAddr::new(address, port))];
        }
        choose(self.look_up(lookup_host((host, port)), patience).await, name)
    }

    /// What `lookup` finds, if it does so in time.
    async fn look_up<F>(&self, lookup: impl Future<Output = io::Result<F>>, patience: Duration) -> Vec<SocketAddr>
    where
        F: Iterator<Item = SocketAddr>,
    {
        let now = Instant::now();
        let until = *self.no_lookup_until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.is_some_and(|until| now < until) {
            return Vec::new();
        }
        if let Ok(found) = timeout_at(now + patience, lookup).await {
            return found.map(Iterator::collect).unwrap_or_default();
        }
        tracing::debug!("a name cannot be looked up here in time; the proxy is asked for names");
        *self.no_lookup_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(now + NO_LOOKUP);
        Vec::new()
    }

    /// A tunnel to the first that answers. Each gets its share of the time that is left.
    async fn first(&self, destinations: &[Destination], deadline: Instant) -> Result<(TcpStream, Route)> {
        let mut failures = Vec::new();
        for (index, destination) in destinations.iter().enumerate() {
            let left = deadline.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(destinations.len() - index).unwrap_or(u32::MAX);
            let route = Route::Tunnel(Arc::clone(&self.proxy), destination.clone());
            match route.connect(share).await {
                Ok(socket) => return Ok((socket, route)),
                Err(failed) if failed.is_beyond => failures.push(failed.error),
                Err(failed) => return Err(failed.error),
            }
        }
        Err(one_of(failures))
    }
}

/// Of the addresses of a name, what a proxy is asked for.
fn choose(found: Vec<SocketAddr>, name: &str) -> Vec<Destination> {
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    match addresses.len() {
        0 | 1 => vec![Destination::Name(name.to_owned())],
        _ => addresses.into_iter().map(Destination::Address).collect(),
    }
}

/// The last failure, which says with those before it what was tried.
fn one_of(mut failures: Vec<Error>) -> Error {
    let Some(last) = failures.pop() else {
        return Error::new(Code::Internal, "a proxy was asked for nothing");
    };
    if failures.is_empty() {
        return last;
    }
    let all: Vec<String> = failures.iter().chain([&last]).map(Error::to_string).collect();
    Error::new(last.code(), all.join("; ")).with_hint(last.hint())
}

fn write(request: Request) -> Result<(Uri, http::Request<Full<Bytes>>)> {
    let Request { method, server, url, headers, form } = request;
    let unusable = || Error::new(Code::Internal, format!("{server}: a request cannot be written"));
    let uri: Uri = url.parse().map_err(|_| unusable())?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let body = form.as_ref().map_or_else(Bytes::new, |form| Bytes::copy_from_slice(form.expose().as_bytes()));
    let mut written = http::Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, uri.authority().map_or("", |authority| authority.as_str()))
        .header(USER_AGENT, super::USER_AGENT)
        .body(Full::new(body))
        .map_err(|_| unusable())?;
    if form.is_some() {
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        written.headers_mut().insert(CONTENT_TYPE, kind);
    }
    for (name, value) in &headers {
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| unusable())?;
        value.set_sensitive(true);
        written.headers_mut().append(HeaderName::from_static(name), value);
    }
    Ok((uri, written))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::testing::{Gate, TestProxy, TestServer, trust};
    use crate::options::{Options, Scope};

    async fn tunnels(proxy: &TestProxy) -> Tunnels {
        let options = Options::new().set("proxy", proxy.address.to_string()).check(Scope::Proxmox).unwrap();
        let server = TestServer::start(|_| panic!("nobody asks")).await;
        let proxy = Proxy::from_options(&options).unwrap().unwrap();
        Tunnels::new(Arc::new(proxy), trust(&server.pinned()).unwrap())
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_with_several_addresses_is_asked_for_by_address_and_any_other_by_name() {
        let (first, second) = (address("192.0.2.1:8006"), address("[2001:db8::1]:8006"));
        let name = || vec![Destination::Name("pve:8006".to_owned())];

        assert_eq!(choose(Vec::new(), "pve:8006"), name());
        assert_eq!(choose(vec![first, first], "pve:8006"), name());
        assert_eq!(
            choose(vec![first, second, first], "pve:8006"),
            [Destination::Address(first), Destination::Address(second)]
        );
    }

    #[tokio::test]
    async fn where_names_cannot_be_looked_up_nobody_waits_for_the_next_one() {
        let tunnels = tunnels(&TestProxy::start(|_| Gate::Hang).await).await;
        let (alone, patience) = (address("192.0.2.1:8006"), Duration::from_millis(50));
        let found = || async { Ok([alone].into_iter()) };
        let never = std::future::pending::<io::Result<std::vec::IntoIter<SocketAddr>>>;

        let before = tunnels.look_up(found(), patience).await;
        let late = tunnels.look_up(never(), patience).await;
        let skipped = tunnels.look_up(found(), patience).await;
        *tunnels.no_lookup_until.lock().unwrap() = Some(Instant::now());
        let after = tunnels.look_up(found(), patience).await;

        assert_eq!([before, late, skipped, after], [vec![alone], vec![], vec![], vec![alone]]);
    }

    /// Asks for both in turn, with `gate` before them; returns what was asked for and what came of it.
    async fn ask_for_two(
        timeout: Duration,
        gate: impl FnMut(usize) -> Gate + Send + 'static,
    ) -> (Vec<String>, Result<Route>) {
        let (mut gate, mut count) = (gate, 0);
        let proxy = TestProxy::start(move |_| {
            count += 1;
            gate(count)
        })
        .await;
        let two = ["192.0.2.1:8006", "192.0.2.2:8006"].map(|text| Destination::Address(address(text)));
        let outcome = tunnels(&proxy).await.first(&two, Instant::now() + timeout).await;
        (proxy.asked(), outcome.map(|(_, route)| route))
    }

    #[tokio::test]
    async fn an_address_that_the_proxy_cannot_reach_is_passed_over() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let beyond = listener.local_addr().unwrap();
        for no in [Gate::Say("HTTP/1.1 504 Gateway Timeout\r\n\r\n"), Gate::Hang] {
            let mut no = Some(no);
            let gate = move |_| no.take().unwrap_or(Gate::To(beyond));

            let (started, timeout) = (Instant::now(), Duration::from_secs(3));
            let (asked, route) = ask_for_two(timeout, gate).await;

            assert!(started.elapsed() < timeout, "the first took it all");
            assert_eq!(asked, ["192.0.2.1:8006", "192.0.2.2:8006"]);
            assert_eq!(route.unwrap().address(), Some(address("192.0.2.2:8006")));
        }
    }

    #[tokio::test]
    async fn when_no_address_can_be_reached_each_is_named() {
        let (asked, outcome) =
            ask_for_two(Duration::from_secs(20), |_| Gate::Say("HTTP/1.1 502 Bad Gateway\r\n\r\n")).await;

        let error = outcome.unwrap_err();
        assert_eq!((asked.len(), error.code()), (2, Code::Unreachable));
        assert!(error.to_string().contains("192.0.2.1:8006: ") && error.to_string().contains("192.0.2.2:8006: "));
        assert!(error.hint().contains("cannot reach the hypervisor"), "{}", error.hint());
    }

    #[tokio::test]
    async fn a_proxy_that_forbids_one_address_is_not_asked_for_the_next() {
        let (asked, outcome) =
            ask_for_two(Duration::from_secs(20), |_| Gate::Say("HTTP/1.1 403 Forbidden\r\n\r\n")).await;

        assert_eq!(asked, ["192.0.2.1:8006"]);
        assert!(outcome.unwrap_err().hint().contains("permit CONNECT"));
    }
}
