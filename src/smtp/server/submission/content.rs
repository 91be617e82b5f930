//! Takes a content in, from `DATA` to the answer that is on disk.

use std::io;
use std::time::Duration;

use sealpost_domain::limits;
use sealpost_domain::message::RejectReason;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout_at;

use super::envelope::{Envelope, of_not_taken};
use super::reply_code::ReplyCode;
use super::session::{Ground, Session, Step, answer};
use super::settings::Pace;
use crate::actors::{SendAnswer, Verdict};
use crate::compose::{AdoptRefusal, Entrance, KeepFailure, RecipientKind};
use crate::intake::{Addressee, HeldRoom, RawMail, RawRefusal, Trace, WishRefusal, WorkLost};
use crate::smtp::server::talk::Talk;
use crate::smtp::wire::{ContentFault, Progress, Reply, Unstuffer};

const CONTENT_BYTES_MAX: usize = limits::MESSAGE_BYTES_MAX as usize;
/// Ids that an answer names; the line would grow too long with more.
const IDS_SHOWN_MAX: usize = 8;

/// What came after `354`.
enum Taken {
    /// A content, and the room that it takes.
    Content(Vec<u8>, HeldRoom),
    /// None that is taken, and what that leads to.
    Not(Step),
}

/// Why a content is not taken to the desk.
enum Unfit {
    Raw(RawRefusal),
    Lost(WorkLost),
}

impl Session<'_> {
    /// `DATA` and what follows it.
    pub(super) async fn data<S>(&mut self, talk: &mut Talk<S>) -> io::Result<Step>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        // RFC 5321 §3.3: without an accepted recipient DATA is refused, also where it was pipelined.
        let Some(envelope) = self.envelope.take_if(|envelope| !envelope.recipients.is_empty()) else {
            return Ok(Step::refuse(match self.envelope {
                Some(_) => ReplyCode::NoRecipients,
                None => self.why_not_yet(),
            }));
        };
        talk.say(&answer(354, "Go ahead, end with a dot on a line of its own"));
        let room = self.house.desk.room().of_peer(self.peer);
        let step = match take(talk, room, &self.house.settings.pace).await? {
            Taken::Not(step) => step,
            Taken::Content(content, room) => {
                let step = self.submit(*envelope, content).await;
                drop(room);
                step
            }
        };
        let result = match &step {
            Step::Say(reply) | Step::SayAndEnd(reply, _) => reply.code() / 100,
        };
        let result = if result == 2 { "taken" } else { "refused" };
        metrics::counter!("sealpost_submission_messages_total", "result" => result).increment(1);
        Ok(step)
    }

    async fn submit(&self, envelope: Envelope, content: Vec<u8>) -> Step {
        let Envelope { caller, recipients, .. } = envelope;
        let desk = &self.house.desk;
        let (keeper, account) = (desk.keeper().clone(), caller.account);
        // Each recipient costs about as much as this much more content.
        let size_bytes = content.len().saturating_add(recipients.len().saturating_mul(512));
        let mail = RawMail {
            content,
            header_from: None,
            addressees: Some(recipients.into_iter().map(addressee).collect()),
            trace: Some(Trace {
                host: self.house.settings.host.clone(),
                entrance: match self.ground {
                    Ground::Tls => Entrance::Esmtpsa,
                    Ground::Clear | Ground::Loopback => Entrance::Esmtpa,
                },
            }),
            at: desk.now(),
        };
        let writing = move || {
            let plan = mail.plan().map_err(Unfit::Raw)?;
            plan.letter(&keeper, account).map_err(Unfit::Raw)
        };
        let letter = match desk.work_for(account, size_bytes, writing).await {
            Ok(letter) => letter,
            Err(unfit) => return of_unfit(&unfit),
        };
        match desk.accept(&caller, letter.prepared, letter.order).await {
            // Of copies the client hears nothing: whoever has none of its own recipients reached nobody.
            Ok(answers) => Step::Say(of_answers(answers.get(..letter.answered).unwrap_or(&answers))),
            Err(not_taken) => of_not_taken(&not_taken),
        }
    }
}

