//! Given/when/then of the suppression list.

use cqrs_es::test::TestFramework;

use super::*;
use crate::address::AddressToken;
use crate::instant::Instant;
use crate::personal::Personal;

fn token() -> AddressToken {
    AddressToken::from_mac([7; 16])
}

fn suppressed() -> SuppressionEvent {
    SuppressionEvent::AddressSuppressed {
        token: token(),
        address: Personal::Erased,
        reason: SuppressionReason::HardBounce,
        until: None,
    }
}

fn suppress() -> SuppressionCommand {
    SuppressionCommand::SuppressAddress {
        token: token(),
        address: Personal::Erased,
        reason: SuppressionReason::HardBounce,
        until: None,
    }
}

fn framework() -> TestFramework<Suppression> {
    TestFramework::with(())
}

#[test]
fn an_address_is_suppressed_once() {
    framework()
        .given_no_previous_events()
        .when(suppress())
        .then_expect_events(vec![suppressed()]);
    framework()
        .given(vec![suppressed()])
        .when(suppress())
        .then_expect_error(SuppressionRefusal::AlreadySuppressed);
}

/// A suppression by hand until this many milliseconds after 1970, or for ever.
fn by_hand(until: Option<i64>) -> (SuppressionCommand, SuppressionEvent) {
    let until = until.map(Instant::from_millis);
    let (address, reason) = (Personal::Erased, SuppressionReason::Manual);
    let command = SuppressionCommand::SuppressAddress {
        token: token(),
        address: address.clone(),
        reason,
        until,
    };
    let token = token();
    let event = SuppressionEvent::AddressSuppressed {
        token,
        address,
        reason,
        until,
    };
    (command, event)
}

#[test]
fn a_suppression_is_recorded_again_when_it_lasts_longer() {
    for (old, new) in [(Some(5), Some(5)), (Some(5), Some(4)), (None, Some(5)), (None, None)] {
        framework()
            .given(vec![by_hand(old).1])
            .when(by_hand(new).0)
            .then_expect_error(SuppressionRefusal::AlreadySuppressed);
    }
    for (old, new) in [(Some(5), Some(6)), (Some(5), None)] {
        let (command, event) = by_hand(new);
        framework()
            .given(vec![by_hand(old).1])
            .when(command)
            .then_expect_events(vec![event]);
    }
}

#[test]
fn another_reason_is_recorded_beside_the_first() {
    let (command, event) = by_hand(None);
    framework()
        .given(vec![suppressed()])
        .when(command)
        .then_expect_events(vec![event]);
}

#[test]
fn a_suppressed_address_is_released_and_then_free_to_be_suppressed_again() {
    let released = SuppressionEvent::AddressReleased { token: token() };
    framework()
        .given(vec![suppressed()])
        .when(SuppressionCommand::ReleaseAddress { token: token() })
        .then_expect_events(vec![released.clone()]);
    framework()
        .given(vec![suppressed(), released])
        .when(suppress())
        .then_expect_events(vec![suppressed()]);
}

#[test]
fn what_is_not_suppressed_is_not_released() {
    framework()
        .given_no_previous_events()
        .when(SuppressionCommand::ReleaseAddress { token: token() })
        .then_expect_error(SuppressionRefusal::NotSuppressed);
}
