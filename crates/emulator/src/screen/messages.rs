//! What an RFB client says after the handshake, and the pixels it wants (RFC 6143 sections 7.4 and 7.5).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::canvas::Colour;

/// No client pastes more than this on purpose.
const LARGEST_TEXT: usize = 1024 * 1024;

/// A message of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    SetPixelFormat(PixelFormat),
    SetEncodings,
    UpdateRequest { incremental: bool, x: u16, y: u16, width: u16, height: u16 },
    Key { keysym: u32, down: bool },
    Pointer { buttons: u8, x: u16, y: u16 },
    CutText(String),
}

/// How a client wants its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PixelFormat {
    bytes: usize,
    big_endian: bool,
    maximum: [u16; 3],
    shift: [u8; 3],
}

impl Message {
    pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        match stream.read_u8().await? {
            0 => {
                skip(stream, 3).await?;
                let mut format = [0; 16];
                stream.read_exact(&mut format).await?;
                PixelFormat::parse(format).map(Self::SetPixelFormat)
            }
            2 => {
                skip(stream, 1).await?;
                let count = stream.read_u16().await?;
                skip(stream, 4 * usize::from(count)).await?;
                Ok(Self::SetEncodings)
            }
            3 => Ok(Self::UpdateRequest {
                incremental: stream.read_u8().await? != 0,
                x: stream.read_u16().await?,
                y: stream.read_u16().await?,
                width: stream.read_u16().await?,
                height: stream.read_u16().await?,
            }),
            4 => {
                let down = stream.read_u8().await? != 0;
                skip(stream, 2).await?;
                Ok(Self::Key { keysym: stream.read_u32().await?, down })
            }
            5 => Ok(Self::Pointer {
                buttons: stream.read_u8().await?,
                x: stream.read_u16().await?,
                y: stream.read_u16().await?,
            }),
            6 => {
                skip(stream, 3).await?;
                let length = usize::try_from(stream.read_u32().await?).unwrap_or(usize::MAX);
                if length > LARGEST_TEXT {
                    return Err(invalid("a cut text of more than 1 MiB"));
                }
                let mut latin1 = vec![0; length];
                stream.read_exact(&mut latin1).await?;
                Ok(Self::CutText(latin1.into_iter().map(char::from).collect()))
            }
            // As QEMU does: a message of unknown length cannot be skipped.
            unknown => Err(invalid(&format!("client message type {unknown}"))),
        }
    }
}

impl PixelFormat {
    /// 32 bits, little endian, blue in the lowest byte: what QEMU announces on the usual machines.
    pub(super) const PREFERRED: Self = Self { bytes: 4, big_endian: false, maximum: [255; 3], shift: [16, 8, 0] };

    /// As it stands in `ServerInit`.
    pub(super) fn to_bytes(self) -> [u8; 16] {
        let bits = u8::try_from(self.bytes * 8).unwrap_or(32);
        let mut bytes = [bits, bits.min(24), u8::from(self.big_endian), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for (place, maximum) in self.maximum.iter().enumerate() {
            bytes[4 + 2 * place..][..2].copy_from_slice(&maximum.to_be_bytes());
        }
        bytes[10..13].copy_from_slice(&self.shift);
        bytes
    }

    pub(super) fn push(self, colour: Colour, bytes: &mut Vec<u8>) {
        let parts = [colour.0, colour.1, colour.2];
        let value = (0..3).fold(0_u32, |value, place| {
            let scaled = u32::from(parts[place]) * u32::from(self.maximum[place]) / 255;
            value | scaled.checked_shl(u32::from(self.shift[place])).unwrap_or(0)
        });
        if self.big_endian {
            bytes.extend(&value.to_be_bytes()[4 - self.bytes..]);
        } else {
            bytes.extend(&value.to_le_bytes()[..self.bytes]);
        }
    }

    fn parse(bytes: [u8; 16]) -> io::Result<Self> {
        let [bits, _, big_endian, true_colour, ..] = bytes;
        if !matches!(bits, 8 | 16 | 32) || true_colour == 0 {
            return Err(invalid("a pixel format without true colour"));
        }
        let maximum = |place: usize| u16::from_be_bytes([bytes[4 + 2 * place], bytes[5 + 2 * place]]);
        Ok(Self {
            bytes: usize::from(bits / 8),
            big_endian: big_endian != 0,
            maximum: [maximum(0), maximum(1), maximum(2)],
            shift: [bytes[10], bytes[11], bytes[12]],
        })
    }
}

async fn skip(stream: &mut (impl AsyncRead + Unpin), count: usize) -> io::Result<()> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).await.map(drop)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the screen does not take {what}"))
}
