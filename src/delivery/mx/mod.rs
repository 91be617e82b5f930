//! Finds the mail hosts of a recipient domain (RFC 5321 §5.1): MX by preference, addresses of both families, and what
//! the DNS proves when there are none.
//!
//! An answer that could not be had is never taken for "there is none": such mail waits. Start at `lookup.rs`.

mod address_rule;
mod answers;
mod cache;
mod dns;
mod lookup;
mod resolver;
mod settings;
#[cfg(test)]
mod tests;

pub use address_rule::{AddressRule, is_public};
pub use dns::{Dns, DnsFailure, Exchanger, Family, Found, Naming};
pub use lookup::{Ipv6, MxLookup, MxLookupConfig};
pub use resolver::{Resolver, ResolverFailure};
pub use settings::{DnsConfig, DnsValidation, Ipv6Use};
