//! Listening to what happens to consoles, up to the end of the last one.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::events::Event;
use super::sessions::Sessions;
use crate::{Code, Error};

/// A place to hear what happens to a relay's consoles, from the moment of [`Relay::events`](super::Relay::events).
///
/// It keeps 1024 events for who is slow, and then drops the oldest.
pub struct Subscription {
    events: Receiver<Event>,
    sessions: Arc<Sessions>,
}

/// What a [`Subscription`] has next.
#[derive(Clone, Debug)]
pub enum NextEvent {
    /// Something happened to a console.
    Event(Event),
    /// So many events were dropped, as they were not fetched in time.
    Lost(u64),
    /// The relay was stopped or dropped, its last console has ended, and all that was told of them has been fetched.
    Ended,
}

impl NextEvent {
    /// [`NextEvent::Ended`] as an error, for languages in which that is one.
    pub fn ended() -> Error {
        Error::new(Code::Closed, "events: the relay has ended")
            .with_hint("it was stopped, and everything was fetched: there is nothing more to wait for")
            .for_good()
    }

    /// The event, if it is one.
    pub fn event(self) -> Option<Event> {
        match self {
            Self::Event(event) => Some(event),
            Self::Lost(_) | Self::Ended => None,
        }
    }
}

impl Subscription {
    pub(super) fn new(events: Receiver<Event>, sessions: Arc<Sessions>) -> Self {
        Self { events, sessions }
    }

    /// Waits for what is next. Nothing is lost if the future is dropped before it is done.
    pub async fn next(&mut self) -> NextEvent {
        tokio::select! {
            // What happened comes before the end.
            biased;
            received = self.events.recv() => return match received {
                Ok(event) => NextEvent::Event(event),
                Err(RecvError::Lagged(count)) => NextEvent::Lost(count),
                Err(RecvError::Closed) => NextEvent::Ended,
            },
            () = self.sessions.gone() => {}
        }
        // The last console may have told its end at the last moment.
        self.kept().unwrap_or(NextEvent::Ended)
    }

    /// What is next, if it is there already.
    pub fn try_next(&mut self) -> Option<NextEvent> {
        // Before the events: what is not there after the last console does not come any more.
        let is_over = self.sessions.are_gone();
        self.kept().or_else(|| is_over.then_some(NextEvent::Ended))
    }

    fn kept(&mut self) -> Option<NextEvent> {
        match self.events.try_recv() {
            Ok(event) => Some(NextEvent::Event(event)),
            Err(TryRecvError::Lagged(count)) => Some(NextEvent::Lost(count)),
            Err(TryRecvError::Closed) => Some(NextEvent::Ended),
            Err(TryRecvError::Empty) => None,
        }
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").field("kept", &self.events.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::events::{Events, What};
    use crate::{Code, Reference};

    fn listened_to() -> (Events, Arc<Sessions>, Subscription) {
        let (events, sessions) = (Events::new(), Arc::new(Sessions::new(5)));
        let subscription = Subscription::new(events.subscribe(), Arc::clone(&sessions));
        (events, sessions, subscription)
    }

    #[tokio::test]
    async fn the_end_waits_for_the_last_console_and_comes_after_what_it_told() {
        let (events, sessions, mut subscription) = listened_to();
        let place = sessions.enter(Reference::random().unwrap(), sessions.reserve().unwrap()).unwrap();
        sessions.close();
        assert!(subscription.try_next().is_none(), "a console is still there");

        let listening = tokio::spawn(async move { (subscription.next().await, subscription.next().await) });
        tokio::task::yield_now().await;
        events.send(None, None, What::Ended { code: Code::ShuttingDown, message: String::new() });
        drop(place);

        let told = listening.await.unwrap();
        assert!(matches!(told, (NextEvent::Event(_), NextEvent::Ended)), "{told:?}");
    }

    #[tokio::test]
    async fn a_browser_on_its_way_in_is_waited_for_as_well() {
        let (_events, sessions, mut subscription) = listened_to();
        let reserved = sessions.reserve().unwrap();
        let told = reserved.telling();
        sessions.close();

        assert!(sessions.enter(Reference::random().unwrap(), reserved).is_err());
        assert!(subscription.try_next().is_none(), "it has not told why it was refused");
        drop(told);

        assert!(matches!(subscription.try_next(), Some(NextEvent::Ended)));
        assert!(matches!(subscription.next().await, NextEvent::Ended), "again");
    }

    #[tokio::test]
    async fn who_is_slow_is_told_how_many_were_dropped() {
        let (events, _sessions, mut subscription) = listened_to();
        for _ in 0..1027 {
            events.send(None, None, What::Connected);
        }

        let told = (subscription.next().await, subscription.next().await);

        assert!(matches!(told, (NextEvent::Lost(3), NextEvent::Event(_))), "{told:?}");
    }
}
