//! Draws API keys and checks their form: `<spk|spm>_<live|test>_`, 30 random characters, 6 of a checksum.
//!
//! The layout is the one that GitHub uses for its tokens: the checksum is the CRC-32 (IEEE) of the 30 characters in
//! base 62, padded with `0` to six. A text that fails it costs nothing: no lookup, no record.

use std::fmt;

use aws_lc_rs::{digest, rand};
use sealpost_domain::rights::{KeyHash, KeyKind, KeyWorld};
use thiserror::Error;
use zeroize::Zeroizing;

/// The digits of base 62, in their order.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Random characters of a key: 178 bits.
const RANDOM_CHARACTERS: usize = 30;
/// Characters of the checksum.
const CHECKSUM_CHARACTERS: usize = 6;
/// Characters that a key's display shows from its end.
const DISPLAY_CHARACTERS: usize = 4;

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadForm {
    /// It does not begin as a key, is too long or too short, or holds another character.
    #[error("the text does not have the form of a key")]
    Layout,
    /// Its last six characters do not follow from the others: it was mistyped or made up.
    #[error("the checksum of the key is wrong")]
    Checksum,
}

/// The source of random numbers failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no random numbers could be drawn")]
pub struct DrawFailed;

/// A key in clear. Wiped when dropped, redacted in `Debug`, and never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySecret {
    text: Zeroizing<String>,
    kind: KeyKind,
    world: KeyWorld,
}

impl KeySecret {
    /// Draws a new key.
    ///
    /// # Errors
    /// [`DrawFailed`] when the system has no random numbers.
    pub fn draw(kind: KeyKind, world: KeyWorld) -> Result<Self, DrawFailed> {
        let mut text = Zeroizing::new(String::with_capacity(48));
        text.push_str(&opening(kind, world));
        let random = draw_digits()?;
        text.push_str(&random);
        text.push_str(&checksum(&random));
        Ok(Self { text, kind, world })
    }

    /// Checks a text. Nothing but a text that passes is ever looked up.
    ///
    /// # Errors
    /// As [`BadForm`] says.
    pub fn parse(text: &str) -> Result<Self, BadForm> {
        let (kind, world, rest) = split(text).ok_or(BadForm::Layout)?;
        if rest.len() != RANDOM_CHARACTERS + CHECKSUM_CHARACTERS || !rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(BadForm::Layout);
        }
        let (random, given) = rest.split_at_checked(RANDOM_CHARACTERS).ok_or(BadForm::Layout)?;
        if checksum(random) != given {
            return Err(BadForm::Checksum);
        }
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            kind,
            world,
        })
    }

    /// What it is for.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Which world it acts in.
    #[must_use]
    pub const fn world(&self) -> KeyWorld {
        self.world
    }

    /// SHA-256 of the whole key: what is stored in its place. A fast hash is enough for 178 random bits (ASVS 6.5.2).
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash::from_hex(hex(digest::digest(&digest::SHA256, self.text.as_bytes()).as_ref()))
    }

    /// What a person tells keys apart by: the opening and the last four characters.
    #[must_use]
    pub fn display(&self) -> String {
        let last = self.text.len().saturating_sub(DISPLAY_CHARACTERS);
        format!(
            "{}…{}",
            opening(self.kind, self.world),
            self.text.get(last..).unwrap_or_default()
        )
    }

    /// The key in clear, to be shown once at its issue.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySecret({}…)", opening(self.kind, self.world))
    }
}

fn opening(kind: KeyKind, world: KeyWorld) -> String {
    format!("{}_{}_", kind.prefix(), world.label())
}

fn split(text: &str) -> Option<(KeyKind, KeyWorld, &str)> {
    let mut parts = text.splitn(3, '_');
    let kind = match parts.next()? {
        "spk" => KeyKind::Sending,
        "spm" => KeyKind::Management,
        _ => return None,
    };
    let world = match parts.next()? {
        "live" => KeyWorld::Live,
        "test" => KeyWorld::Test,
        _ => return None,
    };
    Some((kind, world, parts.next()?))
}

/// Thirty characters, each of the 62 equally likely.
fn draw_digits() -> Result<Zeroizing<String>, DrawFailed> {
    let mut text = Zeroizing::new(String::with_capacity(RANDOM_CHARACTERS));
    let mut bytes = Zeroizing::new([0_u8; 64]);
    while text.len() < RANDOM_CHARACTERS {
        rand::fill(&mut *bytes).map_err(|_| DrawFailed)?;
        // 248 is four times 62: bytes above it would make the first characters likelier.
        let fair = bytes.iter().filter(|byte| **byte < 248);
        let room = RANDOM_CHARACTERS.saturating_sub(text.len());
        text.extend(fair.take(room).map(|byte| digit(u32::from(*byte))));
    }
    Ok(text)
}

