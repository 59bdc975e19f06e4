//! What became of signed passes, which no store knows: in the memory of one process, or in a folder that several share.

mod folder;
mod memory;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use self::folder::Folder;
use self::memory::Memory;
use super::signed::Verified;
use super::store::MEMORY_OF_THE_DEAD;
use crate::{Code, Error, Reference, Result};

/// The longest that a mark can matter: a whole life, clocks that differ, and the time in which it is told apart.
const LONGEST: Duration = Duration::from_secs(300 + 5 + MEMORY_OF_THE_DEAD.as_secs());

/// Marks used and revoked passes.
pub(super) enum Marks {
    Memory(Memory),
    Folder(Arc<Folder>),
}

/// What became of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Used,
    Revoked,
}

impl Marks {
    /// Marks in this process's memory, for one relay alone: `key_file` is locked while it serves.
    pub(super) fn in_memory(key_file: PathBuf) -> Self {
        Self::Memory(Memory::new(key_file))
    }

    /// Marks in a folder, for any number of processes. It must be there, and this process must be able to write to it.
    pub(super) fn in_folder(path: &Path) -> io::Result<Self> {
        Ok(Self::Folder(Arc::new(Folder::open(path)?)))
    }

    /// Whether this process may take passes: it has claimed them, or shares their marks.
    pub(super) fn are_claimed(&self) -> bool {
        match self {
            Self::Memory(memory) => memory.is_claimed(),
            Self::Folder(_) => true,
        }
    }

    /// Claims all passes for this process, from now on. `clock` is read when nobody else has them any more.
    pub(super) fn claim(&self, clock: impl FnOnce() -> SystemTime) -> Result<()> {
        match self {
            Self::Memory(memory) => memory.claim(clock),
            Self::Folder(_) => Ok(()),
        }
    }

    /// Leaves the passes from now on to whoever claims them next.
    pub(super) fn release(&self) {
        if let Self::Memory(memory) = self {
            memory.release();
        }
    }

    /// Marks a pass as used, unless there is a mark on it.
    pub(super) async fn take(&self, verified: &Verified) -> Result<()> {
        let reference = &verified.grant.reference;
        let earlier = match self {
            Self::Memory(memory) => {
                memory.check(verified)?;
                memory.mark(reference, Mark::Used)
            }
            Self::Folder(folder) => {
                folder.check_age(verified)?;
                folder.mark(reference, Mark::Used).await?
            }
        };
        match earlier {
            None => Ok(()),
            Some(Mark::Used) => Err(about(reference, Code::PassUsed, "already used")),
            Some(Mark::Revoked) => Err(about(reference, Code::Revoked, "revoked")),
        }
    }

    /// Marks a pass as revoked, unless there is a mark on it.
    pub(super) async fn revoke(&self, reference: &Reference) -> Result<()> {
        match self {
            Self::Memory(memory) => {
                memory.mark(reference, Mark::Revoked);
            }
            Self::Folder(folder) => {
                folder.mark(reference, Mark::Revoked).await?;
            }
        }
        Ok(())
    }
}

fn about(reference: &Reference, code: Code, what: &str) -> Error {
    Error::new(code, format!("pass {reference}: {what}")).with_reference(reference)
}

#[cfg(test)]
pub(super) fn verified() -> Verified {
    let grant = super::pass::Grant {
        reference: Reference::random().unwrap(),
        backend: "dc1".into(),
        machine: "qemu/101".parse().unwrap(),
        kind: crate::Kind::Vnc,
        user: None,
        expires_at: SystemTime::now() + Duration::from_secs(60),
    };
    Verified { grant, issued_at: SystemTime::now() }
}
