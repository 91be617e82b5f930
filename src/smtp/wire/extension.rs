//! Reads the service extensions of an `EHLO` reply (RFC 5321 §4.1.1.1) and prints them for our own server.

use super::reply::Reply;

/// An extension that the client or the server acts upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extension {
    /// Commands may be sent without waiting for each reply (RFC 2920).
    Pipelining,
    /// TLS on this connection (RFC 3207).
    StartTls,
    /// Content with bytes above 127 (RFC 6152).
    EightBitMime,
    /// Addresses and headers in UTF-8 (RFC 6531).
    SmtpUtf8,
    /// Enhanced status codes in replies (RFC 2034).
    EnhancedStatusCodes,
    /// Messages that demand TLS of every hop (RFC 8689).
    RequireTls,
    /// Content in counted chunks, `BDAT` (RFC 3030).
    Chunking,
    /// Content without line structure (RFC 3030).
    BinaryMime,
    /// Delivery status notifications on demand (RFC 3461).
    Dsn,
    /// The largest content that is taken (RFC 1870).
    Size,
    /// Authentication (RFC 4954).
    Auth,
}

const KEYWORDS: [(&str, Extension); 11] = [
    ("PIPELINING", Extension::Pipelining),
    ("SIZE", Extension::Size),
    ("STARTTLS", Extension::StartTls),
    ("8BITMIME", Extension::EightBitMime),
    ("SMTPUTF8", Extension::SmtpUtf8),
    ("ENHANCEDSTATUSCODES", Extension::EnhancedStatusCodes),
    ("REQUIRETLS", Extension::RequireTls),
    ("CHUNKING", Extension::Chunking),
    ("BINARYMIME", Extension::BinaryMime),
    ("DSN", Extension::Dsn),
    ("AUTH", Extension::Auth),
];

/// What the server says about the size of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SizeLimit {
    /// No limit is stated.
    #[default]
    Unstated,
    /// At most this many bytes.
    Bytes(u64),
}

/// The extensions that one server offers at one moment; what was said before TLS is void after it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    offered: Vec<Extension>,
    size_limit: SizeLimit,
    auth_mechanisms: Vec<String>,
    masked_keyword: Option<String>,
}

impl Capabilities {
    /// What a server offers that knows only `HELO`.
    pub fn none() -> Self {
        Self::default()
    }

    /// What our own server offers, with the largest content it takes.
    pub fn offering(offered: Vec<Extension>, size_limit: SizeLimit) -> Self {
        Self {
            offered,
            size_limit,
            ..Self::default()
        }
    }

    /// The same, with these mechanisms to log in by, in upper case.
    pub fn with_login(mut self, mechanisms: &[&str]) -> Self {
        self.offered.push(Extension::Auth);
        self.auth_mechanisms = mechanisms.iter().map(|one| (*one).to_owned()).collect();
        self
    }

    /// Reads the lines after the first, which is the server's greeting. Unknown keywords are skipped.
    pub fn from_ehlo_reply(reply: &Reply) -> Self {
        let mut capabilities = Self::default();
        for line in reply.lines().iter().skip(1) {
            capabilities.note(line);
        }
        capabilities
    }

    /// Whether the server offers this extension.
    pub fn offers(&self, extension: Extension) -> bool {
        self.offered.contains(&extension)
    }

    /// The largest content that the server takes, as it says.
    pub fn size_limit(&self) -> SizeLimit {
        self.size_limit
    }

    /// The mechanisms after `AUTH`, in upper case and in the server's order.
    pub fn auth_mechanisms(&self) -> &[String] {
        &self.auth_mechanisms
    }

    /// A keyword that something on the way has overwritten with `X`, as firewalls do that take `STARTTLS` away.
    pub fn masked_keyword(&self) -> Option<&str> {
        self.masked_keyword.as_deref()
    }

    /// The lines of an `EHLO` reply after the first, without reply codes.
    pub fn ehlo_lines(&self) -> Vec<String> {
        let offered = |(_, extension): &&(&str, Extension)| self.offers(*extension);
        KEYWORDS
            .iter()
            .filter(offered)
            .map(|(keyword, extension)| self.ehlo_line(keyword, *extension))
            .collect()
    }

    fn ehlo_line(&self, keyword: &str, extension: Extension) -> String {
        match (extension, self.size_limit) {
            (Extension::Size, SizeLimit::Bytes(limit_bytes)) => format!("{keyword} {limit_bytes}"),
            (Extension::Auth, _) => format!("{keyword} {}", self.auth_mechanisms.join(" ")),
            _ => keyword.to_owned(),
        }
    }

