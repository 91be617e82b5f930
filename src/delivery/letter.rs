//! The letter of one attempt: the stored content with what is put before it, as it goes over the wire.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use chrono::{DateTime, Utc};
use sealpost_domain::ids::MessageId;
use thiserror::Error;

use super::dkim::{DkimFailure, DkimSigner, Signable};
use super::signers::{SignerFailure, Signers};
use crate::actors::Job;
use crate::compose::{Entrance, bears_trace, received};
use crate::vault::{Vault, VaultFailure};

/// Contents up to this size are read through in some 10 µs, in bytes.
const QUICK_BYTES: usize = 64 * 1024;

/// What goes out between `354` and the final dot, before dot-stuffing.
#[derive(Debug)]
pub struct Letter {
    /// `DKIM-Signature`, one for each key that signs, and `Received`, each with its CRLF.
    pub prepended: String,
    /// The stored content.
    pub content: Vec<u8>,
    /// SHA-256 of both joined, in hex.
    pub sha256: String,
}

impl Letter {
    /// Length of what goes out, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        u64::try_from(self.prepended.len().saturating_add(self.content.len())).unwrap_or(u64::MAX)
    }
}

/// Why a letter cannot be written.
#[derive(Debug, Error)]
pub enum LetterFailure {
    /// The content or its key cannot be read.
    #[error("the content of message {message} cannot be read")]
    Content {
        /// The message.
        message: MessageId,
        /// What the vault says.
        #[source]
        source: VaultFailure,
    },
    /// Its domain has no signer, though it shall sign.
    #[error("message {message} cannot be signed")]
    Signer {
        /// The message.
        message: MessageId,
        /// Why.
        #[source]
        source: SignerFailure,
    },
    /// The signer refused it.
    #[error("message {message} cannot be signed")]
    Signing {
        /// The message.
        message: MessageId,
        /// Why.
        #[source]
        source: DkimFailure,
    },
    /// The thread that wrote it ended.
    #[error("the letter of message {message} was cut off")]
    CutOff {
        /// The message.
        message: MessageId,
    },
}

/// Writes letters. Cheap to clone.
#[derive(Clone)]
pub struct LetterWriter {
    vault: Vault,
    signers: Signers,
    host: Arc<str>,
}

impl LetterWriter {
    /// A writer that names this host in `Received`.
    #[must_use]
    pub fn new(vault: Vault, signers: Signers, host: &str) -> Self {
        Self {
            vault,
            signers,
            host: Arc::from(host),
        }
    }

    /// Writes the letter of a job: here where that costs less than another thread, else on one that may block and compute.
    ///
    /// # Errors
    /// As [`LetterFailure`] says.
    pub async fn write(&self, job: &Job, now: DateTime<Utc>) -> Result<Letter, LetterFailure> {
        let message = job.message;
        let content = self.vault.take_recent(message);
        let signers = self.signers.at_hand(job.account, &job.order.from_domain);
        let content = match (content, signers) {
            (Some(content), Some(signers)) if is_quick(&content, &signers) => {
                return self.compose(message, content, &signers, now);
            }
            (content, _) => content,
        };
        let (this, job) = (self.clone(), job.clone());
        tokio::task::spawn_blocking(move || this.write_here(&job, content, now))
            .await
            .unwrap_or(Err(LetterFailure::CutOff { message }))
    }

    /// Reads what is not there yet, and writes the letter.
    fn write_here(&self, job: &Job, content: Option<Vec<u8>>, now: DateTime<Utc>) -> Result<Letter, LetterFailure> {
        let message = job.message;
        let content = content.map_or_else(|| self.vault.content(message, &job.order.content), Ok);
        let content = content.map_err(|source| LetterFailure::Content { message, source })?;
        let signers = self
            .signers
            .of(job.account, &job.order.from_domain)
            .map_err(|source| LetterFailure::Signer { message, source })?;
        self.compose(message, content, &signers, now)
    }

    fn compose(
        &self,
        message: MessageId,
        content: Vec<u8>,
        signers: &[DkimSigner],
        now: DateTime<Utc>,
    ) -> Result<Letter, LetterFailure> {
        let mut prepended =
            signatures(signers, &content, now).map_err(|source| LetterFailure::Signing { message, source })?;
        // What came by SMTP bears its trace from its first moment here (RFC 5321 §4.4).
        if !bears_trace(&content, message.as_uuid()) {
            prepended.push_str(&received(&self.host, Entrance::Http, message.as_uuid(), now));
        }
        let mut hash = Context::new(&SHA256);
        hash.update(prepended.as_bytes());
        hash.update(&content);
        let sha256 = hash
            .finish()
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Letter {
            prepended,
            content,
            sha256,
        })
    }
}

/// Whether a letter is written in some 100 µs.
fn is_quick(content: &[u8], signers: &[DkimSigner]) -> bool {
    content.len() <= QUICK_BYTES && signers.iter().all(DkimSigner::is_quick)
}

/// One header for each signer; the content is read only where one signs.
fn signatures(signers: &[DkimSigner], content: &[u8], now: DateTime<Utc>) -> Result<String, DkimFailure> {
    let mut headers = String::new();
    if signers.is_empty() {
        return Ok(headers);
    }
    let signable = Signable::read(&[content])?;
    for signer in signers {
        headers.push_str(&signer.sign(&signable, now)?);
    }
    Ok(headers)
}
