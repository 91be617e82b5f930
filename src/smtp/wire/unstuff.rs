//! Receives the content after `DATA`: finds its only valid end, removes the stuffed dots, refuses bare line ends.

/// Why a content was not taken, although it was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContentFault {
    /// A CR without LF or an LF without CR: another server could see the message end there (SMTP smuggling).
    #[error("the content has a bare CR or LF")]
    BareLineEnd,
    /// More bytes than the limit.
    #[error("the content has more than {limit_bytes} bytes")]
    TooLarge {
        /// The largest content that is taken, in bytes.
        limit_bytes: usize,
    },
    /// The server has no memory for it at the moment.
    #[error("there is no room for the content")]
    NoRoom,
}

/// How far a content has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// All bytes were taken, the end has not been seen.
    Incomplete,
    /// The final dot was seen; what follows the taken bytes is the next command.
    Complete {
        /// Count of bytes of the last push that belong to the content.
        taken_bytes: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    LineStart,
    /// After a dot at the start of a line.
    Dot,
    /// After a dot and a CR at the start of a line: an LF ends the content.
    DotCr,
    InLine,
    /// After a CR.
    Cr,
}

/// Takes the bytes after `354` as they come. After a fault it keeps looking for the end, but keeps nothing.
pub struct Unstuffer {
    content: Vec<u8>,
    place: Place,
    limit_bytes: usize,
    beyond: Beyond,
    fault: Option<ContentFault>,
}

/// What becomes of bytes beyond the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beyond {
    /// They are a fault of the whole content.
    Fault,
    /// They are passed by.
    PassBy,
}

impl Unstuffer {
    /// Keeps the first so many bytes of unstuffed content, and passes the others by.
    pub fn keeping_beginning(limit_bytes: usize) -> Self {
        Self {
            beyond: Beyond::PassBy,
            ..Self::new(limit_bytes)
        }
    }

    /// Takes at most this many bytes of unstuffed content.
    pub fn new(limit_bytes: usize) -> Self {
        Self {
            content: Vec::new(),
            place: Place::LineStart,
            limit_bytes,
            beyond: Beyond::Fault,
            fault: None,
        }
    }

