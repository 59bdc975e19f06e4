//! The threads that all work is done on.

use std::sync::OnceLock;

use consolepass::{Code, Error};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::refused;

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// The process's one runtime.
///
/// It is not that of napi, which ends with Node's environment: a console that a worker thread of Node has opened the way for
/// does not end with some other worker. It is made at its first use, and never ended: the process takes it along.
pub(crate) fn runtime() -> napi::Result<&'static Handle> {
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime.handle());
    }
    let made = Builder::new_multi_thread().enable_all().thread_name("consolepass").build().map_err(|error| {
        refused(&Error::new(Code::Internal, format!("the threads cannot be started: {error}")).with_source(error))
    })?;
    // Another thread of Node may have been first; then this one ends unused.
    if let Err(late) = RUNTIME.set(made) {
        late.shutdown_background();
    }
    RUNTIME.get().map(Runtime::handle).ok_or_else(|| refused(&Error::new(Code::Internal, "the runtime is not there")))
}
