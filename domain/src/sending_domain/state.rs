//! The state of a sending domain and its decisions.

use serde::{Deserialize, Serialize};

use crate::address::DomainName;
use crate::aggregate::aggregate;

use super::{DkimKey, SendingDomainCommand, SendingDomainEvent, SendingDomainRefusal};

/// A domain that an account sends from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendingDomain {
    /// The domain while it is the account's.
    pub domain: Option<DomainName>,
    /// Whether its ownership was seen.
    pub verified: bool,
    /// Its DKIM keys, in the order of their making.
    pub keys: Vec<DkimKey>,
    /// Selector of the key that signs.
    pub active_selector: Option<String>,
}

impl SendingDomain {
    /// Decides; pure.
    ///
    /// # Errors
    /// As [`SendingDomainRefusal`] says.
    pub fn decide(&self, command: SendingDomainCommand) -> Result<Vec<SendingDomainEvent>, SendingDomainRefusal> {
        if let SendingDomainCommand::AddDomain { domain } = command {
            return match self.domain {
                Some(_) => Err(SendingDomainRefusal::AlreadyAdded),
                None => Ok(vec![SendingDomainEvent::DomainAdded { domain }]),
            };
        }
        if self.domain.is_none() {
            return Err(SendingDomainRefusal::Unknown);
        }
        let has = |selector: &str| self.keys.iter().any(|key| key.selector == selector);
        match command {
            SendingDomainCommand::AddDomain { .. } => Err(SendingDomainRefusal::AlreadyAdded),
            SendingDomainCommand::VerifyOwnership { .. } if self.verified => Err(SendingDomainRefusal::AlreadyVerified),
            SendingDomainCommand::VerifyOwnership { proof } => {
                Ok(vec![SendingDomainEvent::OwnershipVerified { proof }])
            }
            SendingDomainCommand::CreateDkimKey(key) if has(&key.selector) => Err(SendingDomainRefusal::SelectorTaken),
            SendingDomainCommand::CreateDkimKey(key) => Ok(vec![SendingDomainEvent::DkimKeyCreated(key)]),
            SendingDomainCommand::ActivateDkimKey { selector } if !has(&selector) => {
                Err(SendingDomainRefusal::UnknownSelector)
            }
            SendingDomainCommand::ActivateDkimKey { selector } => {
                Ok(vec![SendingDomainEvent::DkimKeyActivated { selector }])
            }
            SendingDomainCommand::RemoveDomain => Ok(vec![SendingDomainEvent::DomainRemoved]),
        }
    }

    /// Whether mail may be sent in its name: it is the account's, that was seen, and a key signs.
    #[must_use]
    pub fn can_sign(&self) -> bool {
        self.domain.is_some() && self.verified && self.active_key().is_some()
    }

    /// The key that signs.
    #[must_use]
    pub fn active_key(&self) -> Option<&DkimKey> {
        let selector = self.active_selector.as_ref()?;
        self.keys.iter().find(|key| &key.selector == selector)
    }

    /// Takes an event into the state; total and pure.
    pub fn evolve(&mut self, event: &SendingDomainEvent) {
        match event {
            SendingDomainEvent::DomainAdded { domain } => self.domain = Some(domain.clone()),
            SendingDomainEvent::OwnershipVerified { .. } => self.verified = true,
            SendingDomainEvent::DkimKeyCreated(key) => self.keys.push(key.as_ref().clone()),
            SendingDomainEvent::DkimKeyActivated { selector } => self.active_selector = Some(selector.clone()),
            SendingDomainEvent::DomainRemoved => *self = Self::default(),
        }
    }
}

aggregate!(
    SendingDomain,
    "sending_domain",
    SendingDomainCommand,
    SendingDomainEvent,
    SendingDomainRefusal
);
