//! The upgrade, once ticket and caller are right.

use std::sync::Arc;

use super::Answer;
use crate::http::{Refusal, Request, Response};
use crate::locked::locked;
use crate::proxmox::shared::Shared;
use crate::proxmox::state::Listener;
use crate::websocket::accept_key;

/// A connection that becomes a websocket.
pub(crate) struct Upgrade {
    /// What it is connected with.
    pub(crate) console: Listener,
    /// The sub-protocols asked for.
    pub(crate) protocol: Option<String>,
    /// The answer, verbatim: no date, no server, nothing negotiated.
    pub(crate) head: Vec<u8>,
}

/// Checks the handshake and connects to the port. `Connection` and `Origin` are not looked at; nor is the key's form.
pub(super) fn upgrade(shared: &Arc<Shared>, request: &Request, port: u16) -> Answer {
    let refuse = |reason: String| Answer::Response(Response::text_error(&Refusal::new(500, reason)));
    let wanted = request.headers.joined("upgrade").unwrap_or_default();
    if !wanted.eq_ignore_ascii_case("websocket") {
        return refuse(format!("unable to upgrade to protocol '{wanted}'"));
    }
    let version = request.headers.joined("sec-websocket-version").unwrap_or_default();
    if version != "13" {
        return refuse(format!("unsupported websocket-version '{version}'"));
    }
    let key = request.headers.joined("sec-websocket-key").unwrap_or_default();
    if key.is_empty() {
        return refuse("missing websocket-key".to_owned());
    }
    let Some(console) = locked(&shared.state).connect(port) else {
        tracing::warn!("EV: error in callback (ignoring): connect to 'localhost:{port}' failed: Connection refused");
        return Answer::Silence;
    };
    let protocol = request.headers.joined("sec-websocket-protocol");
    let mut head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: {}\r\n",
        accept_key(&key)
    );
    if let Some(protocol) = &protocol {
        head.push_str("Sec-WebSocket-Protocol: ");
        head.push_str(protocol);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    Answer::Upgrade(Box::new(Upgrade { console, protocol, head: head.into_bytes() }))
}
