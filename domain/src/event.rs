//! Any event of any stream, and the way between it and its stored text.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::account::AccountEvent;
use crate::api_key::ApiKeyEvent;
use crate::engagement::EngagementEvent;
use crate::gate::GateEvent;
use crate::ids::{AccountId, EventId, MessageId};
use crate::instant::Instant;
use crate::message::MessageEvent;
use crate::metadata::Metadata;
use crate::personal::{HasPersonal, PersonalVisitor};
use crate::sending_domain::SendingDomainEvent;
use crate::shard::ShardEvent;
use crate::suppression::SuppressionEvent;
use crate::user::UserEvent;

/// Why stored text is no event.
#[derive(Debug, Error)]
pub enum EventRefusal {
    /// No aggregate has this name.
    #[error("no stream is of the type {0}")]
    UnknownStreamType(String),
    /// The payload is not in the form of its type.
    #[error("the payload of a {stream_type} event is not in its form")]
    BadPayload {
        /// The aggregate's name.
        stream_type: &'static str,
        /// What the reader says.
        #[source]
        source: serde_json::Error,
    },
}

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident($event:ty) = $name:literal),* $(,)?) => {
        /// The kind of a stream: the aggregate's name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum StreamType { $($(#[$doc])* $variant),* }

        impl StreamType {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The aggregate's name, as stored.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Reads the aggregate's name.
            ///
            /// # Errors
            /// [`EventRefusal::UnknownStreamType`].
            pub fn parse(name: &str) -> Result<Self, EventRefusal> {
                match name {
                    $($name => Ok(Self::$variant),)*
                    other => Err(EventRefusal::UnknownStreamType(other.to_owned())),
                }
            }

            /// The event types of this kind of stream.
            #[must_use]
            pub const fn event_types(self) -> &'static [&'static str] {
                match self { $(Self::$variant => <$event>::TYPES),* }
            }
        }

        /// Any event.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Event { $($(#[$doc])* $variant($event)),* }

        impl Event {
            /// The kind of stream that it belongs to.
            #[must_use]
            pub const fn stream_type(&self) -> StreamType {
                match self { $(Self::$variant(_) => StreamType::$variant),* }
            }

            /// The event type, e.g. `MessageAccepted`.
            #[must_use]
            pub fn event_type(&self) -> String {
                match self { $(Self::$variant(event) => event.event_type()),* }
            }

            /// Version of the wire form.
            #[must_use]
            pub fn event_version(&self) -> String {
                match self { $(Self::$variant(event) => event.event_version()),* }
            }

            /// The payload as stored: JSON, variant name outside, fields in the order of declaration.
            ///
            /// # Errors
            /// Never for the events of this crate: their maps have text keys.
            pub fn to_payload(&self) -> Result<String, serde_json::Error> {
                match self { $(Self::$variant(event) => serde_json::to_string(event)),* }
            }

            /// Reads a stored payload. Needs no key: personal fields stay sealed.
            ///
            /// # Errors
            /// [`EventRefusal::BadPayload`].
            pub fn from_payload(stream_type: StreamType, payload: &str) -> Result<Self, EventRefusal> {
                match stream_type {
                    $(StreamType::$variant => serde_json::from_str::<$event>(payload).map(Self::$variant)),*
                }
                .map_err(|source| EventRefusal::BadPayload { stream_type: stream_type.as_str(), source })
            }
        }

        $(impl From<$event> for Event {
            fn from(event: $event) -> Self {
                Self::$variant(event)
            }
        })*

        impl HasPersonal for Event {
            fn visit_personal(&mut self, visitor: &mut dyn PersonalVisitor) {
                match self { $(Self::$variant(event) => event.visit_personal(visitor)),* }
            }
        }
    };
}

events! {
    /// The `account` stream.
    Account(AccountEvent) = "account",
    /// The `user` stream.
    User(UserEvent) = "user",
    /// The `api_key` stream.
    ApiKey(ApiKeyEvent) = "api_key",
    /// The `sending_domain` stream.
    SendingDomain(SendingDomainEvent) = "sending_domain",
    /// The `suppression` stream.
    Suppression(SuppressionEvent) = "suppression",
    /// The `message` stream.
    Message(MessageEvent) = "message",
    /// The `engagement` stream.
    Engagement(EngagementEvent) = "engagement",
    /// The `gate` stream.
    Gate(GateEvent) = "gate",
    /// The `shard` stream.
    Shard(ShardEvent) = "shard",
}

/// The name of a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Its kind.
    pub stream_type: StreamType,
    /// Its id within its kind; never personal.
    pub id: String,
}

impl StreamId {
    /// Names a stream.
    #[must_use]
    pub fn new(stream_type: StreamType, id: impl ToString) -> Self {
        Self {
            stream_type,
            id: id.to_string(),
        }
    }

    /// The stream of a message.
    #[must_use]
    pub fn message(id: MessageId) -> Self {
        Self::new(StreamType::Message, id)
    }

    /// The stream of a message's late facts.
    #[must_use]
    pub fn engagement(id: MessageId) -> Self {
        Self::new(StreamType::Engagement, id)
    }

    /// The stream of something that an account has one of per name: its domains, its suppressed addresses.
    #[must_use]
    pub fn within(stream_type: StreamType, account: AccountId, name: &str) -> Self {
        Self {
            stream_type,
            id: format!("{account}/{name}"),
        }
    }
}

/// Where an event lies that cannot be read, as far as what stands beside its content tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Place in the shard.
    pub position: u64,
    /// The event's own id.
    pub event_id: EventId,
    /// The account, where it concerns one.
    pub account: Option<AccountId>,
    /// The stream.
    pub stream: StreamId,
    /// Place in the stream.
    pub sequence: u64,
}

/// An event as the log gives it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Shard of the log.
    pub shard: u16,
    /// Place in the shard, from 1, without a gap.
    pub position: u64,
    /// The account, where it concerns one.
    pub account: Option<AccountId>,
    /// Place in the account's own sequence, from 1, without a gap.
    pub account_seq: Option<u64>,
    /// Epoch of the shard's owner.
    pub epoch: u64,
    /// When it was recorded; never falls within a shard.
    pub recorded_at: Instant,
    /// The event's own id.
    pub event_id: EventId,
    /// The stream.
    pub stream: StreamId,
    /// Place in the stream, from 1, without a gap.
    pub sequence: u64,
    /// Who, from where, in which request.
    pub metadata: Metadata,
    /// What happened.
    pub event: Event,
}
