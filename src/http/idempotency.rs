//! Recognises a call that is repeated: the same key with the same request gets the first answer again.

use std::time::Duration;

use actix_web::HttpRequest;
use sealpost_domain::Instant;
use sealpost_domain::ids::AccountId;
use sealpost_domain::limits::{IDEMPOTENCY_HOURS, IDEMPOTENCY_KEY_BYTES_MAX};
use serde_json::{Map, Value};

use super::canonical::{digest, sha256};
use super::error_code::ErrorCode;
use super::fault::Fault;
use crate::actors::{IdempotencyAnswer, IdempotencyRow, SendAnswer, read_answers};

/// The header that carries the key.
const HEADER: &str = "Idempotency-Key";

/// SHA-256 of the key that a repeat would bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RepeatKey([u8; 32]);

impl RepeatKey {
    /// Reads the header; `None` when there is none.
    ///
    /// # Errors
    /// A key that is empty, too long, or more than visible ASCII.
    pub(super) fn of(request: &HttpRequest) -> Result<Option<Self>, Fault> {
        let Some(value) = request.headers().get(HEADER) else {
            return Ok(None);
        };
        let key = value.as_bytes();
        let fits = u64::try_from(key.len()).is_ok_and(|len| (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&len));
        if !fits || !key.iter().all(u8::is_ascii_graphic) {
            return Err(Fault::field(HEADER, "Please send 1 to 255 visible ASCII characters"));
        }
        Ok(Some(Self(sha256(key))))
    }

    /// The call with all that it asks for. Costs the processor what hashing the body costs.
    pub(super) fn repeatable(self, method: &str, members: &Map<String, Value>) -> Repeatable {
        Repeatable {
            key_hash: self.0,
            digest: digest(method, members),
        }
    }
}

/// A call that may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Repeatable {
    key_hash: [u8; 32],
    digest: [u8; 32],
}

impl Repeatable {
    /// SHA-256 of the key: what the log finds the first call by.
    pub(super) const fn key_hash(&self) -> &[u8; 32] {
        &self.key_hash
    }

    /// The row that makes a repeat recognisable. Its answer is written where it is decided.
    pub(super) fn row(&self, account: AccountId, now: Instant) -> IdempotencyRow {
        IdempotencyRow {
            account,
            key_hash: self.key_hash,
            digest: self.digest,
            answer: String::new(),
            expires_at: now.plus(Duration::from_secs(IDEMPOTENCY_HOURS.saturating_mul(3_600))),
        }
    }

    /// The first call's answer, with the addresses of this call in it.
    ///
    /// # Errors
    /// [`ErrorCode::IdempotencyKeyReused`] when the first call asked for something else.
    pub(super) fn answers<'a>(
        &self,
        first: &IdempotencyAnswer,
        given: impl ExactSizeIterator<Item = &'a str>,
    ) -> Result<Vec<SendAnswer>, Fault> {
        if first.digest != self.digest {
            return Err(ErrorCode::IdempotencyKeyReused.into());
        }
        match read_answers(&first.answer) {
            Some(decided) if decided.len() == given.len() => {
                let answers = decided.into_iter().zip(given);
                Ok(answers
                    .map(|((message, verdict), given)| SendAnswer {
                        message,
                        given: given.to_owned(),
                        verdict,
                    })
                    .collect())
            }
            _ => {
                tracing::error!("an idempotency row does not hold the answer of its call");
                Err(ErrorCode::Internal.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use sealpost_domain::ids::MessageId;
    use uuid::Uuid;

    use super::*;
    use crate::actors::{Verdict, write_answers};

    fn read(key: &str) -> Result<Option<RepeatKey>, Fault> {
        RepeatKey::of(&TestRequest::default().insert_header((HEADER, key)).to_http_request())
    }

    #[test]
    fn a_key_has_1_to_255_visible_characters() {
        assert!(read(&"k".repeat(255)).is_ok_and(|key| key.is_some()));
        for key in ["", "a b", &"k".repeat(256), "\u{e4}"] {
            assert!(read(key).is_err(), "{key}");
        }
        assert_eq!(RepeatKey::of(&TestRequest::default().to_http_request()), Ok(None));
    }

    #[test]
    fn the_first_answer_comes_back_with_the_addresses_of_the_repeat() {
        let members = Map::from_iter([("to".to_owned(), "ann@example.org".into())]);
        let call = read("k").unwrap().unwrap().repeatable("messages/send", &members);
        let account = AccountId::from_uuid(Uuid::from_u128(1));
        let first = [SendAnswer {
            message: MessageId::from_uuid(Uuid::from_u128(2)),
            given: "ann@example.org".to_owned(),
            verdict: Verdict::Held,
        }];
        let row = call.row(account, Instant::from_millis(0));
        assert_eq!(row.expires_at, Instant::from_millis(72 * 3_600_000));
        let kept = |digest| IdempotencyAnswer {
            digest,
            answer: write_answers(&first),
            expires_at: row.expires_at,
        };
        assert!(!kept(row.digest).answer.contains("ann"), "no address is kept");
        let again = call
            .answers(&kept(row.digest), ["ann@example.org"].into_iter())
            .unwrap();
        assert_eq!(again, first);
        let other = call.answers(&kept([9; 32]), ["ann@example.org"].into_iter());
        assert_eq!(other.unwrap_err().code, ErrorCode::IdempotencyKeyReused);
    }
}
