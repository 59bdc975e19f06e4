//! Websocket frames (RFC 6455), as a walk over bytes: headers are read, payload is pointed at and never copied.

use std::ops::Range;

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// pveproxy ends a connection that sends a longer frame, without a word. It is a multiple of 4, so that a frame cut here
/// goes on under the same masking key.
pub(crate) const LONGEST_FRAME: u64 = 131_072;

/// In place of a short length: it follows in 16, or in 64 bits.
const LENGTH_OF_16_BITS: u8 = 0x7e;
const LENGTH_OF_64_BITS: u8 = 0x7f;

/// A header is 2 to 14 bytes long.
pub(crate) const LONGEST_HEADER: usize = 14;

/// The payload of a control frame has at most this many bytes.
pub(crate) const LONGEST_CONTROL: usize = 125;

/// Our control messages are short; a longer text is none of them.
const LONGEST_TEXT: usize = 4096;

/// A peer broke the rules of RFC 6455, or those we put on top of them. The connection cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation(pub(crate) &'static str);

/// The head of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) fin: bool,
    pub(crate) opcode: u8,
    pub(crate) mask: Option<[u8; 4]>,
    pub(crate) length: u64,
}

impl Header {
    /// A frame that stands alone and carries console bytes.
    pub(crate) fn binary(length: u64, mask: Option<[u8; 4]>) -> Self {
        Self { fin: true, opcode: BINARY, mask, length }
    }

    /// Reads a header from the front of `bytes`, with its size; `None` if it is not there in full.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Violation> {
        let [first, second, rest @ ..] = bytes else {
            return Ok(None);
        };
        if first & 0x70 != 0 {
            return Err(Violation("a frame uses an extension that was not negotiated"));
        }
        let opcode = first & 0x0f;
        if !matches!(opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG) {
            return Err(Violation("a frame has an unknown opcode"));
        }
        let fin = first & 0x80 != 0;
        let (length, extended) = match second & 0x7f {
            LENGTH_OF_16_BITS => {
                let Some(bytes) = rest.first_chunk() else {
                    return Ok(None);
                };
                (u64::from(u16::from_be_bytes(*bytes)), 2)
            }
            LENGTH_OF_64_BITS => {
                let Some(bytes) = rest.first_chunk() else {
                    return Ok(None);
                };
                (u64::from_be_bytes(*bytes), 8)
            }
            short => (u64::from(short), 0),
        };
        if length > i64::MAX as u64 {
            return Err(Violation("a frame's length is out of range"));
        }
        if opcode >= CLOSE && (!fin || length > LONGEST_CONTROL as u64) {
            return Err(Violation("a control frame is fragmented or too long"));
        }
        let masked = second & 0x80 != 0;
        let mask = match (masked, rest[extended..].first_chunk()) {
            (false, _) => None,
            (true, Some(key)) => Some(*key),
            (true, None) => return Ok(None),
        };
        let size = 2 + extended + if masked { 4 } else { 0 };
        Ok(Some((Self { fin, opcode, mask, length }, size)))
    }

    /// The header in its shortest form.
    pub(crate) fn encode(&self) -> HeaderBytes {
        let mut header = HeaderBytes { bytes: [0; LONGEST_HEADER], length: 0 };
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        header.push(&[u8::from(self.fin) << 7 | self.opcode]);
        match (u8::try_from(self.length), u16::try_from(self.length)) {
            (Ok(length @ 0..=125), _) => header.push(&[masked | length]),
            (_, Ok(length)) => {
                header.push(&[masked | LENGTH_OF_16_BITS]);
                header.push(&length.to_be_bytes());
            }
            _ => {
                header.push(&[masked | LENGTH_OF_64_BITS]);
                header.push(&self.length.to_be_bytes());
            }
        }
        if let Some(key) = self.mask {
            header.push(&key);
        }
        header
    }
}

/// An encoded header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeaderBytes {
    bytes: [u8; LONGEST_HEADER],
    length: u8,
}

