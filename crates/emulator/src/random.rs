//! Unpredictable bytes that can always be had.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

/// A generator seeded once by the operating system, then HMAC over a counter.
///
/// Asking the system for each challenge would give every caller an error that it could not act on.
pub(crate) struct Random {
    key: hmac::Key,
    counter: AtomicU64,
}

impl Random {
    pub(crate) fn new() -> io::Result<Self> {
        let mut seed = [0; 32];
        SystemRandom::new()
            .fill(&mut seed)
            .map_err(|_| io::Error::other("the operating system gives no random bytes"))?;
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &seed), counter: AtomicU64::new(0) })
    }

    /// Up to 32 bytes, different at every call.
    pub(crate) fn bytes<const N: usize>(&self) -> [u8; N] {
        const { assert!(N <= 32, "one HMAC gives 32 bytes") };
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        let block = hmac::sign(&self.key, &count.to_be_bytes());
        let mut bytes = [0; N];
        bytes.copy_from_slice(&block.as_ref()[..N]);
        bytes
    }
}
