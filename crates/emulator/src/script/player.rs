//! A server that plays a script.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::exchange::Script;
use super::play;
use crate::screen::PATIENCE;
use crate::tls::Identity;

/// How a script is served.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// HTTPS with a certificate of its own, or plain HTTP.
    pub tls: bool,
    /// A silent connection is closed after this, unless the script says that it hangs.
    pub idle_close: Duration,
}

/// A script that is being played. Dropping it closes the port and every connection.
pub struct Player {
    stage: Arc<Stage>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// What every connection of a player works with.
pub(super) struct Stage {
    pub(super) identity: Option<Identity>,
    pub(super) script: Script,
    pub(super) options: Options,
    pub(super) progress: watch::Sender<Progress>,
}

/// How far a script has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Exchanges whose request came.
    pub(super) begun: usize,
    /// Exchanges that are over.
    pub(super) done: usize,
    pub(super) mismatches: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { listen: (Ipv4Addr::LOCALHOST, 0).into(), tls: true, idle_close: Duration::from_secs(60) }
    }
}

impl Player {
    /// Plays a script over HTTPS on a port of the system's choice.
    ///
    /// # Errors
    /// When nothing can be listened on, or the system gives no random bytes.
    pub async fn start(script: Script) -> io::Result<Self> {
        Self::start_with(script, Options::default()).await
    }

    /// Plays a script.
    ///
    /// # Errors
    /// As [`Player::start`].
    pub async fn start_with(script: Script, options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let identity = if options.tls { Some(Identity::new()?) } else { None };
        let progress = watch::Sender::new(Progress::default());
        let stage = Arc::new(Stage { identity, script, options, progress });
        let task = tokio::spawn(accept(listener, stage.clone()));
        Ok(Self { stage, address, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// SHA-256 of the certificate it shows; `None` over plain HTTP.
    #[must_use]
    pub fn fingerprint(&self) -> Option<&str> {
        self.stage.identity.as_ref().map(|identity| identity.fingerprint.as_str())
    }

    /// The authority that signed its certificate; `None` over plain HTTP.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.stage.identity.as_ref().map(|identity| identity.ca_pem.as_str())
    }

    /// Waits until every exchange is over or something differed, however long that takes: for a command that serves
    /// until its client is done.
    pub async fn played(&self) {
        let total = self.stage.script.exchanges.len();
        let mut progress = self.stage.progress.subscribe();
        // The sender lives as long as the stage does.
        let _ = progress.wait_for(|progress| progress.done >= total || !progress.mismatches.is_empty()).await;
    }

    /// Waits until the exchanges that have begun are over, then says what differed and what never happened.
    ///
    /// # Errors
    /// Every mismatch and every exchange that did not happen, in words.
    pub async fn finish(self) -> Result<(), Vec<String>> {
        let mut progress = self.stage.progress.subscribe();
        let settled = progress.wait_for(|progress| progress.done >= progress.begun || !progress.mismatches.is_empty());
        let _ = timeout(PATIENCE, settled).await;
        let progress = self.stage.progress.borrow();
        let mut complaints = progress.mismatches.clone();
        if complaints.is_empty() && progress.done < progress.begun {
            complaints.push(format!("exchange {} did not come to its end", progress.done + 1));
        }
        let missing = self.stage.script.exchanges.iter().enumerate().skip(progress.begun);
        complaints.extend(missing.map(|(index, exchange)| {
            let (method, path) = (exchange.request.method.as_deref(), exchange.request.path.as_deref());
            format!("exchange {} never happened: {} {}", index + 1, method.unwrap_or("*"), path.unwrap_or("*"))
        }));
        if complaints.is_empty() { Ok(()) } else { Err(complaints) }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, stage: Arc<Stage>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((tcp, _)) = listener.accept().await else {
            return;
        };
        connections.spawn(play::serve(stage.clone(), tcp));
        while connections.try_join_next().is_some() {}
    }
}
