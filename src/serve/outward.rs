//! The way out: who resolves names, where mail goes, and what hands it over.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::{Ports, StartFailure};
use crate::actors::Attempt;
use crate::clock::draw_seed;
use crate::config::Config;
use crate::delivery::attempt::{Deliverer, DelivererConfig, Dialling};
use crate::delivery::mx::{AddressRule, Ipv6, Ipv6Use, MxLookup, MxLookupConfig, Resolver};
use crate::delivery::{Elsewhere, LetterWriter, RouteTable, Signers};
use crate::log::Log;
use crate::smtp::client::TlsClient;
use crate::smtp::wire::HelloName;
use crate::vault::Vault;

/// Where domains lead: the table first, then the smarthost, then the DNS.
pub(super) fn routes(config: &Config, ports: &Ports) -> Result<RouteTable, StartFailure> {
    let (exact, smarthost) = config.route_table()?;
    let elsewhere = match smarthost {
        Some(plan) => Elsewhere::Smarthost(Arc::new(plan)),
        None if config.delivery.by_mx => Elsewhere::ByMx(lookup(config, ports)?),
        None => Elsewhere::Nowhere,
    };
    Ok(RouteTable::new(exact, elsewhere))
}

fn lookup(config: &Config, ports: &Ports) -> Result<MxLookup, StartFailure> {
    let dns = &config.dns;
    Ok(MxLookup::new(MxLookupConfig {
        dns: Arc::new(Resolver::new(dns)?),
        clock: ports.clock.clone(),
        rule: if dns.allow_private {
            AddressRule::Any
        } else {
            AddressRule::PublicOnly
        },
        ipv6: match dns.ipv6 {
            Ipv6Use::Auto => Ipv6::WhereRouted,
            Ipv6Use::Always => Ipv6::Always,
            Ipv6Use::Never => Ipv6::Never,
        },
        own_name: config.host.clone(),
        port: ports.mx_port,
        keep_max: Duration::from_secs(dns.keep_s_max.into()),
    }))
}

/// What hands mail over.
pub(super) fn deliverer(
    config: &Config,
    ports: &Ports,
    log: &Log,
    vault: &Vault,
) -> Result<Arc<dyn Attempt>, StartFailure> {
    let letters = LetterWriter::new(
        vault.clone(),
        Signers::new(log.source(), config.delivery.dkim),
        &config.host,
    );
    let dialling = Dialling {
        hello: HelloName::parse(&config.host)?,
        timeouts: ports.timeouts,
        tls: TlsClient::new(roots(config.delivery.extra_roots.as_deref())?),
        seed: Arc::new(draw_seed),
    };
    Ok(Arc::new(Deliverer::new(DelivererConfig { dialling, letters })))
}

/// The authorities whose certificates count: the system's, and the configuration's own.
fn roots(extra: Option<&Path>) -> Result<RootCertStore, StartFailure> {
    let mut roots = RootCertStore::empty();
    let bundle = Path::new("/etc/ssl/certs/ca-certificates.crt");
    let system = CertificateDer::pem_file_iter(bundle).into_iter().flatten().flatten();
    let (taken, ignored) = roots.add_parsable_certificates(system);
    tracing::debug!(taken, ignored, "system roots read");
    if let Some(path) = extra {
        let failed = |source| StartFailure::Roots {
            path: path.to_owned(),
            source,
        };
        for certificate in CertificateDer::pem_file_iter(path).map_err(failed)? {
            roots.add_parsable_certificates([certificate.map_err(failed)?]);
        }
    }
    Ok(roots)
}
