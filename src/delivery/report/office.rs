//! Takes letters to the bounce domain: reads what they report, and has it put on record.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use sealpost_domain::address::{AddressToken, DomainName};
use sealpost_domain::engagement::{Bounce, Complaint, Engagement, EngagementCommand, ReportDigest};
use sealpost_domain::event::StreamId;
use sealpost_domain::ids::{AccountId, DataKeyId, MessageId};
use sealpost_domain::message::MessageEvent;
use sealpost_domain::{Event, Instant, Personal};
use sealpost_projections::SourceFailure;

use super::arf::{Feedback, feedback};
use super::dsn::{Failure, failure};
use super::letter_parts::{Machine, machine_part};
use super::named::named_message;
use crate::actors::{
    Accounts, Addressee, ReportCall, ReportLetter, ReportRefused, Reported, Reports, ReportsUnavailable, Taken,
};
use crate::log::LogSource;
use crate::vault::ReturnPaths;

/// What stands before the `@` of the address for complaints.
pub const COMPLAINTS: &str = "complaints";
/// How often a report is decided anew when others of the same message are faster.
const TRIES_MAX: usize = 5;

/// Takes reports. Clones share what it has.
#[derive(Clone)]
pub struct ReportOffice {
    accounts: Accounts,
    source: LogSource,
    paths: ReturnPaths,
    domain: Arc<DomainName>,
}

/// What a letter reports.
#[derive(Debug, Clone)]
enum Said {
    Bounce(Failure, ReportDigest),
    Complaint(Feedback, ReportDigest),
}

/// A letter that was read.
struct ReadLetter {
    said: Said,
    about: Vec<MessageId>,
}

/// What the log knows of a message that is reported on.
struct Subject {
    account: AccountId,
    token: AddressToken,
    recipient_key: DataKeyId,
    recipient: Personal<String>,
    engagement: Engagement,
    sequence: u64,
}

impl ReportOffice {
    /// An office for this domain.
    #[must_use]
    pub fn new(accounts: Accounts, paths: ReturnPaths, domain: DomainName) -> Self {
        Self {
            source: accounts.log().source(),
            accounts,
            paths,
            domain: Arc::new(domain),
        }
    }

    /// Reads on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(Self) -> Result<T, SourceFailure> + Send + 'static,
    ) -> Result<T, ReportsUnavailable> {
        let this = self.clone();
        match tokio::task::spawn_blocking(move || read(this)).await {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(failure)) => {
                tracing::error!(error = %failure, "the log cannot be read for a report");
                Err(ReportsUnavailable)
            }
            Err(_) => Err(ReportsUnavailable),
        }
    }

    fn is_known(&self, message: MessageId) -> Result<bool, SourceFailure> {
        let stream = self.source.stream(&StreamId::message(message))?;
        Ok(stream
            .iter()
            .any(|one| matches!(one.event, Event::Message(MessageEvent::MessageAccepted(_)))))
    }

    fn subject(&self, message: MessageId) -> Result<Option<Subject>, SourceFailure> {
        let stream = self.source.stream(&StreamId::message(message))?;
        let found = stream.into_iter().find_map(|recorded| match recorded.event {
            Event::Message(MessageEvent::MessageAccepted(accepted)) => Some((recorded.account?, accepted)),
            _ => None,
        });
        let Some((account, accepted)) = found else {
            return Ok(None);
        };
        let (mut engagement, mut sequence) = (Engagement::default(), 0);
        for recorded in self.source.stream(&StreamId::engagement(message))? {
            let Event::Engagement(event) = recorded.event else {
                continue;
            };
            engagement.evolve(&event);
            sequence = recorded.sequence;
        }
        Ok(Some(Subject {
            account,
            token: accepted.address_token,
            recipient_key: accepted.recipient_key,
            recipient: accepted.recipient,
            engagement,
            sequence,
        }))
    }

    /// Puts what is said of a message on record. `None` when the log knows no such message.
    async fn record(&self, message: MessageId, said: &Said, ip: IpAddr) -> Result<Taken, ReportsUnavailable> {
        for _ in 0..TRIES_MAX {
            let Some(subject) = self.blocking(move |this| this.subject(message)).await? else {
                return Ok(Taken::NoReport);
            };
            let command = command(said, &subject.recipient, self.accounts.now());
            let call = ReportCall {
                account: subject.account,
                message,
                token: subject.token,
                recipient_key: subject.recipient_key,
                engagement: subject.engagement,
                sequence: subject.sequence,
                recipient: subject.recipient,
                ip,
                command,
            };
            match self.accounts.report(call).await {
                Ok(Reported::OnRecord) => return Ok(Taken::OnRecord),
                Ok(Reported::Known) => return Ok(Taken::Known),
                Err(ReportRefused::Conflict) => {}
                Err(ReportRefused::Unavailable) => return Err(ReportsUnavailable),
            }
        }
        Err(ReportsUnavailable)
    }

    fn read(&self, letter: &ReportLetter) -> Option<ReadLetter> {
        match machine_part(&letter.content) {
            Machine::None => None,
            Machine::DeliveryStatus(part) => {
                let about: Vec<MessageId> = letter.to.iter().filter_map(message_of).collect();
                let said = Said::Bounce(failure(&part)?, digest_of(&part));
                (!about.is_empty()).then_some(ReadLetter { said, about })
            }
            Machine::Feedback { report, original } => {
                let said = Said::Complaint(feedback(&report)?, digest_of(&report));
                // What the recipient of the letter names was signed; what the report quotes was signed too.
                let quoted = [report.as_slice(), original.as_slice()]
                    .into_iter()
                    .find_map(|text| named_message(text, &self.domain, &self.paths));
                let mut about: Vec<MessageId> = letter.to.iter().filter_map(message_of).collect();
                if about.is_empty() {
                    about.extend(quoted);
                }
                (!about.is_empty()).then_some(ReadLetter { said, about })
            }
        }
    }
}

