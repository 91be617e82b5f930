//! What an event changes in the indexes of the log: a pure function of the event, so that they can be built again.

use sealpost_domain::address::AddressToken;
use sealpost_domain::api_key::ApiKeyEvent;
use sealpost_domain::ids::{AccountId, KeyId, UserId};
use sealpost_domain::rights::KeyHash;
use sealpost_domain::suppression::{SuppressionEvent, SuppressionReason};
use sealpost_domain::user::{LoginToken, UserEvent};
use sealpost_domain::{Event, Instant};

/// A change of one index row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexChange {
    /// A key is found by its hash. A hash is taken once.
    Key {
        /// SHA-256 of the key.
        hash: KeyHash,
        /// The account that it acts for.
        account: AccountId,
        /// The key.
        key: KeyId,
    },
    /// A user is found by the token of its sign-in address. A token is taken once.
    Login {
        /// The token.
        token: LoginToken,
        /// The user's account.
        account: AccountId,
        /// The user.
        user: UserId,
    },
    /// An address is suppressed; replaces what stood there.
    Suppressed {
        /// Whose list.
        account: AccountId,
        /// Token of the address.
        token: AddressToken,
        /// Why.
        reason: SuppressionReason,
        /// Until when.
        until: Option<Instant>,
    },
    /// An address is suppressed no more.
    Released {
        /// Whose list.
        account: AccountId,
        /// Token of the address.
        token: AddressToken,
    },
}

impl IndexChange {
    /// What the event changes, when anything. `account` is that of its row.
    #[must_use]
    pub fn of(event: &Event, account: Option<AccountId>) -> Option<Self> {
        match event {
            Event::ApiKey(ApiKeyEvent::KeyIssued(issued)) => Some(Self::Key {
                hash: issued.hash.clone(),
                account: issued.account,
                key: issued.key,
            }),
            Event::User(UserEvent::UserRegistered { user, login_token, .. }) => Some(Self::Login {
                token: login_token.clone(),
                account: account?,
                user: *user,
            }),
            Event::Suppression(SuppressionEvent::AddressSuppressed {
                token, reason, until, ..
            }) => Some(Self::Suppressed {
                account: account?,
                token: token.clone(),
                reason: *reason,
                until: *until,
            }),
            Event::Suppression(SuppressionEvent::AddressReleased { token }) => Some(Self::Released {
                account: account?,
                token: token.clone(),
            }),
            Event::ApiKey(
                ApiKeyEvent::KeyFrozen { .. }
                | ApiKeyEvent::KeyThawed
                | ApiKeyEvent::KeyRevoked { .. }
                | ApiKeyEvent::KeyUseRefused { .. },
            )
            | Event::User(UserEvent::PasswordChanged { .. })
            | Event::Account(_)
            | Event::SendingDomain(_)
            | Event::Message(_)
            | Event::Engagement(_)
            | Event::Gate(_)
            | Event::Shard(_) => None,
        }
    }

    /// The name that only one may bear, when the change takes one.
    #[must_use]
    pub fn unique_name(&self) -> Option<&str> {
        match self {
            Self::Key { hash, .. } => Some(hash.as_str()),
            Self::Login { token, .. } => Some(token.as_str()),
            Self::Suppressed { .. } | Self::Released { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealpost_domain::Personal;
    use uuid::Uuid;

    #[test]
    fn a_suppression_belongs_to_the_account_of_its_row() {
        let token = AddressToken::from_mac([1; 16]);
        let account = AccountId::from_uuid(Uuid::from_u128(1));
        let event = Event::Suppression(SuppressionEvent::AddressSuppressed {
            token: token.clone(),
            address: Personal::Erased,
            reason: SuppressionReason::Complaint,
            until: None,
        });
        let change = IndexChange::of(&event, Some(account)).unwrap();
        assert_eq!(change.unique_name(), None);
        let reason = SuppressionReason::Complaint;
        let until = None;
        assert_eq!(
            change,
            IndexChange::Suppressed {
                account,
                token,
                reason,
                until
            }
        );
        assert_eq!(IndexChange::of(&event, None), None);
    }

    #[test]
    fn a_thawed_key_changes_no_index() {
        assert_eq!(IndexChange::of(&Event::ApiKey(ApiKeyEvent::KeyThawed), None), None);
    }
}
