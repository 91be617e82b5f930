//! Runs work that blocks or costs the processor off the threads that answer, so much at once and no more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::Semaphore;

use thiserror::Error;

/// Places for work. Clones share them.
#[derive(Debug, Clone)]
pub struct WorkPool {
    places: Arc<Semaphore>,
}

/// Work that did not come to its end.
#[derive(Debug, Error)]
pub enum WorkLost {
    /// The program is ending.
    #[error("no work is taken any more")]
    Ended,
    /// It broke.
    #[error("work broke")]
    Broke(#[source] tokio::task::JoinError),
    /// It broke on the thread that asked for it.
    #[error("work broke")]
    BrokeHere,
}

/// Runs work on this thread: for what takes less time than bringing it to another thread and its end back. It owns what
/// it uses, so that nothing half done is left behind when it breaks.
///
/// # Errors
/// What the work says; [`WorkLost`] in its words when it broke.
pub fn run_here<T, E: From<WorkLost>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(WorkLost::BrokeHere.into()))
}

impl WorkPool {
    /// So many places, one at least.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places.max(1))),
        }
    }

    /// As many places as there are processors.
    #[must_use]
    pub fn for_processors() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
    }

    /// Runs work as soon as there is a place.
    ///
    /// # Errors
    /// What the work says; [`WorkLost`] in its words when it broke.
    pub async fn run<T, E>(&self, work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<WorkLost> + Send + 'static,
    {
        let place = self.places.clone().acquire_owned().await.map_err(|_| WorkLost::Ended)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // Held until the work is done, also when nobody waits for it any more.
            drop(place);
            done
        });
        done.await
            .unwrap_or_else(|failure| Err(WorkLost::Broke(failure).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_breaks_is_told_as_lost_and_leaves_its_place() {
        let pool = WorkPool::new(1);
        let broken = pool.run(|| -> Result<(), WorkLost> { panic!("planted") }).await;
        assert!(matches!(broken, Err(WorkLost::Broke(_))), "{broken:?}");
        assert_eq!(pool.run(|| Ok::<_, WorkLost>(7)).await.unwrap(), 7);
        let broken = run_here(|| -> Result<(), WorkLost> { panic!("planted") });
        assert!(matches!(broken, Err(WorkLost::BrokeHere)), "{broken:?}");
    }
}
