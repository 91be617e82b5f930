//! Where a domain's mail goes: the hosts in their order and what a connection to them must give, or why there are none.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use sealpost_domain::message::{Answered, AttemptOutcome, DeferralReason, EnhancedStatus, Reply, classify_reply};
use sealpost_domain::{Instant, Personal};
use thiserror::Error;
use zeroize::Zeroizing;

use super::attempt::TlsDemand;

/// Whether an answer of the DNS is signed, and was validated. Bogus answers come to nobody's eyes: they are failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Authenticity {
    /// Not signed, or not validated: anybody on the way may have written it.
    Insecure,
    /// Signed, with a chain that ends at a trust anchor.
    Secure,
}

/// Names a site: what has one key shares connections and limits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteKey(Arc<str>);

impl SiteKey {
    /// The site of a set of mail hosts, in whatever order they come.
    #[must_use]
    pub fn of_hosts<'a>(names: impl Iterator<Item = &'a str>, port: u16) -> Self {
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        names.dedup();
        Self(format!("mx:{port}:{}", names.join(",")).into())
    }

    /// The site of an operator's route. Another user, or another demand, is another site: its connections are not the
    /// same ones.
    #[must_use]
    pub fn of_route(host: &str, port: u16, tls: TlsDemand, start: TlsStart, login: Option<&Login>) -> Self {
        let user = login.map(Login::user).unwrap_or_default();
        Self(format!("route:{port}:{host}:{tls:?}:{start:?}:{user}").into())
    }

    /// The key as text, for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// When TLS begins on a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsStart {
    /// After `STARTTLS`, where the server offers it (RFC 3207).
    #[default]
    StartTls,
    /// Before a word is said (RFC 8314 §3.3, port 465).
    Implicit,
}

/// What a smarthost knows us by. Redacted in `Debug`; the password is erased from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    user: String,
    password: Zeroizing<String>,
}

impl Login {
    /// Takes user name and password as the smarthost's operator gave them out.
    #[must_use]
    pub fn new(user: &str, password: Zeroizing<String>) -> Self {
        Self {
            user: user.to_owned(),
            password,
        }
    }

    /// The user name.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password in clear.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(redacted)")
    }
}

/// Where the addresses of a host come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addresses {
    /// They are known.
    Known(Vec<IpAddr>),
    /// An operator named the host: the system is asked when the connection is made, its hosts file first.
    AskSystem,
}

/// One host of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedHost {
    /// Its name, as the MX record or the route has it: the name that its certificate is held against.
    pub name: String,
    /// Lower comes first; equal ones take turns.
    pub preference: u16,
    /// Its addresses.
    pub addresses: Addresses,
    /// Whether its addresses are validated.
    pub authenticity: Authenticity,
}

/// Where a recipient domain's mail goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutePlan {
    /// The site.
    pub site: SiteKey,
    /// The hosts by rising preference; never empty.
    pub hosts: Vec<PlannedHost>,
    /// Their port.
    pub port: u16,
    /// What the connection must give.
    pub tls: TlsDemand,
    /// When TLS begins.
    pub start: TlsStart,
    /// What to log in with.
    pub login: Option<Arc<Login>>,
    /// Whether the list of hosts is validated: Secure for an operator's route, which nobody on the way has written.
    pub authenticity: Authenticity,
    /// Until when it holds; `None` for as long as the program runs.
    pub valid_until: Option<Instant>,
}

impl RoutePlan {
    /// Whether it still holds.
    #[must_use]
    pub fn holds_at(&self, now: Instant) -> bool {
        self.valid_until.is_none_or(|until| now < until)
    }

    /// The plan for one host that an operator named.
    #[must_use]
    pub fn fixed(host: &str, port: u16, tls: TlsDemand, start: TlsStart, login: Option<Arc<Login>>) -> Self {
        Self {
            site: SiteKey::of_route(host, port, tls, start, login.as_deref()),
            hosts: vec![PlannedHost {
                name: host.to_owned(),
                preference: 0,
                addresses: Addresses::AskSystem,
                authenticity: Authenticity::Secure,
            }],
            port,
            tls,
            start,
            login,
            authenticity: Authenticity::Secure,
            valid_until: None,
        }
    }
}

/// Why a domain's mail has nowhere to go.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoRoute {
    /// The route table does not name it, and mail is not delivered by MX.
    #[error("no route leads to the domain")]
    Unrouted,
    /// Its name is proven absent from the DNS.
    #[error("the domain does not exist")]
    NoSuchDomain,
    /// It says that it takes no mail.
    #[error("the domain takes no mail: its MX is null")]
    NullMx,
    /// It exists, with neither MX nor address.
    #[error("the domain has neither a mail host nor an address")]
    NoMailHost,
    /// None of its mail hosts has an address.
    #[error("no mail host of the domain has an address")]
    NoAddress,
    /// What addresses its mail hosts have lead nowhere in public.
    #[error("the mail hosts of the domain have no public address")]
    ForbiddenAddress,
    /// We are its best mail host ourselves.
    #[error("the mail of the domain leads back to this host")]
    Loop,
    /// An alias leads nowhere, or in a circle.
    #[error("an alias of the domain leads nowhere")]
    BrokenAlias,
    /// The DNS gave no answer that could be used.
    #[error("the DNS does not answer for the domain")]
    DnsFailed,
    /// The DNS gave an answer whose signature is wrong or missing.
    #[error("the DNS answer for the domain is not signed as it must be")]
    DnsBogus,
}

