//! Content: kept and read back, packs over restarts, and records that are not what they were.

use std::fs;
use std::io::{Seek, SeekFrom, Write};

use proptest::prelude::*;

use super::super::failure::Damage;
use super::*;

#[test]
fn each_recipient_reads_head_and_shared_part_even_after_a_restart() {
    let world = world();
    let shared = b"Dear reader, ".repeat(1_000);
    let call = world.call(
        &shared,
        &[("ann@example.org", b"To: Ann\r\n"), ("bob@example.org", b"To: Bob\r\n")],
    );
    let kept = world.keep(call).unwrap();
    assert_ne!(kept[0].1.recipient_key, kept[1].1.recipient_key);
    let parts = |n: usize| kept[n].1.content.parts.iter().map(|part| part.part).collect::<Vec<_>>();
    assert_eq!((parts(0).len(), parts(1).len()), (2, 2));
    assert_eq!(parts(0)[1], parts(1)[1], "the shared part is stored once");
    assert_eq!(kept[0].1.content.parts[0].pack, DAY);
    let world = world.reopened();
    for ((message, kept), head) in kept.iter().zip(["To: Ann\r\n", "To: Bob\r\n"]) {
        assert_eq!(
            world.content(*message, &kept.content),
            [head.as_bytes(), &shared].concat()
        );
    }
}

#[test]
fn a_recipient_has_the_same_key_in_every_call() {
    let world = world();
    let (_, first) = world.keep_one(b"first").unwrap();
    let (_, second) = world.keep_one(b"second").unwrap();
    assert_eq!(first.recipient_key, second.recipient_key);
    assert_eq!(
        world.keys(vec![world.recipient("ann@example.org")])[0],
        first.recipient_key
    );
}

#[test]
fn an_empty_message_and_a_large_one_are_kept() {
    let world = world();
    // Bytes that do not compress.
    let mut large = vec![0; 5 << 20];
    aws_lc_rs::rand::fill(&mut large).unwrap();
    let empty = world.keep_one(b"").unwrap();
    let alone = world.keep(world.call(&large, &[("ann@example.org", b"head")])).unwrap();
    assert_eq!(world.content(empty.0, &empty.1.content), b"");
    assert_eq!(alone[0].1.content.parts.len(), 1, "nobody shares it");
    assert_eq!(
        world.content(alone[0].0, &alone[0].1.content),
        [b"head".as_slice(), &large].concat()
    );
}

