//! Which process a relay belongs to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Code, Error, Result};

/// The process in which a relay began to serve; any process before that.
///
/// A child that was forked off has the relay's sockets and locks, and none of the threads that serve them. There a relay
/// refuses with [`Code::Forked`].
#[derive(Clone, Debug, Default)]
pub struct Owner(Arc<AtomicU32>);

impl Owner {
    /// Fails in every process but the one that the relay belongs to.
    pub fn check(&self) -> Result<()> {
        match self.0.load(Ordering::Acquire) {
            0 => Ok(()),
            owner => Self::compare(owner),
        }
    }

    /// Takes the relay for this process, if no other has it.
    pub(super) fn take(&self) -> Result<()> {
        match self.0.compare_exchange(0, std::process::id(), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Ok(()),
            Err(owner) => Self::compare(owner),
        }
    }

    fn compare(owner: u32) -> Result<()> {
        let here = std::process::id();
        if owner == here {
            return Ok(());
        }
        Err(Error::new(Code::Forked, format!("relay: it was started in process {owner}, and this is {here}")))
    }

    /// As if another process had taken it.
    #[cfg(test)]
    pub(super) fn take_elsewhere(&self) {
        self.0.store(std::process::id() + 1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_anybodys_until_it_is_taken_and_then_nobody_elses() {
        let owner = Owner::default();
        owner.check().unwrap();

        owner.take().unwrap();
        owner.take().unwrap();
        owner.check().unwrap();
        owner.take_elsewhere();

        assert_eq!(owner.check().unwrap_err().code(), Code::Forked);
        assert_eq!(owner.take().unwrap_err().code(), Code::Forked);
    }
}
