//! Gives a submitted body the form in which every receiver takes it: 7-bit lines of at most 998 bytes (RFC 5322 §2.1.1).

use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::{HeaderType, raw::Raw};
use mail_builder::mime::MimePart;
use mail_parser::{HeaderName, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use uuid::Uuid;

use super::adopt::is_of_the_body;
use super::field::{Field, LINE_BYTES_MAX};
use super::refusal::AdoptRefusal;
use crate::compose::body::{Boundaries, base64_lines};
use crate::compose::show::{CONTENT_TYPES_MAX, content, content_types};

/// Multiparts within multiparts that are encoded anew.
const DEPTH_MAX: usize = 30;

/// The body with its `MIME-Version` and `Content-` fields in front. What is fit stays as it is; the rest is taken apart
/// and every leaf encoded as base64, its bytes and its charset unchanged.
pub(super) fn seven_bit_body(fields: &[Field<'_>], body: &[u8], seed: Uuid) -> Result<Vec<u8>, AdoptRefusal> {
    let mut out = Vec::with_capacity(body.len().saturating_add(1_024));
    out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    let mut described = Vec::new();
    let mut plain = true;
    for field in fields
        .iter()
        .filter(|field| is_of_the_body(field) && !field.is("MIME-Version"))
    {
        plain = plain && field.write(&mut described).is_ok();
    }
    if plain && is_fit(body) {
        out.extend_from_slice(&described);
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
        return Ok(out);
    }
    let raw = rejoined(fields, body);
    if content_types(&raw) > CONTENT_TYPES_MAX {
        return Err(AdoptRefusal::TooManyParts);
    }
    let message = MessageParser::default().parse(&raw);
    let encoded = message.as_ref().and_then(|message| {
        let mut boundaries = Boundaries::new(seed);
        encoded_part(message, 0, &raw, &mut boundaries, DEPTH_MAX)
    });
    encoded.ok_or(AdoptRefusal::NotSevenBit)?.write_part(&mut out);
    Ok(out)
}

fn is_fit(body: &[u8]) -> bool {
    body.is_ascii()
        && body
            .split(|b| *b == b'\n')
            .all(|line| line.trim_ascii_end().len() <= LINE_BYTES_MAX)
}

/// The fields of the body as they came, and the body.
fn rejoined(fields: &[Field<'_>], body: &[u8]) -> Vec<u8> {
    let mut raw = b"MIME-Version: 1.0\r\n".to_vec();
    for field in fields.iter().filter(|field| is_of_the_body(field)) {
        raw.extend_from_slice(field.name.as_bytes());
        raw.extend_from_slice(b": ");
        raw.extend_from_slice(field.unfolded().as_bytes());
        raw.extend_from_slice(b"\r\n");
    }
    raw.extend_from_slice(b"\r\n");
    raw.extend_from_slice(body);
    raw
}

/// The part with all its leaves in base64. Nothing for what must not change or is too deep.
fn encoded_part(
    message: &Message<'_>,
    id: u32,
    raw: &[u8],
    boundaries: &mut Boundaries,
    depth: usize,
) -> Option<MimePart<'static>> {
    let part = message.part(id)?;
    let declared = part.content_type();
    let subtype = declared
        .and_then(|c| c.subtype())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let PartType::Multipart(children) = &part.body else {
        return Some(encoded_leaf(part, raw));
    };
    // RFC 1847 §2.1: what is signed or encrypted must not be changed on its way. A multipart without parts is malformed.
    if depth == 0 || children.is_empty() || ["signed", "encrypted"].contains(&subtype.as_str()) {
        return None;
    }
    let children = children
        .iter()
        .map(|child| encoded_part(message, *child, raw, boundaries, depth.saturating_sub(1)))
        .collect::<Option<Vec<_>>>()?;
    let subtype = if is_token(&subtype) {
        subtype
    } else {
        "mixed".to_owned()
    };
    let mut multipart = ContentType::new(format!("multipart/{subtype}")).attribute("boundary", boundaries.next());
    for attribute in declared.and_then(|c| c.attributes()).unwrap_or_default() {
        if is_token(&attribute.name) && !attribute.name.eq_ignore_ascii_case("boundary") {
            multipart = multipart.attribute(attribute.name.to_string(), attribute.value.to_string());
        }
    }
    Some(MimePart::new(multipart, children))
}

fn encoded_leaf(part: &MessagePart<'_>, raw: &[u8]) -> MimePart<'static> {
    // RFC 2046 §5.2.1 forbids an encoding of a message, so that it goes as a file.
    let declared = part
        .content_type()
        .filter(|_| !matches!(part.body, PartType::Message(_)));
    let content = content(part, raw);
    let content_type = match declared {
        Some(declared) if declared.ctype().eq_ignore_ascii_case("text") && !declared.has_attribute("charset") => {
            let charset = if std::str::from_utf8(&content).is_ok() {
                "utf-8"
            } else {
                "unknown-8bit"
            };
            rewritten(declared).attribute("charset", charset)
        }
        Some(declared) => rewritten(declared),
        None if matches!(part.body, PartType::Message(_)) => ContentType::new("application/octet-stream"),
        // RFC 2045 §5.2 says us-ascii; bytes that are not ASCII are UTF-8 today.
        None => ContentType::new("text/plain").attribute("charset", "utf-8"),
    };
    let mut leaf = MimePart::new(content_type, base64_lines(&content)).transfer_encoding("base64");
    for header in part.headers() {
        match (&header.name, &header.value) {
            (HeaderName::ContentType | HeaderName::ContentTransferEncoding, _) => {}
            (HeaderName::ContentDisposition, HeaderValue::ContentType(disposition)) => {
                leaf = leaf.header("Content-Disposition", rewritten(disposition));
            }
            (HeaderName::ContentId, HeaderValue::Text(id)) if id.bytes().all(|b| b.is_ascii_graphic()) => {
                leaf = leaf.header("Content-ID", HeaderType::Raw(Raw::new(format!("<{id}>"))));
            }
            _ => {}
        }
    }
    leaf
}

fn rewritten(declared: &mail_parser::ContentType<'_>) -> ContentType<'static> {
    let (kind, subtype) = (declared.ctype(), declared.subtype());
    let essence = match subtype {
        Some(subtype) if is_token(kind) && is_token(subtype) => format!("{kind}/{subtype}"),
        None if is_token(kind) => kind.to_owned(),
        _ => "application/octet-stream".to_owned(),
    };
    let mut rewritten = ContentType::new(essence);
    for attribute in declared.attributes().unwrap_or_default() {
        if is_token(&attribute.name) {
            rewritten = rewritten.attribute(attribute.name.to_string(), attribute.value.to_string());
        }
    }
    rewritten
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 127
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
}
