//! Which process a relay belongs to.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use consolepass::{Code, Error, Result};

/// The process in which a relay was started; any process before that.
#[derive(Clone, Default)]
pub(crate) struct Owner(Arc<AtomicU32>);

impl Owner {
    /// Takes the relay for this process; false if it was taken before.
    pub(crate) fn take(&self) -> Result<bool> {
        self.check()?;
        Ok(self.0.compare_exchange(0, std::process::id(), Ordering::AcqRel, Ordering::Acquire).is_ok())
    }

    /// The start came to nothing.
    pub(crate) fn give_back(&self) {
        self.0.store(0, Ordering::Release);
    }

    fn check(&self) -> Result<()> {
        let (owner, here) = (self.0.load(Ordering::Acquire), std::process::id());
        if owner == 0 || owner == here {
            return Ok(());
        }
        Err(Error::new(Code::Forked, format!("relay: it was started in process {owner}, and this is {here}")))
    }
}

/// A value that is a relay's, or a part of one.
///
/// In a process that was forked off it is not touched, not even to drop it: its locks may be held by threads that are not
/// there, and its threads cannot be waited for.
pub(crate) struct Owned<T> {
    owner: Owner,
    value: ManuallyDrop<T>,
}

impl<T> Owned<T> {
    pub(crate) fn new(owner: Owner, value: T) -> Self {
        Self { owner, value: ManuallyDrop::new(value) }
    }

    /// The value, for the process that it belongs to.
    pub(crate) fn here(&self) -> Result<&T> {
        self.owner.check()?;
        Ok(&self.value)
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if self.owner.check().is_ok() {
            // SAFETY: dropped here, and nowhere else.
            unsafe { ManuallyDrop::drop(&mut self.value) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_elsewhere_is_refused_and_not_dropped() {
        let (owner, content) = (Owner::default(), Arc::new(()));
        let relay = Owned::new(owner.clone(), Arc::clone(&content));
        owner.0.store(std::process::id() + 1, Ordering::Release);

        let error = relay.here().unwrap_err();
        drop(relay);

        assert_eq!(error.code(), Code::Forked);
        assert_eq!(Arc::strong_count(&content), 2);
    }

    #[test]
    fn it_is_taken_once() {
        let owner = Owner::default();

        assert_eq!([owner.take().unwrap(), owner.take().unwrap()], [true, false]);
    }
}
