//! What belongs to the process that its relay belongs to.

use std::mem::ManuallyDrop;

use consolepass::{Owner, Result};

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
