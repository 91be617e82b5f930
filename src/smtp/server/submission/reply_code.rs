//! Every refusal of the submission server: its reply, what it says, and what to do. `docs/errors.md` has this table.

use crate::smtp::wire::Reply;

macro_rules! replies {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $enhanced:literal, $text:literal, $remedy:literal;)*) => {
        /// A refusal of the submission server.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ReplyCode { $($(#[$doc])* $variant),* }

        impl ReplyCode {
            /// All refusals in the order of this file.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The reply code of RFC 5321 §4.2.
            #[must_use]
            pub const fn code(self) -> u16 {
                match self { $(Self::$variant => $code),* }
            }

            /// The enhanced status of RFC 3463.
            #[must_use]
            pub const fn enhanced(self) -> &'static str {
                match self { $(Self::$variant => $enhanced),* }
            }

            /// What it says.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// What to do.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy),* }
            }
        }
    };
}

replies! {
    /// The program ends.
    Closing = 421, "4.3.2", "The server is closing", "Connect again in a moment.";
    /// A limit of connections: of all, of a network, or of a key.
    TooManyConnections = 421, "4.7.0", "Too many connections", "Use fewer connections at a time; see `docs/limits.md`.";
    /// Too many commands were refused.
    TooManyFaults = 421, "4.7.0", "Too many faulty commands", "Look at the replies before this one.";
    /// Too many logins failed, on this connection or from this network.
    TooManyLogins = 421, "4.7.0", "Too many failed logins", "Check the key; wait ten minutes.";
    /// The key was revoked, or may not send any more, while the session was open.
    KeyEnded = 421, "4.7.0", "The key may not send any more", "Look at the key and its limits; log in with another one.";
    /// Nothing came for too long, or a content came too slowly.
    TimedOut = 421, "4.4.2", "Timed out", "Keep no connection open without need; send faster.";
    /// Too much waits to be written. Nothing was stored.
    Busy = 451, "4.3.2", "Too busy", "Send the message again later, as mail servers do.";
    /// Nobody knows whether the message is on record, or the service cannot do it now.
    Unavailable = 451, "4.3.0", "The service cannot do it at the moment", "Send the message again later; it may go twice.";
    /// The disk is full or nearly so.
    DiskFull = 452, "4.3.1", "The disk is full", "Tell the operator; the message can be sent again later.";
    /// More recipients than one transaction has.
    TooManyRecipients = 452, "4.5.3", "Too many recipients", "Send the message once more to the others.";
    /// Whether the key is good cannot be found out now.
    LoginLater = 454, "4.7.0", "Logging in is not possible at the moment", "Try again later.";
    /// No such command here.
    UnknownVerb = 500, "5.5.1", "Command not known", "See `docs/submission.md` for the commands.";
    /// The line is too long, ends without CRLF, or holds a CR or a NUL; the connection ends.
    FaultyLine = 500, "5.5.2", "Line too long, without CRLF, or with a bare CR, LF or NUL", "End each line with CRLF; keep commands below 2,048 bytes.";
    /// The command's argument has another form.
    BadArgument = 501, "5.5.4", "Argument not understood", "See RFC 5321 for its form.";
    /// Commands came behind `STARTTLS`; the connection ends.
    BehindStartTls = 501, "5.5.4", "Nothing may follow STARTTLS before the handshake", "Wait for the reply; somebody may be injecting commands.";
    /// A response of a login is no base64, or has another form.
    BadResponse = 501, "5.5.2", "Response not understood", "Send base64; for PLAIN: NUL, user, NUL, key.";
    /// The client called a login off.
    LoginCancelled = 501, "5.7.0", "Login called off", "Log in again.";
    /// Not now: a greeting, a login, a sender or a recipient is missing, or was given already.
    OutOfOrder = 503, "5.5.1", "Command out of order", "Order: EHLO, STARTTLS, EHLO, AUTH, MAIL, RCPT, DATA.";
    /// No such mechanism.
    UnknownMechanism = 504, "5.5.4", "Mechanism not offered", "Use PLAIN or LOGIN.";
    /// Mail is taken after a login only, and logins inside TLS only.
    StartTlsFirst = 530, "5.7.0", "STARTTLS first", "Turn on STARTTLS in the client, or use the port for implicit TLS.";
    /// Mail is taken after a login only.
    LoginFirst = 530, "5.7.0", "Log in first", "Any user name; the password is an API key.";
    /// The key is malformed, nobody's, revoked, or may not send.
    LoginRefused = 535, "5.7.8", "The API key is not valid", "Check that the whole key was copied; issue another one when it was revoked.";
    /// Keys never cross a network in clear.
    TlsToLogIn = 538, "5.7.11", "Encryption is needed to log in", "Turn on STARTTLS in the client, or use the port for implicit TLS.";
    /// A key of the test world wants to send.
    TestKey = 550, "5.7.1", "Test keys cannot send mail here", "Use a key with `_live_` in it.";
    /// The header From's domain is not the account's, or cannot sign yet.
    FromNotOwned = 550, "5.7.1", "The header From is not of a domain of this account", "Add the domain to the account first.";
    /// A limit of the key forbids the sender or the recipients.
    KeyLimit = 550, "5.7.1", "The key may not send that", "Look at the key's limits: From domains and recipient domains.";
    /// Nobody is left to send to.
    AllSuppressed = 550, "5.7.1", "Every recipient is suppressed", "Look at the account's suppressions.";
    /// The message, or the size that the client announces, is above the limit.
    TooLarge = 552, "5.3.4", "Message too large", "Keep the finished message below 25 MiB.";
    /// No mail address, or one without a domain.
    BadAddress = 553, "5.1.3", "Address not understood", "Write it as local-part@domain.";
    /// An address with characters beyond ASCII without `SMTPUTF8`, or with such a local part.
    AddressNotAscii = 553, "5.6.7", "Address not in ASCII", "A domain of its own script needs SMTPUTF8; the part before the @ must be ASCII.";
    /// `DATA` without a recipient that was taken.
    NoRecipients = 554, "5.5.1", "No valid recipients", "Look at the replies to RCPT.";
    /// A CR without LF or an LF without CR in the content: another server could see the message end there.
    BareLineEnd = 554, "5.6.0", "Line ends must be CRLF", "Let the client end each line with CRLF.";
    /// The content is no message; the reply says why.
    NotAMessage = 554, "5.6.0", "The message is not valid", "Mend what the reply names.";
    /// It went round in a loop.
    Loop = 554, "5.4.6", "The message went over too many hops", "Look for two servers that send to each other.";
    /// The subject has more than 998 bytes.
    SubjectTooLong = 554, "5.6.0", "The subject is too long", "Keep it below 998 bytes.";
    /// An `X-MC-` header has another form; the reply says which.
    BadHeader = 554, "5.6.0", "An X-MC- or X-Sealpost- header is not valid", "Mend the header that the reply names.";
    /// An `X-MC-` header asks for what is not built: scheduling, merging, templates, copies.
    NotOffered = 554, "5.3.3", "An X-MC- header asks for what is not offered yet", "Leave the header out that the reply names.";
    /// A parameter of an extension that is not offered.
    UnknownParameter = 555, "5.5.4", "Parameter not supported", "Use what the reply to EHLO offers.";
}

