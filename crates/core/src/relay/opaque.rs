//! Opaque passes: random, and known to one process alone.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::pass::{Grant, RelayId};
use super::store::{Memory, PassDigest, Store};
use crate::net::process::PerProcess;
use crate::reference::random_bytes;
use crate::{Reference, Result, Secret};

/// A pass carries this many random bytes.
const RANDOM_BYTES: usize = 32;

/// The passes of this process. One that was forked off has none of its parent's, and another id, so that either can say
/// that a pass of the other is not its own.
pub(super) struct Opaque(PerProcess<Passes>);

struct Passes {
    id: RelayId,
    store: Memory,
}

impl Opaque {
    pub(super) fn new() -> Self {
        Self(PerProcess::new())
    }

    /// Makes the text of a pass, and keeps what it stands for.
    pub(super) async fn issue(&self, grant: Grant, ttl: Duration) -> Result<Secret> {
        let passes = self.here()?;
        let rest = URL_SAFE_NO_PAD.encode(random_bytes::<RANDOM_BYTES>()?);
        passes.store.put(digest(&rest), grant, ttl).await?;
        Ok(passes.id.with(&rest))
    }

    /// The id that this process's passes begin with.
    pub(super) fn id(&self) -> Result<&RelayId> {
        Ok(&self.here()?.id)
    }

    /// Trades what comes behind the id for the grant.
    pub(super) async fn take(&self, rest: &str) -> Result<Grant> {
        self.here()?.store.take(digest(rest)).await
    }

    pub(super) async fn revoke(&self, reference: &Reference) -> Result<bool> {
        self.here()?.store.revoke(reference).await
    }

    fn here(&self) -> Result<&Passes> {
        self.0.get(|| Ok(Passes { id: RelayId::random()?, store: Memory::new() }))
    }
}

fn digest(rest: &str) -> PassDigest {
    let digest = ring::digest::digest(&ring::digest::SHA256, rest.as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}
