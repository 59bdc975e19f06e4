//! Where an RFB server listens.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::str::FromStr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// `host:port`, or `unix:` and a path. Nothing at either end is checked for being on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A host and port as [`TcpStream::connect`] takes them.
    Tcp(String),
    /// The path of a unix socket.
    Unix(PathBuf),
}

/// A text that is no [`Address`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadAddress(String);

/// A stream to an RFB server, wherever it is.
pub(crate) type Dialled = Pin<Box<dyn Duplex>>;

/// Both directions of a byte stream.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

impl Address {
    /// Connects. A refusal is the system's own.
    pub(crate) async fn connect(&self) -> io::Result<Dialled> {
        Ok(match self {
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address.as_str()).await?;
                stream.set_nodelay(true)?;
                Box::pin(stream)
            }
            Self::Unix(path) => Box::pin(UnixStream::connect(path).await?),
        })
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err(BadAddress(text.to_owned())) } else { Ok(Self::Unix(path.into())) };
        }
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(Self::Tcp(text.to_owned())),
            _ => Err(BadAddress(text.to_owned())),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => formatter.write_str(address),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

impl fmt::Display for BadAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no RFB address: `{}`; write host:port or unix:/path", self.0)
    }
}

impl std::error::Error for BadAddress {}