#[test]
fn many_calls_at_once_all_come_back() {
    let world = world();
    let kept: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8_u8)
            .map(|n| {
                let world = &world;
                scope.spawn(move || (0..20_u8).map(|m| world.keep_one(&[n, m]).unwrap()).collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (n, of_thread) in kept.iter().enumerate() {
        for (m, (message, kept)) in of_thread.iter().enumerate() {
            let expected = [u8::try_from(n).unwrap(), u8::try_from(m).unwrap()];
            assert_eq!(world.content(*message, &kept.content), expected);
        }
    }
    let held = fs::read(world.pack(DAY)).unwrap();
    assert!(super::super::pack::is_whole(&held));
}

#[test]
fn each_day_has_its_pack() {
    let world = world();
    let mut call = world.call(b"", &[("ann@example.org", b"tomorrow")]);
    call.day = PackDay::of(Instant::from_millis(1_795_564_800_000 + 86_400_000));
    let tomorrow = world.keep(call).unwrap();
    let today = world.keep_one(b"today").unwrap();
    assert_eq!(tomorrow[0].1.content.parts[0].pack, "2026-11-26");
    assert_eq!(today.1.content.parts[0].pack, DAY);
    assert_eq!(world.content(tomorrow[0].0, &tomorrow[0].1.content), b"tomorrow");
}

#[test]
fn a_whole_pack_is_continued_after_a_restart() {
    let world = world();
    world.keep_one(b"before").unwrap();
    let world = world.reopened();
    let (message, kept) = world.keep_one(b"after").unwrap();
    assert_eq!(kept.content.parts[0].pack, DAY);
    assert!(kept.content.parts[0].offset > 16);
    assert_eq!(world.content(message, &kept.content), b"after");
}

#[test]
fn a_torn_pack_is_left_alone_and_still_read() {
    let world = world();
    let (message, kept) = world.keep_one(b"acknowledged").unwrap();
    let whole = fs::read(world.pack(DAY)).unwrap();
    // A crash in the middle of the next record.
    let torn = [whole.as_slice(), &whole[16..whole.len() - 1]].concat();
    fs::write(world.pack(DAY), &torn).unwrap();
    let world = world.reopened();
    let (next, next_kept) = world.keep_one(b"after the crash").unwrap();
    assert_eq!(next_kept.content.parts[0].pack, format!("{DAY}-1"));
    assert_eq!(fs::read(world.pack(DAY)).unwrap(), torn, "not a byte of it is changed");
    assert_eq!(world.content(message, &kept.content), b"acknowledged");
    assert_eq!(world.content(next, &next_kept.content), b"after the crash");
    let world = world.reopened();
    let (_, again) = world.keep_one(b"once more").unwrap();
    assert_eq!(
        again.content.parts[0].pack,
        format!("{DAY}-1"),
        "the last one is continued"
    );
}

#[test]
fn content_is_read_under_its_own_message_alone() {
    let world = world();
    let ann = world.keep_one(b"for ann").unwrap();
    let other = world.keep_one(b"for ann, too").unwrap();
    let crossed = world.vault.content(ann.0, &other.1.content);
    assert!(
        matches!(&crossed, Err(VaultFailure::Corrupt { what: Damage::Wrap(message) }) if *message == ann.0),
        "{crossed:?}"
    );
    let unknown = MessageId::from_uuid(Uuid::from_u128(3));
    let none = world.vault.content(unknown, &ann.1.content);
    assert!(matches!(none, Err(VaultFailure::ContentErased { .. })), "{none:?}");
}

#[test]
fn a_reference_leads_into_no_other_file_and_holds_its_size() {
    let world = world();
    let (message, kept) = world.keep_one(b"content").unwrap();
    for name in ["../keys", "", "/etc/passwd", "2026-11-25-", "2026-11-25/../2026-11-25"] {
        let mut content = kept.content.clone();
        name.clone_into(&mut content.parts[0].pack);
        let read = world.vault.content(message, &content);
        assert!(
            matches!(read, Err(VaultFailure::Corrupt { what: Damage::PackName })),
            "{name}: {read:?}"
        );
    }
    for size_bytes in [0, 6, 8, u64::MAX] {
        let content = ContentRef {
            size_bytes,
            ..kept.content.clone()
        };
        let read = world.vault.content(message, &content);
        assert!(
            matches!(read, Err(VaultFailure::Corrupt { .. })),
            "{size_bytes}: {read:?}"
        );
    }
    let mut content = kept.content.clone();
    content.parts[0].offset += 1_000;
    assert!(matches!(
        world.vault.content(message, &content),
        Err(VaultFailure::Corrupt { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn one_flipped_bit_of_a_record_is_noticed(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let world = world();
        let (message, kept) = world.keep_one(b"some content that is long enough to be compressed, compressed").unwrap();
        let part = &kept.content.parts[0];
        // The checksum, bytes 20 to 27, serves the scan alone: the box is what a reader trusts.
        let at = (at.index(part.length_bytes as usize), 28);
        let at = if (20..28).contains(&at.0) { at.1 } else { at.0 };
        let mut file = fs::File::options().read(true).write(true).open(world.pack(DAY)).unwrap();
        let held = fs::read(world.pack(DAY)).unwrap();
        let place = part.offset + at as u64;
        file.seek(SeekFrom::Start(place)).unwrap();
        file.write_all(&[held[usize::try_from(place).unwrap()] ^ (1 << bit)]).unwrap();
        let read = world.vault.content(message, &kept.content);
        prop_assert!(matches!(read, Err(VaultFailure::Corrupt { what: Damage::Part { .. } })), "{:?}", read);
    }

    #[test]
    fn whatever_was_kept_comes_back(shared in prop::collection::vec(any::<u8>(), 0..5_000),
        heads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..5)) {
        let world = world();
        let recipients: Vec<(&str, &[u8])> = heads.iter().map(|head| ("ann@example.org", head.as_slice())).collect();
        let kept = world.keep(world.call(&shared, &recipients)).unwrap();
        for ((message, kept), head) in kept.iter().zip(&heads) {
            prop_assert_eq!(world.content(*message, &kept.content), [head.as_slice(), &shared].concat());
        }
    }
}
