//! The thread that writes content: takes what waits, one write and one sync per pack, then the answers.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use tokio::sync::OwnedSemaphorePermit;

use super::day_pack::DayPack;
use super::failure::VaultFailure;
use super::job::{Answer, tell};
use super::pack::PackDay;

/// Bytes of one write; a single call may have more.
const GROUP_BYTES_MAX: usize = 8 << 20;
/// Packs that stay open: today's, and another day's around midnight.
const OPEN_PACKS_MAX: usize = 2;

/// A call that waits for its records to be written.
pub struct KeepJob {
    /// The day whose pack takes it.
    pub day: PackDay,
    /// The records of all its parts.
    pub records: Vec<u8>,
    /// Where the answer goes.
    pub answer: Answer<Place>,
    /// The call's share of the memory for what waits, given back with the answer.
    pub room: OwnedSemaphorePermit,
}

/// Where a call's records begin.
pub struct Place {
    /// The pack.
    pub pack: String,
    /// In bytes from its beginning.
    pub offset: u64,
}

/// The writer's side of the packs.
pub struct PackWriter {
    folder: PathBuf,
    open: BTreeMap<PackDay, DayPack>,
}

impl PackWriter {
    /// Writes into `folder`.
    pub const fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            open: BTreeMap::new(),
        }
    }

    /// Works until all senders are gone.
    pub fn run(mut self, jobs: &Receiver<KeepJob>) {
        while let Ok(first) = jobs.recv() {
            let mut bytes = first.records.len();
            let mut group: BTreeMap<PackDay, Vec<KeepJob>> = BTreeMap::new();
            group.entry(first.day).or_default().push(first);
            while bytes < GROUP_BYTES_MAX {
                let Ok(next) = jobs.try_recv() else { break };
                bytes = bytes.saturating_add(next.records.len());
                group.entry(next.day).or_default().push(next);
            }
            for (day, jobs) in group {
                self.process(day, jobs);
            }
        }
    }

    fn process(&mut self, day: PackDay, jobs: Vec<KeepJob>) {
        match self.append(day, &jobs) {
            Ok((pack, mut offset)) => {
                for KeepJob {
                    records, answer, room, ..
                } in jobs
                {
                    let pack = pack.clone();
                    tell(answer, Ok(Place { pack, offset }));
                    offset = offset.saturating_add(records.len() as u64);
                    drop(room);
                }
            }
            Err(failure) => {
                tracing::error!(error = %failure, source = ?failure.source(), jobs = jobs.len(), "a group of content was not written");
                for job in jobs {
                    tell(job.answer, Err(failure.clone()));
                }
            }
        }
    }

    fn append(&mut self, day: PackDay, jobs: &[KeepJob]) -> Result<(String, u64), VaultFailure> {
        let pack = self.pack_of(day)?;
        let records: Vec<&[u8]> = jobs.iter().map(|job| job.records.as_slice()).collect();
        let offset = pack.append(&records)?;
        Ok((pack.name(), offset))
    }

    /// The pack that takes this day's records now.
    fn pack_of(&mut self, day: PackDay) -> Result<&mut DayPack, VaultFailure> {
        let next = match self.open.get(&day) {
            Some(pack) if !pack.is_done() => None,
            Some(pack) => Some(pack.successor(&self.folder)?),
            None => Some(DayPack::open(&self.folder, day)?),
        };
        if let Some(pack) = next {
            self.open.insert(day, pack);
            if self.open.len() > OPEN_PACKS_MAX {
                // The oldest day goes, unless it is the one that is asked for.
                let oldest = self.open.keys().copied().find(|open| *open != day);
                oldest.and_then(|oldest| self.open.remove(&oldest));
            }
        }
        self.open.get_mut(&day).ok_or(VaultFailure::Closed)
    }
}