#[async_trait]
impl Reports for ReportOffice {
    async fn addressee(&self, local_part: &str) -> Result<Option<Addressee>, ReportsUnavailable> {
        if local_part.eq_ignore_ascii_case(COMPLAINTS) {
            return Ok(Some(Addressee::Complaints));
        }
        let Some(message) = self.paths.message(local_part) else {
            return Ok(None);
        };
        let known = self.blocking(move |this| this.is_known(message)).await?;
        Ok(known.then_some(Addressee::Message(message)))
    }

    async fn take(&self, letter: ReportLetter) -> Result<Taken, ReportsUnavailable> {
        let ip = letter.ip;
        let Some(ReadLetter { said, about }) = self.blocking(move |this| Ok(this.read(&letter))).await? else {
            return Ok(Taken::NoReport);
        };
        let mut taken = Taken::NoReport;
        for message in about {
            taken = taken.max(self.record(message, &said, ip).await?);
        }
        Ok(taken)
    }
}

const fn message_of(addressee: &Addressee) -> Option<MessageId> {
    match addressee {
        Addressee::Message(message) => Some(*message),
        Addressee::Complaints => None,
    }
}

fn digest_of(part: &[u8]) -> ReportDigest {
    let digest = digest(&SHA256, part.trim_ascii());
    ReportDigest::from_hex(digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The command that puts it on record. Of a person who was erased nothing personal is kept: there is no key for it.
fn command(said: &Said, recipient: &Personal<String>, now: Instant) -> EngagementCommand {
    let kept = |text: &Personal<String>| match recipient.known() {
        Some(_) => text.clone(),
        None => Personal::Erased,
    };
    match said.clone() {
        Said::Bounce(failure, report) => {
            let mut reply = failure.reply;
            reply.text = kept(&reply.text);
            EngagementCommand::ReceiveBounce(Box::new(Bounce {
                kind: failure.kind,
                judged: failure.judged,
                reply,
                remote_mta: failure.remote_mta,
                reporting_mta: failure.reporting_mta,
                report,
                received_at: now,
            }))
        }
        Said::Complaint(feedback, report) => EngagementCommand::ReceiveComplaint(Box::new(Complaint {
            kind: feedback.kind,
            reporter: kept(&feedback.reporter),
            reporting_mta: feedback.reporting_mta,
            report,
            received_at: now,
        })),
    }
}