    /// Takes the next bytes. Only CRLF, dot, CRLF ends a content (RFC 5321 §4.1.1.4).
    pub fn push(&mut self, bytes: &[u8]) -> Progress {
        let mut rest = bytes;
        while let Some((byte, tail)) = rest.split_first() {
            if self.place == Place::InLine {
                let run = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                let (text, tail) = rest.split_at_checked(run).unwrap_or((rest, b""));
                self.keep(text);
                rest = tail;
                if rest.is_empty() {
                    break;
                }
                self.step_in_line(rest.first().copied().unwrap_or_default());
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            rest = tail;
            if self.step(*byte) == End::Reached {
                return Progress::Complete {
                    taken_bytes: bytes.len() - rest.len(),
                };
            }
        }
        Progress::Incomplete
    }

    /// Count of the bytes that are kept.
    pub fn kept_bytes(&self) -> usize {
        self.content.len()
    }

    /// Keeps nothing any more, and looks for the end alone.
    pub fn give_up(&mut self, fault: ContentFault) {
        self.fail(fault);
    }

    /// The content in CRLF form, without the final dot; to be asked for after [`Progress::Complete`].
    ///
    /// # Errors
    /// [`ContentFault`] where the content was read but must not be taken.
    pub fn finish(self) -> Result<Vec<u8>, ContentFault> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(self.content),
        }
    }

    fn step(&mut self, byte: u8) -> End {
        match (self.place, byte) {
            (Place::DotCr, b'\n') => return End::Reached,
            (Place::LineStart, b'.') => self.place = Place::Dot,
            (Place::Dot, b'\r') => self.place = Place::DotCr,
            (Place::Cr, b'\n') => {
                self.keep(b"\r\n");
                self.place = Place::LineStart;
            }
            (Place::Cr | Place::DotCr, _) => {
                self.fail(ContentFault::BareLineEnd);
                self.step_in_line(byte);
            }
            (Place::LineStart | Place::Dot | Place::InLine, _) => self.step_in_line(byte),
        }
        End::Ahead
    }

    fn step_in_line(&mut self, byte: u8) {
        self.place = match byte {
            b'\r' => Place::Cr,
            b'\n' => {
                self.fail(ContentFault::BareLineEnd);
                Place::InLine
            }
            _ => {
                self.keep(&[byte]);
                Place::InLine
            }
        };
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.limit_bytes.saturating_sub(self.content.len());
        if bytes.len() > room && self.beyond == Beyond::PassBy {
            if self.fault.is_none() {
                self.content.extend_from_slice(bytes.get(..room).unwrap_or_default());
            }
            return;
        }
        if bytes.len() > room {
            self.fail(ContentFault::TooLarge {
                limit_bytes: self.limit_bytes,
            });
        }
        if self.fault.is_none() {
            self.content.extend_from_slice(bytes);
        }
    }

    // The first fault is the one to report; the bytes so far are worth nothing any more.
    fn fail(&mut self, fault: ContentFault) {
        self.fault.get_or_insert(fault);
        self.content = Vec::new();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Ahead,
    Reached,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn receive(bytes: &[u8], cut: usize) -> (Option<usize>, Result<Vec<u8>, ContentFault>) {
        let mut unstuffer = Unstuffer::new(1_000);
        let mut before = 0;
        for part in bytes.chunks(cut) {
            if let Progress::Complete { taken_bytes } = unstuffer.push(part) {
                return (Some(before + taken_bytes), unstuffer.finish());
            }
            before += part.len();
        }
        (None, unstuffer.finish())
    }

    #[test]
    fn what_follows_the_final_dot_is_left_alone() {
        let mut unstuffer = Unstuffer::new(100);
        assert_eq!(
            unstuffer.push(b"a\r\n.\r\nQUIT\r\n"),
            Progress::Complete { taken_bytes: 6 }
        );
        assert_eq!(unstuffer.finish(), Ok(b"a\r\n".to_vec()));
    }

    #[test]
    fn the_beginning_is_kept_and_the_end_is_found_all_the_same() {
        for (limit, kept) in [(0, &b""[..]), (3, b"ab\r"), (6, b"ab\r\n.c"), (100, b"ab\r\n.cd\r\n")] {
            let mut unstuffer = Unstuffer::keeping_beginning(limit);
            let bytes = b"ab\r\n..cd\r\n.\r\nQUIT";
            assert_eq!(unstuffer.push(bytes), Progress::Complete { taken_bytes: 13 });
            assert_eq!(unstuffer.finish(), Ok(kept.to_vec()));
        }
        let mut unstuffer = Unstuffer::keeping_beginning(3);
        unstuffer.push(b"abcdef\ng\r\n.\r\n");
        assert_eq!(unstuffer.finish(), Err(ContentFault::BareLineEnd));
    }

    #[test]
    fn no_other_sequence_ends_a_content() {
        let smuggled = [
            &b"a\n.\nMAIL"[..],
            b"a\n.\r\nMAIL",
            b"a\r\n.\nMAIL",
            b"a\r\n.\rMAIL",
            b"a\r.\rMAIL",
            b"a\r\n\x00.\r\nMAIL",
            b"a\r\n. \r\nMAIL",
        ];
        for bytes in smuggled {
            assert_eq!(receive(bytes, 100).0, None, "{bytes:?}");
        }
    }

    #[test]
    fn bare_line_ends_are_a_fault_and_the_real_end_is_still_found() {
        for bytes in [
            &b"a\n.\r\nb\r\n.\r\n"[..],
            b"a\rb\r\n.\r\n",
            b"a\r\n.\nb\r\n.\r\n",
            b"a\r\n.\rb\r\n.\r\n",
            b"\n\r\n.\r\n",
            b"a\r\r\n.\r\n",
        ] {
            assert_eq!(
                receive(bytes, 100),
                (Some(bytes.len()), Err(ContentFault::BareLineEnd)),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn the_limit_holds_and_the_end_is_still_found() {
        let mut bytes = vec![b'a'; 1_001];
        bytes.extend_from_slice(b"\r\n.\r\n");
        assert_eq!(
            receive(&bytes, 50),
            (Some(bytes.len()), Err(ContentFault::TooLarge { limit_bytes: 1_000 }))
        );
        let fits = [vec![b'a'; 998], b"\r\n.\r\n".to_vec()].concat();
        assert_eq!(receive(&fits, 50).1.unwrap().len(), 1_000);
    }

    proptest! {
        #[test]
        fn cutting_changes_nothing(bytes in prop::collection::vec(prop::sample::select(b"\r\n.ab".to_vec()), 0..60), cut in 1usize..10) {
            prop_assert_eq!(receive(&bytes, cut), receive(&bytes, 1_000));
        }

        #[test]
        fn the_end_is_the_first_crlf_dot_crlf(bytes in prop::collection::vec(prop::sample::select(b"\r\n.a".to_vec()), 0..60)) {
            let framed = [b"\r\n", bytes.as_slice()].concat();
            let expected = memchr::memmem::find(&framed, b"\r\n.\r\n").map(|start| start + 3);
            prop_assert_eq!(receive(&bytes, 1_000).0, expected);
        }
    }
}
