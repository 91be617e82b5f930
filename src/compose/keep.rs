//! Composes a draft and keeps its messages in the vault: each recipient's own head, and one body for all of them.

use std::error::Error;
use std::fmt;

use sealpost_domain::Instant;
use sealpost_domain::address::{AddressRefusal, AddressToken, Mailbox};
use sealpost_domain::content::ContentRef;
use sealpost_domain::ids::{AccountId, DataKeyId, MessageId};
use thiserror::Error;

use super::draft::{Draft, Recipient};
use super::mime::{ComposedCall, ComposedHead, Stamp, compose};
use super::refusal::{ComposeRefusal, Place};
use crate::vault::content::{KeepCall, KeepRecipient, Prepared};
use crate::vault::{PackDay, Vault, VaultFailure};

/// Why a draft is not kept.
#[derive(Debug, Error)]
pub enum KeepFailure {
    /// The draft is no message. Nothing is on disk.
    #[error(transparent)]
    Refused(#[from] ComposeRefusal),
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull(#[source] Box<dyn Error + Send + Sync>),
    /// The vault did not do it; later it may.
    #[error("the vault cannot keep the message at the moment")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

/// Why a kept message is not read back.
#[derive(Debug, Error)]
pub enum ReadFailure {
    /// It was erased.
    #[error("the content of the message is erased")]
    Erased,
    /// The vault did not do it.
    #[error("the content of the message cannot be read")]
    Unreadable(#[source] Box<dyn Error + Send + Sync>),
}

/// One recipient's message on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptMessage {
    /// The message.
    pub message: MessageId,
    /// The forward-path.
    pub mailbox: Mailbox,
    /// Token of the address.
    pub token: AddressToken,
    /// The recipient's data key.
    pub recipient_key: DataKeyId,
    /// Where the content lies.
    pub content: ContentRef,
    /// The Message-ID with its angle brackets.
    pub message_id_header: String,
    /// The subject, where variables made one of the recipient's own.
    pub subject: Option<String>,
}

/// A composed, compressed and sealed call: only the disk is missing.
pub struct PreparedMail {
    prepared: Prepared,
    messages: Vec<PreparedOne>,
}

/// What is known of one message before it is on disk.
struct PreparedOne {
    message: MessageId,
    mailbox: Mailbox,
    token: AddressToken,
    message_id: String,
    subject: Option<String>,
}

impl fmt::Debug for PreparedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedMail")
            .field("messages", &self.messages.len())
            .finish_non_exhaustive()
    }
}

/// Keeps messages in the vault. Cheap to clone.
#[derive(Clone)]
pub struct Keeper {
    vault: Vault,
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeper")
    }
}

impl Keeper {
    /// A keeper with this vault.
    #[must_use]
    pub const fn new(vault: Vault) -> Self {
        Self { vault }
    }

    /// Composes, compresses and seals. Costs the processor about 200 µs per 10 KiB: call it where that may take place.
    ///
    /// # Errors
    /// [`KeepFailure::Refused`] for a draft that is no message.
    pub fn prepare(&self, account: AccountId, draft: &Draft, stamp: &Stamp) -> Result<PreparedMail, KeepFailure> {
        self.prepare_composed(account, compose(draft, stamp)?, &draft.to, stamp)
    }

    /// Compresses and seals what is composed already: a head for each of the recipients, in their order.
    ///
    /// # Errors
    /// [`KeepFailure::Refused`] when a recipient is no address.
    pub fn prepare_composed(
        &self,
        account: AccountId,
        composed: ComposedCall,
        to: &[Recipient],
        stamp: &Stamp,
    ) -> Result<PreparedMail, KeepFailure> {
        let mut messages = Vec::with_capacity(to.len());
        let mut recipients = Vec::with_capacity(to.len());
        for (index, (recipient, composed)) in to.iter().zip(composed.heads).enumerate() {
            let ComposedHead {
                head,
                message_id,
                body,
                subject,
            } = composed;
            let mailbox = Mailbox::parse(&recipient.address.mailbox).map_err(bad_mailbox(index))?;
            let token = self.vault.address_token(account, &mailbox);
            let message = MessageId::from_uuid(recipient.id);
            recipients.push(KeepRecipient {
                message,
                token: token.clone(),
                head,
                end: body,
            });
            messages.push(PreparedOne {
                message,
                mailbox,
                token,
                message_id,
                subject,
            });
        }
        let day = PackDay::of(Instant::from_datetime(stamp.date));
        let call = KeepCall {
            account,
            day,
            shared: std::iter::once(composed.shared_body)
                .chain(composed.more_bodies)
                .collect(),
            recipients,
        };
        Ok(PreparedMail {
            prepared: self.vault.prepare(call).map_err(failed)?,
            messages,
        })
    }

