//! Given/when/then of `api_key`, and what a key admits in each standing.

use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::*;
use crate::ids::{AccountId, KeyId};
use crate::instant::Instant;
use crate::personal::Personal;
use crate::rights::{KeyHash, KeyKind, KeyLimit, KeyLimits, KeyWorld, Method};

fn issue(kind: KeyKind) -> Issued {
    Issued {
        account: AccountId::from_uuid(Uuid::from_u128(1)),
        key: KeyId::from_uuid(Uuid::from_u128(2)),
        kind,
        world: KeyWorld::Live,
        hash: KeyHash::from_hex("00".repeat(32)),
        display: "spk_live_…wxyz".to_owned(),
        label: Personal::Known("shop".to_owned()),
        limits: KeyLimits {
            methods: vec![Method::named("messages/send")],
            ..KeyLimits::default()
        },
        issued_at: Instant::from_millis(1_000),
    }
}

fn issued() -> ApiKeyEvent {
    ApiKeyEvent::KeyIssued(Box::new(issue(KeyKind::Sending)))
}

fn reason() -> Personal<String> {
    Personal::Known("leaked".to_owned())
}

fn freeze() -> ApiKeyCommand {
    ApiKeyCommand::FreezeKey { reason: reason() }
}

fn frozen() -> ApiKeyEvent {
    ApiKeyEvent::KeyFrozen { reason: reason() }
}

fn revoke() -> ApiKeyCommand {
    ApiKeyCommand::RevokeKey { reason: reason() }
}

fn revoked() -> ApiKeyEvent {
    ApiKeyEvent::KeyRevoked { reason: reason() }
}

fn refuse_use() -> ApiKeyCommand {
    ApiKeyCommand::RefuseUse {
        refusal: UseRefusal::Limit(KeyLimit::Method),
        method: Method::named("messages/send"),
        ip: Personal::Known("203.0.113.9".parse().unwrap()),
        at: Instant::from_millis(2_000),
    }
}

fn use_refused() -> ApiKeyEvent {
    ApiKeyEvent::KeyUseRefused {
        refusal: UseRefusal::Limit(KeyLimit::Method),
        method: Method::named("messages/send"),
        ip: Personal::Known("203.0.113.9".parse().unwrap()),
        refused_at: Instant::from_millis(2_000),
    }
}

fn then_event(given: Vec<ApiKeyEvent>, when: ApiKeyCommand, then: ApiKeyEvent) {
    TestFramework::<ApiKey>::with(())
        .given(given)
        .when(when)
        .then_expect_events(vec![then]);
}

fn then_refusal(given: Vec<ApiKeyEvent>, when: ApiKeyCommand, then: ApiKeyRefusal) {
    TestFramework::<ApiKey>::with(())
        .given(given)
        .when(when)
        .then_expect_error(then);
}

#[test]
fn a_key_is_issued_once_whatever_became_of_it() {
    let issue = || ApiKeyCommand::IssueKey(Box::new(issue(KeyKind::Sending)));
    then_event(vec![], issue(), issued());
    for given in [vec![issued()], vec![issued(), frozen()], vec![issued(), revoked()]] {
        then_refusal(given, issue(), ApiKeyRefusal::AlreadyIssued);
    }
}

#[test]
fn nothing_is_asked_of_a_key_that_is_not_there() {
    for command in [freeze(), ApiKeyCommand::ThawKey, revoke(), refuse_use()] {
        then_refusal(vec![], command, ApiKeyRefusal::Unknown);
    }
}

#[test]
fn a_key_is_frozen_and_thawed_and_frozen_again() {
    let thawed = ApiKeyEvent::KeyThawed;
    then_event(vec![issued()], freeze(), frozen());
    then_refusal(vec![issued(), frozen()], freeze(), ApiKeyRefusal::KeyAlreadyFrozen);
    then_event(vec![issued(), frozen()], ApiKeyCommand::ThawKey, thawed.clone());
    then_refusal(vec![issued()], ApiKeyCommand::ThawKey, ApiKeyRefusal::KeyNotFrozen);
    then_event(vec![issued(), frozen(), thawed], freeze(), frozen());
}

#[test]
fn a_key_is_revoked_for_ever() {
    then_event(vec![issued()], revoke(), revoked());
    then_event(vec![issued(), frozen()], revoke(), revoked());
    for command in [freeze(), ApiKeyCommand::ThawKey, revoke()] {
        then_refusal(vec![issued(), revoked()], command, ApiKeyRefusal::KeyAlreadyRevoked);
    }
}

#[test]
fn a_revoked_key_holds_what_it_held_until_it_is_thawed_and_stays_revoked() {
    let history = [issued(), frozen(), revoked()];
    then_event(history.to_vec(), ApiKeyCommand::ThawKey, ApiKeyEvent::KeyThawed);
    let mut key = ApiKey::default();
    for event in &history {
        key.evolve(event);
    }
    assert!(key.holds_mail && key.standing == KeyStanding::Revoked);
    key.evolve(&ApiKeyEvent::KeyThawed);
    assert!(!key.holds_mail && key.standing == KeyStanding::Revoked);
}

#[test]
fn a_refused_use_is_news_in_every_standing() {
    for given in [vec![issued()], vec![issued(), frozen()], vec![issued(), revoked()]] {
        then_event(given, refuse_use(), use_refused());
    }
}

/// What a key with this history says to a call.
fn admit(given: &[ApiKeyEvent], needs: KeyKind, method: &str) -> Result<(), UseRefusal> {
    let mut key = ApiKey::default();
    given.iter().for_each(|event| key.evolve(event));
    key.admit(&Method::named(method), needs, Instant::from_millis(3_000))
}

#[test]
fn a_call_is_admitted_by_an_active_and_by_a_frozen_sending_key() {
    for given in [vec![issued()], vec![issued(), frozen()], vec![issued(), use_refused()]] {
        assert_eq!(admit(&given, KeyKind::Sending, "messages/send"), Ok(()));
    }
    let management = [ApiKeyEvent::KeyIssued(Box::new(issue(KeyKind::Management)))];
    assert_eq!(admit(&management, KeyKind::Management, "messages/send"), Ok(()));
    assert_eq!(admit(&management, KeyKind::Sending, "messages/send"), Ok(()));
}

#[test]
fn a_frozen_management_key_may_do_nothing_until_it_is_thawed() {
    let issued = ApiKeyEvent::KeyIssued(Box::new(issue(KeyKind::Management)));
    let mut history = vec![issued, frozen()];
    for (needs, method) in [
        (KeyKind::Management, "keys/thaw"),
        (KeyKind::Management, "keys/issue"),
        (KeyKind::Sending, "messages/send"),
    ] {
        assert_eq!(
            admit(&history, needs, method),
            Err(UseRefusal::ManagementFrozen),
            "{method}"
        );
    }
    history.push(ApiKeyEvent::KeyThawed);
    assert_eq!(admit(&history, KeyKind::Management, "messages/send"), Ok(()));
}

#[test]
fn a_call_is_refused_with_the_first_reason_against_it() {
    assert_eq!(admit(&[], KeyKind::Sending, "messages/send"), Err(UseRefusal::Revoked));
    let ended = [issued(), revoked()];
    assert_eq!(
        admit(&ended, KeyKind::Management, "keys/issue"),
        Err(UseRefusal::Revoked)
    );
    assert_eq!(
        admit(&[issued()], KeyKind::Management, "keys/issue"),
        Err(UseRefusal::NotManagement)
    );
    assert_eq!(
        admit(&[issued()], KeyKind::Sending, "keys/issue"),
        Err(UseRefusal::Limit(KeyLimit::Method))
    );
}
