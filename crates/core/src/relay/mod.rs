//! The relay: it trades a pass for a ticket when the browser connects, logs in, and carries the bytes.
//!
//! `listener` accepts, `connection` reads the upgrade, `acceptor` takes the pass, `session` asks the backend and logs in,
//! `pipe` carries. Each step knows the next one and no other. `host` is for portals that accept by themselves, `issuer` makes
//! passes, alone or as a part of a relay.

mod acceptor;
mod admission;
mod assets;
mod connection;
mod control;
mod events;
mod host;
mod host_connection;
mod host_socket;
mod issuer;
mod listener;
mod marks;
mod opaque;
mod owner;
mod page;
mod pass;
pub(crate) mod pipe;
mod rewound;
mod session;
mod sessions;
pub(crate) mod set_up;
mod signed;
mod store;
mod subscription;
mod upgrade;
mod viewer;

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use tokio::sync::{OnceCell, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use self::acceptor::Acceptor;
use self::events::Events;
use self::marks::Marks;
use self::opaque::Opaque;
use self::pass::RelayId;
use self::pipe::Limits;
use self::sessions::Sessions;
use self::upgrade::OriginPolicy;
use crate::links::{Origin, PublicUrl, shown};
use crate::options::{Checked, Options, Scope};
use crate::{Backend, Code, Error, Reference, Result};

pub use self::events::{Event, EventConsole, What};
pub use self::host_connection::HostConnection;
pub use self::host_socket::{HostSocket, Message};
pub use self::issuer::Issuer;
pub use self::owner::Owner;
pub use self::pass::Pass;
pub use self::signed::PassKey;
pub use self::subscription::{NextEvent, Subscription};
pub use self::viewer::{Viewer, ViewerFile};

/// A relay: issues passes, and serves the browsers that bring them.
///
/// It is made of backends under the names that passes use, and of the options of [`Scope::Relay`]. Nothing is opened before
/// [`Relay::start`]; a portal that owns its port hands connections over instead ([`Relay::serve`], [`Relay::accept`]). From
/// then on it belongs to this process: in one that is forked off it refuses with [`Code::Forked`].
///
/// Dropping it ends every session at once; [`Relay::stop`] lets the browsers hear why.
pub struct Relay {
    owner: Owner,
    shared: Arc<Shared>,
    issuer: Issuer,
    listen: SocketAddr,
    shutdown_grace: Duration,
    state: Mutex<State>,
    /// There once it has ended; whoever stops it waits for that.
    ended: OnceCell<()>,
}

/// What a relay is doing. It goes down this list and never up again.
enum State {
    New,
    /// On its way to its port.
    Starting,
    Running(SocketAddr, JoinHandle<()>),
    Stopped,
}

/// What every session of a relay has in common.
struct Shared {
    backends: HashMap<String, Arc<dyn Backend>>,
    public_url: Arc<PublicUrl>,
    origins: OriginPolicy,
    acceptor: Acceptor,
    sessions: Arc<Sessions>,
    events: Events,
    limits: Limits,
    /// A place for each browser on its way to a console.
    handshakes: Arc<Semaphore>,
    handshake_timeout: Duration,
    /// Whether connections are to end.
    stop: watch::Sender<bool>,
    /// The headers of every answer.
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Shared {
    /// Lets nobody in any more, and tells every session and connection to end.
    fn end(&self) {
        self.sessions.close();
        self.stop.send_replace(true);
        self.acceptor.release();
    }

    /// Resolves when connections are to end.
    fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stop = self.stop.subscribe();
        async move {
            // The sender is dropped with the relay, which is an end as well.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }
}

impl Relay {
    /// Checks everything that can be checked, reads the key file, and opens nothing.
    pub fn new<N: Into<String>>(
        backends: impl IntoIterator<Item = (N, Arc<dyn Backend>)>,
        options: &Options,
    ) -> Result<Self> {
        let options = options.check(Scope::Relay)?;
        let listen_text = options.required_text("listen")?;
        let listen: SocketAddr = listen_text.parse().map_err(|_| {
            options.wrong(
                "listen",
                listen_text,
                "must be an IP address and a port, such as 127.0.0.1:8700 or [::1]:8700",
            )
        })?;
        let public_url = Arc::new(PublicUrl::parse(options.required_text("public_url")?)?);
        let (acceptor, issuer) = passes(&options, &public_url)?;
        let sessions = Arc::new(Sessions::new(to_usize(options.integer("max_sessions"))));
        let shared = Shared {
            backends: named(backends)?,
            origins: OriginPolicy {
                allowed: origins(&options, "allowed_origins")?.unwrap_or_else(|| vec![public_url.origin()]),
                allow_missing: options.boolean("allow_missing_origin"),
            },
            acceptor,
            sessions,
            events: Events::new(),
            limits: Limits {
                max_age: options.seconds("session_max_age"),
                idle: options.seconds("idle_timeout"),
                ping: options.seconds("ping_interval"),
            },
            handshakes: Arc::new(Semaphore::new(to_usize(options.integer("max_handshakes")))),
            handshake_timeout: options.seconds("handshake_timeout"),
            stop: watch::Sender::new(false),
            headers: page::fixed_headers(&public_url.websocket_origin(), &frame_ancestors(&options)?),
            public_url,
        };
        Ok(Self {
            owner: Owner::default(),
            shared: Arc::new(shared),
            issuer,
            listen,
            shutdown_grace: options.seconds("shutdown_grace"),
            state: Mutex::new(State::New),
            ended: OnceCell::new(),
        })
    }

    /// Listens, and serves on the current tokio runtime. Returns the address, whose port was chosen now if 0 was asked for.
    pub async fn start(&self) -> Result<SocketAddr> {
        self.check()?;
        self.begin()?;
        // Taken when it listens: a start that came to nothing may be tried again elsewhere.
        let bound = listener::bind(self.listen).await;
        let bound =
            bound.and_then(|bound| self.shared.acceptor.claim().and_then(|()| self.owner.take()).map(|()| bound));
        let mut state = self.state();
        if let Err(stopped) = self.check() {
            // While it was on its way: whoever stopped it has been told that it is over.
            *state = State::Stopped;
            self.shared.end();
            return Err(stopped);
        }
        let (listener, address) = bound.inspect_err(|_| *state = State::New)?;
        let listening = tokio::spawn(listener::serve(Arc::clone(&self.shared), listener));
        *state = State::Running(address, listening);
        drop(state);
        tracing::info!(%address, public_url = self.shared.public_url.as_str(), "relay started");
        Ok(address)
    }

    /// One start at a time, and none after another that came to something.
    fn begin(&self) -> Result<()> {
        let mut state = self.state();
        match *state {
            State::New => {
                *state = State::Starting;
                Ok(())
            }
            State::Starting | State::Running(..) => {
                Err(Error::new(Code::InvalidArgument, "relay: already started; make another one"))
            }
            State::Stopped => Err(stopped()),
        }
    }

    /// Issues a pass for `machine` of one of this relay's backends. The options are those of [`Scope::Pass`].
    pub async fn issue(&self, backend: &str, machine: &str, options: &Options) -> Result<Pass> {
        self.check()?;
        if !self.shared.backends.contains_key(backend) {
            let known: Vec<&str> = self.shared.backends.keys().map(String::as_str).collect();
            let reason = format!("this relay's backends are {}", known.join(", "));
            return Err(Error::invalid("backend", backend, reason));
        }
        self.issuer.issue(backend, machine, options).await
    }

    /// Ends the console of `reference`, and makes its pass useless if it was not used yet. Returns whether a session or an
    /// unused pass was found; an unused signed pass is made useless as well, but cannot be found. A console that another
    /// process carries goes on: ask each of them.
    pub async fn revoke(&self, reference: &Reference) -> Result<bool> {
        self.owner.check()?;
        let unused = self.shared.acceptor.revoke(reference).await?;
        Ok(self.shared.sessions.end(reference, Code::Revoked) || unused)
    }

    /// What happens to consoles from now on, until the last one of a relay that was stopped has ended. A listener that falls
    /// behind loses the oldest events and is told how many.
    pub fn events(&self) -> Subscription {
        Subscription::new(self.shared.events.subscribe(), Arc::clone(&self.shared.sessions))
    }

    /// How many sessions are open; none in a process that was forked off.
    pub fn session_count(&self) -> usize {
        self.owner.check().map_or(0, |()| self.shared.sessions.count())
    }

    /// The address it listens on, from its start to its stop, in the process where it was started.
    pub fn address(&self) -> Option<SocketAddr> {
        self.check().ok()?;
        match &*self.state() {
            State::Running(address, _) => Some(*address),
            _ => None,
        }
    }

    /// Which process it belongs to.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Fails where it serves nobody: in a child of its process, and from the moment in which it was stopped or closed.
    pub fn check(&self) -> Result<()> {
        self.owner.check()?;
        if *self.shared.stop.borrow() {
            return Err(stopped());
        }
        Ok(())
    }

    /// What [`Relay::stop`] begins with, for who cannot wait where it is called: accepts nobody any more, issues no pass, and
    /// tells every browser why its console ends.
    pub fn close(&self) {
        if self.owner.check().is_ok() {
            self.shared.end();
        }
    }

    /// Stops for good: accepts nobody any more, tells every browser why its console ends, and waits for that as long as
    /// `shutdown_grace` says. Calling it again waits for the same end. It does nothing in a process that was forked off.
    pub async fn stop(&self) {
        if self.owner.check().is_ok() {
            // Who calls it again goes on with it if who began has given up.
            self.ended.get_or_init(|| self.end()).await;
        }
    }

    async fn end(&self) {
        self.shared.end();
        let state = std::mem::replace(&mut *self.state(), State::Stopped);
        if let State::Running(address, listening) = state {
            tracing::info!(%address, "relay stopping");
            // It ends by itself now. Its port is free when this returns: another relay may have been waiting for it.
            let _ = listening.await;
        }
        if timeout(self.shutdown_grace, self.shared.sessions.gone()).await.is_err() {
            tracing::warn!(sessions = self.session_count(), "some consoles are still ending");
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // In a child, which has its parent's locks as they were and perhaps held for ever, this does nothing.
        self.close();
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("public_url", &self.shared.public_url)
            .field("backends", &self.shared.backends.keys())
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

fn stopped() -> Error {
    Error::new(Code::Closed, "relay: it was stopped").with_hint("make a new relay").for_good()
}

fn named<N: Into<String>>(
    backends: impl IntoIterator<Item = (N, Arc<dyn Backend>)>,
) -> Result<HashMap<String, Arc<dyn Backend>>> {
    let mut by_name = HashMap::new();
    for (name, backend) in backends {
        let name = name.into();
        if !issuer::is_backend_name(&name) {
            return Err(Error::invalid("backend", &name, issuer::BACKEND_NAMES));
        }
        if by_name.insert(name.clone(), backend).is_some() {
            return Err(Error::invalid("backend", &name, "two backends have this name"));
        }
    }
    if by_name.is_empty() {
        return Err(Error::new(Code::InvalidArgument, "relay: it needs at least one backend"));
    }
    Ok(by_name)
}

/// With a key passes are signed; without one they are opaque and this process alone knows them.
fn passes(options: &Checked, public_url: &Arc<PublicUrl>) -> Result<(Acceptor, Issuer)> {
    let store = options.required_text("store")?;
    if store != "memory" {
        return Err(options.wrong("store", &shown(store), "accepted is memory"));
    }
    if let Some(path) = options.text("pass_key_file") {
        // Now, and not when it is used: a daemon changes its directory.
        let path = &absolute(options, "pass_key_file", path)?;
        let key = Arc::new(PassKey::from_file(path)?);
        let audience = public_url.as_str().to_owned();
        let id = RelayId::of_public_url(&audience);
        let issuer = Issuer::signed(Arc::clone(public_url), Arc::clone(&key));
        return Ok((Acceptor::Signed { id, key, audience, marks: marks(options, path)? }, issuer));
    }
    if let Some(folder) = options.text("marks_dir") {
        return Err(options.wrong("marks_dir", folder, "it is for signed passes, and pass_key_file is missing"));
    }
    let passes = Arc::new(Opaque::new());
    let issuer = Issuer::opaque(Arc::clone(public_url), Arc::clone(&passes));
    Ok((Acceptor::Opaque(passes), issuer))
}

/// In a folder if there is one for them.
fn marks(options: &Checked, key_file: &Path) -> Result<Marks> {
    match options.text("marks_dir") {
        Some(folder) => Marks::in_folder(&absolute(options, "marks_dir", folder)?).map_err(|error| {
            options.wrong("marks_dir", folder, format_args!("must be a folder that the relay can write to ({error})"))
        }),
        None => Ok(Marks::in_memory(key_file.to_owned())),
    }
}

fn absolute(options: &Checked, name: &str, path: &str) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| options.wrong(name, path, error))
}

fn origins(options: &Checked, name: &str) -> Result<Option<Vec<Origin>>> {
    let given = options.list(name);
    let parsed: Result<Vec<Origin>> = given
        .iter()
        .map(|text| Origin::parse(text).map_err(|error| options.wrong(name, &shown(text), error)))
        .collect();
    Ok(if given.is_empty() { None } else { Some(parsed?) })
}

fn frame_ancestors(options: &Checked) -> Result<String> {
    let ancestors = origins(options, "frame_ancestors")?.unwrap_or_default();
    if ancestors.is_empty() {
        return Ok("'none'".to_owned());
    }
    Ok(ancestors.iter().map(Origin::to_string).collect::<Vec<_>>().join(" "))
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
