//! A portal that owns its port: it hands connections over, or websockets whose frames it keeps, in place of `listen`.

use std::net;
use std::sync::Arc;

use bytes::Bytes;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::admission::{Admission, admit};
use super::control::Dialect;
use super::pipe::frames::{self, BINARY, CLOSE, Decoder, Header, Piece, TEXT};
use super::pipe::{FrameStream, Role};
use super::upgrade::Visit;
use super::{Relay, connection, page, session};
use crate::net::dial;
use crate::{Code, Error, Result};

/// How much a console and its host may each be ahead of the other.
const AHEAD: usize = 64 * 1024;

/// The key of frames that never leave this process: it changes nothing.
const NO_MASK: [u8; 4] = [0; 4];

impl Relay {
    /// Takes the relay for this process, as its first connection does: for a host that serves connections in the background,
    /// and wants to know at once whether it may.
    pub fn take(&self) -> Result<()> {
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
        self.take()?;
        let permit = Arc::clone(&self.shared.handshakes).acquire_owned();
        let permit = timeout(self.shared.handshake_timeout, permit).await.ok().and_then(Result::ok);
        connection::serve(Arc::clone(&self.shared), stream, read, permit.ok_or_else(busy)?).await;
        Ok(())
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
            let name = HeaderName::from_bytes(name).map_err(|_| malformed("a header's name is malformed"))?;
            let value = HeaderValue::from_bytes(value).map_err(|_| malformed("a header's value is malformed"))?;
            map.append(name, value);
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

/// One message of a websocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Bytes of the console, cut anywhere.
    Binary(Bytes),
    /// A control message, or bytes of the console from a browser that knows no binary frames.
    Text(String),
    /// The end, and why.
    Close {
        /// 4000 plus the number of a [`Code`], or one of RFC 6455.
        code: u16,
        /// The code's name.
        reason: String,
    },
}

/// The relay's end of a websocket whose frames the host keeps. Dropping it is the browser going away.
///
/// The host looks after the browser's life: it pings, and drops the socket of a browser that is gone.
pub struct HostSocket {
    protocol: Option<String>,
    from_session: Mutex<Incoming>,
    to_session: Mutex<WriteHalf<DuplexStream>>,
}

struct Incoming {
    stream: ReadHalf<DuplexStream>,
    decoder: Decoder,
    raw: Vec<u8>,
    at: usize,
    closed: bool,
}

impl HostSocket {
    fn new(stream: DuplexStream, protocol: Option<String>) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        let incoming =
            Incoming { stream: reader, decoder: Decoder::new(false, true), raw: Vec::new(), at: 0, closed: false };
        Self { protocol, from_session: Mutex::new(incoming), to_session: Mutex::new(writer) }
    }

    /// The sub-protocol to accept the websocket with; none if none was offered.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    /// The next message for the browser; `None` once all was said. The last one is [`Message::Close`]. May be dropped and
    /// called again without losing one.
    pub async fn receive(&self) -> Option<Message> {
        let message = self.from_session.lock().await.next().await;
        if let Some(Message::Close { .. }) = &message
            && let Ok(mut writer) = self.to_session.try_lock()
        {
            // The session waits for its browser to close as well. Who is sending at this moment hears it by the failure.
            let _ = writer.shutdown().await;
        }
        message
    }

    /// Hands a message of the browser over, and waits while the console takes no more. Fails with `closed` once it has ended.
    pub async fn send(&self, message: &Message) -> Result<()> {
        let mut writer = self.to_session.lock().await;
        let close;
        let (opcode, payload): (u8, &[u8]) = match message {
            Message::Binary(bytes) => (BINARY, bytes),
            Message::Text(text) => (TEXT, text.as_bytes()),
            Message::Close { code, reason } => {
                close = frames::close_payload(*code, reason);
                (CLOSE, &close)
            }
        };
        let header = Header { fin: true, opcode, mask: Some(NO_MASK), length: payload.len() as u64 };
        let ended = |error| Error::new(Code::Closed, "the console has ended").with_source(error);
        writer.write_all(header.encode().as_slice()).await.map_err(ended)?;
        writer.write_all(payload).await.map_err(ended)
    }
}

impl Incoming {
    async fn next(&mut self) -> Option<Message> {
        while !self.closed {
            // The session is this library's own, so a violation is a defect; to the browser it is an end.
            let Ok(piece) = self.decoder.next(&self.raw, &mut self.at, usize::MAX) else { return None };
            match piece {
                Some(Piece::Payload { at, .. }) => {
                    return Some(Message::Binary(Bytes::copy_from_slice(&self.raw[at])));
                }
                Some(Piece::Text(text)) => {
                    return Some(Message::Text(String::from_utf8_lossy(&text).into_owned()));
                }
                Some(Piece::Control { opcode: CLOSE, payload }) => {
                    self.closed = true;
                    let (code, reason) = payload.split_at_checked(2).unwrap_or((&[3, 232], &[]));
                    let code = code.try_into().map_or(1000, u16::from_be_bytes);
                    return Some(Message::Close { code, reason: String::from_utf8_lossy(reason).into_owned() });
                }
                Some(Piece::Begin { .. } | Piece::Control { .. }) => {}
                None => {
                    self.raw.clear();
                    self.at = 0;
                    self.raw.reserve(AHEAD);
                    match self.stream.read_buf(&mut self.raw).await {
                        Ok(1..) => {}
                        _ => return None,
                    }
                }
            }
        }
        None
    }
}

impl std::fmt::Debug for HostSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The sub-protocol may be the pass itself.
        f.debug_struct("HostSocket").finish_non_exhaustive()
    }
}
