//! The DKIM signers of the accounts' domains: read from the log when first needed, kept for a short while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use sealpost_domain::address::DomainName;
use sealpost_domain::event::StreamId;
use sealpost_domain::ids::AccountId;
use sealpost_domain::sending_domain::{DkimKey, DkimSigning, SendingDomain};
use sealpost_domain::{Event, StreamType};
use sealpost_projections::SourceFailure;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::dkim::{DkimFailure, DkimSigner};
use crate::log::LogSource;

/// How long a signer is used until its domain's stream is read again: a new key signs at the latest then.
const KEPT: Duration = Duration::from_secs(10);

/// Why there is no signer.
#[derive(Debug, Error)]
pub enum SignerFailure {
    /// The domain's stream cannot be read.
    #[error("the stream of domain {domain} cannot be read")]
    Read {
        /// The domain.
        domain: DomainName,
        /// What the log says.
        #[source]
        source: SourceFailure,
    },
    /// The domain has no key that signs, or its private half cannot be opened.
    #[error("domain {domain} has no DKIM key that can sign, though one shall")]
    NoKey {
        /// The domain.
        domain: DomainName,
    },
    /// The key is no key.
    #[error("the DKIM key of domain {domain} cannot be used")]
    BadKey {
        /// The domain.
        domain: DomainName,
        /// What the signer says.
        #[source]
        source: DkimFailure,
    },
}

/// Whether this installation signs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DkimUse {
    /// As each domain chooses.
    #[default]
    Sign,
    /// Nothing is signed: a relay behind it does, or a measurement does without.
    Off,
}

/// The signers of one domain, one for each key that signs; none where nothing is to be signed.
pub type DomainSigners = Arc<[DkimSigner]>;

type Kept = HashMap<(AccountId, DomainName), (Instant, DomainSigners)>;

/// The signers of all accounts. Cheap to clone.
#[derive(Clone)]
pub struct Signers {
    source: LogSource,
    dkim: DkimUse,
    kept: Arc<Mutex<Kept>>,
}

impl Signers {
    /// Signers whose keys stand in this log.
    #[must_use]
    pub fn new(source: LogSource, dkim: DkimUse) -> Self {
        Self {
            source,
            dkim,
            kept: Arc::default(),
        }
    }

    /// The signers of an account's domain. Blocks when it has to read.
    ///
    /// # Errors
    /// As [`SignerFailure`] says.
    pub fn of(&self, account: AccountId, domain: &DomainName) -> Result<DomainSigners, SignerFailure> {
        if let Some(signers) = self.at_hand(account, domain) {
            return Ok(signers);
        }
        let signers = self.read(account, domain)?;
        let key = (account, domain.clone());
        self.kept.lock().insert(key, (Instant::now(), signers.clone()));
        Ok(signers)
    }

    /// The signers of an account's domain as far as nothing has to be read for them.
    #[must_use]
    pub fn at_hand(&self, account: AccountId, domain: &DomainName) -> Option<DomainSigners> {
        if self.dkim == DkimUse::Off {
            return Some(Arc::default());
        }
        let kept = self.kept.lock();
        let (read_at, signers) = kept.get(&(account, domain.clone()))?;
        (read_at.elapsed() < KEPT).then(|| signers.clone())
    }

    fn read(&self, account: AccountId, domain: &DomainName) -> Result<DomainSigners, SignerFailure> {
        let stream = StreamId::within(StreamType::SendingDomain, account, domain.as_str());
        let recorded = self.source.stream(&stream).map_err(|source| SignerFailure::Read {
            domain: domain.clone(),
            source,
        })?;
        let mut state = SendingDomain::default();
        for one in recorded {
            if let Event::SendingDomain(event) = &one.event {
                state.evolve(event);
            }
        }
        let signers: DomainSigners = state
            .signing_keys()
            .map(|key| signer(domain, key))
            .collect::<Result<_, _>>()?;
        if signers.is_empty() && (state.domain.is_none() || state.signing != DkimSigning::None) {
            return Err(SignerFailure::NoKey { domain: domain.clone() });
        }
        Ok(signers)
    }
}

fn signer(domain: &DomainName, key: &DkimKey) -> Result<DkimSigner, SignerFailure> {
    let no_key = || SignerFailure::NoKey { domain: domain.clone() };
    let private = key.private_key.known().ok_or_else(no_key)?;
    let der = zeroize::Zeroizing::new(STANDARD.decode(private).map_err(|_| no_key())?);
    DkimSigner::new(domain.as_str(), &key.selector, &der).map_err(|source| SignerFailure::BadKey {
        domain: domain.clone(),
        source,
    })
}
