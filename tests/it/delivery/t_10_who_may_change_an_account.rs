//! A command that a key gives is admitted in the turn that decides it, and gives away nothing that the key has not.

use std::sync::Arc;

use sealpost::actors::{Admission, Asker, Claim, Manage, Managed};
use sealpost::clock::{Clock, draw_uuid};
use sealpost::vault::KeyScope;
use sealpost_domain::Personal;
use sealpost_domain::address::DomainName;
use sealpost_domain::api_key::{ApiKeyCommand, ApiKeyRefusal, Issued, UseRefusal};
use sealpost_domain::ids::{AccountId, KeyId, UserId};
use sealpost_domain::rights::{KeyHash, KeyKind, KeyLimit, KeyLimits, KeyWorld, Method};
use sealpost_domain::user::{LoginToken, Role, UserCommand, UserRefusal};

use crate::log_contract::{Faults, Gate};
use crate::support::{Rig, RigOptions};

fn key() -> KeyId {
    KeyId::from_uuid(draw_uuid())
}

fn issue(rig: &Rig, key: KeyId, world: KeyWorld, limits: KeyLimits) -> Manage {
    let issued = Issued {
        account: rig.account,
        key,
        kind: KeyKind::Management,
        world,
        hash: KeyHash::from_hex(format!("{:064x}", key.as_uuid().as_u128())),
        display: "spm_…0000".to_owned(),
        label: Personal::Known("test".to_owned()),
        limits,
        issued_at: rig.clock.now(),
    };
    Manage::Key(key, ApiKeyCommand::IssueKey(Box::new(issued)))
}

/// A management key that the operator issued.
async fn manager(rig: &Rig, world: KeyWorld, limits: KeyLimits) -> KeyId {
    let manager = key();
    rig.manage(rig.account, issue(rig, manager, world, limits))
        .await
        .unwrap();
    manager
}

/// A call with a management key.
fn claim(rig: &Rig, manager: KeyId) -> Claim {
    Claim {
        method: Method::named("keys/issue"),
        needs: KeyKind::Management,
        ..rig.claim(rig.account, manager)
    }
}

async fn manage_with(rig: &Rig, manager: KeyId, manage: Manage) -> Result<Managed, Admission> {
    let asker = Asker::Key(claim(rig, manager));
    rig.engine.accounts().manage_for(asker, manage).await
}

