//! Personal fields: sealed and opened, and what is refused.

use super::*;

#[test]
fn what_was_sealed_is_opened_again_even_after_a_restart() {
    let world = world();
    let context = world.context();
    let mut fields = Fields::known("Ann", "Hello", "web");
    world.vault.seal(&mut fields, &context).unwrap();
    assert!(fields.name.known().is_none() && fields.label.known().is_none());
    let world = world.reopened();
    world.vault.open_fields(&mut fields, context.event_id).unwrap();
    assert_eq!(fields, Fields::known("Ann", "Hello", "web"));
}
