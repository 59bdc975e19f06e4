//! The handshake of RFB: logging in to a server, and answering a browser.
//!
//! The relay logs in to the server first, and only then offers the browser security type None. So the browser never needs
//! a password, and it can still be told why when the server refuses.

use std::fmt;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::cipher;
use crate::quote::quote;
use crate::{Code, Error, Secret};

/// A version message is always this long: `RFB 003.008\n`.
const VERSION_LENGTH: usize = 12;
const OUR_VERSION: &[u8; VERSION_LENGTH] = b"RFB 003.008\n";

const NONE: u8 = 1;
const VNC_AUTHENTICATION: u8 = 2;

/// More of a server's words than this is not read: a reason is a sentence, and an endless one is an attack.
const LONGEST_REASON: u32 = 256;

/// How long the words after a refusal may take, which are not needed.
const REASON: Duration = Duration::from_secs(1);

/// What a server that let us in said before.
#[derive(Debug)]
pub(crate) struct LoggedIn {
    pub(crate) version: Version,
    /// The security types that it offered.
    pub(crate) offered: Vec<u8>,
    /// Whether it asked for the password, and took it.
    pub(crate) with_password: bool,
}

/// Why a server did not let us in.
#[derive(Debug)]
pub(crate) enum LogInFailure {
    /// It ended the connection before it said its version. For Proxmox VE that means: ask the task for the reason.
    Silent,
    /// It refused the password, with its own words if it had any.
    Refused(String),
    /// Anything else.
    Other(Error),
}

impl From<Error> for LogInFailure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// The versions of the handshake that differ. Servers of Apple (3.889) and `RealVNC` (4.x, 5.x) speak 3.8 as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Version {
    V3_3,
    V3_7,
    V3_8,
}

impl Version {
    fn parse(message: [u8; VERSION_LENGTH]) -> Option<Self> {
        let text = std::str::from_utf8(&message).ok()?;
        let (major, minor) = text.strip_prefix("RFB ")?.strip_suffix('\n')?.split_once('.')?;
        if major.len() != 3 || minor.len() != 3 {
            return None;
        }
        match (major.parse::<u16>().ok()?, minor.parse::<u16>().ok()?) {
            (0..=2, _) | (3, 0..=2) => None,
            // 3.4 to 3.6 were never published; the specification says to treat them as 3.3.
            (3, 3..=6) => Some(Self::V3_3),
            (3, 7) => Some(Self::V3_7),
            _ => Some(Self::V3_8),
        }
    }

    fn message(self) -> &'static [u8; VERSION_LENGTH] {
        match self {
            Self::V3_3 => b"RFB 003.003\n",
            Self::V3_7 => b"RFB 003.007\n",
            Self::V3_8 => OUR_VERSION,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V3_3 => "3.3",
            Self::V3_7 => "3.7",
            Self::V3_8 => "3.8",
        })
    }
}

/// Logs in to `server`, up to and with its `SecurityResult`. What follows, `ClientInit`, is the browser's.
///
/// Its words may come to be quoted; none of `secrets` will be in them.
pub(crate) async fn log_in<S>(
    server: &mut S,
    password: Option<&Secret>,
    secrets: &[&str],
) -> Result<LoggedIn, LogInFailure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut greeting = [0; VERSION_LENGTH];
    match server.read_exact(&mut greeting).await {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(LogInFailure::Silent),
        Err(error) => return Err(cut_short(error).into()),
    }
    let version = Version::parse(greeting).ok_or_else(|| {
        protocol(format!("what answers speaks no RFB, but says {:?}", words(&greeting, secrets)))
            .with_hint("another server answers there: check the host and the port; those of RFB begin at 5900")
    })?;
    send(server, version.message()).await?;

    let offered = if version == Version::V3_3 {
        vec![u8::try_from(read_u32(server).await?).unwrap_or(u8::MAX)]
    } else {
        let mut types = vec![0; usize::from(read_u8(server).await?)];
        server.read_exact(&mut types).await.map_err(cut_short)?;
        types
    };
    if matches!(offered.as_slice(), [] | [0]) {
        let reason = read_reason(server, secrets).await?;
        return Err(protocol(format!("the RFB server refused the connection: {reason:?}"))
            .with_hint("the RFB server's own words stand in the message")
            .into());
    }
    let chosen = choose(&offered, password)?;
    if version > Version::V3_3 {
        send(server, &[chosen]).await?;
    }
    if let (VNC_AUTHENTICATION, Some(password)) = (chosen, password) {
        let mut challenge = [0; 16];
        server.read_exact(&mut challenge).await.map_err(cut_short)?;
        send(server, &cipher::answer(challenge, password.expose())).await?;
    } else if version < Version::V3_8 {
        // Before 3.8 there is no result for None.
        return Ok(LoggedIn { version, offered, with_password: false });
    }
    match read_u32(server).await? {
        0 => Ok(LoggedIn { version, offered, with_password: chosen == VNC_AUTHENTICATION }),
        _ if version == Version::V3_8 => {
            // Some servers give none and leave the connection open.
            let reason = timeout(REASON, read_reason(server, secrets)).await;
            Err(LogInFailure::Refused(reason.unwrap_or_else(|_| Ok(String::new())).unwrap_or_default()))
        }
        _ => Err(LogInFailure::Refused(String::new())),
    }
}

