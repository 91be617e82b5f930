//! What may be asked of an account's actor, and what it answers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use sealpost_domain::account::{AccountCommand, AccountRefusal};
use sealpost_domain::address::{AddressRefusal, AddressToken, DomainName, Mailbox};
use sealpost_domain::api_key::{ApiKeyCommand, ApiKeyRefusal, KeyStanding, UseRefusal};
use sealpost_domain::content::ContentRef;
use sealpost_domain::ids::{AccountId, AttemptId, DataKeyId, KeyId, MessageId, UserId};
use sealpost_domain::message::{
    AttemptOutcome, Attempted, Message, MessageCommand, MessageRefusal, RejectReason, Started, TlsLevel, Tracking,
};
use sealpost_domain::metadata::Metadata;
use sealpost_domain::rights::{KeyKind, KeyWorld, Method};
use sealpost_domain::sending_domain::{SendingDomainCommand, SendingDomainRefusal};
use sealpost_domain::suppression::{SuppressionReason, SuppressionRefusal};
use sealpost_domain::tls_rule::AccountTls;
use sealpost_domain::user::{UserCommand, UserRefusal};
use sealpost_domain::{Instant, Personal};
use thiserror::Error;
use tokio::sync::oneshot;

use super::account_view::{DomainView, KeyView};
use super::grant::StartRefused;
use super::own_share::OwnShare;
use super::reports::{ReportCall, ReportRefused, Reported};
use crate::log::{IdempotencyAnswer, IdempotencyRow, OutcomeSlot};

/// Where an answer goes. Dropped unanswered when the actor fails: the asker then knows only that nobody knows.
pub type Reply<T> = oneshot::Sender<T>;

/// A call with a key, before anything is stored for it.
#[derive(Clone)]
pub struct Claim {
    /// The account that the key acts for.
    pub account: AccountId,
    /// The key.
    pub key: KeyId,
    /// What is called.
    pub method: Method,
    /// The kind of key that it takes.
    pub needs: KeyKind,
    /// From where.
    pub ip: IpAddr,
    /// Metadata of the events that come of it.
    pub metadata: Arc<Metadata>,
}

/// Who gives a command.
#[derive(Debug, Clone)]
pub enum Asker {
    /// The operator, or the program itself.
    Operator {
        /// The account that the command is for.
        account: AccountId,
        /// Metadata of the events that come of it.
        metadata: Arc<Metadata>,
    },
    /// Whoever has this key, as long as it is admitted.
    Key(Claim),
}

impl Asker {
    /// The account that the command is for.
    #[must_use]
    pub const fn account(&self) -> AccountId {
        match self {
            Self::Operator { account, .. } => *account,
            Self::Key(claim) => claim.account,
        }
    }
}

/// A key's standing at the moment of a call that is admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// Active or frozen.
    pub standing: KeyStanding,
    /// Which world the key acts in.
    pub world: KeyWorld,
}

/// A call that sends.
pub struct SendCall {
    /// The key and the door.
    pub claim: Claim,
    /// The header From's address.
    pub header_from: Mailbox,
    /// The subject.
    pub subject: String,
    /// The sender's tags.
    pub tags: Vec<String>,
    /// The sender's metadata, values as JSON text.
    pub user_metadata: BTreeMap<String, String>,
    /// The subaccount that the sender named.
    pub subaccount: Option<String>,
    /// What the sender wants measured.
    pub tracking: Tracking,
    /// Least protection that the message demands.
    pub tls_required: TlsLevel,
    /// When what nobody took bounces.
    pub expires_at: Instant,
    /// One message each.
    pub recipients: Vec<SendRecipient>,
    /// The idempotency row, where the caller gave a key.
    pub idempotency: Option<IdempotencyRow>,
}

/// One recipient of a call.
pub struct SendRecipient {
    /// The message to that recipient.
    pub message: MessageId,
    /// The address as the caller wrote it.
    pub given: String,
    /// What the edge made of it.
    pub kind: RecipientKind,
    /// What it has for itself.
    pub own: OwnShare,
}

/// Whether a recipient can be written to at all.
#[derive(Debug)]
pub enum RecipientKind {
    /// Its content is stored and its key is drawn.
    Deliverable(Box<Deliverable>),
    /// It is no address.
    Invalid(AddressRefusal),
}

/// A recipient whose content is stored.
pub struct Deliverable {
    /// The forward-path.
    pub mailbox: Mailbox,
    /// Token of the address.
    pub token: AddressToken,
    /// The recipient's data key.
    pub recipient_key: DataKeyId,
    /// The reverse-path.
    pub reverse_path: Mailbox,
    /// Where the content lies.
    pub content: ContentRef,
    /// The Message-ID with its angle brackets.
    pub message_id_header: String,
    /// What the log's index says of the address; filled in by [`super::Accounts::send`].
    pub suppressed: Option<SuppressionReason>,
}

/// What became of one recipient of a call.
#[derive(Clone, PartialEq, Eq)]
pub struct SendAnswer {
    /// The message.
    pub message: MessageId,
    /// The address as the caller wrote it.
    pub given: String,
    /// Accepted or not.
    pub verdict: Verdict,
}

/// Accepted or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// On disk, and on its way.
    Accepted,
    /// On disk, and held because its key is frozen.
    Held,
    /// Turned away, and that is on disk.
    Rejected(RejectReason),
}

/// A command that is no send.
#[derive(Debug)]
pub enum Manage {
    /// To the account itself.
    Account(AccountCommand),
    /// To one of its users.
    User(UserId, UserCommand),
    /// To one of its keys.
    Key(KeyId, ApiKeyCommand),
    /// To one of its domains.
    Domain(DomainName, SendingDomainCommand),
    /// To one of its messages, whose stream was read.
    Message(Box<ManageMessage>),
    /// Which keys there are.
    ListKeys,
    /// Which domains there are.
    ListDomains,
}

