//! Calls that wait: a promise for JavaScript, a task for the runtime, and a way to end both.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use consolepass::{Code, Error, Result};
use napi::Env;
use napi::bindgen_prelude::{Either, Object, ToNapiValue};
use napi_derive::napi;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::error::refused;
use crate::runtime::runtime;

thread_local! {
    /// Dropped with the thread of Node that it belongs to: whoever watches it hears that nobody waits any more.
    static HERE: watch::Sender<()> = watch::Sender::new(());
}

/// What an `AbortSignal` ends.
#[napi]
#[derive(Default)]
pub struct Abort(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    Idle,
    Running(AbortHandle),
    Aborted,
}

#[napi]
impl Abort {
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Drops what the call was doing: its connection is closed, and the other side sees that.
    #[napi(catch_unwind)]
    pub fn abort(&self) {
        let earlier = std::mem::replace(&mut *self.state(), State::Aborted);
        if let State::Running(task) = earlier {
            task.abort();
        }
    }

    fn watch(&self, task: AbortHandle) {
        let mut state = self.state();
        if matches!(*state, State::Aborted) {
            task.abort();
        } else {
            *state = State::Running(task);
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outcome of `work` that hardly ever waits: itself if it is there at once, and a promise for it if not. JavaScript awaits
/// either; a way over the runtime and back costs several times what a pass does.
pub(crate) fn outcome_or_promise<'env, T, V>(
    env: &'env Env,
    abort: Option<&Abort>,
    work: impl Future<Output = Result<T>> + Send + 'static,
    value: impl FnOnce(T) -> V + Send + 'static,
) -> napi::Result<Either<V, Object<'env>>>
where
    T: Send + 'static,
    V: ToNapiValue + 'static,
{
    let mut work = Box::pin(work);
    let first = {
        let _runtime = runtime()?.enter();
        // What has panicked is not looked at again.
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut Context::from_waker(Waker::noop()))))
    };
    match first {
        Ok(Poll::Ready(Ok(done))) => Ok(Either::A(value(done))),
        Ok(Poll::Ready(Err(error))) => Err(refused(&error)),
        Err(_) => Err(panicked()),
        Ok(Poll::Pending) => promise(env, abort, work, value).map(Either::B),
    }
}

/// A promise for the outcome of `work`, which runs on the runtime. `value` makes of it what JavaScript gets.
///
/// The work ends early when `abort` says so, and when the thread of Node ends that waits for it.
pub(crate) fn promise<'env, T, V>(
    env: &'env Env,
    abort: Option<&Abort>,
    work: impl Future<Output = Result<T>> + Send + 'static,
    value: impl FnOnce(T) -> V + Send + 'static,
) -> napi::Result<Object<'env>>
where
    T: Send + 'static,
    V: ToNapiValue + 'static,
{
    let runtime = runtime()?;
    let (deferred, promise) = env.create_deferred()?;
    // A task of its own, so that a panic in it is an outcome.
    let mut task = runtime.spawn(work);
    if let Some(abort) = abort {
        abort.watch(task.abort_handle());
    }
    let mut here = HERE.with(watch::Sender::subscribe);
    runtime.spawn(async move {
        let outcome = tokio::select! {
            outcome = &mut task => outcome,
            _ = here.changed() => {
                task.abort();
                return;
            }
        };
        match outcome {
            Ok(Ok(done)) => deferred.resolve(move |_| Ok(value(done))),
            Ok(Err(error)) => deferred.reject(refused(&error)),
            Err(ended) if ended.is_cancelled() => {
                deferred.reject(refused(&Error::new(Code::Closed, "the call was aborted")));
            }
            Err(_) => deferred.reject(panicked()),
        }
    });
    Ok(promise)
}

fn panicked() -> napi::Error {
    refused(&Error::new(Code::Internal, "panicked; the words are on standard error"))
}
