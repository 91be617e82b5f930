//! Step six: what the end of a transaction means for the message, and whether the session may carry another.

use sealpost_domain::Personal;
use sealpost_domain::message::{
    Answered, AttemptOutcome, BounceKind, DeferralReason, EnhancedStatus, InDoubtCause, Judged, NotStartedReason,
    OutcomeClass, Reached, Reply, Timings, classify_reply,
};

use crate::actors::{Report, Reuse, StartRefused};
use crate::smtp::client::{Broken, Cause, EnvelopeFailure, Refusal, Stage, TransactionOutcome, Unsupported};
use crate::smtp::wire;

/// Longest reply text that is kept, in bytes.
const REPLY_TEXT_BYTES_MAX: usize = 1_024;

/// The end of a transaction.
pub(super) struct Finished {
    ended: Result<(AttemptOutcome, Reached), StartRefused>,
    reuse: Reuse,
}

impl Finished {
    fn ended(outcome: AttemptOutcome, reached: Reached, reuse: Reuse) -> Self {
        Self {
            ended: Ok((outcome, reached)),
            reuse,
        }
    }

    /// Nothing was asked of the server.
    pub(super) fn not_sent(reason: DeferralReason) -> Self {
        Self::ended(
            AttemptOutcome::Deferred { reason, reply: None },
            Reached::BeforeData,
            Reuse::Keep,
        )
    }

    /// The right to send was not given.
    pub(super) const fn not_granted(refused: StartRefused) -> Self {
        Self {
            ended: Err(refused),
            reuse: Reuse::Keep,
        }
    }

    /// The report for whoever holds the message.
    pub(super) fn report(self, timings: Timings) -> (Report, Reuse) {
        let report = match self.ended {
            Ok((outcome, reached)) => Report::Ended {
                outcome,
                reached,
                timings,
            },
            Err(refused) => Report::NotGranted(refused),
        };
        (report, self.reuse)
    }
}

/// The envelope was not taken, before the right to send was asked for.
pub(super) fn envelope_failure(failure: EnvelopeFailure) -> Finished {
    match failure {
        EnvelopeFailure::Unsupported(unsupported) => lacking(&unsupported),
        EnvelopeFailure::Refused(refusal) => refused(&refusal, Reached::BeforeData),
        EnvelopeFailure::Broken(broken) => {
            let outcome = AttemptOutcome::Deferred {
                reason: broken_reason(&broken),
                reply: None,
            };
            Finished::ended(outcome, Reached::BeforeData, Reuse::Close)
        }
    }
}

/// The transaction ended after the right to send was given. `kept` says whether the session had carried mail before:
/// a server may end such a one at any moment, which says nothing of the message.
pub(super) fn finish(outcome: TransactionOutcome, kept: bool) -> Finished {
    match outcome {
        TransactionOutcome::Accepted(reply) => {
            let reuse = if reply.closes_connection() {
                Reuse::Close
            } else {
                Reuse::Keep
            };
            Finished::ended(AttemptOutcome::Delivered(self::reply(&reply)), Reached::Data, reuse)
        }
        TransactionOutcome::RefusedAfterData(refusal) => refused(&refusal, Reached::Data),
        TransactionOutcome::RefusedAtData(refusal) | TransactionOutcome::RefusedBeforeData(refusal) => {
            refused(&refusal, Reached::BeforeData)
        }
        TransactionOutcome::Unsupported(unsupported) => lacking(&unsupported),
        TransactionOutcome::NotSent(broken) => not_sent(&broken, kept),
        TransactionOutcome::InDoubt(broken) => {
            let cause = match broken.cause {
                Cause::TimedOut { .. } => InDoubtCause::TimedOut,
                Cause::Unreadable(_) | Cause::Unasked { .. } | Cause::Meaningless { .. } => {
                    InDoubtCause::UnreadableReply
                }
                Cause::Closed | Cause::Io(_) | Cause::OutOfStep => InDoubtCause::ConnectionLost,
            };
            Finished::ended(AttemptOutcome::InDoubt(cause), Reached::Data, Reuse::Close)
        }
    }
}

fn not_sent(broken: &Broken, kept: bool) -> Finished {
    let reached = if broken.stage == Stage::Content {
        Reached::Data
    } else {
        Reached::BeforeData
    };
    let outcome = if kept && reached == Reached::BeforeData {
        AttemptOutcome::NotStarted(NotStartedReason::ConnectionLost)
    } else {
        AttemptOutcome::Deferred {
            reason: broken_reason(broken),
            reply: None,
        }
    };
    Finished::ended(outcome, reached, Reuse::Close)
}

fn broken_reason(broken: &Broken) -> DeferralReason {
    match broken.cause {
        Cause::Unreadable(_) | Cause::Unasked { .. } | Cause::Meaningless { .. } => DeferralReason::ProtocolError,
        Cause::TimedOut { .. } | Cause::Closed | Cause::Io(_) | Cause::OutOfStep => DeferralReason::ConnectionLost,
    }
}

fn refused(refusal: &Refusal, reached: Reached) -> Finished {
    let reuse = if refusal.reply.closes_connection() {
        Reuse::Close
    } else {
        Reuse::Keep
    };
    let outcome = if (400..600).contains(&refusal.reply.code()) {
        let answered = match refusal.stage {
            Stage::Rcpt => Answered::Recipient,
            Stage::Data | Stage::Content | Stage::FinalDot => Answered::Content,
            _ => Answered::Sender,
        };
        classify_reply(reply(&refusal.reply), answered)
    } else {
        // A yes where only a no or an intermediate reply makes sense is no yes.
        AttemptOutcome::Deferred {
            reason: DeferralReason::ProtocolError,
            reply: Some(reply(&refusal.reply)),
        }
    };
    Finished::ended(outcome, reached, reuse)
}

/// What the server will never be able to take, in the words that it would have used.
fn lacking(unsupported: &Unsupported) -> Finished {
    let (code, enhanced, class) = match unsupported {
        Unsupported::SmtpUtf8 => (553, EnhancedStatus(5, 6, 7), OutcomeClass::Protocol),
        Unsupported::RequireTls => (550, EnhancedStatus(5, 7, 30), OutcomeClass::Tls),
        Unsupported::TooLarge { .. } => (552, EnhancedStatus(5, 3, 4), OutcomeClass::Content),
    };
    let reply = Reply {
        code,
        enhanced: Some(enhanced),
        text: Personal::Known(unsupported.to_string()),
    };
    let outcome = AttemptOutcome::Bounced {
        kind: BounceKind::Policy,
        judged: Judged::plainly(class),
        reply,
    };
    Finished::ended(outcome, Reached::BeforeData, Reuse::Keep)
}

/// A reply as events carry it.
pub(super) fn reply(reply: &wire::Reply) -> Reply {
    let mut text = reply.text();
    if text.len() > REPLY_TEXT_BYTES_MAX {
        let end = (0..=REPLY_TEXT_BYTES_MAX)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        text.truncate(end);
    }
    Reply {
        code: reply.code(),
        enhanced: reply
            .enhanced()
            .map(|status| EnhancedStatus(status.class, status.subject, status.detail)),
        text: Personal::Known(text),
    }
}
