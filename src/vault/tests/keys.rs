//! Keys and tokens: one key per scope, for ever; tokens that follow from the master key.

use std::collections::BTreeSet;

use super::*;

#[test]
fn a_scope_has_one_key_even_after_a_restart() {
    let world = world();
    let scopes = vec![
        KeyScope::Account(ACCOUNT),
        world.recipient("ann@example.org"),
        KeyScope::Account(ACCOUNT),
    ];
    let keys = world.keys(scopes.clone());
    assert_eq!(keys[0], keys[2]);
    assert_ne!(keys[0], keys[1]);
    let world = world.reopened();
    assert_eq!(world.keys(scopes), keys);
}

#[test]
fn an_account_and_a_user_of_the_same_number_have_two_keys() {
    let world = world();
    let user = sealpost_domain::ids::UserId::from_uuid(ACCOUNT.as_uuid());
    let keys = world.keys(vec![KeyScope::Account(ACCOUNT), KeyScope::User(user)]);
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn those_who_ask_at_the_same_time_get_the_same_key() {
    let world = world();
    for round in 0..10 {
        let address = format!("ann{round}@example.org");
        let keys: BTreeSet<DataKeyId> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|n| {
                    let (world, address) = (&world, &address);
                    scope.spawn(move || {
                        if n % 2 == 0 {
                            world.keys(vec![world.recipient(address)])[0]
                        } else {
                            world.keep(world.call(b"", &[(address, b"x")])).unwrap()[0]
                                .1
                                .recipient_key
                        }
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(keys.len(), 1, "round {round}");
    }
}

#[test]
fn a_token_is_the_same_for_ever_and_another_one_elsewhere() {
    let first = world();
    let ann = Mailbox::parse("Ann@Example.org").unwrap();
    let token = first.vault.address_token(ACCOUNT, &ann);
    let login = first.vault.login_token(&ann);
    let first = first.reopened();
    assert_eq!(
        first
            .vault
            .address_token(ACCOUNT, &Mailbox::parse("ann@example.org").unwrap()),
        token
    );
    assert_eq!(first.vault.login_token(&ann), login);
    let others = [
        first
            .vault
            .address_token(ACCOUNT, &Mailbox::parse("bob@example.org").unwrap()),
        first
            .vault
            .address_token(AccountId::from_uuid(Uuid::from_u128(2)), &ann),
        world().vault.address_token(ACCOUNT, &ann),
    ];
    assert!(!others.contains(&token));
    assert_ne!(world().vault.login_token(&ann), login);
    assert_eq!((token.as_str().len(), login.as_str().len()), (32, 64));
    assert!(!login.as_str().starts_with(token.as_str()));
}
