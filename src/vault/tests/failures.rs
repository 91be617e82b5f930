//! A world that does not play along: full disks, syncs that fail, rows that are refused, a vault that is closed.

use std::error::Error;
use std::os::unix::fs::symlink;

use super::super::{Damage, FailureClass};
use super::*;

#[test]
fn a_failed_sync_fails_its_callers_and_ends_the_pack() {
    let world = world();
    // A device that takes every byte and cannot sync.
    symlink("/dev/null", world.pack(DAY)).unwrap();
    let failure = world.keep_one(b"lost").unwrap_err();
    assert!(
        matches!(&failure, VaultFailure::Io { doing: "syncing", .. }),
        "{failure:?}"
    );
    assert!(failure.source().is_some());
    // Its keys were written beside it. They open nothing, and no caller heard of them.
    let kept = "SELECT count(*) FROM part_wrap";
    let rows: i64 = world.db().query_row(kept, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
    for text in [b"kept one", b"kept two"] {
        let (message, kept) = world.keep_one(text).unwrap();
        assert_eq!(kept.content.parts[0].pack, format!("{DAY}-1"));
        assert_eq!(world.content(message, &kept.content), text);
    }
}

#[test]
fn what_was_acknowledged_survives_a_process_that_is_killed() {
    let world = world();
    let context = world.context();
    let mut fields = Fields::known("Ann", "Hello", "web");
    world.vault.seal(&mut fields, &context).unwrap();
    let kept: Vec<_> = (0..50_u8).map(|n| world.keep_one(&[n]).unwrap()).collect();
    // The files as they lie there, while the vault is open and has tidied up nothing.
    let copy = world.folder.path().join("copy");
    std::fs::create_dir_all(copy.join("content")).unwrap();
    for (path, held) in super::at_rest::files(&world) {
        let name = path.strip_prefix(world.path()).unwrap();
        if !name.to_str().unwrap().ends_with("-shm") {
            std::fs::write(copy.join(name), held).unwrap();
        }
    }
    let after = Vault::open(&copy, &world.master).unwrap();
    for (n, (message, kept)) in kept.iter().enumerate() {
        assert_eq!(
            after.content(*message, &kept.content).unwrap(),
            [u8::try_from(n).unwrap()]
        );
    }
    after.open_fields(&mut fields, context.event_id).unwrap();
    assert_eq!(fields, Fields::known("Ann", "Hello", "web"));
}

#[test]
fn a_full_disk_is_told_apart_and_passes() {
    let world = world();
    symlink("/dev/full", world.pack(DAY)).unwrap();
    let failure = world.keep_one(b"no room").unwrap_err();
    assert!(matches!(failure, VaultFailure::DiskFull { .. }), "{failure:?}");
    assert_eq!(failure.class(), FailureClass::Transient);
    let (message, kept) = world.keep_one(b"room again").unwrap();
    assert_eq!(world.content(message, &kept.content), b"room again");
}

#[test]
fn content_whose_keys_fail_is_not_acknowledged_and_nobody_else_suffers() {
    let world = world();
    let refused = world.call(b"", &[("ann@example.org", b"refused")]);
    let message = refused.recipients[0].message;
    let good = world.call(b"", &[("bob@example.org", b"good")]);
    let good_message = good.recipients[0].message;
    let db = world.db();
    db.execute_batch(&format!(
        "CREATE TRIGGER refuse BEFORE INSERT ON part_wrap WHEN NEW.message = x'{}'
         BEGIN SELECT RAISE(ABORT, 'no'); END",
        message.to_hex()
    ))
    .unwrap();
    // While the database is locked both wait, so that they come into one group.
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (first, second, third) = runtime.block_on(async {
        let first = world.vault.ensure_keys(vec![KeyScope::Account(ACCOUNT)]);
        let both = async {
            let unlock = async {
                tokio::task::yield_now().await;
                db.execute_batch("COMMIT").unwrap();
            };
            let (second, third, ()) = tokio::join!(world.vault.keep(refused), world.vault.keep(good), unlock);
            (second, third)
        };
        let (first, (second, third)) = tokio::join!(first, both);
        (first, second, third)
    });
    first.unwrap();
    let failure = second.unwrap_err();
    assert!(matches!(failure, VaultFailure::Database { .. }), "{failure:?}");
    assert_eq!(failure.class(), FailureClass::Permanent);
    assert_eq!(world.content(good_message, &third.unwrap()[0].content), b"good");
    let wraps: i64 = db
        .query_row("SELECT count(*) FROM part_wrap", [], |row| row.get(0))
        .unwrap();
    assert_eq!(wraps, 1);
    // Its recipient's key went with the failed transaction: it is in no memory either.
    let ann = world.keys(vec![world.recipient("ann@example.org")]);
    let world = world.reopened();
    assert_eq!(world.keys(vec![world.recipient("ann@example.org")]), ann);
}

#[test]
fn content_is_kept_once() {
    let world = world();
    let call = world.call(b"", &[("ann@example.org", b"first")]);
    let mut again = world.call(b"", &[("ann@example.org", b"second")]);
    again.recipients[0].message = call.recipients[0].message;
    let kept = world.keep(call).unwrap();
    let failure = world.keep(again).unwrap_err();
    assert_eq!(failure.class(), FailureClass::Permanent);
    assert_eq!(world.content(kept[0].0, &kept[0].1.content), b"first");
}

#[test]
fn a_database_that_cannot_be_read_erases_nothing() {
    let world = world();
    let context = world.context();
    let mut fields = Fields::known("Ann", "Hello", "web");
    world.vault.seal(&mut fields, &context).unwrap();
    let sealed = fields.clone();
    let world = world.reopened();
    world.db().execute_batch("ALTER TABLE data_key RENAME TO away").unwrap();
    let failure = world.vault.open_fields(&mut fields, context.event_id).unwrap_err();
    assert!(matches!(failure, VaultFailure::Database { .. }), "{failure:?}");
    assert_eq!(fields, sealed);
    world.db().execute_batch("ALTER TABLE away RENAME TO data_key").unwrap();
    world.vault.open_fields(&mut fields, context.event_id).unwrap();
    assert_eq!(fields, Fields::known("Ann", "Hello", "web"));
}

#[test]
fn a_damaged_key_erases_its_fields_and_stops_no_reader() {
    let world = world();
    let context = world.context();
    let mut fields = Fields::known("Ann", "Hello", "web");
    world.vault.seal(&mut fields, &context).unwrap();
    let world = world.reopened();
    let id = context.recipient_key.unwrap();
    let damage = "UPDATE data_key SET wrapped = zeroblob(60) WHERE id = ?1";
    assert_eq!(world.db().execute(damage, [id.as_uuid().as_bytes()]).unwrap(), 1);
    world.vault.open_fields(&mut fields, context.event_id).unwrap();
    assert_eq!(
        (fields.name, fields.label),
        (Personal::Erased, Personal::Known("web".to_owned()))
    );
    let failure = world
        .vault
        .seal(&mut Fields::known("Ann", "", ""), &context)
        .unwrap_err();
    assert!(
        matches!(&failure, VaultFailure::Corrupt { what: Damage::Key(key) } if *key == id),
        "{failure:?}"
    );
}

#[test]
fn a_wrapped_key_stands_for_no_other_id_and_no_other_scope() {
    let world = world();
    let context = world.context();
    let keys = world.keys(vec![
        world.recipient("ann@example.org"),
        world.recipient("bob@example.org"),
    ]);
    let world = world.reopened();
    let swap = "UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE id = ?1) WHERE id = ?2";
    let ids = [keys[1].as_uuid(), keys[0].as_uuid()];
    world
        .db()
        .execute(swap, [ids[0].as_bytes(), ids[1].as_bytes()])
        .unwrap();
    let failure = world
        .vault
        .seal(&mut Fields::known("Ann", "", ""), &context)
        .unwrap_err();
    assert!(matches!(failure, VaultFailure::Corrupt { .. }), "{failure:?}");
}

#[test]
fn a_closed_vault_still_reads_and_writes_nothing() {
    let world = world();
    let (message, kept) = world.keep_one(b"content").unwrap();
    world.vault.close();
    world.vault.close();
    let failure = world.keep_one(b"late").unwrap_err();
    assert!(matches!(failure, VaultFailure::Closed), "{failure:?}");
    let failure = block_on(world.vault.ensure_keys(vec![KeyScope::Account(ACCOUNT)])).unwrap_err();
    assert!(matches!(failure, VaultFailure::Closed), "{failure:?}");
    assert_eq!(world.content(message, &kept.content), b"content");
}

#[test]
fn what_waits_is_written_before_the_vault_closes() {
    let world = world();
    let call = world.call(b"", &[("ann@example.org", b"content")]);
    let message = call.recipients[0].message;
    let vault = world.vault.clone();
    let kept = block_on(async {
        let closing = async { vault.close() };
        tokio::join!(vault.keep(call), closing).0
    });
    assert_eq!(world.content(message, &kept.unwrap()[0].content), b"content");
}

#[test]
fn no_failure_shows_its_source_or_a_secret() {
    let failure = VaultFailure::io("reading", &PathBuf::from("/x"))(std::io::Error::other("inner words"));
    assert_eq!(failure.to_string(), "reading /x failed");
    assert_eq!(failure.source().unwrap().to_string(), "inner words");
}
