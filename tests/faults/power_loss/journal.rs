//! Reads the undo journal of the shim.

use std::collections::HashMap;
use std::path::PathBuf;

/// One change that may have to be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Bytes of a file were overwritten, added or cut off.
    Bytes {
        inode: u64,
        offset: u64,
        old_length: u64,
        old: Vec<u8>,
    },
    /// A file was made.
    Created { folder: u64, inode: u64, path: PathBuf },
    /// A folder was made.
    FolderMade { folder: u64, inode: u64, path: PathBuf },
    /// A folder was removed.
    FolderRemoved { folder: u64, path: PathBuf },
    /// A file's name was removed.
    Removed { folder: u64, inode: u64, path: PathBuf },
    /// A file was renamed, perhaps over another one.
    Renamed {
        folders: [u64; 2],
        inode: u64,
        replaced: Option<u64>,
        from: PathBuf,
        to: PathBuf,
    },
}

impl Change {
    /// The files and folders whose syncs make this change durable; all are needed.
    fn rests_on(&self) -> Vec<u64> {
        match self {
            Self::Bytes { inode, .. } => vec![*inode],
            Self::Renamed { folders, .. } => folders.to_vec(),
            Self::Created { folder, .. }
            | Self::FolderMade { folder, .. }
            | Self::FolderRemoved { folder, .. }
            | Self::Removed { folder, .. } => vec![*folder],
        }
    }
}

/// The journal, read.
#[derive(Debug, Default)]
pub struct Journal {
    /// All changes with their places.
    changes: Vec<(usize, Change)>,
    /// By inode: what was changed before this place is durable.
    durable_before: HashMap<u64, usize>,
}

impl Journal {
    /// Reads a journal. A torn record at its end announces a change that was never made.
    pub fn read(bytes: &[u8]) -> Self {
        let mut journal = Self::default();
        let mut begun: HashMap<String, usize> = HashMap::new();
        let mut rest = bytes;
        let mut place = 0;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = std::str::from_utf8(&rest[..end]).unwrap();
            rest = &rest[end + 1..];
            let (kind, line) = line.split_once(' ').unwrap();
            match kind {
                "B" => drop(begun.insert(line.to_owned(), place)),
                "S" => {
                    let (inode, token) = line.split_once(' ').unwrap();
                    let before = journal.durable_before.entry(number(inode)).or_default();
                    *before = (*before).max(begun[token]);
                }
                "W" => {
                    let fields: Vec<u64> = line.split(' ').map(number).collect();
                    let count = usize::try_from(fields[3]).unwrap();
                    if rest.len() <= count {
                        break;
                    }
                    let old = rest[..count].to_vec();
                    assert_eq!(rest[count], b'\n', "a record at {place} is not in its form");
                    rest = &rest[count + 1..];
                    journal.changes.push((
                        place,
                        Change::Bytes {
                            inode: fields[0],
                            offset: fields[1],
                            old_length: fields[2],
                            old,
                        },
                    ));
                }
                _ => journal.changes.push((place, name_change(kind, line))),
            }
            place += 1;
        }
        journal
    }

    /// What no sync has covered, latest first.
    pub fn lost(&self) -> impl Iterator<Item = &Change> {
        let durable = |place: usize, inode: u64| self.durable_before.get(&inode).is_some_and(|before| place < *before);
        self.changes
            .iter()
            .rev()
            .filter(move |(place, change)| !change.rests_on().into_iter().all(|inode| durable(*place, inode)))
            .map(|(_, change)| change)
    }

    /// Whether bytes of this file were changed.
    pub fn has_seen(&self, file: u64) -> bool {
        self.changes
            .iter()
            .any(|(_, change)| matches!(change, Change::Bytes { inode, .. } if *inode == file))
    }
}

fn name_change(kind: &str, line: &str) -> Change {
    let word = |n: usize| number(line.splitn(n + 2, ' ').nth(n).unwrap());
    let path = |n: usize| line.splitn(n + 1, ' ').nth(n).unwrap();
    match kind {
        "C" => Change::Created {
            folder: word(0),
            inode: word(1),
            path: path(2).into(),
        },
        "D" => Change::FolderMade {
            folder: word(0),
            inode: word(1),
            path: path(2).into(),
        },
        "X" => Change::FolderRemoved {
            folder: word(0),
            path: path(1).into(),
        },
        "U" => Change::Removed {
            folder: word(0),
            inode: word(1),
            path: path(2).into(),
        },
        "R" => {
            let (from, to) = path(4).split_once('\t').unwrap();
            Change::Renamed {
                folders: [word(0), word(1)],
                inode: word(2),
                replaced: Some(word(3)).filter(|inode| *inode != 0),
                from: from.into(),
                to: to.into(),
            }
        }
        other => panic!("no record is of the kind {other}: {line}"),
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}
