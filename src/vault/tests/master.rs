//! The master key: its file, and a vault that meets another one.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::super::failure::{Damage, KeyFileFault};
use super::*;

fn fault(result: Result<MasterKey, VaultFailure>) -> KeyFileFault {
    match result {
        Err(VaultFailure::MasterKeyFile { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_file_is_its_owners_alone_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    MasterKey::create(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(text.starts_with("sealpost-master-key-1:") && text.ends_with('\n'));
    assert_eq!(fault(MasterKey::create(&path)), KeyFileFault::Exists);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_file_that_others_may_touch_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    MasterKey::create(&path).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o660, 0o644, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(fault(MasterKey::load(&path)), KeyFileFault::Exposed { mode });
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    MasterKey::load(&path).unwrap();
}

#[test]
fn a_file_in_another_form_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    MasterKey::create(&path).unwrap();
    let good = fs::read_to_string(&path).unwrap();
    let bad: [&[u8]; 5] = [
        b"",
        b"sealpost-master-key-1:",
        &good.as_bytes()[..good.len() - 3],
        &[good.trim_end().as_bytes(), b"AAAA"].concat(),
        b"\xff\xfe",
    ];
    for text in bad {
        fs::write(&path, text).unwrap();
        assert_eq!(fault(MasterKey::load(&path)), KeyFileFault::BadForm);
    }
    assert!(MasterKey::parse(&format!("  {good}\n\n")).is_some());
}

#[test]
fn what_is_missing_is_told_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let failure = MasterKey::load(&folder.path().join("none")).unwrap_err();
    assert!(
        matches!(&failure, VaultFailure::Io { path, .. } if path.ends_with("none")),
        "{failure:?}"
    );
}

#[test]
fn another_master_key_is_told_apart() {
    let world = world();
    world.context();
    let path = world.path();
    world.vault.close();
    let other = MasterKey::create(&world.folder.path().join("other.key")).unwrap();
    let failure = Vault::open(&path, &other).err().unwrap();
    assert!(matches!(failure, VaultFailure::WrongMasterKey), "{failure:?}");
    let loaded = MasterKey::load(&world.folder.path().join("master.key")).unwrap();
    Vault::open(&path, &loaded).unwrap();
}

#[test]
fn packs_without_their_keys_are_no_new_vault() {
    let world = world();
    world.keep_one(b"content").unwrap();
    world.vault.close();
    fs::remove_file(world.path().join("keys.db")).unwrap();
    // The second time there is a file again, and still nothing in it.
    for _ in 0..2 {
        let failure = Vault::open(&world.path(), &world.master).err().unwrap();
        assert!(
            matches!(failure, VaultFailure::Corrupt { what: Damage::KeysGone }),
            "{failure:?}"
        );
    }
}

#[test]
fn debug_shows_nothing_of_a_key() {
    let world = world();
    assert_eq!(format!("{:?}", world.master), "MasterKey(…)");
}
