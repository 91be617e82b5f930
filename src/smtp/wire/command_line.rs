//! Reads command lines as a server meets them (RFC 5321 §4.1.1), the inverse of `command.rs`.

use super::command::{AddressForm, Body, Command, DsnRequest, MailParameters, TlsRequirement};
use super::dsn_parameter;
use super::hello_name::{HelloName, HelloNameRefusal};
use super::path::{ForwardPath, PathRefusal, ReversePath};
use super::secret::Secret;

/// Why a line is no command that we obey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandRefusal {
    /// The verb is not one of ours: reply 500.
    #[error("the verb is unknown")]
    UnknownVerb,
    /// The verb is known, what follows is not its form: reply 501.
    #[error("the argument does not have the form that the verb asks for")]
    Argument,
    /// A parameter of an extension that we do not offer: reply 555.
    #[error("a parameter of MAIL or RCPT is unknown")]
    UnknownParameter,
    /// The path cannot be used: reply 501.
    #[error("the path cannot be used")]
    Path(#[from] PathRefusal),
    /// The name after `EHLO` cannot be used: reply 501.
    #[error("the name of the client cannot be used")]
    HelloName(#[from] HelloNameRefusal),
}

impl Command {
    /// Reads one line without its CRLF; verbs and keywords in any case.
    ///
    /// # Errors
    /// [`CommandRefusal`], of which each variant names the reply code that RFC 5321 §4.2.2 has for it.
    pub fn parse(line: &[u8]) -> Result<Self, CommandRefusal> {
        let line = std::str::from_utf8(line).map_err(|_| CommandRefusal::Argument)?;
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let argument = argument.trim_matches(' ');
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => Ok(Self::Ehlo(HelloName::parse(argument)?)),
            "HELO" => Ok(Self::Helo(HelloName::parse(argument)?)),
            "MAIL" => mail(argument),
            "RCPT" => rcpt(argument),
            "STARTTLS" => bare(Self::StartTls, argument),
            "AUTH" => auth(argument),
            "DATA" => bare(Self::Data, argument),
            "RSET" => bare(Self::Rset, argument),
            "QUIT" => bare(Self::Quit, argument),
            "VRFY" => Ok(Self::Vrfy(ForwardPath::parse(argument)?)),
            // RFC 5321 §4.1.1.8: HELP may carry a text.
            "HELP" => Ok(Self::Help),
            // RFC 5321 §4.1.1.9: NOOP may carry a text, which is ignored.
            "NOOP" => Ok(Self::Noop),
            _ => Err(CommandRefusal::UnknownVerb),
        }
    }
}

fn bare(command: Command, argument: &str) -> Result<Command, CommandRefusal> {
    if argument.is_empty() {
        Ok(command)
    } else {
        Err(CommandRefusal::Argument)
    }
}

fn auth(argument: &str) -> Result<Command, CommandRefusal> {
    let (mechanism, response) = match argument.split_once(' ') {
        Some((mechanism, response)) => (
            mechanism,
            Some(Secret::parse(response).ok_or(CommandRefusal::Argument)?),
        ),
        None => (argument, None),
    };
    // RFC 4422 §3.1: names of mechanisms have 1 to 20 letters, digits, hyphens and underscores.
    let named = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !(1..=20).contains(&mechanism.len()) || !mechanism.bytes().all(named) {
        return Err(CommandRefusal::Argument);
    }
    Ok(Command::Auth(mechanism.to_ascii_uppercase(), response))
}

fn mail(argument: &str) -> Result<Command, CommandRefusal> {
    let (path, rest) = path_and_rest(argument, "FROM:")?;
    let reverse_path = ReversePath::parse(path)?;
    let mut parameters = MailParameters::default();
    for word in rest.split_ascii_whitespace() {
        apply(&mut parameters, word)?;
    }
    Ok(Command::Mail(reverse_path, parameters))
}

fn rcpt(argument: &str) -> Result<Command, CommandRefusal> {
    let (path, rest) = path_and_rest(argument, "TO:")?;
    let forward_path = ForwardPath::parse(path)?;
    let mut dsn = DsnRequest::None;
    for word in rest.split_ascii_whitespace() {
        let (keyword, value) = word.split_once('=').unwrap_or((word, ""));
        match keyword.to_ascii_uppercase().as_str() {
            "NOTIFY" if dsn_parameter::is_notify(value) => dsn = DsnRequest::Stated,
            "ORCPT" if dsn_parameter::is_original_recipient(value) => dsn = DsnRequest::Stated,
            "NOTIFY" | "ORCPT" => return Err(CommandRefusal::Argument),
            _ => return Err(CommandRefusal::UnknownParameter),
        }
    }
    Ok(Command::Rcpt(forward_path, dsn))
}

