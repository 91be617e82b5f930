//! Owns the log's folder: makes it, locks it against a second process, measures what is free on its disk.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::durable_folder;

use super::failure::LogFailure;

/// The folder while this process owns it. Another gets it when this value is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder when there is none (mode 0700) and takes it.
    ///
    /// # Errors
    /// [`LogFailure::FolderInUse`] when another process has it; the file system's own refusals.
    pub(super) fn take(dir: &Path) -> Result<Self, LogFailure> {
        durable_folder::make(dir).map_err(LogFailure::folder("making", dir))?;
        let path = dir.join("lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(LogFailure::folder("opening", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LogFailure::FolderInUse {
                    dir: dir.to_owned(),
                    owner: owner(&mut lock),
                });
            }
            Err(TryLockError::Error(source)) => return Err(LogFailure::folder("locking", &path)(source)),
        }
        // Only a help for whoever is refused: the lock itself is what counts.
        lock.set_len(0)
            .and_then(|()| write!(lock, "{}", std::process::id()))
            .map_err(LogFailure::folder("writing", &path))?;
        Ok(Self {
            dir: dir.to_owned(),
            _lock: lock,
        })
    }

    /// Where it is.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes the names of new files durable.
    ///
    /// # Errors
    /// The file system's refusal.
    pub(super) fn sync(&self) -> Result<(), LogFailure> {
        sync_folder(&self.dir)
    }

    /// Bytes that are free for this process; `None` when the system does not tell.
    pub(super) fn free_bytes(&self) -> Option<u64> {
        let stat = rustix::fs::statvfs(&self.dir).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

fn owner(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.take(16).read_to_string(&mut text).ok()?;
    text.parse().ok()
}

fn sync_folder(dir: &Path) -> Result<(), LogFailure> {
    fs::File::open(dir)
        .and_then(|folder| folder.sync_all())
        .map_err(LogFailure::folder("syncing", dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let first = Folder::take(&path).unwrap();
        match Folder::take(&path) {
            Err(LogFailure::FolderInUse { owner, .. }) => assert_eq!(owner, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        drop(first);
        assert!(Folder::take(&path).unwrap().free_bytes().unwrap() > 0);
    }
}
