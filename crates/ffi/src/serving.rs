//! A relay with the threads that serve it.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use consolepass::{Backend, Code, Error, HostConnection, Options, Owner, Pass, Reference, Relay, Result, Subscription};
use http::Response;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::text::Text;
use crate::waiting::Waiting;

/// How long a thread that is busy may take to notice that the relay ends; the sockets are closed by then or are not ours.
const LAST_BREATH: Duration = Duration::from_secs(1);

/// Everything behind a relay's handle.
pub(crate) struct Serving {
    relay: Arc<Relay>,
    waiting: Waiting,
    /// None before there is something to serve. Two, if it was started at the moment in which its first connection came.
    threads: Mutex<Vec<Runtime>>,
    address: OnceLock<Text>,
}

impl Serving {
    pub(crate) fn new(backends: Vec<(String, Arc<dyn Backend>)>, options: &Options) -> Result<Self> {
        Ok(Self {
            relay: Arc::new(Relay::new(backends, options)?),
            waiting: Waiting::new(),
            threads: Mutex::default(),
            address: OnceLock::new(),
        })
    }

    pub(crate) fn start(&self) -> Result<()> {
        self.relay.check()?;
        // Kept only if it comes to something: a relay that does not listen may be tried again, in a child as well.
        let fresh = if self.threads().is_empty() { Some(make_threads()?) } else { None };
        let handle = fresh.as_ref().map_or_else(|| self.handle(), |fresh| Ok(fresh.handle().clone()))?;
        let address = handle.block_on(self.relay.start())?;
        // Only who started it comes here, and once.
        let _ = self.address.set(Text::shown(&address));
        self.threads().extend(fresh);
        if self.relay.check().is_err() {
            // It was stopped meanwhile.
            self.end_threads();
        }
        Ok(())
    }

    /// Serves a connection of the portal's own port in the background, until it ends.
    pub(crate) fn serve(&self, connection: HostConnection, read: Bytes) -> Result<()> {
        self.relay.check()?;
        // Before there are threads: in a child of this process they would be missing.
        self.relay.take()?;
        let relay = Arc::clone(&self.relay);
        self.handle()?.spawn(async move {
            if let Err(error) = relay.serve_connection(connection, read).await {
                // Who gave it has gone on long since; the log is all that is left.
                tracing::warn!(target: "consolepass::c", code = %error.code(), hint = error.hint(), "a connection that was handed over was not served: {error}");
            }
        });
        Ok(())
    }

    pub(crate) fn answer(&self, method: &str, path: &str) -> Response<Bytes> {
        self.relay.answer(method, path)
    }

    pub(crate) fn owner(&self) -> &Owner {
        self.relay.owner()
    }

    pub(crate) fn address(&self) -> Option<&Text> {
        self.relay.address().and(self.address.get())
    }

    pub(crate) fn issue(&self, backend: &str, machine: &str, options: &Options) -> Result<Pass> {
        self.waiting.wait(0, "a pass", self.relay.issue(backend, machine, options))
    }

    pub(crate) fn revoke(&self, reference: &Reference) -> Result<bool> {
        self.waiting.wait(0, "a revocation", self.relay.revoke(reference))
    }

    pub(crate) fn session_count(&self) -> usize {
        self.relay.session_count()
    }

    pub(crate) fn subscribe(&self) -> Subscription {
        self.relay.events()
    }

    pub(crate) fn stop(&self, timeout_ms: u32) -> Result<()> {
        self.relay.close();
        let stop = async {
            self.relay.stop().await;
            Ok(())
        };
        match self.waiting.wait(timeout_ms, "relay: stop", stop) {
            // Who waited no longer wants it ended all the same.
            Err(error) if error.code() != Code::Timeout => return Err(error),
            _ => {}
        }
        self.end_threads();
        Ok(())
    }

    fn threads(&self) -> MutexGuard<'_, Vec<Runtime>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The threads, which are started if there are none. Whoever asks has taken the relay for this process.
    fn handle(&self) -> Result<Handle> {
        let mut threads = self.threads();
        // Whoever stops the relay says so before it ends the threads.
        self.relay.check()?;
        if threads.is_empty() {
            threads.push(make_threads()?);
        }
        Ok(threads[0].handle().clone())
    }

    /// Returns when they have ended, also if another thread has begun it.
    fn end_threads(&self) {
        for runtime in self.threads().drain(..) {
            runtime.shutdown_timeout(LAST_BREATH);
        }
    }
}

fn make_threads() -> Result<Runtime> {
    Builder::new_multi_thread().enable_all().thread_name("consolepass").build().map_err(|error| {
        Error::new(Code::Internal, format!("relay: its threads cannot be started: {error}")).with_source(error)
    })
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.end_threads();
    }
}
