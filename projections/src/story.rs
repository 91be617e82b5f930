//! Stories of messages, driven through the domain's own decisions, for the tests of this crate.

use std::sync::Arc;

use sealpost_domain::engagement::{Bounce, Complaint, ComplaintKind, Engagement, EngagementCommand, ReportDigest};
use sealpost_domain::event::StreamId;
use sealpost_domain::ids::AttemptId;
use sealpost_domain::message::{
    AttemptOutcome, Attempted, BounceKind, DeferralReason, HoldReason, InDoubtCause, InDoubtPolicy, Judged, Message,
    MessageCommand, MessageEvent, NotStartedReason, OutcomeClass, Reached, RetryPolicy, Started, Timings,
};
use sealpost_domain::metadata::Actor;
use sealpost_domain::{Instant, Personal};

use crate::projection::EventSource;
use crate::sample::{MemoryLog, accepted, account, at, attempt, message, rejected, reply, tls};

/// What can be asked of a message, chosen by chance in the property tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Accept,
    Reject,
    Hold,
    Release,
    Discard,
    Start,
    Deliver,
    Bounce,
    BounceBeforeData,
    Defer,
    NotStarted,
    DoubtAndResend,
    DoubtAndHold,
    Declare,
    BounceLate,
    Complain,
}

impl Act {
    pub const ALL: [Self; 16] = [
        Self::Accept,
        Self::Reject,
        Self::Hold,
        Self::Release,
        Self::Discard,
        Self::Start,
        Self::Deliver,
        Self::Bounce,
        Self::BounceBeforeData,
        Self::Defer,
        Self::NotStarted,
        Self::DoubtAndResend,
        Self::DoubtAndHold,
        Self::Declare,
        Self::BounceLate,
        Self::Complain,
    ];
}

/// A message and its stream, driven through the domain's own decisions.
pub(crate) struct Story {
    pub number: u128,
    pub state: Message,
    pub sequence: u64,
    starts: u128,
    engagement: Engagement,
    reports: u64,
    log: Arc<MemoryLog>,
}

impl Story {
    pub fn new(log: &Arc<MemoryLog>, number: u128) -> Self {
        Self {
            number,
            state: Message::default(),
            sequence: 0,
            starts: 0,
            engagement: Engagement::default(),
            reports: 0,
            log: Arc::clone(log),
        }
    }

    /// Asks for something; a refusal changes nothing.
    pub fn act(&mut self, act: Act) -> &mut Self {
        match self.command(act) {
            Some(command) => self.ask(command),
            None => self.report(act),
        }
    }

    /// A report comes in, whatever the message's own stream says.
    fn report(&mut self, act: Act) -> &mut Self {
        self.reports += 1;
        let (report, received_at) = (ReportDigest::from_hex(self.reports.to_string()), self.now());
        let command = if act == Act::Complain {
            EngagementCommand::ReceiveComplaint(Box::new(Complaint {
                kind: ComplaintKind::Abuse,
                reporter: Personal::Known("Feedback/1".to_owned()),
                reporting_mta: Some("mx.example.org".to_owned()),
                report,
                received_at,
            }))
        } else {
            EngagementCommand::ReceiveBounce(Box::new(Bounce {
                kind: BounceKind::Hard,
                judged: Judged::plainly(OutcomeClass::RecipientUnknown),
                reply: reply(550),
                remote_mta: Some("mx.example.org".to_owned()),
                reporting_mta: None,
                report,
                received_at,
            }))
        };
        for event in self.engagement.decide(command).unwrap_or_default() {
            self.engagement.evolve(&event);
            let sequence = u64::try_from(self.engagement.reports.len()).unwrap();
            let stream = StreamId::engagement(message(self.number));
            self.log.append(Some(account()), stream, sequence, event);
        }
        self
    }

    pub fn accept(&mut self, recipient: &str, subject: &str) -> &mut Self {
        let accepted = accepted(self.number, recipient, subject, self.now());
        self.ask(MessageCommand::Accept(Box::new(accepted)))
    }

