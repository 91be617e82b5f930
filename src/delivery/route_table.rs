//! The route table: which host takes the mail of which domain, and what the connection must give.

use std::collections::BTreeMap;

use sealpost_domain::address::DomainName;

use crate::actors::{Route, Routes};

/// Routes by domain, with one for all others.
#[derive(Debug, Clone, Default)]
pub struct RouteTable {
    exact: BTreeMap<DomainName, Route>,
    default: Option<Route>,
}

impl RouteTable {
    /// A table with these routes; `default` is taken for every other domain.
    #[must_use]
    pub fn new(exact: BTreeMap<DomainName, Route>, default: Option<Route>) -> Self {
        Self { exact, default }
    }
}

impl Routes for RouteTable {
    fn route(&self, domain: &DomainName) -> Option<Route> {
        self.exact.get(domain).or(self.default.as_ref()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::TlsDemand;

    fn route(host: &str) -> Route {
        Route {
            host: host.to_owned(),
            port: 25,
            tls: TlsDemand::Opportunistic,
        }
    }

    #[test]
    fn a_domain_of_its_own_comes_before_the_default() {
        let own = DomainName::parse("own.test").unwrap();
        let table = RouteTable::new(BTreeMap::from([(own.clone(), route("a"))]), Some(route("b")));
        assert_eq!(table.route(&own), Some(route("a")));
        assert_eq!(table.route(&DomainName::parse("other.test").unwrap()), Some(route("b")));
        assert_eq!(RouteTable::default().route(&own), None);
    }
}
