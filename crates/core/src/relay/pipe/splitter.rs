//! From console bytes to frames that every peer takes.

use std::ops::Range;

use super::frames::{Header, LONGEST_FRAME};
use super::output::{Scratch, Segment};

/// The longest frame as a length of what is in hand.
#[expect(clippy::cast_possible_truncation, reason = "131072 fits everywhere")]
const LONGEST: usize = LONGEST_FRAME as usize;

/// Writes frame headers for console bytes that pass.
///
/// A frame that is in hand as a whole keeps its header, if the strictest peer takes it. Of any other, what is in hand
/// becomes frames of their own: RFB is a stream of bytes, so where a frame begins carries no meaning, and a header never
/// promises bytes that may not come. So there is a border after every read, where a ping or the reason of an end finds
/// its place even if the peer stops in the middle of a frame.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// The frame that has just begun, if it may keep its header: its length, and where the header is.
    begun: Option<(u64, Range<usize>)>,
}

impl Splitter {
    /// Another read begins: a header that stood in the one before is not in hand any more.
    pub(super) fn next_read(&mut self) {
        self.begun = None;
    }

    /// A frame begins.
    pub(super) fn begin(&mut self, length: u64, verbatim: Option<Range<usize>>) {
        self.begun = verbatim.map(|header| (length, header));
    }

    /// Bytes of the frame pass; `mask` is the key that belongs to the first of them.
    pub(super) fn payload(&mut self, at: Range<usize>, mask: Option<[u8; 4]>, scratch: &mut Scratch) {
        if let Some((length, header)) = self.begun.take()
            && length == at.len() as u64
        {
            scratch.pass(header);
            scratch.pass(at);
            return;
        }
        // The masked bytes stay as they are, so a header in their middle carries the key turned by what came before.
        let mut key = mask;
        let mut rest = at;
        while !rest.is_empty() {
            let here = rest.len().min(LONGEST);
            scratch.segments.push(Segment::Header(Header::binary(here as u64, key).encode()));
            scratch.pass(rest.start..rest.start + here);
            rest.start += here;
            if let Some(key) = &mut key {
                key.rotate_left(here % 4);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::pipe::frames::{BINARY, Decoder, Piece, append, apply_mask};

    /// Sends `payload` as one masked frame of `length` bytes through a splitter, in reads of `step` bytes.
    fn split(payload: &[u8], step: usize) -> Vec<u8> {
        let mut wire = Vec::new();
        append(&mut wire, BINARY, Some([1, 2, 3, 4]), payload);
        pass(&wire, step)
    }

    /// Sends bytes through a splitter, in reads of `step` bytes.
    fn pass(wire: &[u8], step: usize) -> Vec<u8> {
        pass_in(&wire.chunks(step).collect::<Vec<_>>())
    }

    fn pass_in(reads: &[&[u8]]) -> Vec<u8> {
        let mut decoder = Decoder::new(true, false);
        let mut splitter = Splitter::default();
        let mut sent = Vec::new();
        for &read in reads {
            splitter.next_read();
            Scratch::with(|scratch| {
                scratch.buffer[..read.len()].copy_from_slice(read);
                let mut at = 0;
                while let Some(piece) = decoder.next(read, &mut at, usize::MAX).unwrap() {
                    match piece {
                        Piece::Begin { length, verbatim } => {
                            splitter.begin(length, verbatim);
                        }
                        Piece::Payload { at, mask } => splitter.payload(at, mask, scratch),
                        other => panic!("{other:?}"),
                    }
                }
                for segment in &scratch.segments {
                    match segment {
                        Segment::Read(part) => sent.extend(&scratch.buffer[part.clone()]),
                        Segment::Header(header) => sent.extend(header.as_slice()),
                    }
                }
            });
        }
        sent
    }

    /// The frames in `wire`, unmasked, all of which must be single and masked.
    fn frames(wire: &[u8]) -> Vec<Vec<u8>> {
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some((header, size)) = Header::parse(&wire[at..]).unwrap() {
            assert!(header.fin && header.opcode == BINARY && header.length <= LONGEST_FRAME);
            let end = at + size + usize::try_from(header.length).unwrap();
            let mut payload = wire[at + size..end].to_vec();
            apply_mask(&mut payload, header.mask.expect("masked"));
            found.push(payload);
            at = end;
        }
        assert_eq!(at, wire.len());
        found
    }

    #[test]
    fn a_long_frame_is_split_and_its_bytes_are_the_same() {
        let payload: Vec<u8> = (0..300_001_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
        for step in [1021, 4096, 65_536] {
            let frames = frames(&split(&payload, step));

            assert!(frames.len() > 2 && frames.concat() == payload);
        }
    }

    #[test]
    fn a_frame_that_every_peer_takes_is_passed_byte_for_byte() {
        let payload = [7; 1000];
        let mut wire = Vec::new();
        append(&mut wire, BINARY, Some([1, 2, 3, 4]), &payload);

        assert_eq!(split(&payload, 65_536), wire);
    }

    #[test]
    fn a_header_cut_by_a_read_is_written_anew() {
        let payload: Vec<u8> = (0..=255).cycle().take(700).collect();

        for step in 1..20 {
            assert_eq!(frames(&split(&payload, step)).concat(), payload, "reads of {step}");
        }
    }

    /// A host that owns the socket writes a frame's header and its payload one after the other, and a key's press is one
    /// read each: the header's place was then looked up in the read that had the payload.
    #[test]
    fn a_header_that_is_a_read_of_its_own_is_not_looked_for_in_the_next() {
        for payload in [b"x".as_slice(), b"six-ty", b"more than the header"] {
            let header = 6;

            let mut wire = Vec::new();
            append(&mut wire, BINARY, Some([1, 2, 3, 4]), payload);
            let sent = pass_in(&[&wire[..header], &wire[header..]]);

            assert_eq!(frames(&sent).concat(), payload);
        }
    }

    #[test]
    fn a_frame_is_complete_after_every_read_even_if_its_rest_never_comes() {
        let mut wire = Vec::new();
        append(&mut wire, BINARY, Some([1, 2, 3, 4]), b"half and half");
        wire.truncate(wire.len() - 5);

        assert_eq!(frames(&pass(&wire, wire.len())).concat(), b"half and");
    }
}
