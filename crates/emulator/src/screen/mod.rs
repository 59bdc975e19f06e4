//! A small RFB server with a screen of text: it says what it is, shows what is typed, and remembers it.
//!
//! It is what an emulated guest shows unless it is given a real screen, and it can listen by itself, in each version of
//! RFB and with or without a password, for testing a client's handshake.

mod canvas;
mod font;
mod keys;
mod listener;
mod messages;
mod session;

use std::io;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

pub use listener::{Options, Server};
pub(crate) use session::serve;

use crate::rfb::Address;

/// How long the waiting helpers wait before they say that what they wait for has not come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A screen. Clones show and remember the same; each client sees it at the size it was connected with.
#[derive(Debug, Clone)]
pub struct Screen {
    contents: watch::Sender<Contents>,
}

/// What happened to a screen so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The text that came of the keys pressed; Backspace takes the last character away, Return is a line feed.
    pub typed: String,
    /// How many key events came, presses and releases.
    pub key_events: u64,
    /// How many pointer events came.
    pub pointer_events: u64,
    /// Where the pointer is, and its button mask.
    pub pointer: Option<(u16, u16, u8)>,
    /// The text a client cut last.
    pub clipboard: String,
    /// How many clients are past `ServerInit` now.
    pub clients: usize,
    /// How many clients ever were.
    pub clients_ever: u64,
    /// Text the guest offers to its clients, and how often it did.
    pub(crate) offered: (u64, String),
    /// Clients that came before this one have to leave: somebody wanted the screen alone.
    pub(crate) alone_from: u64,
}

impl Screen {
    /// A screen on which nothing was typed yet.
    #[must_use]
    pub fn new() -> Self {
        Self { contents: watch::Sender::new(Contents::default()) }
    }

    /// Listens with a fresh screen.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the system gives no random bytes.
    pub async fn listen(address: &Address, options: Options) -> io::Result<Server> {
        Server::start(Self::new(), address, options).await
    }

    /// Listens with this screen.
    ///
    /// # Errors
    /// As [`Screen::listen`].
    pub async fn serve_on(&self, address: &Address, options: Options) -> io::Result<Server> {
        Server::start(self.clone(), address, options).await
    }

    /// The guest copies `text`: every client is sent it as cut text.
    pub fn copy(&self, text: &str) {
        self.contents.send_modify(|contents| contents.offered = (contents.offered.0 + 1, text.to_owned()));
    }

    /// Cuts off every client there is, as a machine does that stops.
    pub fn disconnect(&self) {
        self.contents.send_modify(|contents| contents.alone_from = contents.clients_ever + 1);
    }

    /// What was typed so far.
    #[must_use]
    pub fn typed(&self) -> String {
        self.contents.borrow().typed.clone()
    }

    /// All that happened so far.
    #[must_use]
    pub fn contents(&self) -> Contents {
        self.contents.borrow().clone()
    }

    /// Waits until what was typed holds `text`.
    ///
    /// # Errors
    /// `TimedOut` when it does not within 30 s.
    pub async fn wait_for_typed(&self, text: &str) -> io::Result<()> {
        self.wait_until(|contents| contents.typed.contains(text)).await
    }

    /// Waits until `condition` holds.
    ///
    /// # Errors
    /// `TimedOut` when it does not within 30 s.
    pub async fn wait_until(&self, condition: impl FnMut(&Contents) -> bool) -> io::Result<()> {
        let mut receiver = self.contents.subscribe();
        match timeout(PATIENCE, receiver.wait_for(condition)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(io::Error::new(io::ErrorKind::TimedOut, "the screen did not come to what was waited for")),
        }
    }
}

impl Default for Screen {
    fn default() -> Self {
        Self::new()
    }
}
