//! Laws of a message's history, read off its events alone: one end, one open attempt, a schedule that ends.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

use super::any_message::{accepted, attempted, commands, started};
use crate::ids::AttemptId;
use crate::instant::Instant;
use crate::message::*;
use crate::personal::Personal;

/// What a message has become of these commands; the refused ones change nothing.
fn history(commands: Vec<MessageCommand>) -> Vec<MessageEvent> {
    let mut message = Message::default();
    let mut events = Vec::new();
    for command in commands {
        for event in message.decide(command).unwrap_or_default() {
            message.evolve(&event);
            events.push(event);
        }
    }
    events
}

fn is_last(event: &MessageEvent) -> bool {
    match event {
        MessageEvent::MessageRejected(_)
        | MessageEvent::MessageDiscarded { .. }
        | MessageEvent::MessageDelivered { .. }
        | MessageEvent::MessageBounced { .. } => true,
        MessageEvent::MessageAccepted(_)
        | MessageEvent::MessageHeld { .. }
        | MessageEvent::MessageReleased { .. }
        | MessageEvent::DeliveryStarted(_)
        | MessageEvent::DeliveryNotStarted { .. }
        | MessageEvent::DeliveryDeferred { .. }
        | MessageEvent::DeliveryInDoubt { .. } => false,
    }
}

