//! A portal that owns its port: it hands connections over, or websockets whose frames it keeps, in place of `listen`.

use std::net;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderValue, Method, Response};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::admission::{Admission, admit};
use super::control::Dialect;
use super::host_socket::{AHEAD, HostSocket};
use super::pipe::{FrameStream, Role};
use super::upgrade::Visit;
use super::{Relay, connection, page, session};
use crate::net::dial;
use crate::{Code, Error, Result};

/// How long a connection that cannot be served may take to hear so.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a websocket's request says that matters here.
const HEADERS: [HeaderName; 2] = [ORIGIN, SEC_WEBSOCKET_PROTOCOL];

impl Relay {
    /// Takes the relay for this process, as its first connection does: for a host that serves connections in the background,
    /// and wants to know at once whether it may.
    pub fn take(&self) -> Result<()> {
        self.owner.check()?;
        self.shared.acceptor.check_shared()?;
        self.owner.take()
    }

    /// Serves one HTTP connection that the host accepted, until it ends. `read` is what the host has read from it: the
    /// request, and whatever came behind it.
    ///
    /// The relay need not be started. Whoever drops the future cuts off a request that is not answered yet; a console that
    /// is open goes on, and [`Relay::stop`] ends it.
    pub async fn serve<S>(&self, stream: S, read: Bytes) -> Result<()>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let place = async {
            self.take()?;
            let permit = Arc::clone(&self.shared.handshakes).acquire_owned();
            timeout(self.shared.handshake_timeout, permit).await.ok().and_then(Result::ok).ok_or_else(busy)
        };
        match place.await {
            Ok(permit) => {
                connection::serve(Arc::clone(&self.shared), stream, read, permit).await;
                Ok(())
            }
            Err(error) => {
                let _ = timeout(LAST_WORDS, decline(stream, error.code())).await;
                Err(error)
            }
        }
    }

    /// The same for a TCP socket: it is made ready for a console as one of the relay's own port is.
    pub async fn serve_tcp(&self, stream: net::TcpStream, read: Bytes) -> Result<()> {
        let unfit = |error| Error::new(Code::InvalidArgument, "relay: the socket cannot be used").with_source(error);
        stream.set_nonblocking(true).map_err(unfit)?;
        let stream = TcpStream::from_std(stream).map_err(unfit)?;
        dial::tune(&stream);
        self.serve(stream, read).await
    }

    /// What the relay answers to a request for `path` that asks for no websocket: the viewer's files, or words for who came to
    /// the wrong place. The path may begin with the prefix of `public_url` or not.
    pub fn answer(&self, method: &str, path: &str) -> Response<Bytes> {
        // A method that is none is one that no path has.
        let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::TRACE);
        page::dress(&self.shared, page::answer(&self.shared, &method, path))
    }

    /// Takes a websocket whose handshake and frames the host does: an ASGI server's. `query` is that of its URL, without the
    /// question mark; `headers` are those of its request.
    ///
    /// A browser that is refused gets a websocket as well: the reason comes over it, as everywhere.
    pub async fn accept<'a>(
        &self,
        query: &str,
        headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<HostSocket> {
        self.take()?;
        let malformed = |what: &str| Error::new(Code::InvalidArgument, format!("relay: {what}"));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let Some(name) = HEADERS.into_iter().find(|known| name.eq_ignore_ascii_case(known.as_str().as_bytes()))
            else {
                continue;
            };
            let value = HeaderValue::from_bytes(value).map_err(|_| malformed(&format!("{name} is malformed")))?;
            map.try_append(name, value).map_err(|_| malformed("too many headers"))?;
        }
        let visit = Visit::read(Some(query), &map)
            .ok_or_else(|| malformed(&format!("{SEC_WEBSOCKET_PROTOCOL} is malformed or too long")))?;
        let permit = Arc::clone(&self.shared.handshakes).try_acquire_owned().map_err(|_| busy())?;
        let admission = admit(&self.shared, &map, &visit).await;
        let reference = match &admission {
            Admission::Granted { grant, .. } => Some(grant.reference.to_string()),
            Admission::Refused { error } => error.reference().map(ToString::to_string),
        };
        tracing::debug!(reference, "a host's websocket");

        let (near, far) = tokio::io::duplex(AHEAD);
        let dialect = visit.dialect;
        let browser = FrameStream::new(near, Role::Server, &Bytes::new(), dialect == Dialect::Control).unwatched();
        tokio::spawn(session::run(Arc::clone(&self.shared), browser, dialect, admission, Arc::new(permit)));
        let protocol = visit.protocol.and_then(|protocol| protocol.to_str().map(str::to_owned).ok());
        Ok(HostSocket::new(far, protocol))
    }
}

fn busy() -> Error {
    Error::new(Code::Busy, "relay: too many browsers are on their way to a console").with_hint("raise max_handshakes")
}

/// Tells whoever asks that there is no relay for it: here is nothing to complete a websocket's handshake with.
async fn decline<S: AsyncWrite + Unpin>(mut stream: S, code: Code) -> std::io::Result<()> {
    let words = format!("{}\n", code.sentence());
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{words}",
        words.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
