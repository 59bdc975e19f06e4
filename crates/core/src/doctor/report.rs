//! What an examination came to.

use std::fmt;
use std::time::Duration;

use crate::{Error, Kind, Machine};

/// A step on the way to a console, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Step {
    /// Looks the host's name up.
    Name,
    /// Connects to the port, over TCP or a unix socket.
    Port,
    /// Begins TLS, and looks at the certificate.
    Tls,
    /// Logs in to the management API.
    Login,
    /// Finds the machine, and asks what the account may do with it.
    Permission,
    /// Asks for a ticket.
    Ticket,
    /// Opens the console's websocket at the address that gave the ticket.
    Upgrade,
    /// Reads the first bytes of the screen, and logs in to it.
    Screen,
}

impl Step {
    /// Every step there is; a backend takes those of them that it has.
    pub const ALL: &'static [Self] =
        &[Self::Name, Self::Port, Self::Tls, Self::Login, Self::Permission, Self::Ticket, Self::Upgrade, Self::Screen];

    /// The word for it in every language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Port => "port",
            Self::Tls => "tls",
            Self::Login => "login",
            Self::Permission => "permission",
            Self::Ticket => "ticket",
            Self::Upgrade => "upgrade",
            Self::Screen => "screen",
        }
    }

    /// What is done in it, for help and documentation.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Name => "looks the host's name up",
            Self::Port => "connects to the port",
            Self::Tls => "looks at the certificate",
            Self::Login => "logs in to the management API",
            Self::Permission => "finds the machine, and asks what the account may do with it",
            Self::Ticket => "asks for a ticket",
            Self::Upgrade => "opens the websocket, at the address that gave the ticket",
            Self::Screen => "reads the first bytes of the screen, logs in to it, and leaves",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What became of one step.
#[derive(Debug)]
#[non_exhaustive]
pub struct Examined {
    /// Which.
    pub step: Step,
    /// How long it took; nothing for one that was not reached.
    pub took: Duration,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found, each as a clause that is safe to show.
    pub facts: Vec<String>,
    /// What does no harm yet, each as a clause that is safe to show: of two addresses one does not answer.
    pub warnings: Vec<String>,
}

/// How a step ended.
#[derive(Debug)]
pub enum Outcome {
    /// As it should.
    Fine,
    /// With an error; nothing comes behind it but another attempt.
    Failed(Error),
    /// It was not taken, for one before it failed.
    NotReached,
}

impl Outcome {
    /// The word for it in every language.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Failed(_) => "failed",
            Self::NotReached => "not_reached",
        }
    }
}

/// Every step on the way to one console.
#[derive(Debug)]
pub struct Report {
    pub(super) backend: &'static str,
    pub(super) machine: Machine,
    pub(super) kind: Kind,
    pub(super) steps: Vec<Examined>,
}

impl Report {
    /// The backend's type, such as `proxmox`.
    pub fn backend(&self) -> &'static str {
        self.backend
    }

    /// The machine, as it was asked for.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The kind of console.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The steps as they were taken, and then those that were not reached. Where the first attempt failed in a way that
    /// passes, the steps of the second come behind it.
    pub fn steps(&self) -> &[Examined] {
        &self.steps
    }

    /// Why there is no console; `None` if there is one.
    pub fn error(&self) -> Option<&Error> {
        let last = self.steps.iter().rev().find(|examined| !matches!(examined.outcome, Outcome::NotReached));
        match last.map(|examined| &examined.outcome) {
            Some(Outcome::Failed(error)) => Some(error),
            _ => None,
        }
    }
}
