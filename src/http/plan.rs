//! A call whose parts are in order, and the messages that are composed of it.

use sealpost_domain::Instant;
use sealpost_domain::address::Mailbox;
use sealpost_domain::ids::AccountId;

use super::fault::Fault;
use super::field_names::{Dialect, compose_fault};
use super::refusals::of_keep;
use super::send_request::SendRequest;
use crate::compose::{Draft, KeepFailure, Keeper, Stamp};
use crate::intake::{Letter, Order, Planned};

/// A call whose parts are in order: what is left can only fail for a reason outside of it.
pub(super) struct Plan {
    /// Whose names the fields have in errors.
    pub dialect: Dialect,
    /// The header From's address.
    pub header_from: Mailbox,
    /// What is to be composed, with the recipients that are addresses.
    pub draft: Draft,
    /// All recipients in the order of the call, then the copies.
    pub recipients: Vec<Planned>,
    /// How many of them the caller named.
    pub answered: usize,
    /// The call as it came, without what stands above.
    pub rest: SendRequest,
}

impl Plan {
    /// Composes the messages and seals them. Costs the processor.
    ///
    /// # Errors
    /// What only the composition finds out, with its field; and what keeps the vault from sealing.
    pub(super) fn letter(self, keeper: &Keeper, account: AccountId, at: Instant) -> Result<Letter, Fault> {
        let Self {
            dialect,
            header_from,
            draft,
            recipients,
            answered,
            rest,
        } = self;
        let stamp = Stamp {
            date: at.to_datetime(),
            message_id_domain: header_from.domain(),
            boundary_seed: boundary_seed(),
        };
        let prepared = match draft.to.is_empty() {
            true => None,
            false => Some(match keeper.prepare(account, &draft, &stamp) {
                Ok(prepared) => prepared,
                Err(KeepFailure::Refused(refusal)) => return Err(compose_fault(dialect, &refusal)),
                Err(failure) => return Err(of_keep(&failure)),
            }),
        };
        let order = Order {
            at,
            header_from,
            subject: draft.subject,
            tags: rest.tags,
            metadata: rest.metadata,
            subaccount: rest.subaccount,
            tracking: rest.tracking,
            tls_required: rest.tls_required,
            lifetime: rest.lifetime,
            recipients,
            idempotency: None,
        };
        Ok(Letter {
            prepared,
            order,
            answered,
        })
    }
}

/// A seed that the author of a text cannot guess: 122 random bits.
fn boundary_seed() -> uuid::Uuid {
    uuid::Uuid::new_v4()
}
