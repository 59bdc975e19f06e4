//! A relay with the threads that serve it.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use consolepass::{Backend, Code, Error, Event, Options, Owner, Pass, Reference, Relay, Result};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{broadcast, watch};

use crate::text::Text;
use crate::waiting::Waiting;

/// How long a thread that is busy may take to notice that the relay ends; the sockets are closed by then or are not ours.
const LAST_BREATH: Duration = Duration::from_secs(1);

/// Everything behind a relay's handle.
pub(crate) struct Serving {
    relay: Relay,
    waiting: Waiting,
    runtime: Mutex<Option<Runtime>>,
    address: OnceLock<Text>,
    /// Whether it was stopped. It goes away with the relay, which says the same.
    stopped: watch::Sender<bool>,
}

impl Serving {
    pub(crate) fn new(backends: Vec<(String, Arc<dyn Backend>)>, options: &Options) -> Result<Self> {
        Ok(Self {
            relay: Relay::new(backends, options)?,
            waiting: Waiting::new(),
            runtime: Mutex::new(None),
            address: OnceLock::new(),
            stopped: watch::Sender::new(false),
        })
    }

    pub(crate) fn start(&self) -> Result<()> {
        self.check_open()?;
        let (runtime, address) = self.serve()?;
        // Only who started it comes here, and once.
        let _ = self.address.set(address);
        *self.runtime.lock().unwrap_or_else(PoisonError::into_inner) = Some(runtime);
        Ok(())
    }

    fn serve(&self) -> Result<(Runtime, Text)> {
        let runtime = Builder::new_multi_thread().enable_all().thread_name("consolepass").build().map_err(|error| {
            Error::new(Code::Internal, format!("relay: its threads cannot be started: {error}")).with_source(error)
        })?;
        let address = runtime.block_on(self.relay.start())?;
        Ok((runtime, Text::shown(&address)))
    }

    pub(crate) fn owner(&self) -> &Owner {
        self.relay.owner()
    }

    pub(crate) fn address(&self) -> Option<&Text> {
        self.address.get()
    }

    pub(crate) fn issue(&self, backend: &str, machine: &str, options: &Options) -> Result<Pass> {
        self.check_open()?;
        self.waiting.wait(0, "a pass", self.relay.issue(backend, machine, options))
    }

    pub(crate) fn revoke(&self, reference: &Reference) -> Result<bool> {
        self.waiting.wait(0, "a revocation", self.relay.revoke(reference))
    }

    pub(crate) fn session_count(&self) -> usize {
        self.relay.session_count()
    }

    pub(crate) fn subscribe(&self) -> Subscription {
        Subscription { events: self.relay.events(), stopped: self.stopped.subscribe() }
    }

    pub(crate) fn stop(&self, timeout_ms: u32) -> Result<()> {
        if self.stopped.send_replace(true) {
            return Ok(());
        }
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

    fn check_open(&self) -> Result<()> {
        if *self.stopped.borrow() {
            return Err(Error::new(Code::Closed, "relay: it was stopped; make a new one"));
        }
        Ok(())
    }

    fn end_threads(&self) {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            runtime.shutdown_timeout(LAST_BREATH);
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.end_threads();
    }
}

/// A place to hear of a relay's events.
pub(crate) struct Subscription {
    events: broadcast::Receiver<Event>,
    stopped: watch::Receiver<bool>,
}

/// The next thing that is known.
pub(crate) enum Next {
    Event(Event),
    /// So many events were not fetched in time.
    Lost(u64),
    /// The relay has ended, and everything was told.
    Ended,
}

impl Subscription {
    pub(crate) async fn next(&mut self) -> Next {
        tokio::select! {
            // What happened comes before the end.
            biased;
            received = self.events.recv() => match received {
                Ok(event) => return Next::Event(event),
                Err(broadcast::error::RecvError::Lagged(count)) => return Next::Lost(count),
                Err(broadcast::error::RecvError::Closed) => return Next::Ended,
            },
            _ = self.stopped.wait_for(|stopped| *stopped) => {}
        }
        // The relay was stopped meanwhile; the consoles that it ended may have told so at the last moment.
        match self.events.try_recv() {
            Ok(event) => Next::Event(event),
            Err(broadcast::error::TryRecvError::Lagged(count)) => Next::Lost(count),
            Err(_) => Next::Ended,
        }
    }
}
