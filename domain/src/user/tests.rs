//! Given/when/then of `user`.

use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::*;
use crate::ids::UserId;
use crate::personal::Personal;

fn ann() -> UserId {
    UserId::from_uuid(Uuid::from_u128(1))
}

fn text(value: &str) -> Personal<String> {
    Personal::Known(value.to_owned())
}

fn register() -> UserCommand {
    UserCommand::RegisterUser {
        user: ann(),
        login: text("ann@example.org"),
        login_token: LoginToken::from_hex("ab".to_owned()),
        password_hash: text("first"),
        role: Role::Owner,
    }
}

fn registered() -> UserEvent {
    UserEvent::UserRegistered {
        user: ann(),
        login: text("ann@example.org"),
        login_token: LoginToken::from_hex("ab".to_owned()),
        password_hash: text("first"),
        role: Role::Owner,
    }
}

fn change() -> UserCommand {
    UserCommand::ChangePassword {
        password_hash: text("second"),
    }
}

fn framework() -> TestFramework<User> {
    TestFramework::with(())
}

#[test]
fn a_person_is_registered_once() {
    framework()
        .given_no_previous_events()
        .when(register())
        .then_expect_events(vec![registered()]);
    framework()
        .given(vec![registered()])
        .when(register())
        .then_expect_error(UserRefusal::AlreadyRegistered);
}

#[test]
fn the_password_of_a_registered_person_is_changed_and_the_event_names_the_person() {
    let changed = UserEvent::PasswordChanged {
        user: ann(),
        password_hash: text("second"),
    };
    framework()
        .given(vec![registered()])
        .when(change())
        .then_expect_events(vec![changed.clone()]);
    framework()
        .given(vec![registered(), changed.clone()])
        .when(change())
        .then_expect_events(vec![changed]);
}

#[test]
fn nobody_has_no_password() {
    framework()
        .given_no_previous_events()
        .when(change())
        .then_expect_error(UserRefusal::Unknown);
}
