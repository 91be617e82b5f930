//! The way of a call that sends, from a request whose caller was let in to an answer that is on disk.
//!
//! Cheap checks come before anything is stored. Content is on disk before the account decides, and the account's
//! decision is on disk before the caller hears of it.

use sealpost_domain::address::Mailbox;
use sealpost_domain::rights::KeyWorld;

use super::error_code::ErrorCode;
use super::fault::Fault;
use super::field_names::{Dialect, compose_fault};
use super::front::Front;
use super::idempotency::Repeatable;
use super::ports::LogCondition;
use super::refusals::of_keep;
use super::send_request::{Plan, Planned, SendRequest};
use crate::access::Caller;
use crate::actors::{Admission, Deliverable, IdempotencyAnswer, RecipientKind, SendAnswer, SendCall, SendRecipient};
use crate::compose::{Draft, KeepFailure, KeptMessage, Stamp};

/// Sends. When it returns `Ok`, every recipient's accept or rejection is on disk.
///
/// # Errors
/// As the codes say; then nothing of the call is on record.
pub(super) async fn send(
    front: &Front,
    caller: &Caller,
    request: SendRequest,
    repeatable: Option<Repeatable>,
) -> Result<Vec<SendAnswer>, Fault> {
    if caller.world == KeyWorld::Test {
        // The built-in sink of the test world is not there yet, and a test key never sends real mail.
        return Err(ErrorCode::TestKeyCannotSend.into());
    }
    let dialect = request.dialect;
    let plan = front.work.run(move || request.plan()).await?;
    if let Some(answers) = first_answer(front, caller, repeatable, &plan.recipients).await? {
        return Ok(answers);
    }
    match front.condition.log() {
        LogCondition::Serving => {}
        LogCondition::DiskMark => return Err(ErrorCode::DiskFull.into()),
        LogCondition::Stopped => return Err(ErrorCode::Unavailable.into()),
    }
    let now = front.clock.now();
    let Plan {
        header_from,
        draft,
        recipients,
        tags,
        metadata,
        tls_required,
        lifetime,
    } = plan;
    let subject = draft.subject.clone();
    let stamp = Stamp {
        date: now.to_datetime(),
        message_id_domain: header_from.domain(),
        boundary_seed: boundary_seed(),
    };
    let kept = keep(front, caller, dialect, draft, stamp).await?;
    let given: Vec<String> = recipients.iter().map(|one| one.given.clone()).collect();
    let call = SendCall {
        claim: caller.claim(),
        recipients: join(recipients, kept, &header_from)?,
        header_from,
        subject,
        tags,
        user_metadata: metadata,
        tls_required,
        expires_at: now.plus(lifetime.unwrap_or(front.message_lifetime)),
        idempotency: repeatable.map(|repeatable| repeatable.row(caller.account, now)),
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

/// The answer to the first call with this key, before anything is stored again for it.
async fn first_answer(
    front: &Front,
    caller: &Caller,
    repeatable: Option<Repeatable>,
    recipients: &[Planned],
) -> Result<Option<Vec<SendAnswer>>, Fault> {
    let Some(repeatable) = repeatable else { return Ok(None) };
    let (log, account) = (front.log.clone(), caller.account);
    let first: Option<IdempotencyAnswer> = front
        .read(move || {
            let found = log.idempotency(account, repeatable.key_hash());
            found.map_err(|failure| Fault::of_failure(ErrorCode::Unavailable, "reading an idempotency row", &failure))
        })
        .await?;
    first
        .map(|first| repeatable.answers(&first, recipients.iter().map(|one| one.given.as_str())))
        .transpose()
}

async fn keep(
    front: &Front,
    caller: &Caller,
    dialect: Dialect,
    draft: Draft,
    stamp: Stamp,
) -> Result<Vec<KeptMessage>, Fault> {
    if draft.to.is_empty() {
        return Ok(Vec::new());
    }
    let (keeper, account) = (front.keeper.clone(), caller.account);
    let prepared = front
        .work
        .run(move || match keeper.prepare(account, &draft, &stamp) {
            Ok(prepared) => Ok(prepared),
            Err(KeepFailure::Refused(refusal)) => Err(compose_fault(dialect, &refusal)),
            Err(failure) => Err(of_keep(&failure)),
        })
        .await?;
    front.keeper.keep(prepared).await.map_err(|failure| of_keep(&failure))
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
