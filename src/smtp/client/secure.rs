//! Asks for TLS (RFC 3207) and keeps apart the seven ways in which that fails.

use super::certificate::CertificateVerdict;
use super::channel::Channel;
use super::connect::{Connection, Opened};
use super::failure::{Broken, Refusal, Stage};
use super::greet::{GreetFailure, Greeted, say_hello};
use super::handshake::{self, HandshakeFailure};
use super::stream::Stream;
use super::tls_client::{TlsClient, TlsDemand, TlsFacts, TlsOrder, TlsSession};
use super::transact::OpenTransaction;
use super::transcript::Direction;
use crate::smtp::wire::{Capabilities, Command, Extension, HelloName, Reply, ReplyClass};

/// The state of a connection that may carry mail.
#[derive(Debug)]
pub struct Ready {
    pub(super) capabilities: Capabilities,
    pub(super) session: Option<Box<TlsSession>>,
    pub(super) transaction: OpenTransaction,
}

/// Why there is no TLS on a connection.
#[derive(Debug, thiserror::Error)]
pub enum SecureFailure {
    /// The server does not offer it; the connection can go on in clear text.
    #[error("STARTTLS is not offered")]
    NotOffered(Box<Connection<Greeted>>),
    /// The server offers it and refuses it; the connection can go on in clear text.
    #[error("STARTTLS was refused with {}", .reply.code())]
    Refused {
        /// The reply to `STARTTLS`.
        reply: Reply,
        /// The connection as it was before.
        connection: Box<Connection<Greeted>>,
    },
    /// The connection broke before the server answered `STARTTLS`.
    #[error("the connection broke at STARTTLS")]
    Broken(#[source] Broken),
    /// Clear text came after the `220`, which a man in the middle could have put there (RFC 3207 §6).
    #[error("{byte_count} bytes of clear text came after the 220")]
    Injected {
        /// Count of bytes seen.
        byte_count: usize,
    },
    /// The handshake did not come to its end.
    #[error("there was no TLS session")]
    Handshake(#[source] HandshakeFailure),
    /// The handshake did, but the server could not be used inside TLS.
    #[error("the server failed inside TLS")]
    AfterHandshake {
        /// What went wrong with `EHLO`.
        #[source]
        failure: GreetFailure,
        /// What the handshake had established.
        session: Box<TlsSession>,
    },
    /// The certificate is not valid and [`TlsDemand::Authenticated`] was demanded. Nothing was said inside TLS.
    #[error("the certificate is not valid: {:?}", .0.facts.verdict)]
    Certificate(Box<TlsSession>),
}

/// The classes of TLS failure that a policy tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TlsFailureClass {
    /// F1: not offered, or the keyword was overwritten.
    NotOffered,
    /// F2: refused with 4yz.
    RefusedTransiently,
    /// F3: refused with 5yz, or with a code that has no meaning here.
    RefusedPermanently,
    /// F4: alert, garbage, end, time limit in the handshake, or a connection lost on the way to it.
    Handshake,
    /// F5: clear text injected after the 220.
    Injected,
    /// F6: the `EHLO` after TLS failed, or a late alert.
    AfterHandshake,
    /// F7: the identity is not the one that was demanded.
    Identity,
}

impl SecureFailure {
    /// The class that a policy acts upon.
    pub fn class(&self) -> TlsFailureClass {
        match self {
            Self::NotOffered(_) => TlsFailureClass::NotOffered,
            Self::Refused { reply, .. } if reply.class() == ReplyClass::Transient => {
                TlsFailureClass::RefusedTransiently
            }
            Self::Refused { .. } => TlsFailureClass::RefusedPermanently,
            Self::Broken(_) | Self::Handshake(_) => TlsFailureClass::Handshake,
            Self::Injected { .. } => TlsFailureClass::Injected,
            Self::AfterHandshake { .. } => TlsFailureClass::AfterHandshake,
            Self::Certificate(_) => TlsFailureClass::Identity,
        }
    }
}

impl TlsFailureClass {
    /// `F1` to `F7`.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotOffered => "F1",
            Self::RefusedTransiently => "F2",
            Self::RefusedPermanently => "F3",
            Self::Handshake => "F4",
            Self::Injected => "F5",
            Self::AfterHandshake => "F6",
            Self::Identity => "F7",
        }
    }
}