impl ReplyCode {
    /// The reply as it is sent.
    #[must_use]
    pub fn reply(self) -> Reply {
        Reply::new(self.code(), vec![format!("{} {}", self.enhanced(), self.text())])
    }

    /// The reply with what is to be said of this one case.
    #[must_use]
    pub fn about(self, what: &str) -> Reply {
        let line = format!("{} {}: {what}", self.enhanced(), self.text());
        Reply::new(self.code(), vec![line])
    }

    /// The table of `docs/errors.md`.
    #[must_use]
    pub fn table() -> String {
        let mut table = "| reply | what it says | what to do |\n|---|---|---|\n".to_owned();
        for reply in Self::ALL {
            let (code, enhanced, text, remedy) = (reply.code(), reply.enhanced(), reply.text(), reply.remedy());
            table.push_str(&format!("| {code} {enhanced} | {text} | {remedy} |\n"));
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_document_lists_every_reply_as_it_is() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/errors.md");
        let document = std::fs::read_to_string(path).unwrap();
        assert!(
            document.contains(&ReplyCode::table()),
            "docs/errors.md lacks:\n{}",
            ReplyCode::table()
        );
    }

    #[test]
    fn codes_and_statuses_agree_and_texts_are_unique() {
        let texts: BTreeSet<_> = ReplyCode::ALL.iter().map(|one| one.text()).collect();
        assert_eq!(texts.len(), ReplyCode::ALL.len());
        for one in ReplyCode::ALL {
            let reply = one.reply();
            assert_eq!(
                reply.enhanced().map(|status| status.to_string()).as_deref(),
                Some(one.enhanced()),
                "{one:?}"
            );
            assert!(!one.text().ends_with('.') && one.remedy().ends_with('.'), "{one:?}");
        }
    }
}
