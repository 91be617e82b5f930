//! One pack that is being appended to: opened only when whole, left for good when a sync failed.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::failure::VaultFailure;
use super::master_key::sync_folder_of;
use super::pack::{self, MARK, PackDay};

/// A pack of this size gets a successor, in bytes: files stay of a size that can be copied and scanned.
const PACK_BYTES_MAX: u64 = 1 << 30;
/// The largest pack that is read through and appended to after a restart, in bytes; opening stays a matter of
/// milliseconds.
const REOPENED_BYTES_MAX: u64 = 32 << 20;

/// A pack that is being appended to. What is synced in it is never truncated or rewritten.
pub struct DayPack {
    day: PackDay,
    turn: u32,
    path: PathBuf,
    file: File,
    length: u64,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Its folder may not know its name after a power loss.
    Unnamed,
    /// Takes records.
    Open,
    /// What it holds at its end is unknown: nothing is appended to it again.
    Abandoned,
}

impl DayPack {
    /// Opens the last pack of a day when it is whole and small, else begins the one after it.
    ///
    /// A torn pack is left as it is: what was acknowledged in it lies before the torn record, and is read by offset.
    pub fn open(folder: &Path, day: PackDay) -> Result<Self, VaultFailure> {
        let mut turn = 0_u32;
        // Only the last one may be continued: those before it were left for a reason.
        while path_of(folder, day, turn.saturating_add(1)).exists() {
            turn = turn.saturating_add(1);
        }
        Self::open_from(folder, day, turn)
    }

    /// Begins the pack after this one.
    pub fn successor(&self, folder: &Path) -> Result<Self, VaultFailure> {
        Self::open_from(folder, self.day, self.turn.saturating_add(1))
    }

    fn open_from(folder: &Path, day: PackDay, first_turn: u32) -> Result<Self, VaultFailure> {
        let mut turn = first_turn;
        loop {
            if let Some(pack) = Self::try_open(folder, day, turn)? {
                return Ok(pack);
            }
            turn = turn.saturating_add(1);
        }
    }

    fn try_open(folder: &Path, day: PackDay, turn: u32) -> Result<Option<Self>, VaultFailure> {
        let path = path_of(folder, day, turn);
        let failed = |source| VaultFailure::io("opening", &path)(source);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length > REOPENED_BYTES_MAX {
            return Ok(None);
        }
        let mut held = Vec::new();
        (&file).take(length).read_to_end(&mut held).map_err(failed)?;
        if !pack::is_whole(&held) {
            tracing::warn!(
                pack.name = pack::pack_name(day, turn),
                "a pack has a torn end: it is left as it is, and another is begun"
            );
            return Ok(None);
        }
        file.seek(SeekFrom::Start(length)).map_err(failed)?;
        Ok(Some(Self {
            day,
            turn,
            path,
            file,
            length,
            standing: Standing::Unnamed,
        }))
    }

    /// The pack's name, as content references hold it.
    pub fn name(&self) -> String {
        pack::pack_name(self.day, self.turn)
    }

    /// Whether the next records belong into its successor.
    pub fn is_done(&self) -> bool {
        self.length >= PACK_BYTES_MAX || self.standing == Standing::Abandoned
    }

    /// Appends records with one write and one sync, durable when it returns. Returns where they begin, in bytes.
    ///
    /// # Errors
    /// None of the records counts then. After a failed sync the pack is done.
    pub fn append(&mut self, records: &[&[u8]]) -> Result<u64, VaultFailure> {
        let mark: &[u8] = if self.length == 0 { MARK } else { &[] };
        // One buffer and one write: many small ones cost more than the copy.
        let bytes = std::iter::once(mark)
            .chain(records.iter().copied())
            .collect::<Vec<_>>()
            .concat();
        let offset = self.length.saturating_add(mark.len() as u64);
        let written = self.file.write_all(&bytes);
        if let Err(source) = written {
            self.back_out();
            return Err(VaultFailure::io("writing", &self.path)(source));
        }
        self.sync().inspect_err(|_| self.standing = Standing::Abandoned)?;
        self.length = self.length.saturating_add(bytes.len() as u64);
        Ok(offset)
    }

    /// A failed sync is never tried again: the kernel drops the pages that it could not write, and says so only once.
    fn sync(&mut self) -> Result<(), VaultFailure> {
        self.file.sync_data().map_err(VaultFailure::io("syncing", &self.path))?;
        if self.standing == Standing::Unnamed {
            sync_folder_of(&self.path)?;
            self.standing = Standing::Open;
        }
        Ok(())
    }

    /// After a write that failed half-way, as on a full disk: takes the half back. No sync has seen it.
    fn back_out(&mut self) {
        let back = self
            .file
            .set_len(self.length)
            .and_then(|()| self.file.seek(SeekFrom::Start(self.length)));
        if back.is_err() {
            self.standing = Standing::Abandoned;
        }
    }
}

fn path_of(folder: &Path, day: PackDay, turn: u32) -> PathBuf {
    path_of_name(folder, &pack::pack_name(day, turn))
}

/// The file of a pack.
pub fn path_of_name(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.pack"))
}
