//! The thread that writes `keys.db`: takes what waits, one synced transaction, then the answers.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use rusqlite::{Connection, TransactionBehavior};

use sealpost_domain::ids::DataKeyId;

use super::content::wrap_bound;
use super::data_key::{DataKey, ScopeBytes};
use super::failure::VaultFailure;
use super::job::{Destroyed, Job, Wraps};
use super::keyring::Keyring;
use super::keys_db::{self, Checkpoint, StoredKey};
use crate::write_ahead_log;

/// Rows of one transaction; a single job may have more.
const GROUP_ROWS_MAX: usize = 2_000;
/// Rows after which the write-ahead log is carried over into the database. A row touches up to three pages of 4 KiB.
/// Its file is then written again from its start and does not grow, which makes each sync cheaper.
const CHECKPOINT_ROWS: usize = 4_000;

/// The writer's side of `keys.db`.
pub struct Writer {
    path: PathBuf,
    keyring: Arc<Keyring>,
    /// `None` after a failure: it is opened anew, so that nothing of the failed transaction is in its memory.
    db: Option<Connection>,
    rows_since_checkpoint: usize,
}

/// What one transaction does to the keys, to be remembered once it is durable.
#[derive(Default)]
struct Round {
    drawn: HashMap<ScopeBytes, Arc<DataKey>>,
    destroyed: HashSet<DataKeyId>,
}

impl Writer {
    /// Takes over an open database.
    pub fn new(path: &Path, keyring: Arc<Keyring>, db: Connection) -> Self {
        Self {
            path: path.to_owned(),
            keyring,
            db: Some(db),
            rows_since_checkpoint: 0,
        }
    }

    /// Works until all senders are gone.
    pub fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut rows = first.rows();
            let mut group = vec![first];
            while rows < GROUP_ROWS_MAX {
                let Ok(next) = jobs.try_recv() else { break };
                rows = rows.saturating_add(next.rows());
                group.push(next);
            }
            self.process(group);
            self.rows_since_checkpoint = self.rows_since_checkpoint.saturating_add(rows);
            self.checkpoint_when_due();
        }
    }

    fn process(&mut self, mut group: Vec<Job>) {
        match self.commit(&mut group) {
            Ok(round) => {
                round.make_known(&self.keyring);
                let scrubbed = self.scrub_after(&group);
                for job in group {
                    match (&job, &scrubbed) {
                        (Job::Destroy(_), Err(failure)) => job.fail(failure),
                        _ => job.succeed(),
                    }
                }
            }
            Err(failure) if failure.is_of_one_job() && group.len() > 1 => {
                // One of them is to blame: each for itself, so that only that one fails.
                group.into_iter().for_each(|job| self.process(vec![job]));
            }
            Err(failure) => {
                tracing::error!(error = %failure, source = ?failure.source(), jobs = group.len(), "a group of the vault was not written");
                self.abandon();
                group.into_iter().for_each(|job| job.fail(&failure));
            }
        }
    }

    fn commit(&mut self, group: &mut [Job]) -> Result<Round, VaultFailure> {
        if self.db.is_none() {
            self.db = Some(keys_db::open_writer(&self.path)?);
        }
        let db = self.db.as_mut().ok_or(VaultFailure::Closed)?;
        let transaction = db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(VaultFailure::db("beginning"))?;
        let mut round = Round::default();
        for job in group {
            match job {
                Job::Keys(keys) => {
                    keys.ids.clear();
                    for scope in &keys.scopes {
                        let key = round.key_of(&self.keyring, &transaction, scope.to_bytes())?;
                        keys.ids.push(key.id);
                    }
                }
                Job::Wraps(wraps) => round.wrap(&self.keyring, &transaction, wraps)?,
                Job::Destroy(destroy) => match destroy.what {
                    Destroyed::Key(id) => {
                        keys_db::delete_key(&transaction, id)?;
                        round.drawn.retain(|_, key| key.id != id);
                        round.destroyed.insert(id);
                    }
                    Destroyed::Content(message) => keys_db::delete_wrap(&transaction, message)?,
                },
            }
        }
        transaction.commit().map_err(VaultFailure::db("committing"))?;
        Ok(round)
    }

    /// What the connection believes after a failure is not believed, and it carries nothing over when it closes: that is
    /// for the next one, once the write-ahead log is on disk.
    fn abandon(&mut self) {
        if let Some(db) = self.db.take()
            && let Err(failure) = write_ahead_log::leave_on_close(&db)
        {
            tracing::warn!(error = %failure, "a failed connection to keys.db may carry its write-ahead log over");
        }
    }

    /// What was destroyed is overwritten in the database; its pages also lie in the write-ahead log, which is emptied.
    fn scrub_after(&self, group: &[Job]) -> Result<(), VaultFailure> {
        match &self.db {
            Some(db) if group.iter().any(|job| matches!(job, Job::Destroy(_))) => {
                keys_db::checkpoint(db, Checkpoint::Truncate)
            }
            _ => Ok(()),
        }
    }

    /// Done between groups, so that nobody's commit pays for it.
    fn checkpoint_when_due(&mut self) {
        let due = self.rows_since_checkpoint >= CHECKPOINT_ROWS;
        let Some(db) = self.db.as_ref().filter(|_| due) else {
            return;
        };
        self.rows_since_checkpoint = 0;
        if let Err(failure) = keys_db::checkpoint(db, Checkpoint::Passive) {
            tracing::error!(error = %failure, source = ?failure.source(), "the write-ahead log of the vault was not carried over");
            self.db = None;
        }
    }
}

impl Round {
    /// The key of a scope: from memory, from this round, from the database, or drawn.
    fn key_of(&mut self, keyring: &Keyring, db: &Connection, scope: ScopeBytes) -> Result<Arc<DataKey>, VaultFailure> {
        let remembered = keyring.remembered(&scope);
        if let Some(key) = remembered.filter(|key| !self.destroyed.contains(&key.id)) {
            return Ok(key);
        }
        if let Some(key) = self.drawn.get(&scope) {
            return Ok(Arc::clone(key));
        }
        let key = match keys_db::key_by_scope(db, &scope)? {
            Some(stored) => keyring.unwrap(stored)?,
            None => {
                let key = DataKey::draw(scope.clone())?;
                let stored = StoredKey {
                    id: key.id,
                    scope: scope.clone(),
                    wrapped: key.wrap(keyring.master())?,
                };
                keys_db::insert_key(db, &stored)?;
                Arc::new(key)
            }
        };
        self.drawn.insert(scope, Arc::clone(&key));
        Ok(key)
    }

    /// Wraps the part keys of each message under its recipient's key.
    fn wrap(&mut self, keyring: &Keyring, db: &Connection, wraps: &mut Wraps) -> Result<(), VaultFailure> {
        wraps.keys.clear();
        for message in &wraps.messages {
            let key = self.key_of(keyring, db, message.scope.to_bytes())?;
            let bound = wrap_bound(key.id, message.message, message.parts.iter().map(|part| part.part));
            let boxed = key
                .message_key(message.message)?
                .seal(&bound, &message.part_secrets())?;
            keys_db::insert_wrap(db, message.message, key.id, &boxed)?;
            wraps.keys.push(key.id);
        }
        Ok(())
    }

    /// Tells the keyring what is durable now.
    fn make_known(self, keyring: &Keyring) {
        keyring.admit(self.drawn.into_values());
        for id in self.destroyed {
            keyring.forget(id);
        }
    }
}
