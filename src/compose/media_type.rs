//! Reads the media type of an attachment: a type, a subtype and parameters, each a token of RFC 2045 §5.1.

/// A media type whose parts can stand in a header as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    /// `type/subtype` in lower case.
    pub essence: String,
    /// Parameters in their order, names in lower case, values without quotes.
    pub parameters: Vec<(String, String)>,
}

/// Longest `type/subtype`: RFC 6838 §4.2 limits each half to 127 bytes.
const HALF_BYTES_MAX: usize = 127;
/// Longest value of a parameter; charsets and format names are far shorter.
const VALUE_BYTES_MAX: usize = 200;
/// Parameters of one media type.
const PARAMETERS_MAX: usize = 8;

impl MediaType {
    /// Reads `type/subtype; name=value`. An empty text is `application/octet-stream`.
    ///
    /// Nothing for what has another form, and for `multipart/*`: its boundary would have to be trusted. The parameters
    /// `name` and `boundary` are dropped, because the attachment's own name is sent and a leaf has no boundary.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return Some(Self::octets());
        }
        let mut pieces = text.split(';');
        let essence = pieces.next()?.trim().to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/')?;
        if !is_half(kind) || !is_half(subtype) || kind == "multipart" {
            return None;
        }
        let mut parameters = Vec::new();
        for piece in pieces.map(str::trim).filter(|piece| !piece.is_empty()) {
            let (name, value) = parameter(piece)?;
            if name != "name" && name != "boundary" {
                parameters.push((name, value));
            }
        }
        (parameters.len() <= PARAMETERS_MAX).then_some(Self { essence, parameters })
    }

    /// `application/octet-stream`.
    #[must_use]
    pub fn octets() -> Self {
        Self {
            essence: "application/octet-stream".to_owned(),
            parameters: Vec::new(),
        }
    }

    /// The half before the slash.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.essence.split('/').next().unwrap_or_default()
    }
}

fn is_half(text: &str) -> bool {
    !text.is_empty() && text.len() <= HALF_BYTES_MAX && text.bytes().all(is_token_byte)
}

/// RFC 2045 §5.1: printable ASCII but space and tspecials.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}

fn parameter(piece: &str) -> Option<(String, String)> {
    let (name, value) = piece.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let value = match value.strip_prefix('"') {
        // A quoted value with an escape in it is refused: no charset needs one.
        Some(rest) => rest.strip_suffix('"').filter(|inner| {
            inner
                .bytes()
                .all(|b| (b.is_ascii_graphic() || b == b' ') && b != b'"' && b != b'\\')
        })?,
        None => Some(value).filter(|value| !value.is_empty() && value.bytes().all(is_token_byte))?,
    };
    let fits = is_half(name) && !name.contains(['*', '\'', '%']) && value.len() <= VALUE_BYTES_MAX;
    fits.then(|| (name.to_ascii_lowercase(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn essence(text: &str) -> Option<String> {
        MediaType::parse(text).map(|media_type| media_type.essence)
    }

    #[test]
    fn types_are_read_and_lowered() {
        assert_eq!(essence("Image/PNG").as_deref(), Some("image/png"));
        assert_eq!(essence(" text/csv ").as_deref(), Some("text/csv"));
        assert_eq!(
            essence("application/vnd.ms-excel").as_deref(),
            Some("application/vnd.ms-excel")
        );
        assert_eq!(essence("").as_deref(), Some("application/octet-stream"));
    }

    #[test]
    fn parameters_are_kept_but_name_and_boundary() {
        let parsed =
            MediaType::parse("text/calendar; method=REQUEST; Charset=\"utf-8\"; name=x.ics; boundary=b;").unwrap();
        let expected = [("method", "REQUEST"), ("charset", "utf-8")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(parsed.parameters, expected);
        assert_eq!(parsed.kind(), "text");
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "png",
            "/png",
            "image/",
            "image/png/x",
            "image png/x",
            "multipart/mixed",
            "text/plain; charset",
            "text/plain; charset=a b",
            "text/plain; charset=\"a\\\"b\"",
            "text/plain; a*=b",
            "bild/ä",
            "text/plain\r\nX: y",
            "text/plain; charset=x\r\nX: y",
            "text/plain; charset=\"x\r\ny\"",
            "text/plain; charset=\"",
        ] {
            assert_eq!(MediaType::parse(text), None, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_can_stand_in_a_header(text in ".{0,60}") {
            if let Some(media_type) = MediaType::parse(&text) {
                let parts = media_type.parameters.iter().flat_map(|(name, value)| [name, value]);
                for part in parts.chain([&media_type.essence]) {
                    proptest::prop_assert!(part.bytes().all(|b| b.is_ascii_graphic() || b == b' '));
                }
            }
        }
    }
}
