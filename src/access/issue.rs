//! Issues keys: draws one, puts its hash on record, and gives it back in clear this one time.

use sealpost_domain::api_key::{ApiKeyCommand, Issued};
use sealpost_domain::ids::KeyId;
use sealpost_domain::rights::{KeyKind, KeyLimits, KeyWorld};
use sealpost_domain::{Instant, Personal};
use thiserror::Error;

use super::key_form::{DrawFailed, KeySecret};
use crate::actors::{Accounts, Admission, Asker, Manage};
use crate::clock::draw_uuid;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct IssueRequest {
    /// What the key is for.
    pub kind: KeyKind,
    /// Which world it acts in.
    pub world: KeyWorld,
    /// The owner's name for it; empty for none.
    pub label: Personal<String>,
    /// What it is limited to.
    pub limits: KeyLimits,
}

/// A key that is on record.
#[derive(Debug, Clone)]
pub struct IssuedKey {
    /// Its id.
    pub key: KeyId,
    /// The key in clear: shown once, stored nowhere.
    pub secret: KeySecret,
    /// First letters and last four.
    pub display: String,
    /// When.
    pub issued_at: Instant,
}

/// Why no key was issued.
#[derive(Debug, Error)]
pub enum IssueFailure {
    /// None could be drawn.
    #[error(transparent)]
    Draw(#[from] DrawFailed),
    /// The account says no.
    #[error(transparent)]
    NotAdmitted(#[from] Admission),
}

/// Issues keys. Cheap to clone.
#[derive(Debug, Clone)]
pub struct KeyDesk {
    accounts: Accounts,
}

impl KeyDesk {
    /// A desk for these accounts.
    #[must_use]
    pub const fn new(accounts: Accounts) -> Self {
        Self { accounts }
    }

    /// Issues a key. It is on disk when it is given out.
    ///
    /// # Errors
    /// As [`IssueFailure`] says.
    pub async fn issue(&self, asker: Asker, request: IssueRequest) -> Result<IssuedKey, IssueFailure> {
        let secret = KeySecret::draw(request.kind, request.world)?;
        let key = KeyId::from_uuid(draw_uuid());
        let issued_at = self.accounts.now();
        let issued = Issued {
            account: asker.account(),
            key,
            kind: request.kind,
            world: request.world,
            hash: secret.hash(),
            display: secret.display(),
            label: request.label,
            limits: request.limits,
            issued_at,
        };
        let command = Manage::Key(key, ApiKeyCommand::IssueKey(Box::new(issued)));
        self.accounts.manage_for(asker, command).await?;
        Ok(IssuedKey {
            key,
            display: secret.display(),
            secret,
            issued_at,
        })
    }
}
