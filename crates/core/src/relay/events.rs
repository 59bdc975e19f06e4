//! What happens to consoles, for the portal's own audit.

use std::time::SystemTime;

use tokio::sync::broadcast;

use super::pass::Grant;
use crate::{Code, Machine, Reference};

/// A slow listener loses the oldest events beyond this many, and is told so.
const KEPT: usize = 1024;

/// Something that happened to one console.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// When.
    pub at: SystemTime,
    /// The console's public name; `None` if no pass named one.
    pub reference: Option<Reference>,
    /// The backend, machine and user of the pass, if there was a valid one.
    pub console: Option<EventConsole>,
    /// What.
    pub what: What,
}

/// Whose console an event is about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EventConsole {
    /// The backend's name.
    pub backend: String,
    /// The machine, as the pass spells it.
    pub machine: Machine,
    /// The portal's name for the person.
    pub user: Option<String>,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// A browser's pass was taken.
    Taken,
    /// The browser has the screen.
    Connected,
    /// The console ended, or never began. The browser was told the code; the message stays here.
    Ended {
        /// Why, as the browser was told.
        code: Code,
        /// Why, in words that may name hosts and nodes.
        message: String,
    },
}

/// Sends events to whoever listens, and to the log.
#[derive(Debug)]
pub(super) struct Events(broadcast::Sender<Event>);

impl Events {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }

    /// `grant` is what a pass stood for, if it was good; `reference` its name, if it was known at all.
    pub(super) fn send(&self, reference: Option<&Reference>, grant: Option<&Grant>, what: What) {
        let shown = reference.map(tracing::field::display);
        let backend = grant.map(|grant| grant.backend.as_str());
        let machine = grant.map(|grant| tracing::field::display(&grant.machine));
        let user = grant.and_then(|grant| grant.user.as_deref());
        match &what {
            What::Taken => tracing::info!(reference = shown, backend, machine, user, "pass taken"),
            What::Connected => {
                tracing::info!(reference = shown, backend, machine, user, "console connected");
            }
            What::Ended { code, message } => {
                // A field of the name `message` would take the place of the line's own words.
                tracing::info!(reference = shown, backend, machine, user, %code, reason = message, "console ended");
            }
        }
        let console = grant.map(|grant| EventConsole {
            backend: grant.backend.clone(),
            machine: grant.machine.clone(),
            user: grant.user.clone(),
        });
        // Nobody listens: that is no failure.
        let _ = self.0.send(Event { at: SystemTime::now(), reference: reference.cloned(), console, what });
    }
}
