//! The marks of one process. Nobody else knows them, so nobody else may take passes meanwhile: the key's file is locked.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use super::super::signed::{self, Verified};
use super::{LONGEST, Mark, about};
use crate::{Code, Error, Reference, Result};

/// What to do where two relays take the passes of one key.
const SHARE: &str =
    "stop the other relay, and whatever was forked off from its process, or give all of them the same marks_dir";

pub(in super::super) struct Memory {
    key_file: PathBuf,
    claim: Mutex<Option<Claim>>,
    marks: Mutex<HashMap<Reference, (Mark, Instant)>>,
}

struct Claim {
    /// A pass from before this moment may have been used in the memory of a process that is gone.
    since: SystemTime,
    /// Locked until it is released, for this process; a child that was forked off has the lock as well, and no right to it.
    key_file: File,
    process: u32,
}

impl Memory {
    pub(super) fn new(key_file: PathBuf) -> Self {
        Self { key_file, claim: Mutex::new(None), marks: Mutex::default() }
    }

    pub(super) fn is_claimed(&self) -> bool {
        self.locked().as_ref().is_some_and(Claim::is_here)
    }

    pub(super) fn claim(&self, clock: impl FnOnce() -> SystemTime) -> Result<()> {
        let claim = self.lock_key(clock)?;
        *self.locked() = Some(claim);
        Ok(())
    }

    pub(super) fn release(&self) {
        if let Some(claim) = self.locked().take().filter(Claim::is_here) {
            // By itself, and not by closing: a child may hold the same file open.
            let _ = claim.key_file.unlock();
        }
    }

    /// Whether a pass is this process's to take.
    pub(super) fn check(&self, verified: &Verified) -> Result<()> {
        let reference = &verified.grant.reference;
        let mut held = self.locked();
        let Some(claim) = held.as_ref().filter(|claim| claim.is_here()) else {
            return Err(about(reference, Code::PassForeign, "no relay of this process was started to take it"));
        };
        if !self.is_locked_by(claim) {
            // Somebody put another file in its place, which another relay may have locked.
            let anew = self.lock_key(SystemTime::now).map_err(|error| {
                about(reference, Code::PassForeign, &error.to_string()).with_hint(error.hint()).with_source(error)
            })?;
            *held = Some(anew);
        }
        let since = held.as_ref().map_or(SystemTime::now(), |claim| claim.since);
        // Within the leeway the portal's clock may be ahead, and what it calls later may have been before.
        if verified.issued_at < since + signed::leeway() {
            return Err(about(
                reference,
                Code::PassExpired,
                "issued before this relay was up; a moment later one will do",
            ));
        }
        Ok(())
    }

    /// Sets a mark, unless there is one; then it stays and is returned.
    pub(super) fn mark(&self, reference: &Reference, mark: Mark) -> Option<Mark> {
        let now = Instant::now();
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((earlier, _)) = marks.get(reference) {
            return Some(*earlier);
        }
        marks.retain(|_, (_, at)| now.duration_since(*at) < LONGEST);
        marks.insert(reference.clone(), (mark, now));
        None
    }

    fn lock_key(&self, clock: impl FnOnce() -> SystemTime) -> Result<Claim> {
        let shown = self.key_file.display().to_string();
        let wrong = |reason: &str| Error::invalid("relay: pass_key_file", &shown, reason);
        let file = File::open(&self.key_file).map_err(|error| wrong(&error.to_string()))?;
        match file.try_lock() {
            Ok(()) => Ok(Claim { since: clock(), key_file: file, process: process::id() }),
            Err(TryLockError::WouldBlock) => {
                let reason = "another relay takes the passes of this key, and neither knows which the other has taken";
                Err(wrong(reason).with_hint(SHARE))
            }
            Err(TryLockError::Error(error)) => Err(wrong(&format!("it cannot be locked ({error})"))
                .with_hint("give marks_dir a folder, which needs no lock, or keep the key on another file system")),
        }
    }

    /// Whether the file that is locked is still the one at the key's path.
    fn is_locked_by(&self, claim: &Claim) -> bool {
        let there = fs::metadata(&self.key_file).map(|data| (data.dev(), data.ino()));
        let held = claim.key_file.metadata().map(|data| (data.dev(), data.ino()));
        // A key that was only removed is nobody else's.
        there.map_or(true, |there| held.is_ok_and(|held| held == there))
    }

    fn locked(&self) -> MutexGuard<'_, Option<Claim>> {
        self.claim.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    fn is_here(&self) -> bool {
        self.process == process::id()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::verified;
    use super::*;

    fn key_file() -> PathBuf {
        let path = std::env::temp_dir().join(format!("consolepass-key-{}", Reference::random().unwrap()));
        File::create(&path).unwrap();
        path
    }

    fn long_ago() -> SystemTime {
        SystemTime::now() - Duration::from_secs(60)
    }

    #[test]
    fn one_relay_takes_the_passes_of_a_key_until_it_releases_them() {
        let path = key_file();
        let (first, second) = (Memory::new(path.clone()), Memory::new(path.clone()));
        first.claim(SystemTime::now).unwrap();
        // As a child of the process holds it.
        let copy = first.locked().as_ref().unwrap().key_file.try_clone().unwrap();

        let error = second.claim(SystemTime::now).unwrap_err();
        let unclaimed = second.check(&verified()).unwrap_err();

        assert!(error.to_string().contains("another relay") && error.hint().contains("marks_dir"), "{error}");
        assert_eq!(unclaimed.code(), Code::PassForeign);
        first.release();
        second.claim(SystemTime::now).unwrap();
        drop(copy);
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_key_that_was_replaced_under_a_relay_is_locked_anew_or_its_passes_are_left_to_who_has_it() {
        let path = key_file();
        let (first, second) = (Memory::new(path.clone()), Memory::new(path.clone()));
        first.claim(long_ago).unwrap();
        first.check(&verified()).unwrap();
        fs::rename(key_file(), &path).unwrap();

        second.claim(long_ago).unwrap();
        let left = first.check(&verified()).unwrap_err();
        second.check(&verified()).unwrap();
        second.release();
        let anew = first.check(&verified()).unwrap_err();

        assert_eq!(left.code(), Code::PassForeign);
        assert!(left.to_string().contains("another relay") && left.hint().contains("marks_dir"), "{left}");
        // It has them again, but not those from while it had not.
        assert_eq!(anew.code(), Code::PassExpired);
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_claim_of_another_process_is_none_of_this_one() {
        let path = key_file();
        let memory = Memory::new(path.clone());
        memory.claim(long_ago).unwrap();
        memory.locked().as_mut().unwrap().process += 1;

        assert!(!memory.is_claimed());
        assert_eq!(memory.check(&verified()).unwrap_err().code(), Code::PassForeign);
        fs::remove_file(path).unwrap();
    }
}
