//! Agreeing on security, up to and with the result.

use std::io;

use des::Des;
use des::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Version;

/// Why a wrong password was wrong. QEMU counts C's terminating zero into the length (ui/vnc.c).
const REASON: &[u8] = b"Authentication failed\0";

const NONE: u8 = 1;
const VNC: u8 = 2;
const VENCRYPT: u8 = 19;

/// What a server demands of its clients.
#[derive(Clone, Copy)]
pub(crate) enum Security {
    None,
    /// A DES challenge.
    Vnc {
        challenge: [u8; 16],
    },
    /// Announced, and given up as soon as the client agrees: enough for a client to learn that it asked for the wrong thing.
    VeNCrypt,
}

/// Greets a client and takes it through security. `verify` sees the client's answer to the challenge at the moment it
/// arrives: the password that counts is the one that is current then. `Ok(false)` means that the client was refused.
pub(crate) async fn greet<S>(
    stream: &mut S,
    version: Version,
    security: Security,
    verify: impl FnOnce([u8; 16]) -> bool,
) -> io::Result<bool>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(version.banner()).await?;
    stream.flush().await?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await?;
    let Some(agreed) = Version::from_banner(answer).filter(|agreed| *agreed <= version) else {
        return Ok(false);
    };
    let wanted = match security {
        Security::None => NONE,
        Security::Vnc { .. } => VNC,
        Security::VeNCrypt => VENCRYPT,
    };
    if agreed == Version::V3_3 {
        stream.write_all(&u32::from(wanted).to_be_bytes()).await?;
    } else {
        stream.write_all(&[1, wanted]).await?;
        stream.flush().await?;
        if stream.read_u8().await? != wanted {
            refuse(stream, agreed).await?;
            return Ok(false);
        }
    }
    match security {
        Security::VeNCrypt => {
            stream.flush().await?;
            return Ok(false);
        }
        // Before 3.8 there is no result for None.
        Security::None if agreed < Version::V3_8 => {}
        Security::None => stream.write_all(&0_u32.to_be_bytes()).await?,
        Security::Vnc { challenge } => {
            stream.write_all(&challenge).await?;
            stream.flush().await?;
            let mut response = [0; 16];
            stream.read_exact(&mut response).await?;
            if !verify(response) {
                refuse(stream, agreed).await?;
                return Ok(false);
            }
            stream.write_all(&0_u32.to_be_bytes()).await?;
        }
    }
    stream.flush().await?;
    Ok(true)
}

/// Connects to a server that must offer None, as the management stack meets a guest's display socket, up to the point
/// where the client's `ClientInit` is next.
pub(crate) async fn connect_without_password<S>(stream: &mut S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut banner = [0; 12];
    stream.read_exact(&mut banner).await?;
    let version = Version::from_banner(banner).ok_or_else(|| refused("speaks no RFB version 3.3, 3.7 or 3.8"))?;
    stream.write_all(version.banner()).await?;
    if version == Version::V3_3 {
        return match stream.read_u32().await? {
            1 => Ok(()),
            _ => Err(refused("wants a password")),
        };
    }
    let count = stream.read_u8().await?;
    let mut types = vec![0; usize::from(count)];
    stream.read_exact(&mut types).await?;
    if !types.contains(&NONE) {
        return Err(refused("wants a password"));
    }
    stream.write_all(&[NONE]).await?;
    if version == Version::V3_8 && stream.read_u32().await? != 0 {
        return Err(refused("refused security type None"));
    }
    Ok(())
}

/// What a client that knows `password` answers to `challenge`: DES over both halves. The key is the password's first
/// eight bytes, zero-padded, each with its bits in reverse order.
pub(crate) fn challenge_response(password: &[u8], challenge: [u8; 16]) -> [u8; 16] {
    let mut key = [0; 8];
    for (slot, byte) in key.iter_mut().zip(password) {
        *slot = byte.reverse_bits();
    }
    let cipher = Des::new(&key.into());
    let mut response = challenge;
    for half in response.chunks_exact_mut(8) {
        let mut block = [0; 8];
        block.copy_from_slice(half);
        let mut block = block.into();
        cipher.encrypt_block(&mut block);
        half.copy_from_slice(&block);
    }
    response
}

async fn refuse<S: AsyncWrite + Unpin>(stream: &mut S, agreed: Version) -> io::Result<()> {
    stream.write_all(&1_u32.to_be_bytes()).await?;
    if agreed == Version::V3_8 {
        let length = u32::try_from(REASON.len()).unwrap_or_default();
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(REASON).await?;
    }
    stream.flush().await
}

fn refused(what: &str) -> io::Error {
    io::Error::other(format!("the guest's screen {what}"))
}

#[cfg(test)]
mod tests {
    use super::challenge_response;

    #[test]
    fn the_answer_to_a_challenge_is_the_one_that_openssl_computes() {
        // `openssl enc -des-ecb -nopad` over the bytes 0 to 15, with `secret` mirrored byte by byte as the key.
        let challenge = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let expected = [0xEE, 0x22, 0x53, 0x9F, 0x33, 0xA5, 0x98, 0x3E, 0xC1, 0x2F, 0x9C, 0x2E, 0xDB, 0xC9, 0x95, 0xDD];

        assert_eq!(challenge_response(b"secret", challenge), expected);
        assert_ne!(challenge_response(b"secre", challenge), expected);
        assert_eq!(challenge_response(b"12345678", challenge), challenge_response(b"123456789", challenge));
    }
}
