//! The end of keys and content: erased for every reader, and gone from the files.

use super::at_rest::is_on_disk;
use super::*;

fn wrapped(world: &World, id: DataKeyId) -> Vec<u8> {
    let by = id.as_uuid();
    let select = "SELECT wrapped FROM data_key WHERE id = ?1";
    world.db().query_row(select, [by.as_bytes()], |row| row.get(0)).unwrap()
}

#[test]
fn a_destroyed_key_erases_fields_and_content_and_leaves_no_trace() {
    let world = world();
    let context = world.context();
    let mut fields = Fields::known("Ann", "Hello", "web");
    world.vault.seal(&mut fields, &context).unwrap();
    let (message, kept) = world.keep_one(b"content").unwrap();
    let key = context.recipient_key.unwrap();
    assert_eq!(kept.recipient_key, key);
    let trace = wrapped(&world, key);
    assert!(is_on_disk(&world, &trace));

    block_on(world.vault.destroy_key(key)).unwrap();
    assert!(!is_on_disk(&world, &trace));
    let check = |world: &World| {
        let mut read = fields.clone();
        world.vault.open_fields(&mut read, context.event_id).unwrap();
        assert_eq!((read.name, read.subject), (Personal::Erased, Personal::Erased));
        assert_eq!(
            read.label,
            Personal::Known("web".to_owned()),
            "the account's key is another"
        );
        let content = world.vault.content(message, &kept.content);
        assert!(
            matches!(content, Err(VaultFailure::ContentErased { .. })),
            "{content:?}"
        );
    };
    check(&world);
    check(&world.reopened());
}

#[test]
fn a_destroyed_key_is_gone_at_once_and_its_scope_gets_a_new_one() {
    let world = world();
    let context = world.context();
    let old = context.recipient_key.unwrap();
    block_on(world.vault.destroy_key(old)).unwrap();
    block_on(world.vault.destroy_key(old)).unwrap();
    let mut fields = Fields::known("Ann", "Hello", "web");
    let failure = world.vault.seal(&mut fields, &context).unwrap_err();
    assert!(matches!(failure, VaultFailure::KeyMissing { .. }), "{failure:?}");
    assert_eq!(failure.class(), super::super::FailureClass::Transient);
    let new = world.context();
    assert_ne!(new.recipient_key, context.recipient_key);
    world.vault.seal(&mut fields, &new).unwrap();
    world.vault.open_fields(&mut fields, new.event_id).unwrap();
    assert_eq!(fields, Fields::known("Ann", "Hello", "web"));
}

#[test]
fn what_is_destroyed_is_not_in_memory_either() {
    let world = world();
    let first = world.keep_one(b"first").unwrap();
    assert_eq!(world.vault.take_recent(first.0).as_deref(), Some(b"first".as_slice()));
    assert_eq!(world.vault.take_recent(first.0), None, "it goes once");
    let second = world.keep_one(b"second").unwrap();
    block_on(world.vault.destroy_key(second.1.recipient_key)).unwrap();
    assert_eq!(world.vault.take_recent(second.0), None);
    let third = world.keep_one(b"third").unwrap();
    block_on(world.vault.erase_content(third.0)).unwrap();
    assert_eq!(world.vault.take_recent(third.0), None);
}

#[test]
fn erased_content_is_gone_and_its_neighbour_stays() {
    let world = world();
    let gone = world.keep_one(b"gone").unwrap();
    let stays = world.keep_one(b"stays").unwrap();
    block_on(world.vault.erase_content(gone.0)).unwrap();
    let read = world.vault.content(gone.0, &gone.1.content);
    assert!(matches!(read, Err(VaultFailure::ContentErased { .. })), "{read:?}");
    assert_eq!(world.content(stays.0, &stays.1.content), b"stays");
}
