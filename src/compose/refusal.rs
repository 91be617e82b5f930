//! Every reason for which a draft does not become a message, with the place in the request that it is about.

use std::fmt;

use sealpost_domain::address::AddressRefusal;
use thiserror::Error;

use super::merge::{Exhausted, TemplateRefusal};

/// Where in a draft something stands. Indices count from 0, in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The header From.
    From,
    /// A recipient.
    Recipient {
        /// Which one.
        index: usize,
    },
    /// The subject.
    Subject,
    /// The plain text.
    Text,
    /// The HTML.
    Html,
    /// The recipients' own variables.
    OwnVariables,
    /// The name of a custom header that cannot be shown.
    HeaderName {
        /// Which one.
        index: usize,
    },
    /// The value of a custom header.
    Header {
        /// Its name, a token.
        name: String,
    },
    /// An attachment's name or media type.
    Attachment {
        /// Which one.
        index: usize,
    },
    /// An inline image's name or media type.
    InlineImage {
        /// Which one.
        index: usize,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From => f.write_str("from"),
            Self::Recipient { index } => write!(f, "to[{index}]"),
            Self::Subject => f.write_str("subject"),
            Self::Text => f.write_str("text"),
            Self::Html => f.write_str("html"),
            Self::OwnVariables => f.write_str("variables of one recipient"),
            Self::HeaderName { index } => write!(f, "name of headers[{index}]"),
            Self::Header { name } => write!(f, "header {name}"),
            Self::Attachment { index } => write!(f, "attachments[{index}]"),
            Self::InlineImage { index } => write!(f, "images[{index}]"),
        }
    }
}

/// Why a draft is no message. None of the variants holds an address, a subject or a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ComposeRefusal {
    /// A text with variables is no template.
    #[error("{place} is no template: {reason}")]
    BadTemplate {
        /// Where.
        place: Place,
        /// Why.
        reason: TemplateRefusal,
    },
    /// The templates cost more than they may, or make more than a call may.
    #[error("{}", Exhausted)]
    MergesTooMuch,
    /// All recipients see one message: it cannot differ.
    #[error("one message for all recipients has no variables of one recipient")]
    VariablesOfOne,

    /// CR, LF or NUL where a header's text is made from: the way to smuggle a header of one's own.
    #[error("{place} holds a line break or a NUL")]
    HeaderInjection {
        /// Where.
        place: Place,
    },
    /// The name of a custom header is empty, too long or no token (RFC 5322 §3.6.8).
    #[error("headers[{index}] has a name that no header can have")]
    BadHeaderName {
        /// Which header.
        index: usize,
    },
    /// The product writes this header itself.
    #[error("the header {header} is written by the platform and cannot be set")]
    HeaderNotAllowed {
        /// Its name as it was given.
        header: String,
    },
    /// RFC 5322 §3.6 allows this header once.
    #[error("the header {header} is given more than once")]
    HeaderRepeated {
        /// Its name as it was given.
        header: String,
    },
    /// A structured header holds what is not printable ASCII, and its grammar has no way to encode it.
    #[error("the header {header} may hold printable ASCII only")]
    HeaderNotPlain {
        /// Its name as it was given.
        header: String,
    },
    /// The value is longer than a header may be, or a structured one cannot be folded into lines of 998 bytes.
    #[error("the header {header} is too long")]
    HeaderTooLong {
        /// Its name as it was given.
        header: String,
    },
    /// More custom headers than a message may have.
    #[error("{count} custom headers, at most {limit} are allowed")]
    TooManyHeaders {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Not the address of a mailbox.
    #[error("{place} is no mail address")]
    BadMailbox {
        /// Where.
        place: Place,
        /// What is wrong with it.
        #[source]
        reason: AddressRefusal,
    },
    /// A display name is longer than a header should carry.
    #[error("the name in {place} is longer than {limit_bytes} bytes")]
    NameTooLong {
        /// Where.
        place: Place,
        /// How long it may be.
        limit_bytes: usize,
    },
    /// There is nobody to send to.
    #[error("the message has no recipient")]
    NoRecipient,
    /// More recipients than a call may have, or than one message may show.
    #[error("{count} recipients, at most {limit} are allowed")]
    TooManyRecipients {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The subject is longer than a line of RFC 5322.
    #[error("the subject has {size_bytes} bytes, at most {limit_bytes} are allowed")]
    SubjectTooLong {
        /// How long it is.
        size_bytes: usize,
        /// How long it may be.
        limit_bytes: usize,
    },
    /// More attachments and images than a message may have.
    #[error("{count} attachments and images, at most {limit} are allowed")]
    TooManyAttachments {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The media type has not the form `type/subtype` with parameters, is a multipart, or is no image where one must be.
    #[error("{place} has a media type that cannot be sent")]
    BadAttachmentType {
        /// Where.
        place: Place,
    },
    /// The name of an attachment is too long, or that of an image cannot be a Content-ID.
    #[error("{place} has a name that cannot be sent")]
    BadAttachmentName {
        /// Where.
        place: Place,
    },
    /// The finished message is larger than receivers take.
    #[error("the message has {size_bytes} bytes, at most {limit_bytes} are allowed")]
    TooLarge {
        /// Size of the finished message, or of what goes into it where that alone is too much.
        size_bytes: u64,
        /// How large it may be.
        limit_bytes: u64,
    },
}