    /// Writes what was prepared. On disk when it returns, in the order of the draft's recipients.
    ///
    /// # Errors
    /// [`KeepFailure::DiskFull`] and [`KeepFailure::Unavailable`]; nothing counts as kept then.
    pub async fn keep(&self, mail: PreparedMail) -> Result<Vec<KeptMessage>, KeepFailure> {
        let kept = self.vault.store(mail.prepared).await.map_err(failed)?;
        let messages = mail.messages.into_iter().zip(kept);
        let joined = messages.map(|(one, kept)| KeptMessage {
            message: one.message,
            mailbox: one.mailbox,
            token: one.token,
            recipient_key: kept.recipient_key,
            content: kept.content,
            message_id_header: one.message_id,
            subject: one.subject,
        });
        Ok(joined.collect())
    }

    /// Reads a message back as it was composed. Blocks on the disk.
    ///
    /// # Errors
    /// As [`ReadFailure`] says.
    pub fn read(&self, message: MessageId, content: &ContentRef) -> Result<Vec<u8>, ReadFailure> {
        self.vault.content(message, content).map_err(|failure| match failure {
            VaultFailure::ContentErased { .. } => ReadFailure::Erased,
            other => ReadFailure::Unreadable(Box::new(other)),
        })
    }
}

fn bad_mailbox(index: usize) -> impl FnOnce(AddressRefusal) -> KeepFailure {
    move |reason| {
        KeepFailure::Refused(ComposeRefusal::BadMailbox {
            place: Place::Recipient { index },
            reason,
        })
    }
}

fn failed(failure: VaultFailure) -> KeepFailure {
    match failure {
        VaultFailure::DiskFull { .. } => KeepFailure::DiskFull(Box::new(failure)),
        other => KeepFailure::Unavailable(Box::new(other)),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use sealpost_domain::address::DomainName;
    use uuid::Uuid;

    use super::*;
    use crate::compose::draft::{Address, Recipient};
    use crate::vault::MasterKey;

    fn keeper(folder: &std::path::Path) -> Keeper {
        let master = MasterKey::create(&folder.join("master.key")).unwrap();
        Keeper::new(Vault::open(&folder.join("vault"), &master).unwrap())
    }

    fn draft(mailboxes: &[&str]) -> Draft {
        let address = |mailbox: &str| Address {
            name: None,
            mailbox: mailbox.to_owned(),
        };
        let to = mailboxes.iter().zip(1_u128..).map(|(mailbox, id)| Recipient {
            id: Uuid::from_u128(id),
            address: address(mailbox),
            ..Recipient::default()
        });
        Draft {
            header_from: address("shop@example.org"),
            to: to.collect(),
            subject: "Your order".to_owned(),
            text: Some("It is on its way.".to_owned()),
            ..Draft::default()
        }
    }

    fn stamp() -> Stamp {
        Stamp {
            date: DateTime::<Utc>::from_timestamp(1_764_000_000, 0).unwrap(),
            message_id_domain: DomainName::parse("example.org").unwrap(),
            boundary_seed: Uuid::from_u128(9),
        }
    }

    #[tokio::test]
    async fn each_recipient_s_message_is_read_back_whole_and_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = keeper(folder.path());
        let account = AccountId::from_uuid(Uuid::from_u128(7));
        let mail = keeper
            .prepare(account, &draft(&["ann@example.org", "bob@example.org"]), &stamp())
            .unwrap();
        let kept = keeper.keep(mail).await.unwrap();
        assert_eq!(kept.len(), 2);
        assert_ne!(kept[0].token, kept[1].token);
        assert_ne!(kept[0].recipient_key, kept[1].recipient_key);
        for (kept, own, other) in [(&kept[0], "ann@", "bob@"), (&kept[1], "bob@", "ann@")] {
            let raw = String::from_utf8(keeper.read(kept.message, &kept.content).unwrap()).unwrap();
            assert!(raw.contains(own) && !raw.contains(other), "{raw}");
            assert!(
                raw.contains(&format!("Message-ID: {}\r\n", kept.message_id_header)),
                "{raw}"
            );
            assert!(
                raw.contains("It is on its way.") && raw.contains("Subject: Your order\r\n"),
                "{raw}"
            );
        }
    }

    #[tokio::test]
    async fn a_draft_that_is_no_message_leaves_nothing_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = keeper(folder.path());
        let account = AccountId::from_uuid(Uuid::from_u128(7));
        let refused = keeper.prepare(account, &draft(&[]), &stamp()).unwrap_err();
        assert!(
            matches!(refused, KeepFailure::Refused(ComposeRefusal::NoRecipient)),
            "{refused:?}"
        );
        assert_eq!(
            std::fs::read_dir(folder.path().join("vault/content")).unwrap().count(),
            0
        );
    }

    #[tokio::test]
    async fn another_message_s_content_is_not_given_out() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = keeper(folder.path());
        let account = AccountId::from_uuid(Uuid::from_u128(7));
        let mail = keeper.prepare(account, &draft(&["ann@example.org"]), &stamp()).unwrap();
        let kept = keeper.keep(mail).await.unwrap();
        let other = MessageId::from_uuid(Uuid::from_u128(99));
        assert!(matches!(keeper.read(other, &kept[0].content), Err(ReadFailure::Erased)));
    }
}
