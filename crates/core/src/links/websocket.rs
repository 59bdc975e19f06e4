//! A websocket's URL in the parts that pages want it in.

use url::{Position, Url};

use super::Origin;
use crate::{Code, Error, Result};

/// What a page is told about a websocket. Together the parts are the URL.
pub(super) struct WebSocketParts {
    /// With brackets around IPv6.
    pub(super) host: String,
    pub(super) port: u16,
    /// Whether it is `wss`.
    pub(super) encrypted: bool,
    /// Path and query without the first slash, which the pages write themselves.
    pub(super) path: String,
    /// Of the web pages that the same server has.
    pub(super) origin: Origin,
}

impl WebSocketParts {
    /// Takes a URL apart that this library has put together, so that failing is a defect of ours.
    pub(super) fn of(url: &str) -> Result<Self> {
        let defect = || Error::new(Code::Internal, "links: a websocket has no usable URL");
        let parsed = Url::parse(url).map_err(|_| defect())?;
        let encrypted = parsed.scheme() == "wss";
        let host = parsed.host_str().ok_or_else(defect)?;
        let port = parsed.port_or_known_default().ok_or_else(defect)?;
        let scheme = if encrypted { "https" } else { "http" };
        let path = &parsed[Position::BeforePath..];
        Ok(Self {
            host: host.to_owned(),
            port,
            encrypted,
            path: path.strip_prefix('/').unwrap_or(path).to_owned(),
            origin: Origin::parse(&format!("{scheme}://{host}:{port}"))?,
        })
    }
}
