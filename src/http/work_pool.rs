//! Runs work that blocks or costs the processor off the threads that answer requests, so much at once and no more.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::error_code::ErrorCode;
use super::fault::Fault;

/// Places for work. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct WorkPool {
    places: Arc<Semaphore>,
}

impl WorkPool {
    /// So many places.
    pub(super) fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places.max(1))),
        }
    }

    /// As many places as there are processors.
    pub(super) fn for_processors() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
    }

    /// Runs work as soon as there is a place.
    ///
    /// # Errors
    /// What the work says; [`ErrorCode::Internal`] when it broke.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let place = self
            .places
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| ErrorCode::Unavailable)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // Held until the work is done, also when nobody waits for it any more.
            drop(place);
            done
        });
        done.await
            .unwrap_or_else(|failure| Err(Fault::of_failure(ErrorCode::Internal, "work for a request", &failure)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_breaks_is_an_internal_error_and_leaves_its_place() {
        let pool = WorkPool::new(1);
        let broken = pool.run(|| -> Result<(), Fault> { panic!("planted") }).await;
        assert_eq!(broken.unwrap_err().code, ErrorCode::Internal);
        assert_eq!(pool.run(|| Ok(7)).await, Ok(7));
    }
}
