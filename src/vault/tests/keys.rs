//! Keys: one per scope, for ever, and told apart.

use super::*;

#[test]
fn a_scope_has_one_key_even_after_a_restart() {
    let world = world();
    let scopes = || {
        vec![
            KeyScope::Account(ACCOUNT),
            world.recipient("ann@example.org"),
            KeyScope::Account(ACCOUNT),
        ]
    };
    let keys = world.keys(scopes());
    assert_eq!(keys[0], keys[2]);
    assert_ne!(keys[0], keys[1]);
    let scopes = scopes();
    let world = world.reopened();
    assert_eq!(world.keys(scopes), keys);
}
