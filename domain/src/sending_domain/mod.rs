//! A domain that an account sends from, and the DKIM keys that sign for it.

mod command;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::SendingDomainCommand;
pub use event::{DkimAlgorithm, DkimKey, DkimSigning, OwnershipProof, SendingDomainEvent};
pub use refusal::SendingDomainRefusal;
pub use state::SendingDomain;
