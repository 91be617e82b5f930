//! The route table: which host takes the mail of which domain, and what the connection must give. Where it names none, the
//! domain's own mail hosts do, by MX.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use sealpost_domain::address::DomainName;

use super::mx::MxLookup;
use crate::actors::{NoRoute, RoutePlan, Routes};

/// Where a domain leads that the table does not name.
pub enum Elsewhere {
    /// To this host, all of them.
    Smarthost(Arc<RoutePlan>),
    /// To their own mail hosts.
    ByMx(MxLookup),
    /// Nowhere.
    Nowhere,
}

/// Routes by domain, with a rule for all others.
pub struct RouteTable {
    exact: BTreeMap<DomainName, Arc<RoutePlan>>,
    elsewhere: Elsewhere,
}

impl RouteTable {
    /// A table with these routes.
    #[must_use]
    pub fn new(exact: BTreeMap<DomainName, RoutePlan>, elsewhere: Elsewhere) -> Self {
        let exact = exact.into_iter().map(|(domain, plan)| (domain, Arc::new(plan)));
        Self {
            exact: exact.collect(),
            elsewhere,
        }
    }
}

#[async_trait]
impl Routes for RouteTable {
    async fn plan(&self, domain: &DomainName) -> Result<Arc<RoutePlan>, NoRoute> {
        if let Some(plan) = self.exact.get(domain) {
            return Ok(plan.clone());
        }
        match &self.elsewhere {
            Elsewhere::Smarthost(plan) => Ok(plan.clone()),
            Elsewhere::ByMx(lookup) => lookup.plan(domain).await,
            Elsewhere::Nowhere => Err(NoRoute::Unrouted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::{TlsDemand, TlsStart};

    fn plan(host: &str) -> RoutePlan {
        RoutePlan::fixed(host, 25, TlsDemand::Opportunistic, TlsStart::StartTls, None)
    }

    #[tokio::test]
    async fn a_domain_of_its_own_comes_before_the_rule_for_all_others() {
        let (own, other) = (
            DomainName::parse("own.test").unwrap(),
            DomainName::parse("other.test").unwrap(),
        );
        let exact = BTreeMap::from([(own.clone(), plan("a"))]);
        let table = RouteTable::new(exact.clone(), Elsewhere::Smarthost(Arc::new(plan("b"))));
        assert_eq!(*table.plan(&own).await.unwrap(), plan("a"));
        assert_eq!(*table.plan(&other).await.unwrap(), plan("b"));
        let table = RouteTable::new(exact, Elsewhere::Nowhere);
        assert_eq!(table.plan(&other).await, Err(NoRoute::Unrouted));
    }
}
