//! Carries one message in one transaction, and says exactly what the server can have accepted when it ends.

use super::connect::Connection;
use super::exchange::{Exchange, Pace};
use super::failure::{Broken, Refusal, Stage};
use super::secure::Ready;
use crate::smtp::wire::{
    AddressForm, Body, Command, DsnRequest, Extension, ForwardPath, MailParameters, Reply, ReversePath, SizeLimit,
    StuffedContent, TlsRequirement,
};

/// The envelope of one message: one recipient, and what the content needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Where failures are reported to.
    pub reverse_path: ReversePath,
    /// The recipient.
    pub forward_path: ForwardPath,
    /// What the content needs. Size and body are stated where the server wants to know them; a server without 8BITMIME
    /// gets 8-bit content all the same, as it gets from everybody. The rest must be offered.
    pub needs: MailParameters,
}

/// Whether the server still has a transaction open that we have given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenTransaction {
    None,
    /// `RSET` must come before the next `MAIL`.
    Abandoned,
}

/// What the message needs and the server does not offer. Nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// An address or header in UTF-8, and no `SMTPUTF8` (RFC 6531): 5.6.7.
    #[error("the server does not take addresses in UTF-8")]
    SmtpUtf8,
    /// `REQUIRETLS` is demanded, and not offered inside TLS (RFC 8689): 5.7.30.
    #[error("the server does not promise TLS on the whole way")]
    RequireTls,
    /// The content is larger than the server takes (RFC 1870): 5.3.4.
    #[error("the content has {size_bytes} bytes, the server takes {limit_bytes}")]
    TooLarge {
        /// Size of the content in bytes.
        size_bytes: u64,
        /// What the server takes, in bytes.
        limit_bytes: u64,
    },
}

