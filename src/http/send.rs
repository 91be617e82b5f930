//! The way of a call that sends, from a request whose caller was let in to an answer that is on disk.
//!
//! Cheap checks come before anything is stored. Content is on disk before the account decides, and the account's
//! decision is on disk before the caller hears of it.

use sealpost_domain::Instant;
use sealpost_domain::ids::AccountId;

use super::error_code::ErrorCode;
use super::fault::Fault;
use super::field_names::compose_fault;
use super::fields::Fields;
use super::front::Front;
use super::idempotency::{RepeatKey, Repeatable};
use super::refusals::of_keep;
use super::send_request::{Plan, SendRequest};
use crate::access::Caller;
use crate::actors::{Admission, IdempotencyAnswer, SendAnswer};
use crate::compose::{KeepFailure, Keeper, PreparedMail, Stamp};
use crate::intake::{NotTaken, Order, Planned};

/// A call that sends, as its API took it in.
pub(super) struct Intake {
    /// Its members, unread.
    pub fields: Fields,
    /// Length of its body.
    pub size_bytes: usize,
    /// What a repeat of it would be recognised by.
    pub repeat_key: Option<RepeatKey>,
    /// What it is called in the digest of a repeat.
    pub method: &'static str,
    /// Reads its members. Decodes attachments, so it is called where that may cost something.
    pub read: fn(Fields, Instant) -> Result<SendRequest, Fault>,
}

impl Intake {
    fn plan(self, now: Instant) -> Result<Plan, Fault> {
        (self.read)(self.fields, now)?.plan()
    }
}

/// Sends. When it returns `Ok`, every recipient's accept or rejection is on disk.
///
/// # Errors
/// As the codes say. Nothing of the call is on record then, except behind [`ErrorCode::Unavailable`] and
/// [`ErrorCode::Internal`], where nobody knows: a repeat with the same idempotency key finds out.
pub(super) async fn send(front: &Front, caller: &Caller, intake: Intake) -> Result<Vec<SendAnswer>, Fault> {
    let desk = &front.desk;
    desk.must_send(caller)?;
    let (now, account, keeper) = (desk.now(), caller.account, desk.keeper().clone());
    let size_bytes = intake.size_bytes;
    let (letter, repeatable) = match intake.repeat_key {
        None => {
            desk.must_take_mail()?;
            let work = move || compose(&keeper, account, intake.plan(now)?, now);
            let letter = desk.work_for(account, size_bytes, work).await?;
            (letter, None)
        }
        Some(key) => {
            let read = move || {
                let repeatable = key.repeatable(intake.method, intake.fields.members());
                Ok::<_, Fault>((intake.plan(now)?, repeatable))
            };
            let (plan, repeatable) = desk.work_for(account, size_bytes, read).await?;
            // A repeat is answered before anything is stored again for it, and also where nothing new is taken.
            if let Some(answers) = first_answer(front, account, repeatable, &plan.recipients).await? {
                // The key may have been revoked while the body came, and a repeat is a use as any other.
                front.accounts.check(caller.claim()).await?;
                return Ok(answers);
            }
            desk.must_take_mail()?;
            let work = move || compose(&keeper, account, plan, now);
            let letter = desk.work_for(account, size_bytes, work).await?;
            (letter, Some(repeatable))
        }
    };
    let Letter { plan, prepared } = letter;
    let given: Vec<String> = plan.recipients.iter().map(|one| one.given.clone()).collect();
    let order = Order {
        at: now,
        header_from: plan.header_from,
        subject: plan.draft.subject,
        tags: plan.tags,
        metadata: plan.metadata,
        tls_required: plan.tls_required,
        lifetime: plan.lifetime,
        recipients: plan.recipients,
        idempotency: repeatable.map(|repeatable| repeatable.row(account, now)),
    };
    match (desk.accept(caller, prepared, order).await, repeatable) {
        (Ok(answers), _) => Ok(answers),
        // Two equal calls at once: the second one waited for the first.
        (Err(NotTaken::Account(Admission::IdempotencyRepeat(first))), Some(repeatable)) => {
            repeatable.answers(&first, given.iter().map(String::as_str))
        }
        (Err(refused), _) => Err(refused.into()),
    }
}

/// The answer to the first call with this key.
async fn first_answer(
    front: &Front,
    account: AccountId,
    repeatable: Repeatable,
    recipients: &[Planned],
) -> Result<Option<Vec<SendAnswer>>, Fault> {
    let log = front.log.clone();
    let first: Option<IdempotencyAnswer> = front
        .read_log(move || {
            let found = log.idempotency(account, repeatable.key_hash());
            found.map_err(|failure| Fault::of_failure(ErrorCode::Unavailable, "reading an idempotency row", &failure))
        })
        .await?;
    first
        .map(|first| repeatable.answers(&first, recipients.iter().map(|one| one.given.as_str())))
        .transpose()
}

/// A plan, and its messages as they go to disk.
struct Letter {
    plan: Plan,
    /// `None` when no recipient is an address.
    prepared: Option<PreparedMail>,
}

fn compose(keeper: &Keeper, account: AccountId, plan: Plan, now: Instant) -> Result<Letter, Fault> {
    if plan.draft.to.is_empty() {
        return Ok(Letter { plan, prepared: None });
    }
    let stamp = Stamp {
        date: now.to_datetime(),
        message_id_domain: plan.header_from.domain(),
        boundary_seed: boundary_seed(),
    };
    match keeper.prepare(account, &plan.draft, &stamp) {
        Ok(prepared) => Ok(Letter {
            plan,
            prepared: Some(prepared),
        }),
        Err(KeepFailure::Refused(refusal)) => Err(compose_fault(plan.dialect, &refusal)),
        Err(failure) => Err(of_keep(&failure)),
    }
}

/// A seed that the author of a text cannot guess: 122 random bits.
fn boundary_seed() -> uuid::Uuid {
    uuid::Uuid::new_v4()
}
