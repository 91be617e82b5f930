//! Commands, events and state of the gate; small enough for one file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::aggregate::{aggregate, domain_event};
use crate::instant::Instant;
use crate::personal::{HasPersonal, PersonalVisitor};

/// Why a stranger was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrangerRefusal {
    /// Well formed, and nobody's key.
    UnknownKey,
    /// Nobody's sign-in address.
    UnknownUser,
    /// A recipient of the bounce domain that was not signed here, or of no message.
    UnknownReturnPath,
}

/// Commands on the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateCommand {
    /// Record what was counted since the last time.
    CountRefusals {
        /// How many of each kind.
        counts: BTreeMap<StrangerRefusal, u64>,
        /// Since when.
        from: Instant,
        /// Until when.
        to: Instant,
    },
}

/// Events of the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GateEvent {
    /// So many strangers were turned away.
    RefusalsCounted {
        /// How many of each kind.
        counts: BTreeMap<StrangerRefusal, u64>,
        /// Since when.
        from: Instant,
        /// Until when.
        to: Instant,
    },
}

domain_event!(GateEvent { RefusalsCounted });

impl HasPersonal for GateEvent {
    fn visit_personal(&mut self, _visitor: &mut dyn PersonalVisitor) {}
}

/// Why a command on the gate is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum GateRefusal {
    /// There is nothing to record.
    #[error("nothing was counted")]
    NothingCounted,
}

/// The gate of a node on one day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    total: u64,
}

impl Gate {
    /// Decides; pure.
    ///
    /// # Errors
    /// [`GateRefusal::NothingCounted`] when all counts are zero.
    pub fn decide(&self, command: GateCommand) -> Result<Vec<GateEvent>, GateRefusal> {
        let GateCommand::CountRefusals { counts, from, to } = command;
        if counts.values().all(|count| *count == 0) {
            return Err(GateRefusal::NothingCounted);
        }
        Ok(vec![GateEvent::RefusalsCounted { counts, from, to }])
    }

    /// Takes an event into the state; total and pure.
    pub fn evolve(&mut self, event: &GateEvent) {
        let GateEvent::RefusalsCounted { counts, .. } = event;
        self.total = counts
            .values()
            .fold(self.total, |total, count| total.saturating_add(*count));
    }
}

aggregate!(Gate, "gate", GateCommand, GateEvent, GateRefusal);
