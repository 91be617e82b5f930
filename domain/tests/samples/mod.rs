//! One sample of every event, all personal fields known: the one place that golden files and pages are made from.

mod access;
mod attempt;
mod engagement;
mod message;
mod system;
mod values;
mod words;

use sealpost_domain::ids::{AccountId, EventId, RequestId, UserId};
use sealpost_domain::metadata::{Actor, Channel, Metadata};
use sealpost_domain::{Event, Personal};

pub use values::CANARY;
use values::{at, ip, key_id, text, uuid};
pub use words::words;

/// An event, and the ending that names its shape where an event type has several.
pub struct Sample {
    /// `None` for the first shape of an event type.
    pub shape: Option<&'static str>,
    /// The event, with its personal fields known.
    pub event: Event,
}

/// Every sample, in the order of streams and event types.
pub fn all() -> Vec<Sample> {
    [
        access::samples(),
        message::samples(),
        attempt::samples(),
        engagement::samples(),
        system::samples(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Metadata with everything that there can be.
pub fn metadata() -> Metadata {
    Metadata {
        account: Some(AccountId::from_uuid(uuid(1))),
        actor: Actor::User(UserId::from_uuid(uuid(2))),
        channel: Channel::Console,
        request: Some(RequestId::from_uuid(uuid(8))),
        cause: Some(EventId::from_uuid(uuid(9))),
        node: "n1".to_owned(),
        ip: Some(Personal::Known(ip())),
        user_agent: Some(text("browser")),
    }
}

fn first(event: impl Into<Event>) -> Sample {
    shaped(None, event)
}

fn shaped(shape: impl Into<Option<&'static str>>, event: impl Into<Event>) -> Sample {
    Sample {
        shape: shape.into(),
        event: event.into(),
    }
}
