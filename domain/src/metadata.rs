//! Who did it, from where, in which request: the metadata of every event.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids::{AccountId, EventId, KeyId, RequestId, UserId};
use crate::personal::{HasPersonal, Personal, PersonalVisitor, Sealed, Subject};

/// Who acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Actor {
    /// A signed-in user.
    User(UserId),
    /// An API key.
    Key(KeyId),
    /// The program itself: delivery, schedules, recovery.
    System,
    /// Whoever commands the host, through the CLI.
    Operator,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Key(id) => write!(f, "key:{id}"),
            Self::System => f.write_str("system"),
            Self::Operator => f.write_str("operator"),
        }
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

impl TryFrom<String> for Actor {
    type Error = MetadataRefusal;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for Actor {
    type Err = MetadataRefusal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |_| MetadataRefusal::BadField("actor");
        match text.split_once(':') {
            Some(("user", id)) => id.parse().map(Self::User).map_err(bad),
            Some(("key", id)) => id.parse().map(Self::Key).map_err(bad),
            None if text == "system" => Ok(Self::System),
            None if text == "operator" => Ok(Self::Operator),
            _ => Err(MetadataRefusal::BadField("actor")),
        }
    }
}

/// By which door a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Mandrill's API or `/v1`.
    Api,
    /// SMTP submission.
    Smtp,
    /// The console.
    Console,
    /// The control socket.
    Cli,
    /// Nobody asked: the program's own doing.
    System,
}

impl Channel {
    /// Lower-case name, as stored.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Smtp => "smtp",
            Self::Console => "console",
            Self::Cli => "cli",
            Self::System => "system",
        }
    }

    fn parse(text: &str) -> Result<Self, MetadataRefusal> {
        [Self::Api, Self::Smtp, Self::Console, Self::Cli, Self::System]
            .into_iter()
            .find(|channel| channel.label() == text)
            .ok_or(MetadataRefusal::BadField("channel"))
    }
}

/// Why stored metadata cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MetadataRefusal {
    /// A field that every event has is missing.
    #[error("metadata lacks the field {0}")]
    Missing(&'static str),
    /// A field is not in its form.
    #[error("metadata field {0} is not in its form")]
    BadField(&'static str),
}

/// The metadata of one event. Stored as a flat object of texts, the form that postgres-es reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The account whose stream it is; `None` for system streams.
    pub account: Option<AccountId>,
    /// Who acted.
    pub actor: Actor,
    /// By which door.
    pub channel: Channel,
    /// The request that led here, if one did.
    pub request: Option<RequestId>,
    /// The event that led here, if one did.
    pub cause: Option<EventId>,
    /// The node that appended it.
    pub node: String,
    /// Address of the caller.
    pub ip: Option<Personal<IpAddr>>,
    /// What the caller's program calls itself, cut to 256 bytes by the edge.
    pub user_agent: Option<Personal<String>>,
}

impl Metadata {
    /// Metadata of what the program does by itself on behalf of an account.
    #[must_use]
    pub fn system(account: Option<AccountId>, node: &str) -> Self {
        Self {
            account,
            actor: Actor::System,
            channel: Channel::System,
            request: None,
            cause: None,
            node: node.to_owned(),
            ip: None,
            user_agent: None,
        }
    }

    /// The stored form: text to text, keys in alphabetical order.
    #[must_use]
    pub fn to_wire(&self) -> BTreeMap<&'static str, String> {
        let mut wire = BTreeMap::from([
            ("actor", self.actor.to_string()),
            ("channel", self.channel.label().to_owned()),
            ("node", self.node.clone()),
        ]);
        if let Some(account) = self.account {
            wire.insert("account", account.to_string());
        }
        if let Some(request) = self.request {
            wire.insert("request", request.to_string());
        }
        if let Some(cause) = self.cause {
            wire.insert("cause", cause.to_string());
        }
        if let Some(ip) = &self.ip {
            wire.insert("ip", personal_text(ip));
        }
        if let Some(user_agent) = &self.user_agent {
            wire.insert("user_agent", personal_text(user_agent));
        }
        wire
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When a field that must be there is missing, or one is not in its form.
    pub fn from_wire(wire: &BTreeMap<String, String>) -> Result<Self, MetadataRefusal> {
        fn id<T: FromStr>(wire: &BTreeMap<String, String>, name: &'static str) -> Result<Option<T>, MetadataRefusal> {
            wire.get(name)
                .map(|text| text.parse().map_err(|_| MetadataRefusal::BadField(name)))
                .transpose()
        }
        let must = |name: &'static str| wire.get(name).ok_or(MetadataRefusal::Missing(name));
        Ok(Self {
            account: id(wire, "account")?,
            actor: must("actor")?.parse()?,
            channel: Channel::parse(must("channel")?)?,
            request: id(wire, "request")?,
            cause: id(wire, "cause")?,
            node: must("node")?.clone(),
            ip: wire.get("ip").map(|text| text_personal(text)),
            user_agent: wire.get("user_agent").map(|text| text_personal(text)),
        })
    }
}

impl HasPersonal for Metadata {
    fn visit_personal(&mut self, visitor: &mut dyn PersonalVisitor) {
        let subject = match self.actor {
            Actor::User(user) => Subject::User(user),
            Actor::Key(_) | Actor::System | Actor::Operator => Subject::Account,
        };
        // An event may have a field `ip` of its own: a box of one must not pass for the other.
        if let Some(ip) = &mut self.ip {
            visitor.field("metadata.ip", subject, ip);
        }
        if let Some(user_agent) = &mut self.user_agent {
            visitor.field("metadata.user_agent", subject, user_agent);
        }
    }
}

/// A known value has no stored form: what nobody sealed is stored as erased, never in clear.
fn personal_text<T>(value: &Personal<T>) -> String {
    match value {
        Personal::Sealed(sealed) => format!("sealed:{}", sealed.as_str()),
        Personal::Known(_) | Personal::Erased => "erased".to_owned(),
    }
}

fn text_personal<T>(text: &str) -> Personal<T> {
    text.strip_prefix("sealed:").map_or(Personal::Erased, |sealed| {
        Personal::Sealed(Sealed::from_text(sealed.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DataKeyId;
    use uuid::Uuid;

    #[test]
    fn metadata_is_read_back_as_it_was_stored() {
        let metadata = Metadata {
            account: Some(AccountId::from_uuid(Uuid::from_u128(1))),
            actor: Actor::Key(KeyId::from_uuid(Uuid::from_u128(2))),
            channel: Channel::Api,
            request: Some(RequestId::from_uuid(Uuid::from_u128(3))),
            cause: None,
            node: "n1".to_owned(),
            ip: Some(Personal::Sealed(Sealed::new(
                DataKeyId::from_uuid(Uuid::from_u128(4)),
                "AA",
            ))),
            user_agent: Some(Personal::Erased),
        };
        let wire: BTreeMap<String, String> = metadata
            .to_wire()
            .into_iter()
            .map(|(name, text)| (name.to_owned(), text))
            .collect();
        assert_eq!(Metadata::from_wire(&wire), Ok(metadata));
    }

    #[test]
    fn a_value_in_clear_is_never_stored() {
        let mut metadata = Metadata::system(None, "n1");
        metadata.ip = Some(Personal::Known("192.0.2.1".parse().unwrap()));
        assert_eq!(metadata.to_wire().get("ip").unwrap(), "erased");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(
            Metadata::from_wire(&BTreeMap::new()),
            Err(MetadataRefusal::Missing("actor"))
        );
    }
}
