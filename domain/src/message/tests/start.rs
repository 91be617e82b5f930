//! The right to send: who gets it, who is refused, and what an unused one leaves behind.

use super::*;

fn start(n: u128, millis: i64) -> MessageCommand {
    // The caller's number is nothing: the decision counts.
    MessageCommand::StartAttempt(start_of(n, 77, millis))
}

#[test]
fn only_a_waiting_message_may_start() {
    in_each_phase(&start(9, ACCEPTED_MS + 10), |phase| match phase {
        Phase::Queued => Ok(vec![MessageEvent::DeliveryStarted(start_of(9, 1, ACCEPTED_MS + 10))]),
        phase => Err(not_idle(phase)),
    });
}

#[test]
fn an_open_attempt_is_not_started_again_under_its_own_id() {
    then_refusal(
        vec![accepted(), started(1)],
        start(1, ACCEPTED_MS + 20),
        MessageRefusal::AttemptOpen,
    );
}

#[test]
fn the_last_moment_of_a_message_is_before_its_expiry() {
    let last = EXPIRES_MS - 1;
    then_events(
        vec![accepted()],
        start(1, last),
        vec![MessageEvent::DeliveryStarted(start_of(1, 1, last))],
    );
    for late in [EXPIRES_MS, EXPIRES_MS + 1] {
        then_refusal(vec![accepted()], start(1, late), MessageRefusal::Expired);
    }
}

#[test]
fn a_held_message_that_expired_is_still_held_first() {
    then_refusal(vec![accepted(), held()], start(1, EXPIRES_MS), MessageRefusal::Held);
}

#[test]
fn attempts_are_numbered_by_deferrals_and_doubts_and_not_by_starts() {
    let not_started = |n| MessageEvent::DeliveryNotStarted {
        attempt_id: attempt(n),
        reason: NotStartedReason::ConnectionLost,
    };
    let deferred = MessageEvent::DeliveryDeferred {
        attempted: attempted(3, Reached::Data),
        reason: DeferralReason::Reply,
        reply: Some(reply(451)),
        next_attempt_at: at(ACCEPTED_MS + 60_000),
        judged: None,
    };
    let doubt = MessageEvent::DeliveryInDoubt {
        attempt_id: attempt(4),
        cause: InDoubtCause::TimedOut,
        resolution: Resolution::Resend {
            at: at(ACCEPTED_MS + 90_000),
        },
    };
    let mut given = vec![accepted()];
    for (event, closing, number) in [
        (1, not_started(1), 1),
        (2, not_started(2), 1),
        (3, deferred, 1),
        (4, doubt, 2),
        (5, not_started(5), 3),
    ] {
        let start_of = start_of(event, number, ACCEPTED_MS + 10);
        then_events(
            given.clone(),
            start(event, ACCEPTED_MS + 10),
            vec![MessageEvent::DeliveryStarted(start_of.clone())],
        );
        given.extend([MessageEvent::DeliveryStarted(start_of), closing]);
    }
}

#[test]
fn what_came_back_unbegun_is_due_at_its_start_even_when_that_was_ahead_of_the_schedule() {
    let deferred = MessageEvent::DeliveryDeferred {
        attempted: attempted(1, Reached::Data),
        reason: DeferralReason::Reply,
        reply: Some(reply(451)),
        next_attempt_at: at(ACCEPTED_MS + 60_000),
        judged: None,
    };
    let flushed = MessageEvent::DeliveryStarted(start_of(2, 2, ACCEPTED_MS + 5_000));
    let unbegun = MessageEvent::DeliveryNotStarted {
        attempt_id: attempt(2),
        reason: NotStartedReason::ConnectionLost,
    };
    let message = fold(&[accepted(), started(1), deferred, flushed, unbegun]);
    assert_eq!(message.phase, Phase::Queued);
    assert_eq!(message.due_at, Some(at(ACCEPTED_MS + 5_000)));
    assert_eq!(message.deferrals, 1);
}

/// The message of these tests, with this demand.
fn demanding(tls_required: TlsLevel) -> MessageEvent {
    MessageEvent::MessageAccepted(Box::new(Accepted {
        tls_required,
        ..*accept()
    }))
}

fn reaching(level: TlsLevel) -> Option<TlsFacts> {
    (level > TlsLevel::Plain).then(|| TlsFacts {
        version: "TLSv1.3".to_owned(),
        group: None,
        cipher: "TLS_AES_128_GCM_SHA256".to_owned(),
        certificate_sha256: "00".repeat(32),
        verdict: CertificateVerdict::SelfSigned,
        level,
    })
}

#[test]
fn no_session_below_the_message_s_own_demand_gets_the_right_to_send() {
    let levels = [TlsLevel::Plain, TlsLevel::Encrypted, TlsLevel::Authenticated];
    for required in levels {
        for level in levels {
            let started = Started {
                tls: reaching(level),
                ..*start_of(1, 1, ACCEPTED_MS + 10)
            };
            let when = MessageCommand::StartAttempt(Box::new(started.clone()));
            if level < required {
                then_refusal(vec![demanding(required)], when, MessageRefusal::TlsUnmet);
            } else {
                let then = MessageEvent::DeliveryStarted(Box::new(started));
                then_events(vec![demanding(required)], when, vec![then]);
            }
        }
    }
}

#[test]
fn clear_text_after_failed_tls_gets_the_right_to_send_only_after_five_minutes_and_a_first_try() {
    let deferred = MessageEvent::DeliveryDeferred {
        attempted: attempted(1, Reached::BeforeData),
        reason: DeferralReason::TlsBroken,
        reply: None,
        next_attempt_at: at(ACCEPTED_MS + 60_000),
        judged: None,
    };
    for reason in ClearReason::ALL {
        for (given, age_ms) in [
            (vec![accepted()], 299_999),
            (vec![accepted()], 300_000),
            (vec![accepted(), deferred.clone()], 299_999),
            (vec![accepted(), deferred.clone()], 300_000),
        ] {
            let number = u32::try_from(given.len()).unwrap();
            let started = Started {
                clear: Some(reason),
                ..*start_of(2, number, ACCEPTED_MS + age_ms)
            };
            let when = MessageCommand::StartAttempt(Box::new(started.clone()));
            if reason.is_of_aged_mail() && (number, age_ms) != (2, 300_000) {
                then_refusal(given, when, MessageRefusal::ClearTooEarly);
            } else {
                then_events(given, when, vec![MessageEvent::DeliveryStarted(Box::new(started))]);
            }
        }
    }
}
