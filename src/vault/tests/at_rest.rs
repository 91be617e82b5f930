//! What lies on the disk: no plain text, no key in clear, no file that others may read.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

const PLANTED: &str = "planted-7f3a9c-plain-text";

/// All files of the vault, with what they hold.
pub fn files(world: &World) -> Vec<(PathBuf, Vec<u8>)> {
    let read = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    read(world.path())
        .chain(read(world.path().join("content")))
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// Whether any file of the vault holds these bytes.
pub fn is_on_disk(world: &World, needle: &[u8]) -> bool {
    let holds = |held: &[u8]| held.windows(needle.len()).any(|window| window == needle);
    files(world).iter().any(|(_, held)| holds(held))
}

#[test]
fn neither_plain_text_nor_a_key_is_found() {
    let world = world();
    let context = world.context();
    let mut fields = Fields::known(PLANTED, PLANTED, PLANTED);
    world.vault.seal(&mut fields, &context).unwrap();
    // Too short and too random to be compressed away.
    let (message, kept) = world.keep_one(PLANTED.as_bytes()).unwrap();
    assert_eq!(world.content(message, &kept.content), PLANTED.as_bytes());
    let key = world.vault.keyring().by_id(kept.recipient_key).unwrap().unwrap();
    let text = fs::read_to_string(world.folder.path().join("master.key")).unwrap();
    let master = URL_SAFE_NO_PAD
        .decode(text.trim().strip_prefix("sealpost-master-key-1:").unwrap())
        .unwrap();
    for secret in [PLANTED.as_bytes(), b"ann@example.org", key.secret().as_bytes(), &master] {
        assert!(!is_on_disk(&world, secret));
        assert!(!is_on_disk(&world, URL_SAFE_NO_PAD.encode(secret).as_bytes()));
    }
    // The search itself finds what is there.
    assert!(is_on_disk(&world, kept.recipient_key.as_uuid().as_bytes()));
    assert!(is_on_disk(&world, kept.content.parts[0].part.as_uuid().as_bytes()));
}

#[test]
fn nobody_else_may_read_a_file() {
    let world = world();
    world.keep_one(b"content").unwrap();
    let files = files(&world);
    assert!(files.iter().any(|(path, _)| path.ends_with("keys.db-wal")), "{files:?}");
    assert!(files.iter().any(|(path, _)| path.ends_with("2026-11-25.pack")));
    for path in files.into_iter().map(|(path, _)| path).chain([world.path()]) {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{}", path.display());
    }
}
