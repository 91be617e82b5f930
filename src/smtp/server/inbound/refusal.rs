//! Every refusal of the server for reports: its reply, and what it says. `docs/bounces.md` has this table.

use crate::smtp::wire::Reply;

/// A refusal of the server for reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InboundRefusal {
    /// The program ends.
    Closing,
    /// A limit of connections: of all, or of a network.
    TooManyConnections,
    /// Too many commands were refused.
    TooManyFaults,
    /// Nothing came for too long, or the dialogue lasted too long.
    TimedOut,
    /// What the letter reports cannot be put on record now.
    Unavailable,
    /// More recipients than a report has.
    TooManyRecipients,
    /// No such command here, or none that is needed here.
    UnknownVerb,
    /// The line is too long, ends without CRLF, or holds a CR or a NUL; the connection ends.
    FaultyLine,
    /// The command's argument has another form.
    BadArgument,
    /// Commands came behind `STARTTLS`; the connection ends.
    BehindStartTls,
    /// Not now.
    OutOfOrder,
    /// No reverse-path that was signed here, or of no message that is on record.
    UnknownRecipient,
    /// More bytes than any report has.
    TooLarge,
    /// Another domain's mail.
    NoRelay,
    /// A bare CR or LF in the content.
    BareLineEnd,
}

impl InboundRefusal {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Closing,
        Self::TooManyConnections,
        Self::TooManyFaults,
        Self::TimedOut,
        Self::Unavailable,
        Self::TooManyRecipients,
        Self::UnknownVerb,
        Self::FaultyLine,
        Self::BadArgument,
        Self::BehindStartTls,
        Self::OutOfOrder,
        Self::UnknownRecipient,
        Self::TooLarge,
        Self::NoRelay,
        Self::BareLineEnd,
    ];

    /// The reply code of RFC 5321 §4.2.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Closing | Self::TooManyConnections | Self::TooManyFaults | Self::TimedOut => 421,
            Self::Unavailable => 451,
            Self::TooManyRecipients => 452,
            Self::UnknownVerb | Self::FaultyLine => 500,
            Self::BadArgument | Self::BehindStartTls => 501,
            Self::OutOfOrder => 503,
            Self::UnknownRecipient => 550,
            Self::TooLarge => 552,
            Self::NoRelay | Self::BareLineEnd => 554,
        }
    }

    /// The enhanced status of RFC 3463, and what it says.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Closing => "4.3.2 The server is closing",
            Self::TooManyConnections => "4.7.0 Too many connections",
            Self::TooManyFaults => "4.7.0 Too many faulty commands",
            Self::TimedOut => "4.4.2 Timed out",
            Self::Unavailable => "4.3.0 Not possible at the moment, try again later",
            Self::TooManyRecipients => "4.5.3 Too many recipients",
            Self::UnknownVerb => "5.5.1 Command not known here",
            Self::FaultyLine => "5.5.2 Line too long, without CRLF, or with a bare CR, LF or NUL",
            Self::BadArgument => "5.5.4 Argument not understood",
            Self::BehindStartTls => "5.5.4 Nothing may follow STARTTLS before the handshake",
            Self::OutOfOrder => "5.5.1 Command out of order",
            Self::UnknownRecipient => "5.1.1 No such recipient",
            Self::TooLarge => "5.3.4 The content is too large",
            Self::NoRelay => "5.7.1 Mail of this domain is not taken here",
            Self::BareLineEnd => "5.6.0 Line ends must be CRLF",
        }
    }

    /// The reply.
    #[must_use]
    pub fn reply(self) -> Reply {
        Reply::new(self.code(), vec![self.text().to_owned()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_stands_in_the_document_and_its_codes_agree() {
        let document = include_str!("../../../../docs/bounces.md");
        for refusal in InboundRefusal::ALL {
            assert!(refusal.reply().enhanced().is_some(), "{refusal:?}");
            let line = format!("| `{} {}` |", refusal.code(), refusal.text());
            assert!(document.lines().any(|row| row.starts_with(&line)), "{line}");
        }
    }
}
