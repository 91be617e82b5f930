//! The way of a call that sends, from a request whose caller was let in to an answer that is on disk.
//!
//! Cheap checks come before anything is stored. Content is on disk before the account decides, and the account's
//! decision is on disk before the caller hears of it.

use sealpost_domain::Instant;
use sealpost_domain::address::Mailbox;
use sealpost_domain::ids::AccountId;
use sealpost_domain::rights::KeyWorld;

use super::error_code::ErrorCode;
use super::fault::Fault;
use super::field_names::compose_fault;
use super::fields::Fields;
use super::front::Front;
use super::idempotency::{RepeatKey, Repeatable};
use super::ports::LogCondition;
use super::refusals::of_keep;
use super::send_request::{Plan, Planned, SendRequest};
use crate::access::Caller;
use crate::actors::{Admission, Deliverable, IdempotencyAnswer, RecipientKind, SendAnswer, SendCall, SendRecipient};
use crate::compose::{KeepFailure, Keeper, KeptMessage, PreparedMail, Stamp};

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
    if caller.world == KeyWorld::Test {
        // The built-in sink of the test world is not there yet, and a test key never sends real mail.
        return Err(ErrorCode::TestKeyCannotSend.into());
    }
    let (now, account, keeper) = (front.clock.now(), caller.account, front.keeper.clone());
    let size_bytes = intake.size_bytes;
    let (letter, repeatable) = match intake.repeat_key {
        None => {
            must_take_mail(front)?;
            let work = move || compose(&keeper, account, intake.plan(now)?, now);
            let letter = front.work_for(account, size_bytes, work).await?;
            (letter, None)
        }
        Some(key) => {
            let read = move || {
                let repeatable = key.repeatable(intake.method, intake.fields.members());
                Ok((intake.plan(now)?, repeatable))
            };
            let (plan, repeatable) = front.work_for(account, size_bytes, read).await?;
            // A repeat is answered before anything is stored again for it, and also where nothing new is taken.
            if let Some(answers) = first_answer(front, account, repeatable, &plan.recipients).await? {
                return Ok(answers);
            }
            must_take_mail(front)?;
            let work = move || compose(&keeper, account, plan, now);
            let letter = front.work_for(account, size_bytes, work).await?;
            (letter, Some(repeatable))
        }
    };
    let Letter { plan, prepared } = letter;
    let kept = match prepared {
        Some(mail) => front.keeper.keep(mail).await.map_err(|failure| of_keep(&failure))?,
        None => Vec::new(),
    };
    let given: Vec<String> = plan.recipients.iter().map(|one| one.given.clone()).collect();
    let call = SendCall {
        claim: caller.claim(),
        recipients: join(plan.recipients, kept, &plan.header_from)?,
        header_from: plan.header_from,
        subject: plan.draft.subject,
        tags: plan.tags,
        user_metadata: plan.metadata,
        tls_required: plan.tls_required,
        expires_at: now.plus(plan.lifetime.unwrap_or(front.message_lifetime)),
        idempotency: repeatable.map(|repeatable| repeatable.row(account, now)),
    };
    match (front.accounts.send(call).await, repeatable) {
        (Ok(answers), _) => Ok(answers),
        // Two equal calls at once: the second one waited for the first.
        (Err(Admission::IdempotencyRepeat(first)), Some(repeatable)) => {
            repeatable.answers(&first, given.iter().map(String::as_str))
        }
        (Err(refused), _) => Err(refused.into()),
    }
}

/// Asked before anything is stored; the log itself asks again.
fn must_take_mail(front: &Front) -> Result<(), Fault> {
    match front.condition.log() {
        LogCondition::Serving => Ok(()),
        LogCondition::DiskMark => Err(ErrorCode::DiskFull.into()),
        LogCondition::Stopped | LogCondition::Ended => Err(ErrorCode::Unavailable.into()),
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

/// Brings recipients and their kept messages together again. Both are in the order of the call; those that are no
/// addresses have no message.
fn join(recipients: Vec<Planned>, kept: Vec<KeptMessage>, reverse_path: &Mailbox) -> Result<Vec<SendRecipient>, Fault> {
    let mut kept = kept.into_iter();
    let mut joined = Vec::with_capacity(recipients.len());
    for Planned {
        message,
        given,
        refusal,
    } in recipients
    {
        let kind = match refusal {
            Some(refusal) => RecipientKind::Invalid(refusal),
            None => match kept.next().filter(|kept| kept.message == message) {
                Some(kept) => RecipientKind::Deliverable(Box::new(deliverable(kept, reverse_path.clone()))),
                None => {
                    tracing::error!(message.id = %message, "a recipient's content is not where it belongs");
                    return Err(ErrorCode::Internal.into());
                }
            },
        };
        joined.push(SendRecipient { message, given, kind });
    }
    Ok(joined)
}

fn deliverable(kept: KeptMessage, reverse_path: Mailbox) -> Deliverable {
    Deliverable {
        mailbox: kept.mailbox,
        token: kept.token,
        recipient_key: kept.recipient_key,
        reverse_path,
        content: kept.content,
        message_id_header: kept.message_id_header,
        suppressed: None,
    }
}

/// A seed that the author of a text cannot guess: 122 random bits.
fn boundary_seed() -> uuid::Uuid {
    uuid::Uuid::new_v4()
}
