//! What reports of other servers are to the actors: whom a recipient of one names, and the trait that `delivery` implements.

use std::net::IpAddr;

use async_trait::async_trait;
use sealpost_domain::Personal;
use sealpost_domain::address::AddressToken;
use sealpost_domain::engagement::{Engagement, EngagementCommand};
use sealpost_domain::ids::{AccountId, DataKeyId, MessageId};
use thiserror::Error;

/// Whom a recipient of the bounce domain names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Addressee {
    /// Reports on this message.
    Message(MessageId),
    /// Complaints on any message.
    Complaints,
}

/// A letter to the bounce domain.
pub struct ReportLetter {
    /// Whom its recipients name; at least one.
    pub to: Vec<Addressee>,
    /// Its beginning, with CRLF line ends.
    pub content: Vec<u8>,
    /// Address of the server that brought it.
    pub ip: IpAddr,
}

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Taken {
    /// It reports nothing that is put on record.
    NoReport,
    /// What it reports is on record already, or enough is.
    Known,
    /// What it reports is on disk.
    OnRecord,
}

/// Reports cannot be taken now; whoever brought one tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("reports cannot be taken at the moment")]
pub struct ReportsUnavailable;

/// Takes reports. Implemented by `delivery`.
#[async_trait]
pub trait Reports: Send + Sync + 'static {
    /// Whom the part before the `@` names; `None` for nobody. Only what was signed here costs a look into the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    async fn addressee(&self, local_part: &str) -> Result<Option<Addressee>, ReportsUnavailable>;

    /// Takes a letter. When it returns `Ok`, what the letter reports is on disk.
    ///
    /// # Errors
    /// When nobody knows whether it is.
    async fn take(&self, letter: ReportLetter) -> Result<Taken, ReportsUnavailable>;
}

/// A report on a message, for its account's actor.
#[derive(Debug)]
pub struct ReportCall {
    /// Whose message it is.
    pub account: AccountId,
    /// The message.
    pub message: MessageId,
    /// Token of the recipient's address.
    pub token: AddressToken,
    /// The recipient's data key.
    pub recipient_key: DataKeyId,
    /// State of its stream of late facts.
    pub engagement: Engagement,
    /// Events of that stream so far.
    pub sequence: u64,
    /// The recipient's address, for the suppression list.
    pub recipient: Personal<String>,
    /// Address of the server that brought it.
    pub ip: IpAddr,
    /// What is reported.
    pub command: EngagementCommand,
}

/// What a report came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// It is on disk.
    OnRecord,
    /// It, or enough of its like, was on disk before.
    Known,
}

/// Why a report is not on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReportRefused {
    /// Another report was faster: read the stream again.
    #[error("another report of the message was faster")]
    Conflict,
    /// Nothing is stored, or nobody knows.
    #[error("the log cannot be written at the moment")]
    Unavailable,
}