    fn note(&mut self, line: &str) {
        // "AUTH=PLAIN" is how servers older than RFC 4954 wrote it; both forms are met in one reply.
        let mut words = line.split([' ', '\t', '=']).filter(|word| !word.is_empty());
        let Some(keyword) = words.next() else { return };
        if is_masked(keyword) {
            self.masked_keyword = Some(keyword.to_owned());
        }
        let known = KEYWORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(keyword));
        let Some((_, extension)) = known else { return };
        if !self.offers(*extension) {
            self.offered.push(*extension);
        }
        match extension {
            Extension::Size => self.size_limit = words.next().map_or(SizeLimit::Unstated, size_limit),
            Extension::Auth => self.note_mechanisms(words),
            _ => {}
        }
    }

    fn note_mechanisms<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        for mechanism in words.map(str::to_ascii_uppercase) {
            if !self.auth_mechanisms.contains(&mechanism) {
                self.auth_mechanisms.push(mechanism);
            }
        }
    }
}

// RFC 1870 §3: zero says that no limit is in force. A number that cannot be read is no limit that we could honour.
fn size_limit(digits: &str) -> SizeLimit {
    match digits.parse() {
        Ok(0) | Err(_) => SizeLimit::Unstated,
        Ok(limit_bytes) => SizeLimit::Bytes(limit_bytes),
    }
}

fn is_masked(keyword: &str) -> bool {
    keyword.len() >= 4 && keyword.trim_end_matches(['A', 'B']).bytes().all(|byte| byte == b'X')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Capabilities {
        let lines = std::iter::once("mx.test at your service").chain(lines.iter().copied());
        Capabilities::from_ehlo_reply(&Reply::new(250, lines.map(str::to_owned).collect()))
    }

    #[test]
    fn keywords_have_no_case_and_unknown_ones_are_skipped() {
        let capabilities = read(&["pipelining", "STARTTLS", "8BITMIME", "X-GIBBERISH 1", "", "smtpUTF8"]);
        assert!(capabilities.offers(Extension::Pipelining) && capabilities.offers(Extension::SmtpUtf8));
        assert!(capabilities.offers(Extension::StartTls) && capabilities.offers(Extension::EightBitMime));
        assert!(!capabilities.offers(Extension::Chunking));
    }

    #[test]
    fn the_first_line_is_a_greeting_and_no_keyword() {
        let reply = Reply::new(250, vec!["STARTTLS".to_owned()]);
        assert_eq!(Capabilities::from_ehlo_reply(&reply), Capabilities::none());
    }

    #[test]
    fn size_zero_and_nonsense_state_no_limit() {
        assert_eq!(read(&["SIZE 35882577"]).size_limit(), SizeLimit::Bytes(35_882_577));
        for line in ["SIZE", "SIZE 0", "SIZE many", "SIZE 99999999999999999999999"] {
            assert_eq!(read(&[line]).size_limit(), SizeLimit::Unstated, "{line}");
            assert!(read(&[line]).offers(Extension::Size));
        }
    }

    #[test]
    fn both_forms_of_auth_are_read_once() {
        let capabilities = read(&["AUTH plain LOGIN", "AUTH=PLAIN CRAM-MD5"]);
        assert_eq!(capabilities.auth_mechanisms(), ["PLAIN", "LOGIN", "CRAM-MD5"]);
    }

    #[test]
    fn an_overwritten_keyword_is_noticed() {
        assert_eq!(read(&["XXXXXXXA"]).masked_keyword(), Some("XXXXXXXA"));
        assert_eq!(read(&["XXXXXXXX"]).masked_keyword(), Some("XXXXXXXX"));
        assert_eq!(read(&["XCLIENT NAME ADDR", "XFORWARD", "X"]).masked_keyword(), None);
    }

    #[test]
    fn printing_and_reading_agree() {
        let offered = vec![
            Extension::Pipelining,
            Extension::Size,
            Extension::StartTls,
            Extension::EightBitMime,
        ];
        let ours = Capabilities::offering(offered, SizeLimit::Bytes(26_214_400));
        let lines = ours.ehlo_lines();
        assert_eq!(lines, ["PIPELINING", "SIZE 26214400", "STARTTLS", "8BITMIME"]);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(read(&lines), ours);
    }
}
