//! Given/when/then of `account`.

use cqrs_es::test::TestFramework;

use super::*;
use crate::message::InDoubtPolicy;
use crate::personal::Personal;
use crate::tls_rule::AccountTls;

fn text(value: &str) -> Personal<String> {
    Personal::Known(value.to_owned())
}

fn open() -> AccountCommand {
    AccountCommand::OpenAccount {
        name: text("Example"),
        contact: text("ann@example.org"),
    }
}

fn opened() -> AccountEvent {
    AccountEvent::AccountOpened {
        name: text("Example"),
        contact: text("ann@example.org"),
    }
}

fn suspend() -> AccountCommand {
    AccountCommand::SuspendAccount { reason: text("abuse") }
}

fn suspended() -> AccountEvent {
    AccountEvent::AccountSuspended { reason: text("abuse") }
}

fn choose(policy: InDoubtPolicy) -> AccountCommand {
    AccountCommand::ChangeInDoubtPolicy { policy }
}

fn chosen(policy: InDoubtPolicy) -> AccountEvent {
    AccountEvent::InDoubtPolicyChanged { policy }
}

fn then_events(given: Vec<AccountEvent>, when: AccountCommand, then: AccountEvent) {
    TestFramework::<Account>::with(())
        .given(given)
        .when(when)
        .then_expect_events(vec![then]);
}

fn then_refusal(given: Vec<AccountEvent>, when: AccountCommand, then: AccountRefusal) {
    TestFramework::<Account>::with(())
        .given(given)
        .when(when)
        .then_expect_error(then);
}

#[test]
fn an_account_is_opened_once() {
    then_events(vec![], open(), opened());
    then_refusal(vec![opened()], open(), AccountRefusal::AlreadyOpen);
    then_refusal(vec![opened(), suspended()], open(), AccountRefusal::AlreadyOpen);
}

#[test]
fn nothing_is_asked_of_an_account_that_is_not_there() {
    for command in [
        AccountCommand::ChangeContact {
            contact: text("b@c.org"),
        },
        choose(InDoubtPolicy::Hold),
        suspend(),
        AccountCommand::ReinstateAccount,
    ] {
        then_refusal(vec![], command, AccountRefusal::Unknown);
    }
}

#[test]
fn notices_go_elsewhere_even_while_the_account_is_suspended() {
    for given in [vec![opened()], vec![opened(), suspended()]] {
        then_events(
            given,
            AccountCommand::ChangeContact {
                contact: text("b@c.org"),
            },
            AccountEvent::ContactChanged {
                contact: text("b@c.org"),
            },
        );
    }
}

#[test]
fn mail_in_doubt_is_sent_again_until_the_account_chooses_otherwise() {
    use InDoubtPolicy::{Hold, Resend};
    then_refusal(vec![opened()], choose(Resend), AccountRefusal::NothingChanged);
    then_events(vec![opened()], choose(Hold), chosen(Hold));
    then_refusal(
        vec![opened(), chosen(Hold)],
        choose(Hold),
        AccountRefusal::NothingChanged,
    );
    then_events(vec![opened(), chosen(Hold)], choose(Resend), chosen(Resend));
    then_events(vec![opened(), suspended()], choose(Hold), chosen(Hold));
}

#[test]
fn the_protection_of_its_mail_is_the_account_s_choice() {
    let choose = |tls| AccountCommand::ChangeTlsDemand { tls };
    let chosen = |tls| AccountEvent::TlsDemandChanged { tls };
    then_refusal(vec![], choose(AccountTls::Always), AccountRefusal::Unknown);
    then_refusal(
        vec![opened()],
        choose(AccountTls::Default),
        AccountRefusal::NothingChanged,
    );
    for tls in [AccountTls::Always, AccountTls::Authenticated, AccountTls::Immediate] {
        then_events(vec![opened()], choose(tls), chosen(tls));
        then_events(vec![opened(), suspended()], choose(tls), chosen(tls));
        then_refusal(vec![opened(), chosen(tls)], choose(tls), AccountRefusal::NothingChanged);
        let default = AccountTls::Default;
        then_events(vec![opened(), chosen(tls)], choose(default), chosen(default));
    }
}

#[test]
fn a_suspended_account_is_reinstated_and_may_be_suspended_again() {
    then_events(vec![opened()], suspend(), suspended());
    then_refusal(vec![opened(), suspended()], suspend(), AccountRefusal::AlreadySuspended);
    let reinstated = AccountEvent::AccountReinstated;
    then_events(
        vec![opened(), suspended()],
        AccountCommand::ReinstateAccount,
        reinstated.clone(),
    );
    then_events(vec![opened(), suspended(), reinstated], suspend(), suspended());
}

#[test]
fn an_account_that_sends_is_not_reinstated() {
    then_refusal(
        vec![opened()],
        AccountCommand::ReinstateAccount,
        AccountRefusal::NotSuspended,
    );
}
