//! Asks resolvers over the network, validates what they answer, and bounds how much is asked at once.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::dnssec::TrustAnchors;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{TokioResolver, system_conf};
use sealpost_domain::limits::DNS_QUESTIONS_AT_ONCE;
use thiserror::Error;
use tokio::sync::{OnceCell, Semaphore};

use super::answers::{ALIASES_MAX, Followed, failure, found, has_soa};
use super::dns::{Dns, DnsFailure, Exchanger, Family, Found};
use super::settings::{DnsConfig, DnsValidation};
use crate::actors::Authenticity;

/// Answers that the library keeps; what is kept of domains stands in the lookup's own memory.
const ANSWERS_KEPT: u64 = 4_096;
/// How much longer than one try a question may take with all that its validation asks.
const TRIES_MAX: u32 = 6;

/// Why there is no resolver.
#[derive(Debug, Error)]
pub enum ResolverFailure {
    /// The trust anchors cannot be read.
    #[error("the trust anchors of {path} cannot be read")]
    TrustAnchor {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The library refuses the settings.
    #[error("the resolver cannot be made")]
    Build(#[source] NetError),
}

/// A resolver. Cheap to clone.
#[derive(Clone)]
pub struct Resolver(Arc<Inner>);

struct Inner {
    validating: Option<TokioResolver>,
    believing: TokioResolver,
    validation: DnsValidation,
    /// Whether the resolvers hand signatures through; found out at the first question.
    hands_through: OnceCell<bool>,
    permits: Semaphore,
    question_max: Duration,
}

impl Resolver {
    /// A resolver as the settings say.
    ///
    /// # Errors
    /// As [`ResolverFailure`] says.
    pub fn new(config: &DnsConfig) -> Result<Self, ResolverFailure> {
        let servers = servers(&config.servers);
        let try_max = Duration::from_millis(config.timeout_ms.into());
        let options = options(try_max, Duration::from_secs(config.keep_s_max.into()));
        let anchors = config.trust_anchor.as_deref().map(anchors).transpose()?;
        // Anchors that somebody took the trouble to name are no suggestion.
        let validation = if anchors.is_some() {
            DnsValidation::Always
        } else {
            config.validation
        };
        let validating = match validation {
            DnsValidation::Never => None,
            DnsValidation::Auto | DnsValidation::Always => Some(build(
                servers.clone(),
                options.clone(),
                Some(anchors.unwrap_or_default()),
            )?),
        };
        let permits = usize::try_from(DNS_QUESTIONS_AT_ONCE).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Self(Arc::new(Inner {
            validating,
            believing: build(servers, options, None)?,
            validation,
            hands_through: OnceCell::new(),
            permits: Semaphore::new(permits),
            question_max: try_max.saturating_mul(TRIES_MAX),
        })))
    }

    /// Whether answers are validated; asks the resolvers the first time.
    pub async fn validates(&self) -> bool {
        match (self.0.validation, &self.0.validating) {
            (DnsValidation::Never, _) | (_, None) => false,
            (DnsValidation::Always, Some(_)) => true,
            (DnsValidation::Auto, Some(validating)) => {
                let known = self.0.hands_through.get_or_try_init(|| hands_through(validating)).await;
                // Without an answer nothing is known: this question is validated, the next one asks again.
                *known.unwrap_or(&true)
            }
        }
    }

    async fn ask<T>(
        &self,
        name: &str,
        kind: RecordType,
        pick: impl Fn(&RData) -> Option<T> + Send,
    ) -> Result<Found<T>, DnsFailure> {
        let asked = absolute(name)?;
        let Ok(_permit) = self.0.permits.acquire().await else {
            return Err(DnsFailure::Unasked);
        };
        let answered = tokio::time::timeout(self.0.question_max, self.answer(asked, kind, pick)).await;
        let result = answered.unwrap_or(Err(DnsFailure::TimedOut));
        metrics::counter!("sealpost_dns_questions_total", "answer" => word(&result)).increment(1);
        result
    }

    /// Asks, and follows an alias link by link where the library does not come to its end: it gives up upon long chains
    /// with what looks like an absence, and calls sound answers bogus that carry the proofs of another link.
    async fn answer<T>(
        &self,
        mut name: Name,
        kind: RecordType,
        pick: impl Fn(&RData) -> Option<T> + Send,
    ) -> Result<Found<T>, DnsFailure> {
        let resolver = match (self.validates().await, &self.0.validating) {
            (true, Some(validating)) => validating,
            _ => &self.0.believing,
        };
        let mut followed = Followed::default();
        for _ in 0..=ALIASES_MAX {
            let error = match resolver.lookup(name.clone(), kind).await {
                Ok(lookup) => return found(&lookup, &followed, pick),
                Err(error) => error,
            };
            let failure = failure(&name, &error);
            let alias = match failure {
                DnsFailure::Bogus => alias(resolver, &name).await,
                _ if failure.is_absence() && !has_soa(&error) => alias(resolver, &name).await,
                _ => None,
            };
            let Some(alias) = alias else {
                if !failure.is_absence() {
                    tracing::info!(dns.name = %name, dns.kind = %kind, error = %failure, "the DNS did not answer");
                }
                return Err(followed.end_in(failure));
            };
            followed.links(alias.links, alias.authenticity);
            name = alias.target;
        }
        Err(DnsFailure::BrokenAlias)
    }
}

#[async_trait]
impl Dns for Resolver {
    async fn exchangers(&self, name: &str) -> Result<Found<Exchanger>, DnsFailure> {
        let pick = |data: &RData| match data {
            RData::MX(mx) => Some(Exchanger {
                preference: mx.preference,
                name: mx.exchange.to_ascii().trim_end_matches('.').to_ascii_lowercase(),
            }),
            _ => None,
        };
        self.ask(name, RecordType::MX, pick).await
    }

