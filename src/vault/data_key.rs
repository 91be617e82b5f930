//! Data keys: whose they are, how they are wrapped, what they seal.

use sealpost_domain::address::AddressToken;
use sealpost_domain::ids::{AccountId, DataKeyId, EventId, MessageId, UserId};
use uuid::Uuid;

use super::boxes::BoxKey;
use super::failure::VaultFailure;
use super::master_key::MasterKey;
use super::secret::Secret;

/// Whose key it is. There is at most one at a time for each.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyScope {
    /// What concerns an account and no person in particular.
    Account(AccountId),
    /// What concerns one user.
    User(UserId),
    /// What concerns one recipient, within one account.
    Recipient(AccountId, AddressToken),
}

impl KeyScope {
    /// The stored form: kind, then ids of fixed length, then the token.
    pub(super) fn to_bytes(&self) -> ScopeBytes {
        let mut bytes = Vec::with_capacity(49);
        match self {
            Self::Account(account) => {
                bytes.push(b'a');
                bytes.extend_from_slice(account.as_uuid().as_bytes());
            }
            Self::User(user) => {
                bytes.push(b'u');
                bytes.extend_from_slice(user.as_uuid().as_bytes());
            }
            Self::Recipient(account, token) => {
                bytes.push(b'r');
                bytes.extend_from_slice(account.as_uuid().as_bytes());
                bytes.extend_from_slice(token.as_str().as_bytes());
            }
        }
        ScopeBytes(bytes.into())
    }
}

/// The stored form of a [`KeyScope`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ScopeBytes(Box<[u8]>);

impl ScopeBytes {
    /// Takes what the database holds.
    pub fn from_stored(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A data key, opened.
pub struct DataKey {
    /// Its id, which every box names.
    pub id: DataKeyId,
    /// Whose it is.
    pub scope: ScopeBytes,
    secret: Secret,
}

impl DataKey {
    /// Draws a key for a scope.
    pub fn draw(scope: ScopeBytes) -> Result<Self, VaultFailure> {
        Ok(Self {
            id: DataKeyId::from_uuid(Uuid::now_v7()),
            scope,
            secret: Secret::draw()?,
        })
    }

    /// The wrapped form: a box under a key that the master key gives for this id alone, bound to id and scope.
    pub fn wrap(&self, master: &MasterKey) -> Result<Vec<u8>, VaultFailure> {
        BoxKey::new(&master.wrapping_key(self.id)?)?.seal(&bound(self.id, &self.scope), self.secret.as_bytes())
    }

    /// Opens the wrapped form; `None` when it was not made for this id and scope under this master key.
    pub fn unwrap(
        id: DataKeyId,
        scope: ScopeBytes,
        mut wrapped: Vec<u8>,
        master: &MasterKey,
    ) -> Result<Option<Self>, VaultFailure> {
        let key = BoxKey::new(&master.wrapping_key(id)?)?;
        let plain = key.open(&bound(id, &scope), &mut wrapped);
        let secret = plain.and_then(|plain| {
            let secret = Secret::from_slice(plain);
            zeroize::Zeroize::zeroize(plain);
            secret
        });
        Ok(secret.map(|secret| Self { id, scope, secret }))
    }

    /// The key itself, for a test that looks for it where it must not be.
    #[cfg(test)]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The key for the boxes of one event. One key per event, since an account's key seals fields of any number of
    /// events and random nonces under one key may only be drawn 2³² times (NIST SP 800-38D §8.3).
    pub fn event_key(&self, event: EventId) -> Result<BoxKey, VaultFailure> {
        BoxKey::new(&self.secret.derive(b"sealpost/event/", event.as_uuid().as_bytes())?)
    }

    /// The key for the wrapped part keys of one message.
    pub fn message_key(&self, message: MessageId) -> Result<BoxKey, VaultFailure> {
        BoxKey::new(&self.secret.derive(b"sealpost/message/", message.as_uuid().as_bytes())?)
    }
}

fn bound(id: DataKeyId, scope: &ScopeBytes) -> Vec<u8> {
    [id.as_uuid().as_bytes().as_slice(), scope.as_bytes()].concat()
}
