//! The way to a hypervisor: trust, the API client, the upgrade to a websocket, plain sockets.
//!
//! Nothing here depends on which hypervisor answers, though a hint may name one. What a refusal means, the backend says
//! that made the target.

mod authorities;
pub(crate) mod dial;
mod exchange;
pub(crate) mod failure;
mod fingerprint;
pub(crate) mod http;
pub(crate) mod name;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod route;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod tls;
mod tunnels;
mod untrusted;

// Only the relay connects to consoles; without it a console is opened by whoever asked for it.
#[cfg(feature = "relay")]
mod stream;
#[cfg(feature = "relay")]
pub(crate) mod websocket;

#[cfg(feature = "relay")]
pub(crate) use stream::{Opened, Stream, open_target};

/// How we name ourselves in a hypervisor's access log.
const USER_AGENT: &str = concat!("consolepass/", env!("CARGO_PKG_VERSION"));
