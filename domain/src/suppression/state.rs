//! The state of a suppression entry and its decisions.

use serde::{Deserialize, Serialize};

use crate::aggregate::aggregate;
use crate::instant::Instant;

use super::{SuppressionCommand, SuppressionEvent, SuppressionReason, SuppressionRefusal};

/// One entry of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    entry: Option<(SuppressionReason, Option<Instant>)>,
}

impl Suppression {
    /// Decides; pure.
    ///
    /// # Errors
    /// As [`SuppressionRefusal`] says.
    pub fn decide(&self, command: SuppressionCommand) -> Result<Vec<SuppressionEvent>, SuppressionRefusal> {
        match command {
            SuppressionCommand::SuppressAddress {
                token,
                address,
                reason,
                until,
            } => {
                let lasts = |old: Option<Instant>| old.is_none_or(|old| until.is_some_and(|new| new <= old));
                if self.entry.is_some_and(|(why, old)| why == reason && lasts(old)) {
                    return Err(SuppressionRefusal::AlreadySuppressed);
                }
                Ok(vec![SuppressionEvent::AddressSuppressed {
                    token,
                    address,
                    reason,
                    until,
                }])
            }
            SuppressionCommand::ReleaseAddress { token } => match self.entry {
                Some(_) => Ok(vec![SuppressionEvent::AddressReleased { token }]),
                None => Err(SuppressionRefusal::NotSuppressed),
            },
        }
    }

    /// Takes an event into the state; total and pure.
    pub fn evolve(&mut self, event: &SuppressionEvent) {
        match event {
            SuppressionEvent::AddressSuppressed { reason, until, .. } => self.entry = Some((*reason, *until)),
            SuppressionEvent::AddressReleased { .. } => self.entry = None,
        }
    }
}

aggregate!(
    Suppression,
    "suppression",
    SuppressionCommand,
    SuppressionEvent,
    SuppressionRefusal
);
