//! Builds the command lines of a client (RFC 5321 §4.1.1) from values that cannot break a line.

use super::hello_name::HelloName;
use super::path::{ForwardPath, ReversePath};
use super::secret::Secret;
use std::fmt;

/// One command of a dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Introduces the client and asks for the extensions.
    Ehlo(HelloName),
    /// Introduces the client to a server that does not know `EHLO`.
    Helo(HelloName),
    /// Asks for TLS on this connection (RFC 3207).
    StartTls,
    /// Logs in by a mechanism, in upper case, with its first response (RFC 4954).
    Auth(String, Option<Secret>),
    /// Opens a transaction.
    Mail(ReversePath, MailParameters),
    /// Names one recipient.
    Rcpt(ForwardPath, DsnRequest),
    /// Asks to send the content.
    Data,
    /// Drops the transaction, keeps the connection.
    Rset,
    /// Asks whether a mailbox exists.
    Vrfy(ForwardPath),
    /// Asks for help.
    Help,
    /// Does nothing but provoke a reply.
    Noop,
    /// Ends the connection.
    Quit,
}

/// What follows the reverse-path in `MAIL FROM`; each part only where the server offers its extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MailParameters {
    /// Size of the content in bytes, as far as known (RFC 1870).
    pub size_bytes: Option<u64>,
    /// The bytes that the content is made of (RFC 6152).
    pub body: Body,
    /// The bytes that addresses and headers are made of (RFC 6531).
    pub address_form: AddressForm,
    /// What every hop must offer (RFC 8689).
    pub tls: TlsRequirement,
    /// Whether `RET` or `ENVID` stand there (RFC 3461).
    pub dsn: DsnRequest,
}

/// Whether the sender says what he wants to be told of the delivery (RFC 3461). The form of his words is checked; what
/// they say is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DsnRequest {
    /// He leaves it to the server.
    #[default]
    None,
    /// He does. Our own client never does.
    Stated,
}

/// The bytes that a content is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Body {
    /// ASCII only; every server takes it.
    #[default]
    SevenBit,
    /// Bytes above 127 occur: `BODY=8BITMIME`.
    EightBitMime,
}

/// The bytes that addresses and headers are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressForm {
    /// ASCII only; every server takes it.
    #[default]
    Ascii,
    /// UTF-8 occurs in an address or a header: `SMTPUTF8`.
    Utf8,
}

/// What a message demands of every hop on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsRequirement {
    /// The message demands nothing of the hops after this one.
    #[default]
    None,
    /// `REQUIRETLS`: every hop passes it on authenticated or not at all.
    EveryHop,
}

impl Command {
    /// Appends the line, with its CRLF, to what is about to be written.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ehlo(name) => put(out, &["EHLO ", name.as_str()]),
            Self::Helo(name) => put(out, &["HELO ", name.as_str()]),
            Self::StartTls => put(out, &["STARTTLS"]),
            Self::Auth(mechanism, None) => put(out, &["AUTH ", mechanism]),
            Self::Auth(mechanism, Some(response)) => put(out, &["AUTH ", mechanism, " ", response.as_wire()]),
            Self::Mail(reverse_path, parameters) => {
                put(out, &["MAIL FROM:<", reverse_path.as_str(), ">"]);
                parameters.encode_into(out);
            }
            Self::Rcpt(forward_path, _) => put(out, &["RCPT TO:<", forward_path.as_str(), ">"]),
            Self::Data => put(out, &["DATA"]),
            Self::Rset => put(out, &["RSET"]),
            Self::Vrfy(mailbox) => put(out, &["VRFY ", mailbox.as_str()]),
            Self::Help => put(out, &["HELP"]),
            Self::Noop => put(out, &["NOOP"]),
            Self::Quit => put(out, &["QUIT"]),
        }
        put(out, &["\r\n"]);
    }
}

/// Prints the line without its CRLF, as it may be recorded: with addresses, without secrets.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Auth(mechanism, Some(_)) = self {
            return write!(f, "AUTH {mechanism} <secret>");
        }
        let mut line = Vec::new();
        self.encode_into(&mut line);
        f.write_str(String::from_utf8_lossy(&line).trim_end())
    }
}

impl MailParameters {
    fn encode_into(self, out: &mut Vec<u8>) {
        if let Some(size_bytes) = self.size_bytes {
            put(out, &[" SIZE=", &size_bytes.to_string()]);
        }
        if self.body == Body::EightBitMime {
            put(out, &[" BODY=8BITMIME"]);
        }
        if self.address_form == AddressForm::Utf8 {
            put(out, &[" SMTPUTF8"]);
        }
        if self.tls == TlsRequirement::EveryHop {
            put(out, &[" REQUIRETLS"]);
        }
    }
}

fn put(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(command: &Command) -> String {
        let mut out = Vec::new();
        command.encode_into(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_command_is_one_line() {
        let name = HelloName::parse("mail.example.org").unwrap();
        assert_eq!(line(&Command::Ehlo(name.clone())), "EHLO mail.example.org\r\n");
        assert_eq!(line(&Command::Helo(name)), "HELO mail.example.org\r\n");
        assert_eq!(line(&Command::StartTls), "STARTTLS\r\n");
        assert_eq!(
            line(&Command::Rcpt(
                ForwardPath::parse("a@b.test").unwrap(),
                DsnRequest::None
            )),
            "RCPT TO:<a@b.test>\r\n"
        );
        assert_eq!(line(&Command::Data), "DATA\r\n");
        assert_eq!(line(&Command::Rset), "RSET\r\n");
        assert_eq!(line(&Command::Noop), "NOOP\r\n");
        assert_eq!(line(&Command::Quit), "QUIT\r\n");
    }

    #[test]
    fn a_secret_is_sent_and_not_shown() {
        let auth = Command::Auth("PLAIN".to_owned(), Some(Secret::encode(b"\0user\0pass")));
        assert_eq!(line(&auth), "AUTH PLAIN AHVzZXIAcGFzcw==\r\n");
        assert_eq!(auth.to_string(), "AUTH PLAIN <secret>");
        assert_eq!(Command::Auth("LOGIN".to_owned(), None).to_string(), "AUTH LOGIN");
        assert_eq!(Command::Quit.to_string(), "QUIT");
    }

    #[test]
    fn mail_carries_only_what_was_asked_for() {
        let plain = Command::Mail(ReversePath::null(), MailParameters::default());
        assert_eq!(line(&plain), "MAIL FROM:<>\r\n");
        let full = MailParameters {
            size_bytes: Some(1200),
            body: Body::EightBitMime,
            address_form: AddressForm::Utf8,
            tls: TlsRequirement::EveryHop,
            dsn: DsnRequest::None,
        };
        let mail = Command::Mail(ReversePath::parse("b@s.test").unwrap(), full);
        assert_eq!(
            line(&mail),
            "MAIL FROM:<b@s.test> SIZE=1200 BODY=8BITMIME SMTPUTF8 REQUIRETLS\r\n"
        );
    }
}