/// A security type with its name, where it has one that people know.
pub(crate) fn security_type(number: u8) -> String {
    let name = match number {
        NONE => "none",
        VNC_AUTHENTICATION => "VNC authentication",
        16 => "Tight",
        18 => "TLS",
        19 => "VeNCrypt",
        _ => return number.to_string(),
    };
    format!("{number} ({name})")
}

/// None where it is offered: it needs no password and tells nobody more than we know already.
fn choose(offered: &[u8], password: Option<&Secret>) -> Result<u8, Error> {
    if offered.contains(&NONE) {
        return Ok(NONE);
    }
    if !offered.contains(&VNC_AUTHENTICATION) {
        return Err(Error::new(
            Code::Unsupported,
            format!(
                "the RFB server offers security {}; supported are {} and {}",
                offered.iter().map(|number| security_type(*number)).collect::<Vec<_>>().join(", "),
                security_type(NONE),
                security_type(VNC_AUTHENTICATION)
            ),
        )
        .with_hint(
            "let the RFB server offer one of these (of Xvnc: -SecurityTypes VncAuth), and let nobody else reach it",
        ));
    }
    if password.is_none() {
        return Err(Error::new(Code::AuthFailed, "the RFB server asks for a password and none is known")
            .with_hint("set the option password"));
    }
    Ok(VNC_AUTHENTICATION)
}

/// Takes the browser through its handshake with security type None, up to and with `SecurityResult`.
pub(crate) async fn welcome<S>(browser: &mut S) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let version = greet(browser).await?;
    if version == Version::V3_3 {
        return send(browser, &u32::from(NONE).to_be_bytes()).await;
    }
    send(browser, &[1, NONE]).await?;
    let chosen = read_u8(browser).await?;
    if chosen != NONE {
        return Err(browser_fault(format!("the browser chose security type {chosen}, which was not offered")));
    }
    if version == Version::V3_8 {
        send(browser, &0_u32.to_be_bytes()).await?;
    }
    Ok(())
}

/// Tells the browser `reason` in the only place where every noVNC shows it: in place of the security types.
pub(crate) async fn refuse<S>(browser: &mut S, reason: &str) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let version = greet(browser).await?;
    let mut message = match version {
        Version::V3_3 => 0_u32.to_be_bytes().to_vec(),
        Version::V3_7 | Version::V3_8 => vec![0],
    };
    message.extend(u32::try_from(reason.len()).unwrap_or(0).to_be_bytes());
    message.extend(reason.as_bytes());
    send(browser, &message).await
}

async fn greet<S>(browser: &mut S) -> Result<Version, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    send(browser, OUR_VERSION).await?;
    let mut answer = [0; VERSION_LENGTH];
    browser.read_exact(&mut answer).await.map_err(cut_short)?;
    Version::parse(answer)
        .ok_or_else(|| browser_fault(format!("the browser sent no RFB version, but {:?}", words(&answer, &[]))))
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<(), Error> {
    stream.write_all(bytes).await.map_err(cut_short)?;
    stream.flush().await.map_err(cut_short)
}

async fn read_u8<S: AsyncRead + Unpin>(stream: &mut S) -> Result<u8, Error> {
    stream.read_u8().await.map_err(cut_short)
}

