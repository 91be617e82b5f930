//! Plans one round: checks each request against the streams as they will be, gives places, computes leaves. A request
//! that does not fit fails alone; nothing of it is in the round.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sealpost_domain::ids::AccountId;
use sealpost_domain::{Instant, StreamId, limits};

use crate::proof::{self, CanonicalEvent};

use super::append::{AppendFailure, Appended, Expected, IdempotencyAnswer, IdempotencyRow, OnConflict};
use super::failure::LogFailure;
use super::sealed::{SealedRequest, SealedRow};
use super::store::{Head, Store};

/// The shard of this log: an embedded installation has one.
pub const SHARD: u16 = 0;

/// What one transaction records.
#[derive(Debug)]
pub struct Round {
    /// Epoch of all rows.
    pub epoch: u64,
    /// Time of all rows.
    pub recorded_at: Instant,
    /// The rows, positions rising by one.
    pub rows: Vec<PlacedRow>,
    /// What is kept for repeats.
    pub idempotency: Vec<Arc<IdempotencyRow>>,
}

/// A row with its places.
#[derive(Debug)]
pub struct PlacedRow {
    /// Place in the shard.
    pub position: u64,
    /// Place in the stream.
    pub sequence: u64,
    /// Place in the account's sequence.
    pub account_seq: Option<u64>,
    /// Merkle leaf over the canonical text.
    pub leaf: [u8; 32],
    /// What is stored.
    pub row: SealedRow,
}

/// What the plan says to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is in the round: this is the answer once the round is on disk.
    Placed(Appended),
    /// It is not in the round.
    Refused(AppendFailure),
    /// It is not in the round, and that was decided on rows of the round: it holds once they are on disk.
    RefusedByRound(AppendFailure),
}

/// Whether a refusal rests on what is on disk or on the round.
type Basis = fn(AppendFailure) -> Verdict;

/// A round in the making, over the store as it is.
#[derive(Debug)]
pub(super) struct Plan {
    /// What will be committed.
    pub(super) round: Round,
    next_position: u64,
    streams: BTreeMap<StreamId, u64>,
    accounts: BTreeMap<AccountId, u64>,
    answers: BTreeMap<(AccountId, [u8; 32]), IdempotencyAnswer>,
    names: BTreeSet<String>,
    size_bytes: usize,
}

impl Plan {
    /// An empty round behind `head`. The time never falls: a host's clock may.
    pub(super) fn behind(head: &Head, now: Instant) -> Self {
        Self {
            round: Round {
                epoch: head.epoch,
                recorded_at: now.max(head.recorded_at),
                rows: Vec::new(),
                idempotency: Vec::new(),
            },
            next_position: head.position.saturating_add(1),
            streams: BTreeMap::new(),
            accounts: BTreeMap::new(),
            answers: BTreeMap::new(),
            names: BTreeSet::new(),
            size_bytes: 0,
        }
    }

    /// Whether there is nothing to commit.
    pub(super) fn is_empty(&self) -> bool {
        self.round.rows.is_empty()
    }

    /// Whether the round is as large as it may get.
    pub(super) fn is_full(&self) -> bool {
        let reached = |value: usize, limit: u64| u64::try_from(value).is_ok_and(|value| value >= limit);
        reached(self.round.rows.len(), limits::ROUND_ROWS_MAX) || reached(self.size_bytes, limits::ROUND_BYTES_MAX)
    }

    /// The end of the log when the round is on disk.
    pub(super) fn head(&self) -> Head {
        Head {
            position: self.next_position.saturating_sub(1),
            epoch: self.round.epoch,
            recorded_at: self.round.recorded_at,
        }
    }

    /// Takes a request in, or says why not. A failed one poisons its generation at once, so that a later request of the
    /// same round cannot land.
    ///
    /// # Errors
    /// The store did not answer.
    pub(super) fn place(&mut self, request: SealedRequest, store: &mut dyn Store) -> Result<Verdict, LogFailure> {
        if let Some(row) = &request.idempotency
            && let Some(answer) = self.repeated(row, store)?
        {
            return Ok(answer);
        }
        if request
            .generation
            .as_ref()
            .is_some_and(|generation| generation.is_stale())
        {
            return Ok(Verdict::Refused(AppendFailure::StaleGeneration));
        }
        match self.check(&request, store)? {
            Ok(sequences) => self.enter(request, sequences, store).map(Verdict::Placed),
            Err((stream, basis)) => {
                if let (OnConflict::FailGeneration, Some(generation)) = (request.on_conflict, &request.generation) {
                    generation.poison();
                }
                Ok(basis(AppendFailure::Conflict { stream }))
            }
        }
    }

