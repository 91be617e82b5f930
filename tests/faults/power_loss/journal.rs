//! Reads the undo journals of the shim.

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

/// The journals of all processes, read.
#[derive(Debug, Default)]
pub struct Journal {
    /// All changes in their order.
    changes: Vec<Change>,
    /// By inode: of the changes before this place, those of this file or folder are durable.
    durable_before: HashMap<u64, usize>,
}

impl Journal {
    /// Reads the journals of several processes, in their order.
    pub fn read<'a>(processes: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut journal = Self::default();
        for bytes in processes {
            journal.append(bytes);
        }
        journal
    }

    /// A torn record at the end announces a change that was never made.
    fn append(&mut self, bytes: &[u8]) {
        let mut begun: HashMap<u64, usize> = HashMap::new();
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = std::str::from_utf8(&rest[..end]).unwrap();
            rest = &rest[end + 1..];
            let (kind, line) = line.split_once(' ').unwrap();
            let place = self.changes.len();
            match kind {
                "B" => begun.extend([(number(line), place)]),
                "S" => {
                    let (inode, token) = line.split_once(' ').unwrap();
                    let before = self.durable_before.entry(number(inode)).or_default();
                    *before = (*before).max(begun[&number(token)]);
                }
                "W" => {
                    let fields: Vec<u64> = line.split(' ').map(number).collect();
                    let count = usize::try_from(fields[3]).unwrap();
                    if rest.len() <= count {
                        return;
                    }
                    let old = rest[..count].to_vec();
                    assert_eq!(rest[count], b'\n', "a record is not in its form: {line}");
                    rest = &rest[count + 1..];
                    self.changes.push(Change::Bytes {
                        inode: fields[0],
                        offset: fields[1],
                        old_length: fields[2],
                        old,
                    });
                }
                _ => self.changes.push(name_change(kind, line)),
            }
        }
    }

    /// What no sync has covered, latest first.
    pub fn lost(&self) -> impl Iterator<Item = &Change> {
        let durable = |place: usize, inode: u64| self.durable_before.get(&inode).is_some_and(|before| place < *before);
        let lost = move |(place, change): &(usize, &Change)| {
            !change.rests_on().into_iter().all(|inode| durable(*place, inode))
        };
        self.changes
            .iter()
            .enumerate()
            .rev()
            .filter(lost)
            .map(|(_, change)| change)
    }

    /// Whether bytes of this file were changed.
    pub fn has_seen(&self, file: u64) -> bool {
        let changed = |change: &Change| matches!(change, Change::Bytes { inode, .. } if *inode == file);
        self.changes.iter().any(changed)
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
