//! Taking a lock whose holder may have panicked.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, and goes on after a panic elsewhere: what is kept under these locks is whole between any two statements, and
/// a test that failed on one connection should still be able to read the record of the others.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