impl Connection<Greeted> {
    /// Puts TLS around the connection and introduces us again; what the server said in clear text is forgotten.
    ///
    /// # Errors
    /// [`SecureFailure`]; its class says what a policy needs to know. No mail was mentioned in any case.
    pub async fn secure(self, tls: &TlsClient, order: &TlsOrder) -> Result<Connection<Ready>, SecureFailure> {
        let Self { channel, state } = self.ask_for_tls().await?;
        let (mut channel, session) = encrypt(channel, tls, order).await?;
        match say_hello(&mut channel, &state.name, Stage::HelloAfterTls).await {
            Ok(capabilities) => Ok(Connection {
                channel,
                state: Ready::new(capabilities, Some(session)),
            }),
            Err(failure) => Err(SecureFailure::AfterHandshake { failure, session }),
        }
    }

    async fn ask_for_tls(mut self) -> Result<Self, SecureFailure> {
        if !self.state.capabilities.offers(Extension::StartTls) {
            return Err(SecureFailure::NotOffered(Box::new(self)));
        }
        let limit = self.channel.timeouts().command;
        let asked = self.channel.ask(Stage::StartTls, &Command::StartTls, limit).await;
        let reply = asked.map_err(SecureFailure::Broken)?;
        if reply.code() != 220 {
            return Err(SecureFailure::Refused {
                reply,
                connection: Box::new(self),
            });
        }
        // Fed to the reply parser later, these bytes would count as said inside TLS by the server that we authenticated.
        match self.channel.pending_bytes() {
            0 => Ok(self),
            byte_count => Err(SecureFailure::Injected { byte_count }),
        }
    }
}

impl Connection<Opened> {
    /// Puts TLS around the connection before a word is said (RFC 8314 §3.3, port 465), then waits for the greeting and
    /// introduces us.
    ///
    /// # Errors
    /// [`SecureFailure`], of the variants that can occur after a handshake has begun.
    pub async fn greet_in_tls(
        self,
        name: &HelloName,
        tls: &TlsClient,
        order: &TlsOrder,
    ) -> Result<Connection<Ready>, SecureFailure> {
        let (channel, session) = encrypt(self.channel, tls, order).await?;
        match (Connection { channel, state: Opened }).greet(name).await {
            Ok(Connection { channel, state }) => Ok(Connection {
                channel,
                state: Ready::new(state.capabilities, Some(session)),
            }),
            Err(failure) => Err(SecureFailure::AfterHandshake { failure, session }),
        }
    }
}

async fn encrypt(
    channel: Channel,
    tls: &TlsClient,
    order: &TlsOrder,
) -> Result<(Channel, Box<TlsSession>), SecureFailure> {
    let (stream, timeouts, recorder) = channel.into_parts();
    let Stream::Clear(stream) = stream else {
        // Only a greeted connection gets here, and nothing encrypts one before.
        let fault = handshake::HandshakeFault::Misbehaved;
        return Err(SecureFailure::Handshake(HandshakeFailure { fault, source: None }));
    };
    let shaken = handshake::perform(stream, tls, order, timeouts.handshake).await;
    let (stream, session) = shaken.map_err(|failure| {
        recorder.note(Direction::Event, failure.to_string());
        SecureFailure::Handshake(failure)
    })?;
    recorder.note(Direction::Event, summary(&session.facts));
    if order.demand == TlsDemand::Authenticated && session.facts.verdict != CertificateVerdict::Valid {
        return Err(SecureFailure::Certificate(Box::new(session)));
    }
    Ok((Channel::new(Stream::Tls(stream), timeouts, recorder), Box::new(session)))
}

fn summary(facts: &TlsFacts) -> String {
    let group = facts.group.as_deref().unwrap_or("-");
    format!(
        "TLS session: {} {} {}, certificate {:?}",
        facts.version, facts.cipher, group, facts.verdict
    )
}

impl Ready {
    pub(super) fn new(capabilities: Capabilities, session: Option<Box<TlsSession>>) -> Self {
        Self {
            capabilities,
            session,
            transaction: OpenTransaction::None,
        }
    }
}

impl Connection<Ready> {
    /// What the server offers now: inside TLS, if there is TLS.
    pub fn capabilities(&self) -> &Capabilities {
        &self.state.capabilities
    }

    /// The TLS session; `None` in clear text.
    pub fn tls(&self) -> Option<&TlsSession> {
        self.state.session.as_deref()
    }
}

impl From<Refusal> for GreetFailure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
