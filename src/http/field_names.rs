//! Names of fields in errors: the same mistake is about `message.from_email` in one API and about `from` in the other.

use super::error_code::ErrorCode;
use super::fault::Fault;
use crate::compose::{ComposeRefusal, Place};

/// Whose names fields have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Mandrill's API.
    Mandrill,
    /// `/v1`.
    V1,
}

impl Dialect {
    const fn pick(self, mandrill: &'static str, v1: &'static str) -> &'static str {
        match self {
            Self::Mandrill => mandrill,
            Self::V1 => v1,
        }
    }

    /// The header From.
    pub(super) const fn from(self) -> &'static str {
        self.pick("message.from_email", "from.email")
    }

    /// All recipients.
    pub(super) const fn to(self) -> &'static str {
        self.pick("message.to", "to")
    }

    /// One recipient's address.
    pub(super) fn recipient(self, index: usize) -> String {
        format!("{}[{index}].email", self.to())
    }

    /// The subject.
    pub(super) const fn subject(self) -> &'static str {
        self.pick("message.subject", "subject")
    }

    /// The tags.
    pub(super) const fn tags(self) -> &'static str {
        self.pick("message.tags", "tags")
    }

    /// The metadata.
    pub(super) const fn metadata(self) -> &'static str {
        self.pick("message.metadata", "metadata")
    }

    /// The subaccount.
    pub(super) const fn subaccount(self) -> &'static str {
        self.pick("message.subaccount", "subaccount")
    }

    /// Where copies go.
    pub(super) const fn bcc_address(self) -> &'static str {
        self.pick("message.bcc_address", "bcc_address")
    }

    fn place(self, place: &Place) -> String {
        let prefix = self.pick("message.", "");
        match place {
            Place::From => self.from().to_owned(),
            Place::Recipient { .. } => self.to().to_owned(),
            Place::Subject => self.subject().to_owned(),
            Place::Text => format!("{prefix}text"),
            Place::Html => format!("{prefix}html"),
            Place::OwnVariables => format!("{prefix}merge_vars"),
            Place::HeaderName { .. } => format!("{prefix}headers"),
            Place::Header { name } => format!("{prefix}headers.{name}"),
            Place::Attachment { index } => format!("{prefix}attachments[{index}]"),
            Place::InlineImage { index } => format!("{prefix}images[{index}]"),
        }
    }

    pub(super) fn header(self, name: &str) -> String {
        self.place(&Place::Header { name: name.to_owned() })
    }
}

/// What is wrong with a draft, at its field. One exhaustive match: a new refusal does not compile before it has its place.
pub(super) fn compose_fault(dialect: Dialect, refusal: &ComposeRefusal) -> Fault {
    let field = match refusal {
        ComposeRefusal::TooLarge { .. } => {
            return Fault::from(ErrorCode::MessageTooLarge).with_detail(text(refusal));
        }
        ComposeRefusal::HeaderInjection { place }
        | ComposeRefusal::BadMailbox { place, .. }
        | ComposeRefusal::NameTooLong { place, .. }
        | ComposeRefusal::BadAttachmentType { place }
        | ComposeRefusal::BadAttachmentName { place } => dialect.place(place),
        ComposeRefusal::BadTemplate { place, .. } => match place {
            // A template in the sender's name is a mistake in the name, not in the address.
            Place::From => dialect.pick("message.from_name", "from.name").to_owned(),
            place => dialect.place(place),
        },
        ComposeRefusal::MergesTooMuch => dialect
            .pick("message.global_merge_vars", "global_merge_vars")
            .to_owned(),
        ComposeRefusal::VariablesOfOne => dialect.place(&Place::OwnVariables),
        ComposeRefusal::BadHeaderName { index } => dialect.place(&Place::HeaderName { index: *index }),
        ComposeRefusal::HeaderNotAllowed { header }
        | ComposeRefusal::HeaderRepeated { header }
        | ComposeRefusal::HeaderNotPlain { header }
        | ComposeRefusal::HeaderTooLong { header } => dialect.header(header),
        ComposeRefusal::TooManyHeaders { .. } => dialect.pick("message.headers", "headers").to_owned(),
        ComposeRefusal::NoRecipient | ComposeRefusal::TooManyRecipients { .. } => dialect.to().to_owned(),
        ComposeRefusal::SubjectTooLong { .. } => dialect.subject().to_owned(),
        ComposeRefusal::TooManyAttachments { .. } => dialect.pick("message.attachments", "attachments").to_owned(),
    };
    Fault::field(field, text(refusal))
}

/// The refusal's own text begins in lower case, as the end of a longer one.
fn text(refusal: &ComposeRefusal) -> String {
    let text = refusal.to_string();
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_mistake_has_its_name_in_each_api() {
        let refusal = ComposeRefusal::HeaderInjection { place: Place::From };
        let named = |dialect| compose_fault(dialect, &refusal).field.unwrap_or_default();
        assert_eq!(named(Dialect::Mandrill), "message.from_email");
        assert_eq!(named(Dialect::V1), "from.email");
        let large = ComposeRefusal::TooLarge {
            size_bytes: 27_000_000,
            limit_bytes: 26_214_400,
        };
        let fault = compose_fault(Dialect::V1, &large);
        assert_eq!((fault.code, fault.field), (ErrorCode::MessageTooLarge, None));
        let header = ComposeRefusal::HeaderNotAllowed {
            header: "DKIM-Signature".to_owned(),
        };
        assert_eq!(
            compose_fault(Dialect::V1, &header).field.as_deref(),
            Some("headers.DKIM-Signature")
        );
    }
}
