//! Holds one dialogue: which command is allowed when, who may be written to, and what it is answered.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use sealpost_domain::address::DomainName;
use sealpost_domain::gate::StrangerRefusal;
use sealpost_domain::limits;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::guard::Place;
use super::house::House;
use super::refusal::InboundRefusal;
use crate::actors::Addressee;
use crate::smtp::server::answers::reply;
use crate::smtp::server::listening::Closing;
use crate::smtp::server::talk::{Line, Talk};
use crate::smtp::wire::{Capabilities, Command, CommandRefusal, Extension, ForwardPath, Reply, ReplyClass, SizeLimit};

/// Refused commands after which a client is sent away: guessing costs more than it brings.
const FAULTS_MAX: usize = limits::INBOUND_FAULTS_MAX as usize;
/// Recipients of one letter.
const RECIPIENTS_MAX: usize = limits::INBOUND_RECIPIENTS_MAX as usize;
/// How long the last words may take.
const FAREWELL_MAX: Duration = Duration::from_secs(5);

/// How a dialogue over one stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The connection is to be closed.
    Closed,
    /// `STARTTLS` was answered with 220; the handshake comes next.
    StartTls,
}

/// What a command comes to.
pub(super) enum Step {
    /// It is answered.
    Say(Reply),
    /// It is answered, and the dialogue over this stream ends.
    SayAndEnd(Reply, End),
}

impl Step {
    pub(super) fn refuse(refusal: InboundRefusal) -> Self {
        Self::Say(refusal.reply())
    }

    pub(super) fn end(refusal: InboundRefusal) -> Self {
        Self::SayAndEnd(refusal.reply(), End::Closed)
    }
}

/// Whether the dialogue is within TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// It is not.
    Clear,
    /// It is.
    Tls,
}

pub(super) struct Session<'h> {
    pub(super) house: &'h House,
    pub(super) peer: IpAddr,
    ground: Ground,
    place: Place,
    greeted: bool,
    /// Recipients of the open transaction; `None` before `MAIL`.
    pub(super) envelope: Option<Vec<Addressee>>,
    faults: usize,
    began: Instant,
}

impl<'h> Session<'h> {
    /// A dialogue in which nothing has been said.
    pub(super) fn new(house: &'h House, peer: IpAddr, ground: Ground, place: Place) -> Self {
        Self {
            house,
            peer,
            ground,
            place,
            greeted: false,
            envelope: None,
            faults: 0,
            began: Instant::now(),
        }
    }

    /// Gives the connection's place back, for the dialogue that follows inside TLS.
    pub(super) fn into_place(self) -> Place {
        self.place
    }

    /// The first words.
    pub(super) fn greet<S: AsyncRead + AsyncWrite + Unpin>(&self, talk: &mut Talk<S>) {
        talk.say(&reply(220, &format!("{} ESMTP Sealpost", self.house.settings.host)));
    }

