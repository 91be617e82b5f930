//! What the actors take from the spool: never an act, only what might be due. The log decides when they ask to send.

use std::time::Duration;

use sealpost_domain::Instant;
use sealpost_domain::address::Mailbox;
use sealpost_domain::ids::{AccountId, KeyId, MessageId};
use sealpost_domain::message::Phase;
use sealpost_projections::spool::{SpoolPage, SpoolQueries, SpoolRow};
use sealpost_projections::{Progress, ProjectionFailure};

use super::dispatch::Dispatch;

/// How long a refill waits for the spool to come to a position; the periodic refill makes up for what it misses.
const REFILL_WAIT: Duration = Duration::from_secs(10);
/// Rows of one read.
const PAGE_ROWS: usize = 1_000;
/// Rows of one periodic refill.
const DUE_ROWS: usize = 20_000;

/// The spool as the actors see it. Cheap to clone; everything here blocks.
#[derive(Clone)]
pub struct SpoolFeed {
    progress: Progress,
    queries: SpoolQueries,
}

/// An attempt that the spool shows open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Open {
    /// The message.
    pub message: MessageId,
    /// Whose it is.
    pub account: AccountId,
}

impl SpoolFeed {
    /// A feed from this spool.
    #[must_use]
    pub const fn new(progress: Progress, queries: SpoolQueries) -> Self {
        Self { progress, queries }
    }

    /// Waits until the spool has come to `position`.
    pub(super) fn wait_for(&self, position: u64, at_most: Duration) -> bool {
        self.progress.wait_for(position, at_most)
    }

    /// What is due by `now`.
    pub(super) fn due(&self, now: Instant) -> Vec<Dispatch> {
        dispatches(logged(self.queries.due(now, DUE_ROWS)))
    }

    /// Everything that waits for an attempt, now or later, a page at a time.
    pub(super) fn each_waiting(&self, mut take: impl FnMut(Vec<Dispatch>)) {
        self.each_page(
            |after| self.queries.all_open(after, PAGE_ROWS),
            |rows| take(dispatches(rows)),
        );
    }

    fn each_page(
        &self,
        page: impl Fn(Option<&str>) -> Result<SpoolPage, ProjectionFailure>,
        mut take: impl FnMut(Vec<SpoolRow>),
    ) {
        let mut after: Option<String> = None;
        loop {
            let page = match page(after.as_deref()) {
                Ok(page) => page,
                Err(failure) => return tracing::error!(error = %failure, "the spool cannot be read"),
            };
            take(page.rows);
            match page.next {
                Some(next) => after = Some(next),
                None => return,
            }
        }
    }

    /// Attempts that are open.
    pub(super) fn open_starts(&self) -> Vec<Open> {
        logged(self.queries.open_starts())
            .into_iter()
            .map(|open| Open {
                message: open.message,
                account: open.account,
            })
            .collect()
    }

    /// What waits of a key, as of `position`.
    pub(super) fn of_key(&self, key: KeyId, position: u64) -> Vec<Dispatch> {
        self.caught_up(position);
        let mut found = Vec::new();
        self.each_page(
            |after| self.queries.by_key(key, after, PAGE_ROWS),
            |rows| found.extend(dispatches(rows)),
        );
        found
    }

    /// A message, as of `position`, when it waits.
    pub(super) fn of_message(&self, message: MessageId, position: u64) -> Vec<Dispatch> {
        self.caught_up(position);
        dispatches(logged(
            self.queries.message(message).map(|row| row.into_iter().collect()),
        ))
    }

    fn caught_up(&self, position: u64) {
        if !self.progress.wait_for(position, REFILL_WAIT) {
            tracing::warn!(position, "the spool lags; what waits there is taken by the next refill");
        }
    }
}

fn logged<T>(read: Result<Vec<T>, ProjectionFailure>) -> Vec<T> {
    read.unwrap_or_else(|failure| {
        tracing::error!(error = %failure, "the spool cannot be read");
        Vec::new()
    })
}

/// Rows that wait for an attempt.
fn dispatches(rows: Vec<SpoolRow>) -> Vec<Dispatch> {
    rows.into_iter()
        .filter(|row| row.state.phase == Phase::Queued)
        .filter_map(dispatch)
        .collect()
}

fn dispatch(row: SpoolRow) -> Option<Dispatch> {
    let reverse_path = Mailbox::parse(&row.reverse_path).ok()?;
    Some(Dispatch {
        message: row.message,
        account: row.account,
        recipient: row.recipient,
        reverse_path,
        state: row.state,
        sequence: row.sequence,
        refused_starts: 0,
    })
}