    pub fn ask(&mut self, command: MessageCommand) -> &mut Self {
        for event in self.state.decide(command).unwrap_or_default() {
            self.tell(event);
        }
        self
    }

    pub fn tell(&mut self, event: MessageEvent) -> &mut Self {
        self.state.evolve(&event);
        self.sequence += 1;
        let stream = StreamId::message(message(self.number));
        self.log.append(Some(account()), stream, self.sequence, event);
        self
    }

    fn now(&self) -> Instant {
        at(self.log.head() + 1)
    }

    fn command(&mut self, act: Act) -> Option<MessageCommand> {
        let outcome = match act {
            Act::Accept => {
                let accepted = accepted(self.number, "ann@example.org", "Hello", self.now());
                return Some(MessageCommand::Accept(Box::new(accepted)));
            }
            Act::Reject => {
                return Some(MessageCommand::Reject(Box::new(rejected(
                    "ann@example.org",
                    self.now(),
                ))));
            }
            Act::Hold => {
                return Some(MessageCommand::Hold {
                    reason: HoldReason::Asked,
                    by: Actor::Operator,
                });
            }
            Act::Release => return Some(MessageCommand::Release { by: Actor::Operator }),
            Act::Discard => return Some(MessageCommand::Discard { by: Actor::Operator }),
            Act::Start => return Some(self.start()),
            Act::BounceLate | Act::Complain => return None,
            Act::Declare => {
                return Some(MessageCommand::DeclareInDoubt {
                    attempt_id: self.open_attempt(),
                    cause: InDoubtCause::ProcessEnded,
                    at: self.now(),
                    retry: RetryPolicy::default(),
                    in_doubt: InDoubtPolicy::Resend,
                });
            }
            Act::Deliver => AttemptOutcome::Delivered(reply(250)),
            Act::Bounce | Act::BounceBeforeData => AttemptOutcome::Bounced {
                kind: BounceKind::Hard,
                judged: Judged::plainly(OutcomeClass::RecipientUnknown),
                reply: reply(550),
            },
            Act::Defer => AttemptOutcome::Deferred {
                reason: DeferralReason::Reply,
                reply: Some(reply(450)),
            },
            Act::NotStarted => AttemptOutcome::NotStarted(NotStartedReason::ConnectionLost),
            Act::DoubtAndResend | Act::DoubtAndHold => AttemptOutcome::InDoubt(InDoubtCause::ConnectionLost),
        };
        Some(self.outcome(act, outcome))
    }

    fn outcome(&self, act: Act, outcome: AttemptOutcome) -> MessageCommand {
        MessageCommand::RecordOutcome {
            attempted: Box::new(Attempted {
                attempt_id: self.open_attempt(),
                host: Some("mx.example.org".to_owned()),
                peer: None,
                tls: Some(tls()),
                tls_record: None,
                reached: if act == Act::BounceBeforeData {
                    Reached::BeforeData
                } else {
                    Reached::Data
                },
                timings: Timings {
                    connect_ms: 3,
                    transact_ms: 5,
                },
                ended_at: self.now(),
            }),
            outcome,
            retry: RetryPolicy::default(),
            in_doubt: if act == Act::DoubtAndHold {
                InDoubtPolicy::Hold
            } else {
                InDoubtPolicy::Resend
            },
        }
    }

    fn start(&mut self) -> MessageCommand {
        self.starts += 1;
        MessageCommand::StartAttempt(Box::new(Started {
            attempt: 0,
            attempt_id: self.open_attempt(),
            host: "mx.example.org".to_owned(),
            peer: "192.0.2.25:25".to_owned(),
            content_sha256: "cd".repeat(32),
            content_bytes: 654,
            prepended: Personal::Known("Received: here\r\n".to_owned()),
            tls: Some(tls()),
            clear: None,
            started_at: self.now(),
        }))
    }

    fn open_attempt(&self) -> AttemptId {
        attempt(self.number * 1_000 + self.starts)
    }
}
