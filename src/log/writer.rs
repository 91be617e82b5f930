//! The one thread that writes: takes what waits, plans a round, commits it, answers, moves the head.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use sealpost_domain::ids::EventId;
use sealpost_domain::limits;

use crate::clock::Clock;
use crate::vault::Vault;

use super::append::{AppendFailure, Appended, IdempotencyRow, Lane, OnConflict, Reply};
use super::failure::LogFailure;
use super::generation::{Generation, Generations};
use super::lanes::{Lanes, Request, Wake};
use super::round::{Plan, Verdict};
use super::sealed;
use super::state::{Door, LogState};
use super::store::{Head, Load, Store};
use super::tail::Tail;

/// How long the writer waits for requests until it looks after the store.
const IDLE: Duration = Duration::from_secs(1);

/// What the writer shares with the log's handles.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) lanes: Arc<Lanes>,
    pub(super) door: Door,
    pub(super) tail: Tail,
    pub(super) generations: Generations,
    pub(super) vault: Vault,
    pub(super) clock: Arc<dyn Clock>,
}

/// The writer.
pub(super) struct Writer {
    pub(super) store: Box<dyn Store>,
    pub(super) shared: Shared,
    pub(super) node: String,
    pub(super) disk_mark_bytes: u64,
    pub(super) head: Head,
    pub(super) taken: VecDeque<Request>,
}

/// A request between its place in a round and its answer. Its lane holds the outcome's slot until then.
pub(super) struct Held {
    pub(super) reply: Reply,
    pub(super) verdict: Verdict,
    pub(super) first_event: Option<EventId>,
    pub(super) generation: Option<Generation>,
    pub(super) on_conflict: OnConflict,
    pub(super) idempotency: Option<Arc<IdempotencyRow>>,
    _lane: Lane,
}

impl Held {
    fn answer(self, answer: Result<Appended, AppendFailure>) {
        self.reply.send(answer);
    }

    /// The round is on disk, or there was nothing to write: what was said to the request holds.
    pub(super) fn settle(self) {
        let answer = match &self.verdict {
            Verdict::Placed(appended) => Ok(appended.clone()),
            Verdict::Refused(failure) | Verdict::RefusedByRound(failure) => Err(failure.clone()),
        };
        self.answer(answer);
    }

    /// The round failed: `present` is whether the request is on record all the same. A refusal that was decided on rows
    /// of the round is not repeated, since those rows may never come true.
    pub(super) fn settle_after_failure(self, present: bool, otherwise: AppendFailure) {
        let answer = match &self.verdict {
            Verdict::Placed(appended) if present => Ok(appended.clone()),
            Verdict::Placed(_) => Err(otherwise),
            Verdict::Refused(failure) => Err(failure.clone()),
            Verdict::RefusedByRound(_) => Err(AppendFailure::Unavailable),
        };
        self.answer(answer);
    }
}

impl Writer {
    /// Serves until the lanes are closed and empty.
    pub(super) fn run(mut self) {
        loop {
            match self.shared.lanes.wait(IDLE) {
                Wake::Closed => break,
                Wake::Quiet => self.look_after(Load::Idle),
                Wake::Work => {
                    self.watch_disk();
                    self.serve();
                    let load = if self.shared.lanes.is_empty() {
                        Load::Quiet
                    } else {
                        Load::Busy
                    };
                    self.look_after(load);
                }
            }
        }
        self.look_after(Load::Idle);
    }

    fn serve(&mut self) {
        let rows_max = usize::try_from(limits::ROUND_ROWS_MAX).unwrap_or(usize::MAX);
        self.taken = self.shared.lanes.take(rows_max);
        metrics::gauge!("sealpost_log_new_mail_waiting_rows").set(count(self.shared.lanes.new_mail_rows()));
        while !self.taken.is_empty() {
            self.round();
        }
    }

