//! The file of a read model: where it lies, whether it is still the same, and how it is removed.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::failure::ProjectionFailure;
use crate::projection::Projection;

/// The file of a projection in the folder of read models.
pub(crate) fn file_of<P: Projection>(dir: &Path) -> PathBuf {
    dir.join(format!("{}-v{}.db", P::NAME, P::VERSION))
}

/// Which file stands at a path: a deleted and remade one differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    /// Identity and length in bytes of the file at a path; `None` where there is none.
    pub fn at(path: &Path) -> io::Result<Option<(Self, u64)>> {
        match fs::metadata(path) {
            Ok(found) => Ok(Some((
                Self {
                    device: found.dev(),
                    inode: found.ino(),
                },
                found.len(),
            ))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Removes a read model with its write-ahead log.
pub(crate) fn remove(path: &Path) -> Result<(), ProjectionFailure> {
    remove_one(path)?;
    remove_beside(path)
}

pub(super) fn remove_beside(path: &Path) -> Result<(), ProjectionFailure> {
    for suffix in ["-wal", "-shm"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(suffix);
        remove_one(Path::new(&beside))?;
    }
    Ok(())
}

fn remove_one(path: &Path) -> Result<(), ProjectionFailure> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(ProjectionFailure::File {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// Removes the files of other versions of a projection: nobody reads them once this one has caught up, and they hold
/// personal data in clear.
pub(crate) fn remove_other_versions<P: Projection>(dir: &Path) -> Result<(), ProjectionFailure> {
    let at_dir = |source| ProjectionFailure::File {
        path: dir.to_owned(),
        source,
    };
    for entry in fs::read_dir(dir).map_err(at_dir)? {
        let name = entry.map_err(at_dir)?.file_name();
        let version = name.to_str().and_then(|name| version_of(P::NAME, name));
        if version.is_some_and(|version| version != P::VERSION) {
            remove(&dir.join(name))?;
        }
    }
    Ok(())
}

fn version_of(projection: &str, file_name: &str) -> Option<u32> {
    file_name
        .strip_prefix(projection)?
        .strip_prefix("-v")?
        .strip_suffix(".db")?
        .parse()
        .ok()
}
