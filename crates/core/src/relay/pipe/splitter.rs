//! From console bytes to frames that every peer takes.

use std::ops::Range;

use super::frames::{Header, LONGEST_FRAME};
use super::output::{Scratch, Segment};

/// Writes frame headers for console bytes that pass: one for each frame that begins, and further ones where a frame is
/// longer than pveproxy takes. RFB is a stream of bytes, so where a frame begins carries no meaning.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// Bytes that are still to come of the peer's frame.
    incoming: u64,
    /// Bytes that our last header has announced and that are still to come.
    announced: u64,
}

impl Splitter {
    /// A splitter in the middle of a frame whose header was used up by a handshake.
    pub(super) fn resume(incoming: u64) -> Self {
        Self { incoming, announced: 0 }
    }

    /// A frame begins.
    pub(super) fn begin(&mut self, length: u64, verbatim: Option<Range<usize>>, scratch: &mut Scratch) {
        self.incoming = length;
        if let (Some(header), 1..) = (verbatim, length) {
            self.announced = length;
            scratch.pass(header);
        }
    }

    /// Bytes of the frame pass; `mask` is the key that belongs to the first of them.
    pub(super) fn payload(&mut self, at: Range<usize>, mask: Option<[u8; 4]>, scratch: &mut Scratch) {
        let mut rest = at;
        // The masked bytes stay as they are, so a header in their middle carries the key turned by what came before.
        let mut key = mask;
        while !rest.is_empty() {
            if self.announced == 0 {
                self.announced = self.incoming.min(LONGEST_FRAME);
                scratch.segments.push(Segment::Header(Header::binary(self.announced, key).encode()));
            }
            let here = rest.len().min(usize::try_from(self.announced).unwrap_or(usize::MAX));
            scratch.pass(rest.start..rest.start + here);
            rest.start += here;
            self.announced -= here as u64;
            self.incoming -= here as u64;
            if let Some(key) = &mut key {
                key.rotate_left(here % 4);
            }
        }
    }

    /// Whether the last frame that was announced is complete, so that another may be put here.
    pub(super) fn is_at_border(&self) -> bool {
        self.announced == 0
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
        let mut decoder = Decoder::new(true, false);
        let mut splitter = Splitter::default();
        let mut sent = Vec::new();
        for read in wire.chunks(step) {
            Scratch::with(|scratch| {
                scratch.buffer[..read.len()].copy_from_slice(read);
                let mut at = 0;
                while let Some(piece) = decoder.next(read, &mut at, usize::MAX).unwrap() {
                    match piece {
                        Piece::Begin { length, verbatim } => {
                            splitter.begin(length, verbatim, scratch);
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
        assert!(splitter.is_at_border());
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

            assert_eq!(frames.iter().map(Vec::len).collect::<Vec<_>>(), [131_072, 131_072, 37_857]);
            assert!(frames.concat() == payload);
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

    #[test]
    fn a_frame_whose_beginning_a_handshake_used_up_goes_on_under_a_header_of_its_own() {
        let mut splitter = Splitter::resume(5);
        let mut sent = Vec::new();
        Scratch::with(|scratch| {
            scratch.buffer[..5].copy_from_slice(b"abcde");
            splitter.payload(0..5, Some([0; 4]), scratch);
            for segment in &scratch.segments {
                match segment {
                    Segment::Read(part) => sent.extend(&scratch.buffer[part.clone()]),
                    Segment::Header(header) => sent.extend(header.as_slice()),
                }
            }
        });

        assert_eq!(frames(&sent), [b"abcde"]);
    }
}