impl NoRoute {
    /// Every one of them.
    pub const ALL: [Self; 10] = [
        Self::Unrouted,
        Self::NoSuchDomain,
        Self::NullMx,
        Self::NoMailHost,
        Self::NoAddress,
        Self::ForbiddenAddress,
        Self::Loop,
        Self::BrokenAlias,
        Self::DnsFailed,
        Self::DnsBogus,
    ];

    /// Its name in logs, metrics and `docs/delivery.md`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unrouted => "unrouted",
            Self::NoSuchDomain => "no_such_domain",
            Self::NullMx => "null_mx",
            Self::NoMailHost => "no_mail_host",
            Self::NoAddress => "no_address",
            Self::ForbiddenAddress => "forbidden_address",
            Self::Loop => "loop",
            Self::BrokenAlias => "broken_alias",
            Self::DnsFailed => "dns_failed",
            Self::DnsBogus => "dns_bogus",
        }
    }

    /// What it means for a message: later where the answer may change by itself or could not be had, never where the
    /// DNS says so for good.
    #[must_use]
    pub fn outcome(&self) -> AttemptOutcome {
        let never = |code, enhanced| {
            let reply = Reply {
                code,
                enhanced: Some(enhanced),
                text: Personal::Known(self.to_string()),
            };
            classify_reply(reply, Answered::Recipient)
        };
        let later = |reason| AttemptOutcome::Deferred { reason, reply: None };
        match self {
            Self::Unrouted => later(DeferralReason::NoRoute),
            Self::DnsFailed | Self::BrokenAlias => later(DeferralReason::DnsFailed),
            Self::DnsBogus => later(DeferralReason::DnsBogus),
            Self::NoSuchDomain => never(550, EnhancedStatus(5, 1, 2)),
            // RFC 7505 §4.2: 556 and 5.1.10.
            Self::NullMx => never(556, EnhancedStatus(5, 1, 10)),
            // RFC 3463 §3.5: X.4.4 is "unable to route", which says nothing of the mailbox.
            Self::NoMailHost | Self::NoAddress | Self::ForbiddenAddress => never(550, EnhancedStatus(5, 4, 4)),
            Self::Loop => never(554, EnhancedStatus(5, 4, 6)),
        }
    }
}

#[cfg(test)]
mod tests {
    use sealpost_domain::message::BounceKind;

    use super::*;

    #[test]
    fn a_site_is_a_set_of_hosts_whatever_their_order() {
        let one = SiteKey::of_hosts(["b.test", "a.test"].into_iter(), 25);
        assert_eq!(one, SiteKey::of_hosts(["a.test", "b.test", "a.test"].into_iter(), 25));
        assert_ne!(one, SiteKey::of_hosts(["a.test", "b.test"].into_iter(), 26));
        assert_ne!(one, SiteKey::of_hosts(["a.test"].into_iter(), 25));
    }

    #[test]
    fn only_what_the_dns_proves_is_a_never_and_only_two_of_those_are_about_the_mailbox() {
        for no_route in NoRoute::ALL {
            let outcome = no_route.outcome();
            let expected = match no_route {
                NoRoute::NoSuchDomain | NoRoute::NullMx => Some(BounceKind::Hard),
                NoRoute::NoMailHost | NoRoute::NoAddress | NoRoute::ForbiddenAddress | NoRoute::Loop => {
                    Some(BounceKind::Soft)
                }
                _ => None,
            };
            match (outcome, expected) {
                (AttemptOutcome::Bounced { kind, .. }, Some(expected)) => assert_eq!(kind, expected, "{no_route}"),
                (AttemptOutcome::Deferred { .. }, None) => {}
                (outcome, _) => panic!("{no_route}: {outcome:?}"),
            }
        }
    }

    #[test]
    fn every_one_stands_in_the_document_with_what_follows() {
        let document = include_str!("../../docs/delivery.md");
        for no_route in NoRoute::ALL {
            let row = document
                .lines()
                .find(|line| line.starts_with(&format!("| `{}` |", no_route.name())));
            let row = row.unwrap_or_else(|| panic!("{} is missing", no_route.name()));
            let follows = match no_route.outcome() {
                AttemptOutcome::Deferred { reason, .. } => {
                    let word = serde_json::to_value(reason).unwrap();
                    format!("deferred, `{}`", word.as_str().unwrap())
                }
                AttemptOutcome::Bounced { reply, .. } => {
                    format!("bounced, `{} {}`", reply.code, reply.enhanced.unwrap())
                }
                other => panic!("{other:?}"),
            };
            assert!(row.contains(&follows), "{row}: {follows}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let login = Arc::new(Login::new("ann", Zeroizing::new("open sesame".to_owned())));
        let plan = RoutePlan::fixed("smart.test", 587, TlsDemand::Encrypted, TlsStart::StartTls, Some(login));
        assert!(!format!("{plan:?}").contains("sesame"));
    }
}
