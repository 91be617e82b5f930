//! What a key may do: its kind, its world, and its limits as they were recorded.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::{DomainName, Mailbox};
use crate::instant::Instant;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// `spk_`: sends mail and reads what became of it.
    Sending,
    /// `spm_`: manages keys, domains and settings besides.
    Management,
}

impl KeyKind {
    /// The first letters of the key's text form.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Sending => "spk",
            Self::Management => "spm",
        }
    }
}

/// Which world a key acts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyWorld {
    /// Real mail.
    Live,
    /// Mail that never leaves the built-in sink.
    Test,
}

impl KeyWorld {
    /// The second part of the key's text form.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

/// SHA-256 of a whole key, 64 hex digits. What is stored in place of the key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyHash(String);

impl KeyHash {
    /// Takes the digest in hex.
    #[must_use]
    pub fn from_hex(hex: String) -> Self {
        Self(hex)
    }

    /// 64 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

/// A method as Mandrill or `/v1` names it, e.g. `messages/send`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Method(String);

impl Method {
    /// Takes the name of a method that the router knows.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The limits of a key. `None` and an empty list mean: no such limit.
///
/// They are stored in clear, because admission depends on them: none of them may say anything about a person, so that
/// whole addresses and networks have no place here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyLimits {
    /// Methods that the key may call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<Method>,
    /// Domains that may stand in the header From.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from_domains: Vec<DomainName>,
    /// Domains that the key may write to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recipient_domains: Vec<DomainName>,
    /// Point in time before which the key does nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Instant>,
    /// Point in time from which on the key does nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
}

/// Which limit of a key a use ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyLimit {
    /// The method is not on the key's list.
    Method,
    /// The header From is not on the key's lists.
    From,
    /// A recipient's domain is not on the key's list.
    RecipientDomain,
    /// Before the key's first or after its last moment.
    Lifetime,
    /// The key acts in the test world, and what it was used for is of the live one.
    World,
}

impl KeyLimits {
    /// Whether a use at `at` of `method` is within the limits that need no message.
    ///
    /// # Errors
    /// The first limit that forbids it.
    pub fn admit_call(&self, method: &Method, at: Instant) -> Result<(), KeyLimit> {
        if self.not_before.is_some_and(|first| at < first) || self.expires_at.is_some_and(|end| at >= end) {
            return Err(KeyLimit::Lifetime);
        }
        if !self.methods.is_empty() && !self.methods.contains(method) {
            return Err(KeyLimit::Method);
        }
        Ok(())
    }

    /// Whether a key of these limits may do nothing that one of `outer` may not.
    ///
    /// # Errors
    /// The first limit that is wider than it is in `outer`.
    pub fn within(&self, outer: &Self) -> Result<(), KeyLimit> {
        if !lies_within(&self.methods, &outer.methods) {
            return Err(KeyLimit::Method);
        }
        if !lies_within(&self.from_domains, &outer.from_domains) {
            return Err(KeyLimit::From);
        }
        if !lies_within(&self.recipient_domains, &outer.recipient_domains) {
            return Err(KeyLimit::RecipientDomain);
        }
        let begins_early = outer
            .not_before
            .is_some_and(|first| self.not_before.is_none_or(|own| own < first));
        let ends_late = outer
            .expires_at
            .is_some_and(|end| self.expires_at.is_none_or(|own| own > end));
        if begins_early || ends_late {
            return Err(KeyLimit::Lifetime);
        }
        Ok(())
    }

    /// Whether the key may send with this header From.
    #[must_use]
    pub fn admit_from(&self, from: &Mailbox) -> bool {
        self.from_domains.is_empty() || self.from_domains.contains(&from.domain())
    }

