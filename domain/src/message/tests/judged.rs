//! Outcomes with the class that the rules found, and what greylisting and the end of a message's time make of it.

use super::*;

fn said(code: u16, enhanced: Option<EnhancedStatus>, words: &str) -> Reply {
    Reply {
        code,
        enhanced,
        text: text(words),
    }
}

fn later(reply: Option<Reply>, reason: DeferralReason) -> AttemptOutcome {
    AttemptOutcome::Deferred { reason, reply }
}

/// What attempt 1 ends with when it is told this outcome.
fn end_of(given: Vec<MessageEvent>, attempted: Attempted, outcome: AttemptOutcome) -> MessageEvent {
    let events = TestFramework::<Message>::with(())
        .given(given)
        .when(record(attempted, outcome))
        .inspect_result()
        .unwrap();
    events.last().unwrap().clone()
}

fn wait_s(event: &MessageEvent) -> u64 {
    match event {
        MessageEvent::DeliveryDeferred {
            attempted,
            next_attempt_at,
            ..
        } => next_attempt_at.since(attempted.ended_at).as_secs(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn greylisting_is_waited_for_five_minutes_and_what_it_asks_for() {
    let greylisted = Some(EnhancedStatus(4, 7, 1));
    for (reply, class, wait) in [
        (said(450, greylisted, "4.7.1 come later"), OutcomeClass::Greylisted, 300),
        (said(451, None, "Greylisted"), OutcomeClass::Greylisted, 300),
        (
            said(450, greylisted, "4.7.1 try again in 600 seconds"),
            OutcomeClass::Greylisted,
            600,
        ),
        (
            said(450, greylisted, "4.7.1 try again in 1 second"),
            OutcomeClass::Greylisted,
            60,
        ),
        (
            said(450, greylisted, "4.7.1 try again in 90 hours"),
            OutcomeClass::Greylisted,
            3_603,
        ),
        (said(450, None, "busy"), OutcomeClass::Other, 60),
        // Others may say a number too: that is no reason to leave the schedule.
        (
            said(452, None, "full, try again in 600 seconds"),
            OutcomeClass::Quota,
            60,
        ),
    ] {
        let outcome = later(Some(reply.clone()), DeferralReason::Reply);
        let event = end_of(vec![accepted(), started(1)], attempted(1, Reached::Data), outcome);
        let MessageEvent::DeliveryDeferred { judged, .. } = &event else {
            panic!("{event:?}")
        };
        assert_eq!(judged.map(|judged| judged.class), Some(class), "{reply:?}");
        assert_eq!(wait_s(&event), wait, "{reply:?}");
    }
}

#[test]
fn what_no_server_explains_has_the_class_of_its_reason() {
    for (reason, class) in [
        (DeferralReason::ConnectFailed, OutcomeClass::Routing),
        (DeferralReason::LoginFailed, OutcomeClass::PolicyAuth),
        (DeferralReason::ProtocolError, OutcomeClass::Protocol),
        (DeferralReason::ContentUnavailable, OutcomeClass::Other),
    ] {
        let event = end_of(vec![accepted()], attempted(1, Reached::BeforeData), later(None, reason));
        let MessageEvent::DeliveryDeferred { judged, .. } = event else {
            panic!("{event:?}")
        };
        assert_eq!(judged, self::judged(class), "{reason:?}");
    }
}

#[test]
fn what_waits_for_tls_says_4_7_4_or_4_7_5_whatever_the_server_said() {
    for (reason, status) in [
        (DeferralReason::TlsNotOffered, EnhancedStatus(4, 7, 4)),
        (DeferralReason::TlsRefused, EnhancedStatus(4, 7, 4)),
        (DeferralReason::TlsBroken, EnhancedStatus(4, 7, 5)),
        (DeferralReason::TlsNotAuthenticated, EnhancedStatus(4, 7, 5)),
    ] {
        for reply in [None, Some(said(454, None, "4.7.0 too many connections, slow down"))] {
            let outcome = later(reply, reason);
            let event = end_of(vec![accepted()], attempted(1, Reached::BeforeData), outcome.clone());
            let MessageEvent::DeliveryDeferred { judged, .. } = event else {
                panic!("{event:?}")
            };
            let judged = judged.unwrap();
            assert_eq!(
                (judged.class, judged.status),
                (OutcomeClass::Tls, Some(status)),
                "{reason:?}"
            );
            let late = Attempted {
                ended_at: at(EXPIRES_MS),
                ..attempted(1, Reached::BeforeData)
            };
            let MessageEvent::MessageBounced { kind, judged, .. } = end_of(vec![accepted()], late, outcome) else {
                panic!("{reason:?}")
            };
            assert_eq!(kind, BounceKind::Expired, "it suppresses nobody");
            assert_eq!(judged.unwrap().class, OutcomeClass::TlsRequiredUnavailable);
        }
    }
}

#[test]
fn a_message_whose_time_is_over_died_of_what_last_kept_it() {
    let late = || Attempted {
        ended_at: at(EXPIRES_MS),
        ..attempted(2, Reached::BeforeData)
    };
    let deferred = |judged| MessageEvent::DeliveryDeferred {
        attempted: attempted(1, Reached::Data),
        reason: DeferralReason::TlsNotOffered,
        reply: None,
        next_attempt_at: at(ACCEPTED_MS + 60_000),
        judged,
    };
    let not_tried = || later(None, DeferralReason::Expired);
    let full = || later(Some(said(452, None, "full")), DeferralReason::Reply);
    for (given, outcome, class) in [
        (
            vec![accepted(), deferred(judged(OutcomeClass::Tls))],
            not_tried(),
            OutcomeClass::TlsRequiredUnavailable,
        ),
        (
            vec![accepted(), deferred(judged(OutcomeClass::Tls))],
            full(),
            OutcomeClass::Quota,
        ),
        // Stored before there were rules.
        (vec![accepted(), deferred(None)], not_tried(), OutcomeClass::Expired),
        (vec![accepted()], not_tried(), OutcomeClass::Expired),
    ] {
        let event = end_of(given, late(), outcome);
        let MessageEvent::MessageBounced { kind, judged, .. } = event else {
            panic!("{event:?}")
        };
        assert_eq!(kind, BounceKind::Expired);
        let judged = judged.unwrap();
        assert_eq!((judged.class, judged.status), (class, Some(EnhancedStatus(5, 4, 7))));
    }
}
