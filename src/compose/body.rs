//! Writes the body that all recipients of a call share, from its first `Content-` header to its last line.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::MimePart;
use memchr::memchr2;
use uuid::Uuid;

use super::draft::{Alternatives, Attachment, Draft, InlineImage};
use super::media_type::MediaType;
use super::plain_text::plain_text;

/// Bytes that make one line of base64: 57 become 76 characters (RFC 2045 §6.8).
const BASE64_LINE_INPUT_BYTES: usize = 57;

/// The body with its MIME headers in front. The draft has been checked.
pub(super) fn shared_body(draft: &Draft, boundary_seed: Uuid) -> Vec<u8> {
    let mut boundaries = Boundaries::new(boundary_seed);
    let mut body = b"MIME-Version: 1.0\r\n".to_vec();
    root_part(draft, &mut boundaries).write_part(&mut body);
    body
}

/// The boundaries of one message, made from a seed instead of a clock.
pub(super) struct Boundaries {
    seed: Uuid,
    used: u32,
}

impl Boundaries {
    pub(super) fn new(seed: Uuid) -> Self {
        Self { seed, used: 0 }
    }

    /// `=_` stands in no line of base64 or quoted-printable (RFC 2045 §6.7), so that only a 7-bit text could hold it,
    /// and that cannot know the seed.
    pub(super) fn next(&mut self) -> String {
        self.used = self.used.saturating_add(1);
        format!("=_{}_{}", self.seed.simple(), self.used)
    }

    fn multipart<'x>(&mut self, subtype: &str, parts: Vec<MimePart<'x>>) -> MimePart<'x> {
        let content_type = ContentType::new(format!("multipart/{subtype}")).attribute("boundary", self.next());
        MimePart::new(content_type, parts)
    }
}

/// RFC 2046 §5.1: mixed holds alternative holds related; a level with one part is left out.
fn root_part(draft: &Draft, boundaries: &mut Boundaries) -> MimePart<'static> {
    let (text, html) = texts(draft);
    let images = draft.inline_images.iter().map(image_part);
    let mut attached: Vec<_> = draft.attachments.iter().map(attachment_part).collect();
    let html = match html {
        Some(html) if draft.inline_images.is_empty() => Some(text_part("text/html", &html)),
        Some(html) => {
            let parts = std::iter::once(text_part("text/html", &html)).chain(images).collect();
            Some(boundaries.multipart("related", parts))
        }
        // Without HTML nothing shows the images: they go as files.
        None => {
            attached.splice(0..0, images);
            None
        }
    };
    let content = match (text, html) {
        (Some(text), Some(html)) => boundaries.multipart("alternative", vec![text_part("text/plain", &text), html]),
        (None, Some(html)) => html,
        (text, None) => text_part("text/plain", &text.unwrap_or_default()),
    };
    if attached.is_empty() {
        return content;
    }
    let parts = std::iter::once(content).chain(attached).collect();
    boundaries.multipart("mixed", parts)
}

/// Plain text and HTML, as given or made from one another.
fn texts(draft: &Draft) -> (Option<Cow<'_, str>>, Option<Cow<'_, str>>) {
    fn given(text: &Option<String>) -> Option<Cow<'_, str>> {
        text.as_deref().filter(|text| !text.is_empty()).map(Cow::Borrowed)
    }
    let (text, html) = (given(&draft.text), given(&draft.html));
    let (add_text, add_html) = match draft.alternatives {
        Alternatives::AsGiven => (false, false),
        Alternatives::AddText => (true, false),
        Alternatives::AddHtml => (false, true),
        Alternatives::AddEither => (true, true),
    };
    match (text, html) {
        (None, Some(html)) if add_text => (Some(Cow::Owned(plain_text(&html))), Some(html)),
        (Some(text), None) if add_html => {
            let html = Cow::Owned(text_to_html(&text));
            (Some(text), Some(html))
        }
        as_given => as_given,
    }
}

/// A page that shows the text: escaped, line ends kept.
fn text_to_html(text: &str) -> String {
    let mut html = String::from("<!DOCTYPE html><html><body><p>");
    for c in normal_text(text).trim_end().chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\n' => html.push_str("<br>\n"),
            '\r' => {}
            other => html.push(other),
        }
    }
    html.push_str("</p></body></html>");
    html
}

