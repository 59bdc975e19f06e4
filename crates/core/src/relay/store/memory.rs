//! Passes in the memory of one process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{MEMORY_OF_THE_DEAD, PassDigest, Store};
use crate::backend::BoxFuture;
use crate::relay::pass::Grant;
use crate::{Code, Error, Reference, Result};

/// More passes than this are not kept. A portal that issues so many for so few users has a loop.
const MOST_PASSES: usize = 100_000;

/// How often the dead are looked for.
const SWEEP: Duration = Duration::from_secs(60);

/// A map under a lock, which is what makes a take atomic.
#[derive(Debug)]
pub(crate) struct Memory(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    entries: HashMap<PassDigest, Entry>,
    swept: Instant,
}

#[derive(Debug)]
struct Entry {
    grant: Grant,
    expires: Instant,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Issued,
    Used,
    Revoked,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Inner { entries: HashMap::new(), swept: Instant::now() }))
    }

    fn locked<T>(&self, body: impl FnOnce(&mut Inner) -> T) -> T {
        // A panic elsewhere does not make the map wrong: every change to it is a single step.
        body(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store for Memory {
    fn put(&self, digest: PassDigest, grant: Grant, ttl: Duration) -> BoxFuture<'_, Result<()>> {
        let now = Instant::now();
        let result = self.locked(|inner| {
            if now >= inner.swept + SWEEP || inner.entries.len() >= MOST_PASSES {
                inner.entries.retain(|_, entry| now < entry.expires + MEMORY_OF_THE_DEAD);
                inner.swept = now;
            }
            if inner.entries.len() >= MOST_PASSES {
                return Err(Error::new(Code::Busy, format!("store: {MOST_PASSES} passes are kept already")));
            }
            inner.entries.insert(digest, Entry { grant, expires: now + ttl, state: State::Issued });
            Ok(())
        });
        Box::pin(async { result })
    }

    fn take(&self, digest: PassDigest) -> BoxFuture<'_, Result<Grant>> {
        let result = self.locked(|inner| {
            let Some(entry) = inner.entries.get_mut(&digest) else {
                return Err(Error::new(Code::PassInvalid, "pass: unknown"));
            };
            let about = |code, what: &str| {
                Error::new(code, format!("pass {}: {what}", entry.grant.reference))
                    .with_reference(&entry.grant.reference)
            };
            match entry.state {
                State::Used => return Err(about(Code::PassUsed, "already used")),
                State::Revoked => return Err(about(Code::Revoked, "revoked")),
                State::Issued => {}
            }
            if Instant::now() >= entry.expires {
                return Err(about(Code::PassExpired, "expired"));
            }
            entry.state = State::Used;
            Ok(entry.grant.clone())
        });
        Box::pin(async { result })
    }

    fn revoke(&self, reference: &Reference) -> BoxFuture<'_, Result<bool>> {
        let found = self.locked(|inner| {
            let entry = inner.entries.values_mut().find(|entry| entry.grant.reference == *reference);
            match entry {
                Some(entry) if entry.state == State::Issued => {
                    entry.state = State::Revoked;
                    true
                }
                _ => false,
            }
        });
        Box::pin(async move { Ok(found) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::SystemTime;
    use tokio::time::advance;

    const TTL: Duration = Duration::from_secs(60);

    fn grant() -> Grant {
        Grant {
            reference: Reference::random().unwrap(),
            backend: "dc1".into(),
            machine: "qemu/101".parse().unwrap(),
            kind: crate::Kind::Vnc,
            user: None,
            expires_at: SystemTime::now() + TTL,
        }
    }

    async fn code_of(store: &Memory, digest: PassDigest) -> Code {
        store.take(digest).await.unwrap_err().code()
    }

    #[tokio::test(start_paused = true)]
    async fn used_expired_revoked_and_unknown_are_told_apart_for_ten_minutes() {
        let store = Memory::new();
        let grants = [grant(), grant(), grant()];
        for (digest, grant) in grants.iter().enumerate() {
            store.put([u8::try_from(digest).unwrap(); 32], grant.clone(), TTL).await.unwrap();
        }

        store.take([0; 32]).await.unwrap();
        assert!(store.revoke(&grants[1].reference).await.unwrap());
        assert!(!store.revoke(&grants[0].reference).await.unwrap(), "a used pass cannot be revoked");
        advance(TTL).await;

        for _ in 0..2 {
            assert_eq!(code_of(&store, [0; 32]).await, Code::PassUsed);
            assert_eq!(code_of(&store, [1; 32]).await, Code::Revoked);
            assert_eq!(code_of(&store, [2; 32]).await, Code::PassExpired);
            assert_eq!(code_of(&store, [3; 32]).await, Code::PassInvalid);
            advance(MEMORY_OF_THE_DEAD.checked_sub(Duration::from_secs(1)).unwrap()).await;
            store.put([9; 32], grant(), TTL).await.unwrap();
        }
        advance(SWEEP).await;
        store.put([9; 32], grant(), TTL).await.unwrap();
        assert_eq!(code_of(&store, [0; 32]).await, Code::PassInvalid, "forgotten at last");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_a_thousand_takers_exactly_one_wins() {
        let store = Arc::new(Memory::new());
        store.put([1; 32], grant(), TTL).await.unwrap();

        let takers: Vec<_> = (0..1000)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { store.take([1; 32]).await })
            })
            .collect();
        let mut winners = 0;
        for taker in takers {
            match taker.await.unwrap() {
                Ok(_) => winners += 1,
                Err(error) => assert_eq!(error.code(), Code::PassUsed),
            }
        }

        assert_eq!(winners, 1);
    }
}