#[track_caller]
fn assert_limited(answer: &Result<Managed, Admission>, limit: KeyLimit) {
    assert!(
        matches!(answer, Err(Admission::Refused(UseRefusal::Limit(by))) if *by == limit),
        "{answer:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_revoked_while_its_call_was_read_changes_nothing() {
    let rig = Rig::start(vec![]).await;
    let manager = manager(&rig, KeyWorld::Live, KeyLimits::default()).await;
    let accounts = rig.engine.accounts();
    accounts.check(claim(&rig, manager)).await.unwrap();
    let revoke = ApiKeyCommand::RevokeKey {
        reason: Personal::Known("leaked".to_owned()),
    };
    rig.manage(rig.account, Manage::Key(manager, revoke)).await.unwrap();
    let own = key();
    for manage in [
        issue(&rig, own, KeyWorld::Live, KeyLimits::default()),
        Manage::ListKeys,
        Manage::ListDomains,
    ] {
        let answer = manage_with(&rig, manager, manage).await;
        assert!(
            matches!(answer, Err(Admission::Refused(UseRefusal::Revoked))),
            "{answer:?}"
        );
    }
    let answer = accounts.check(claim(&rig, own)).await;
    assert!(matches!(answer, Err(Admission::Refused(_))), "no such key: {answer:?}");
    let types: Vec<_> = rig.events().await.iter().map(|one| one.event.event_type()).collect();
    assert_eq!(types.iter().filter(|name| *name == "KeyUseRefused").count(), 1);
    rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_key_reaches_no_live_one() {
    let rig = Rig::start(vec![]).await;
    let manager = manager(&rig, KeyWorld::Test, KeyLimits::default()).await;
    let free = KeyLimits::default;
    let live = manage_with(&rig, manager, issue(&rig, key(), KeyWorld::Live, free())).await;
    assert_limited(&live, KeyLimit::World);
    let freeze = ApiKeyCommand::FreezeKey {
        reason: Personal::Known("mine now".to_owned()),
    };
    let frozen = manage_with(&rig, manager, Manage::Key(rig.key, freeze.clone())).await;
    assert_limited(&frozen, KeyLimit::World);
    let (own, unknown) = (key(), key());
    manage_with(&rig, manager, issue(&rig, own, KeyWorld::Test, free()))
        .await
        .unwrap();
    manage_with(&rig, manager, Manage::Key(own, freeze.clone()))
        .await
        .unwrap();
    let answer = manage_with(&rig, manager, Manage::Key(unknown, freeze)).await;
    assert!(
        matches!(answer, Err(Admission::Key(ApiKeyRefusal::Unknown))),
        "{answer:?}"
    );
    rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limited_key_issues_none_that_may_more() {
    let rig = Rig::start(vec![]).await;
    let limits = KeyLimits {
        recipient_domains: vec![DomainName::parse("plain.test").unwrap()],
        ..KeyLimits::default()
    };
    let manager = manager(&rig, KeyWorld::Live, limits.clone()).await;
    let free = issue(&rig, key(), KeyWorld::Live, KeyLimits::default());
    assert_limited(&manage_with(&rig, manager, free).await, KeyLimit::RecipientDomain);
    let same = issue(&rig, key(), KeyWorld::Live, limits);
    manage_with(&rig, manager, same).await.unwrap();
    rig.engine.stop().await;
}

async fn register(rig: &Rig, account: AccountId, user: UserId) -> Result<Managed, Admission> {
    let register = UserCommand::RegisterUser {
        user,
        login: Personal::Known("ann@example.org".to_owned()),
        login_token: LoginToken::from_hex("a".repeat(64)),
        password_hash: Personal::Known("$argon2id$".to_owned()),
        role: Role::Owner,
    };
    rig.manage(account, Manage::User(user, register)).await
}

async fn user(rig: &Rig) -> UserId {
    let user = UserId::from_uuid(draw_uuid());
    rig.engine
        .vault()
        .ensure_keys(vec![KeyScope::User(user)])
        .await
        .unwrap();
    user
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_is_taken_fails_nothing_else_of_the_account() {
    let faults = Arc::new(Faults::default());
    let mut options = RigOptions::default();
    let gate = faults.clone();
    options.ports.wrap_store = Arc::new(move |store| Box::new(Gate::before(store, gate.clone())));
    let rig = Rig::with(vec![], options).await;
    let other = AccountId::from_uuid(draw_uuid());
    rig.open_account(other).await;
    let (first, second) = (user(&rig).await, user(&rig).await);
    register(&rig, other, first).await.unwrap();
    let known = register(&rig, other, first).await;
    assert!(
        matches!(known, Err(Admission::User(UserRefusal::AlreadyRegistered))),
        "{known:?}"
    );
    faults.shut();
    let issued = key();
    // All three go to the actor in this order; when the check is answered, the log has the two before it.
    let (taken, issued, ()) = tokio::join!(
        register(&rig, rig.account, second),
        rig.manage(rig.account, issue(&rig, issued, KeyWorld::Live, KeyLimits::default())),
        async {
            rig.engine
                .accounts()
                .check(rig.claim(rig.account, rig.key))
                .await
                .unwrap();
            faults.open();
        }
    );
    assert!(matches!(taken, Err(Admission::MessageChanged)), "{taken:?}");
    assert!(matches!(issued, Ok(Managed::Done { .. })), "{issued:?}");
    rig.engine.stop().await;
}
