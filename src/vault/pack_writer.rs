//! The thread that writes content: takes what waits, one write and one sync per pack, then hands on to the keys.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender};

use tokio::sync::OwnedSemaphorePermit;

use super::content::{Kept, Prepared};
use super::day_pack::DayPack;
use super::failure::VaultFailure;
use super::job::{Answer, Job, Wraps, tell};
use super::pack::PackDay;

/// Bytes of one write; a single call may have more.
const GROUP_BYTES_MAX: usize = 8 << 20;
/// Packs that stay open: today's, and another day's around midnight.
const OPEN_PACKS_MAX: usize = 2;

/// A call that waits for its records to be written.
pub struct KeepJob {
    /// What to write.
    pub prepared: Prepared,
    /// Where the answer goes, once the keys are durable too.
    pub answer: Answer<Vec<Kept>>,
    /// The call's share of the memory for what waits.
    pub room: OwnedSemaphorePermit,
}

/// The writer's side of the packs.
pub struct PackWriter {
    folder: PathBuf,
    open: BTreeMap<PackDay, DayPack>,
    /// Content first, keys after: a wrap never names a record that is not on disk.
    keys: Sender<Job>,
}

impl PackWriter {
    /// Writes into `folder` and hands on to `keys`.
    pub const fn new(folder: PathBuf, keys: Sender<Job>) -> Self {
        Self {
            folder,
            open: BTreeMap::new(),
            keys,
        }
    }

    /// Works until all senders are gone.
    pub fn run(mut self, jobs: &Receiver<KeepJob>) {
        while let Ok(first) = jobs.recv() {
            let mut bytes = first.prepared.records.len();
            let mut group: BTreeMap<PackDay, Vec<KeepJob>> = BTreeMap::new();
            group.entry(first.prepared.day).or_default().push(first);
            while bytes < GROUP_BYTES_MAX {
                let Ok(next) = jobs.try_recv() else { break };
                bytes = bytes.saturating_add(next.prepared.records.len());
                group.entry(next.prepared.day).or_default().push(next);
            }
            for (day, jobs) in group {
                self.process(day, jobs);
            }
        }
    }

    fn process(&mut self, day: PackDay, jobs: Vec<KeepJob>) {
        match self.append(day, &jobs) {
            Ok((pack, offset)) => self.hand_on(jobs, &pack, offset),
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
        let records: Vec<&[u8]> = jobs.iter().map(|job| job.prepared.records.as_slice()).collect();
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

    fn hand_on(&self, jobs: Vec<KeepJob>, pack: &str, mut offset: u64) {
        for KeepJob { prepared, answer, room } in jobs {
            let wraps = Wraps {
                messages: prepared.messages,
                pack: pack.to_owned(),
                offset,
                kept: Vec::new(),
                answer,
                room,
            };
            offset = offset.saturating_add(prepared.records.len() as u64);
            if let Err(unsent) = self.keys.send(Job::Wraps(wraps)) {
                unsent.0.fail(&VaultFailure::Closed);
            }
        }
    }
}
