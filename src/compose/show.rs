//! Reads a finished message back into what people and programs are shown: subject, addresses, bodies, files.

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::parsers::MessageStream;
use mail_parser::{Encoding, Header, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use sealpost_domain::limits;
use thiserror::Error;

/// Lines that begin with `Content-Type` in one message. Each level of nesting needs one, so that this bounds the depth
/// of what is parsed; more of them than files in a message is an attack on the stack.
pub(super) const CONTENT_TYPES_MAX: usize = 1_000;

/// Why bytes cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotAMessage {
    /// There is not even one header.
    #[error("the bytes hold no header")]
    NoHeader,
    /// Larger than any message that is taken in.
    #[error("the message has {size_bytes} bytes and is too large to be shown")]
    TooLarge {
        /// How large it is.
        size_bytes: u64,
    },
    /// So many parts that reading them is not safe.
    #[error("the message has more than 1,000 parts")]
    TooManyParts,
}

/// A mailbox as the message names it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ShownAddress {
    /// The display name, decoded.
    pub name: Option<String>,
    /// `local-part@domain`, or whatever stands in its place.
    pub mailbox: String,
}

/// A file within the message.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ShownAttachment {
    /// The file's name, decoded; empty if it has none.
    pub name: String,
    /// `type/subtype`.
    pub media_type: String,
    /// The Content-ID without its brackets: an image that the HTML shows.
    pub content_id: Option<String>,
    /// Its bytes, decoded.
    pub content: Vec<u8>,
}

/// What a message shows.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ShownMessage {
    /// The subject, decoded; empty if there is none.
    pub subject: String,
    /// The first mailbox of the header From.
    pub header_from: ShownAddress,
    /// All mailboxes of To.
    pub to: Vec<ShownAddress>,
    /// All mailboxes of Cc.
    pub cc: Vec<ShownAddress>,
    /// All headers in their order, unfolded and decoded; a name can occur more than once.
    pub headers: Vec<(String, String)>,
    /// The first plain text. Nothing if there is only HTML.
    pub text: Option<String>,
    /// The first HTML. Nothing if there is only plain text.
    pub html: Option<String>,
    /// Files and inline images, in their order.
    pub attachments: Vec<ShownAttachment>,
}

/// Reads a whole message.
///
/// # Errors
/// As [`NotAMessage`] says. What is malformed inside is shown as well as it can be.
pub fn show(raw: &[u8]) -> Result<ShownMessage, NotAMessage> {
    let size_bytes = raw.len() as u64;
    // What delivery prepends is not counted in the limit of a finished message: twice the limit leaves room.
    if size_bytes > limits::MESSAGE_BYTES_MAX.saturating_mul(2) {
        return Err(NotAMessage::TooLarge { size_bytes });
    }
    if content_types(raw) > CONTENT_TYPES_MAX {
        return Err(NotAMessage::TooManyParts);
    }
    let message = MessageParser::default().parse(raw).ok_or(NotAMessage::NoHeader)?;
    let text = message.text_bodies().find_map(|part| match &part.body {
        PartType::Text(text) => Some(text.to_string()),
        _ => None,
    });
    let html = message.html_bodies().find_map(|part| match &part.body {
        PartType::Html(html) => Some(html.to_string()),
        _ => None,
    });
    Ok(ShownMessage {
        subject: message.subject().unwrap_or_default().to_owned(),
        header_from: shown_addresses(message.from()).into_iter().next().unwrap_or_default(),
        to: shown_addresses(message.to()),
        cc: shown_addresses(message.cc()),
        headers: shown_headers(&message, raw),
        text,
        html,
        attachments: message.attachments().map(|part| shown_attachment(part, raw)).collect(),
    })
}

pub(super) fn content_types(raw: &[u8]) -> usize {
    let name = b"content-type";
    let after_line_ends = memchr::memchr_iter(b'\n', raw).map(|at| at.saturating_add(1));
    std::iter::once(0)
        .chain(after_line_ends)
        .filter_map(|start| raw.get(start..start.saturating_add(name.len())))
        .filter(|word| word.eq_ignore_ascii_case(name))
        .count()
}

fn shown_addresses(address: Option<&mail_parser::Address<'_>>) -> Vec<ShownAddress> {
    let shown = |one: &mail_parser::Addr<'_>| ShownAddress {
        name: one.name.as_deref().filter(|name| !name.is_empty()).map(str::to_owned),
        mailbox: one.address.as_deref().unwrap_or_default().to_owned(),
    };
    address.map_or_else(Vec::new, |address| address.iter().map(shown).collect())
}

fn shown_headers(message: &Message<'_>, raw: &[u8]) -> Vec<(String, String)> {
    let shown = |header: &Header<'_>| {
        let value = raw.get(header.offset_start() as usize..header.offset_end() as usize);
        let value = MessageStream::new(value.unwrap_or_default()).parse_unstructured();
        let value = value.as_text().unwrap_or_default().to_owned();
        (header.name().to_owned(), value)
    };
    message.headers().iter().map(shown).collect()
}

fn shown_attachment(part: &MessagePart<'_>, raw: &[u8]) -> ShownAttachment {
    let media_type = part.content_type().map_or_else(
        || "application/octet-stream".to_owned(),
        |content_type| match content_type.subtype() {
            Some(subtype) => format!("{}/{subtype}", content_type.ctype()),
            None => content_type.ctype().to_owned(),
        },
    );
    ShownAttachment {
        name: part.attachment_name().unwrap_or_default().to_owned(),
        media_type,
        content_id: part.content_id().map(str::to_owned),
        content: content(part, raw),
    }
}

/// The part's bytes as they were before encoding. The parser has turned texts into UTF-8, so they are decoded anew.
pub(super) fn content(part: &MessagePart<'_>, raw: &[u8]) -> Vec<u8> {
    if let PartType::Binary(bytes) | PartType::InlineBinary(bytes) = &part.body {
        return bytes.to_vec();
    }
    let encoded = raw
        .get(part.raw_body_offset() as usize..part.raw_end_offset() as usize)
        .unwrap_or_default();
    let decoded = match part.encoding {
        Encoding::None => None,
        Encoding::QuotedPrintable => quoted_printable_decode(encoded),
        Encoding::Base64 => base64_decode(encoded),
    };
    decoded.unwrap_or_else(|| encoded.to_vec())
}
