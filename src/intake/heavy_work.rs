//! Work on large bodies: one after the other, and whoever has many of them waits behind himself alone.

use std::hash::Hash;

use super::turns::Turns;
use super::work_pool::{WorkLost, WorkPool};

/// The turns of everybody who has large bodies. Clones share them.
#[derive(Debug, Clone)]
pub struct HeavyWork<Who> {
    turns: Turns<Who>,
    pool: WorkPool,
}

impl<Who: Copy + Eq + Hash> HeavyWork<Who> {
    /// Work in this pool. Several may share it.
    #[must_use]
    pub fn in_pool(pool: WorkPool) -> Self {
        Self {
            turns: Turns::new(1),
            pool,
        }
    }

    /// Runs work when it is its owner's turn: of nobody waits more than one for a place, so that the places go around.
    /// Work of nobody in particular has no turn of its own.
    ///
    /// # Errors
    /// As [`WorkPool::run`].
    pub async fn run<T, E>(
        &self,
        who: Option<Who>,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<WorkLost> + Send + 'static,
    {
        let turn = match who {
            Some(who) => Some(self.turns.take(who).await?),
            None => None,
        };
        let work = move || {
            let done = work();
            // Held until the work is done, also when nobody waits for it any more.
            drop(turn);
            done
        };
        self.pool.run(work).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::future::join_all;
    use parking_lot::Mutex;

    use super::*;

    #[tokio::test]
    async fn whoever_has_many_large_bodies_waits_behind_himself() {
        let heavy = HeavyWork::in_pool(WorkPool::new(1));
        let done = Arc::new(Mutex::new(Vec::new()));
        let order = [Some(1), Some(1), Some(1), Some(1), Some(2), None, Some(2)];
        let all = order.map(|who| {
            let done = done.clone();
            heavy.run(who, move || {
                done.lock().push(who);
                Ok::<_, WorkLost>(())
            })
        });
        assert!(join_all(all).await.iter().all(Result::is_ok));
        let done = done.lock();
        let place = |who| done.iter().position(|one| *one == who).unwrap();
        assert!(place(Some(2)) < 3 && place(None) < 3, "{done:?}");
        assert_eq!(done.len(), 7);
    }
}
