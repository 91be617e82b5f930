//! From a recipient domain to the plan of its mail: MX, or the domain's own address where there is provably no MX.

use std::collections::BTreeSet;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sealpost_domain::address::DomainName;
use sealpost_domain::limits::{ADDRESSES_PER_HOST_MAX, DOMAINS_RESOLVED_MAX, MAIL_HOSTS_MAX};

use super::address_rule::AddressRule;
use super::cache::Cache;
use super::dns::{Dns, DnsFailure, Exchanger, Family, Found};
use crate::actors::{Addresses, Authenticity, NoRoute, PlannedHost, RoutePlan, SiteKey, TlsDemand, TlsStart};
use crate::clock::Clock;

/// Shortest time that an answer is kept, whatever its own says: a zone with a time to live of nothing costs as much as
/// any other.
const KEEP_MIN: Duration = Duration::from_secs(30);
/// Longest time that "there is none" is kept.
const KEEP_ABSENCE_MAX: Duration = Duration::from_secs(900);
/// How long it is kept that the DNS did not answer: all mail of a domain asks once.
const KEEP_FAILURE: Duration = Duration::from_secs(10);

/// Whether IPv6 addresses are of any use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ipv6 {
    /// Where the host has a route to the public network by it.
    WhereRouted,
    /// In any case.
    Always,
    /// In none.
    Never,
}

/// What a lookup is made of.
pub struct MxLookupConfig {
    /// Who is asked.
    pub dns: Arc<dyn Dns>,
    /// The time, for what is kept.
    pub clock: Arc<dyn Clock>,
    /// Which addresses mail may be taken to.
    pub rule: AddressRule,
    /// Whether IPv6 is used.
    pub ipv6: Ipv6,
    /// Our own host name: mail that an MX leads back to it would go in a circle.
    pub own_name: String,
    /// Port of the mail hosts; 25 outside of tests.
    pub port: u16,
    /// Longest time that an answer is kept.
    pub keep_max: Duration,
}

/// Finds the mail hosts of domains, and remembers them.
pub struct MxLookup {
    config: MxLookupConfig,
    cache: Cache<DomainName, Result<Arc<RoutePlan>, NoRoute>>,
}

/// What is known of one mail host.
enum Known {
    Reachable(PlannedHost, Duration),
    Unreachable(NoRoute),
}

/// The mail hosts that a domain names, or is.
struct Named {
    exchangers: Vec<Exchanger>,
    authenticity: Authenticity,
    ttl: Duration,
    /// What it is called when none of them has an address.
    without_address: NoRoute,
}

impl MxLookup {
    /// A lookup that knows nothing yet.
    #[must_use]
    pub fn new(config: MxLookupConfig) -> Self {
        let entries_max = usize::try_from(DOMAINS_RESOLVED_MAX).unwrap_or(usize::MAX);
        Self {
            config,
            cache: Cache::new(entries_max),
        }
    }

    /// The plan for a domain's mail.
    ///
    /// # Errors
    /// As [`NoRoute`] says.
    pub async fn plan(&self, domain: &DomainName) -> Result<Arc<RoutePlan>, NoRoute> {
        let now = self.config.clock.now();
        if let Some(known) = self.cache.get(domain, now) {
            return known;
        }
        let (result, keep) = match self.resolve(domain).await {
            Ok((mut plan, keep)) => {
                plan.valid_until = Some(now.plus(keep));
                (Ok(Arc::new(plan)), keep)
            }
            Err((no_route, keep)) => {
                tracing::info!(destination.domain = %domain, reason = no_route.name(), "no route by MX");
                (Err(no_route), keep)
            }
        };
        self.cache.put(domain.clone(), result.clone(), now.plus(keep));
        result
    }

