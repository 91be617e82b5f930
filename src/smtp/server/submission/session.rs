//! Holds one submission dialogue: which command is allowed when, and what it is answered.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use sealpost_domain::limits;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::envelope::Envelope;
use super::guard::Place;
use super::house::House;
use super::reply_code::ReplyCode;
use crate::access::Caller;
use crate::smtp::server::listening::Closing;
use crate::smtp::server::talk::{Line, Talk};
use crate::smtp::wire::{Capabilities, Command, CommandRefusal, Extension, HelloName, Reply, ReplyClass, SizeLimit};

/// Refused commands after which a stranger is sent away.
const STRANGER_FAULTS_MAX: usize = limits::SUBMISSION_STRANGER_FAULTS_MAX as usize;
/// The same for a client that has logged in: among a thousand recipients some are mistyped.
const GUEST_FAULTS_MAX: usize = limits::SUBMISSION_GUEST_FAULTS_MAX as usize;
/// A stranger's session lasts so many times as long as one of its commands may take.
const STRANGER_COMMANDS_SLOW_MAX: u32 = 5;
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

/// What the dialogue goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// Clear text over a network: nobody logs in here.
    Clear,
    /// Clear text within this machine.
    Loopback,
    /// TLS.
    Tls,
}

/// What a command comes to.
pub(super) enum Step {
    /// It is answered.
    Say(Reply),
    /// It is answered, and the dialogue over this stream ends.
    SayAndEnd(Reply, End),
}

impl Step {
    pub(super) fn refuse(code: ReplyCode) -> Self {
        Self::Say(code.reply())
    }

    pub(super) fn end(code: ReplyCode) -> Self {
        Self::SayAndEnd(code.reply(), End::Closed)
    }
}

