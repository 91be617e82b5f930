//! Follows the log with one projection, on a thread of its own, and says how far it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use sealpost_domain::Recorded;

use crate::damage::{pass_damage, read_up_to_damage, unread_in};
use crate::failure::ProjectionFailure;
use crate::progress::{Progress, RunnerState};
use crate::projection::{EventSource, Projection};
use crate::rebuild::remove_stale_shadows;
use crate::round::{Folded, Poison, ROUND_EVENTS_MAX, fold_events};
use crate::store::sqlite::{Shape, Standing, Store, file_of, remove_other_versions};

/// How long an idle runner sleeps at most: so often it looks whether its file still stands, and whether to stop.
const IDLE_AT_MOST: Duration = Duration::from_millis(200);
/// How long events are gathered after a small round, unless somebody waits for the rows: under load a transaction for
/// every few events would cost more than the events.
const GATHER: Duration = Duration::from_millis(20);
/// A round of fewer events is a small one.
const SMALL_ROUND_EVENTS: u64 = ROUND_EVENTS_MAX as u64 / 2;
/// How long a runner waits after the log or its database failed.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Starts projections.
#[derive(Debug)]
pub struct Runner<P>(std::marker::PhantomData<P>);

impl<P: Projection> Runner<P> {
    /// Starts the thread. The read model is the file `NAME-vVERSION.db` in `dir`, made where it is missing; a file that
    /// is damaged, emptied or of another log is built again from zero. What fails later is tried again once a second.
    ///
    /// # Errors
    /// [`ProjectionFailure::Thread`] when the system gives no thread.
    pub fn start(dir: &Path, source: Arc<dyn EventSource>) -> Result<Running, ProjectionFailure> {
        let progress = Progress::new(P::NAME);
        let follower = Follower::<P> {
            dir: dir.to_owned(),
            source,
            progress: progress.clone(),
            store: None,
            tidied: false,
            projection: std::marker::PhantomData,
        };
        let thread = std::thread::Builder::new()
            .name(format!("projection-{}", P::NAME))
            .spawn(move || follower.run())
            .map_err(|source| ProjectionFailure::Thread {
                projection: P::NAME,
                source,
            })?;
        Ok(Running {
            progress,
            thread: Some(thread),
        })
    }
}

/// A projection that runs; ends when it is dropped.
#[derive(Debug)]
pub struct Running {
    progress: Progress,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// How far it is: a handle that may outlive this one.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Position of the last event that its rows know; 0 before the first.
    #[must_use]
    pub fn checkpoint(&self) -> u64 {
        self.progress.checkpoint()
    }

    /// Blocks until its rows know the event at `position`, at most for `at_most`. False when they do not by then, or
    /// when it stopped before.
    #[must_use]
    pub fn wait_for(&self, position: u64, at_most: Duration) -> bool {
        self.progress.wait_for(position, at_most)
    }

    /// What it does.
    #[must_use]
    pub fn state(&self) -> RunnerState {
        self.progress.state()
    }

    /// Builds the rows again from zero, while readers see them grow. Nothing acts on what they lack meanwhile.
    pub fn rebuild(&self) {
        self.progress.ask_rebuild();
    }

    /// Ends the thread after its round.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.progress.ask_stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(
                projection.name = self.progress.name(),
                "the thread of a projection broke"
            );
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// What a turn of the loop came to.
enum Turn {
    /// A round of so many events was folded; there may be more.
    Folded(u64),
    /// There is nothing to fold.
    Idle,
    /// An event cannot be folded.
    Poison(Poison),
}

struct Follower<P> {
    dir: PathBuf,
    source: Arc<dyn EventSource>,
    progress: Progress,
    store: Option<Store>,
    /// Whether the files of other versions and of shadow builds that were cut short are gone.
    tidied: bool,
    projection: std::marker::PhantomData<P>,
}

impl<P: Projection> Follower<P> {
    fn run(mut self) {
        let leaving = self.progress.leaving();
        while !self.progress.must_stop() {
            match self.turn() {
                Ok(Turn::Folded(events)) if events < SMALL_ROUND_EVENTS => self.progress.gather(GATHER),
                Ok(Turn::Folded(_)) => {}
                Ok(Turn::Idle) => self.rest(),
                Ok(Turn::Poison(poison)) => {
                    tracing::error!(
                        projection.name = P::NAME,
                        position = poison.position,
                        event.r#type = %poison.event_type,
                        "the projection stops at an event that it cannot fold ({})",
                        poison.refusal
                    );
                    metrics::counter!("sealpost_projection_poison_total", "projection" => P::NAME).increment(1);
                    self.progress.set_state(RunnerState::Stopped(poison));
                    break;
                }
                Err(failure) => self.recover(&failure),
            }
        }
        // The file is closed before anybody who waits for the end goes on.
        drop(self.store.take());
        drop(leaving);
    }

