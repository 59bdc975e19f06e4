//! One direction of a pipe: read from one peer, walk over what was read, write to the other.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::end::Role;
use super::frames::{self, CLOSE, Decoder, PING, PONG, Piece, Violation};
use super::output::{Output, Scratch};
use super::splitter::Splitter;
use crate::rfb::client_messages::Observer;

/// No more pongs than these bytes wait for a peer that pings without end and reads nothing.
const MOST_WAITING_PONGS: usize = 1024;

/// Where bytes come from.
#[derive(Debug)]
pub(super) enum Source {
    Frames(Decoder),
    Bytes,
}

/// Where bytes go.
#[derive(Debug)]
pub(super) enum Sink {
    Frames(Splitter, Role),
    Bytes,
}

/// What one read told, beside the bytes that passed.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The payload of the last ping; it is owed a pong.
    pub(super) ping: Option<Vec<u8>>,
    /// Text messages, for control.
    pub(super) texts: Vec<Vec<u8>>,
    /// Whether a person did something.
    pub(super) person: bool,
    /// The peer's close frame.
    pub(super) close: Option<Vec<u8>>,
}

/// Why a direction came to its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// The source ended in an orderly way.
    SourceEnded,
    SourceFailed(io::Error),
    SinkFailed(io::Error),
    Violation(Violation),
}

/// One direction.
#[derive(Debug)]
pub(super) struct Direction {
    source: Source,
    sink: Sink,
    output: Output,
    /// Bytes that were read with the handshake; they go first.
    early: Vec<u8>,
    waiting_pongs: usize,
    observer: Option<Observer>,
}

impl Direction {
    pub(super) fn new(source: Source, sink: Sink, output: Output, early: Vec<u8>) -> Self {
        Self { source, sink, output, early, waiting_pongs: 0, observer: None }
    }

    /// Watches the passing bytes for what a person does.
    pub(super) fn observed(mut self) -> Self {
        self.observer = Some(Observer::new());
        self
    }

    /// Puts a frame of our own behind the frames that passed, all of which are complete. A sink without frames has no place
    /// for it.
    pub(super) fn inject(&mut self, opcode: u8, payload: &[u8]) {
        if opcode == PONG {
            self.waiting_pongs =
                if self.output.is_waiting() { self.waiting_pongs + payload.len() + frames::LONGEST_HEADER } else { 0 };
            if self.waiting_pongs > MOST_WAITING_PONGS {
                return;
            }
        }
        if let Sink::Frames(_, role) = &self.sink {
            frames::append(self.output.rest(), opcode, role.mask(), payload);
        }
    }

    /// Moves bytes until something was heard that the pipe has to act on.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<Result<Heard, Stop>> {
        ready!(self.poll_drain(cx, to)).map_err(Stop::SinkFailed)?;
        Scratch::with(|scratch| {
            let length = ready!(self.poll_read(cx, from, scratch)).map_err(Stop::SourceFailed)?;
            if length == 0 {
                return Poll::Ready(Err(Stop::SourceEnded));
            }
            let mut heard = Heard::default();
            self.walk(length, scratch, &mut heard).map_err(Stop::Violation)?;
            self.output.write(cx, to, scratch).map_err(Stop::SinkFailed)?;
            Poll::Ready(Ok(heard))
        })
    }

    /// Writes what waits. Nothing is read before this is done: that bounds the memory.
    pub(super) fn poll_drain(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        self.output.poll_drain(cx, to)
    }

    /// Whether the sink has taken bytes since this was last asked.
    pub(super) fn sink_has_moved(&mut self) -> bool {
        self.output.has_moved()
    }

    /// Whether the source is not being read, because the sink takes no more.
    pub(super) fn is_blocked(&self) -> bool {
        self.output.is_waiting()
    }

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut (impl AsyncRead + Unpin),
        scratch: &mut Scratch,
    ) -> Poll<io::Result<usize>> {
        if !self.early.is_empty() {
            let count = self.early.len().min(scratch.buffer.len());
            scratch.buffer[..count].copy_from_slice(&self.early[..count]);
            self.early = self.early.split_off(count);
            return Poll::Ready(Ok(count));
        }
        let mut buffer = ReadBuf::new(&mut scratch.buffer);
        ready!(Pin::new(from).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn walk(&mut self, length: usize, scratch: &mut Scratch, heard: &mut Heard) -> Result<(), Violation> {
        if let Sink::Frames(splitter, _) = &mut self.sink {
            splitter.next_read();
        }
        let Source::Frames(decoder) = &mut self.source else {
            if let Sink::Frames(splitter, _) = &mut self.sink {
                splitter.begin(length as u64, None);
                splitter.payload(0..length, None, scratch);
            } else {
                scratch.pass(0..length);
            }
            return Ok(());
        };
        let mut at = 0;
        while let Some(piece) = decoder.next(&scratch.buffer[..length], &mut at, usize::MAX)? {
            match (piece, &mut self.sink) {
                (Piece::Begin { length, verbatim }, Sink::Frames(splitter, _)) => {
                    splitter.begin(length, verbatim);
                }
                (Piece::Payload { at, mask }, sink) => {
                    if let Some(observer) = &mut self.observer {
                        let key = mask.unwrap_or_default();
                        let masked = scratch.buffer[at.clone()].iter().enumerate();
                        heard.person |= observer.observe(masked.map(|(at, byte)| byte ^ key[at % 4]));
                    }
                    match sink {
                        Sink::Frames(splitter, _) => splitter.payload(at, mask, scratch),
                        Sink::Bytes => {
                            frames::apply_mask(&mut scratch.buffer[at.clone()], mask.unwrap_or_default());
                            scratch.pass(at);
                        }
                    }
                }
                (Piece::Control { opcode: PING, payload }, _) => heard.ping = Some(payload),
                (Piece::Control { opcode: CLOSE, payload }, _) => {
                    // Nothing after a close frame counts.
                    heard.close = Some(payload);
                    return Ok(());
                }
                (Piece::Begin { .. } | Piece::Control { .. }, _) => {}
                (Piece::Text(text), _) => heard.texts.push(text),
            }
        }
        Ok(())
    }
}
