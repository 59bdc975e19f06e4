//! Values that belong to one process.

use std::fmt;
use std::mem;
use std::sync::OnceLock;

use crate::{Code, Error, Result};

/// A value that is made at its first use, and made anew in a process that was forked off.
///
/// A child has the parent's locks as they were at the fork, perhaps held by threads that it does not have, and its
/// sockets, which it must not write to. So a child finds a fresh value, behind no lock, and the parent's is never touched
/// again: not even dropped, for that could close what the parent still uses.
///
/// Public for the packages of other languages, whose runtimes are such values.
pub struct PerProcess<T>(OnceLock<Box<Link<T>>>);

/// The value of one process, and those of its children.
struct Link<T> {
    process: u32,
    value: T,
    next: OnceLock<Box<Self>>,
}

impl<T> PerProcess<T> {
    /// Nothing is made before the first use.
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// This process's value. If two threads make the first one, either's is kept, and both get that one.
    pub fn get(&self, make: impl FnOnce() -> Result<T>) -> Result<&T> {
        self.get_in(std::process::id(), make)
    }

    /// This process's value, if it has made one.
    pub fn made(&self) -> Option<&T> {
        let here = std::process::id();
        let mut place = &self.0;
        while let Some(link) = place.get() {
            if link.process == here {
                return Some(&link.value);
            }
            place = &link.next;
        }
        None
    }

    fn get_in(&self, process: u32, make: impl FnOnce() -> Result<T>) -> Result<&T> {
        let mut place = &self.0;
        while let Some(link) = place.get() {
            if link.process == process {
                return Ok(&link.value);
            }
            place = &link.next;
        }
        // Made before it is put in place: a fork meanwhile must not leave a half-made one behind.
        let mut fresh = Box::new(Link { process, value: make()?, next: OnceLock::new() });
        while let Err(late) = place.set(fresh) {
            fresh = late;
            match place.get() {
                Some(link) if link.process == process => return Ok(&link.value),
                Some(link) => place = &link.next,
                None => {}
            }
        }
        place
            .get()
            .map(|link| &link.value)
            .ok_or_else(|| Error::new(Code::Internal, "a value that was set is not there"))
    }
}

impl<T> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for PerProcess<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PerProcess")
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let here = std::process::id();
        let mut place = self.0.take();
        while let Some(link) = place {
            let mut link = *link;
            place = link.next.take();
            if link.process != here {
                mem::forget(link.value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn a_process_makes_its_value_once() {
        let values = PerProcess::new();
        assert_eq!(values.made(), None);

        let first = values.get(|| Ok(1)).unwrap();
        let again = values.get(|| Ok(2)).unwrap();

        assert_eq!((*first, *again), (1, 1));
        assert_eq!(values.made(), Some(&1));
    }

    #[test]
    fn a_child_and_its_child_have_values_of_their_own() {
        let values = PerProcess::new();

        let made = [1, 2, 3].map(|process| *values.get_in(process, || Ok(process * 10)).unwrap());
        let kept = [1, 2, 3].map(|process| *values.get_in(process, || Ok(0)).unwrap());

        assert_eq!(made, [10, 20, 30]);
        assert_eq!(kept, made);
    }

    #[test]
    fn a_value_that_could_not_be_made_is_tried_again() {
        let values = PerProcess::new();

        let failed = values.get(|| Err(Error::new(Code::Internal, "no")));
        let made = values.get(|| Ok(1));

        assert!(failed.is_err());
        assert_eq!(made.ok(), Some(&1));
    }

    #[test]
    fn many_threads_share_one_value() {
        let values = PerProcess::new();

        let seen: Vec<u32> = std::thread::scope(|scope| {
            let values = &values;
            let read = |number| scope.spawn(move || *values.get(|| Ok(number)).unwrap());
            let threads: Vec<_> = (0..16).map(read).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });

        assert!(seen.iter().all(|value| *value == seen[0]), "{seen:?}");
    }

    /// Counts how often it is dropped.
    struct Dropped(Rc<Cell<u32>>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn only_the_own_value_is_dropped() {
        let count = Rc::new(Cell::new(0));
        let values = PerProcess::new();
        let here = std::process::id();

        for process in [here + 1, here, here + 2] {
            values.get_in(process, || Ok(Dropped(Rc::clone(&count)))).unwrap();
        }
        drop(values);

        assert_eq!(count.get(), 1);
    }
}
