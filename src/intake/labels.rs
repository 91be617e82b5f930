//! Checks what a sender writes on a message for himself: tags and metadata.

use std::collections::BTreeMap;

use sealpost_domain::limits::{METADATA_BYTES_MAX, SUBACCOUNT_BYTES_MAX, TAG_BYTES_MAX, TAGS_MAX};
use thiserror::Error;

/// Why a sender's labels are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LabelRefusal {
    /// More tags than a message may have.
    #[error("at most {TAGS_MAX} tags are allowed")]
    TooManyTags,
    /// A tag is empty or too long.
    #[error("tag {index} must have 1 to {TAG_BYTES_MAX} bytes")]
    TagLength {
        /// Which one, from 0.
        index: usize,
    },
    /// A tag begins with an underscore, which Mandrill keeps for itself.
    #[error("tag {index} must not begin with an underscore")]
    TagReserved {
        /// Which one, from 0.
        index: usize,
    },
    /// The metadata is too long.
    #[error("at most {METADATA_BYTES_MAX} bytes of metadata are allowed")]
    MetadataTooLong,
    /// The subaccount's id is too long.
    #[error("a subaccount must have at most {SUBACCOUNT_BYTES_MAX} bytes")]
    SubaccountTooLong,
}

/// Checks the tags of a message.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_tags(tags: &[String]) -> Result<(), LabelRefusal> {
    if tags.len() as u64 > TAGS_MAX {
        return Err(LabelRefusal::TooManyTags);
    }
    for (index, tag) in tags.iter().enumerate() {
        if tag.is_empty() || tag.len() as u64 > TAG_BYTES_MAX {
            return Err(LabelRefusal::TagLength { index });
        }
        if tag.starts_with('_') {
            return Err(LabelRefusal::TagReserved { index });
        }
    }
    Ok(())
}

/// Checks the metadata of a message, of which each value is JSON text.
///
/// # Errors
/// [`LabelRefusal::MetadataTooLong`].
pub fn check_metadata(metadata: &BTreeMap<String, String>) -> Result<(), LabelRefusal> {
    // The quotes of a name, the colon and the comma belong to the JSON that is counted.
    let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len() + 6).sum();
    if bytes as u64 > METADATA_BYTES_MAX {
        return Err(LabelRefusal::MetadataTooLong);
    }
    Ok(())
}

/// Checks the id of a subaccount.
///
/// # Errors
/// [`LabelRefusal::SubaccountTooLong`].
pub fn check_subaccount(id: Option<&str>) -> Result<(), LabelRefusal> {
    match id {
        Some(id) if id.len() as u64 > SUBACCOUNT_BYTES_MAX => Err(LabelRefusal::SubaccountTooLong),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(tags: &[&str]) -> Result<(), LabelRefusal> {
        check_tags(&tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn each_refusal_is_reached() {
        assert_eq!(tags(&["a", &"b".repeat(50)]), Ok(()));
        assert_eq!(tags(&["a"; 51]), Err(LabelRefusal::TooManyTags));
        assert_eq!(tags(&["a", ""]), Err(LabelRefusal::TagLength { index: 1 }));
        assert_eq!(tags(&[&"b".repeat(51)]), Err(LabelRefusal::TagLength { index: 0 }));
        assert_eq!(tags(&["_a"]), Err(LabelRefusal::TagReserved { index: 0 }));
        let metadata = |bytes: usize| BTreeMap::from([("a".to_owned(), "b".repeat(bytes))]);
        assert_eq!(check_metadata(&metadata(4_089)), Ok(()));
        assert_eq!(check_metadata(&metadata(4_090)), Err(LabelRefusal::MetadataTooLong));
        assert_eq!(check_subaccount(Some(&"s".repeat(255))), Ok(()));
        assert_eq!(
            check_subaccount(Some(&"s".repeat(256))),
            Err(LabelRefusal::SubaccountTooLong)
        );
    }
}
