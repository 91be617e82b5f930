//! Zones in memory, with failures where a test wants them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use sealpost_domain::Instant;
use sealpost_domain::address::DomainName;

use super::super::{AddressRule, Dns, DnsFailure, Exchanger, Family, Found, Ipv6, MxLookup, MxLookupConfig, Naming};
use crate::actors::{Authenticity, NoRoute, RoutePlan};
use crate::clock::Clock;

/// A clock that is set by hand.
#[derive(Default)]
pub struct Hands(Mutex<i64>);

impl Hands {
    pub fn advance(&self, span: Duration) {
        *self.0.lock() += i64::try_from(span.as_millis()).unwrap();
    }
}

impl Clock for Hands {
    fn now(&self) -> Instant {
        Instant::from_millis(*self.0.lock())
    }
}

/// What the DNS says.
pub struct Zones {
    pub mx: BTreeMap<String, Vec<(u16, String)>>,
    pub addresses: BTreeMap<String, Vec<IpAddr>>,
    /// Names for which there is another answer, with the kind that it is given for.
    pub failures: BTreeMap<(String, &'static str), DnsFailure>,
    pub ttl: Duration,
    pub authenticity: Authenticity,
    pub questions: AtomicUsize,
}

pub const ABSENT: DnsFailure = DnsFailure::NoRecords {
    ttl: Duration::from_secs(300),
    authenticity: Authenticity::Insecure,
};

impl Zones {
    pub fn new() -> Self {
        Self {
            mx: BTreeMap::new(),
            addresses: BTreeMap::new(),
            failures: BTreeMap::new(),
            ttl: Duration::from_secs(300),
            authenticity: Authenticity::Insecure,
            questions: AtomicUsize::new(0),
        }
    }

    /// `domain MX preference host`, in whatever order.
    pub fn mx(mut self, domain: &str, hosts: &[(u16, &str)]) -> Self {
        let hosts = hosts.iter().map(|(preference, host)| (*preference, (*host).to_owned()));
        self.mx.entry(domain.to_owned()).or_default().extend(hosts);
        self
    }

    pub fn host(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.addresses.insert(name.to_owned(), addresses);
        self
    }

    pub fn failing(mut self, name: &str, kind: &'static str, failure: DnsFailure) -> Self {
        self.failures.insert((name.to_owned(), kind), failure);
        self
    }

    fn answer<T>(&self, name: &str, kind: &'static str, records: Vec<T>) -> Result<Found<T>, DnsFailure> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        if let Some(failure) = self.failures.get(&(name.to_owned(), kind)) {
            return Err(failure.clone());
        }
        if records.is_empty() {
            return Err(ABSENT);
        }
        Ok(Found {
            records,
            naming: Naming::Own,
            authenticity: self.authenticity,
            ttl: self.ttl,
        })
    }
}

#[async_trait]
impl Dns for Zones {
    async fn exchangers(&self, name: &str) -> Result<Found<Exchanger>, DnsFailure> {
        let records = self.mx.get(name).into_iter().flatten();
        let records = records.map(|(preference, name)| Exchanger {
            preference: *preference,
            name: name.clone(),
        });
        self.answer(name, "mx", records.collect())
    }

    async fn addresses(&self, name: &str, family: Family) -> Result<Found<IpAddr>, DnsFailure> {
        let records = self.addresses.get(name).into_iter().flatten().copied();
        match family {
            Family::V4 => self.answer(name, "a", records.filter(IpAddr::is_ipv4).collect()),
            Family::V6 => self.answer(name, "aaaa", records.filter(IpAddr::is_ipv6).collect()),
        }
    }
}

/// A lookup in these zones, by both families, to public addresses only.
pub fn lookup_with(zones: &Arc<Zones>, change: impl FnOnce(&mut MxLookupConfig)) -> (MxLookup, Arc<Hands>) {
    let clock = Arc::new(Hands::default());
    let mut config = MxLookupConfig {
        dns: zones.clone(),
        clock: clock.clone(),
        rule: AddressRule::PublicOnly,
        ipv6: Ipv6::Always,
        own_name: "us.example".to_owned(),
        port: 25,
        keep_max: Duration::from_secs(3_600),
    };
    change(&mut config);
    (MxLookup::new(config), clock)
}

/// The plan of a domain in these zones.
pub async fn plan(zones: Zones, domain: &str) -> Result<Arc<RoutePlan>, NoRoute> {
    let (lookup, _) = lookup_with(&Arc::new(zones), |_| {});
    lookup.plan(&DomainName::parse(domain).unwrap()).await
}