impl HeaderBytes {
    fn push(&mut self, bytes: &[u8]) {
        let at = usize::from(self.length);
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        // At most LONGEST_HEADER bytes are ever pushed.
        #[expect(clippy::cast_possible_truncation)]
        {
            self.length += bytes.len() as u8;
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// Appends a whole frame. Used for what we say ourselves: control frames, and the bytes of a handshake.
pub(crate) fn append(to: &mut Vec<u8>, opcode: u8, mask: Option<[u8; 4]>, payload: &[u8]) {
    let header = Header { fin: true, opcode, mask, length: payload.len() as u64 };
    to.extend(header.encode().as_slice());
    let start = to.len();
    to.extend(payload);
    if let Some(key) = mask {
        apply_mask(&mut to[start..], key);
    }
}

/// The payload of a close frame: a code, and a reason as long as fits.
pub(crate) fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    let fits = reason.floor_char_boundary(LONGEST_CONTROL - payload.len());
    payload.extend(&reason.as_bytes()[..fits]);
    payload
}

/// Masks or unmasks; `key` is rotated so that its first byte belongs to the first of `bytes`.
pub(crate) fn apply_mask(bytes: &mut [u8], key: [u8; 4]) {
    for (byte, key) in bytes.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// What a walk comes across.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A frame of console bytes begins. `verbatim` is where its header stands in the input, if it may be passed on as it
    /// is: binary, complete in itself, not too long, and not cut by the end of an earlier input.
    Begin { length: u64, verbatim: Option<Range<usize>> },
    /// Console bytes, with the masking key that belongs to their first byte.
    Payload { at: Range<usize>, mask: Option<[u8; 4]> },
    /// A whole ping, pong or close frame, unmasked.
    Control { opcode: u8, payload: Vec<u8> },
    /// A whole text message, unmasked; only where text is for control.
    Text(Vec<u8>),
}

/// Walks over the frames that one peer sends, however they are cut into reads.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// Whether this peer masks: a browser must, a server must not.
    expects_mask: bool,
    /// Whether text messages are control messages of ours, and not console bytes.
    text_is_control: bool,
    /// The beginning of a header that an input ended in.
    partial: Vec<u8>,
    /// The frame whose payload is being read.
    frame: Option<Frame>,
    /// The kind of message that continuation frames belong to.
    open_message: Option<u8>,
    /// A control frame or text message on its way.
    gathered: Gathered,
}

#[derive(Debug)]
struct Frame {
    header: Header,
    left: u64,
}

/// What came of looking for a frame's header.
enum Head {
    /// It is not there in full.
    Incomplete,
    /// Console bytes begin.
    OfConsole(Piece),
    /// A control frame or a text message of ours begins.
    Other,
}

/// Text may be interrupted by control frames, so there is a place for each.
#[derive(Debug, Default)]
struct Gathered {
    control: Vec<u8>,
    text: Vec<u8>,
}

impl Decoder {
    pub(crate) fn new(expects_mask: bool, text_is_control: bool) -> Self {
        Self {
            expects_mask,
            text_is_control,
            partial: Vec::new(),
            frame: None,
            open_message: None,
            gathered: Gathered::default(),
        }
    }

    /// Takes one step from `at` on, and moves `at`. At most `limit` bytes of payload are pointed at. `None` means that the
    /// input is used up.
    pub(crate) fn next(&mut self, input: &[u8], at: &mut usize, limit: usize) -> Result<Option<Piece>, Violation> {
        loop {
            if self.frame.is_none() {
                match self.read_header(input, at)? {
                    Head::Incomplete => return Ok(None),
                    Head::OfConsole(begin) => return Ok(Some(begin)),
                    Head::Other => {}
                }
            }
            let Some(frame) = &mut self.frame else {
                continue;
            };
            let start = *at;
            let available = (input.len() - start).min(limit) as u64;
            // No more than `available`, so it fits.
            #[expect(clippy::cast_possible_truncation)]
            let count = frame.left.min(available) as usize;
            if count == 0 && frame.left > 0 {
                return Ok(None);
            }
            let mask = frame.header.mask.map(|key| rotate(key, frame.header.length - frame.left));
            frame.left -= count as u64;
            *at += count;
            let header = frame.header;
            let complete = frame.left == 0;
            if complete {
                self.frame = None;
            }
            let range = start..start + count;
            if self.is_console(header.opcode) {
                if count > 0 {
                    return Ok(Some(Piece::Payload { at: range, mask }));
                }
            } else if let Some(piece) = self.gather(header, &input[range], mask, complete)? {
                return Ok(Some(piece));
            }
        }
    }

