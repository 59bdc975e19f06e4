//! One set-up at a time for each machine.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError, Weak};

use tokio::sync::Mutex;

use super::Turn;

/// The turns of one backend's machines, by their numbers. A machine is remembered while somebody has or awaits its turn.
#[derive(Default)]
pub(crate) struct Turns(SyncMutex<HashMap<u32, Weak<Mutex<()>>>>);

impl Turns {
    /// Waits for the turn of `machine`; those who wait get it in the order in which they came.
    pub(crate) async fn wait(&self, machine: u32) -> Turn {
        let lock = self.lock_of(machine);
        Turn::held(lock.lock_owned().await)
    }

    fn lock_of(&self, machine: u32) -> Arc<Mutex<()>> {
        // Nothing below can panic half-way, so a poisoned map is a whole one.
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(&machine).and_then(Weak::upgrade) {
            return lock;
        }
        // What nobody holds any more goes here, so that the map is never larger than the set-ups under way.
        locks.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(Mutex::new(()));
        locks.insert(machine, Arc::downgrade(&lock));
        lock
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turns")
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn a_machine_has_one_turn_at_a_time() {
        let turns = Turns::default();
        let first = turns.wait(101).await;
        let mut second = pin!(turns.wait(101));
        let mut context = Context::from_waker(Waker::noop());

        assert!(second.as_mut().poll(&mut context).is_pending());
        drop(first);

        assert!(second.as_mut().poll(&mut context).is_ready());
    }

    #[tokio::test]
    async fn machines_do_not_wait_for_each_other() {
        let turns = Turns::default();
        let _first = turns.wait(101).await;

        let other = pin!(turns.wait(102)).poll(&mut Context::from_waker(Waker::noop()));

        assert!(other.is_ready());
    }

    #[tokio::test]
    async fn the_map_holds_no_more_machines_than_are_being_set_up() {
        let turns = Turns::default();
        let held = turns.wait(1).await;

        for machine in 2..10_000 {
            drop(turns.wait(machine).await);
        }

        assert_eq!(turns.0.lock().unwrap().len(), 2);
        drop(held);
    }
}
