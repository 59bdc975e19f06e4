//! Starting, watching and changing an emulated cluster.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::connection;
use super::guest::{GuestId, ScreenSource};
use super::record::{Call, Record, Tunnel};
use super::settings::Settings;
use super::shared::Shared;
use super::state::State;
use super::tickets::Keys;
use crate::locked::locked;
use crate::random::Random;
use crate::screen::{PATIENCE, Screen};
use crate::tls::Identity;

/// An emulated Proxmox VE. Dropping it closes the port and every connection.
pub struct Emulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Emulator {
    /// Starts with a certificate and keys of its own.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the system gives no random bytes.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let random = Random::new()?;
        let shared = Arc::new(Shared {
            identity: Identity::new()?,
            keys: Mutex::new(Keys::new(random.bytes())),
            random,
            settings: Mutex::new(settings),
            state: Mutex::new(State::new()),
            record: watch::Sender::new(Record::default()),
            deaths: watch::Sender::new(0),
        });
        let task = tokio::spawn(accept(listener, shared.clone()));
        Ok(Self { shared, address, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// SHA-256 of the certificate it shows: upper-case hex with colons.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.shared.identity.fingerprint
    }

    /// The authority that signed its certificate, which is good for 127.0.0.1, `::1` and localhost.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.shared.identity.ca_pem
    }

    /// Everything that happened so far.
    #[must_use]
    pub fn record(&self) -> Record {
        self.shared.record.borrow().clone()
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Call> {
        self.shared.record.borrow().calls.clone()
    }

    /// The websockets so far.
    #[must_use]
    pub fn tunnels(&self) -> Vec<Tunnel> {
        self.shared.record.borrow().tunnels.clone()
    }

    /// Whether a client broke a rule of framing on any websocket.
    #[must_use]
    pub fn wedged(&self) -> bool {
        self.shared.record.borrow().wedged()
    }

    /// Every secret handed out so far: tickets, CSRF tokens, VNC passwords.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.shared.record.borrow().secrets.clone()
    }

    /// The built-in screen of a guest, if it has that.
    #[must_use]
    pub fn screen(&self, guest: &str) -> Option<Screen> {
        let id: GuestId = guest.parse().ok()?;
        let settings = locked(&self.shared.settings);
        let guest = settings.guests.iter().find(|guest| guest.id == id)?;
        match &guest.screen {
            ScreenSource::BuiltIn(screen) => Some(screen.clone()),
            ScreenSource::Address(_) => None,
        }
    }

    /// Waits until `condition` holds.
    ///
    /// # Errors
    /// `TimedOut` when it does not within 30 s.
    pub async fn wait_until(&self, condition: impl FnMut(&Record) -> bool) -> io::Result<()> {
        let mut receiver = self.shared.record.subscribe();
        match timeout(PATIENCE, receiver.wait_for(condition)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(io::Error::new(io::ErrorKind::TimedOut, "the emulator did not come to what was waited for")),
        }
    }

    /// Changes settings while it runs: stops a guest, withdraws a grant, adds a fault. All but the listen address
    /// counts from the next request on.
    pub fn reconfigure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut locked(&self.shared.settings));
    }

    /// Replaces the cluster's keys: every ticket handed out so far is void.
    pub fn rotate_keys(&self) {
        *locked(&self.shared.keys) = Keys::new(self.shared.random.bytes());
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Aborting this task drops the set, and with it every connection.
    let mut connections = JoinSet::new();
    for number in 1.. {
        let Ok((tcp, _)) = listener.accept().await else {
            return;
        };
        connections.spawn(connection::serve(shared.clone(), tcp, number));
        while connections.try_join_next().is_some() {}
    }
}
