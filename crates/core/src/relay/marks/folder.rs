//! A folder with a file for each mark, named like the pass's reference: whoever makes it first has it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::super::signed::Verified;
use super::{LONGEST, Mark, about};
use crate::{Code, Error, Reference, Result};

/// How often it is swept.
const SWEEP: Duration = Duration::from_secs(60);

/// Made with the folder's first mark, to tell since when it remembers.
const SINCE: &str = ".since";

/// Behind the reference, so that nothing of somebody else's is taken for a mark.
const SUFFIX: &str = ".pass";

pub(in super::super) struct Folder {
    path: PathBuf,
    since: SystemTime,
    swept: Mutex<Option<Instant>>,
}

impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let probe = path.join(format!(".{}", Reference::random().map_err(io::Error::other)?));
        File::create_new(&probe)?;
        fs::remove_file(&probe)?;
        let since = path.join(SINCE);
        if let Err(error) = File::create_new(&since)
            && error.kind() != ErrorKind::AlreadyExists
        {
            return Err(error);
        }
        Ok(Self { path: path.to_owned(), since: fs::metadata(since)?.modified()?, swept: Mutex::new(None) })
    }

    /// A folder that was emptied, or made anew at a restart, has forgotten what was used before.
    pub(super) fn check_age(&self, verified: &Verified) -> Result<()> {
        if verified.issued_at < self.since {
            return Err(about(
                &verified.grant.reference,
                Code::PassExpired,
                "issued before the folder marks_dir was made, which must outlive restarts",
            ));
        }
        Ok(())
    }

    /// Sets a mark, unless there is one; then it stays and is returned.
    pub(super) async fn mark(self: &Arc<Self>, reference: &Reference, mark: Mark) -> Result<Option<Mark>> {
        let (folder, reference) = (Arc::clone(self), reference.clone());
        // A disk may be slow, and other consoles' bytes do not wait for it.
        let marked = tokio::task::spawn_blocking(move || {
            folder.sweep();
            folder.mark_now(&reference, mark).map_err(|error| {
                Error::new(Code::Internal, format!("pass {reference}: marks_dir {}: {error}", folder.path.display()))
                    .with_hint("the relay must be able to write to marks_dir; without it no pass is taken")
                    .with_reference(&reference)
            })
        });
        marked.await.map_err(|error| Error::new(Code::Internal, "marks_dir: not written").with_source(error))?
    }

    fn mark_now(&self, reference: &Reference, mark: Mark) -> io::Result<Option<Mark>> {
        let file = self.path.join(format!("{reference}{SUFFIX}"));
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
    name.strip_suffix(SUFFIX).and_then(Reference::parse).is_some()
}

impl Mark {
    fn as_str(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Revoked => "revoked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Marks, verified};
    use super::*;

    fn folder() -> PathBuf {
        let path = std::env::temp_dir().join(format!("consolepass-marks-{}", Reference::random().unwrap()));
        fs::create_dir(&path).unwrap();
        path
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_a_thousand_takers_that_share_nothing_but_the_folder_one_gets_the_pass() {
        let path = folder();
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
    async fn a_revocation_reaches_every_process() {
        let path = folder();
        let verified = verified();
        Marks::in_folder(&path).unwrap().revoke(&verified.grant.reference).await.unwrap();

        let error = Marks::in_folder(&path).unwrap().take(&verified).await.unwrap_err();

        assert_eq!(error.code(), Code::Revoked);
        fs::remove_dir_all(path).unwrap();
    }

    #[tokio::test]
    async fn a_folder_that_was_made_anew_lets_no_pass_in_that_may_have_been_used() {
        let path = folder();
        let verified = Verified { issued_at: SystemTime::now() - Duration::from_secs(1), ..verified() };
        File::create(path.join(SINCE)).unwrap().set_modified(SystemTime::now() - Duration::from_secs(9)).unwrap();
        Marks::in_folder(&path).unwrap().take(&verified).await.unwrap();
        fs::remove_dir_all(&path).unwrap();
        fs::create_dir(&path).unwrap();

        let error = Marks::in_folder(&path).unwrap().take(&verified).await.unwrap_err();

        assert_eq!(error.code(), Code::PassExpired);
        assert!(error.to_string().contains("outlive restarts"), "{error}");
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_sweep_removes_old_marks_and_nothing_else() {
        let path = folder();
        let folder = Folder::open(&path).unwrap();
        let old = SystemTime::now() - LONGEST - Duration::from_secs(1);
        let names = ["0123456789.pass", "abcdefghjk.pass", "changesets", "letter.pass", SINCE];
        let files = names.map(|name| path.join(name));
        for (file, time) in files.iter().zip([old, SystemTime::now(), old, old, old]) {
            File::create(file).unwrap().set_modified(time).unwrap();
        }

        folder.sweep();

        assert_eq!(files.map(|file| file.exists()), [false, true, true, true, true]);
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_refused_before_any_pass_and_nothing_there_is_touched() {
        let path = folder();
        let precious = path.join("precious");
        fs::write(&precious, "kept").unwrap();
        std::os::unix::fs::symlink(&precious, path.join(format!(".{}", std::process::id()))).unwrap();

        Folder::open(&path).unwrap();

        assert_eq!(fs::read_to_string(precious).unwrap(), "kept");
        assert!(Folder::open(Path::new("/nonexistent/marks")).is_err());
        assert!(Folder::open(Path::new("/dev/null")).is_err());
        fs::remove_dir_all(path).unwrap();
    }
}