async fn read_u32<S: AsyncRead + Unpin>(stream: &mut S) -> Result<u32, Error> {
    stream.read_u32().await.map_err(cut_short)
}

async fn read_reason<S: AsyncRead + Unpin>(stream: &mut S, secrets: &[&str]) -> Result<String, Error> {
    let length = read_u32(stream).await?.min(LONGEST_REASON);
    let mut reason = vec![0; length as usize];
    stream.read_exact(&mut reason).await.map_err(cut_short)?;
    Ok(words(&reason, secrets))
}

fn words(bytes: &[u8], secrets: &[&str]) -> String {
    quote(&String::from_utf8_lossy(bytes), secrets)
}

fn protocol(message: String) -> Error {
    Error::new(Code::Protocol, message)
}

/// What a browser does wrong is not told as the hypervisor's fault.
fn browser_fault(message: String) -> Error {
    Error::new(Code::Closed, message)
}

fn cut_short(error: io::Error) -> Error {
    // Frames that break the rules come as invalid data.
    let code = if error.kind() == io::ErrorKind::InvalidData { Code::Protocol } else { Code::Closed };
    Error::new(code, "the connection ended during the RFB handshake").with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;

    /// Plays a server's or a browser's bytes in pieces of `step`, and returns what was written towards it.
    async fn play(script: &[u8], step: usize, password: Option<&str>) -> (Result<LoggedIn, LogInFailure>, Vec<u8>) {
        let (mut ours, theirs) = duplex(1024);
        let (mut reader, mut writer) = tokio::io::split(theirs);
        let pieces: Vec<Vec<u8>> = script.chunks(step).map(<[u8]>::to_vec).collect();
        let server = async move {
            for piece in pieces {
                let _ = writer.write_all(&piece).await;
                tokio::task::yield_now().await;
            }
            let _ = writer.shutdown().await;
            let mut heard = Vec::new();
            let _ = reader.read_to_end(&mut heard).await;
            heard
        };
        let secret = password.map(Secret::from);
        let client = async move {
            let result = log_in(&mut ours, secret.as_ref(), &[]).await;
            drop(ours);
            result
        };
        tokio::join!(client, server)
    }

    fn server(parts: &[&[u8]]) -> Vec<u8> {
        parts.concat()
    }

    #[tokio::test]
    async fn every_version_and_type_logs_in_however_the_bytes_are_cut() {
        let challenge = b"0123456789abcdef";
        let ok = &0_u32.to_be_bytes();
        let answer = cipher::answer(*challenge, "secret");
        let cases: [(Vec<u8>, Vec<u8>); 7] = [
            (server(&[b"RFB 003.008\n", &[1, 1], ok]), [&b"RFB 003.008\n"[..], &[1]].concat()),
            (server(&[b"RFB 003.008\n", &[1, 2], challenge, ok]), [&b"RFB 003.008\n"[..], &[2], &answer].concat()),
            (server(&[b"RFB 003.008\n", &[3, 19, 2, 1], ok]), [&b"RFB 003.008\n"[..], &[1]].concat()),
            (server(&[b"RFB 003.007\n", &[1, 1]]), [&b"RFB 003.007\n"[..], &[1]].concat()),
            (server(&[b"RFB 003.007\n", &[1, 2], challenge, ok]), [&b"RFB 003.007\n"[..], &[2], &answer].concat()),
            (server(&[b"RFB 003.003\n", &1_u32.to_be_bytes()]), b"RFB 003.003\n".to_vec()),
            (
                server(&[b"RFB 003.003\n", &2_u32.to_be_bytes(), challenge, ok]),
                [&b"RFB 003.003\n"[..], &answer].concat(),
            ),
        ];
        for (script, expected) in cases {
            for step in 1..=script.len() {
                let (result, heard) = play(&script, step, Some("secret")).await;

                result.unwrap();
                assert_eq!(heard, expected);
            }
        }
    }

    #[tokio::test]
    async fn apple_and_realvnc_versions_are_answered_with_3_8() {
        for version in [b"RFB 003.889\n", b"RFB 004.001\n", b"RFB 005.000\n"] {
            let (result, heard) = play(&server(&[version, &[1, 1], &[0; 4]]), 3, None).await;

            result.unwrap();
            assert!(heard.starts_with(OUR_VERSION));
        }
    }

    #[tokio::test]
    async fn a_refused_password_carries_the_servers_words() {
        let script =
            server(&[b"RFB 003.008\n", &[1, 2], &[9; 16], &1_u32.to_be_bytes(), &5_u32.to_be_bytes(), b"no\nno"]);

        let (result, _) = play(&script, 7, Some("x")).await;

        assert!(matches!(result, Err(LogInFailure::Refused(words)) if words == "no no"));
    }

    #[tokio::test]
    async fn an_end_before_the_version_is_told_apart() {
        for script in [&b""[..], b"RFB 0"] {
            let (result, _) = play(script, 1, None).await;

            assert!(matches!(result, Err(LogInFailure::Silent)));
        }
    }

    #[tokio::test]
    async fn unsupported_types_a_missing_password_and_nonsense_have_their_codes() {
        let cases = [
            (server(&[b"RFB 003.008\n", &[1, 19]]), Code::Unsupported),
            (server(&[b"RFB 003.008\n", &[1, 2]]), Code::AuthFailed),
            (server(&[b"RFB 003.008\n", &[0], &4_u32.to_be_bytes(), b"busy"]), Code::Protocol),
            (server(&[b"HTTP/1.1 400"]), Code::Protocol),
            (server(&[b"RFB 002.000\n"]), Code::Protocol),
            (server(&[b"RFB 003.008\n", &[2, 1]]), Code::Closed),
        ];
        for (script, code) in cases {
            let (result, _) = play(&script, 5, None).await;

            assert!(matches!(&result, Err(LogInFailure::Other(error)) if error.code() == code), "{result:?}");
        }
    }

    #[tokio::test]
    async fn an_endless_reason_is_cut() {
        let mut script = server(&[b"RFB 003.008\n", &[0], &u32::MAX.to_be_bytes()]);
        script.resize(script.len() + 4096, b'x');

        let (result, _) = play(&script, 512, None).await;

        assert!(matches!(result, Err(LogInFailure::Other(error)) if error.to_string().len() < 400));
    }

    /// Runs `welcome` or `refuse` against a browser's bytes, and returns what the browser was sent.
    async fn browse(script: &'static [u8], step: usize, reason: Option<&'static str>) -> (Result<(), Error>, Vec<u8>) {
        let (mut ours, theirs) = duplex(1024);
        let (mut reader, mut writer) = tokio::io::split(theirs);
        let relay = async move {
            let result = match reason {
                None => welcome(&mut ours).await,
                Some(reason) => refuse(&mut ours, reason).await,
            };
            drop(ours);
            result
        };
        let browser = async move {
            for piece in script.chunks(step) {
                let _ = writer.write_all(piece).await;
                tokio::task::yield_now().await;
            }
            let _ = writer.shutdown().await;
            let mut heard = Vec::new();
            let _ = reader.read_to_end(&mut heard).await;
            heard
        };
        tokio::join!(relay, browser)
    }

    #[tokio::test]
    async fn a_browser_is_offered_none_in_its_own_version() {
        let cases: [(&'static [u8], Vec<u8>); 3] = [
            (b"RFB 003.008\n\x01", [&OUR_VERSION[..], &[1, 1], &[0; 4]].concat()),
            (b"RFB 003.007\n\x01", [&OUR_VERSION[..], &[1, 1]].concat()),
            (b"RFB 003.003\n", [&OUR_VERSION[..], &[0, 0, 0, 1]].concat()),
        ];
        for (script, expected) in cases {
            for step in 1..=script.len() {
                let (result, heard) = browse(script, step, None).await;

                result.unwrap();
                assert_eq!(heard, expected);
            }
        }
    }

    #[tokio::test]
    async fn a_browser_that_chooses_what_was_not_offered_is_refused() {
        let (result, heard) = browse(b"RFB 003.008\n\x02", 13, None).await;

        assert_eq!(result.unwrap_err().code(), Code::Closed);
        assert!(heard.ends_with(&[1, 1]), "no result was sent");
    }

    #[tokio::test]
    async fn a_reason_stands_in_place_of_the_security_types() {
        let (result, heard) = browse(b"RFB 003.008\n", 12, Some("not running")).await;

        result.unwrap();
        assert_eq!(heard, [&OUR_VERSION[..], &[0, 0, 0, 0, 11], b"not running"].concat());
    }
}
