//! What follows a round that the store refused though it looked good: each request is tried alone, so that only the
//! guilty one fails, and with it what was decided on it.

use std::collections::VecDeque;

use super::append::{AppendFailure, OnConflict};
use super::failure::LogFailure;
use super::generation::Generation;
use super::round::{Plan, Verdict};
use super::sealed::{SealedRequest, SealedRow};
use super::writer::{Held, Writer};

impl Writer {
    /// Takes a refused round apart.
    pub(super) fn try_each_alone(&mut self, plan: Plan, held: Vec<Held>) {
        let mut rows = plan.round.rows.into_iter().map(|placed| placed.row);
        let mut waiting: VecDeque<Held> = held.into();
        let mut failed: Vec<Generation> = Vec::new();
        while let Some(mut one) = waiting.pop_front() {
            let Verdict::Placed(appended) = &one.verdict else {
                one.settle_after_failure(false, AppendFailure::Unavailable);
                continue;
            };
            let own_rows = rows.by_ref().take(appended.sequences.len()).collect();
            one.verdict = match self.try_alone(&one, own_rows, &failed) {
                Ok(verdict) => verdict,
                Err(failure) => {
                    waiting.push_front(one);
                    return self.fail_stop(waiting.into(), &failure);
                }
            };
            if let (Verdict::Refused(_), OnConflict::FailGeneration, Some(generation)) =
                (&one.verdict, one.on_conflict, &one.generation)
            {
                generation.poison();
                failed.push(generation.clone());
            }
            self.shared.tail.advance(self.head.position);
            one.settle();
        }
    }

    /// One request as a round of its own. Its generation counts as stale only when one before it failed in this trial:
    /// it may have been poisoned since by one that was handed over later.
    fn try_alone(&mut self, one: &Held, rows: Vec<SealedRow>, failed: &[Generation]) -> Result<Verdict, LogFailure> {
        let stale = |generation: &Generation| failed.iter().any(|other| other.is(generation));
        if one.generation.as_ref().is_some_and(stale) {
            return Ok(Verdict::Refused(AppendFailure::StaleGeneration));
        }
        let stream = rows.first().map(|row| row.stream.clone());
        let request = SealedRequest {
            rows,
            generation: None,
            idempotency: one.idempotency.clone(),
            on_conflict: one.on_conflict,
        };
        let mut plan = Plan::behind(&self.head, self.shared.clock.now());
        let verdict = plan.place(request, self.store.as_mut())?;
        if plan.is_empty() {
            return Ok(verdict);
        }
        match (self.commit(&plan), stream) {
            (Ok(()), _) => Ok(verdict),
            (Err(LogFailure::Refused { .. }), Some(stream)) => Ok(Verdict::Refused(AppendFailure::Conflict { stream })),
            (Err(failure), _) => Err(failure),
        }
    }
}