    fn turn(&mut self) -> Result<Turn, ProjectionFailure> {
        let mut store = match self.store.take() {
            Some(store) => store,
            None => self.open()?,
        };
        let asked = self.progress.take_rebuild();
        match store.standing()? {
            Standing::FileLost => {
                tracing::warn!(
                    projection.name = P::NAME,
                    "the read model's file is gone: it is built again"
                );
                store = store.remake()?;
                self.begin_again();
            }
            Standing::RowsLost => {
                tracing::warn!(
                    projection.name = P::NAME,
                    "rows of the read model are gone: it is built again"
                );
                store.reset()?;
                self.begin_again();
            }
            Standing::Sound if asked => {
                store.reset()?;
                self.begin_again();
            }
            Standing::Sound => {}
        }
        let turn = self.fold(&mut store)?;
        self.store = Some(store);
        Ok(turn)
    }

    fn fold(&self, store: &mut Store) -> Result<Turn, ProjectionFailure> {
        let after = store.checkpoint().position;
        let head = self.source.head();
        if after >= head {
            return Ok(Turn::Idle);
        }
        let mut events = match read_up_to_damage::<P>(self.source.as_ref(), after) {
            Ok(events) => events,
            Err(failure) => {
                self.progress.set_checkpoint(pass_damage::<P>(store, failure)?);
                return Ok(Turn::Folded(1));
            }
        };
        // Only what the log calls durable is shown: a row must never know more than the log does after a power cut.
        events.truncate(usize::try_from(head - after).unwrap_or(usize::MAX));
        if events.is_empty() {
            return Ok(Turn::Idle);
        }
        let folded = fold_events::<P>(store, &events)?;
        let checkpoint = store.checkpoint().position;
        self.progress.set_checkpoint(checkpoint);
        metrics::counter!("sealpost_projection_events_total", "projection" => P::NAME).increment(checkpoint - after);
        Ok(match folded {
            Folded::All { parked } => {
                if parked > 0 {
                    metrics::counter!("sealpost_projection_parked_total", "projection" => P::NAME).increment(parked);
                }
                Turn::Folded(checkpoint - after)
            }
            Folded::Poison(poison) => Turn::Poison(poison),
        })
    }

    fn rest(&mut self) {
        let checkpoint = self.progress.checkpoint();
        self.progress.set_state(RunnerState::Following);
        if !self.tidied {
            self.tidied = true;
            let tidied = remove_other_versions::<P>(&self.dir).and_then(|()| remove_stale_shadows::<P>(&self.dir));
            if let Err(failure) = tidied {
                tracing::warn!(projection.name = P::NAME, "files that nobody reads stay: {failure}");
            }
        }
        self.source.wait_past(checkpoint, IDLE_AT_MOST);
    }

    fn open(&self) -> Result<Store, ProjectionFailure> {
        let mut store = Store::open(&file_of::<P>(&self.dir), Shape::of::<P>())?;
        if !self.is_same_log(&store)? {
            tracing::warn!(
                projection.name = P::NAME,
                "the rows are of another log: they are built again"
            );
            store.reset()?;
        }
        self.progress.set_checkpoint(store.checkpoint().position);
        self.progress.set_state(RunnerState::CatchingUp);
        Ok(store)
    }

    /// Whether the log still holds the event that the checkpoint names: not so after an older log was put in its place.
    fn is_same_log(&self, store: &Store) -> Result<bool, ProjectionFailure> {
        let checkpoint = store.checkpoint();
        if checkpoint.position == 0 {
            return Ok(true);
        }
        if checkpoint.position > self.source.head() {
            return Ok(false);
        }
        let found = match self.read(checkpoint.position - 1, 1) {
            Ok(found) => found.first().map(|event| event.event_id),
            // What cannot be read may have been passed all the same.
            Err(failure) => match unread_in(&failure) {
                Some(unread) => Some(unread.event_id),
                None => return Err(failure),
            },
        };
        Ok(found == checkpoint.event_id)
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, ProjectionFailure> {
        self.source
            .events(after, limit)
            .map_err(|source| ProjectionFailure::Source {
                projection: P::NAME,
                source,
            })
    }

    fn begin_again(&self) {
        metrics::counter!("sealpost_projection_rebuilds_total", "projection" => P::NAME).increment(1);
        self.progress.set_checkpoint(0);
        self.progress.set_state(RunnerState::CatchingUp);
    }

    fn recover(&mut self, failure: &ProjectionFailure) {
        let cause = std::error::Error::source(failure).map_or_else(String::new, |cause| format!(": {cause}"));
        let state = RunnerState::Waiting {
            failure: format!("{failure}{cause}"),
        };
        // One line per failure, not one per second of it.
        if self.progress.state() != state {
            tracing::error!(projection.name = P::NAME, "{failure}{cause}");
        }
        metrics::counter!("sealpost_projection_failures_total", "projection" => P::NAME).increment(1);
        self.store = None;
        self.progress.set_state(state);
        self.progress.wait_stop(RETRY_AFTER);
    }
}

#[cfg(test)]
mod tests;
