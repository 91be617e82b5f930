//! Reads what the resolver library answers: records of one kind, or the reason why there are none.

use std::collections::BTreeSet;
use std::time::Duration;

use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::dnssec::{DnssecSummary, Proof};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use super::dns::{DnsFailure, Found, Naming};
use crate::actors::Authenticity;

/// Most aliases that one answer may lead through.
pub(super) const ALIASES_MAX: usize = 8;

/// How long an absence may be believed that says nothing of that itself.
const ABSENCE_TTL: Duration = Duration::from_secs(60);

/// The aliases that were followed on the way to an answer.
pub(super) struct Followed {
    links: usize,
    authenticity: Authenticity,
}

impl Default for Followed {
    fn default() -> Self {
        Self {
            links: 0,
            authenticity: Authenticity::Secure,
        }
    }
}

impl Followed {
    /// So many more links.
    pub(super) fn links(&mut self, count: usize, authenticity: Authenticity) {
        self.links = self.links.saturating_add(count);
        self.authenticity = self.authenticity.min(authenticity);
    }

    /// What a failure at this end means for the name at the beginning: where an alias leads to what does not exist, the
    /// name itself does, and whoever mends it wants the mail.
    pub(super) fn end_in(&self, failure: DnsFailure) -> DnsFailure {
        match failure {
            DnsFailure::NoSuchName { .. } if self.links > 0 => DnsFailure::BrokenAlias,
            other => other,
        }
    }
}

/// The records that `pick` takes out of an answer, at the end of what was followed before.
pub(super) fn found<T>(
    lookup: &Lookup,
    followed: &Followed,
    pick: impl Fn(&RData) -> Option<T>,
) -> Result<Found<T>, DnsFailure> {
    let answers = lookup.answers();
    let records: Vec<T> = answers.iter().filter_map(|record| pick(&record.data)).collect();
    // By owner: where each answer along a chain carries the rest of it, the library hands a link out as often as it came.
    let aliases = answers.iter().filter(|one| one.record_type() == RecordType::CNAME);
    let within: BTreeSet<&Name> = aliases.map(|alias| &alias.name).collect();
    let links = followed.links.saturating_add(within.len());
    if links > ALIASES_MAX {
        return Err(DnsFailure::BrokenAlias);
    }
    let ttl = answers.iter().map(|record| record.ttl).min().unwrap_or(0);
    let ttl = Duration::from_secs(ttl.into());
    let authenticity = authenticity(answers).min(followed.authenticity);
    if records.is_empty() {
        return Err(DnsFailure::NoRecords { ttl, authenticity });
    }
    Ok(Found {
        records,
        naming: if links == 0 { Naming::Own } else { Naming::Alias },
        authenticity,
        ttl,
    })
}

/// What an error of the library means for the name that was asked for.
pub(super) fn failure(asked: &Name, error: &NetError) -> DnsFailure {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => absence(asked, none),
        NetError::Dns(DnsError::Nsec { response, proof, .. }) if *proof == Proof::Insecure => {
            let ttl = response
                .negative_ttl()
                .map_or(ABSENCE_TTL, |ttl| Duration::from_secs(ttl.into()));
            by_code(response.response_code, ttl, Authenticity::Insecure)
        }
        NetError::Dns(DnsError::Nsec { .. } | DnsError::DnssecBogus) => DnsFailure::Bogus,
        NetError::Dns(DnsError::ResponseCode(code)) => DnsFailure::ServerFailed(code.to_str().to_owned()),
        NetError::Timeout => DnsFailure::TimedOut,
        _ => DnsFailure::Unasked,
    }
}

fn absence(asked: &Name, none: &NoRecords) -> DnsFailure {
    // RFC 2308 §5: the shorter of the SOA's own time and of what it says for absences.
    let ttl = none.soa.as_ref().map_or(ABSENCE_TTL, |soa| {
        Duration::from_secs(soa.ttl.min(soa.data.minimum).into())
    });
    let authenticity = authenticity(none.authorities.as_deref().unwrap_or_default());
    // What does not exist is the end of an alias.
    if none.response_code == ResponseCode::NXDomain && none.query.name() != asked {
        return DnsFailure::BrokenAlias;
    }
    by_code(none.response_code, ttl, authenticity)
}

fn by_code(code: ResponseCode, ttl: Duration, authenticity: Authenticity) -> DnsFailure {
    match code {
        ResponseCode::NXDomain => DnsFailure::NoSuchName { ttl, authenticity },
        ResponseCode::NoError => DnsFailure::NoRecords { ttl, authenticity },
        other => DnsFailure::ServerFailed(other.to_str().to_owned()),
    }
}

/// Whether an absence came with the SOA of its zone. One without may be an alias that the library gave up upon.
pub(super) fn has_soa(error: &NetError) -> bool {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => none.soa.is_some(),
        _ => true,
    }
}

fn authenticity(records: &[Record]) -> Authenticity {
    match DnssecSummary::from_records(records.iter()) {
        DnssecSummary::Secure => Authenticity::Secure,
        DnssecSummary::Insecure | DnssecSummary::Bogus => Authenticity::Insecure,
    }
}
