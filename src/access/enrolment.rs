//! Opens accounts and registers their users: keys of the vault first, then the events that are sealed under them.

use std::fmt;
use std::sync::Arc;

use sealpost_domain::Personal;
use sealpost_domain::account::AccountCommand;
use sealpost_domain::address::{AddressRefusal, Mailbox};
use sealpost_domain::ids::{AccountId, UserId};
use sealpost_domain::metadata::Metadata;
use sealpost_domain::user::{LoginToken, Role, UserCommand};
use thiserror::Error;
use zeroize::Zeroizing;

use super::password::{PasswordFailure, Passwords};
use crate::actors::{Accounts, Admission, Manage};
use crate::clock::draw_uuid;
use crate::vault::{KeyScope, Vault, VaultFailure};

/// A user to register.
#[derive(Clone)]
pub struct NewUser {
    /// The address to sign in with.
    pub login: String,
    /// The password in clear.
    pub password: Zeroizing<String>,
    /// What the person may do.
    pub role: Role,
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// An account to open.
#[derive(Clone)]
pub struct NewAccount {
    /// Its name.
    pub name: String,
    /// Address for notices.
    pub contact: String,
    /// Its first user, where it has one already.
    pub owner: Option<NewUser>,
}

impl fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccount")
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

/// What is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enrolled {
    /// The account.
    pub account: AccountId,
    /// Its first user, where one was asked for.
    pub user: Option<UserId>,
}

/// Why nobody was enrolled.
#[derive(Debug, Error)]
pub enum EnrolFailure {
    /// The address for notices is none.
    #[error("the contact is no mail address")]
    BadContact(#[source] AddressRefusal),
    /// The address to sign in with is none.
    #[error("the login is no mail address")]
    BadLogin(#[source] AddressRefusal),
    /// The password is not taken.
    #[error(transparent)]
    Password(#[from] PasswordFailure),
    /// The vault drew no keys.
    #[error("no keys could be drawn for the account")]
    Vault(#[from] VaultFailure),
    /// The account says no.
    #[error(transparent)]
    NotAdmitted(#[from] Admission),
}

/// Opens accounts and registers users. Cheap to clone.
#[derive(Clone)]
pub struct Enrolment {
    accounts: Accounts,
    vault: Vault,
    passwords: Passwords,
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrolment")
    }
}

impl Enrolment {
    /// Enrols into these accounts.
    #[must_use]
    pub const fn new(accounts: Accounts, vault: Vault, passwords: Passwords) -> Self {
        Self {
            accounts,
            vault,
            passwords,
        }
    }

    /// Opens an account, and registers its first user where one is named. What can be refused is checked before
    /// anything is recorded.
    ///
    /// # Errors
    /// As [`EnrolFailure`] says. When registering the user fails, the account is open without one.
    pub async fn open_account(&self, metadata: Metadata, new: NewAccount) -> Result<Enrolled, EnrolFailure> {
        let contact = Mailbox::parse(&new.contact).map_err(EnrolFailure::BadContact)?;
        let owner = match new.owner {
            Some(owner) => Some(self.check(owner).await?),
            None => None,
        };
        let account = AccountId::from_uuid(draw_uuid());
        let metadata = Arc::new(Metadata {
            account: Some(account),
            ..metadata
        });
        self.vault.ensure_keys(vec![KeyScope::Account(account)]).await?;
        let open = AccountCommand::OpenAccount {
            name: Personal::Known(new.name),
            contact: Personal::Known(contact.as_str().to_owned()),
        };
        self.accounts
            .manage(account, metadata.clone(), Manage::Account(open))
            .await?;
        let user = match owner {
            Some(owner) => Some(self.record(account, metadata, owner).await?),
            None => None,
        };
        Ok(Enrolled { account, user })
    }

    /// The token that a sign-in address is found by.
    ///
    /// # Errors
    /// [`EnrolFailure::BadLogin`].
    pub fn login_token(&self, login: &str) -> Result<LoginToken, EnrolFailure> {
        let login = Mailbox::parse(login).map_err(EnrolFailure::BadLogin)?;
        Ok(self.vault.login_token(&login))
    }

    /// Registers a user of an account.
    ///
    /// # Errors
    /// As [`EnrolFailure`] says; then nobody is registered.
    pub async fn register_user(
        &self,
        account: AccountId,
        metadata: Metadata,
        new: NewUser,
    ) -> Result<UserId, EnrolFailure> {
        let checked = self.check(new).await?;
        self.record(
            account,
            Arc::new(Metadata {
                account: Some(account),
                ..metadata
            }),
            checked,
        )
        .await
    }

    async fn check(&self, new: NewUser) -> Result<Checked, EnrolFailure> {
        let login = Mailbox::parse(&new.login).map_err(EnrolFailure::BadLogin)?;
        let password_hash = self.passwords.hash(new.password).await?;
        Ok(Checked {
            login,
            password_hash,
            role: new.role,
        })
    }

    async fn record(
        &self,
        account: AccountId,
        metadata: Arc<Metadata>,
        checked: Checked,
    ) -> Result<UserId, EnrolFailure> {
        let user = UserId::from_uuid(draw_uuid());
        self.vault.ensure_keys(vec![KeyScope::User(user)]).await?;
        let register = UserCommand::RegisterUser {
            user,
            login: Personal::Known(checked.login.as_str().to_owned()),
            login_token: self.vault.login_token(&checked.login),
            password_hash: Personal::Known(checked.password_hash),
            role: checked.role,
        };
        self.accounts
            .manage(account, metadata, Manage::User(user, register))
            .await?;
        Ok(user)
    }
}

/// A user whose login is an address and whose password is hashed.
struct Checked {
    login: Mailbox,
    password_hash: String,
    role: Role,
}
