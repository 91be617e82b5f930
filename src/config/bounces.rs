//! The settings of reports on our mail: the domain that they come to, and where they are taken.

use std::net::SocketAddr;

use sealpost_domain::address::DomainName;
use serde::{Deserialize, Serialize};

use super::ConfigRefusal;

/// Reports on our mail; the certificate is that of `[http]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BouncesConfig {
    /// The domain of signed reverse-paths, which nothing else uses; without it the reverse-path is the header From.
    pub domain: Option<String>,
    /// Listeners that take reports for that domain, by custom 25; port 0 picks a free one.
    pub listen: Vec<SocketAddr>,
}

impl BouncesConfig {
    /// The domain, where there is one.
    ///
    /// # Errors
    /// [`ConfigRefusal::BounceDomain`] and [`ConfigRefusal::ListenForNobody`].
    pub fn domain(&self) -> Result<Option<DomainName>, ConfigRefusal> {
        match &self.domain {
            Some(domain) => DomainName::parse(domain).map(Some).map_err(ConfigRefusal::BounceDomain),
            None if self.listen.is_empty() => Ok(None),
            None => Err(ConfigRefusal::ListenForNobody),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_needs_a_domain_and_a_domain_its_form() {
        let of = |domain: Option<&str>, listen: &[&str]| {
            let config = BouncesConfig {
                domain: domain.map(str::to_owned),
                listen: listen.iter().map(|address| address.parse().unwrap()).collect(),
            };
            config.domain()
        };
        assert!(of(None, &[]).unwrap().is_none());
        let domain = of(Some("Bounce.Example.org"), &["127.0.0.1:25"]).unwrap().unwrap();
        assert_eq!(domain.as_str(), "bounce.example.org");
        assert!(matches!(of(None, &["[::1]:25"]), Err(ConfigRefusal::ListenForNobody)));
        assert!(matches!(
            of(Some("no domain"), &[]),
            Err(ConfigRefusal::BounceDomain(_))
        ));
    }
}