    /// Reads the header of the next frame.
    fn read_header(&mut self, input: &[u8], at: &mut usize) -> Result<Head, Violation> {
        let carried = self.partial.len();
        let rest = &input[*at..];
        let parsed = if carried == 0 {
            Header::parse(rest)?
        } else {
            let taken = rest.len().min(LONGEST_HEADER - carried);
            self.partial.extend(&rest[..taken]);
            Header::parse(&self.partial)?
        };
        let Some((mut header, size)) = parsed else {
            if carried == 0 {
                self.partial.extend(rest);
            }
            *at = input.len();
            return Ok(Head::Incomplete);
        };
        let here = *at..*at + (size - carried);
        *at = here.end;
        self.partial = Vec::new();
        let alone = header.fin && header.opcode == BINARY;
        header.opcode = self.check(&header)?;
        self.frame = Some(Frame { header, left: header.length });
        if !self.is_console(header.opcode) {
            return Ok(Head::Other);
        }
        let shortest = header.encode().as_slice().len() == size;
        let verbatim = (carried == 0 && alone && shortest && header.length <= LONGEST_FRAME).then_some(here);
        Ok(Head::OfConsole(Piece::Begin { length: header.length, verbatim }))
    }

    /// Checks a header against what came before, and returns the opcode with continuations resolved.
    fn check(&mut self, header: &Header) -> Result<u8, Violation> {
        match (header.mask.is_some(), self.expects_mask) {
            (false, true) => return Err(Violation("a frame from the browser is not masked")),
            (true, false) => return Err(Violation("a frame from the server is masked")),
            _ => {}
        }
        if header.opcode >= CLOSE {
            return Ok(header.opcode);
        }
        let kind = match (header.opcode, self.open_message) {
            (CONTINUATION, Some(kind)) => kind,
            (CONTINUATION, None) => return Err(Violation("a continuation continues nothing")),
            (_, Some(_)) => return Err(Violation("a message begins inside another")),
            (kind, None) => kind,
        };
        self.open_message = (!header.fin).then_some(kind);
        Ok(kind)
    }

    fn is_console(&self, opcode: u8) -> bool {
        opcode == BINARY || (opcode == TEXT && !self.text_is_control)
    }

    fn gather(
        &mut self,
        header: Header,
        bytes: &[u8],
        mask: Option<[u8; 4]>,
        complete: bool,
    ) -> Result<Option<Piece>, Violation> {
        let is_text = header.opcode == TEXT;
        let to = if is_text { &mut self.gathered.text } else { &mut self.gathered.control };
        if to.len() + bytes.len() > LONGEST_TEXT {
            return Err(Violation("a control message is too long"));
        }
        let start = to.len();
        to.extend(bytes);
        if let Some(key) = mask {
            apply_mask(&mut to[start..], key);
        }
        if !complete || (is_text && !header.fin) {
            return Ok(None);
        }
        let payload = std::mem::take(to);
        Ok(Some(if is_text { Piece::Text(payload) } else { Piece::Control { opcode: header.opcode, payload } }))
    }
}

/// The key as it stands after `offset` bytes.
fn rotate(mut key: [u8; 4], offset: u64) -> [u8; 4] {
    key.rotate_left((offset % 4) as usize);
    key
}

#[cfg(test)]
mod tests;