    /// One transaction: as many of the taken requests as fit.
    fn round(&mut self) {
        let mut plan = Plan::behind(&self.head, self.shared.clock.now());
        let mut held = Vec::with_capacity(self.taken.len());
        while !plan.is_full()
            && let Some(request) = self.taken.pop_front()
        {
            match self.place(request, &mut plan) {
                (one, Ok(())) => held.push(one),
                (one, Err(failure)) => {
                    held.push(one);
                    return self.fail_stop(held, &failure);
                }
            }
        }
        if plan.is_empty() {
            return held.into_iter().for_each(Held::settle);
        }
        match self.commit(&plan) {
            Ok(()) => {
                // The head first: whoever has an answer finds its rows behind the head.
                self.shared.tail.advance(self.head.position);
                held.into_iter().for_each(Held::settle);
            }
            Err(LogFailure::Refused { doing, source }) => {
                tracing::warn!(doing, error = %source, "log.round_refused");
                self.try_each_alone(plan, held);
            }
            Err(failure) => self.fail_stop(held, &failure),
        }
    }

    fn place(&mut self, request: Request, plan: &mut Plan) -> (Held, Result<(), LogFailure>) {
        let Request { append, reply } = request;
        let mut held = Held {
            reply,
            verdict: Verdict::Refused(AppendFailure::Unavailable),
            first_event: append.rows.first().map(|row| row.event_id),
            generation: append.generation.clone(),
            on_conflict: append.on_conflict,
            idempotency: None,
            _lane: append.lane.clone(),
        };
        let (request, sealing) = sealed::seal(append, &self.shared.vault);
        held.idempotency.clone_from(&request.idempotency);
        let placed = match sealing {
            Ok(()) => plan.place(request, self.store.as_mut()),
            Err(failure) => Ok(Verdict::Refused(failure)),
        };
        match placed {
            Ok(verdict) => {
                count_verdict(&verdict);
                held.verdict = verdict;
                (held, Ok(()))
            }
            Err(failure) => (held, Err(failure)),
        }
    }

    /// Commits a plan and moves the writer's own head; the tail is the caller's, after the answers.
    pub(super) fn commit(&mut self, plan: &Plan) -> Result<(), LogFailure> {
        let begun = Moment::now();
        self.store.commit(&plan.round)?;
        self.head = plan.head();
        metrics::histogram!("sealpost_log_commit_seconds").record(begun.elapsed().as_secs_f64());
        metrics::histogram!("sealpost_log_round_rows").record(count(plan.round.rows.len()));
        metrics::counter!("sealpost_log_rows_total").increment(u64::try_from(plan.round.rows.len()).unwrap_or(0));
        metrics::counter!("sealpost_log_rounds_total").increment(1);
        Ok(())
    }

    fn look_after(&mut self, load: Load) {
        if load == Load::Idle {
            self.watch_disk();
        }
        if let Err(failure) = self.store.tend(load, self.shared.clock.now()) {
            metrics::counter!("sealpost_log_tend_failures_total").increment(1);
            tracing::warn!(error = %failure, source = ?std::error::Error::source(&failure), "log.tend_failed");
        }
    }

    /// New mail stops below the mark, and goes on above it. Where nobody can tell, nothing is stopped.
    pub(super) fn watch_disk(&self) {
        let state = match self.store.free_bytes() {
            Some(free) if free < self.disk_mark_bytes => LogState::DiskMark,
            _ => LogState::Serving,
        };
        if self.shared.door.set(state) {
            tracing::warn!(?state, "log.state");
        }
    }
}

fn count_verdict(verdict: &Verdict) {
    if let Verdict::Refused(failure) | Verdict::RefusedByRound(failure) = verdict {
        let kind = match failure {
            AppendFailure::Conflict { .. } => "conflict",
            AppendFailure::StaleGeneration => "stale_generation",
            AppendFailure::IdempotencyRepeat(_) => "idempotency_repeat",
            AppendFailure::IdempotencyMismatch => "idempotency_mismatch",
            AppendFailure::KeyMissing => "key_missing",
            AppendFailure::DiskFull => "disk_full",
            AppendFailure::Unavailable => "unavailable",
            AppendFailure::Malformed(_) => "malformed",
        };
        metrics::counter!("sealpost_log_refused_total", "kind" => kind).increment(1);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a metric of a queue's length")]
const fn count(value: usize) -> f64 {
    value as f64
}
