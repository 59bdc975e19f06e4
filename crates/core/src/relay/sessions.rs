//! The sessions that are alive: how many there may be, and how each is told to end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::time::Instant;

use crate::{Code, Error, Reference, Result};

/// Longer than any browser takes from its pass to its entry.
const DOOR: Duration = Duration::from_secs(60);

/// Every session from the moment its pass is taken.
pub(super) struct Sessions {
    places: Arc<Semaphore>,
    most: usize,
    live: Mutex<Live>,
    /// Set once: nobody is let in any more. It changes under the lock of `live` alone.
    closed: watch::Sender<bool>,
    /// It has a receiver for each one that may have something to tell.
    telling: watch::Sender<()>,
}

#[derive(Default)]
struct Live {
    ends: HashMap<Reference, oneshot::Sender<Code>>,
    /// Who was to be ended and was not found: a browser between taking its pass and entering is caught at the door.
    missed: HashMap<Reference, (Code, Instant)>,
}

/// A place for a session whose pass is not taken yet.
#[derive(Debug)]
pub(super) struct Reserved {
    permit: OwnedSemaphorePermit,
    telling: Telling,
}

/// As long as one is there, there may be more to tell about a session.
#[derive(Clone, Debug)]
pub(super) struct Telling(#[expect(dead_code, reason = "that it is there says it")] watch::Receiver<()>);

/// One session's place among the others; it is free again when this is dropped.
pub(super) struct Place {
    reference: Reference,
    sessions: Arc<Sessions>,
    end: oneshot::Receiver<Code>,
    // In this order: after the last one the sessions are none.
    _permit: OwnedSemaphorePermit,
    _telling: Telling,
}

impl Sessions {
    pub(super) fn new(most: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most)),
            most,
            live: Mutex::default(),
            closed: watch::Sender::new(false),
            telling: watch::Sender::new(()),
        }
    }

    /// Reserves a place, before the pass is taken: a pass is not spent on a relay that is full.
    pub(super) fn reserve(&self) -> Result<Reserved> {
        // Under the lock: who comes after the close is not waited for, and who came before it is.
        let telling =
            self.locked(|_| if self.is_closed() { Err(shutting_down()) } else { Ok(self.telling.subscribe()) });
        let telling = Telling(telling?);
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            Error::new(Code::Busy, format!("relay: {} of {} sessions are open", self.most, self.most))
                .with_hint("raise max_sessions")
        })?;
        Ok(Reserved { permit, telling })
    }

    /// Enters a session into its reserved place.
    pub(super) fn enter(self: &Arc<Self>, reference: Reference, reserved: Reserved) -> Result<Place> {
        let (sender, end) = oneshot::channel();
        self.locked(|live| {
            if self.is_closed() {
                return Err(shutting_down());
            }
            if let Some((code, _)) = live.missed.remove(&reference) {
                return Err(Error::new(code, "ended by the portal"));
            }
            live.ends.insert(reference.clone(), sender);
            Ok(())
        })?;
        let Reserved { permit, telling } = reserved;
        Ok(Place { reference, sessions: Arc::clone(self), end, _permit: permit, _telling: telling })
    }

    /// Tells one session to end. Returns whether there was one.
    pub(super) fn end(&self, reference: &Reference, code: Code) -> bool {
        let sender = self.locked(|live| {
            let sender = live.ends.remove(reference);
            if sender.is_none() {
                let now = Instant::now();
                live.missed.retain(|_, (_, at)| now < *at + DOOR);
                live.missed.insert(reference.clone(), (code, now));
            }
            sender
        });
        sender.is_some_and(|sender| sender.send(code).is_ok())
    }

    /// Tells every session to end, and lets nobody in again.
    pub(super) fn close(&self) {
        let ends = self.locked(|live| {
            self.closed.send_replace(true);
            std::mem::take(&mut live.ends)
        });
        for sender in ends.into_values() {
            // A session that is just ending by itself hears nothing.
            let _ = sender.send(Code::ShuttingDown);
        }
    }

    /// Resolves when nobody is let in any more, and the last session is gone and has told its end.
    pub(super) async fn gone(&self) {
        // The sender is here.
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
        self.telling.closed().await;
    }

    pub(super) fn are_gone(&self) -> bool {
        self.is_closed() && self.telling.is_closed()
    }

    pub(super) fn count(&self) -> usize {
        self.most - self.places.available_permits()
    }

    fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    fn locked<T>(&self, body: impl FnOnce(&mut Live) -> T) -> T {
        body(&mut self.live.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn shutting_down() -> Error {
    Error::new(Code::ShuttingDown, "relay: shutting down")
}

impl Reserved {
    /// For who has something to tell even if there is no session in the end.
    pub(super) fn telling(&self) -> Telling {
        self.telling.clone()
    }
}

impl Place {
    /// Resolves when somebody ends this session, with the reason to tell.
    pub(super) async fn ended(&mut self) -> Code {
        // A relay that is dropped without being stopped ends its sessions, too.
        (&mut self.end).await.unwrap_or(Code::ShuttingDown)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.sessions.locked(|live| live.ends.remove(&self.reference));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(sessions: &Arc<Sessions>) -> (Reference, Place) {
        let reference = Reference::random().unwrap();
        let place = sessions.enter(reference.clone(), sessions.reserve().unwrap()).unwrap();
        (reference, place)
    }

    #[tokio::test]
    async fn a_full_relay_is_busy_until_a_session_ends() {
        let sessions = Arc::new(Sessions::new(1));
        let (_, place) = enter(&sessions);

        assert_eq!(sessions.reserve().unwrap_err().code(), Code::Busy);
        drop(place);
        assert!(sessions.reserve().is_ok());
    }

    #[tokio::test]
    async fn one_session_is_ended_by_its_reference() {
        let sessions = Arc::new(Sessions::new(5));
        let (reference, mut place) = enter(&sessions);

        assert!(sessions.end(&reference, Code::Revoked));
        assert!(!sessions.end(&reference, Code::Revoked), "once");
        assert_eq!(place.ended().await, Code::Revoked);
    }

    #[tokio::test]
    async fn who_is_ended_between_the_pass_and_the_door_is_stopped_at_the_door() {
        let sessions = Arc::new(Sessions::new(5));
        let reference = Reference::random().unwrap();

        assert!(!sessions.end(&reference, Code::Revoked));

        let late = sessions.enter(reference, sessions.reserve().unwrap());
        assert_eq!(late.err().map(|error| error.code()), Some(Code::Revoked));
    }

    #[tokio::test]
    async fn a_close_ends_all_lets_nobody_in_and_waits_for_the_last() {
        let sessions = Arc::new(Sessions::new(5));
        let (_, mut first) = enter(&sessions);
        let permit = sessions.reserve().unwrap();
        sessions.close();

        assert_eq!(first.ended().await, Code::ShuttingDown);
        assert_eq!(sessions.reserve().unwrap_err().code(), Code::ShuttingDown);
        let late = sessions.enter(Reference::random().unwrap(), permit);
        assert_eq!(late.err().map(|error| error.code()), Some(Code::ShuttingDown));
        assert_eq!(sessions.count(), 1);
        drop(first);
        sessions.gone().await;
        assert_eq!(sessions.count(), 0);
    }
}
