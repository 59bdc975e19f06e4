//! What became of signed passes, which no store knows: in the memory of one process, or in a folder that several share.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::signed::{self, Verified};
use super::store::MEMORY_OF_THE_DEAD;
use crate::{Code, Error, Reference, Result};

/// The longest that a mark can matter: a whole life, clocks that differ, and the time in which it is told apart.
const LONGEST: Duration = Duration::from_secs(300 + 5 + MEMORY_OF_THE_DEAD.as_secs());

/// How often a folder is swept.
const SWEEP: Duration = Duration::from_secs(60);

/// Marks used and revoked passes.
pub(super) enum Marks {
    Memory(Memory),
    Folder(Arc<Folder>),
}

impl Marks {
    /// Marks in this process's memory, for one relay alone: `key_file` is locked while it serves.
    pub(super) fn in_memory(key_file: PathBuf) -> Self {
        Self::Memory(Memory { key_file, claim: Mutex::new(None), marks: Mutex::default() })
    }

    /// Marks in a folder, for any number of processes. It must be there, and this process must be able to write to it.
    pub(super) fn in_folder(path: &Path) -> io::Result<Self> {
        let folder = Folder { path: path.to_owned(), swept: Mutex::new(None) };
        let probe = folder.path.join(format!(".{}", std::process::id()));
        File::create(&probe)?;
        fs::remove_file(&probe)?;
        Ok(Self::Folder(Arc::new(folder)))
    }

    /// Whether only the process that has claimed them may take passes.
    pub(super) fn are_claimed(&self) -> bool {
        match self {
            Self::Memory(memory) => memory.locked().is_some(),
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
            *memory.locked() = None;
        }
    }

    /// Marks a pass as used, unless there is a mark on it.
    pub(super) async fn take(&self, verified: &Verified) -> Result<()> {
        let reference = &verified.grant.reference;
        let earlier = match self {
            Self::Memory(memory) => {
                memory.check_age(verified)?;
                memory.mark(reference, Mark::Used)
            }
            Self::Folder(folder) => Arc::clone(folder).mark(reference.clone(), Mark::Used).await?,
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
                Arc::clone(folder).mark(reference.clone(), Mark::Revoked).await?;
            }
        }
        Ok(())
    }
}

fn about(reference: &Reference, code: Code, what: &str) -> Error {
    Error::new(code, format!("pass {reference}: {what}")).with_reference(reference)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Used,
    Revoked,
}

impl Mark {
    fn as_str(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Revoked => "revoked",
        }
    }
}

/// The marks of one process. Nobody else knows them, so nobody else may take passes meanwhile.
pub(super) struct Memory {
    key_file: PathBuf,
    claim: Mutex<Option<Claim>>,
    marks: Mutex<HashMap<Reference, (Mark, Instant)>>,
}

struct Claim {
    /// A pass from before this moment may have been used in the memory of a process that is gone.
    since: SystemTime,
    /// Locked as long as it is open.
    _key_file: File,
}

impl Memory {
    fn claim(&self, clock: impl FnOnce() -> SystemTime) -> Result<()> {
        let shown = self.key_file.display().to_string();
        let wrong = |reason: String| Error::invalid("relay: pass_key_file", &shown, reason);
        let file = File::open(&self.key_file).map_err(|error| wrong(error.to_string()))?;
        file.try_lock().map_err(|_| {
            wrong("another relay takes the passes of this key, and neither knows which the other has taken".into())
                .with_hint("stop the other relay, or give all of them the same marks_dir")
        })?;
        *self.locked() = Some(Claim { since: clock(), _key_file: file });
        Ok(())
    }

    fn locked(&self) -> MutexGuard<'_, Option<Claim>> {
        self.claim.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_age(&self, verified: &Verified) -> Result<()> {
        let reference = &verified.grant.reference;
        let Some(since) = self.locked().as_ref().map(|claim| claim.since) else {
            return Err(about(reference, Code::PassForeign, "no relay was started to take it"));
        };
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
    fn mark(&self, reference: &Reference, mark: Mark) -> Option<Mark> {
        let now = Instant::now();
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((earlier, _)) = marks.get(reference) {
            return Some(*earlier);
        }
        marks.retain(|_, (_, at)| now.duration_since(*at) < LONGEST);
        marks.insert(reference.clone(), (mark, now));
        None
    }
}

/// A folder with a file for each mark, named like the pass's reference: whoever makes it first has it.
pub(super) struct Folder {
    path: PathBuf,
    swept: Mutex<Option<Instant>>,
}

impl Folder {
    async fn mark(self: Arc<Self>, reference: Reference, mark: Mark) -> Result<Option<Mark>> {
        // A disk may be slow, and other consoles' bytes do not wait for it.
        let marked = tokio::task::spawn_blocking(move || {
            self.sweep();
            self.mark_now(&reference, mark).map_err(|error| {
                Error::new(Code::Internal, format!("pass {reference}: marks_dir {}: {error}", self.path.display()))
                    .with_hint("the relay must be able to write to marks_dir; without it no pass is taken")
                    .with_reference(&reference)
            })
        });
        marked.await.map_err(|error| Error::new(Code::Internal, "marks_dir: not written").with_source(error))?
    }

