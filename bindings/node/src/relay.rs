//! Relays.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use consolepass::options::Scope;
use consolepass::{Code, Error, Reference};
use napi::Env;
use napi::bindgen_prelude::{Either, Function, Object};
use napi_derive::napi;

use crate::backend::Backend;
use crate::call::{Abort, outcome_or_promise, promise};
use crate::descriptor;
use crate::error::refused;
use crate::events::{self, Told};
use crate::hosting::{self, Answer, Pipe};
use crate::options::{Given, options};
use crate::pass::Pass;
use crate::runtime::runtime;

/// The backends of a relay that is to be made, by their names.
#[napi]
#[derive(Default)]
pub struct Backends(Mutex<BTreeMap<String, Arc<dyn consolepass::Backend>>>);

#[napi]
impl Backends {
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }

    #[napi(catch_unwind)]
    pub fn add(&self, name: String, backend: &Backend) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::clone(&backend.0));
    }
}

#[napi]
pub struct Relay {
    relay: Arc<consolepass::Relay>,
}

#[napi]
impl Relay {
    #[napi(constructor, catch_unwind)]
    pub fn new(backends: &Backends, given: Given) -> napi::Result<Self> {
        let backends = backends.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let made = consolepass::Relay::new(backends, &options(given, Scope::Relay)?);
        Ok(Self { relay: Arc::new(made.map_err(|error| refused(&error))?) })
    }

    /// Resolves to the address that it listens on. There is nothing to abort: it does not wait for anybody.
    #[napi(catch_unwind)]
    pub fn start<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let relay = Arc::clone(&self.relay);
        promise(env, None, async move { relay.start().await }, |address| address.to_string())
    }

    #[napi(catch_unwind)]
    pub fn issue<'env>(
        &self,
        env: &'env Env,
        backend: String,
        machine: String,
        given: Given,
        abort: Option<&Abort>,
    ) -> napi::Result<Either<Pass, Object<'env>>> {
        let (relay, options) = (Arc::clone(&self.relay), options(given, Scope::Pass)?);
        outcome_or_promise(env, abort, async move { relay.issue(&backend, &machine, &options).await }, Pass::new)
    }

    #[napi(catch_unwind)]
    pub fn revoke<'env>(&self, env: &'env Env, reference: String, abort: Option<&Abort>) -> napi::Result<Object<'env>> {
        let relay = Arc::clone(&self.relay);
        let work = async move {
            let reference: Reference = reference.parse()?;
            relay.revoke(&reference).await
        };
        promise(env, abort, work, |found| found)
    }

    #[napi(catch_unwind)]
    pub fn stop<'env>(&self, env: &'env Env, abort: Option<&Abort>) -> napi::Result<Object<'env>> {
        let relay = Arc::clone(&self.relay);
        relay.close();
        // A task of its own: who stops waiting for the end does not undo it.
        let ending = runtime()?.spawn(async move { relay.stop().await });
        let work = async move {
            ending.await.map_err(|error| Error::new(Code::Internal, "relay: its end panicked").with_source(error))
        };
        promise(env, abort, work, |()| ())
    }

    #[napi(getter, catch_unwind)]
    pub fn session_count(&self) -> u32 {
        u32::try_from(self.relay.session_count()).unwrap_or(u32::MAX)
    }

    #[napi(getter, catch_unwind)]
    pub fn address(&self) -> Option<String> {
        self.relay.address().map(|address| address.to_string())
    }

    /// Tells `callback` what happens to consoles, several at once, and `null` when the relay has ended.
    #[napi(catch_unwind)]
    pub fn listen(&self, callback: Function<'_, Option<Vec<Told>>, ()>) -> napi::Result<()> {
        events::tell(callback, self.relay.events())
    }

    /// What it answers to a request for `path` that asks for no websocket.
    #[napi(catch_unwind)]
    pub fn answer(&self, method: String, path: String) -> Answer {
        hosting::answer(&self.relay, &method, &path)
    }

    /// Serves the socket behind `descriptor`, from which `read` was read: Node closes its own descriptor afterwards.
    #[napi(catch_unwind)]
    pub fn serve_descriptor(&self, descriptor: i32, read: &[u8]) -> napi::Result<()> {
        let taken = descriptor::take(descriptor).map_err(hosting::unfit)?;
        hosting::serve(Arc::clone(&self.relay), taken, Bytes::copy_from_slice(read))
    }

    /// Serves a connection whose further bytes go through the pipe.
    #[napi(catch_unwind)]
    pub fn serve_pipe(&self, read: &[u8]) -> napi::Result<Pipe> {
        Pipe::new(Arc::clone(&self.relay), Bytes::copy_from_slice(read))
    }
}
