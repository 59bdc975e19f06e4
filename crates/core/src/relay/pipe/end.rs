//! The two ends of a console while they are being set up.
//!
//! RFB's handshake reads and writes a few bytes and does not care where frames begin. So it runs over these streams, and
//! the pipe takes over from them exactly where the handshake stopped, even in the middle of a frame.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use super::FLUSH;
use super::frames::{self, BINARY, CLOSE, Decoder, PING, PONG, Piece, TEXT, Violation};
use super::output::Output;
use crate::reference::random_bytes;

/// A handshake's messages are short; a peer that owes an answer has no reason to send more.
const READ: usize = 4096;

/// The close code of an end that was meant (RFC 6455, section 7.4.1).
const NORMAL_CLOSURE: u16 = 1000;

/// Which side of a websocket we are: clients mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The peer is a browser.
    Server,
    /// The peer is a hypervisor.
    Client,
}

/// A websocket as a stream of console bytes.
#[derive(Debug)]
pub(crate) struct FrameStream<S> {
    pub(super) stream: S,
    pub(super) decoder: Decoder,
    /// Bytes that were read and not decoded, from `at` on.
    raw: Vec<u8>,
    at: usize,
    pub(super) output: Output,
    role: Role,
    closed: bool,
    /// Whether it is for us to find out that the peer is gone.
    pub(super) watched: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> FrameStream<S> {
    /// Wraps an upgraded stream; `read_ahead` are the bytes that came right behind the upgrade.
    pub(crate) fn new(stream: S, role: Role, read_ahead: &Bytes, text_is_control: bool) -> Self {
        Self {
            stream,
            decoder: Decoder::new(role == Role::Server, text_is_control),
            raw: read_ahead.to_vec(),
            at: 0,
            output: Output::default(),
            role,
            closed: false,
            watched: true,
        }
    }

    /// Leaves it to somebody else to find out that the peer is gone.
    pub(crate) fn unwatched(self) -> Self {
        Self { watched: false, ..self }
    }

    /// Sends a text frame.
    pub(crate) async fn send_text(&mut self, text: &str) -> io::Result<()> {
        self.send(TEXT, text.as_bytes()).await
    }

    /// Says goodbye, with a text before the close frame if there is one, and ends the connection, within a short time whatever
    /// the peer does.
    pub(crate) async fn close(mut self, text: Option<&str>, code: u16, reason: &str) {
        let goodbye = async {
            if let Some(text) = text {
                self.send(TEXT, text.as_bytes()).await?;
            }
            self.send(CLOSE, &frames::close_payload(code, reason)).await?;
            self.stream.shutdown().await?;
            read_out(&mut self.stream).await
        };
        // Whatever fails here fails at the end of a connection that is over.
        let _ = timeout(FLUSH, goodbye).await;
    }

    async fn send(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        let mask = self.role.mask();
        frames::append(self.output.rest(), opcode, mask, payload);
        std::future::poll_fn(|cx| self.output.poll_drain(cx, &mut self.stream)).await
    }

    /// Resolves when the peer ends the connection, or speaks before it was spoken to. For use while there is nothing to
    /// tell it yet.
    pub(crate) async fn ended(&mut self) -> io::Error {
        let mut byte = [0];
        match self.read(&mut byte).await {
            Ok(0) => io::ErrorKind::UnexpectedEof.into(),
            Ok(_) => io::Error::new(io::ErrorKind::InvalidData, "the browser spoke before the server"),
            Err(error) => error,
        }
    }

    /// The bytes that were read and not decoded, and the stream below.
    #[cfg(test)]
    pub(crate) fn into_raw(self) -> (Vec<u8>, S) {
        (self.raw[self.at..].to_vec(), self.stream)
    }

    /// The bytes that were read and not decoded.
    pub(super) fn undecoded(&self) -> &[u8] {
        &self.raw[self.at..]
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [0; READ];
        let mut buffer = ReadBuf::new(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        self.raw.clear();
        self.raw.extend_from_slice(buffer.filled());
        self.at = 0;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

/// Reads until the peer has closed its side as well. Closing before that could take our last words from it, as the kernel
/// answers unread bytes with a reset.
pub(super) async fn read_out(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut answer = [0; 256];
    while stream.read(&mut answer).await? > 0 {}
    Ok(())
}

impl Role {
    /// A fresh key for a frame of our own, if this side masks. Without random numbers the key is zero, which is valid and
    /// no weaker where the stream is encrypted anyway.
    pub(super) fn mask(self) -> Option<[u8; 4]> {
        match self {
            Self::Server => None,
            Self::Client => Some(random_bytes().unwrap_or_default()),
        }
    }
}

impl From<Violation> for io::Error {
    fn from(violation: Violation) -> Self {
        Self::new(io::ErrorKind::InvalidData, violation.0)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for FrameStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while !this.closed && buffer.remaining() > 0 {
            match this.decoder.next(&this.raw, &mut this.at, buffer.remaining())? {
                Some(Piece::Payload { at, mask }) => {
                    let start = buffer.filled().len();
                    buffer.put_slice(&this.raw[at]);
                    frames::apply_mask(&mut buffer.filled_mut()[start..], mask.unwrap_or_default());
                    return Poll::Ready(Ok(()));
                }
                Some(Piece::Control { opcode: CLOSE, .. }) => this.closed = true,
                Some(Piece::Control { opcode: PING, payload }) => {
                    if this.output.rest().len() > READ {
                        return Poll::Ready(Err(Violation("too many pings").into()));
                    }
                    let mask = this.role.mask();
                    frames::append(this.output.rest(), PONG, mask, &payload);
                    // Whether it goes out now or with the next write is the same to the peer.
                    let _ = this.output.poll_drain(cx, &mut this.stream)?;
                }
                Some(Piece::Begin { .. } | Piece::Control { .. } | Piece::Text(_)) => {}
                None => {
                    if ready!(this.poll_fill(cx))? == 0 {
                        this.closed = true;
                    }
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for FrameStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.output.poll_drain(cx, &mut this.stream))?;
        let mask = this.role.mask();
        frames::append(this.output.rest(), BINARY, mask, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.output.poll_drain(cx, &mut this.stream)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.output.poll_drain(cx, &mut this.stream))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

/// The hypervisor's end: a websocket, or RFB right on a socket.
#[derive(Debug)]
pub(crate) enum ServerEnd<S> {
    Frames(FrameStream<S>),
    Bytes(S),
}

impl<S: AsyncRead + AsyncWrite + Unpin> ServerEnd<S> {
    /// Ends a connection that no pipe took over, within a short time whatever the server does.
    pub(crate) async fn close(self) {
        match self {
            Self::Frames(stream) => stream.close(None, NORMAL_CLOSURE, "").await,
            Self::Bytes(mut stream) => {
                let goodbye = async {
                    stream.shutdown().await?;
                    read_out(&mut stream).await
                };
                let _ = timeout(FLUSH, goodbye).await;
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for ServerEnd<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Frames(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Bytes(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ServerEnd<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Frames(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Bytes(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Frames(stream) => Pin::new(stream).poll_flush(cx),
            Self::Bytes(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Frames(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Bytes(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
