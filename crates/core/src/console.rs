//! A console: a ticket with everything needed to use it.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::links::{PageTarget, RfbParameters, page_link};
use crate::net::http::Answer;
use crate::net::route::Route;
use crate::net::tls::Trust;
use crate::{Code, Error, Machine, Options, Result, Secret};

/// The kinds of console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A screen, spoken as RFB.
    Vnc,
}

impl Kind {
    /// The word for it in every language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vnc => "vnc",
        }
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "vnc" => Ok(Self::Vnc),
            "terminal" | "spice" | "guacamole" => {
                Err(Error::new(Code::Unsupported, format!("kind: {text:?} is not supported yet; vnc is")))
            }
            _ => Err(Error::invalid("kind", text, "accepted is vnc")),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One console, as a backend opened it: where to connect, with what, and until when.
///
/// It holds secrets and is for the portal's own process and for operators, never for a customer's browser. Each secret
/// has a named accessor; `Debug` shows none.
#[derive(Debug)]
pub struct Console {
    /// The backend's type, for errors and logs.
    pub(crate) backend: &'static str,
    /// The machine with its type and node, as the backend found it.
    pub(crate) machine: Machine,
    pub(crate) kind: Kind,
    pub(crate) target: Target,
    pub(crate) password: Option<Secret>,
    pub(crate) expires_at: SystemTime,
    /// The hypervisor's name for the work behind the ticket, to ask for the reason when it ends early.
    pub(crate) task: Option<Task>,
}

/// Where a console's bytes are.
#[derive(Debug)]
pub(crate) enum Target {
    /// A websocket of the management API.
    WebSocket(Box<WebSocketTarget>),
    /// RFB on a TCP socket, any of these addresses.
    Tcp(Vec<SocketAddr>),
    /// RFB on a unix socket.
    Unix(PathBuf),
}

/// A websocket, with the way to who answered when the ticket was asked for: tickets are good there only.
#[derive(Debug)]
pub(crate) struct WebSocketTarget {
    pub(crate) url: Secret,
    /// The ticket in it, and the password that came with it.
    pub(crate) handed_out: [Secret; 2],
    pub(crate) route: Route,
    pub(crate) headers: Vec<(&'static str, Secret)>,
    pub(crate) trust: Arc<Trust>,
    /// What it is the console of, in words that are safe to show: `qemu/101 on pve1`.
    pub(crate) what: String,
    /// How long the upgrade may take: the backend's option.
    pub(crate) timeout: Duration,
    /// Reads a refusal of the upgrade: only the backend knows its hypervisor's words.
    pub(crate) refused: fn(&Self, &Answer) -> Error,
}

/// A task of Proxmox VE.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) node: String,
    pub(crate) upid: String,
}

impl Console {
    /// The machine, with what the backend found out about it (type, node).
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The kind of console.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// When the ticket ends. The connection must stand by then; a session may outlive it.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// The websocket to open, with the ticket in it: a secret. `None` for a plain RFB server.
    pub fn websocket_url(&self) -> Option<&str> {
        match &self.target {
            Target::WebSocket(target) => Some(target.url.expose()),
            Target::Tcp(_) | Target::Unix(_) => None,
        }
    }

    /// The headers that the websocket needs, with the account's credentials: secrets.
    pub fn headers(&self) -> Vec<(&str, &str)> {
        match &self.target {
            Target::WebSocket(target) => target.headers.iter().map(|(name, value)| (*name, value.expose())).collect(),
            Target::Tcp(_) | Target::Unix(_) => Vec::new(),
        }
    }

    /// The VNC password: a secret. `None` if the console needs none.
    pub fn password(&self) -> Option<&str> {
        self.password.as_ref().map(Secret::expose)
    }

    /// The address to dial, for a console behind TCP. It is the one that issued the ticket: behind a name with several
    /// addresses only this one knows it. Through a proxy it is what the proxy is asked for, or `None` if that is a name.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.target {
            Target::WebSocket(target) => target.route.address(),
            Target::Tcp(addresses) => addresses.first().copied(),
            Target::Unix(_) => None,
        }
    }
}

impl Console {
    /// The link of a noVNC page that opens this console, for an operator: a secret, as the ticket is in it.
    ///
    /// `page` is the address of a `vnc.html`, `vnc_lite.html` or `vnc_auto.html`; the options are those of
    /// [`Scope::Page`](crate::options::Scope::Page).
    ///
    /// **Not for customers.** The browser connects to the hypervisor itself, which besides the ticket wants its own login
    /// cookie (`PVEAuthCookie` of Proxmox VE) of the account that asked for the console, and answers `401 No ticket` without
    /// it. Such a cookie is good for the whole cluster. Customers get a pass of the relay.
    ///
    /// A page that is not served by the hypervisor itself sees the ticket as well, so it needs the option `foreign_origin`.
    pub fn novnc_url(&self, page: &str, options: &Options) -> Result<Secret> {
        let target =
            PageTarget { websocket: self.websocket("a page")?, password: self.password.as_ref(), is_hypervisor: true };
        page_link(page, options, &target)
    }

    /// What `RFB()` of `@novnc/novnc` and react-vnc take, without any page. The same cookie is needed.
    pub fn rfb_parameters(&self) -> Result<RfbParameters> {
        let url = Secret::new(self.websocket("RFB()")?);
        Ok(RfbParameters::new(url, self.password.clone()))
    }

    /// What must not be quoted of a server's words.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        match &self.target {
            Target::WebSocket(target) => target.secrets(),
            Target::Tcp(_) | Target::Unix(_) => self.password().into_iter().collect(),
        }
    }

    fn websocket(&self, user: &str) -> Result<&str> {
        match &self.target {
            Target::WebSocket(target) => Ok(target.url.expose()),
            Target::Tcp(_) | Target::Unix(_) => {
                let message = format!("{}: {} has no websocket that {user} could open", self.backend, self.machine);
                let error = Error::new(Code::Unsupported, message);
                Err(error.with_hint("issue a pass; the relay gives it a websocket"))
            }
        }
    }
}

impl WebSocketTarget {
    /// What must not be quoted of the words of a server that was sent all this.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        self.handed_out.iter().chain(self.headers.iter().map(|(_, value)| value)).map(Secret::expose).collect()
    }
}