fn path_and_rest<'a>(argument: &'a str, keyword: &str) -> Result<(&'a str, &'a str), CommandRefusal> {
    let prefix = argument
        .get(..keyword.len())
        .filter(|prefix| prefix.eq_ignore_ascii_case(keyword));
    let after = prefix
        .and_then(|prefix| argument.get(prefix.len()..))
        .ok_or(CommandRefusal::Argument)?;
    let inside = after
        .trim_start_matches(' ')
        .strip_prefix('<')
        .ok_or(CommandRefusal::Argument)?;
    let (path, rest) = inside.split_once('>').ok_or(CommandRefusal::Argument)?;
    if !rest.is_empty() && !rest.starts_with(' ') {
        return Err(CommandRefusal::Argument);
    }
    Ok((without_source_route(path), rest))
}

// RFC 5321 §4.1.1.3: a source route (`@one,@two:user@host`) is to be accepted and its hosts ignored.
fn without_source_route(path: &str) -> &str {
    let route_end = path.starts_with('@').then(|| path.split_once(':')).flatten();
    route_end.map_or(path, |(_, mailbox)| mailbox)
}

fn apply(parameters: &mut MailParameters, word: &str) -> Result<(), CommandRefusal> {
    let (keyword, value) = word
        .split_once('=')
        .map_or((word, None), |(keyword, value)| (keyword, Some(value)));
    match (keyword.to_ascii_uppercase().as_str(), value) {
        ("SIZE", Some(digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            parameters.size_bytes = Some(digits.parse().map_err(|_| CommandRefusal::Argument)?);
        }
        ("BODY", Some(value)) if value.eq_ignore_ascii_case("8BITMIME") => parameters.body = Body::EightBitMime,
        ("BODY", Some(value)) if value.eq_ignore_ascii_case("7BIT") => parameters.body = Body::SevenBit,
        ("SMTPUTF8", None) => parameters.address_form = AddressForm::Utf8,
        ("REQUIRETLS", None) => parameters.tls = TlsRequirement::EveryHop,
        ("RET", Some(value)) if dsn_parameter::is_return(value) => parameters.dsn = DsnRequest::Stated,
        ("ENVID", Some(value)) if dsn_parameter::is_xtext(value) => parameters.dsn = DsnRequest::Stated,
        // RFC 4954 §5: who submitted it first, as another server says; it is to be taken, and nothing rests on it.
        ("AUTH", Some(value)) if value == "<>" || dsn_parameter::is_xtext(value) => {}
        ("SIZE" | "BODY" | "SMTPUTF8" | "REQUIRETLS" | "RET" | "ENVID" | "AUTH", _) => {
            return Err(CommandRefusal::Argument);
        }
        _ => return Err(CommandRefusal::UnknownParameter),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mail_line(line: &str) -> (String, MailParameters) {
        match Command::parse(line.as_bytes()) {
            Ok(Command::Mail(path, parameters)) => (path.as_str().to_owned(), parameters),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn verbs_and_keywords_have_no_case() {
        assert_eq!(Command::parse(b"starttls"), Ok(Command::StartTls));
        assert_eq!(
            mail_line("mail from:<a@b.test> size=7 body=8bitmime").1.size_bytes,
            Some(7)
        );
        assert_eq!(mail_line("MAIL FROM: <a@b.test>").0, "a@b.test");
    }

    #[test]
    fn a_source_route_is_ignored() {
        assert_eq!(mail_line("MAIL FROM:<@one.test,@two.test:a@b.test>").0, "a@b.test");
    }

    #[test]
    fn what_a_sender_wants_to_be_told_is_understood() {
        assert_eq!(
            mail_line("MAIL FROM:<a@b.test> RET=hdrs ENVID=QQ+3D1 AUTH=<>").1.dsn,
            DsnRequest::Stated
        );
        assert_eq!(mail_line("MAIL FROM:<a@b.test> AUTH=a@b.test").1.dsn, DsnRequest::None);
        let path = ForwardPath::parse("a@b.test").unwrap();
        assert_eq!(
            Command::parse(b"RCPT TO:<a@b.test> NOTIFY=success,DELAY ORCPT=rfc822;a@b.test"),
            Ok(Command::Rcpt(path, DsnRequest::Stated))
        );
    }

    #[test]
    fn each_refusal_is_reached() {
        let refused = |line: &str| Command::parse(line.as_bytes()).unwrap_err();
        assert_eq!(refused("BDAT 10"), CommandRefusal::UnknownVerb);
        assert_eq!(refused(""), CommandRefusal::UnknownVerb);
        assert_eq!(refused("DATA now"), CommandRefusal::Argument);
        for line in [
            "AUTH",
            "AUTH PLAIN a b",
            "AUTH PLAIN ***",
            "AUTH PLÄIN",
            "AUTH ABCDEFGHIJKLMNOPQRSTU",
        ] {
            assert_eq!(refused(line), CommandRefusal::Argument, "{line}");
        }
        assert_eq!(refused("MAIL FROM:a@b.test"), CommandRefusal::Argument);
        assert_eq!(refused("MAIL FROM:<a@b.test"), CommandRefusal::Argument);
        assert_eq!(refused("MAIL FROM:<a@b.test>SIZE=1"), CommandRefusal::Argument);
        assert_eq!(refused("MAIL FROM:<a@b.test> SIZE=-1"), CommandRefusal::Argument);
        assert_eq!(
            refused("MAIL FROM:<a@b.test> SIZE=99999999999999999999999"),
            CommandRefusal::Argument
        );
        assert_eq!(
            refused("MAIL FROM:<a@b.test> BODY=BINARYMIME"),
            CommandRefusal::Argument
        );
        assert_eq!(
            refused("MAIL FROM:<a@b.test> COLOUR=red"),
            CommandRefusal::UnknownParameter
        );
        assert_eq!(refused("RCPT TO:<a@b.test> X=1"), CommandRefusal::UnknownParameter);
        for line in [
            "RCPT TO:<a@b.test> NOTIFY=SOON",
            "RCPT TO:<a@b.test> ORCPT=a",
            "MAIL FROM:<> RET=ALL",
            "MAIL FROM:<> ENVID=",
        ] {
            assert_eq!(refused(line), CommandRefusal::Argument, "{line}");
        }
        assert_eq!(refused("RCPT TO:<>"), CommandRefusal::Path(PathRefusal::Empty));
        assert_eq!(refused("EHLO"), CommandRefusal::HelloName(HelloNameRefusal::Empty));
        assert_eq!(Command::parse(b"EHLO \xff"), Err(CommandRefusal::Argument));
    }

    fn any_command() -> impl Strategy<Value = Command> {
        let path = "[a-z]{1,20}@[a-z]{1,20}";
        let parameters = (any::<Option<u64>>(), any::<bool>(), any::<bool>(), any::<bool>());
        let parameters = parameters.prop_map(|(size_bytes, eight_bit, utf8, tls)| MailParameters {
            size_bytes,
            body: if eight_bit { Body::EightBitMime } else { Body::SevenBit },
            address_form: if utf8 { AddressForm::Utf8 } else { AddressForm::Ascii },
            tls: if tls {
                TlsRequirement::EveryHop
            } else {
                TlsRequirement::None
            },
            dsn: DsnRequest::None,
        });
        prop_oneof![
            "[a-z.\\[\\]0-9]{1,50}".prop_map(|name| Command::Ehlo(HelloName::parse(&name).unwrap())),
            (path, parameters)
                .prop_map(|(path, parameters)| Command::Mail(ReversePath::parse(&path).unwrap(), parameters)),
            ("[A-Z0-9_-]{1,20}", any::<Option<Vec<u8>>>()).prop_map(|(mechanism, response)| {
                Command::Auth(mechanism, response.map(|bytes| Secret::encode(&bytes)))
            }),
            path.prop_map(|path| Command::Rcpt(ForwardPath::parse(&path).unwrap(), DsnRequest::None)),
            path.prop_map(|path| Command::Vrfy(ForwardPath::parse(&path).unwrap())),
            Just(Command::Mail(ReversePath::null(), MailParameters::default())),
            prop::sample::select(vec![
                Command::StartTls,
                Command::Data,
                Command::Rset,
                Command::Noop,
                Command::Help,
                Command::Quit
            ]),
        ]
    }

    proptest! {
        #[test]
        fn parsing_inverts_printing(command in any_command()) {
            let mut line = Vec::new();
            command.encode_into(&mut line);
            prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            prop_assert_eq!(Command::parse(line.strip_suffix(b"\r\n").unwrap()), Ok(command));
        }

        #[test]
        fn no_line_makes_the_parser_panic(line in prop::collection::vec(any::<u8>(), 0..300)) {
            let parsed = Command::parse(&line);
            if let Ok(command) = parsed {
                let mut again = Vec::new();
                command.encode_into(&mut again);
                prop_assert!(again.ends_with(b"\r\n"));
            }
        }

        #[test]
        fn what_parses_as_mail_prints_as_one_line(tail in "[ -~\\r\\n]{0,60}") {
            if let Ok(command) = Command::parse(format!("MAIL FROM:<{tail}").as_bytes()) {
                let mut again = Vec::new();
                command.encode_into(&mut again);
                prop_assert_eq!(again.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count(), 2);
            }
        }
    }
}