/// The text as it goes out: lines end in CRLF whatever they ended in, no line of white space alone at the end, one CRLF
/// behind the last line.
///
/// Known implementations of DKIM's relaxed body disagree about lines of white space at the end (RFC 6376 §3.4.4 ignores
/// them), so that a message had better not have any.
pub(super) fn normal_text(text: &str) -> String {
    let text = text.trim_end_matches([' ', '\t', '\r', '\n']);
    let mut normal = String::with_capacity(text.len().saturating_add(text.len() / 16).saturating_add(2));
    let mut rest = text;
    while let Some((line, end)) = memchr2(b'\r', b'\n', rest.as_bytes()).and_then(|at| rest.split_at_checked(at)) {
        normal.push_str(line);
        normal.push_str("\r\n");
        let behind = end.strip_prefix("\r\n").or_else(|| end.strip_prefix(['\r', '\n']));
        rest = behind.unwrap_or_default();
    }
    normal.push_str(rest);
    normal.push_str("\r\n");
    normal
}

fn text_part(media_type: &'static str, text: &str) -> MimePart<'static> {
    let text = normal_text(text);
    if has_control(text.as_bytes()) {
        // A control character is no part of a 7-bit line (RFC 2045 §2.7), but the builder would let it through.
        let content_type = ContentType::new(media_type).attribute("charset", "utf-8");
        return MimePart::new(content_type, base64_lines(text.as_bytes())).transfer_encoding("base64");
    }
    MimePart::new(media_type, text)
}

/// Whether a control character besides tab and line ends stands in it. Reads to the end in any case, which is faster: the
/// processor takes many bytes at a time.
fn has_control(text: &[u8]) -> bool {
    let is_control = |b: u8| b.is_ascii_control() & (b != b'\t') & (b != b'\r') & (b != b'\n');
    text.iter().fold(false, |found, b| found | is_control(*b))
}

/// Files go as base64 whatever their type, so that they arrive byte for byte.
fn file_part(media_type: &str, content: &[u8]) -> MimePart<'static> {
    let declared = MediaType::parse(media_type).unwrap_or_else(MediaType::octets);
    // RFC 2046 §5.2.1 forbids an encoding of message/*, and without one its bytes could not be kept.
    let declared = if declared.kind() == "message" {
        MediaType::octets()
    } else {
        declared
    };
    let mut content_type = ContentType::new(declared.essence);
    for (name, value) in declared.parameters {
        content_type = content_type.attribute(name, value);
    }
    MimePart::new(content_type, base64_lines(content)).transfer_encoding("base64")
}

fn attachment_part(file: &Attachment) -> MimePart<'static> {
    let part = file_part(&file.media_type, &file.content);
    if file.name.is_empty() {
        return part.header("Content-Disposition", ContentType::new("attachment"));
    }
    part.attachment(file.name.clone())
}

fn image_part(image: &InlineImage) -> MimePart<'static> {
    let disposition = ContentType::new("inline").attribute("filename", image.name.clone());
    file_part(&image.media_type, &image.content)
        .header("Content-Disposition", disposition)
        .cid(image.name.clone())
}

pub(super) fn base64_lines(content: &[u8]) -> Vec<u8> {
    let lines = content.len() / BASE64_LINE_INPUT_BYTES;
    let mut encoded = String::with_capacity(lines.saturating_add(1).saturating_mul(78));
    for chunk in content.chunks(BASE64_LINE_INPUT_BYTES) {
        STANDARD.encode_string(chunk, &mut encoded);
        encoded.push_str("\r\n");
    }
    encoded.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_become_crlf_and_the_end_is_one_line() {
        for (given, normal) in [
            ("", "\r\n"),
            ("hi", "hi\r\n"),
            ("hi\r\n \t\r\n", "hi\r\n"),
            ("hi  \n\n\n", "hi\r\n"),
            ("a\nb\rc\r\nd\n\re", "a\r\nb\r\nc\r\nd\r\n\r\ne\r\n"),
            (" \r\n a", " \r\n a\r\n"),
        ] {
            assert_eq!(normal_text(given), normal, "{given:?}");
        }
    }

    #[test]
    fn only_tab_and_line_ends_are_no_control_characters() {
        for byte in 0..=u8::MAX {
            let expected = (byte < 0x20 && !b"\t\r\n".contains(&byte)) || byte == 0x7f;
            assert_eq!(has_control(&[b'a', byte, b'b']), expected, "{byte}");
        }
    }

    #[test]
    fn base64_lines_have_76_characters() {
        assert_eq!(base64_lines(b""), b"");
        assert_eq!(base64_lines(b"hi"), b"aGk=\r\n");
        let lines = String::from_utf8(base64_lines(&[7; 115])).unwrap();
        let lengths: Vec<usize> = lines.split_terminator("\r\n").map(str::len).collect();
        assert_eq!(lengths, [76, 76, 4]);
    }

    #[test]
    fn a_page_shows_the_text_and_nothing_else() {
        assert_eq!(
            text_to_html("a < b & \"c\"\nd\n"),
            "<!DOCTYPE html><html><body><p>a &lt; b &amp; &quot;c&quot;<br>\nd</p></body></html>"
        );
    }
}
