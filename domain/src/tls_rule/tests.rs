//! The rule as a table, and its laws over random walks.

mod laws;

use std::time::Duration;

use super::*;
use crate::Instant;
use crate::message::{DeferralReason, TlsLevel};

const AGES: [MailAge; 2] = [MailAge::Young, MailAge::Aged];

fn want(need: TlsNeed, age: MailAge) -> TlsWant {
    TlsWant { need, age }
}

#[test]
fn the_strictest_demand_wins_and_immediate_is_the_least() {
    let levels = [TlsLevel::Plain, TlsLevel::Encrypted, TlsLevel::Authenticated];
    for account in AccountTls::ALL {
        for message in levels {
            for route in levels {
                let need = TlsNeed::strictest(account, message, route);
                let least = account.least().max(message).max(route);
                assert_eq!(need.least(), least, "{account:?} {message:?} {route:?}");
                let at_once = account == AccountTls::Immediate && least == TlsLevel::Plain;
                assert_eq!(need == TlsNeed::Immediate, at_once, "{account:?} {message:?} {route:?}");
            }
        }
    }
}

#[test]
fn mail_is_aged_after_five_minutes_and_a_first_try() {
    let accepted = Instant::from_millis(1_000);
    for (after_ms, deferrals, age) in [
        (0, 0, MailAge::Young),
        (299_999, 3, MailAge::Young),
        (300_000, 1, MailAge::Aged),
        (300_000, 0, MailAge::Young),
        (86_400_000, 0, MailAge::Young),
        (86_400_000, 1, MailAge::Aged),
    ] {
        let now = accepted.plus(Duration::from_millis(after_ms));
        assert_eq!(MailAge::of(accepted, now, deferrals), age, "{after_ms} {deferrals}");
    }
    let before = Instant::from_millis(0);
    assert_eq!(
        MailAge::of(accepted, before, 5),
        MailAge::Young,
        "a clock that went back ages nothing"
    );
}

#[test]
fn after_each_failure_comes_the_next_best() {
    use ClearReason as Why;
    use Step::{NextHost, Reduced, StayInClear};
    use TlsFailure::*;
    use TlsNeed::{Authenticated, Encrypted, Immediate, Opportunistic};
    for age in AGES {
        for need in TlsNeed::ALL {
            let want = want(need, age);
            for failure in [Unready, Identity] {
                assert_eq!(want.after(failure, Hello::Full, Taint::None), NextHost);
            }
            for failure in [Handshake, OldVersion, Injected, AfterHandshake] {
                for before in [Taint::None, Taint::Refused, Taint::Handshake] {
                    assert_eq!(want.after(failure, Hello::Full, before), Reduced);
                    assert_eq!(want.after(failure, Hello::Reduced, before), NextHost);
                }
            }
        }
    }
    for (need, age, failure, step) in [
        (Opportunistic, MailAge::Young, NotOffered, StayInClear(Why::NotOffered)),
        (Opportunistic, MailAge::Aged, NotOffered, StayInClear(Why::NotOffered)),
        (Immediate, MailAge::Young, NotOffered, StayInClear(Why::NotOffered)),
        (Encrypted, MailAge::Aged, NotOffered, NextHost),
        (Authenticated, MailAge::Aged, NotOffered, NextHost),
        (Opportunistic, MailAge::Young, RefusedTransiently, NextHost),
        (Opportunistic, MailAge::Aged, RefusedTransiently, NextHost),
        (Opportunistic, MailAge::Young, RefusedPermanently, NextHost),
        (
            Immediate,
            MailAge::Young,
            RefusedTransiently,
            StayInClear(Why::StarttlsRefused),
        ),
        (
            Immediate,
            MailAge::Young,
            RefusedPermanently,
            StayInClear(Why::StarttlsRefused),
        ),
        (Encrypted, MailAge::Aged, RefusedPermanently, NextHost),
    ] {
        assert_eq!(
            want(need, age).after(failure, Hello::Full, Taint::None),
            step,
            "{need:?} {age:?} {failure:?}"
        );
        for before in [Taint::Refused, Taint::Handshake] {
            assert_eq!(
                want(need, age).after(failure, Hello::Full, before),
                NextHost,
                "clear text comes last"
            );
        }
    }
}

