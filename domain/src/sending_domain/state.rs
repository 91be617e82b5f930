//! The state of a sending domain and its decisions.

use serde::{Deserialize, Serialize};

use crate::address::DomainName;
use crate::aggregate::aggregate;

use super::{DkimAlgorithm, DkimKey, DkimSigning, SendingDomainCommand, SendingDomainEvent, SendingDomainRefusal};

/// A domain that an account sends from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendingDomain {
    /// The domain while it is the account's.
    pub domain: Option<DomainName>,
    /// Whether its ownership was seen.
    pub verified: bool,
    /// Its DKIM keys, in the order of their making.
    pub keys: Vec<DkimKey>,
    /// Selectors of the active keys, at most one for each algorithm, in the order of their activation.
    pub active_selectors: Vec<String>,
    /// Which of the active keys sign.
    pub signing: DkimSigning,
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
            SendingDomainCommand::ChooseSigning { signing } if signing == self.signing => {
                Err(SendingDomainRefusal::SigningAlreadyChosen)
            }
            SendingDomainCommand::ChooseSigning { signing } => {
                let active =
                    |algorithm: &DkimAlgorithm| self.active_keys().any(|key| key.algorithm == algorithm.as_str());
                if !signing.needs().iter().all(active) {
                    return Err(SendingDomainRefusal::NoKeyForSigning);
                }
                Ok(vec![SendingDomainEvent::DkimSigningChosen { signing }])
            }
            SendingDomainCommand::RemoveDomain => Ok(vec![SendingDomainEvent::DomainRemoved]),
        }
    }

    /// Whether mail may be sent in its name: it is the account's, that was seen, and a key signs where one shall.
    #[must_use]
    pub fn can_sign(&self) -> bool {
        self.domain.is_some() && self.verified && self.signs()
    }

    fn signs(&self) -> bool {
        self.signing == DkimSigning::None || self.signing_keys().next().is_some()
    }

    /// The active keys, whether the choice lets them sign or not.
    pub fn active_keys(&self) -> impl Iterator<Item = &DkimKey> {
        self.active_selectors
            .iter()
            .filter_map(|selector| self.keys.iter().find(|key| &key.selector == selector))
    }

    /// The keys that sign.
    pub fn signing_keys(&self) -> impl Iterator<Item = &DkimKey> {
        self.active_keys().filter(|key| self.signing.covers(&key.algorithm))
    }

    fn activate(&mut self, selector: &str) {
        let algorithm = |selector: &str| {
            let key = self.keys.iter().find(|key| key.selector == selector);
            key.map(|key| key.algorithm.as_str())
        };
        let new = algorithm(selector);
        let others = self.active_selectors.iter().filter(|other| algorithm(other) != new);
        self.active_selectors = others.cloned().chain([selector.to_owned()]).collect();
    }

    /// Takes an event into the state; total and pure.
    pub fn evolve(&mut self, event: &SendingDomainEvent) {
        match event {
            SendingDomainEvent::DomainAdded { domain } => self.domain = Some(domain.clone()),
            SendingDomainEvent::OwnershipVerified { .. } => self.verified = true,
            SendingDomainEvent::DkimKeyCreated(key) => self.keys.push(key.as_ref().clone()),
            SendingDomainEvent::DkimKeyActivated { selector } => self.activate(selector),
            SendingDomainEvent::DkimSigningChosen { signing } => self.signing = *signing,
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
