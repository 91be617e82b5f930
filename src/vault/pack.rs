//! The form of a pack: a mark, then records, each with its length and a checksum.
//!
//! ```text
//! pack   = "sealpost-pack-1\n" record*
//! record = length of box (u32, little endian) ‖ part id (16) ‖ checksum (8) ‖ box
//! ```
//! The checksum is the beginning of SHA-256 over all else in the record. It tells a torn record without any key;
//! whether a record is genuine only the box tells.

use std::fmt;

use aws_lc_rs::digest;
use uuid::Uuid;

use sealpost_domain::Instant;
use sealpost_domain::ids::PartId;

/// What every pack begins with.
pub const MARK: &[u8; 16] = b"sealpost-pack-1\n";
/// Bytes of a record before its box.
pub const HEAD_BYTES: usize = LENGTH_BYTES + PART_BYTES + CHECKSUM_BYTES;
/// Bytes of the largest box: more than the largest message in its worst compression.
const BOX_BYTES_MAX: usize = 64 << 20;
const LENGTH_BYTES: usize = 4;
const PART_BYTES: usize = 16;
const CHECKSUM_BYTES: usize = 8;

/// The day that a pack is named after, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackDay(chrono::NaiveDate);

impl PackDay {
    /// The day of a point in time.
    #[must_use]
    pub fn of(at: Instant) -> Self {
        Self(at.to_datetime().date_naive())
    }
}

impl fmt::Display for PackDay {
    /// As `2026-11-25`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

/// Name of the `turn`th pack of a day: `2026-11-25`, `2026-11-25-1`, …
pub fn pack_name(day: PackDay, turn: u32) -> String {
    if turn == 0 {
        day.to_string()
    } else {
        format!("{day}-{turn}")
    }
}

/// Whether a name is one that [`pack_name`] gives: it becomes part of a path.
pub fn is_pack_name(name: &str) -> bool {
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let mut parts = name.split('-');
    let mut next = |count| parts.next().is_some_and(|part| digits(part, count));
    next(4) && next(2) && next(2) && {
        let turn = parts.next();
        turn.is_none_or(|turn| turn.len() < 10 && digits(turn, turn.len()) && !turn.is_empty())
            && parts.next().is_none()
    }
}

/// Appends one record to `out`; `seal` appends the box. Returns the record's length in bytes, `None` when the box is
/// larger than a pack takes.
pub fn append_record<E>(
    out: &mut Vec<u8>,
    part: PartId,
    seal: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<Option<u32>, E> {
    let start = out.len();
    out.resize(start.saturating_add(HEAD_BYTES), 0);
    let box_start = out.len();
    seal(out)?;
    let (before, boxed) = out.split_at_mut(box_start);
    let Some((_, head)) = before.split_at_mut_checked(start) else {
        return Ok(None);
    };
    let Ok(length) = u32::try_from(boxed.len()) else {
        return Ok(None);
    };
    if boxed.len() > BOX_BYTES_MAX {
        return Ok(None);
    }
    let head_bytes = Head::new(length, part, boxed).to_bytes();
    head.copy_from_slice(&head_bytes);
    Ok(length.checked_add(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX)))
}

/// What stands before a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    length: u32,
    part: [u8; PART_BYTES],
    checksum: [u8; CHECKSUM_BYTES],
}

impl Head {
    fn new(length: u32, part: PartId, boxed: &[u8]) -> Self {
        let part = *part.as_uuid().as_bytes();
        Self {
            length,
            part,
            checksum: checksum(length, &part, boxed),
        }
    }