pub(super) struct Session<'h> {
    pub(super) house: &'h House,
    pub(super) peer: IpAddr,
    pub(super) ground: Ground,
    pub(super) place: Place,
    pub(super) hello: Option<HelloName>,
    pub(super) caller: Option<Box<Caller>>,
    pub(super) envelope: Option<Box<Envelope>>,
    pub(super) failed_logins: u32,
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
            hello: None,
            caller: None,
            envelope: None,
            failed_logins: 0,
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
        talk.say(&answer(220, &format!("{} ESMTP Sealpost", self.house.settings.host)));
    }

    /// Talks until one side ends it.
    pub(super) async fn converse<S>(&mut self, talk: &mut Talk<S>, mut closing: Closing) -> io::Result<End>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        loop {
            talk.wait_at_most(self.patience());
            let line = tokio::select! {
                biased;
                () = closing.told() => return farewell(talk, &ReplyCode::Closing.reply()).await,
                line = talk.line() => line,
            };
            let step = match line {
                Ok(_) if self.has_dawdled() => Step::end(ReplyCode::TimedOut),
                Ok(Line::Closed) => return Ok(End::Closed),
                Ok(Line::Faulty) => Step::end(ReplyCode::FaultyLine),
                Ok(Line::Complete(line)) => self.obey_line(talk, Zeroizing::new(line)).await?,
                Err(error) if error.kind() == io::ErrorKind::TimedOut => Step::end(ReplyCode::TimedOut),
                Err(error) => return Err(error),
            };
            match step {
                Step::Say(reply) if self.is_one_too_many(&reply) => {
                    talk.say(&reply);
                    return farewell(talk, &ReplyCode::TooManyFaults.reply()).await;
                }
                Step::Say(reply) => talk.say(&reply),
                Step::SayAndEnd(reply, End::Closed) => return farewell(talk, &reply).await,
                Step::SayAndEnd(reply, End::StartTls) => {
                    talk.say(&reply);
                    talk.flush().await?;
                    return Ok(End::StartTls);
                }
            }
        }
    }

    fn patience(&self) -> Duration {
        let pace = &self.house.settings.pace;
        if self.caller.is_some() {
            pace.guest
        } else {
            pace.stranger
        }
    }

    /// Whether a client keeps the connection by saying this and that, and never logs in.
    fn has_dawdled(&self) -> bool {
        let stranger_max = self
            .house
            .settings
            .pace
            .stranger
            .saturating_mul(STRANGER_COMMANDS_SLOW_MAX);
        self.caller.is_none() && self.began.elapsed() > stranger_max
    }

    fn is_one_too_many(&mut self, reply: &Reply) -> bool {
        self.faults += usize::from(reply.class() == ReplyClass::Permanent);
        let faults_max = if self.caller.is_some() {
            GUEST_FAULTS_MAX
        } else {
            STRANGER_FAULTS_MAX
        };
        self.faults >= faults_max
    }

    async fn obey_line<S>(&mut self, talk: &mut Talk<S>, line: Zeroizing<Vec<u8>>) -> io::Result<Step>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let command = match Command::parse(&line) {
            Ok(command) => command,
            Err(refusal) => return Ok(Step::refuse(of_command(refusal))),
        };
        // What takes long is boxed: a session that waits for its next command is small.
        match command {
            Command::Auth(mechanism, response) => Box::pin(self.log_in(talk, &mechanism, response)).await,
            Command::Mail(reverse_path, parameters) => Ok(Box::pin(self.mail(&reverse_path, parameters)).await),
            Command::Data => Box::pin(self.data(talk)).await,
            Command::StartTls => Ok(self.start_tls(talk.has_unread())),
            other => Ok(self.obey(other)),
        }
    }

    fn obey(&mut self, command: Command) -> Step {
        match command {
            Command::Ehlo(name) => {
                let reply = self.ehlo_reply();
                self.introduce(name, reply)
            }
            Command::Helo(name) => {
                let reply = answer(250, &self.house.settings.host);
                self.introduce(name, reply)
            }
            Command::Rcpt(forward_path, _) => self.rcpt(&forward_path),
            Command::Rset => {
                self.envelope = None;
                Step::Say(answer(250, "2.0.0 Forgotten"))
            }
            Command::Noop => Step::Say(answer(250, "2.0.0 Here")),
            // RFC 5321 §7.3: who may be written to is nobody's business.
            Command::Vrfy(_) => Step::Say(answer(252, "2.5.0 Send some mail, and see")),
            Command::Help => Step::Say(answer(214, "2.0.0 Log in with any name and an API key as password")),
            Command::Quit => Step::SayAndEnd(answer(221, "2.0.0 Goodbye"), End::Closed),
            Command::Auth(..) | Command::Mail(..) | Command::Data | Command::StartTls => {
                Step::refuse(ReplyCode::OutOfOrder)
            }
        }
    }

    fn introduce(&mut self, name: HelloName, reply: Reply) -> Step {
        self.hello = Some(name);
        self.envelope = None;
        Step::Say(reply)
    }

    fn ehlo_reply(&self) -> Reply {
        let mut lines = vec![self.house.settings.host.clone()];
        lines.extend(self.capabilities().ehlo_lines());
        Reply::new(250, lines)
    }

    fn capabilities(&self) -> Capabilities {
        let mut offered = vec![
            Extension::Pipelining,
            Extension::Size,
            Extension::EightBitMime,
            Extension::SmtpUtf8,
            Extension::EnhancedStatusCodes,
            Extension::Dsn,
        ];
        // RFC 3207 §4.2: not offered again inside TLS.
        if self.ground != Ground::Tls {
            offered.push(Extension::StartTls);
        }
        let capabilities = Capabilities::offering(offered, SizeLimit::Bytes(limits::MESSAGE_BYTES_MAX));
        match self.ground {
            // RFC 4954 §4: a mechanism that would show the key is not even named.
            Ground::Clear => capabilities,
            Ground::Loopback | Ground::Tls => capabilities.with_login(&["PLAIN", "LOGIN"]),
        }
    }

    fn start_tls(&self, has_unread: bool) -> Step {
        match self.ground {
            Ground::Tls => Step::refuse(ReplyCode::OutOfOrder),
            // CVE-2011-0411: they came in clear and would be obeyed as if they had come inside TLS.
            Ground::Clear | Ground::Loopback if has_unread => Step::end(ReplyCode::BehindStartTls),
            Ground::Clear | Ground::Loopback => Step::SayAndEnd(answer(220, "2.0.0 Go ahead"), End::StartTls),
        }
    }
}

/// A reply that is no refusal.
pub(super) fn answer(code: u16, text: &str) -> Reply {
    Reply::new(code, vec![text.to_owned()])
}

async fn farewell<S: AsyncRead + AsyncWrite + Unpin>(talk: &mut Talk<S>, reply: &Reply) -> io::Result<End> {
    talk.wait_at_most(FAREWELL_MAX);
    talk.say(reply);
    talk.flush().await?;
    Ok(End::Closed)
}

const fn of_command(refusal: CommandRefusal) -> ReplyCode {
    match refusal {
        CommandRefusal::UnknownVerb => ReplyCode::UnknownVerb,
        CommandRefusal::Argument | CommandRefusal::HelloName(_) => ReplyCode::BadArgument,
        CommandRefusal::UnknownParameter => ReplyCode::UnknownParameter,
        CommandRefusal::Path(_) => ReplyCode::BadAddress,
    }
}
