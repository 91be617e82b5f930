//! Samples of the gate and of shards.

use std::collections::BTreeMap;

use sealpost_domain::address::DomainName;
use sealpost_domain::gate::{GateEvent, StrangerRefusal};
use sealpost_domain::ids::{AccountId, MessageId};
use sealpost_domain::shard::{ParkedActor, ShardEvent};

use super::{Sample, at, first, shaped, uuid};

/// In the order of streams.
pub fn samples() -> Vec<Sample> {
    let account = ParkedActor::Account(AccountId::from_uuid(uuid(1)));
    let destination = ParkedActor::Destination(DomainName::parse("example.org").expect("a domain name"));
    let message = ParkedActor::Message(MessageId::from_uuid(uuid(10)));
    let parked = |actor| ShardEvent::ActorParked { actor, panics: 3 };
    vec![
        first(GateEvent::RefusalsCounted {
            counts: BTreeMap::from([(StrangerRefusal::UnknownKey, 12), (StrangerRefusal::UnknownUser, 3)]),
            from: at(0),
            to: at(600),
        }),
        first(ShardEvent::ShardOwned {
            epoch: 2,
            node: "n1".to_owned(),
        }),
        first(parked(account)),
        shaped("destination", parked(destination.clone())),
        shaped("message", parked(message)),
        first(ShardEvent::ActorUnparked { actor: destination }),
    ]
}
