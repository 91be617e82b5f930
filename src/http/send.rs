//! The way of a call that sends, from a request whose caller was let in to an answer that is on disk.
//!
//! Cheap checks come before anything is stored. Content is on disk before the account decides, and the account's
//! decision is on disk before the caller hears of it.

use sealpost_domain::Instant;
use sealpost_domain::ids::AccountId;

use super::error_code::ErrorCode;
use super::fault::Fault;
use super::fields::{Fields, sentence};
use super::front::Front;
use super::idempotency::{RepeatKey, Repeatable};
use super::plan::Plan;
use super::refusals::of_keep;
use crate::access::Caller;
use crate::actors::{Admission, IdempotencyAnswer, SendAnswer};
use crate::compose::{AdoptRefusal, KeepFailure, Keeper};
use crate::intake::{Letter, NotTaken, RawPlan, RawRefusal, WishRefusal};

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
    pub read: fn(Fields, Instant) -> Result<Planable, Fault>,
}

/// What a call wants sent, read and checked.
pub(super) enum Planable {
    /// What is to be composed.
    Draft(Box<Plan>),
    /// What was composed elsewhere.
    Raw(Box<RawPlan>),
}

impl Planable {
    /// The addresses as they were given, copies at the end.
    fn given(&self) -> Vec<String> {
        match self {
            Self::Draft(plan) => plan.recipients.iter().map(|one| one.given.clone()).collect(),
            Self::Raw(plan) => plan.given().map(str::to_owned).collect(),
        }
    }

    /// How many of them the caller named.
    const fn answered(&self) -> usize {
        match self {
            Self::Draft(plan) => plan.answered,
            Self::Raw(plan) => plan.answered(),
        }
    }

    fn letter(self, keeper: &Keeper, account: AccountId, now: Instant) -> Result<Letter, Fault> {
        match self {
            Self::Draft(plan) => plan.letter(keeper, account, now),
            Self::Raw(plan) => plan.letter(keeper, account).map_err(|refusal| of_raw(&refusal)),
        }
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
    let Intake {
        fields,
        size_bytes,
        repeat_key,
        method,
        read,
    } = intake;
    let (mut letter, repeatable) = match repeat_key {
        None => {
            desk.must_take_mail()?;
            let work = move || read(fields, now)?.letter(&keeper, account, now);
            (desk.work_for(account, size_bytes, work).await?, None)
        }
        Some(key) => {
            let reading = move || {
                let repeatable = key.repeatable(method, fields.members());
                Ok::<_, Fault>((read(fields, now)?, repeatable))
            };
            let (plan, repeatable) = desk.work_for(account, size_bytes, reading).await?;
            // A repeat is answered before anything is stored again for it, and also where nothing new is taken.
            if let Some(mut answers) = first_answer(front, account, repeatable, &plan.given()).await? {
                // The key may have been revoked while the body came, and a repeat is a use as any other.
                front.accounts.check(caller.claim()).await?;
                answers.truncate(plan.answered());
                return Ok(answers);
            }
            desk.must_take_mail()?;
            let work = move || plan.letter(&keeper, account, now);
            (desk.work_for(account, size_bytes, work).await?, Some(repeatable))
        }
    };
    let planned = &letter.order.recipients;
    let given: Vec<String> = planned.iter().map(|one| one.given.clone()).collect();
    let answered = letter.answered;
    letter.order.idempotency = repeatable.map(|repeatable| repeatable.row(account, now));
    let mut answers = match (desk.accept(caller, letter.prepared, letter.order).await, repeatable) {
        (Ok(answers), _) => answers,
        // Two equal calls at once: the second one waited for the first.
        (Err(NotTaken::Account(Admission::IdempotencyRepeat(first))), Some(repeatable)) => {
            repeatable.answers(&first, given.iter().map(String::as_str))?
        }
        (Err(refused), _) => return Err(refused.into()),
    };
    answers.truncate(answered);
    Ok(answers)
}

/// What is wrong with a message that was composed elsewhere.
pub(super) fn of_raw(refusal: &RawRefusal) -> Fault {
    let wrong = |text: String| Fault::field("raw_message", text);
    match refusal {
        RawRefusal::Adopt(AdoptRefusal::TooLarge { .. }) => {
            Fault::from(ErrorCode::MessageTooLarge).with_detail(refusal.to_string())
        }
        RawRefusal::Adopt(AdoptRefusal::NoRecipient) => Fault::field("to", "Please enter at least one recipient"),
        RawRefusal::Wish(WishRefusal::NotOffered { header }) => wrong(format!("{header} is not offered yet")),
        RawRefusal::Kept(failure @ (KeepFailure::DiskFull(_) | KeepFailure::Unavailable(_))) => of_keep(failure),
        RawRefusal::Kept(KeepFailure::Refused(refusal)) => wrong(sentence(&refusal.to_string())),
        RawRefusal::Adopt(_) | RawRefusal::Wish(_) | RawRefusal::SubjectTooLong => {
            wrong(sentence(&refusal.to_string()))
        }
    }
}

/// The answer to the first call with this key.
async fn first_answer(
    front: &Front,
    account: AccountId,
    repeatable: Repeatable,
    given: &[String],
) -> Result<Option<Vec<SendAnswer>>, Fault> {
    let log = front.log.clone();
    let first: Option<IdempotencyAnswer> = front
        .read_log(move || {
            let found = log.idempotency(account, repeatable.key_hash());
            found.map_err(|failure| Fault::of_failure(ErrorCode::Unavailable, "reading an idempotency row", &failure))
        })
        .await?;
    first
        .map(|first| repeatable.answers(&first, given.iter().map(String::as_str)))
        .transpose()
}
