//! Where opaque passes are kept between the portal and the browser.
//!
//! A store sees the SHA-256 of a pass and never the pass, so that nobody who reads it can open a console. `memory` is for
//! one process.

mod memory;

use std::time::Duration;

use crate::backend::BoxFuture;
use crate::relay::pass::Grant;
use crate::{Reference, Result};

pub(crate) use memory::Memory;

/// The SHA-256 of a pass.
pub(crate) type PassDigest = [u8; 32];

/// How long a store remembers what became of a pass after its time, to tell used, expired and revoked from unknown.
pub(crate) const MEMORY_OF_THE_DEAD: Duration = Duration::from_secs(600);

/// Keeps grants by the digest of their pass.
pub(crate) trait Store: Send + Sync {
    /// Keeps `grant` for `ttl`.
    fn put(&self, digest: PassDigest, grant: Grant, ttl: Duration) -> BoxFuture<'_, Result<()>>;

    /// Hands the grant out, once: of any number of simultaneous takers exactly one gets it. The others learn by the code
    /// whether the pass was used, is expired, revoked or unknown.
    fn take(&self, digest: PassDigest) -> BoxFuture<'_, Result<Grant>>;

    /// Makes the pass of `reference` useless. Returns whether there was one.
    fn revoke(&self, reference: &Reference) -> BoxFuture<'_, Result<bool>>;
}
