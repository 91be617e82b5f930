//! Finds the messages that a feedback report is about: by the reverse-paths that it quotes, which only we can have signed.

use sealpost_domain::address::DomainName;
use sealpost_domain::ids::MessageId;

use crate::vault::ReturnPaths;

/// Addresses of our bounce domain that are looked at in one report.
const LOOKED_AT_MAX: usize = 50;
/// Longest part before an `@`, in bytes: RFC 5321 §4.5.3.1.1.
const LOCAL_PART_BYTES_MAX: usize = 64;

/// The first message whose reverse-path stands in the text, in any case, with anything around it.
pub(super) fn named_message(text: &[u8], domain: &DomainName, paths: &ReturnPaths) -> Option<MessageId> {
    let text = text.to_ascii_lowercase();
    let at_domain = format!("@{}", domain.as_str());
    memchr::memmem::find_iter(&text, at_domain.as_bytes())
        .take(LOOKED_AT_MAX)
        .find_map(|at| {
            let before = text.get(at.saturating_sub(LOCAL_PART_BYTES_MAX)..at)?;
            let start = before
                .iter()
                .rposition(|byte| !is_local(*byte))
                .map_or(0, |end| end + 1);
            paths.message(std::str::from_utf8(before.get(start..)?).ok()?)
        })
}

const fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::vault::{MasterKey, Vault};

    fn paths() -> (tempfile::TempDir, ReturnPaths) {
        let folder = tempfile::tempdir().unwrap();
        let master = MasterKey::create(&folder.path().join("key")).unwrap();
        let vault = Vault::open(&folder.path().join("vault"), &master).unwrap();
        (folder, vault.return_paths())
    }

    #[test]
    fn the_first_signed_one_counts_wherever_it_stands() {
        let (_folder, paths) = paths();
        let domain = DomainName::parse("bounce.test").unwrap();
        let message = MessageId::from_uuid(Uuid::from_u128(7));
        let local = paths.local_part(message);
        let found = |text: &str| named_message(text.as_bytes(), &domain, &paths);
        for text in [
            format!("{local}@bounce.test"),
            format!("Return-Path: <{}@BOUNCE.test>", local.to_uppercase()),
            format!("x@bounce.test, b+forged.tag@bounce.test;<{local}@bounce.test>"),
            format!("é{local}@bounce.test"),
        ] {
            assert_eq!(found(&text), Some(message), "{text}");
        }
        for text in [
            format!("{local}@elsewhere.test"),
            format!("a{local}@bounce.test"),
            format!("{}{local}@bounce.test", "x@bounce.test ".repeat(LOOKED_AT_MAX)),
            "@bounce.test".to_owned(),
            String::new(),
        ] {
            assert_eq!(found(&text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn no_text_breaks_the_search(text in "[b+@a-z.é<> ]{0,60}") {
            let (_folder, paths) = paths();
            let domain = DomainName::parse("a.b").unwrap();
            prop_assert_eq!(named_message(format!("{text}@a.b{text}@a.b").as_bytes(), &domain, &paths), None);
        }
    }
}