    fn mark_now(&self, reference: &Reference, mark: Mark) -> io::Result<Option<Mark>> {
        let file = self.path.join(reference.as_str());
        match OpenOptions::new().write(true).create_new(true).open(&file) {
            Ok(mut file) => {
                // An empty file is a mark as well: that of a pass which was used.
                file.write_all(mark.as_str().as_bytes())?;
                Ok(None)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let revoked = fs::read_to_string(&file).is_ok_and(|text| text == Mark::Revoked.as_str());
                Ok(Some(if revoked { Mark::Revoked } else { Mark::Used }))
            }
            Err(error) => Err(error),
        }
    }

    /// Removes marks that no longer matter. What cannot be removed is left to the next sweep.
    fn sweep(&self) {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if swept.is_some_and(|at| at.elapsed() < SWEEP) {
            return;
        }
        *swept = Some(Instant::now());
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_name().to_str().is_some_and(is_mark)) {
            let age = entry.metadata().and_then(|data| data.modified()).map(|at| at.elapsed().unwrap_or_default());
            if age.is_ok_and(|age| age > LONGEST) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Whether a file of this name is ours: the folder may be somebody's home by mistake.
fn is_mark(name: &str) -> bool {
    Reference::parse(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::pass::Grant;

    fn folder() -> (PathBuf, Arc<Folder>) {
        let path = std::env::temp_dir().join(format!("consolepass-marks-{}", Reference::random().unwrap()));
        fs::create_dir(&path).unwrap();
        let Marks::Folder(folder) = Marks::in_folder(&path).unwrap() else { panic!("no folder") };
        (path, folder)
    }

    fn verified() -> Verified {
        let grant = Grant {
            reference: Reference::random().unwrap(),
            backend: "dc1".into(),
            machine: "qemu/101".parse().unwrap(),
            kind: crate::Kind::Vnc,
            user: None,
            expires_at: SystemTime::now() + Duration::from_secs(60),
        };
        Verified { grant, issued_at: SystemTime::now() }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_a_thousand_takers_in_four_processes_one_gets_the_pass() {
        let (path, _) = folder();
        // Four values that share nothing but the folder, as four processes would.
        let marks: Vec<Arc<Marks>> = (0..4).map(|_| Arc::new(Marks::in_folder(&path).unwrap())).collect();
        let verified = Arc::new(verified());

        let takers = (0..1000).map(|number| {
            let (marks, verified) = (Arc::clone(&marks[number % 4]), Arc::clone(&verified));
            tokio::spawn(async move { marks.take(&verified).await.map_err(|error| error.code()) })
        });
        let mut won = 0;
        for taker in takers.collect::<Vec<_>>() {
            match taker.await.unwrap() {
                Ok(()) => won += 1,
                Err(code) => assert_eq!(code, Code::PassUsed),
            }
        }

        assert_eq!(won, 1);
        fs::remove_dir_all(path).unwrap();
    }

    #[tokio::test]
    async fn a_revocation_in_a_folder_reaches_every_process() {
        let (path, _) = folder();
        let verified = verified();
        Marks::in_folder(&path).unwrap().revoke(&verified.grant.reference).await.unwrap();

        let error = Marks::in_folder(&path).unwrap().take(&verified).await.unwrap_err();

        assert_eq!(error.code(), Code::Revoked);
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_sweep_removes_old_marks_and_nothing_else() {
        let (path, folder) = folder();
        let old = SystemTime::now() - LONGEST - Duration::from_secs(1);
        let [dead, fresh, other] = ["0123456789", "abcdefghjk", "letter.txt"].map(|name| path.join(name));
        for (file, time) in [(&dead, old), (&fresh, SystemTime::now()), (&other, old)] {
            File::create(file).unwrap().set_modified(time).unwrap();
        }

        folder.sweep();

        assert_eq!([&dead, &fresh, &other].map(|file| file.exists()), [false, true, true]);
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_refused_before_any_pass() {
        assert!(Marks::in_folder(Path::new("/nonexistent/marks")).is_err());
        assert!(Marks::in_folder(Path::new("/dev/null")).is_err());
    }

    #[tokio::test]
    async fn without_a_folder_one_relay_takes_the_passes_of_a_key() {
        let key_file = std::env::temp_dir().join(format!("consolepass-key-{}", Reference::random().unwrap()));
        File::create(&key_file).unwrap();
        let (first, second) = (Marks::in_memory(key_file.clone()), Marks::in_memory(key_file.clone()));
        first.claim(SystemTime::now).unwrap();

        let error = second.claim(SystemTime::now).unwrap_err();
        let unclaimed = second.take(&verified()).await.unwrap_err();

        assert!(error.to_string().contains("another relay") && error.hint().contains("marks_dir"), "{error}");
        assert_eq!(unclaimed.code(), Code::PassForeign);
        first.release();
        second.claim(SystemTime::now).unwrap();
        fs::remove_file(key_file).unwrap();
    }
}