    async fn resolve(&self, domain: &DomainName) -> Result<(RoutePlan, Duration), (NoRoute, Duration)> {
        let named = self.named(domain).await?;
        let all = named.exchangers.len();
        let exchangers = self.before_us(named.exchangers);
        if exchangers.is_empty() && all > 0 {
            return Err((NoRoute::Loop, self.keep(named.ttl)));
        }
        let site = SiteKey::of_hosts(exchangers.iter().map(|one| one.name.as_str()), self.config.port);
        let families: &[Family] = if self.uses_ipv6() {
            &[Family::V4, Family::V6]
        } else {
            &[Family::V4]
        };
        let known = join_all(exchangers.into_iter().map(|one| self.host(one, families))).await;
        let (mut hosts, mut ttl, mut unreachable) = (Vec::new(), named.ttl, BTreeSet::new());
        for host in known {
            match host {
                Known::Reachable(host, its_ttl) => {
                    ttl = ttl.min(its_ttl);
                    hosts.push(host);
                }
                Known::Unreachable(no_route) => drop(unreachable.insert(Rank(no_route))),
            }
        }
        if hosts.is_empty() {
            // What may be a matter of time comes before what is said for good.
            return Err(match unreachable.pop_first() {
                None | Some(Rank(NoRoute::NoAddress)) => (named.without_address, self.keep_absence(ttl)),
                Some(Rank(NoRoute::ForbiddenAddress)) => (NoRoute::ForbiddenAddress, self.keep_absence(ttl)),
                Some(Rank(no_route)) => (no_route, KEEP_FAILURE),
            });
        }
        let missing = unreachable.iter().any(|rank| rank.0 != NoRoute::NoAddress);
        let keep = if missing { KEEP_MIN } else { self.keep(ttl) };
        let plan = RoutePlan {
            site,
            hosts,
            port: self.config.port,
            tls: TlsDemand::Opportunistic,
            start: TlsStart::StartTls,
            login: None,
            authenticity: named.authenticity,
            valid_until: None,
        };
        Ok((plan, keep))
    }

    /// The hosts that the domain names by MX, the best first.
    async fn named(&self, domain: &DomainName) -> Result<Named, (NoRoute, Duration)> {
        match self.config.dns.exchangers(domain.as_str()).await {
            Ok(found) => self.by_mx(found),
            // RFC 5321 §5.1: only where there is no MX, the domain itself is its mail host.
            Err(DnsFailure::NoRecords { ttl, authenticity }) => Ok(Named {
                exchangers: vec![Exchanger {
                    preference: 0,
                    name: domain.as_str().to_owned(),
                }],
                authenticity,
                ttl,
                without_address: NoRoute::NoMailHost,
            }),
            Err(DnsFailure::NoSuchName { ttl, .. }) => Err((NoRoute::NoSuchDomain, self.keep_absence(ttl))),
            Err(failure) => Err((unanswered(&failure), KEEP_FAILURE)),
        }
    }

    fn by_mx(&self, found: Found<Exchanger>) -> Result<Named, (NoRoute, Duration)> {
        let mut exchangers = found.records;
        // RFC 7505 §3: a null MX stands alone. Beside others it names no host, and they are taken.
        exchangers.retain(|one| !one.name.is_empty());
        if exchangers.is_empty() {
            return Err((NoRoute::NullMx, self.keep_absence(found.ttl)));
        }
        exchangers.sort();
        let mut seen = BTreeSet::new();
        exchangers.retain(|one| seen.insert(one.name.clone()));
        Ok(Named {
            exchangers,
            authenticity: found.authenticity,
            ttl: found.ttl,
            without_address: NoRoute::NoAddress,
        })
    }

    /// RFC 5321 §5.1: where we are a mail host of the domain, only those that are preferred to us may be tried. Of the rest
    /// no more than a bound.
    fn before_us(&self, mut exchangers: Vec<Exchanger>) -> Vec<Exchanger> {
        let own = exchangers
            .iter()
            .find(|one| one.name.eq_ignore_ascii_case(&self.config.own_name));
        if let Some(own) = own.map(|one| one.preference) {
            exchangers.retain(|one| one.preference < own);
        }
        exchangers.truncate(usize::try_from(MAIL_HOSTS_MAX).unwrap_or(usize::MAX));
        exchangers
    }

