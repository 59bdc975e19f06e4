//! An HTTP proxy between us and a hypervisor: it is asked for tunnels (RFC 9110, section 9.3.6) and sees nothing of what
//! goes through them, as TLS begins at their other end.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::header::{HOST, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use super::exchange::alongside;
use super::{dial, failure};
use crate::links::ProxyAddress;
use crate::options::Checked;
use crate::{Code, Error, Result, Secret};

/// A proxy, and who we are to it. `Debug` shows where it is.
pub(crate) struct Proxy {
    address: ProxyAddress,
    /// The `Proxy-Authorization` header's value.
    authorization: Option<Secret>,
}

/// Why there is no tunnel.
#[derive(Debug)]
pub(crate) struct NoTunnel {
    pub(crate) error: Error,
    /// Whether it is the place behind the proxy that fails: then another one may do.
    pub(crate) is_beyond: bool,
}

impl Proxy {
    /// Reads the option `proxy`.
    pub(crate) fn from_options(options: &Checked) -> Result<Option<Self>> {
        let Some(text) = options.secret("proxy") else { return Ok(None) };
        let wrong = |reason| options.wrong("proxy", "…", format_args!("{reason}; {}", ProxyAddress::ACCEPTED));
        ProxyAddress::parse(text.expose()).map(|address| Some(Self::new(address))).map_err(wrong)
    }

    fn new(address: ProxyAddress) -> Self {
        let basic = |secret: &Secret| Secret::new(format!("Basic {}", BASE64.encode(secret.expose())));
        let authorization = address.credentials().map(basic);
        Self { address, authorization }
    }

    /// A tunnel to `destination`, which is `host:port`, in at most `timeout`.
    pub(crate) async fn tunnel(&self, destination: &str, timeout: Duration) -> Result<TcpStream, NoTunnel> {
        let deadline = Instant::now() + timeout;
        let socket = match timeout_at(deadline, self.dial(destination, timeout)).await {
            Ok(outcome) => outcome.map_err(NoTunnel::of_the_proxy)?,
            Err(_) => return Err(NoTunnel::of_the_proxy(self.late(destination, timeout))),
        };
        match timeout_at(deadline, self.ask(socket, destination)).await {
            Ok(outcome) => outcome,
            // It is waiting for a host that does not answer, most likely.
            Err(_) => Err(NoTunnel { error: self.late(destination, timeout), is_beyond: true }),
        }
    }

    async fn dial(&self, destination: &str, timeout: Duration) -> Result<TcpStream> {
        let away = |code, reason: &dyn fmt::Display| {
            Error::new(code, format!("{destination}: the proxy {self} cannot be reached: {reason}"))
                .with_hint("check the host and port in the option proxy, and that the proxy is up")
        };
        let addresses = lookup_host((self.address.host(), self.address.port())).await;
        let addresses: Vec<_> = addresses.map_err(|error| away(Code::Unreachable, &failure::plain(&error)))?.collect();
        dial::connect(&addresses, timeout).await.map_err(|error| away(error.code(), &error))
    }

    async fn ask(&self, socket: TcpStream, destination: &str) -> Result<TcpStream, NoTunnel> {
        let request = self.request(destination).map_err(NoTunnel::of_the_proxy)?;
        let broken = |error: hyper::Error| NoTunnel::of_the_proxy(self.broken(destination, &error));
        let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(broken)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(broken)?;
            if !response.status().is_success() {
                return Err(self.refused(destination, response.status()));
            }
            hyper::upgrade::on(response).await.map_err(broken)
        };
        let upgraded = alongside(connection.with_upgrades(), exchange).await?;
        let parts = upgraded.downcast::<TokioIo<TcpStream>>().map_err(|_| {
            NoTunnel::of_the_proxy(Error::new(Code::Internal, "the stream behind a proxy's tunnel was lost"))
        })?;
        if !parts.read_buf.is_empty() {
            // The client speaks first in TLS, so whoever this is, it is no hypervisor.
            let message = format!("{destination}: what the proxy {self} leads to does not speak TLS");
            return Err(NoTunnel::of_the_proxy(Error::new(Code::Protocol, message).with_hint(failure::NO_TLS)));
        }
        Ok(parts.io.into_inner())
    }

    fn request(&self, destination: &str) -> Result<Request<Empty<Bytes>>> {
        let unusable = || Error::new(Code::Internal, format!("{destination}: a tunnel to it cannot be asked for"));
        let mut request = Request::connect(destination)
            .header(HOST, destination)
            .header(USER_AGENT, super::USER_AGENT)
            .body(Empty::new())
            .map_err(|_| unusable())?;
        if let Some(authorization) = &self.authorization {
            let mut value = HeaderValue::from_str(authorization.expose()).map_err(|_| unusable())?;
            value.set_sensitive(true);
            request.headers_mut().insert(PROXY_AUTHORIZATION, value);
        }
        Ok(request)
    }

    /// The status alone: a proxy's words are often a page, and may repeat what it was sent.
    fn refused(&self, destination: &str, status: StatusCode) -> NoTunnel {
        let message = format!("{destination}: the proxy {self} refused a tunnel (HTTP {})", status.as_u16());
        let hint = match (status, &self.authorization) {
            (StatusCode::PROXY_AUTHENTICATION_REQUIRED, None) => {
                "the proxy asks who we are: give the option proxy as http://user:password@host:port; only Basic is spoken"
            }
            (StatusCode::PROXY_AUTHENTICATION_REQUIRED, Some(_)) => {
                "the proxy does not take the user and password of the option proxy; only Basic is spoken"
            }
            (StatusCode::FORBIDDEN, _) => {
                "let the proxy permit CONNECT to this host and port: many permit port 443 alone, and names but no addresses; a name \
                 with several addresses is asked for by address"
            }
            (status, _) if status.is_server_error() => {
                "the proxy cannot reach the hypervisor: check its host and port as the proxy sees them"
            }
            _ => "check that the option proxy names an HTTP proxy that makes tunnels (CONNECT)",
        };
        let error = Error::new(Code::Unreachable, message).with_hint(hint);
        NoTunnel { error, is_beyond: status.is_server_error() }
    }

    fn broken(&self, destination: &str, error: &hyper::Error) -> Error {
        let (code, how) = if error.is_parse() {
            (Code::Protocol, "answered in a way that is no HTTP")
        } else {
            (Code::Unreachable, "closed the connection without an answer")
        };
        Error::new(code, format!("{destination}: the proxy {self} {how}")).with_hint(
            "check that the option proxy names an HTTP proxy that makes tunnels (CONNECT); SOCKS is not supported",
        )
    }

    fn late(&self, destination: &str, timeout: Duration) -> Error {
        failure::late(destination, &format!("a tunnel of the proxy {self}"), timeout)
    }
}

impl NoTunnel {
    fn of_the_proxy(error: Error) -> Self {
        Self { error, is_beyond: false }
    }
}

/// `host:port`.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.address, f)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

#[cfg(test)]
mod tests;