    /// The answer to a repeat, when this is one.
    fn repeated(&self, row: &IdempotencyRow, store: &mut dyn Store) -> Result<Option<Verdict>, LogFailure> {
        let (known, basis) = match self.answers.get(&(row.account, row.key_hash)) {
            Some(answer) => (Some(answer.clone()), Verdict::RefusedByRound as Basis),
            None => (
                store.idempotency(row.account, &row.key_hash)?,
                Verdict::Refused as Basis,
            ),
        };
        Ok(known
            .filter(|answer| answer.expires_at > self.round.recorded_at)
            .map(|answer| {
                basis(if answer.digest == row.digest {
                    AppendFailure::IdempotencyRepeat(answer)
                } else {
                    AppendFailure::IdempotencyMismatch
                })
            }))
    }

    /// The sequence of each row, or the stream that holds other events than expected and what says so.
    fn check(
        &self,
        request: &SealedRequest,
        store: &mut dyn Store,
    ) -> Result<Result<Vec<u64>, (StreamId, Basis)>, LogFailure> {
        let mut own: BTreeMap<&StreamId, u64> = BTreeMap::new();
        let mut sequences = Vec::with_capacity(request.rows.len());
        for row in &request.rows {
            let placed = self.streams.get(&row.stream);
            let there = match own.get(&row.stream).or(placed) {
                Some(there) => *there,
                None => store.stream_head(&row.stream)?,
            };
            let fits = match row.expected {
                Expected::Sequence(expected) => expected == there,
                Expected::Next => true,
            };
            let taken_in_round = row.name().is_some_and(|name| self.names.contains(name));
            let taken = match &row.index {
                Some(change) => taken_in_round || store.is_taken(change)?,
                None => false,
            };
            if !fits || taken {
                let by_round = placed.is_some() || taken_in_round;
                let basis: Basis = if by_round {
                    Verdict::RefusedByRound
                } else {
                    Verdict::Refused
                };
                return Ok(Err((row.stream.clone(), basis)));
            }
            let sequence = there.saturating_add(1);
            own.insert(&row.stream, sequence);
            sequences.push(sequence);
        }
        Ok(Ok(sequences))
    }

    fn enter(
        &mut self,
        request: SealedRequest,
        sequences: Vec<u64>,
        store: &mut dyn Store,
    ) -> Result<Appended, LogFailure> {
        let first_position = self.next_position;
        for (row, sequence) in request.rows.into_iter().zip(&sequences) {
            let account_seq = match row.account {
                Some(account) => Some(self.next_of(account, store)?),
                None => None,
            };
            self.streams.insert(row.stream.clone(), *sequence);
            if let Some(name) = row.name() {
                self.names.insert(name.to_owned());
            }
            self.size_bytes = self.size_bytes.saturating_add(row.size_bytes());
            let leaf = self.leaf(&row, *sequence, account_seq);
            self.round.rows.push(PlacedRow {
                position: self.next_position,
                sequence: *sequence,
                account_seq,
                leaf,
                row,
            });
            self.next_position = self.next_position.saturating_add(1);
        }
        if let Some(row) = request.idempotency {
            let answer = IdempotencyAnswer {
                digest: row.digest,
                answer: row.answer.clone(),
                expires_at: row.expires_at,
            };
            self.answers.insert((row.account, row.key_hash), answer);
            self.round.idempotency.push(row);
        }
        Ok(Appended {
            first_position,
            last_position: self.next_position.saturating_sub(1),
            sequences,
            recorded_at: self.round.recorded_at,
        })
    }

    fn next_of(&mut self, account: AccountId, store: &mut dyn Store) -> Result<u64, LogFailure> {
        let there = match self.accounts.get(&account) {
            Some(there) => *there,
            None => store.account_head(account)?,
        };
        let next = there.saturating_add(1);
        self.accounts.insert(account, next);
        Ok(next)
    }

    fn leaf(&self, row: &SealedRow, sequence: u64, account_seq: Option<u64>) -> [u8; 32] {
        let account = row.account.map(|account| account.to_string());
        let text = proof::canonical(&CanonicalEvent {
            shard: SHARD,
            position: self.next_position,
            account: account.as_deref(),
            account_seq,
            stream_type: row.stream.stream_type.as_str(),
            stream_id: &row.stream.id,
            sequence,
            version: &row.event_version,
            event_type: &row.event_type,
            payload: &row.payload,
            metadata: &row.metadata,
            recorded_at_ms: self.round.recorded_at.as_millis(),
            epoch: self.round.epoch,
        });
        proof::leaf(text.as_bytes())
    }
}
