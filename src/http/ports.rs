//! What the doors need from rooms that they may not see; the program wires it.

use std::sync::Arc;

use sealpost_domain::address::DomainName;
use sealpost_domain::sending_domain::DkimAlgorithm;
use sealpost_projections::{ProjectionFailure, RebuildReport};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::actors::DkimView;

/// The text of `/metrics`, in the form that Prometheus reads.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// A DKIM key pair that was just made.
pub struct MintedDkim {
    /// The selector, RFC 6376 §3.1.
    pub selector: String,
    /// What it signs with.
    pub algorithm: DkimAlgorithm,
    /// The public half as the DNS record has it, base64.
    pub public_key: String,
    /// The private half, PKCS#8 DER in base64.
    pub private_key: Zeroizing<String>,
}

impl std::fmt::Debug for MintedDkim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MintedDkim")
            .field("selector", &self.selector)
            .finish_non_exhaustive()
    }
}

/// No DKIM key could be made.
#[derive(Debug, Error)]
#[error("no DKIM key could be made")]
pub struct MintFailed(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Makes DKIM keys, and says where their records stand.
pub trait DkimMint: Send + Sync + 'static {
    /// Makes a key pair. Takes a part of a second of a processor.
    ///
    /// # Errors
    /// [`MintFailed`].
    fn mint(&self, algorithm: DkimAlgorithm) -> Result<MintedDkim, MintFailed>;

    /// Name and text of the DNS record of a key.
    fn record(&self, domain: &DomainName, key: &DkimView) -> (String, String);
}

/// Compares what people look at with what the log says.
pub trait Audit: Send + Sync + 'static {
    /// Builds every read model again beside the live one and compares the two. Blocks for as long as that takes.
    ///
    /// # Errors
    /// As [`ProjectionFailure`] says.
    fn rebuild_check(&self) -> Result<Vec<RebuildReport>, ProjectionFailure>;
}
