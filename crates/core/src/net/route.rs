//! The way to one server, kept so that who comes later meets the same one.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use super::dial;
use super::proxy::{NoTunnel, Proxy};

/// How the server was reached that answered. Behind a name with several addresses only this one knows the ticket.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    Direct(SocketAddr),
    Tunnel(Arc<Proxy>, Destination),
}

/// What a proxy is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Address(SocketAddr),
    /// `host:port`, for the proxy to look up.
    Name(String),
}

impl Route {
    /// Connects in at most `timeout`.
    pub(crate) async fn connect(&self, timeout: Duration) -> Result<TcpStream, NoTunnel> {
        match self {
            Self::Direct(address) => {
                dial::connect(&[*address], timeout).await.map_err(|error| NoTunnel { error, is_beyond: true })
            }
            Self::Tunnel(proxy, destination) => proxy.tunnel(&destination.to_string(), timeout).await,
        }
    }

    /// The server's address, unless only the proxy knows it.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Direct(address) | Self::Tunnel(_, Destination::Address(address)) => Some(*address),
            Self::Tunnel(_, Destination::Name(_)) => None,
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}
