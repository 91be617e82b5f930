//! Holds one dialogue as a receiver: which command is allowed when, and what it is answered.

use std::io;

use chrono::Utc;
use tokio::io::{AsyncRead, AsyncWrite};

use super::answers::{self, reply};
use super::deposit::Received;
use super::personality::{Offer, RecipientRule};
use super::receiving::House;
use super::talk::{Line, Talk};
use crate::smtp::wire::{
    AddressForm, Capabilities, Command, DsnRequest, Extension, ForwardPath, MailParameters, Progress, Reply,
    ReplyClass, ReversePath, SizeLimit, TlsRequirement, Unstuffer,
};

const CONTENT_LENGTH_BYTES_MAX: usize = 25 * 1_024 * 1_024;
/// RFC 5321 §4.5.3.1.8: at least 100 recipients must be taken.
const RECIPIENTS_MAX: usize = 100;
const FAULTS_MAX: usize = 20;

/// How a dialogue over one stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The connection is to be closed.
    Closed,
    /// `STARTTLS` was answered with 220; the handshake comes next.
    StartTls,
}

pub(super) struct Session<'h> {
    house: &'h House,
    tls: Option<String>,
    introduced: bool,
    transaction: Option<Envelope>,
    faults: usize,
}

struct Envelope {
    reverse_path: ReversePath,
    address_form: AddressForm,
    forward_paths: Vec<ForwardPath>,
}

enum Step {
    Say(Reply),
    TakeContent(Envelope),
    SayAndEnd(Reply, End),
}

impl<'h> Session<'h> {
    /// A dialogue in which nothing has been said; `tls` is the version of TLS around it.
    pub(super) fn new(house: &'h House, tls: Option<String>) -> Self {
        Self {
            house,
            tls,
            introduced: false,
            transaction: None,
            faults: 0,
        }
    }

