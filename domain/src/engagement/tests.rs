//! Given/when/then of a message's late facts.

use cqrs_es::test::TestFramework;
use proptest::prelude::*;

use super::*;
use crate::instant::Instant;
use crate::limits::REPORTS_PER_MESSAGE_MAX;
use crate::message::{BounceKind, EnhancedStatus, Judged, OutcomeClass, Reply};
use crate::personal::Personal;

fn digest(number: u64) -> ReportDigest {
    ReportDigest::from_hex(format!("{number:064x}"))
}

fn bounce(number: u64) -> Box<Bounce> {
    Box::new(Bounce {
        kind: BounceKind::Hard,
        judged: Judged::plainly(OutcomeClass::RecipientUnknown),
        reply: Reply {
            code: 550,
            enhanced: Some(EnhancedStatus(5, 1, 1)),
            text: Personal::Known("5.1.1 no such user".to_owned()),
        },
        remote_mta: Some("mx.example.org".to_owned()),
        reporting_mta: None,
        report: digest(number),
        received_at: Instant::from_millis(1_000),
    })
}

fn complaint(number: u64) -> Box<Complaint> {
    Box::new(Complaint {
        kind: ComplaintKind::Abuse,
        reporter: Personal::Known("Feedback/1.0".to_owned()),
        reporting_mta: None,
        report: digest(number),
        received_at: Instant::from_millis(1_000),
    })
}

fn framework() -> TestFramework<Engagement> {
    TestFramework::with(())
}

#[test]
fn a_bounce_is_received() {
    framework()
        .given_no_previous_events()
        .when(EngagementCommand::ReceiveBounce(bounce(1)))
        .then_expect_events(vec![EngagementEvent::BounceReceived(bounce(1))]);
}

#[test]
fn a_complaint_is_received_behind_a_bounce() {
    framework()
        .given(vec![EngagementEvent::BounceReceived(bounce(1))])
        .when(EngagementCommand::ReceiveComplaint(complaint(2)))
        .then_expect_events(vec![EngagementEvent::ComplaintReceived(complaint(2))]);
}

#[test]
fn the_same_report_is_on_record_once() {
    framework()
        .given(vec![EngagementEvent::BounceReceived(bounce(1))])
        .when(EngagementCommand::ReceiveBounce(bounce(1)))
        .then_expect_error(EngagementRefusal::AlreadyReported);
    framework()
        .given(vec![EngagementEvent::ComplaintReceived(complaint(1))])
        .when(EngagementCommand::ReceiveComplaint(complaint(1)))
        .then_expect_error(EngagementRefusal::AlreadyReported);
}

#[test]
fn a_message_has_so_many_reports_and_no_more() {
    let full = |count| {
        (1..=count)
            .map(|n| EngagementEvent::BounceReceived(bounce(n)))
            .collect()
    };
    framework()
        .given(full(REPORTS_PER_MESSAGE_MAX - 1))
        .when(EngagementCommand::ReceiveComplaint(complaint(99)))
        .then_expect_events(vec![EngagementEvent::ComplaintReceived(complaint(99))]);
    framework()
        .given(full(REPORTS_PER_MESSAGE_MAX))
        .when(EngagementCommand::ReceiveComplaint(complaint(99)))
        .then_expect_error(EngagementRefusal::EnoughReports);
    framework()
        .given(full(REPORTS_PER_MESSAGE_MAX))
        .when(EngagementCommand::ReceiveBounce(bounce(1)))
        .then_expect_error(EngagementRefusal::AlreadyReported);
}

proptest! {
    #[test]
    fn each_report_is_on_record_at_most_once_and_all_together_are_few(numbers in prop::collection::vec(0_u64..20, 0..60)) {
        let mut state = Engagement::default();
        let mut events = Vec::new();
        for (turn, number) in numbers.into_iter().enumerate() {
            let command = if turn % 2 == 0 {
                EngagementCommand::ReceiveBounce(bounce(number))
            } else {
                EngagementCommand::ReceiveComplaint(complaint(number))
            };
            for event in state.decide(command).unwrap_or_default() {
                state.evolve(&event);
                events.push(event);
            }
        }
        prop_assert_eq!(events.len(), state.reports.len());
        prop_assert!(events.len() as u64 <= REPORTS_PER_MESSAGE_MAX);
    }
}
