//! Given/when/then of the suppression list.

use cqrs_es::test::TestFramework;

use super::*;
use crate::address::AddressToken;
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