/// The attempt that an event tells the end of.
fn ended(event: &MessageEvent) -> Option<AttemptId> {
    match event {
        MessageEvent::DeliveryNotStarted { attempt_id, .. } | MessageEvent::DeliveryInDoubt { attempt_id, .. } => {
            Some(*attempt_id)
        }
        MessageEvent::DeliveryDeferred { attempted, .. }
        | MessageEvent::MessageDelivered { attempted, .. }
        | MessageEvent::MessageBounced { attempted, .. } => Some(attempted.attempt_id),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_message_begins_once_and_a_finished_one_never_gets_another_event(commands in commands()) {
        let events = history(commands);
        for (n, event) in events.iter().enumerate() {
            let begins = matches!(event, MessageEvent::MessageAccepted(_) | MessageEvent::MessageRejected(_));
            prop_assert_eq!(begins, n == 0, "event {} of {:?}", n, &events);
            prop_assert!(!is_last(event) || n + 1 == events.len(), "event {} of {:?}", n, &events);
        }
    }

    #[test]
    fn at_most_one_attempt_is_open_and_the_next_event_closes_it(commands in commands()) {
        let mut open = None;
        for event in history(commands) {
            if let Some(attempt_id) = open.take() {
                prop_assert_eq!(ended(&event), Some(attempt_id), "{:?} between a start and its end", &event);
            } else {
                let needs_a_start = matches!(
                    event,
                    MessageEvent::DeliveryNotStarted { .. }
                        | MessageEvent::DeliveryInDoubt { .. }
                        | MessageEvent::MessageDelivered { .. }
                );
                prop_assert!(!needs_a_start, "{:?} without a start", &event);
            }
            if let MessageEvent::DeliveryStarted(started) = event {
                open = Some(started.attempt_id);
            }
        }
    }

    #[test]
    fn attempts_are_numbered_by_what_was_deferred_or_in_doubt(commands in commands()) {
        let mut number = 1;
        for event in history(commands) {
            match event {
                MessageEvent::DeliveryStarted(started) => prop_assert_eq!(started.attempt, number),
                MessageEvent::DeliveryDeferred { .. } | MessageEvent::DeliveryInDoubt { .. } => number += 1,
                _ => {}
            }
        }
    }

    #[test]
    fn a_deferral_lies_between_its_attempt_and_the_expiry(commands in commands()) {
        let mut expires_at = None;
        for event in history(commands) {
            match event {
                MessageEvent::MessageAccepted(accepted) => expires_at = Some(accepted.expires_at),
                MessageEvent::DeliveryDeferred { attempted, next_attempt_at, .. } => {
                    prop_assert!(attempted.ended_at < next_attempt_at);
                    prop_assert!(Some(next_attempt_at) < expires_at);
                    // The longest delay there is (900 s without a schedule) and its spread.
                    prop_assert!(next_attempt_at.since(attempted.ended_at) <= Duration::from_secs(990));
                }
                MessageEvent::DeliveryStarted(started) => prop_assert!(Some(started.started_at) < expires_at),
                _ => {}
            }
        }
    }
}

/// How an attempt fails in the trial below; none of them ends the message by itself.
#[derive(Debug, Clone, Copy)]
enum Failure {
    RefusedAtTheDoor,
    RefusedBeforeData,
    RefusedAfterData,
    InDoubt,
}

fn failure() -> impl Strategy<Value = Failure> {
    prop_oneof![
        Just(Failure::RefusedAtTheDoor),
        Just(Failure::RefusedBeforeData),
        Just(Failure::RefusedAfterData),
        Just(Failure::InDoubt),
    ]
}

/// A message that nobody takes: it is tried whenever it is due, and time passes with its schedule alone.
struct Trial {
    message: Message,
    retry: RetryPolicy,
}

impl Trial {
    fn ask(&mut self, command: MessageCommand) -> Result<(), MessageRefusal> {
        let events = self.message.decide(command)?;
        events.iter().for_each(|event| self.message.evolve(event));
        Ok(())
    }

    /// One attempt at its due time.
    fn attempt(&mut self, n: u32, failure: Failure) {
        let now = self.message.due_at.unwrap();
        let id = AttemptId::from_uuid(Uuid::from_u128(u128::from(n)));
        if !matches!(failure, Failure::RefusedAtTheDoor) {
            let start = MessageCommand::StartAttempt(Box::new(started(id, now, Personal::Erased)));
            match self.ask(start) {
                Ok(()) => {}
                Err(MessageRefusal::Expired) => return self.record(id, Reached::BeforeData, later(), now),
                Err(refusal) => panic!("{refusal}"),
            }
        }
        match failure {
            Failure::RefusedAtTheDoor | Failure::RefusedBeforeData => {
                self.record(id, Reached::BeforeData, later(), now)
            }
            Failure::RefusedAfterData => self.record(id, Reached::Data, later(), now),
            Failure::InDoubt => self.record(id, Reached::Data, AttemptOutcome::InDoubt(InDoubtCause::TimedOut), now),
        }
    }

    fn record(&mut self, id: AttemptId, reached: Reached, outcome: AttemptOutcome, now: Instant) {
        let command = MessageCommand::RecordOutcome {
            attempted: Box::new(attempted(id, reached, now)),
            outcome,
            retry: self.retry.clone(),
            in_doubt: InDoubtPolicy::Resend,
        };
        self.ask(command).unwrap();
    }
}

fn later() -> AttemptOutcome {
    AttemptOutcome::Deferred {
        reason: DeferralReason::Reply,
        reply: None,
    }
}

proptest! {
    #[test]
    fn a_message_that_nobody_takes_bounces_after_a_bounded_number_of_attempts(
        delays_s in vec(10_u32..600, 1..6),
        life_s in 1_u32..3_600,
        failures in vec(failure(), 1..10),
    ) {
        let begin = Instant::from_millis(0);
        let expires_at = begin.plus(Duration::from_secs(life_s.into()));
        // A delay that repeats may be a tenth shorter.
        let attempts_max = life_s * 10 / (delays_s.iter().min().unwrap() * 9) + 2;
        let mut trial = Trial { message: Message::default(), retry: RetryPolicy { delays_s } };
        let accept = accepted(begin, expires_at, Personal::Erased);
        trial.ask(MessageCommand::Accept(Box::new(accept))).unwrap();
        let mut attempts = 0;
        for failure in failures.iter().cycle() {
            if trial.message.is_finished() {
                break;
            }
            attempts += 1;
            prop_assert!(attempts <= attempts_max, "{:?} is tried for ever", trial.message);
            trial.attempt(attempts, *failure);
        }
        prop_assert_eq!(trial.message.phase, Phase::Bounced);
    }
}
