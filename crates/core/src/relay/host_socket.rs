//! A websocket whose frames the host keeps: to the host it is messages, to the session frames, at two ends of a pipe in memory.

use std::io;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::Mutex;

use super::pipe::frames::{self, BINARY, CLOSE, Decoder, Header, Piece, TEXT};
use crate::{Code, Error, Result};

/// How much a console and its host may each be ahead of the other.
pub(super) const AHEAD: usize = 64 * 1024;

/// The key of frames that never leave this process: it changes nothing.
const NO_MASK: [u8; 4] = [0; 4];

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
    to_session: Mutex<Outgoing>,
}

struct Outgoing {
    stream: WriteHalf<DuplexStream>,
    /// A message is being written. Still set when the next one begins, it was given up in the middle.
    is_torn: bool,
}

struct Incoming {
    stream: ReadHalf<DuplexStream>,
    decoder: Decoder,
    raw: Vec<u8>,
    at: usize,
    closed: bool,
}

impl HostSocket {
    pub(super) fn new(stream: DuplexStream, protocol: Option<String>) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        let outgoing = Outgoing { stream: writer, is_torn: false };
        let incoming =
            Incoming { stream: reader, decoder: Decoder::new(false, true), raw: Vec::new(), at: 0, closed: false };
        Self { protocol, from_session: Mutex::new(incoming), to_session: Mutex::new(outgoing) }
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
            && let Ok(mut outgoing) = self.to_session.try_lock()
        {
            // The session waits for its browser to close as well. Who is sending at this moment hears it by the failure.
            let _ = outgoing.stream.shutdown().await;
        }
        message
    }

    /// Hands a message of the browser over, and waits while the console takes no more. Fails with `closed` once it has ended.
    ///
    /// Whoever drops the future before it is done ends the console: what of the message was on its way cannot be taken back.
    pub async fn send(&self, message: &Message) -> Result<()> {
        let mut outgoing = self.to_session.lock().await;
        if outgoing.is_torn {
            // What follows would be read as the rest of a message that never came.
            let _ = outgoing.stream.shutdown().await;
            return Err(Error::new(
                Code::Closed,
                "the console has ended: an earlier message was given up in the middle",
            ));
        }
        outgoing.is_torn = true;
        outgoing
            .write(message)
            .await
            .map_err(|error| Error::new(Code::Closed, "the console has ended").with_source(error))?;
        outgoing.is_torn = false;
        Ok(())
    }
}

impl Outgoing {
    async fn write(&mut self, message: &Message) -> io::Result<()> {
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
        self.stream.write_all(header.encode().as_slice()).await?;
        self.stream.write_all(payload).await
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