#[test]
fn clear_text_at_the_end_has_its_reason_or_is_none() {
    use ClearReason as Why;
    use MailAge::{Aged, Young};
    use TlsFailure::*;
    use TlsNeed::{Immediate, Opportunistic};
    let (none, refused, broken) = (Taint::None, Taint::Refused, Taint::Handshake);
    for (need, age, failure, seen, reason) in [
        (Opportunistic, Young, NotOffered, none, Some(Why::NotOffered)),
        (Opportunistic, Young, NotOffered, refused, None),
        (Opportunistic, Young, NotOffered, broken, None),
        (Opportunistic, Aged, NotOffered, broken, Some(Why::NotOfferedAged)),
        (Immediate, Young, NotOffered, broken, None),
        (Opportunistic, Young, RefusedTransiently, refused, None),
        (
            Opportunistic,
            Aged,
            RefusedTransiently,
            refused,
            Some(Why::StarttlsRefusedAged),
        ),
        (
            Opportunistic,
            Aged,
            RefusedPermanently,
            broken,
            Some(Why::StarttlsRefusedAged),
        ),
        (
            Immediate,
            Young,
            RefusedTransiently,
            refused,
            Some(Why::StarttlsRefused),
        ),
        (Immediate, Young, RefusedTransiently, broken, None),
        (Immediate, Young, Handshake, broken, None),
        (Immediate, Aged, Handshake, broken, Some(Why::HandshakeFailedAged)),
        (Opportunistic, Young, Handshake, broken, None),
        (Opportunistic, Aged, Handshake, broken, Some(Why::HandshakeFailedAged)),
        (Opportunistic, Aged, Injected, broken, Some(Why::HandshakeFailedAged)),
        (
            Opportunistic,
            Aged,
            AfterHandshake,
            broken,
            Some(Why::HandshakeFailedAged),
        ),
        (Opportunistic, Aged, OldVersion, broken, Some(Why::OldTlsAged)),
        (Opportunistic, Aged, Unready, broken, None),
        (Opportunistic, Aged, Identity, none, None),
    ] {
        assert_eq!(
            want(need, age).clear(failure, seen),
            reason,
            "{need:?} {age:?} {failure:?} {seen:?}"
        );
    }
}

#[test]
fn a_kept_session_carries_what_it_could_have_been_opened_for() {
    use ClearReason as Why;
    use MailAge::{Aged, Young};
    use TlsLevel::{Authenticated, Encrypted, Plain};
    use TlsNeed::{Immediate, Opportunistic};
    for (need, age, reached, clear, rides) in [
        (TlsNeed::Encrypted, Young, Encrypted, None, true),
        (TlsNeed::Encrypted, Aged, Plain, Some(Why::NotOffered), false),
        (TlsNeed::Authenticated, Aged, Encrypted, None, false),
        (TlsNeed::Authenticated, Young, Authenticated, None, true),
        (Opportunistic, Young, Authenticated, None, true),
        (Opportunistic, Young, Plain, Some(Why::NotOffered), true),
        (Opportunistic, Young, Plain, Some(Why::NotOfferedAged), false),
        (Opportunistic, Young, Plain, Some(Why::HandshakeFailedAged), false),
        (Immediate, Young, Plain, Some(Why::HandshakeFailedAged), false),
        (Opportunistic, Aged, Plain, Some(Why::HandshakeFailedAged), true),
        (Opportunistic, Young, Plain, Some(Why::StarttlsRefused), false),
        (Immediate, Young, Plain, Some(Why::StarttlsRefused), true),
        (Opportunistic, Aged, Plain, Some(Why::StarttlsRefused), true),
    ] {
        assert_eq!(
            want(need, age).rides(reached, clear),
            rides,
            "{need:?} {age:?} {reached:?} {clear:?}"
        );
    }
}

#[test]
fn a_deferral_for_tls_is_4_7_4_or_4_7_5_and_no_other_is() {
    let status = |reason| deferral_status(reason).map(|status| status.to_string());
    for (reason, expected) in [
        (DeferralReason::TlsNotOffered, Some("4.7.4")),
        (DeferralReason::TlsRefused, Some("4.7.4")),
        (DeferralReason::TlsBroken, Some("4.7.5")),
        (DeferralReason::TlsNotAuthenticated, Some("4.7.5")),
        (DeferralReason::ConnectFailed, None),
        (DeferralReason::Reply, None),
        (DeferralReason::Expired, None),
    ] {
        assert_eq!(status(reason).as_deref(), expected, "{reason:?}");
    }
}

#[test]
fn the_classes_are_named_as_the_documents_name_them() {
    let codes: Vec<&str> = TlsFailure::ALL.iter().map(|failure| failure.code()).collect();
    assert_eq!(codes, ["F0", "F1", "F2", "F3", "F4", "F4", "F5", "F6", "F7"]);
}
