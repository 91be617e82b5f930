//! Reads replies from a stream of bytes, however they are cut, and never holds more than a bounded part of one.

use super::reply::{Reply, printable};

/// RFC 5321 §4.5.3.1.5 allows 512 octets; servers with long texts exceed it, so we take four times as much.
const LINE_LENGTH_BYTES_MAX: usize = 2_048;
const LINES_MAX: usize = 100;
const REPLY_LENGTH_BYTES_MAX: usize = 65_536;

/// Why bytes are no reply. After a fault the connection is out of step and can only be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyFault {
    /// A line has more than 2,048 bytes.
    #[error("a line of the reply has more than {LINE_LENGTH_BYTES_MAX} bytes")]
    LineTooLong,
    /// A reply has more than 100 lines.
    #[error("the reply has more than {LINES_MAX} lines")]
    TooManyLines,
    /// A reply has more than 64 KiB.
    #[error("the reply has more than {REPLY_LENGTH_BYTES_MAX} bytes")]
    TooLarge,
    /// A line does not start with a code of 200..=599 followed by a blank, a hyphen or its end.
    #[error("a line of the reply does not start with a reply code")]
    Malformed,
    /// The lines of one reply contradict each other: some say yes, some say no.
    #[error("the lines of the reply have codes of different classes")]
    ContradictoryCodes,
}

/// Collects bytes and cuts replies out of them. Tolerates a bare LF as the end of a line.
#[derive(Debug, Default)]
pub struct ReplyParser {
    unread: Vec<u8>,
    lines: Vec<String>,
    code: u16,
    taken_bytes: usize,
    fault: Option<ReplyFault>,
}

impl ReplyParser {
    /// A parser that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes from the wire.
    pub fn push(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// The buffer to read into, so that bytes from the wire are not copied twice. Append only.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.unread
    }

    /// Count of bytes that belong to no complete reply yet, or to none that was asked for.
    pub fn pending_bytes(&self) -> usize {
        self.taken_bytes + self.unread.len()
    }

    /// The next complete reply; `None` while more bytes are needed.
    ///
    /// # Errors
    /// [`ReplyFault`], again at every later call: what follows a fault cannot be trusted.
    pub fn next_reply(&mut self) -> Result<Option<Reply>, ReplyFault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        self.advance().inspect_err(|fault| {
            self.fault = Some(*fault);
            self.unread = Vec::new();
            self.lines = Vec::new();
        })
    }

    fn advance(&mut self) -> Result<Option<Reply>, ReplyFault> {
        while let Some(length_bytes) = self.line_length()? {
            let line: Vec<u8> = self.unread.drain(..length_bytes).collect();
            if self.take_line(&line)? {
                self.taken_bytes = 0;
                return Ok(Some(Reply::new(self.code, std::mem::take(&mut self.lines))));
            }
        }
        Ok(None)
    }

    // Length of the first line with its LF.
    fn line_length(&self) -> Result<Option<usize>, ReplyFault> {
        let window = self.unread.get(..LINE_LENGTH_BYTES_MAX).unwrap_or(&self.unread);
        match memchr::memchr(b'\n', window) {
            Some(position) => Ok(Some(position + 1)),
            None if window.len() == LINE_LENGTH_BYTES_MAX => Err(ReplyFault::LineTooLong),
            None => Ok(None),
        }
    }

    // Whether this line was the reply's last one.
    fn take_line(&mut self, line: &[u8]) -> Result<bool, ReplyFault> {
        self.taken_bytes += line.len();
        if self.taken_bytes > REPLY_LENGTH_BYTES_MAX {
            return Err(ReplyFault::TooLarge);
        }
        if self.lines.len() == LINES_MAX {
            return Err(ReplyFault::TooManyLines);
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (code, last, text) = split_line(line).ok_or(ReplyFault::Malformed)?;
        // RFC 5321 §4.2.1 wants one code in all lines. Within a class we follow the last line, as others do; across
        // classes nobody can say whether the server said yes.
        if !self.lines.is_empty() && self.code / 100 != code / 100 {
            return Err(ReplyFault::ContradictoryCodes);
        }
        self.code = code;
        self.lines.push(printable(&String::from_utf8_lossy(text)));
        Ok(last)
    }
}

fn split_line(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code: u16 = std::str::from_utf8(digits)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?
        .parse()
        .ok()?;
    if !(200..=599).contains(&code) {
        return None;
    }
    match rest.split_first() {
        None => Some((code, true, rest)),
        Some((b' ', text)) => Some((code, true, text)),
        Some((b'-', text)) => Some((code, false, text)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests;
