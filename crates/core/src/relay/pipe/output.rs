//! Writing towards one peer: at once where it takes bytes, from a bounded rest where it does not.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::frames::HeaderBytes;

/// The size of one read. Measured: 8 KiB costs more than twice the CPU of 64 KiB, and more than that gains nothing.
pub(crate) const READ: usize = 64 * 1024;

/// As many pieces go into one write.
const PIECES_A_WRITE: usize = 32;

/// One piece of what is to be written next.
#[derive(Debug)]
pub(crate) enum Segment {
    /// A part of the bytes just read.
    Read(Range<usize>),
    /// A header of our own.
    Header(HeaderBytes),
}

/// What a thread needs while it moves bytes. It belongs to the thread and not to a session, so that an idle session holds
/// no buffer at all.
pub(crate) struct Scratch {
    pub(crate) buffer: Box<[u8]>,
    pub(crate) segments: Vec<Segment>,
}

impl Scratch {
    /// Runs `body` with this thread's scratch. `body` must not call this again.
    pub(crate) fn with<T>(body: impl FnOnce(&mut Self) -> T) -> T {
        thread_local! {
            static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch {
                buffer: vec![0; READ].into_boxed_slice(),
                segments: Vec::new(),
            });
        }
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.segments.clear();
            body(scratch)
        })
    }

    fn slice<'a>(&'a self, segment: &'a Segment) -> IoSlice<'a> {
        match segment {
            Segment::Read(part) => IoSlice::new(&self.buffer[part.clone()]),
            Segment::Header(header) => IoSlice::new(header.as_slice()),
        }
    }

    /// Passes a part of the bytes just read. Neighbours become one piece, so that a run of frames that need no change is
    /// written as it was read.
    pub(crate) fn pass(&mut self, part: Range<usize>) {
        match self.segments.last_mut() {
            Some(Segment::Read(before)) if before.end == part.start => before.end = part.end,
            _ => self.segments.push(Segment::Read(part)),
        }
    }
}

/// One peer's outgoing bytes.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// What the peer did not take yet: never more than one read, with headers, and our own small frames.
    rest: Vec<u8>,
    written: usize,
    /// TLS may hold bytes back until it is flushed.
    unflushed: bool,
    /// Whether the peer took no more at the last try.
    stuck: bool,
    /// Whether it has taken bytes again after that, since somebody asked: then it is alive. Bytes that go out at once say
    /// nothing, as the kernel takes them for a dead peer, too.
    moved: bool,
}

impl Output {
    /// The bytes still waiting, to append whole frames to.
    pub(crate) fn rest(&mut self) -> &mut Vec<u8> {
        &mut self.rest
    }

    /// Whether the peer has made room since this was last asked.
    pub(crate) fn has_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    /// Whether the peer still owes us room.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Writes what is waiting and flushes. Ready means that nothing is left.
    pub(crate) fn poll_drain(
        &mut self,
        cx: &mut Context<'_>,
        peer: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        while self.written < self.rest.len() {
            let Poll::Ready(count) = Pin::new(&mut *peer).poll_write(cx, &self.rest[self.written..])? else {
                self.stuck = true;
                return Poll::Pending;
            };
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
            self.unflushed = true;
            self.moved |= std::mem::take(&mut self.stuck);
        }
        if !self.rest.is_empty() {
            // Given back rather than kept: most sessions are idle most of the time.
            self.rest = Vec::new();
            self.written = 0;
        }
        if self.unflushed {
            ready!(Pin::new(peer).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes the segments of `scratch`, and keeps what the peer does not take. Only called when nothing is waiting, which
    /// is what bounds the memory.
    pub(crate) fn write(
        &mut self,
        cx: &mut Context<'_>,
        peer: &mut (impl AsyncWrite + Unpin),
        scratch: &Scratch,
    ) -> io::Result<()> {
        let mut slices: Vec<IoSlice<'_>> = scratch.segments.iter().map(|segment| scratch.slice(segment)).collect();
        let mut waiting = slices.as_mut_slice();
        while !waiting.is_empty() {
            let count = waiting.len().min(PIECES_A_WRITE);
            match Pin::new(&mut *peer).poll_write_vectored(cx, &waiting[..count]) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    IoSlice::advance_slices(&mut waiting, count);
                    self.unflushed = true;
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => {
                    self.stuck = true;
                    for slice in waiting.iter() {
                        self.rest.extend_from_slice(slice);
                    }
                    break;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::pipe::frames::Header;
    use std::future::poll_fn;
    use tokio::io::{AsyncReadExt, duplex};

    #[test]
    fn neighbours_are_written_as_one_piece() {
        Scratch::with(|scratch| {
            scratch.pass(0..2);
            scratch.pass(2..10);
            scratch.pass(12..14);

            assert_eq!(scratch.segments.len(), 2);
        });
    }

    #[tokio::test]
    async fn what_the_peer_does_not_take_is_kept_and_follows_in_order() {
        let (mut ours, mut theirs) = duplex(5);
        let mut output = Output::default();

        poll_fn(|cx| {
            Poll::Ready(Scratch::with(|scratch| {
                scratch.buffer[..8].copy_from_slice(b"abcdefgh");
                scratch.segments.push(Segment::Header(Header::binary(8, None).encode()));
                scratch.pass(0..8);
                output.write(cx, &mut ours, scratch)
            }))
        })
        .await
        .unwrap();
        output.rest().extend(b"!");

        let mut heard = [0; 11];
        let drain = poll_fn(|cx| output.poll_drain(cx, &mut ours));
        let (drained, read) = tokio::join!(drain, theirs.read_exact(&mut heard));
        drained.unwrap();
        read.unwrap();
        assert!(output.has_moved() && !output.has_moved());
        assert_eq!(heard, *b"\x82\x08abcdefgh!");
        assert_eq!(output.rest.capacity(), 0, "an idle session holds no buffer");
    }
}