    /// Reads the head at the start of `bytes`; `None` when they are too few or say a length that no record has.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
        let (part, rest) = rest.split_first_chunk::<PART_BYTES>()?;
        let (checksum, _) = rest.split_first_chunk::<CHECKSUM_BYTES>()?;
        let length = u32::from_le_bytes(*length);
        let head = Self {
            length,
            part: *part,
            checksum: *checksum,
        };
        (head.box_bytes() <= BOX_BYTES_MAX).then_some(head)
    }

    fn to_bytes(self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        let (length, rest) = bytes.split_at_mut(LENGTH_BYTES);
        let (part, sum) = rest.split_at_mut(PART_BYTES);
        length.copy_from_slice(&self.length.to_le_bytes());
        part.copy_from_slice(&self.part);
        sum.copy_from_slice(&self.checksum);
        bytes
    }

    /// Length of the box, in bytes.
    pub fn box_bytes(&self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX)
    }

    /// The part that the record holds.
    pub fn part(&self) -> PartId {
        PartId::from_uuid(Uuid::from_bytes(self.part))
    }

    /// Whether this box is the one that was written with this head.
    pub fn fits(&self, boxed: &[u8]) -> bool {
        boxed.len() == self.box_bytes() && checksum(self.length, &self.part, boxed) == self.checksum
    }
}

fn checksum(length: u32, part: &[u8], boxed: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&length.to_le_bytes());
    context.update(part);
    context.update(boxed);
    let sum = context.finish();
    // SHA-256 has 32 bytes.
    sum.as_ref().first_chunk().copied().unwrap_or_default()
}

/// Whether a pack is whole: its mark, then records up to the very end. An empty one is.
pub fn is_whole(pack: &[u8]) -> bool {
    if pack.is_empty() {
        return true;
    }
    let Some(mut rest) = pack.strip_prefix(MARK.as_slice()) else {
        return false;
    };
    while !rest.is_empty() {
        let Some((head, after)) = Head::read(rest).zip(rest.get(HEAD_BYTES..)) else {
            return false;
        };
        let Some((boxed, after)) = after.split_at_checked(head.box_bytes()) else {
            return false;
        };
        if !head.fits(boxed) {
            return false;
        }
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pack_of(boxes: &[Vec<u8>]) -> Vec<u8> {
        let mut pack = MARK.to_vec();
        for boxed in boxes {
            let part = PartId::from_uuid(Uuid::now_v7());
            let before = pack.len();
            let length = append_record(&mut pack, part, |out| {
                out.extend_from_slice(boxed);
                Ok::<_, ()>(())
            });
            assert_eq!(length, Ok(u32::try_from(pack.len() - before).ok()));
        }
        pack
    }

    proptest! {
        #[test]
        fn a_pack_is_whole_and_no_part_or_change_of_it_is(
            boxes in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..5),
            at in any::<prop::sample::Index>(), bit in 0_u8..8,
        ) {
            let pack = pack_of(&boxes);
            prop_assert!(is_whole(&pack));
            let mut changed = pack.clone();
            changed[at.index(pack.len())] ^= 1 << bit;
            prop_assert!(!is_whole(&changed));
            // Cut inside the last record, wherever that is.
            let last = HEAD_BYTES + boxes.last().unwrap().len();
            let cut = pack.len() - 1 - at.index(last - 1);
            prop_assert!(!is_whole(&pack[..cut]));
        }

        #[test]
        fn a_scan_survives_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(is_whole(&bytes), bytes.is_empty());
            prop_assert!(!is_whole(&[MARK.as_slice(), &[0xff; 28], &bytes].concat()));
        }
    }

    #[test]
    fn an_empty_pack_is_whole_and_zeros_are_not() {
        assert!(is_whole(b""));
        assert!(is_whole(MARK));
        assert!(!is_whole(&[0; 100]));
        assert!(!is_whole(&[MARK.as_slice(), &[0; 28]].concat()));
    }

    #[test]
    fn names_are_read_back_and_nothing_else_is_a_name() {
        let day = PackDay::of(Instant::from_millis(1_795_564_800_000));
        for (turn, name) in [(0, "2026-11-25"), (1, "2026-11-25-1"), (12, "2026-11-25-12")] {
            assert_eq!(pack_name(day, turn), name);
            assert!(is_pack_name(name));
        }
        for name in [
            "",
            "2026-11",
            "2026-11-25-",
            "2026-11-25-1-1",
            "../../2026",
            "2026-11-2５",
            "2026-11-25-x",
        ] {
            assert!(!is_pack_name(name), "{name}");
        }
    }
}