fn addressee(given: String) -> Addressee {
    Addressee {
        given,
        name: None,
        kind: RecipientKind::To,
    }
}

/// Reads a content to its end, whatever is wrong with it: a client that still writes would not see the answer. One that
/// writes too slowly, or far more than the limit, is left alone.
async fn take<S>(talk: &mut Talk<S>, mut room: HeldRoom, pace: &Pace) -> io::Result<Taken>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let began = tokio::time::Instant::now();
    let before = talk.read_bytes();
    let mut unstuffer = Unstuffer::new(CONTENT_BYTES_MAX);
    loop {
        let came = talk.read_bytes().saturating_sub(before);
        if came > limits::MESSAGE_BYTES_MAX.saturating_mul(2) {
            return Ok(Taken::Not(Step::end(ReplyCode::TooLarge)));
        }
        let deadline = began + pace.content_grace + Duration::from_secs(came / pace.content_bytes_per_s.max(1));
        match timeout_at(deadline, talk.content_step(&mut unstuffer)).await {
            Ok(Ok(Progress::Complete { .. })) => break,
            Ok(Ok(Progress::Incomplete)) => {
                if room.grow(unstuffer.kept_bytes()).is_err() {
                    unstuffer.give_up(ContentFault::NoRoom);
                    room.give_back();
                }
            }
            Ok(Err(error)) if error.kind() != io::ErrorKind::TimedOut => return Err(error),
            Ok(Err(_)) | Err(_) => return Ok(Taken::Not(Step::end(ReplyCode::TimedOut))),
        }
    }
    Ok(match unstuffer.finish() {
        Ok(content) => Taken::Content(content, room),
        Err(fault) => Taken::Not(Step::refuse(match fault {
            ContentFault::BareLineEnd => ReplyCode::BareLineEnd,
            ContentFault::TooLarge { .. } => ReplyCode::TooLarge,
            ContentFault::NoRoom => ReplyCode::Busy,
        })),
    })
}

impl From<WorkLost> for Unfit {
    fn from(lost: WorkLost) -> Self {
        Self::Lost(lost)
    }
}

fn of_unfit(unfit: &Unfit) -> Step {
    match unfit {
        Unfit::Raw(refusal) => of_raw(refusal),
        Unfit::Lost(lost) => {
            tracing::error!(error = %lost, "work for a submitted message was lost");
            Step::refuse(ReplyCode::Unavailable)
        }
    }
}

fn of_raw(refusal: &RawRefusal) -> Step {
    match refusal {
        RawRefusal::Adopt(AdoptRefusal::TooLarge { .. }) => Step::refuse(ReplyCode::TooLarge),
        RawRefusal::Adopt(AdoptRefusal::TooManyHops { .. }) => Step::refuse(ReplyCode::Loop),
        RawRefusal::Adopt(refusal) => Step::Say(ReplyCode::NotAMessage.about(&refusal.to_string())),
        RawRefusal::Wish(WishRefusal::NotOffered { header }) => Step::Say(ReplyCode::NotOffered.about(header)),
        RawRefusal::Wish(refusal) => Step::Say(ReplyCode::BadHeader.about(&refusal.to_string())),
        RawRefusal::SubjectTooLong => Step::refuse(ReplyCode::SubjectTooLong),
        RawRefusal::Kept(KeepFailure::Refused(refusal)) => {
            Step::Say(ReplyCode::NotAMessage.about(&refusal.to_string()))
        }
        RawRefusal::Kept(KeepFailure::DiskFull(_)) => Step::refuse(ReplyCode::DiskFull),
        RawRefusal::Kept(KeepFailure::Unavailable(_)) => Step::refuse(ReplyCode::Unavailable),
    }
}