/// Why the server did not take the envelope. Nothing can have been accepted.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeFailure {
    /// The server lacks something the message needs.
    #[error("the server does not offer what the message needs")]
    Unsupported(#[from] Unsupported),
    /// `RSET`, `MAIL` or `RCPT` was refused.
    #[error("the envelope was refused")]
    Refused(#[from] Refusal),
    /// The connection broke.
    #[error("the connection broke during the envelope")]
    Broken(#[from] Broken),
}

/// How a transaction ended.
#[derive(Debug)]
#[must_use = "an outcome that nobody records is mail that nobody can account for"]
pub enum TransactionOutcome {
    /// The server has the message.
    Accepted(Reply),
    /// Refused by the reply to the final dot.
    RefusedAfterData(Refusal),
    /// `354` was not given, or the server refused before the final dot was written.
    RefusedAtData(Refusal),
    /// `RSET`, `MAIL` or `RCPT` was refused; no content was sent.
    RefusedBeforeData(Refusal),
    /// Nothing was asked of the server, because it lacks something the message needs.
    Unsupported(Unsupported),
    /// The connection broke before any byte of the final dot was written: the server cannot have the message.
    NotSent(Broken),
    /// The connection broke after the final dot began to be written: the server may have the message.
    InDoubt(Broken),
}

/// An envelope that the server has accepted. Dropping it abandons the transaction; the connection stays usable.
#[derive(Debug)]
pub struct Transaction<'c> {
    pub(super) connection: &'c mut Connection<Ready>,
    rcpt_reply: Reply,
}

impl Connection<Ready> {
    /// Whether another transaction may be tried: every reply has come, and the server has neither closed nor said
    /// anything since.
    pub async fn is_usable(&mut self) -> bool {
        self.channel.is_in_step() && self.channel.early_input().await.is_none()
    }

    /// Sends `MAIL` and `RCPT`, in one write where the server takes that.
    ///
    /// # Errors
    /// [`EnvelopeFailure`]; nothing can have been accepted. After a refusal the connection can take another envelope.
    pub async fn mail_rcpt(&mut self, envelope: &Envelope) -> Result<Transaction<'_>, EnvelopeFailure> {
        let steps = self.envelope_steps(envelope)?;
        let exchange = self.run(&steps).await;
        if let Some(refusal) = exchange.first_refusal() {
            return Err(refusal.into());
        }
        match exchange.reply_to(Stage::Rcpt).cloned() {
            Some(rcpt_reply) => Ok(Transaction {
                connection: self,
                rcpt_reply,
            }),
            None => Err(exchange.into_broken(Stage::Rcpt).into()),
        }
    }

    /// Sends the whole message, with `MAIL`, `RCPT` and `DATA` in one write where the server takes that.
    ///
    /// For a kept connection: the right to send must be on record before, since there is no moment between `RCPT` and
    /// `DATA` to record it in. A future that is dropped before it is ready may have sent the final dot: count it as in
    /// doubt.
    pub async fn mail_rcpt_data(&mut self, envelope: &Envelope, content: &StuffedContent<'_>) -> TransactionOutcome {
        let mut steps = match self.envelope_steps(envelope) {
            Ok(steps) => steps,
            Err(unsupported) => return TransactionOutcome::Unsupported(unsupported),
        };
        steps.push((Stage::Data, Command::Data));
        let exchange = self.run(&steps).await;
        let data_reply = exchange.reply_to(Stage::Data).cloned();
        match (exchange.first_refusal(), data_reply) {
            (Some(refusal), Some(reply)) if refusal.stage != Stage::Data && reply.code() == 354 => {
                self.end_empty_content().await;
                TransactionOutcome::RefusedBeforeData(refusal)
            }
            (Some(refusal), _) if refusal.stage != Stage::Data => TransactionOutcome::RefusedBeforeData(refusal),
            (_, Some(reply)) => self.content_after(reply, content).await,
            (_, None) => TransactionOutcome::NotSent(exchange.into_broken(Stage::Data)),
        }
    }

    async fn run(&mut self, steps: &[(Stage, Command)]) -> Exchange {
        let pipelining = self.state.capabilities.offers(Extension::Pipelining);
        let pace = if pipelining { Pace::Pipelined } else { Pace::OneByOne };
        let exchange = Exchange::run(&mut self.channel, steps, pace).await;
        if exchange.accepted(Stage::Reset) {
            self.state.transaction = OpenTransaction::None;
        }
        if exchange.accepted(Stage::Mail) {
            self.state.transaction = OpenTransaction::Abandoned;
        }
        exchange
    }

    fn envelope_steps(&self, envelope: &Envelope) -> Result<Vec<(Stage, Command)>, Unsupported> {
        let parameters = self.parameters_for(envelope)?;
        let mut steps = Vec::with_capacity(4);
        if self.state.transaction == OpenTransaction::Abandoned {
            steps.push((Stage::Reset, Command::Rset));
        }
        steps.push((Stage::Mail, Command::Mail(envelope.reverse_path.clone(), parameters)));
        steps.push((
            Stage::Rcpt,
            Command::Rcpt(envelope.forward_path.clone(), DsnRequest::None),
        ));
        Ok(steps)
    }

    fn parameters_for(&self, envelope: &Envelope) -> Result<MailParameters, Unsupported> {
        let offers = |extension| self.state.capabilities.offers(extension);
        let MailParameters {
            size_bytes, body, tls, ..
        } = envelope.needs;
        let address_form = envelope.address_form();
        if address_form == AddressForm::Utf8 && !offers(Extension::SmtpUtf8) {
            return Err(Unsupported::SmtpUtf8);
        }
        if tls == TlsRequirement::EveryHop && !(offers(Extension::RequireTls) && self.state.session.is_some()) {
            return Err(Unsupported::RequireTls);
        }
        if let (Some(size_bytes), SizeLimit::Bytes(limit_bytes)) = (size_bytes, self.state.capabilities.size_limit())
            && size_bytes > limit_bytes
        {
            return Err(Unsupported::TooLarge {
                size_bytes,
                limit_bytes,
            });
        }
        let size_bytes = size_bytes.filter(|_| offers(Extension::Size));
        let body = if offers(Extension::EightBitMime) {
            body
        } else {
            Body::SevenBit
        };
        Ok(MailParameters {
            size_bytes,
            body,
            address_form,
            tls,
            dsn: DsnRequest::None,
        })
    }
}

impl Envelope {
    fn address_form(&self) -> AddressForm {
        let ascii = self.reverse_path.as_str().is_ascii() && self.forward_path.as_str().is_ascii();
        if ascii {
            self.needs.address_form
        } else {
            AddressForm::Utf8
        }
    }
}

impl Transaction<'_> {
    /// The reply to `RCPT`.
    pub fn rcpt_reply(&self) -> &Reply {
        &self.rcpt_reply
    }

    /// Sends `DATA`, and after `354` the content with its final dot. A future that is dropped before it is ready may
    /// have sent the final dot: count it as in doubt.
    pub async fn data(self, content: &StuffedContent<'_>) -> TransactionOutcome {
        let channel = &mut self.connection.channel;
        let limit = channel.timeouts().data;
        match channel.ask(Stage::Data, &Command::Data, limit).await {
            Ok(reply) => self.connection.content_after(reply, content).await,
            Err(broken) => TransactionOutcome::NotSent(broken),
        }
    }
}

impl From<EnvelopeFailure> for TransactionOutcome {
    fn from(failure: EnvelopeFailure) -> Self {
        match failure {
            EnvelopeFailure::Unsupported(unsupported) => Self::Unsupported(unsupported),
            EnvelopeFailure::Refused(refusal) => Self::RefusedBeforeData(refusal),
            EnvelopeFailure::Broken(broken) => Self::NotSent(broken),
        }
    }
}
