//! Lets a call in or turns it away: from the text of a key to a [`Caller`], before anything is stored for it.
//!
//! A text without the form of a key costs nothing. An unknown key costs a counter. A known one is judged by its
//! account's actor, which puts a refusal on record before it is answered. Whether a key still works is never read here:
//! only whose it is, and that never changes.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use sealpost_domain::Personal;
use sealpost_domain::api_key::KeyStanding;
use sealpost_domain::gate::StrangerRefusal;
use sealpost_domain::ids::{AccountId, KeyId, RequestId};
use sealpost_domain::limits;
use sealpost_domain::metadata::{Actor, Channel, Metadata};
use sealpost_domain::rights::{KeyHash, KeyKind, KeyWorld, Method};
use thiserror::Error;

use super::key_form::{BadForm, KeySecret};
use super::key_lookup::{KeyIndex, KeyLookup};
use super::strangers::Strangers;
use crate::actors::{Accounts, Admission, Claim};

/// Longest user agent that is recorded, in bytes.
const USER_AGENT_BYTES_MAX: usize = limits::USER_AGENT_BYTES_MAX as usize;

/// A call before it is let in.
pub struct Visit<'a> {
    /// The text that was given as a key.
    pub key: &'a str,
    /// What is called.
    pub method: Method,
    /// The kind of key that it takes.
    pub needs: KeyKind,
    /// The peer's address; never taken from a header.
    pub ip: IpAddr,
    /// What the caller's program calls itself.
    pub user_agent: Option<&'a str>,
    /// By which door.
    pub channel: Channel,
    /// The request.
    pub request: RequestId,
}

impl fmt::Debug for Visit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit")
            .field("method", &self.method)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// A call that was let in.
#[derive(Clone)]
pub struct Caller {
    /// The account that the key acts for.
    pub account: AccountId,
    /// The key.
    pub key: KeyId,
    /// Which world it acts in.
    pub world: KeyWorld,
    /// Active or frozen.
    pub standing: KeyStanding,
    /// What was called.
    pub method: Method,
    /// The kind of key that it takes.
    pub needs: KeyKind,
    /// Metadata of the events that come of it.
    pub metadata: Arc<Metadata>,
    /// The peer's address.
    pub ip: IpAddr,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("account", &self.account)
            .field("key", &self.key)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Caller {
    /// The same call as a claim, for the admission of what it asks.
    #[must_use]
    pub fn claim(&self) -> Claim {
        Claim {
            account: self.account,
            key: self.key,
            method: self.method.clone(),
            needs: self.needs,
            ip: self.ip,
            metadata: self.metadata.clone(),
        }
    }
}

/// Why a call is turned away.
#[derive(Debug, Error)]
pub enum GateRefusal {
    /// The text is no key: mistyped or made up. Nothing was looked up or recorded.
    #[error("the text is no key")]
    NoKey(#[source] BadForm),
    /// It has the form of a key and is nobody's. It was counted.
    #[error("nobody has this key")]
    UnknownKey,
    /// Its account says no.
    #[error(transparent)]
    NotAdmitted(#[from] Admission),
    /// Whose key it is could not be read.
    #[error("the index of keys cannot be read")]
    Unreadable,
}

/// The gate of this node. Clones share what it knows.
#[derive(Debug, Clone)]
pub struct Gate {
    accounts: Accounts,
    lookup: KeyLookup,
    strangers: Strangers,
    node: Arc<str>,
}

impl Gate {
    /// A gate in front of these accounts.
    #[must_use]
    pub fn new(accounts: Accounts, index: Arc<dyn KeyIndex>, strangers: Strangers, node: &str) -> Self {
        Self {
            accounts,
            lookup: KeyLookup::new(index),
            strangers,
            node: node.into(),
        }
    }

    /// Lets a call in.
    ///
    /// # Errors
    /// As [`GateRefusal`] says.
    pub async fn caller(&self, visit: Visit<'_>) -> Result<Caller, GateRefusal> {
        let secret = KeySecret::parse(visit.key).map_err(GateRefusal::NoKey)?;
        let (account, key) = self.owner(secret.hash()).await?;
        let metadata = Arc::new(self.metadata(&visit, account, key));
        let ip = visit.ip.to_canonical();
        let claim = Claim {
            account,
            key,
            method: visit.method.clone(),
            needs: visit.needs,
            ip,
            metadata: metadata.clone(),
        };
        let admitted = self.accounts.check(claim).await?;
        Ok(Caller {
            account,
            key,
            world: admitted.world,
            standing: admitted.standing,
            method: visit.method,
            needs: visit.needs,
            metadata,
            ip,
        })
    }

    /// Asks once more for a caller who was let in, for his next request: a session goes on for long, and its key may end
    /// meanwhile.
    ///
    /// # Errors
    /// [`GateRefusal::NotAdmitted`].
    pub async fn again(&self, caller: &Caller, request: RequestId) -> Result<Caller, GateRefusal> {
        let metadata = Metadata {
            request: Some(request),
            ..Metadata::clone(&caller.metadata)
        };
        let caller = Caller {
            metadata: Arc::new(metadata),
            ..caller.clone()
        };
        let admitted = self.accounts.check(caller.claim()).await?;
        Ok(Caller {
            world: admitted.world,
            standing: admitted.standing,
            ..caller
        })
    }

    async fn owner(&self, hash: KeyHash) -> Result<(AccountId, KeyId), GateRefusal> {
        let owner = self.lookup.owner(hash).await.map_err(|failure| {
            tracing::error!(error = %failure, "the index of keys cannot be read");
            GateRefusal::Unreadable
        })?;
        owner.ok_or_else(|| {
            self.strangers.count(StrangerRefusal::UnknownKey);
            GateRefusal::UnknownKey
        })
    }

    fn metadata(&self, visit: &Visit<'_>, account: AccountId, key: KeyId) -> Metadata {
        Metadata {
            account: Some(account),
            actor: Actor::Key(key),
            channel: visit.channel,
            request: Some(visit.request),
            cause: None,
            node: self.node.as_ref().to_owned(),
            ip: Some(Personal::Known(visit.ip.to_canonical())),
            user_agent: visit.user_agent.map(|text| Personal::Known(cut(text).to_owned())),
        }
    }
}

/// The beginning of a text, at most so long that it may be recorded, without cutting a character in two.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(USER_AGENT_BYTES_MAX))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_user_agent_is_cut_between_characters() {
        assert_eq!(cut("curl/8"), "curl/8");
        let long = format!("{}äb", "a".repeat(255));
        assert_eq!(cut(&long), "a".repeat(255));
        assert_eq!(cut(&"b".repeat(900)).len(), 256);
    }
}