/// A command to a message.
#[derive(Debug)]
pub struct ManageMessage {
    /// The message.
    pub message: MessageId,
    /// State of its stream.
    pub state: Message,
    /// Events of its stream so far.
    pub sequence: u64,
    /// What is asked.
    pub command: MessageCommand,
}

/// What a command that is no send came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Managed {
    /// On disk at this position.
    Done {
        /// Position of its last event.
        position: u64,
    },
    /// A key is frozen: nothing it sent starts after this position.
    Frozen {
        /// Position of the freeze.
        position: u64,
        /// Attempts that had begun before.
        begun: Vec<Begun>,
    },
    /// The keys, in the order of their issue.
    Keys(Vec<KeyView>),
    /// The domains by name.
    Domains(Vec<DomainView>),
}

/// An attempt that had begun before its key was frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Begun {
    /// The message.
    pub message: MessageId,
    /// The attempt.
    pub attempt: AttemptId,
}

/// Every "no" at the account's door.
#[derive(Debug, Error)]
pub enum Admission {
    /// The key may not. The caller is told only that it is refused.
    #[error("the key may not do that")]
    Refused(UseRefusal),
    /// Too much waits already.
    #[error("too much waits already")]
    Busy,
    /// Nothing was stored; later it may work.
    #[error("the log cannot be written at the moment")]
    Unavailable,
    /// The disk is nearly full: no new mail.
    #[error("the disk is nearly full")]
    DiskFull,
    /// The account's actor failed again and again.
    #[error("the account is parked after repeated failures")]
    Parked,
    /// The account is not parked, so that it cannot be let go.
    #[error("the account is not parked")]
    NotParked,
    /// There is no such account.
    #[error("there is no such account")]
    UnknownAccount,
    /// The account is suspended.
    #[error("the account is suspended")]
    Suspended,
    /// The same idempotency key was used before, for the same call.
    #[error("the call was answered before")]
    IdempotencyRepeat(IdempotencyAnswer),
    /// The same idempotency key was used before, for another call.
    #[error("the idempotency key belongs to another call")]
    IdempotencyMismatch,
    /// Somebody else was faster with the same message.
    #[error("the message changed in between")]
    MessageChanged,
    /// The account says no.
    #[error(transparent)]
    Account(#[from] AccountRefusal),
    /// The user says no.
    #[error(transparent)]
    User(#[from] UserRefusal),
    /// The key says no.
    #[error(transparent)]
    Key(#[from] ApiKeyRefusal),
    /// The domain says no.
    #[error(transparent)]
    Domain(#[from] SendingDomainRefusal),
    /// The message says no.
    #[error(transparent)]
    Message(#[from] MessageRefusal),
    /// The suppression list says no.
    #[error(transparent)]
    Suppression(#[from] SuppressionRefusal),
}

/// Asks for the right to send a message now.
#[derive(Debug)]
pub struct StartCall {
    /// Whose it is.
    pub account: AccountId,
    /// The message.
    pub message: MessageId,
    /// State of its stream.
    pub state: Message,
    /// Events of its stream so far.
    pub sequence: u64,
    /// The intent.
    pub started: Started,
}

/// The right to send, on disk.
#[derive(Debug)]
pub struct Granted {
    /// State of the stream after it.
    pub state: Message,
    /// Events of the stream after it.
    pub sequence: u64,
}

/// Tells what came of an attempt.
#[derive(Debug)]
pub struct OutcomeCall {
    /// Whose it is.
    pub account: AccountId,
    /// The message.
    pub message: MessageId,
    /// State of its stream.
    pub state: Message,
    /// Events of its stream so far.
    pub sequence: u64,
    /// The recipient's address, for the suppression list.
    pub recipient: Personal<String>,
    /// Facts of the attempt.
    pub attempted: Attempted,
    /// What came of it.
    pub outcome: AttemptOutcome,
    /// Room in the log, reserved before the attempt started.
    pub slot: OutcomeSlot,
}

/// An outcome that is on disk.
#[derive(Debug)]
pub struct OutcomeStored {
    /// State of the stream after it.
    pub state: Message,
    /// Events of the stream after it.
    pub sequence: u64,
}

/// Why an outcome is not on disk.
#[derive(Debug, Error)]
pub enum OutcomeRefused {
    /// The stream has moved on: read it again before telling again.
    #[error("the message's stream has moved on")]
    Conflict,
    /// The message says no.
    #[error(transparent)]
    Message(#[from] MessageRefusal),
    /// Not now: tell again.
    #[error("the log cannot be written at the moment")]
    Unavailable,
}

/// Anything that is asked of an account's actor.
#[derive(Debug)]
pub enum Work {
    /// May this key do that?
    Check(Claim, Reply<Result<Admitted, Admission>>),
    /// Send.
    Send(Box<SendCall>, Reply<Result<Vec<SendAnswer>, Admission>>),
    /// Anything else that changes the account.
    Manage(Asker, Box<Manage>, Reply<Result<Managed, Admission>>),
    /// What protection its mail demands.
    TlsChoice(Reply<Result<AccountTls, StartRefused>>),
    /// The right to send.
    Start(Box<StartCall>, Reply<Result<Granted, StartRefused>>),
    /// A late report on a message.
    Report(Box<ReportCall>, Reply<Result<Reported, ReportRefused>>),
    /// What came of it.
    Outcome(Box<OutcomeCall>, Reply<Result<OutcomeStored, OutcomeRefused>>),
}