/// The answer to a message whose recipients were all decided, and are all on disk.
fn of_answers(answers: &[SendAnswer]) -> Reply {
    let is_taken = |answer: &&SendAnswer| !matches!(answer.verdict, Verdict::Rejected(_));
    let ids: Vec<String> = answers
        .iter()
        .filter(is_taken)
        .map(|answer| answer.message.to_hex())
        .collect();
    if ids.is_empty() {
        return of_rejections(answers).reply();
    }
    let mut text = format!("2.0.0 Taken as {}", ids.get(..IDS_SHOWN_MAX).unwrap_or(&ids).join(" "));
    if ids.len() > IDS_SHOWN_MAX {
        text.push_str(&format!(" and {} more", ids.len() - IDS_SHOWN_MAX));
    }
    if ids.len() < answers.len() {
        text.push_str(&format!("; {} rejected", answers.len() - ids.len()));
    }
    answer(250, &text)
}

/// Why nobody gets it. What forbids the sender forbids it for all.
fn of_rejections(answers: &[SendAnswer]) -> ReplyCode {
    let code = |answer: &SendAnswer| match answer.verdict {
        Verdict::Rejected(RejectReason::Unsigned) => ReplyCode::FromNotOwned,
        Verdict::Rejected(RejectReason::KeyLimit) => ReplyCode::KeyLimit,
        Verdict::Rejected(RejectReason::InvalidRecipient) => ReplyCode::BadAddress,
        Verdict::Rejected(
            RejectReason::HardBounce | RejectReason::Complaint | RejectReason::Unsubscribed | RejectReason::Suppressed,
        )
        | Verdict::Accepted
        | Verdict::Held => ReplyCode::AllSuppressed,
    };
    answers.first().map_or(ReplyCode::NoRecipients, code)
}

#[cfg(test)]
mod tests {
    use sealpost_domain::ids::MessageId;
    use uuid::Uuid;

    use super::*;

    fn answers(verdicts: &[Verdict]) -> Vec<SendAnswer> {
        let numbered = verdicts.iter().zip(1_u128..);
        let answer = |(verdict, number): (&Verdict, u128)| SendAnswer {
            message: MessageId::from_uuid(Uuid::from_u128(number)),
            given: "ann@example.org".to_owned(),
            verdict: *verdict,
        };
        numbered.map(answer).collect()
    }

    fn text(verdicts: &[Verdict]) -> (u16, String) {
        let reply = of_answers(&answers(verdicts));
        (reply.code(), reply.text())
    }

    #[test]
    fn the_answer_names_what_was_taken_and_counts_the_rest() {
        let id = |number: u32| format!("{number:032x}");
        let one = text(&[Verdict::Accepted]);
        assert_eq!(one, (250, format!("2.0.0 Taken as {}", id(1))));
        let held = text(&[Verdict::Rejected(RejectReason::HardBounce), Verdict::Held]);
        assert_eq!(held, (250, format!("2.0.0 Taken as {}; 1 rejected", id(2))));
        let (_, many) = text(&[Verdict::Accepted; 1_000]);
        assert!(
            many.ends_with(&format!("{} and 992 more", id(8))) && many.len() < 500,
            "{many}"
        );
    }

    #[test]
    fn who_reaches_nobody_is_told_why() {
        use RejectReason::*;
        for (reason, code) in [
            (Unsigned, ReplyCode::FromNotOwned),
            (KeyLimit, ReplyCode::KeyLimit),
            (InvalidRecipient, ReplyCode::BadAddress),
            (HardBounce, ReplyCode::AllSuppressed),
            (Complaint, ReplyCode::AllSuppressed),
            (Unsubscribed, ReplyCode::AllSuppressed),
            (Suppressed, ReplyCode::AllSuppressed),
        ] {
            assert_eq!(
                of_answers(&answers(&[Verdict::Rejected(reason); 2])),
                code.reply(),
                "{reason:?}"
            );
        }
    }
}
