//! What is asked of the DNS, and the ways in which it does not answer.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::actors::Authenticity;

/// Which addresses are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// A records.
    V4,
    /// AAAA records.
    V6,
}

/// Whether the records stand at the name that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// They do.
    Own,
    /// The name is an alias, and they stand at its end (CNAME).
    Alias,
}

/// One MX record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exchanger {
    /// Lower comes first.
    pub preference: u16,
    /// Name of the host in lower case, without a final dot; empty in a null MX (RFC 7505).
    pub name: String,
}

/// Records that were found; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// The records, in the order of the answer.
    pub records: Vec<T>,
    /// Where they stand.
    pub naming: Naming,
    /// Whether all of the answer is validated.
    pub authenticity: Authenticity,
    /// The shortest time to live in it.
    pub ttl: Duration,
}

/// Why there are no records to go by.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DnsFailure {
    /// The name does not exist (NXDOMAIN).
    #[error("the name does not exist")]
    NoSuchName {
        /// How long this may be believed.
        ttl: Duration,
        /// Whether the absence is proven by signatures.
        authenticity: Authenticity,
    },
    /// The name exists and has no such records.
    #[error("the name has no such records")]
    NoRecords {
        /// How long this may be believed.
        ttl: Duration,
        /// Whether the absence is proven by signatures.
        authenticity: Authenticity,
    },
    /// The name is an alias whose chain is too long or has no end.
    #[error("the alias leads nowhere")]
    BrokenAlias,
    /// A server said that it cannot answer (SERVFAIL, REFUSED and their like), in its registered word.
    #[error("the server answered {0}")]
    ServerFailed(String),
    /// The answer is not signed as its zone must be.
    #[error("the answer is bogus")]
    Bogus,
    /// No answer came in time.
    #[error("no answer came in time")]
    TimedOut,
    /// The question could not be asked, or the answer not be read.
    #[error("the question could not be asked")]
    Unasked,
}

impl DnsFailure {
    /// Whether it says that there are no such records. Nothing else may be taken for that.
    #[must_use]
    pub const fn is_absence(&self) -> bool {
        matches!(self, Self::NoSuchName { .. } | Self::NoRecords { .. })
    }
}

/// Answers questions. Implemented over the network, and by tests out of memory. Names are A-labels without a final dot.
#[async_trait]
pub trait Dns: Send + Sync + 'static {
    /// The MX records of a name.
    ///
    /// # Errors
    /// As [`DnsFailure`] says.
    async fn exchangers(&self, name: &str) -> Result<Found<Exchanger>, DnsFailure>;

    /// The addresses of a name in one family.
    ///
    /// # Errors
    /// As [`DnsFailure`] says.
    async fn addresses(&self, name: &str, family: Family) -> Result<Found<IpAddr>, DnsFailure>;
}