    async fn addresses(&self, name: &str, family: Family) -> Result<Found<IpAddr>, DnsFailure> {
        let pick = |data: &RData| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        };
        let kind = match family {
            Family::V4 => RecordType::A,
            Family::V6 => RecordType::AAAA,
        };
        self.ask(name, kind, pick).await
    }
}

/// The name with its final dot: no search list is to complete a stranger's name.
fn absolute(name: &str) -> Result<Name, DnsFailure> {
    let mut name = Name::from_ascii(name).map_err(|_| DnsFailure::Unasked)?;
    name.set_fqdn(true);
    Ok(name)
}

/// Where a name leads that is an alias.
struct Alias {
    target: Name,
    /// How many links of a chain it is: an answer may carry several.
    links: usize,
    authenticity: Authenticity,
}

/// The alias that a name is; `None` when it is none.
async fn alias(resolver: &TokioResolver, name: &Name) -> Option<Alias> {
    let lookup = resolver.lookup(name.clone(), RecordType::CNAME).await.ok()?;
    let target = |data: &RData| match data {
        RData::CNAME(target) => Some(target.0.clone()),
        _ => None,
    };
    let targets = found(&lookup, &Followed::default(), target).ok()?;
    Some(Alias {
        target: targets.records.last()?.clone(),
        links: targets.records.iter().collect::<BTreeSet<_>>().len(),
        authenticity: targets.authenticity,
    })
}

/// Whether the root's keys validate through these resolvers.
async fn hands_through(validating: &TokioResolver) -> Result<bool, NetError> {
    let answer = validating.lookup(Name::root(), RecordType::DNSKEY).await;
    let hands_through = match answer {
        Ok(lookup) => found(&lookup, &Followed::default(), |data| {
            matches!(data, RData::DNSSEC(_)).then_some(())
        })
        .is_ok_and(|keys| keys.authenticity == Authenticity::Secure),
        Err(error @ (NetError::Timeout | NetError::Io(_) | NetError::NoConnections | NetError::Busy)) => {
            return Err(error);
        }
        Err(_) => false,
    };
    metrics::gauge!("sealpost_dns_validates").set(f64::from(u8::from(hands_through)));
    if !hands_through {
        tracing::warn!("the resolvers do not hand signatures through: DNS answers are not validated");
    }
    Ok(hands_through)
}

fn anchors(path: &Path) -> Result<TrustAnchors, ResolverFailure> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| ResolverFailure::TrustAnchor {
        path: path.to_owned(),
        source,
    };
    let text = std::fs::read_to_string(path).map_err(|source| failed(source.into()))?;
    text.parse::<TrustAnchors>().map_err(|source| failed(source.into()))
}

/// Whom to ask: who is named, else whom the system asks, else this host itself, as the C library does.
fn servers(named: &[SocketAddr]) -> ResolverConfig {
    if named.is_empty() {
        let mut servers = match system_conf::read_system_conf() {
            Ok((system, _)) => system.name_servers().to_vec(),
            Err(failure) => {
                tracing::warn!(error = %failure, "the system names no resolvers: this host is asked itself");
                Vec::new()
            }
        };
        if servers.is_empty() {
            servers.push(NameServerConfig::udp_and_tcp(Ipv4Addr::LOCALHOST.into()));
        }
        return ResolverConfig::from_parts(None, Vec::new(), servers);
    }
    let server = |address: &SocketAddr| {
        let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
        for connection in &mut connections {
            connection.port = address.port();
        }
        NameServerConfig::new(address.ip(), true, connections)
    };
    let servers = named.iter().map(server).collect();
    ResolverConfig::from_parts(None, Vec::new(), servers)
}

fn options(try_max: Duration, keep_max: Duration) -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = try_max;
    options.attempts = 1;
    options.cache_size = ANSWERS_KEPT;
    options.use_hosts_file = ResolveHosts::Never;
    options.positive_max_ttl = Some(keep_max);
    options.negative_max_ttl = Some(keep_max);
    options.preserve_intermediates = true;
    options.max_active_requests = usize::try_from(DNS_QUESTIONS_AT_ONCE).unwrap_or(usize::MAX);
    options
}

fn build(
    servers: ResolverConfig,
    options: ResolverOpts,
    anchors: Option<TrustAnchors>,
) -> Result<TokioResolver, ResolverFailure> {
    let mut builder =
        TokioResolver::builder_with_config(servers, TokioRuntimeProvider::default()).with_options(options);
    // The library's option of the same purpose switches validation on and keeps the root's anchors.
    if let Some(anchors) = anchors {
        builder = builder.with_trust_anchor(Arc::new(anchors));
    }
    builder.build().map_err(ResolverFailure::Build)
}

fn word<T>(result: &Result<Found<T>, DnsFailure>) -> &'static str {
    match result {
        Ok(_) => "found",
        Err(DnsFailure::NoSuchName { .. }) => "no_such_name",
        Err(DnsFailure::NoRecords { .. }) => "no_records",
        Err(DnsFailure::BrokenAlias) => "broken_alias",
        Err(DnsFailure::ServerFailed(_)) => "server_failed",
        Err(DnsFailure::Bogus) => "bogus",
        Err(DnsFailure::TimedOut) => "timed_out",
        Err(DnsFailure::Unasked) => "unasked",
    }
}
