//! Step five: one transaction on an open session. The right to send comes after an accepted `RCPT` on a new session,
//! and before `MAIL` on a kept one, where `DATA` follows in the same write.

use std::net::SocketAddr;
use std::time::Instant;

use async_trait::async_trait;
use sealpost_domain::message::{DeferralReason, Timings, TlsFacts, TlsLevel};
use sealpost_domain::tls_rule::{ClearReason, TlsFailed};

use super::authorise::{Carrier, authorise};
use super::walk::Reached;
use super::{finish, secure};
use crate::actors::{Grant, Job, Report, Reuse, Session};
use crate::delivery::letter::{Letter, LetterWriter};
use crate::smtp::client::{Connection, Envelope, Ready};
use crate::smtp::wire::{
    AddressForm, Body, DsnRequest, ForwardPath, MailParameters, ReversePath, StuffedContent, TlsRequirement,
};

/// An open session.
pub(super) struct SmtpSession {
    connection: Connection<Ready>,
    peer: SocketAddr,
    host: String,
    letters: LetterWriter,
    /// What opening it took; told with the first message.
    connect_ms: u32,
    carried: u32,
    clear: Option<ClearReason>,
    passed_over: Vec<TlsFailed>,
}

impl SmtpSession {
    pub(super) fn new(reached: Reached, letters: LetterWriter, connect_ms: u32) -> Self {
        Self {
            connection: reached.connection,
            peer: reached.peer,
            host: reached.host,
            letters,
            connect_ms,
            carried: 0,
            clear: reached.clear,
            passed_over: reached.passed_over,
        }
    }

    fn level(&self) -> TlsLevel {
        self.tls().map_or(TlsLevel::Plain, |facts| facts.level)
    }

    /// What keeps this session from carrying the message, whatever the server says.
    fn unfit(&self, job: &Job) -> Option<DeferralReason> {
        let level = self.level();
        if job.want.rides(level, self.clear) {
            return None;
        }
        Some(match level {
            TlsLevel::Plain => DeferralReason::TlsNotOffered,
            TlsLevel::Encrypted | TlsLevel::Authenticated => DeferralReason::TlsNotAuthenticated,
        })
    }

    async fn transact(&mut self, job: &Job, letter: &Letter, grant: &mut Grant) -> finish::Finished {
        let Some(envelope) = envelope(job, letter) else {
            return finish::Finished::not_sent(DeferralReason::ContentUnavailable);
        };
        let Ok(content) = StuffedContent::new(&[letter.prepended.as_bytes(), &letter.content]) else {
            return finish::Finished::not_sent(DeferralReason::ContentUnavailable);
        };
        let carrier = Carrier {
            host: &self.host,
            peer: self.peer,
            tls: self.tls(),
            clear: self.clear,
        };
        let outcome = if self.carried == 0 {
            match self.connection.mail_rcpt(&envelope).await {
                Ok(transaction) => {
                    if let Err(refused) = authorise(grant, job, letter, carrier).await {
                        return finish::Finished::not_granted(refused);
                    }
                    transaction.data(&content).await
                }
                Err(failure) => return finish::envelope_failure(failure),
            }
        } else {
            if let Err(refused) = authorise(grant, job, letter, carrier).await {
                return finish::Finished::not_granted(refused);
            }
            self.connection.mail_rcpt_data(&envelope, &content).await
        };
        finish::finish(outcome, self.carried > 0)
    }
}

fn envelope(job: &Job, letter: &Letter) -> Option<Envelope> {
    Some(Envelope {
        reverse_path: ReversePath::parse(job.reverse_path.as_str()).ok()?,
        forward_path: ForwardPath::parse(job.recipient.as_str()).ok()?,
        needs: MailParameters {
            size_bytes: Some(letter.size_bytes()),
            body: Body::SevenBit,
            address_form: AddressForm::Ascii,
            tls: TlsRequirement::None,
            dsn: DsnRequest::None,
        },
    })
}

#[async_trait]
impl Session for SmtpSession {
    async fn deliver(&mut self, job: &Job, grant: &mut Grant) -> (Report, Reuse) {
        let began = Instant::now();
        let finished = match self.unfit(job) {
            Some(reason) => finish::Finished::not_sent(reason),
            None => match self.letters.write(job, grant.now().to_datetime()).await {
                Ok(letter) => self.transact(job, &letter, grant).await,
                Err(failure) => {
                    tracing::error!(message.id = %job.message, error = %chain(&failure), "a letter cannot be written");
                    finish::Finished::not_sent(DeferralReason::ContentUnavailable)
                }
            },
        };
        let timings = Timings {
            connect_ms: if self.carried == 0 { self.connect_ms } else { 0 },
            transact_ms: u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX),
        };
        self.carried = self.carried.saturating_add(1);
        self.passed_over.clear();
        finished.report(timings)
    }

    async fn is_usable(&mut self) -> bool {
        self.connection.is_usable().await
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn peer(&self) -> String {
        self.peer.to_string()
    }

    fn tls(&self) -> Option<TlsFacts> {
        self.connection.tls().map(|session| secure::facts(&session.facts))
    }

    fn clear(&self) -> Option<ClearReason> {
        self.clear
    }

    fn passed_over(&self) -> &[TlsFailed] {
        &self.passed_over
    }

    async fn close(self: Box<Self>) {
        self.connection.finish().await;
    }
}

/// The whole chain of an error in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
