//! Waiting for the core, which is asynchronous, in a caller's thread, which is not.

use std::future::Future;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

use consolepass::{Code, Error, Result};
use tokio::runtime::{Builder, Runtime};

/// A runtime without threads of its own: whoever waits drives it, and several who wait drive it in turns.
///
/// A handle has one for life, and not one for each call. The handle's HTTP client keeps its connections between calls, and
/// their tasks belong to the runtime that opened them: one that ended with its call would cut a connection that another
/// thread had just taken up, in the middle of a question that may not be asked twice.
///
/// A process that was forked off makes a new one. The parent's is left alone: its locks may be held by threads that are not
/// here, and its epoll descriptor is still the parent's.
pub(crate) struct Waiting(AtomicPtr<Live>);

struct Live {
    process: u32,
    runtime: Runtime,
}

impl Waiting {
    /// Nothing is made before the first wait.
    pub(crate) const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Waits for `future`, for at most `timeout_ms`; 0 is for as long as it takes. `what` names it in the error.
    pub(crate) fn wait<T>(&self, timeout_ms: u32, what: &str, future: impl Future<Output = Result<T>>) -> Result<T> {
        self.live_in(std::process::id())?.runtime.block_on(async {
            // Nobody has driven the runtime since the last call. Let it hear first which connections were closed meanwhile,
            // and then let their tasks act on it: this future itself would be polled before them.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            if timeout_ms == 0 {
                return future.await;
            }
            let limit = Duration::from_millis(timeout_ms.into());
            tokio::time::timeout(limit, future).await.unwrap_or_else(|_| {
                Err(Error::new(Code::Timeout, format!("{what}: not done in the {timeout_ms} ms that were given")))
            })
        })
    }

    fn live_in(&self, process: u32) -> Result<&Live> {
        let mut seen = self.0.load(Ordering::Acquire);
        let mut fresh: *mut Live = ptr::null_mut();
        loop {
            // SAFETY: what was put in place is freed by `drop` alone, never while `self` is borrowed.
            if let Some(live) = unsafe { seen.as_ref() }.filter(|live| live.process == process) {
                if !fresh.is_null() {
                    // SAFETY: made below, and never put in place: another thread was first.
                    drop(unsafe { Box::from_raw(fresh) });
                }
                return Ok(live);
            }
            if fresh.is_null() {
                let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| {
                    Error::new(Code::Internal, format!("the system gives no means to wait: {error}")).with_source(error)
                })?;
                fresh = Box::into_raw(Box::new(Live { process, runtime }));
            }
            match self.0.compare_exchange(seen, fresh, Ordering::AcqRel, Ordering::Acquire) {
                // SAFETY: just put in place; freed by `drop` alone.
                Ok(_) => return Ok(unsafe { &*fresh }),
                Err(other) => seen = other,
            }
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let live = *self.0.get_mut();
        // SAFETY: it is ours alone now, and nothing else frees it.
        if unsafe { live.as_ref() }.is_some_and(|live| live.process == std::process::id()) {
            // SAFETY: it came from `Box::into_raw`.
            let live = unsafe { Box::from_raw(live) };
            // A name that is still being looked up is not waited for.
            live.runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_wait_at_once_share_one_runtime_and_hear_of_each_other() {
        let waiting = Waiting::new();
        let barrier = tokio::sync::Barrier::new(8);

        std::thread::scope(|scope| {
            let meet = || waiting.wait(0, "meeting", async { Ok(barrier.wait().await.is_leader()) });
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(meet)).collect();
            let leaders = threads.into_iter().map(|thread| thread.join().unwrap().unwrap());
            assert_eq!(leaders.filter(|leader| *leader).count(), 1);
        });
    }

    #[test]
    fn a_child_and_its_child_have_runtimes_of_their_own() {
        let waiting = Waiting::new();
        let here = std::process::id();

        let made = [here + 1, here, here].map(|process| ptr::from_ref(waiting.live_in(process).unwrap()));

        assert!(made[0] != made[1] && made[1] == made[2]);
    }

    #[test]
    fn a_wait_ends_in_time_and_says_what_for() {
        let error = Waiting::new().wait::<()>(1, "the end", std::future::pending()).unwrap_err();

        assert_eq!(error.code(), Code::Timeout);
        assert!(error.to_string().starts_with("the end: not done in the 1 ms"), "{error}");
    }

    #[test]
    fn a_connection_that_was_closed_between_two_calls_is_known_to_be_closed_in_the_second() {
        let waiting = Waiting::new();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connection = waiting
            .wait(0, "connecting", async {
                let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
                let reading = async move { tokio::io::AsyncReadExt::read(&mut stream, &mut [0]).await };
                let connection = tokio::spawn(reading);
                tokio::task::yield_now().await;
                Ok(connection)
            })
            .unwrap();
        // Closed on both sides when this returns: loopback has no delay.
        drop(listener.accept().unwrap());

        let known = waiting.wait(0, "the next call", async { Ok(connection.is_finished()) }).unwrap();

        assert!(known);
    }

    #[test]
    fn what_was_spawned_in_one_call_is_alive_in_the_next() {
        let waiting = Waiting::new();
        let spawned = waiting.wait(0, "spawning", async { Ok(tokio::spawn(async { 7 })) }).unwrap();

        let value = waiting.wait(0, "joining", async { Ok(spawned.await.unwrap()) }).unwrap();

        assert_eq!(value, 7);
    }
}