fn digit(number: u32) -> char {
    let place = usize::try_from(number % 62).unwrap_or(0);
    char::from(DIGITS.get(place).copied().unwrap_or(b'0'))
}

/// Six characters of base 62, the most significant first.
fn checksum(random: &str) -> String {
    let mut rest = crc32(random.as_bytes());
    let mut digits = ['0'; CHECKSUM_CHARACTERS];
    for place in digits.iter_mut().rev() {
        *place = digit(rest);
        rest /= 62;
    }
    digits.iter().collect()
}

/// CRC-32 of IEEE 802.3: reflected polynomial 0xEDB88320, all ones before and after.
fn crc32(bytes: &[u8]) -> u32 {
    let register = bytes.iter().fold(u32::MAX, |register, byte| {
        (0..8).fold(register ^ u32::from(*byte), |bits, _| {
            let carry = bits & 1;
            (bits >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(carry))
        })
    });
    !register
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_published_tokens() {
        // The check value of CRC-32/ISO-HDLC, and the body of an expired token that GitHub published.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        let published = concat!("zQWBuTSOoRi4A9spHcVY", "5ncnsDkxkJ0mLq17");
        let (random, given) = published.split_at(RANDOM_CHARACTERS);
        assert_eq!(checksum(random), given);
    }

    #[test]
    fn a_drawn_key_has_the_published_form_and_passes() {
        for (kind, world, opening) in [
            (KeyKind::Sending, KeyWorld::Live, "spk_live_"),
            (KeyKind::Sending, KeyWorld::Test, "spk_test_"),
            (KeyKind::Management, KeyWorld::Live, "spm_live_"),
        ] {
            let key = KeySecret::draw(kind, world).unwrap();
            let text = key.expose().to_owned();
            assert!(text.starts_with(opening) && text.len() == opening.len() + 36, "{text}");
            // 2³² / 62⁵ = 4.7: the first digit of the checksum is never above 4.
            assert!(('0'..='4').contains(&text.chars().nth(opening.len() + 30).unwrap()));
            let read = KeySecret::parse(&text).unwrap();
            assert_eq!((read.kind(), read.world()), (kind, world));
            assert_eq!(read.hash(), key.hash());
        }
    }

    #[test]
    fn no_two_keys_are_alike() {
        let draw = || KeySecret::draw(KeyKind::Sending, KeyWorld::Live).unwrap();
        assert_ne!(draw().expose(), draw().expose());
    }

    #[test]
    fn every_character_is_drawn_and_none_of_them_twice_as_often() {
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..2_000 {
            for character in draw_digits().unwrap().chars() {
                *counts.entry(character).or_insert(0_u32) += 1;
            }
        }
        // 60,000 draws over 62 characters: 968 each, with a deviation of 31.
        assert_eq!(counts.len(), 62);
        assert!(counts.values().all(|count| (700..1_250).contains(count)), "{counts:?}");
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_reason() {
        let good = KeySecret::draw(KeyKind::Sending, KeyWorld::Live).unwrap();
        let good = good.expose();
        for text in [
            "",
            "spk",
            "spk_live_",
            "spx_live_abc",
            "spk_prod_abc",
            &good[1..],
            &format!("{good}0"),
            "spk_live_äää",
        ] {
            assert_eq!(KeySecret::parse(text), Err(BadForm::Layout), "{text}");
        }
        assert_eq!(KeySecret::parse(&good.replace('_', "-")), Err(BadForm::Layout));
        let other_last = if good.ends_with('0') { '1' } else { '0' };
        let wrong = format!("{}{other_last}", &good[..good.len() - 1]);
        assert_eq!(KeySecret::parse(&wrong), Err(BadForm::Checksum));
    }

    #[test]
    fn debug_and_display_do_not_show_the_key() {
        let key = KeySecret::draw(KeyKind::Management, KeyWorld::Live).unwrap();
        let random = &key.expose()[9..39];
        assert!(!format!("{key:?}").contains(&random[..4]));
        let display = key.display();
        assert!(display.starts_with("spm_live_…") && key.expose().ends_with(&display[display.len() - 4..]));
        assert!(!display.contains(&random[..8]));
    }

    proptest::proptest! {
        #[test]
        fn parse_never_panics(text in ".{0,64}") {
            proptest::prop_assert!(KeySecret::parse(&text).is_err());
        }

        #[test]
        fn any_single_change_is_found(random in "[0-9A-Za-z]{30}", place in 0_usize..36, other in "[0-9A-Za-z]") {
            let body = format!("{random}{}", checksum(&random));
            let key = format!("spk_live_{body}");
            proptest::prop_assert!(KeySecret::parse(&key).is_ok());
            let changed = format!("spk_live_{}{other}{}", &body[..place], &body[place + 1..]);
            // A CRC finds every change within 32 bits, so that of one character for certain.
            proptest::prop_assert_eq!(KeySecret::parse(&changed).is_ok(), changed == key);
        }
    }
}