    /// Talks until one side ends it.
    pub(super) async fn converse<S>(&mut self, talk: &mut Talk<S>, mut closing: Closing) -> io::Result<End>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        talk.wait_at_most(self.house.settings.command);
        loop {
            let line = tokio::select! {
                biased;
                () = closing.told() => return farewell(talk, &InboundRefusal::Closing.reply()).await,
                line = talk.line() => line,
            };
            let step = match line {
                Ok(_) if self.began.elapsed() > self.house.settings.dialogue => Step::end(InboundRefusal::TimedOut),
                Ok(Line::Closed) => return Ok(End::Closed),
                Ok(Line::Faulty) => Step::end(InboundRefusal::FaultyLine),
                Ok(Line::Complete(line)) => self.obey_line(talk, &line).await?,
                Err(error) if error.kind() == io::ErrorKind::TimedOut => Step::end(InboundRefusal::TimedOut),
                Err(error) => return Err(error),
            };
            match step {
                Step::Say(said) if self.is_one_too_many(&said) => {
                    talk.say(&said);
                    return farewell(talk, &InboundRefusal::TooManyFaults.reply()).await;
                }
                Step::Say(said) => talk.say(&said),
                Step::SayAndEnd(said, End::Closed) => return farewell(talk, &said).await,
                Step::SayAndEnd(said, End::StartTls) => {
                    talk.say(&said);
                    talk.flush().await?;
                    return Ok(End::StartTls);
                }
            }
        }
    }

    fn is_one_too_many(&mut self, said: &Reply) -> bool {
        self.faults += usize::from(said.class() == ReplyClass::Permanent);
        self.faults >= FAULTS_MAX
    }

    async fn obey_line<S>(&mut self, talk: &mut Talk<S>, line: &[u8]) -> io::Result<Step>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let command = match Command::parse(line) {
            Ok(command) => command,
            Err(refusal) => return Ok(Step::refuse(of_command(refusal))),
        };
        match command {
            Command::Data => self.data(talk).await,
            Command::Rcpt(forward_path, _) => Ok(self.rcpt(&forward_path).await),
            Command::StartTls => Ok(self.start_tls(talk.has_unread())),
            other => Ok(self.obey(other)),
        }
    }

    fn obey(&mut self, command: Command) -> Step {
        match command {
            Command::Ehlo(_) => {
                let mut lines = vec![self.house.settings.host.clone()];
                lines.extend(self.capabilities().ehlo_lines());
                self.introduced(Reply::new(250, lines))
            }
            Command::Helo(_) => {
                let said = reply(250, &self.house.settings.host);
                self.introduced(said)
            }
            // RFC 5321 §4.5.5: reports come from the null path; whoever else writes is heard as well, and never answered.
            Command::Mail(..) if self.greeted && self.envelope.is_none() => {
                self.envelope = Some(Vec::new());
                Step::Say(reply(250, "2.1.0 Sender noted"))
            }
            Command::Rset => {
                self.envelope = None;
                Step::Say(reply(250, "2.0.0 Forgotten"))
            }
            Command::Noop => Step::Say(reply(250, "2.0.0 Here")),
            Command::Vrfy(_) => Step::Say(reply(252, "2.5.0 Send some mail, and see")),
            Command::Help => Step::Say(reply(214, "2.0.0 Reports on our mail are taken here")),
            Command::Quit => Step::SayAndEnd(reply(221, "2.0.0 Goodbye"), End::Closed),
            Command::Auth(..) => Step::refuse(InboundRefusal::UnknownVerb),
            Command::Mail(..) | Command::Rcpt(..) | Command::Data | Command::StartTls => {
                Step::refuse(InboundRefusal::OutOfOrder)
            }
        }
    }

    fn introduced(&mut self, said: Reply) -> Step {
        self.greeted = true;
        self.envelope = None;
        Step::Say(said)
    }

    fn capabilities(&self) -> Capabilities {
        let mut offered = vec![
            Extension::Pipelining,
            Extension::Size,
            Extension::EightBitMime,
            Extension::SmtpUtf8,
            Extension::EnhancedStatusCodes,
        ];
        // RFC 3207 §4.2: not offered again inside TLS.
        if self.ground == Ground::Clear && self.house.tls.is_some() {
            offered.push(Extension::StartTls);
        }
        Capabilities::offering(offered, SizeLimit::Bytes(limits::INBOUND_CONTENT_BYTES_MAX))
    }

    fn start_tls(&self, has_unread: bool) -> Step {
        match (self.ground, &self.house.tls) {
            (Ground::Tls, _) => Step::refuse(InboundRefusal::OutOfOrder),
            (Ground::Clear, None) => Step::refuse(InboundRefusal::UnknownVerb),
            // CVE-2011-0411: they came in clear and would be obeyed as if they had come inside TLS.
            (Ground::Clear, Some(_)) if has_unread => Step::end(InboundRefusal::BehindStartTls),
            (Ground::Clear, Some(_)) => Step::SayAndEnd(reply(220, "2.0.0 Go ahead"), End::StartTls),
        }
    }

    /// `RCPT`: nobody but whom a signature names, and the address for complaints.
    async fn rcpt(&mut self, forward_path: &ForwardPath) -> Step {
        let Some(taken) = self.envelope.as_ref().map(Vec::len) else {
            return Step::refuse(InboundRefusal::OutOfOrder);
        };
        let Some((local_part, domain)) = forward_path.as_str().rsplit_once('@') else {
            return Step::refuse(InboundRefusal::UnknownRecipient);
        };
        if DomainName::parse(domain).ok().as_ref() != Some(&self.house.settings.domain) {
            return Step::refuse(InboundRefusal::NoRelay);
        }
        if taken >= RECIPIENTS_MAX {
            return Step::refuse(InboundRefusal::TooManyRecipients);
        }
        match self.house.reports.addressee(local_part).await {
            Ok(Some(addressee)) => {
                let envelope = self.envelope.get_or_insert_default();
                if !envelope.contains(&addressee) {
                    envelope.push(addressee);
                }
                Step::Say(reply(250, "2.1.5 Recipient noted"))
            }
            Ok(None) => {
                self.house.strangers.count(StrangerRefusal::UnknownReturnPath);
                Step::refuse(InboundRefusal::UnknownRecipient)
            }
            Err(_) => Step::refuse(InboundRefusal::Unavailable),
        }
    }
}

async fn farewell<S: AsyncRead + AsyncWrite + Unpin>(talk: &mut Talk<S>, said: &Reply) -> io::Result<End> {
    talk.wait_at_most(FAREWELL_MAX);
    talk.say(said);
    talk.flush().await?;
    Ok(End::Closed)
}

const fn of_command(refusal: CommandRefusal) -> InboundRefusal {
    match refusal {
        CommandRefusal::UnknownVerb => InboundRefusal::UnknownVerb,
        CommandRefusal::Argument
        | CommandRefusal::HelloName(_)
        | CommandRefusal::UnknownParameter
        | CommandRefusal::Path(_) => InboundRefusal::BadArgument,
    }
}