    /// Whether the key may write to this domain.
    #[must_use]
    pub fn admit_recipient(&self, domain: &DomainName) -> bool {
        self.recipient_domains.is_empty() || self.recipient_domains.contains(domain)
    }
}

/// Whether a list allows nothing that the outer one does not; an empty one allows everything.
fn lies_within<T: PartialEq>(list: &[T], outer: &[T]) -> bool {
    outer.is_empty() || (!list.is_empty() && list.iter().all(|one| outer.contains(one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_lie_within_others_only_when_each_does() {
        let domain = |name: &str| DomainName::parse(name).unwrap();
        let outer = KeyLimits {
            methods: vec![Method::named("keys/issue"), Method::named("messages/send")],
            from_domains: vec![domain("example.org"), domain("example.net")],
            recipient_domains: vec![domain("example.com")],
            not_before: Some(Instant::from_millis(1_000)),
            expires_at: Some(Instant::from_millis(9_000)),
        };
        let free = KeyLimits::default();
        assert_eq!(outer.within(&outer), Ok(()));
        assert_eq!(outer.within(&free), Ok(()));
        assert_eq!(free.within(&free), Ok(()));
        assert_eq!(free.within(&outer), Err(KeyLimit::Method));
        let narrower = KeyLimits {
            methods: vec![Method::named("messages/send")],
            from_domains: vec![domain("example.org")],
            not_before: Some(Instant::from_millis(1_001)),
            expires_at: Some(Instant::from_millis(8_999)),
            ..outer.clone()
        };
        assert_eq!(narrower.within(&outer), Ok(()));
        let changed = |change: fn(&mut KeyLimits)| {
            let mut wider = outer.clone();
            change(&mut wider);
            wider.within(&outer)
        };
        let other = || DomainName::parse("example.edu").unwrap();
        assert_eq!(
            changed(|wider| wider.methods.push(Method::named("keys/list"))),
            Err(KeyLimit::Method)
        );
        let more_from: fn(&mut KeyLimits) = |wider| wider.from_domains.clear();
        assert_eq!(changed(more_from), Err(KeyLimit::From));
        let mut wider = outer.clone();
        wider.from_domains.push(other());
        assert_eq!(wider.within(&outer), Err(KeyLimit::From));
        assert_eq!(
            changed(|wider| wider.recipient_domains.clear()),
            Err(KeyLimit::RecipientDomain)
        );
        assert_eq!(changed(|wider| wider.not_before = None), Err(KeyLimit::Lifetime));
        assert_eq!(changed(|wider| wider.expires_at = None), Err(KeyLimit::Lifetime));
        let late: fn(&mut KeyLimits) = |wider| wider.expires_at = Some(Instant::from_millis(9_001));
        assert_eq!(changed(late), Err(KeyLimit::Lifetime));
    }

    #[test]
    fn each_limit_of_a_call_is_named() {
        let at = Instant::from_millis(1_000);
        let send = Method::named("messages/send");
        assert_eq!(KeyLimits::default().admit_call(&send, at), Ok(()));
        let expired = KeyLimits {
            expires_at: Some(at),
            ..KeyLimits::default()
        };
        assert_eq!(expired.admit_call(&send, at), Err(KeyLimit::Lifetime));
        let early = KeyLimits {
            not_before: Some(Instant::from_millis(1_001)),
            ..KeyLimits::default()
        };
        assert_eq!(early.admit_call(&send, at), Err(KeyLimit::Lifetime));
        let reads = KeyLimits {
            methods: vec![Method::named("messages/info")],
            ..KeyLimits::default()
        };
        assert_eq!(reads.admit_call(&send, at), Err(KeyLimit::Method));
    }

    #[test]
    fn from_is_allowed_by_its_domain() {
        let mailbox = Mailbox::parse("ann@example.org").unwrap();
        assert!(KeyLimits::default().admit_from(&mailbox));
        let other = KeyLimits {
            from_domains: vec![DomainName::parse("other.org").unwrap()],
            ..KeyLimits::default()
        };
        assert!(!other.admit_from(&mailbox));
        let own = KeyLimits {
            from_domains: vec![mailbox.domain()],
            ..KeyLimits::default()
        };
        assert!(own.admit_from(&mailbox));
    }

    /// Limits stand in clear in the log for ever: what says something about a person is not among them.
    #[test]
    fn a_limit_that_would_store_an_address_or_is_not_held_has_no_form() {
        for limits in [
            r#"{"from_mailboxes":["ann@example.org"]}"#,
            r#"{"networks":["192.0.2.0/24"]}"#,
            r#"{"messages_per_hour_max":5}"#,
        ] {
            assert!(serde_json::from_str::<KeyLimits>(limits).is_err(), "{limits}");
        }
    }
}
