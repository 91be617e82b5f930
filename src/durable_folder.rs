//! Folders that are still there after a power loss: to make one is not enough, the folder above must be synced.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Makes a folder, and those above it that are missing, for their owner alone (mode 0700). Its name is durable when
/// this returns, also that of a folder that was there before: nobody knows whether its maker came to sync it.
///
/// # Errors
/// The file system's refusal; [`io::ErrorKind::AlreadyExists`] when something else has the name.
pub fn make(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return match sync_folder_of(path) {
            // Whose parent we may not even open, that folder was given to us.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            synced => synced,
        };
    }
    if let Some(above) = path
        .parent()
        .filter(|above| !above.as_os_str().is_empty() && !above.is_dir())
    {
        make(above)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        made => made?,
    }
    sync_folder_of(path)
}

/// Makes the name of a new file or folder durable.
///
/// # Errors
/// The file system's refusal.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let above = match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    };
    File::open(above)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn missing_folders_are_made_for_their_owner_and_others_are_left() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b");
        for _ in 0..2 {
            make(&deep).unwrap();
        }
        assert_eq!(deep.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::write(root.path().join("file"), "").unwrap();
        assert_eq!(
            make(&root.path().join("file")).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        assert_eq!(
            make(&root.path().join("file/below")).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
    }
}
