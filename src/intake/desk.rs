//! The one way of a message into the program: kept, decided by its account, on record.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sealpost_domain::Instant;
use sealpost_domain::address::Mailbox;
use sealpost_domain::ids::{AccountId, MessageId};
use sealpost_domain::message::{TlsLevel, Tracking};
use sealpost_domain::network::Network;
use sealpost_domain::rights::KeyWorld;
use thiserror::Error;

use super::condition::{Condition, LogCondition};
use super::heavy_work::HeavyWork;
use super::recipient::Planned;
use super::room::ContentRoom;
use super::work_pool::{WorkLost, WorkPool, run_here};
use crate::access::Caller;
use crate::actors::{
    Accounts, Admission, Deliverable, IdempotencyRow, RecipientKind, SendAnswer, SendCall, SendRecipient,
};
use crate::clock::Clock;
use crate::compose::{KeepFailure, Keeper, KeptMessage, PreparedMail};

/// Contents above this size are worked on one after the other, in bytes.
const HEAVY_BYTES: usize = 1024 * 1024;
/// Contents up to this size are worked on where they came in, in bytes: they cost some 100 µs, and a place elsewhere costs
/// two changes of thread. A call of this size with as many recipients as fit takes a few milliseconds.
const QUICK_BYTES: usize = 16 * 1024;

/// What a desk is made of.
pub struct MailDeskParts {
    /// The door to the accounts.
    pub accounts: Accounts,
    /// Keeps content.
    pub keeper: Keeper,
    /// How the log is.
    pub condition: Arc<dyn Condition>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// After how long a message that nobody took bounces, where its sender does not say it.
    pub message_lifetime: Duration,
    /// Where reports on a message go.
    pub reverse_paths: Arc<dyn ReversePaths>,
}

/// Says where reports on a message go.
pub trait ReversePaths: Send + Sync + 'static {
    /// The reverse-path of a message with this header From.
    fn reverse_path(&self, message: MessageId, header_from: &Mailbox) -> Mailbox;
}

/// Where mail is taken in. One for all doors; clones share it.
#[derive(Clone)]
pub struct MailDesk {
    accounts: Accounts,
    keeper: Keeper,
    condition: Arc<dyn Condition>,
    clock: Arc<dyn Clock>,
    message_lifetime: Duration,
    reverse_paths: Arc<dyn ReversePaths>,
    room: ContentRoom,
    work: WorkPool,
    heavy_of_account: HeavyWork<AccountId>,
    heavy_of_peer: HeavyWork<Network>,
}

impl fmt::Debug for MailDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailDesk")
    }
}

/// A message whose parts are in order: what is left can only fail for a reason outside of it.
pub struct Order {
    /// When it came.
    pub at: Instant,
    /// The header From's address.
    pub header_from: Mailbox,
    /// The subject.
    pub subject: String,
    /// The sender's tags.
    pub tags: Vec<String>,
    /// The sender's metadata, values as JSON text.
    pub metadata: BTreeMap<String, String>,
    /// The subaccount that the sender named.
    pub subaccount: Option<String>,
    /// What the sender wants measured.
    pub tracking: Tracking,
    /// Least protection that it demands.
    pub tls_required: TlsLevel,
    /// After how long it bounces; `None` for the installation's own choice.
    pub lifetime: Option<Duration>,
    /// All recipients in the order of the call.
    pub recipients: Vec<Planned>,
    /// What makes a repeat recognisable, where the caller gave a key for it.
    pub idempotency: Option<IdempotencyRow>,
}

/// A message that is ready to be taken in.
pub struct Letter {
    /// A content for each recipient that is an address; `None` where nobody is one.
    pub prepared: Option<PreparedMail>,
    /// What is to be done with it.
    pub order: Order,
    /// How many of its recipients the caller named; behind them stand copies that the caller hears nothing of.
    pub answered: usize,
}

