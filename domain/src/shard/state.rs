//! Commands, events and state of a shard; small enough for one file.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::address::DomainName;
use crate::aggregate::{aggregate, domain_event};
use crate::ids::{AccountId, MessageId};
use crate::personal::{HasPersonal, PersonalVisitor};

/// What was parked after it failed again and again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParkedActor {
    /// An account: its requests are answered with 503 until it is let go.
    Account(AccountId),
    /// A destination: its mail waits.
    Destination(DomainName),
    /// One message: its spool row cannot be folded, or its attempt fails in a way that it should not.
    Message(MessageId),
}

/// Commands on a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShardCommand {
    /// Begin an epoch.
    OwnShard {
        /// The epoch, one above the last.
        epoch: u64,
        /// The node that owns it from here on.
        node: String,
    },
    /// Park an actor.
    ParkActor {
        /// Which.
        actor: ParkedActor,
        /// How often it failed; 0 where an event of it cannot be read.
        panics: u32,
    },
    /// Let an actor go again.
    UnparkActor {
        /// Which.
        actor: ParkedActor,
    },
}

/// Events of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShardEvent {
    /// The first append of each epoch.
    ShardOwned {
        /// The epoch.
        epoch: u64,
        /// The node that owns it from here on.
        node: String,
    },
    /// An actor failed too often, or cannot be read.
    ActorParked {
        /// Which.
        actor: ParkedActor,
        /// How often it failed; 0 where an event of it cannot be read.
        panics: u32,
    },
    /// An actor runs again.
    ActorUnparked {
        /// Which.
        actor: ParkedActor,
    },
}

domain_event!(ShardEvent {
    ShardOwned,
    ActorParked,
    ActorUnparked
});

impl HasPersonal for ShardEvent {
    fn visit_personal(&mut self, _visitor: &mut dyn PersonalVisitor) {}
}

/// Why a command on a shard is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum ShardRefusal {
    /// An epoch only ever rises.
    #[error("the epoch is not above the last one")]
    StaleEpoch,
    /// It is parked already.
    #[error("the actor is parked already")]
    AlreadyParked,
    /// It is not parked.
    #[error("the actor is not parked")]
    NotParked,
}

/// A shard of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// The running epoch; 0 before the first.
    pub epoch: u64,
    /// What is parked.
    pub parked: Vec<ParkedActor>,
}

impl Shard {
    /// Decides; pure.
    ///
    /// # Errors
    /// As [`ShardRefusal`] says.
    pub fn decide(&self, command: ShardCommand) -> Result<Vec<ShardEvent>, ShardRefusal> {
        match command {
            ShardCommand::OwnShard { epoch, node } if epoch > self.epoch => {
                Ok(vec![ShardEvent::ShardOwned { epoch, node }])
            }
            ShardCommand::OwnShard { .. } => Err(ShardRefusal::StaleEpoch),
            ShardCommand::ParkActor { actor, .. } if self.parked.contains(&actor) => Err(ShardRefusal::AlreadyParked),
            ShardCommand::ParkActor { actor, panics } => Ok(vec![ShardEvent::ActorParked { actor, panics }]),
            ShardCommand::UnparkActor { actor } if self.parked.contains(&actor) => {
                Ok(vec![ShardEvent::ActorUnparked { actor }])
            }
            ShardCommand::UnparkActor { .. } => Err(ShardRefusal::NotParked),
        }
    }

    /// Takes an event into the state; total and pure.
    pub fn evolve(&mut self, event: &ShardEvent) {
        match event {
            ShardEvent::ShardOwned { epoch, .. } => self.epoch = *epoch,
            ShardEvent::ActorParked { actor, .. } => self.parked.push(actor.clone()),
            ShardEvent::ActorUnparked { actor } => self.parked.retain(|parked| parked != actor),
        }
    }
}

aggregate!(Shard, "shard", ShardCommand, ShardEvent, ShardRefusal);
