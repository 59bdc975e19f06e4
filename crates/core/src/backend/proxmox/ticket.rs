//! The ticket of one console, and the console that is made of it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Inner;
use super::api::{Outcome, Reply};
use super::locate::Found;
use super::refusal::{Question, Step, refusal};
use super::wire;
use crate::console::{Target, WebSocketTarget};
use crate::links::{self, GuestPath};
use crate::net::http::Answer;
use crate::{Code, Console, Error, GuestType, Kind, Machine, Result};

/// How long the hypervisor waits for a console to be opened (qemu-server, `vncproxy`).
pub(super) const LISTENER_LIFE: Duration = Duration::from_secs(10);

impl Inner {
    /// Asks again, once, where the node could not start the task: that happens about once in sixty times on a busy one.
    pub(super) async fn open(&self, machine: &Machine, kind: Kind) -> Result<Console> {
        match self.open_once(machine, kind).await {
            Err(error) if error.is_worth_another_attempt() => {
                tracing::debug!(%error, "proxmox: no ticket, asking once more");
                self.open_once(machine, kind).await
            }
            outcome => outcome,
        }
    }

    pub(super) async fn open_once(&self, machine: &Machine, kind: Kind) -> Result<Console> {
        let found = self.locate(machine).await?;
        self.ticket(&found, kind).await
    }

    /// Port, ticket, password, identity and address go into one console: any of them with another's would be refused.
    pub(super) async fn ticket(&self, found: &Found, kind: Kind) -> Result<Console> {
        match kind {
            Kind::Vnc => {}
        }
        let path = GuestPath { node: &found.node, guest: found.guest, id: found.id };
        let what = format!("{}/{} on {}", found.guest.as_str(), found.id, found.node);
        let Reply { answer, host, identity } = self.vncproxy(&path, found.guest, &what).await?;
        let ticket = wire::read_ticket(&answer.body)?;
        let route = answer
            .route
            .ok_or_else(|| Error::new(Code::Internal, "proxmox: the address that answered is not known"))?;
        Ok(Console {
            backend: "proxmox",
            machine: Machine::Guest { node: Some(found.node.clone()), guest: found.guest, id: found.id },
            kind,
            target: Target::WebSocket(Box::new(WebSocketTarget {
                url: links::proxmox_websocket(&host, &path, ticket.port, &ticket.text),
                handed_out: [ticket.text, ticket.password.clone()],
                route,
                headers: identity.headers(false),
                trust: Arc::clone(&self.trust),
                what,
                timeout: self.timeout,
                refused: refused_websocket,
            })),
            password: Some(ticket.password),
            expires_at: SystemTime::now() + LISTENER_LIFE,
            task: ticket.task,
        })
    }

    /// Asks for the ticket, and without what the server does not know if that is what it refuses: it looks at the
    /// parameters before it does anything.
    async fn vncproxy(&self, path: &GuestPath<'_>, guest: GuestType, what: &str) -> Result<Reply> {
        let own_password = guest == GuestType::Qemu;
        match self.api.put(&wire::vncproxy(path, own_password), Step::Ticket, what).await? {
            Outcome::Yes(reply) => Ok(reply),
            Outcome::No { said, .. } if own_password && said.is_about(wire::OWN_PASSWORD) => {
                self.api.ask(&wire::vncproxy(path, false), Step::Ticket, what).await
            }
            Outcome::No { error, .. } => Err(error),
        }
    }
}

/// Reads the refusal of an upgrade.
fn refused_websocket(target: &WebSocketTarget, answer: &Answer) -> Error {
    // A token's header names the token; of a cookie only the ticket's owner could be told, who does not matter here.
    let account = match target.headers.first() {
        Some(("authorization", value)) => value.expose().split('=').nth(1).unwrap_or_default(),
        _ => "the user",
    };
    let question = Question {
        step: Step::Websocket,
        what: &target.what,
        account,
        // Were it lost, the request for the console's ticket would have told, a moment ago.
        is_ticket_alone: false,
        secrets: target.secrets(),
    };
    refusal(&question, &wire::read_refusal(answer.status, &answer.reason, &answer.body))
}