/// Why a message is not taken.
#[derive(Debug, Error)]
pub enum NotTaken {
    /// A key of the test world never sends real mail, and the sink of that world is not there yet.
    #[error("a key of the test world cannot send")]
    TestKey,
    /// The disk is nearly full. Nothing was stored.
    #[error("the disk is nearly full")]
    DiskMark,
    /// The log takes nothing at the moment. Nothing was stored.
    #[error("the log takes nothing")]
    Stopped,
    /// The content was not kept.
    #[error("the content was not kept")]
    Kept(#[source] KeepFailure),
    /// The account says no, or nobody knows.
    #[error("the account did not take it")]
    Account(#[source] Admission),
    /// A recipient's content is not where it belongs: a bug.
    #[error("the content of message {message} is not where it belongs")]
    Misplaced {
        /// The message.
        message: MessageId,
    },
}

impl MailDesk {
    /// A desk of these parts.
    #[must_use]
    pub fn new(parts: MailDeskParts) -> Self {
        let heavy_work = WorkPool::new(1);
        Self {
            accounts: parts.accounts,
            keeper: parts.keeper,
            condition: parts.condition,
            clock: parts.clock,
            message_lifetime: parts.message_lifetime,
            reverse_paths: parts.reverse_paths,
            room: ContentRoom::default(),
            work: WorkPool::for_processors(),
            heavy_of_account: HeavyWork::in_pool(heavy_work.clone()),
            heavy_of_peer: HeavyWork::in_pool(heavy_work),
        }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Seals content; [`Self::accept`] writes it.
    #[must_use]
    pub const fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    /// How the log is.
    #[must_use]
    pub fn condition(&self) -> LogCondition {
        self.condition.log()
    }

    /// The memory that contents on their way in may take.
    #[must_use]
    pub const fn room(&self) -> &ContentRoom {
        &self.room
    }

    /// Where work that is small is done.
    #[must_use]
    pub const fn work(&self) -> &WorkPool {
        &self.work
    }

    /// Works on a content of this size for an account: on large ones one after the other, each account in its turn.
    ///
    /// # Errors
    /// As [`WorkPool::run`].
    pub async fn work_for<T, E>(
        &self,
        account: AccountId,
        size_bytes: usize,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<WorkLost> + Send + 'static,
    {
        if size_bytes > HEAVY_BYTES {
            self.heavy_of_account.run(Some(account), work).await
        } else if size_bytes <= QUICK_BYTES {
            run_here(work)
        } else {
            self.work.run(work).await
        }
    }

    /// Works on a content of this size for a peer whose account is not known yet; nobody's where it speaks for many.
    ///
    /// # Errors
    /// As [`WorkPool::run`].
    pub async fn work_for_peer<T, E>(
        &self,
        peer: Option<Network>,
        size_bytes: usize,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<WorkLost> + Send + 'static,
    {
        if size_bytes > HEAVY_BYTES {
            self.heavy_of_peer.run(peer, work).await
        } else {
            self.work.run(work).await
        }
    }

    /// Whether keys of the caller's world send at all.
    ///
    /// # Errors
    /// [`NotTaken::TestKey`].
    pub fn must_send(&self, caller: &Caller) -> Result<(), NotTaken> {
        match caller.world {
            KeyWorld::Live => Ok(()),
            KeyWorld::Test => Err(NotTaken::TestKey),
        }
    }

    /// Whether mail is taken at all. Asked before anything is stored; the log itself asks again.
    ///
    /// # Errors
    /// [`NotTaken::DiskMark`] and [`NotTaken::Stopped`].
    pub fn must_take_mail(&self) -> Result<(), NotTaken> {
        match self.condition.log() {
            LogCondition::Serving => Ok(()),
            LogCondition::DiskMark => Err(NotTaken::DiskMark),
            LogCondition::Stopped | LogCondition::Ended => Err(NotTaken::Stopped),
        }
    }

    /// Takes a message in. When it returns `Ok`, every recipient's accept or rejection is on disk, all in one unit.
    /// `prepared` holds a content for each recipient that is an address, in their order; `None` where nobody is one.
    ///
    /// # Errors
    /// As [`NotTaken`] says. Nothing of the message is on record then, except behind [`Admission::Unavailable`], where
    /// nobody knows.
    pub async fn accept(
        &self,
        caller: &Caller,
        prepared: Option<PreparedMail>,
        order: Order,
    ) -> Result<Vec<SendAnswer>, NotTaken> {
        let kept = match prepared {
            Some(mail) => self.keeper.keep(mail).await.map_err(NotTaken::Kept)?,
            None => Vec::new(),
        };
        let call = SendCall {
            claim: caller.claim(),
            recipients: join(order.recipients, kept, |message| {
                self.reverse_paths.reverse_path(message, &order.header_from)
            })?,
            header_from: order.header_from,
            subject: order.subject,
            tags: order.tags,
            user_metadata: order.metadata,
            subaccount: order.subaccount,
            tracking: order.tracking,
            tls_required: order.tls_required,
            expires_at: order.at.plus(order.lifetime.unwrap_or(self.message_lifetime)),
            idempotency: order.idempotency,
        };
        self.accounts.send(call).await.map_err(NotTaken::Account)
    }
}

/// Brings recipients and their kept messages together again. Both are in the order of the call; those that are no
/// addresses have no message.
fn join(
    recipients: Vec<Planned>,
    kept: Vec<KeptMessage>,
    reverse_path: impl Fn(MessageId) -> Mailbox,
) -> Result<Vec<SendRecipient>, NotTaken> {
    let mut kept = kept.into_iter();
    let mut joined = Vec::with_capacity(recipients.len());
    for Planned {
        message,
        given,
        refusal,
        mut own,
    } in recipients
    {
        let kind = match refusal {
            Some(refusal) => RecipientKind::Invalid(refusal),
            None => match kept.next().filter(|kept| kept.message == message) {
                Some(mut kept) => {
                    own.subject = kept.subject.take();
                    RecipientKind::Deliverable(Box::new(deliverable(kept, reverse_path(message))))
                }
                None => {
                    tracing::error!(message.id = %message, "a recipient's content is not where it belongs");
                    return Err(NotTaken::Misplaced { message });
                }
            },
        };
        joined.push(SendRecipient {
            message,
            given,
            kind,
            own,
        });
    }
    Ok(joined)
}

fn deliverable(kept: KeptMessage, reverse_path: Mailbox) -> Deliverable {
    Deliverable {
        mailbox: kept.mailbox,
        token: kept.token,
        recipient_key: kept.recipient_key,
        reverse_path,
        content: kept.content,
        message_id_header: kept.message_id_header,
        suppressed: None,
    }
}