    async fn host(&self, exchanger: Exchanger, families: &[Family]) -> Known {
        let asked = families
            .iter()
            .map(|family| self.config.dns.addresses(&exchanger.name, *family));
        let (mut addresses, mut forbidden, mut failed) = (Vec::new(), false, None);
        let (mut ttl, mut authenticity) = (Duration::MAX, Authenticity::Secure);
        for answer in join_all(asked).await {
            match answer {
                Ok(found) => {
                    ttl = ttl.min(found.ttl);
                    authenticity = authenticity.min(found.authenticity);
                    let (allowed, refused): (Vec<IpAddr>, Vec<IpAddr>) =
                        found.records.into_iter().partition(|one| self.config.rule.allows(*one));
                    forbidden |= !refused.is_empty();
                    addresses.extend(allowed.into_iter().enumerate());
                }
                Err(failure) if failure.is_absence() => {}
                Err(failure) => failed = Some(unanswered(&failure)),
            }
        }
        // One of each family in turn, so that the bound never leaves out a whole family.
        addresses.sort_by_key(|(place, _)| *place);
        addresses.truncate(usize::try_from(ADDRESSES_PER_HOST_MAX).unwrap_or(usize::MAX));
        let addresses: Vec<IpAddr> = addresses.into_iter().map(|(_, address)| address).collect();
        match (addresses.is_empty(), failed) {
            (false, _) => Known::Reachable(
                PlannedHost {
                    name: exchanger.name,
                    preference: exchanger.preference,
                    addresses: Addresses::Known(addresses),
                    authenticity,
                },
                ttl,
            ),
            (true, Some(no_route)) => Known::Unreachable(no_route),
            (true, None) if forbidden => Known::Unreachable(NoRoute::ForbiddenAddress),
            (true, None) => Known::Unreachable(NoRoute::NoAddress),
        }
    }

    fn uses_ipv6(&self) -> bool {
        match self.config.ipv6 {
            Ipv6::Always => true,
            Ipv6::Never => false,
            Ipv6::WhereRouted => has_ipv6_route(),
        }
    }

    fn keep(&self, ttl: Duration) -> Duration {
        ttl.min(self.config.keep_max).max(KEEP_MIN)
    }

    fn keep_absence(&self, ttl: Duration) -> Duration {
        self.keep(ttl.min(KEEP_ABSENCE_MAX))
    }
}

/// The reasons for which a host is not reached, the most hopeful first.
#[derive(Debug, PartialEq, Eq)]
struct Rank(NoRoute);

impl Rank {
    const fn place(&self) -> u8 {
        match self.0 {
            NoRoute::DnsBogus => 0,
            NoRoute::DnsFailed => 1,
            NoRoute::BrokenAlias => 2,
            NoRoute::ForbiddenAddress => 3,
            _ => 4,
        }
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place().cmp(&other.place())
    }
}

/// What it means for the mail that there was no answer. Never that there is no mail host.
fn unanswered(failure: &DnsFailure) -> NoRoute {
    match failure {
        DnsFailure::Bogus => NoRoute::DnsBogus,
        DnsFailure::BrokenAlias => NoRoute::BrokenAlias,
        DnsFailure::ServerFailed(_)
        | DnsFailure::TimedOut
        | DnsFailure::Unasked
        | DnsFailure::NoSuchName { .. }
        | DnsFailure::NoRecords { .. } => NoRoute::DnsFailed,
    }
}

/// Whether the kernel knows a way to a public IPv6 address. Nothing is sent.
fn has_ipv6_route() -> bool {
    let connected = UdpSocket::bind("[::]:0").and_then(|socket| socket.connect("[2001:4860:4860::8888]:53"));
    connected.is_ok()
}
