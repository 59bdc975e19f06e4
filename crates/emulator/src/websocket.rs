//! Websocket framing as pve-http-server does it: whole binary frames out, and only the plainest frames in.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest;

/// The largest payload of one frame, in either direction (pve-http-server AnyEvent.pm).
pub(crate) const LARGEST_PAYLOAD: usize = 131_072;

const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
const FINAL: u8 = 0x80;

/// A rule of pveproxy that a client's frame broke. The text is what the real server writes to its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// FIN was not set, or the frame continued another.
    Fragmented,
    /// A reserved bit was set, as an extension would.
    ReservedBits,
    /// The payload was not masked.
    Unmasked,
    /// An opcode that is neither data nor close, ping or pong.
    Opcode(u8),
    /// More than 131072 bytes of payload.
    TooLarge(u64),
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fragmented => formatter.write_str("received fragmented websocket frame"),
            Self::ReservedBits => formatter.write_str("received websocket frame with RSV flags"),
            Self::Unmasked => formatter.write_str("received unmasked websocket frame from client"),
            Self::Opcode(opcode) => {
                write!(formatter, "received unhandled websocket opcode {opcode}")
            }
            Self::TooLarge(length) => write!(formatter, "received too large websocket frame (len = {length})"),
        }
    }
}

/// A frame a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Text and binary are not told apart.
    Data(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close,
}

/// The answer to a client's `Sec-WebSocket-Key` (RFC 6455 section 4.2.2). The key is not looked at any closer.
pub(crate) fn accept_key(key: &str) -> String {
    let seed = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, seed.as_bytes()))
}

/// One whole unmasked binary frame.
pub(crate) fn binary(payload: &[u8]) -> Vec<u8> {
    frame(BINARY, payload)
}

/// The answer to a ping, however long that was.
pub(crate) fn pong(payload: &[u8]) -> Vec<u8> {
    frame(PONG, payload)
}

/// A Close frame with a code, which the real server never sends but a script may want.
pub(crate) fn close(code: u16) -> Vec<u8> {
    frame(CLOSE, &code.to_be_bytes())
}

/// Takes one frame off the front of `buffer`: `None` until it is whole. A header that breaks a rule is refused as soon
/// as it is there, without waiting for its payload.
pub(crate) fn take(buffer: &mut Vec<u8>) -> Result<Option<Frame>, Violation> {
    let &[first, second, ..] = buffer.as_slice() else {
        return Ok(None);
    };
    let opcode = first & 0x0F;
    if first & FINAL == 0 || opcode == 0 {
        return Err(Violation::Fragmented);
    }
    if first & 0x70 != 0 {
        return Err(Violation::ReservedBits);
    }
    if second & 0x80 == 0 {
        return Err(Violation::Unmasked);
    }
    let Some((length, header)) = payload_length(buffer) else {
        return Ok(None);
    };
    let payload = match usize::try_from(length) {
        Ok(payload) if payload <= LARGEST_PAYLOAD => payload,
        _ => return Err(Violation::TooLarge(length)),
    };
    // The strict reading of two observations: everything after it was lost, and it alone was skipped. The source throws for it
    // as for the others, but has taken the frame off by then; which event loop goes on after that, no client should find out.
    if !matches!(opcode, 1 | BINARY | CLOSE | PING | PONG) {
        return Err(Violation::Opcode(opcode));
    }
    let end = header + 4 + payload;
    if buffer.len() < end {
        return Ok(None);
    }
    let mask = [buffer[header], buffer[header + 1], buffer[header + 2], buffer[header + 3]];
    let plain: Vec<u8> =
        buffer[header + 4..end].iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    buffer.drain(..end);
    Ok(Some(match opcode {
        CLOSE => Frame::Close,
        PING => Frame::Ping(plain),
        PONG => Frame::Pong,
        _ => Frame::Data(plain),
    }))
}

/// The payload's length and where the header ends (before the mask), once those bytes are there.
fn payload_length(buffer: &[u8]) -> Option<(u64, usize)> {
    match buffer[1] & 0x7F {
        126 => Some((u64::from(u16::from_be_bytes(buffer.get(2..4)?.try_into().ok()?)), 4)),
        127 => Some((u64::from_be_bytes(buffer.get(2..10)?.try_into().ok()?), 10)),
        short => Some((u64::from(short), 2)),
    }
}

fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![FINAL | opcode];
    if let Ok(length) = u8::try_from(payload.len())
        && length < 126
    {
        bytes.push(length);
    } else if let Ok(length) = u16::try_from(payload.len()) {
        bytes.push(126);
        bytes.extend(length.to_be_bytes());
    } else {
        bytes.push(127);
        bytes.extend((payload.len() as u64).to_be_bytes());
    }
    bytes.extend(payload);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_key_is_that_of_the_standards_own_example() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_frame_that_arrives_in_pieces_waits_until_it_is_whole() {
        let whole = [0x82, 0x83, 1, 2, 3, 4, b'a' ^ 1, b'b' ^ 2, b'c' ^ 3];
        for cut in 0..whole.len() {
            let mut buffer = whole[..cut].to_vec();
            assert_eq!(take(&mut buffer), Ok(None), "cut at {cut}");
            buffer.extend(&whole[cut..]);
            assert_eq!(take(&mut buffer), Ok(Some(Frame::Data(b"abc".to_vec()))));
            assert!(buffer.is_empty());
        }
    }
}
