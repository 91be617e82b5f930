//! The vault through its door: keys, fields, content, restarts.

use std::path::PathBuf;

use sealpost_domain::address::Mailbox;
use sealpost_domain::content::ContentRef;
use sealpost_domain::ids::{AccountId, DataKeyId, EventId, MessageId};
use sealpost_domain::personal::{HasPersonal, PersonalVisitor, Subject};
use sealpost_domain::{Instant, Personal};
use uuid::Uuid;

use super::{KeepCall, KeepRecipient, Kept, KeyScope, MasterKey, PackDay, SealContext, Vault, VaultFailure};

/// Two fields of a recipient and one of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    pub name: Personal<String>,
    pub subject: Personal<String>,
    pub label: Personal<String>,
}

impl Fields {
    pub fn known(name: &str, subject: &str, label: &str) -> Self {
        Self {
            name: Personal::Known(name.to_owned()),
            subject: Personal::Known(subject.to_owned()),
            label: Personal::Known(label.to_owned()),
        }
    }
}

impl HasPersonal for Fields {
    fn visit_personal(&mut self, visitor: &mut dyn PersonalVisitor) {
        visitor.field("name", Subject::Recipient, &mut self.name);
        visitor.field("subject", Subject::Recipient, &mut self.subject);
        visitor.field("label", Subject::Account, &mut self.label);
    }
}

/// A vault in a folder of its own.
pub struct World {
    pub folder: tempfile::TempDir,
    pub master: MasterKey,
    pub vault: Vault,
}

/// The day of every call here.
pub const DAY: &str = "2026-11-25";
pub const ACCOUNT: AccountId = AccountId::from_uuid(Uuid::from_u128(1));

pub fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let master = MasterKey::create(&folder.path().join("master.key")).unwrap();
    let vault = Vault::open(&folder.path().join("vault"), &master).unwrap();
    World { folder, master, vault }
}

impl World {
    /// Closes the vault and opens it again, with nothing in memory.
    pub fn reopened(self) -> Self {
        let Self { folder, master, vault } = self;
        drop(vault);
        let vault = Vault::open(&folder.path().join("vault"), &master).unwrap();
        Self { folder, master, vault }
    }

    /// The folder of the vault.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    /// The file of a pack.
    pub fn pack(&self, name: &str) -> PathBuf {
        self.path().join("content").join(format!("{name}.pack"))
    }

    /// A second connection to `keys.db`, to look and to disturb.
    pub fn db(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path().join("keys.db")).unwrap()
    }

    pub fn recipient(&self, address: &str) -> KeyScope {
        let mailbox = Mailbox::parse(address).unwrap();
        KeyScope::Recipient(ACCOUNT, self.vault.address_token(ACCOUNT, &mailbox))
    }

    pub fn keys(&self, scopes: Vec<KeyScope>) -> Vec<DataKeyId> {
        block_on(self.vault.ensure_keys(scopes)).unwrap()
    }

    /// A context of a fresh event of ann's, with the keys that it needs.
    pub fn context(&self) -> SealContext {
        let keys = self.keys(vec![KeyScope::Account(ACCOUNT), self.recipient("ann@example.org")]);
        SealContext {
            account: Some(ACCOUNT),
            recipient_key: Some(keys[1]),
            event_id: EventId::from_uuid(Uuid::now_v7()),
        }
    }

    pub fn call(&self, shared: &[u8], heads: &[(&str, &[u8])]) -> KeepCall {
        let recipients = heads.iter().map(|(address, head)| KeepRecipient {
            message: MessageId::from_uuid(Uuid::now_v7()),
            token: self.vault.address_token(ACCOUNT, &Mailbox::parse(address).unwrap()),
            head: head.to_vec(),
            end: 0,
        });
        KeepCall {
            account: ACCOUNT,
            day: PackDay::of(Instant::from_millis(1_795_564_800_000)),
            shared: vec![shared.to_vec()],
            recipients: recipients.collect(),
        }
    }

    /// Keeps a call and returns what there is to read it by.
    pub fn keep(&self, call: KeepCall) -> Result<Vec<(MessageId, Kept)>, VaultFailure> {
        let messages: Vec<MessageId> = call.recipients.iter().map(|recipient| recipient.message).collect();
        let kept = block_on(self.vault.keep(call))?;
        assert_eq!(kept.len(), messages.len());
        Ok(messages.into_iter().zip(kept).collect())
    }

    pub fn content(&self, message: MessageId, content: &ContentRef) -> Vec<u8> {
        self.vault.content(message, content).unwrap()
    }

    /// Keeps one small message.
    pub fn keep_one(&self, text: &[u8]) -> Result<(MessageId, Kept), VaultFailure> {
        let kept = self.keep(self.call(b"", &[("ann@example.org", text)]))?;
        Ok(kept.into_iter().next().unwrap())
    }
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

mod at_rest;
mod content;
mod destroy;
mod failures;
mod fields;
mod keys;
mod master;
