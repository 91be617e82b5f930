//! A folder on a disk that can lose its power.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::compiled;
use super::journal::{Change, Journal};

/// A folder whose programs run with the shim, and the shim's folder beside it.
pub struct Disk {
    root: PathBuf,
    side: PathBuf,
    shim: PathBuf,
}

impl Disk {
    /// Makes `root` and what it needs beside it, inside `folder`.
    pub fn new(folder: &Path) -> Self {
        let folder = folder.canonicalize().unwrap();
        let shim = compiled::shim(&folder);
        Self::with_shim(&folder, &shim)
    }

    /// The same, with a shim that is compiled already.
    pub fn with_shim(folder: &Path, shim: &Path) -> Self {
        let folder = folder.canonicalize().unwrap();
        let (root, side) = (folder.join("disk"), folder.join("undo"));
        fs::create_dir(&root).unwrap();
        fs::create_dir(&side).unwrap();
        let shim = shim.to_owned();
        Self { root, side, shim }
    }

    /// The folder whose content can be lost.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The compiled shim.
    pub fn shim(&self) -> &Path {
        &self.shim
    }

    /// What a program needs in its environment.
    pub fn environment(&self) -> [(&'static str, &OsStr); 3] {
        [
            ("LD_PRELOAD", self.shim.as_os_str()),
            ("SEALPOST_POWERLOSS_ROOT", self.root.as_os_str()),
            ("SEALPOST_POWERLOSS_SIDE", self.side.as_os_str()),
        ]
    }

    /// The state that a power loss leaves: what was changed since the last sync of its file or folder is taken back,
    /// also what earlier processes left unsynced. The programs must have ended. Returns how many changes were lost.
    pub fn lose_power(&self) -> usize {
        let journal = self.journal();
        let mut lost = 0;
        for change in journal.lost() {
            self.take_back(change);
            lost += 1;
        }
        remove_shared_indexes(&self.root);
        for entry in fs::read_dir(&self.side).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        lost
    }

    /// Whether the shim has seen bytes of this file change since the last power loss.
    pub fn has_seen(&self, path: &Path) -> bool {
        inode(path).is_some_and(|inode| self.journal().has_seen(inode))
    }

    fn journal(&self) -> Journal {
        let entries = fs::read_dir(&self.side).unwrap().map(|entry| entry.unwrap());
        let names = entries.map(|entry| entry.file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.starts_with("journal")).collect();
        names.sort();
        let processes: Vec<Vec<u8>> = names
            .iter()
            .map(|name| fs::read(self.side.join(name)).unwrap())
            .collect();
        Journal::read(processes.iter().map(Vec::as_slice))
    }

    fn kept(&self, inode: u64) -> PathBuf {
        self.side.join(format!("i{inode}"))
    }

    fn take_back(&self, change: &Change) {
        match change {
            Change::Bytes {
                inode,
                offset,
                old_length,
                old,
            } => {
                let file = OpenOptions::new().write(true).open(self.kept(*inode)).unwrap();
                file.write_all_at(old, *offset).unwrap();
                file.set_len(*old_length).unwrap();
            }
            Change::Created { inode: made, path, .. } => {
                if inode(path) == Some(*made) {
                    fs::remove_file(path).unwrap();
                }
            }
            Change::FolderMade { inode: made, path, .. } => {
                if inode(path) == Some(*made) {
                    fs::remove_dir_all(path).unwrap();
                }
            }
            Change::FolderRemoved { path, .. } => {
                if inode(path).is_none() && has_folder(path) {
                    fs::create_dir(path).unwrap();
                }
            }
            Change::Removed {
                inode: removed, path, ..
            } => self.name_again(*removed, path),
            Change::Renamed {
                inode: moved,
                replaced,
                from,
                to,
                ..
            } => {
                // A program that was killed before the rename itself has left the old name as it was.
                if inode(to) == Some(*moved) {
                    fs::remove_file(to).unwrap();
                    self.name_again(*moved, from);
                    if let Some(replaced) = replaced {
                        self.name_again(*replaced, to);
                    }
                }
            }
        }
    }

    fn name_again(&self, inode: u64, path: &Path) {
        if !path.exists() && has_folder(path) {
            fs::hard_link(self.kept(inode), path).unwrap();
        }
    }
}

fn has_folder(path: &Path) -> bool {
    path.parent().is_some_and(Path::is_dir)
}

fn inode(path: &Path) -> Option<u64> {
    fs::symlink_metadata(path).ok().map(|found| found.ino())
}

/// SQLite's shared index is mapped memory: it is gone, or of any content.
fn remove_shared_indexes(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            remove_shared_indexes(&path);
        } else if path.to_string_lossy().ends_with("-shm") {
            fs::remove_file(&path).unwrap();
        }
    }
}
