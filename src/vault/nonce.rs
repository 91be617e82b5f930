//! Draws nonces in bulk: one question to the system's generator costs more than sealing a field.

use std::cell::RefCell;

use aws_lc_rs::aead::NONCE_LEN;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;

/// Nonces of one draw.
const DRAWN: usize = 256;

/// What a thread has drawn and not used. Nonces are no secret, so that they may wait in memory.
struct Pool {
    bytes: [u8; DRAWN * NONCE_LEN],
    used: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const {
        RefCell::new(Pool {
            bytes: [0; DRAWN * NONCE_LEN],
            used: DRAWN,
        })
    };
}

/// A random nonce that was given to nobody before.
///
/// # Errors
/// The system's generator does not answer.
pub(super) fn draw() -> Result<[u8; NONCE_LEN], Unspecified> {
    POOL.with_borrow_mut(|pool| {
        if pool.used >= DRAWN {
            rand::fill(&mut pool.bytes)?;
            pool.used = 0;
        }
        let (nonces, _) = pool.bytes.as_chunks::<NONCE_LEN>();
        let nonce = *nonces.get(pool.used).ok_or(Unspecified)?;
        pool.used = pool.used.saturating_add(1);
        Ok(nonce)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_nonce_comes_twice_within_and_across_draws_and_threads() {
        let some = || (0..3 * DRAWN).map(|_| draw().unwrap()).collect::<Vec<_>>();
        let other = std::thread::spawn(some).join().unwrap();
        let all: BTreeSet<_> = some().into_iter().chain(other).collect();
        assert_eq!(all.len(), 6 * DRAWN);
        assert!(!all.contains(&[0; NONCE_LEN]));
    }
}
