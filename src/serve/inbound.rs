//! Opens and closes the server for reports, and says where they go, as the configuration says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sealpost_domain::Instant;
use sealpost_domain::address::{DomainName, Mailbox};
use sealpost_domain::ids::MessageId;

use super::server::certificate;
use super::{Engine, StartFailure};
use crate::access::Strangers;
use crate::config::Config;
use crate::delivery::report::ReportOffice;
use crate::intake::ReversePaths;
use crate::smtp::server::inbound::{Inbound, InboundParts, InboundSettings};
use crate::vault::ReturnPaths;

/// Opens it where it has a listener.
pub(super) fn open(
    config: &Config,
    engine: &Engine,
    strangers: &Strangers,
    now: Instant,
) -> Result<Option<Inbound>, StartFailure> {
    let listen = config.bounces.listen.clone();
    let Some(domain) = config.bounces.domain()?.filter(|_| !listen.is_empty()) else {
        return Ok(None);
    };
    let drain = Duration::from_secs(config.delivery.drain_s.into());
    let paths = engine.vault().return_paths();
    let parts = InboundParts {
        reports: Arc::new(ReportOffice::new(engine.accounts().clone(), paths, domain.clone())),
        strangers: strangers.clone(),
        tls: Some(Arc::new(certificate(config).server_config(now)?)),
    };
    let settings = InboundSettings::new(&config.host, domain, listen, drain);
    Ok(Some(Inbound::open(settings, parts)?))
}

/// Closes it where it is open.
pub(super) async fn close(inbound: Option<Inbound>) {
    if let Some(inbound) = inbound {
        inbound.close().await;
    }
}

/// The first listener.
pub(super) fn address(inbound: Option<&Inbound>) -> Option<SocketAddr> {
    inbound?.addresses().first().copied()
}

/// Where reports on a message go.
pub(super) fn reverse_paths(config: &Config, engine: &Engine) -> Arc<dyn ReversePaths> {
    match config.bounces.domain() {
        Ok(Some(domain)) => Arc::new(Signed {
            paths: engine.vault().return_paths(),
            domain,
        }),
        // A configuration that is refused starts nothing.
        Ok(None) | Err(_) => Arc::new(HeaderFrom),
    }
}

/// To a signed address of the bounce domain.
struct Signed {
    paths: ReturnPaths,
    domain: DomainName,
}

impl ReversePaths for Signed {
    fn reverse_path(&self, message: MessageId, header_from: &Mailbox) -> Mailbox {
        let signed = format!("{}@{}", self.paths.local_part(message), self.domain.as_str());
        Mailbox::parse(&signed).unwrap_or_else(|_| header_from.clone())
    }
}

/// To the header From's address.
struct HeaderFrom;

impl ReversePaths for HeaderFrom {
    fn reverse_path(&self, _message: MessageId, header_from: &Mailbox) -> Mailbox {
        header_from.clone()
    }
}