    /// Talks until one side ends it. The greeting has been sent.
    pub(super) async fn converse<S>(&mut self, talk: &mut Talk<S>) -> io::Result<End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        while self.faults < FAULTS_MAX {
            let step = match talk.line().await? {
                Line::Closed => return Ok(End::Closed),
                Line::Faulty => Step::SayAndEnd(reply(500, "5.5.2 Line too long or without CRLF"), End::Closed),
                Line::Complete(line) => match Command::parse(&line) {
                    Ok(command) => self.obey(command),
                    Err(refusal) => Step::Say(answers::to_refused_command(refusal)),
                },
            };
            match step {
                Step::Say(reply) => self.say(talk, &reply),
                Step::TakeContent(envelope) => self.take_content(talk, envelope).await?,
                Step::SayAndEnd(reply, end) => {
                    talk.say(&reply);
                    talk.flush().await?;
                    return Ok(end);
                }
            }
        }
        talk.say(&answers::too_many_faults());
        Ok(End::Closed)
    }

    fn say<S: AsyncRead + AsyncWrite + Unpin>(&mut self, talk: &mut Talk<S>, reply: &Reply) {
        self.faults += usize::from(reply.class() == ReplyClass::Permanent);
        talk.say(reply);
    }

    fn obey(&mut self, command: Command) -> Step {
        match command {
            Command::Ehlo(_) => self.introduce(self.ehlo_reply()),
            Command::Helo(_) => self.introduce(reply(250, &self.house.personality.greeting_name)),
            Command::StartTls => self.start_tls(),
            Command::Auth(..) => Step::Say(reply(502, "5.5.1 Logging in is not offered here")),
            Command::Mail(reverse_path, parameters) => Step::Say(self.mail(reverse_path, parameters)),
            // RFC 5321 §4.1.1.11: a parameter of an extension that is not offered.
            Command::Rcpt(_, DsnRequest::Stated) => Step::Say(reply(555, "5.5.4 DSN is not offered")),
            Command::Rcpt(forward_path, DsnRequest::None) => Step::Say(self.rcpt(forward_path)),
            Command::Data => self.data(),
            Command::Rset => {
                self.transaction = None;
                Step::Say(reply(250, "2.0.0 Forgotten"))
            }
            // RFC 5321 §7.3: who may be written to is nobody's business.
            Command::Vrfy(_) => Step::Say(reply(252, "2.5.0 Send some mail, and see")),
            Command::Help => Step::Say(reply(214, "2.0.0 RFC 5321")),
            Command::Noop => Step::Say(reply(250, "2.0.0 Here")),
            Command::Quit => Step::SayAndEnd(reply(221, "2.0.0 Goodbye"), End::Closed),
        }
    }

    fn introduce(&mut self, reply: Reply) -> Step {
        self.introduced = true;
        self.transaction = None;
        Step::Say(reply)
    }

    fn ehlo_reply(&self) -> Reply {
        let mut lines = vec![self.house.personality.greeting_name.clone()];
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
        ];
        // RFC 3207 §4.2: not offered again inside TLS.
        if self.tls.is_none() && self.house.personality.starttls != Offer::None {
            offered.push(Extension::StartTls);
        }
        let limit_bytes = u64::try_from(CONTENT_LENGTH_BYTES_MAX).unwrap_or(u64::MAX);
        Capabilities::offering(offered, SizeLimit::Bytes(limit_bytes))
    }

    fn start_tls(&self) -> Step {
        let personality = &self.house.personality;
        match (personality.starttls, &personality.tls, &self.tls) {
            (Offer::None, _, _) | (_, _, Some(_)) => Step::Say(answers::out_of_order()),
            (Offer::Refuse454, _, None) | (Offer::Works, None, None) => {
                Step::Say(reply(454, "4.7.0 TLS not available due to local problem"))
            }
            (Offer::Works, Some(_), None) | (Offer::BreakHandshake, _, None) => {
                Step::SayAndEnd(reply(220, "2.0.0 Go ahead"), End::StartTls)
            }
        }
    }

    fn mail(&mut self, reverse_path: ReversePath, parameters: MailParameters) -> Reply {
        if !self.introduced || self.transaction.is_some() {
            return answers::out_of_order();
        }
        if parameters.tls == TlsRequirement::EveryHop {
            return reply(555, "5.5.4 REQUIRETLS not supported");
        }
        if parameters.dsn == DsnRequest::Stated {
            return reply(555, "5.5.4 DSN is not offered");
        }
        let limit_bytes = u64::try_from(CONTENT_LENGTH_BYTES_MAX).unwrap_or(u64::MAX);
        if parameters.size_bytes.is_some_and(|size_bytes| size_bytes > limit_bytes) {
            return reply(552, "5.3.4 Message too large");
        }
        let address_form = parameters.address_form;
        if address_form == AddressForm::Ascii && !reverse_path.as_str().is_ascii() {
            return reply(553, "5.6.7 SMTPUTF8 is needed for this address");
        }
        self.transaction = Some(Envelope {
            reverse_path,
            address_form,
            forward_paths: Vec::new(),
        });
        reply(250, "2.1.0 Sender noted")
    }

    fn rcpt(&mut self, forward_path: ForwardPath) -> Reply {
        let Some(envelope) = &mut self.transaction else {
            return answers::out_of_order();
        };
        if envelope.address_form == AddressForm::Ascii && !forward_path.as_str().is_ascii() {
            return reply(553, "5.6.7 SMTPUTF8 is needed for this address");
        }
        if envelope.forward_paths.len() == RECIPIENTS_MAX {
            return reply(452, "4.5.3 Too many recipients");
        }
        match &self.house.personality.recipients {
            RecipientRule::Reject(code, text) => return reply((*code).clamp(400, 599), text),
            RecipientRule::Greylist if self.house.is_first_try(&envelope.reverse_path, &forward_path) => {
                return reply(450, "4.7.1 Greylisted, try again later");
            }
            RecipientRule::Greylist | RecipientRule::Accept => {}
        }
        envelope.forward_paths.push(forward_path);
        reply(250, "2.1.5 Recipient noted")
    }

    // RFC 5321 §3.3: without an accepted recipient DATA is refused, also where it was pipelined.
    fn data(&mut self) -> Step {
        match self.transaction.take() {
            None => Step::Say(answers::out_of_order()),
            Some(envelope) if envelope.forward_paths.is_empty() => {
                self.transaction = Some(envelope);
                Step::Say(reply(554, "5.5.1 No valid recipients"))
            }
            Some(envelope) => Step::TakeContent(envelope),
        }
    }

    async fn take_content<S>(&mut self, talk: &mut Talk<S>, envelope: Envelope) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        talk.say(&reply(354, "Go ahead, end with a dot on a line of its own"));
        talk.flush().await?;
        let mut unstuffer = Unstuffer::new(CONTENT_LENGTH_BYTES_MAX);
        while talk.content_step(&mut unstuffer).await? == Progress::Incomplete {}
        let answer = match unstuffer.finish() {
            Ok(content) => self.deposit(envelope, content).await,
            Err(fault) => answers::to_refused_content(fault),
        };
        self.say(talk, &answer);
        Ok(())
    }

    async fn deposit(&self, envelope: Envelope, content: Vec<u8>) -> Reply {
        let Envelope {
            reverse_path,
            forward_paths,
            ..
        } = envelope;
        let tls = self.tls.clone();
        let received = Received {
            reverse_path,
            forward_paths,
            content,
            tls,
            received_at: Utc::now(),
        };
        match self.house.sink.deposit(received).await {
            Ok(()) => reply(250, "2.0.0 Stored"),
            Err(error) => {
                tracing::warn!(error = %error, "received message could not be stored");
                reply(451, "4.3.0 Could not be stored, try again later")
            }
        }
    }
}
