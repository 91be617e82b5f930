//! Hashes and checks passwords with argon2id, two at a time and off the async threads.

use std::fmt;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use sealpost_domain::limits;
use thiserror::Error;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Memory of one hash in KiB: 46 MiB, with one pass and one lane (OWASP ASVS 5.0, appendix C).
const MEMORY_KIB: u32 = 46 * 1024;
/// Hashes that run at once: twenty sign-ins must not take a gigabyte from the mail.
const HASHES_AT_ONCE: usize = limits::PASSWORD_HASHES_AT_ONCE as usize;
/// Shortest password, in characters, while it is the only factor (NIST SP 800-63B-4).
pub const PASSWORD_CHARACTERS_MIN: usize = limits::PASSWORD_CHARACTERS_MIN as usize;
/// Longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = limits::PASSWORD_BYTES_MAX as usize;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PasswordRefusal {
    /// Too short to stand alone.
    #[error("the password has fewer than {PASSWORD_CHARACTERS_MIN} characters")]
    TooShort,
    /// Longer than is hashed.
    #[error("the password has more than {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
}

/// Why a password could not be hashed or checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PasswordFailure {
    /// The password itself is refused.
    #[error(transparent)]
    Refused(#[from] PasswordRefusal),
    /// The hash function or the source of random numbers failed.
    #[error("the password could not be hashed")]
    Hash,
    /// What is stored is no hash in PHC form.
    #[error("the stored hash is not in its form")]
    StoredForm,
    /// The program is ending.
    #[error("no password is hashed any more")]
    Closed,
}

/// Whether a password is the one that was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// It is.
    Same,
    /// It is not.
    Other,
}

/// Hashes and checks passwords. Clones share the same two places.
#[derive(Clone)]
pub struct Passwords {
    places: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
        }
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords")
    }
}

impl Passwords {
    /// The PHC string of a new password, with a salt of its own. Takes some 50 ms of a processor.
    ///
    /// # Errors
    /// As [`PasswordFailure`] says.
    pub async fn hash(&self, password: Zeroizing<String>) -> Result<String, PasswordFailure> {
        check(&password)?;
        self.work(move || {
            let hash = hasher()?
                .hash_password(password.as_bytes())
                .map_err(|_| PasswordFailure::Hash)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether a password is the one whose PHC string this is.
    ///
    /// # Errors
    /// As [`PasswordFailure`] says.
    pub async fn check(&self, password: Zeroizing<String>, stored: String) -> Result<Match, PasswordFailure> {
        if password.len() > PASSWORD_BYTES_MAX {
            return Ok(Match::Other);
        }
        self.work(move || {
            let stored = PasswordHash::new(&stored).map_err(|_| PasswordFailure::StoredForm)?;
            match hasher()?.verify_password(password.as_bytes(), &stored) {
                Ok(()) => Ok(Match::Same),
                Err(argon2::password_hash::Error::PasswordInvalid) => Ok(Match::Other),
                Err(_) => Err(PasswordFailure::StoredForm),
            }
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordFailure> + Send + 'static,
    ) -> Result<T, PasswordFailure> {
        let place = self
            .places
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| PasswordFailure::Closed)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // Held until the work is done, also when nobody waits for it any more.
            drop(place);
            done
        });
        done.await.unwrap_or(Err(PasswordFailure::Closed))
    }
}

fn check(password: &str) -> Result<(), PasswordRefusal> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordRefusal::TooLong);
    }
    if password.chars().count() < PASSWORD_CHARACTERS_MIN {
        return Err(PasswordRefusal::TooShort);
    }
    Ok(())
}

fn hasher() -> Result<Argon2<'static>, PasswordFailure> {
    let params = Params::new(MEMORY_KIB, 1, 1, None).map_err(|_| PasswordFailure::Hash)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_is_told_from_another_and_its_hash_says_how_it_was_made() {
        let passwords = Passwords::default();
        let stored = passwords.hash(password("correct horse battery")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{stored}");
        let check = |text: &str| passwords.check(password(text), stored.clone());
        assert_eq!(check("correct horse battery").await, Ok(Match::Same));
        assert_eq!(check("correct horse batterz").await, Ok(Match::Other));
        assert_eq!(check(&"a".repeat(257)).await, Ok(Match::Other));
    }

    #[tokio::test]
    async fn equal_passwords_have_unequal_hashes() {
        let passwords = Passwords::default();
        let (one, two) = tokio::join!(
            passwords.hash(password("correct horse battery")),
            passwords.hash(password("correct horse battery"))
        );
        assert_ne!(one.unwrap(), two.unwrap());
    }

    #[tokio::test]
    async fn what_is_too_short_or_too_long_is_refused_before_any_work() {
        let passwords = Passwords::default();
        assert_eq!(
            passwords.hash(password("fourteen chars")).await,
            Err(PasswordFailure::Refused(PasswordRefusal::TooShort))
        );
        assert_eq!(
            passwords.hash(password(&"a".repeat(257))).await,
            Err(PasswordFailure::Refused(PasswordRefusal::TooLong))
        );
    }

    #[tokio::test]
    async fn what_is_no_hash_is_a_failure_and_no_answer() {
        let passwords = Passwords::default();
        let checked = passwords
            .check(password("correct horse battery"), "plain".to_owned())
            .await;
        assert_eq!(checked, Err(PasswordFailure::StoredForm));
    }
}
