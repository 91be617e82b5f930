//! The configuration: one TOML file, every key typed, unknown keys refused. `docs/config.md` lists them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sealpost_domain::address::{AddressRefusal, DomainName};
use sealpost_domain::limits::CONNECTIONS_PER_SITE_MAX;
use sealpost_domain::message::RetryPolicy;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::actors::{Outgoing, RoutePlan};
use crate::delivery::DkimUse;
use crate::delivery::mx::DnsConfig;

mod bounces;
mod listeners;
mod route;

pub use crate::smtp::server::submission::LoginInClear;
pub use bounces::BouncesConfig;
pub use listeners::{HttpConfig, Secret, SubmissionConfig};
pub use route::{RouteConfig, RouteStart, RouteTls};

/// Everything that an operator may set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The data folder: log, vault, content, read models, control socket.
    pub data: PathBuf,
    /// The master key; `DATA/master.key` when it is not set. Keep a copy elsewhere: without it nothing personal opens.
    #[serde(default)]
    pub master_key: Option<PathBuf>,
    /// Name of this node in the log.
    #[serde(default = "default_node")]
    pub node: String,
    /// Our host name, as `EHLO` and `Received` say it.
    #[serde(default = "default_host")]
    pub host: String,
    /// The listeners.
    #[serde(default)]
    pub http: HttpConfig,
    /// SMTP submission.
    #[serde(default)]
    pub submission: SubmissionConfig,
    /// Delivery.
    #[serde(default)]
    pub delivery: DeliveryConfig,
    /// Name resolution.
    #[serde(default)]
    pub dns: DnsConfig,
    /// Where domains lead.
    #[serde(default, rename = "route")]
    pub routes: Vec<RouteConfig>,
    /// Reports on our mail.
    #[serde(default)]
    pub bounces: BouncesConfig,
    /// The disk.
    #[serde(default)]
    pub disk: DiskConfig,
}

/// Delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryConfig {
    /// Delays before the next attempt, in seconds, each 1..=86,400; the last one repeats.
    pub retry_delays_s: Vec<u32>,
    /// After how many seconds a message that nobody took bounces, 60..=604,800.
    pub message_ttl_s: u32,
    /// Trusted certificate authorities besides the system's, in PEM.
    pub extra_roots: Option<PathBuf>,
    /// How many seconds open attempts get to finish when the program ends.
    pub drain_s: u32,
    /// Whether mail goes out: `flows`, or `rests`, when it is accepted and waits for a run in which it flows.
    pub outgoing: Outgoing,
    /// Whether domains that no route names are looked up in the DNS and delivered to by MX; their mail waits otherwise.
    pub by_mx: bool,
    /// Whether mail is signed as its domain chooses, or not at all, as behind a relay that signs.
    pub dkim: DkimUse,
    /// Most connections to one set of mail hosts, 1..=1,000; fewer while they push back.
    pub connections_per_site: u32,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            retry_delays_s: RetryPolicy::default().delays_s,
            message_ttl_s: 259_200,
            extra_roots: None,
            drain_s: 20,
            outgoing: Outgoing::Flows,
            by_mx: true,
            dkim: DkimUse::Sign,
            connections_per_site: u32::try_from(CONNECTIONS_PER_SITE_MAX).unwrap_or(u32::MAX),
        }
    }
}

/// The disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiskConfig {
    /// Free space in bytes below which no new mail is accepted.
    pub accept_mark_bytes: u64,
}

impl Default for DiskConfig {
    fn default() -> Self {
        Self {
            accept_mark_bytes: 256 * 1024 * 1024,
        }
    }
}

fn default_node() -> String {
    "n1".to_owned()
}

fn default_host() -> String {
    "localhost.localdomain".to_owned()
}

/// Why a configuration is refused.
#[derive(Debug, Error)]
pub enum ConfigRefusal {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// It is no TOML, has an unknown key, or a value of the wrong kind.
    #[error("the configuration {path} is not in its form")]
    Form {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A route's domain is none.
    #[error("the route of {domain} names no domain")]
    RouteDomain {
        /// As written.
        domain: String,
        /// Why.
        #[source]
        source: AddressRefusal,
    },
    /// Two routes for one domain.
    #[error("there are two routes of {domain}")]
    TwoRoutes {
        /// The domain.
        domain: String,
    },
    /// One half of a login is none.
    #[error("the route of {domain} has one of `user` and `password_file`: set both or none")]
    HalfLogin {
        /// The domain.
        domain: String,
    },
    /// A password must not go out in clear.
    #[error("the route of {domain} logs in: set `tls` to `encrypted` or `authenticated`")]
    LoginInClear {
        /// The domain.
        domain: String,
    },
    /// One half of a certificate does nothing without the other.
    #[error("http.certificate and http.private_key are set together or not at all")]
    HalfCertificate,
    /// The bounce domain is none.
    #[error("bounces.domain is no domain")]
    BounceDomain(#[source] AddressRefusal),
    /// Reports are to be taken for no domain.
    #[error("bounces.listen needs bounces.domain")]
    ListenForNobody,
    /// A number is out of its range.
    #[error("{key} is out of its range")]
    Range {
        /// The key.
        key: &'static str,
    },
}

impl Config {
    /// A configuration with nothing set but the data folder.
    #[must_use]
    pub fn in_folder(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            master_key: None,
            node: default_node(),
            host: default_host(),
            http: HttpConfig::default(),
            submission: SubmissionConfig::default(),
            delivery: DeliveryConfig::default(),
            dns: DnsConfig::default(),
            routes: Vec::new(),
            bounces: BouncesConfig::default(),
            disk: DiskConfig::default(),
        }
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// As [`ConfigRefusal`] says.
    pub fn load(path: &Path) -> Result<Self, ConfigRefusal> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigRefusal::Read {
            path: path.to_owned(),
            source,
        })?;
        let config: Self = toml::from_str(&text).map_err(|source| ConfigRefusal::Form {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        config.check()?;
        Ok(config)
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    /// As [`ConfigRefusal`] says.
    pub fn check(&self) -> Result<(), ConfigRefusal> {
        let delays = &self.delivery.retry_delays_s;
        let delays_fit = !delays.is_empty() && delays.iter().all(|delay| (1..=86_400).contains(delay));
        let ranges = [
            ("delivery.retry_delays_s", delays_fit),
            (
                "delivery.message_ttl_s",
                (60..=604_800).contains(&self.delivery.message_ttl_s),
            ),
            (
                "delivery.connections_per_site",
                (1..=1_000).contains(&self.delivery.connections_per_site),
            ),
            ("dns.timeout_ms", (100..=30_000).contains(&self.dns.timeout_ms)),
            ("dns.keep_s_max", (1..=86_400).contains(&self.dns.keep_s_max)),
        ];
        if let Some((key, _)) = ranges.into_iter().find(|(_, fits)| !fits) {
            return Err(ConfigRefusal::Range { key });
        }
        if let Some(key) = self.submission.key_out_of_range() {
            return Err(ConfigRefusal::Range { key });
        }
        if self.http.certificate.is_some() != self.http.private_key.is_some() {
            return Err(ConfigRefusal::HalfCertificate);
        }
        self.bounces.domain()?;
        self.route_table().map(|_| ())
    }

    /// Where the master key lies.
    #[must_use]
    pub fn master_key_path(&self) -> PathBuf {
        self.master_key.clone().unwrap_or_else(|| self.data.join("master.key"))
    }

    /// The retry schedule.
    #[must_use]
    pub fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy {
            delays_s: self.delivery.retry_delays_s.clone(),
        }
    }

    /// The routes by domain, and the one of all others.
    ///
    /// # Errors
    /// [`ConfigRefusal::RouteDomain`] and [`ConfigRefusal::TwoRoutes`], and as [`RouteConfig::plan`] says.
    pub fn route_table(&self) -> Result<(BTreeMap<DomainName, RoutePlan>, Option<RoutePlan>), ConfigRefusal> {
        let mut exact = BTreeMap::new();
        let mut default = None;
        for row in &self.routes {
            let route = row.plan()?;
            let taken = if row.domain == "*" {
                default.replace(route).is_some()
            } else {
                let domain = DomainName::parse(&row.domain).map_err(|source| ConfigRefusal::RouteDomain {
                    domain: row.domain.clone(),
                    source,
                })?;
                exact.insert(domain, route).is_some()
            };
            if taken {
                return Err(ConfigRefusal::TwoRoutes {
                    domain: row.domain.clone(),
                });
            }
        }
        Ok((exact, default))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, ConfigRefusal> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Config::load(file.path())
    }

    #[test]
    fn a_full_file_is_read() {
        let config = read(
            "data = '/var/lib/sealpost'\nhost = 'mail.example.org'\n[http]\nplain = '127.0.0.1:8080'\n\
             [[route]]\ndomain = 'example.org'\nhost = 'mx.example.org'\ntls = 'authenticated'\n\
             [[route]]\ndomain = '*'\nhost = 'smart.example.net'\nport = 2525\n",
        )
        .unwrap();
        let (exact, default) = config.route_table().unwrap();
        assert_eq!(exact.len(), 1);
        assert_eq!(default.unwrap().port, 2525);
    }

    #[test]
    fn a_secret_is_read_and_never_shown() {
        let config = read("data = 'x'\n[http]\nmetrics_token = 'open sesame'").unwrap();
        let token = config.http.metrics_token.as_ref().unwrap();
        assert_eq!(token.expose().as_str(), "open sesame");
        for shown in [format!("{config:?}"), toml::to_string(&config).unwrap()] {
            assert!(!shown.contains("sesame"), "{shown}");
        }
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_name() {
        assert!(matches!(
            read("data = 'x'\nsurprise = 1"),
            Err(ConfigRefusal::Form { .. })
        ));
        assert!(matches!(
            read("data = 'x'\n[http]\nport = 1"),
            Err(ConfigRefusal::Form { .. })
        ));
        assert!(matches!(
            read("data = 'x'\n[delivery]\nretry_delays_s = []"),
            Err(ConfigRefusal::Range {
                key: "delivery.retry_delays_s"
            })
        ));
        assert!(matches!(
            read("data = 'x'\n[submission]\nconnections_max = 0"),
            Err(ConfigRefusal::Range {
                key: "submission.connections_max"
            })
        ));
        for half in ["certificate", "private_key"] {
            let read = read(&format!("data = 'x'\n[http]\n{half} = 'a.pem'"));
            assert!(matches!(read, Err(ConfigRefusal::HalfCertificate)), "{half}");
        }
        let twice = "data = 'x'\n[[route]]\ndomain = '*'\nhost = 'a'\n[[route]]\ndomain = '*'\nhost = 'b'";
        assert!(matches!(read(twice), Err(ConfigRefusal::TwoRoutes { .. })));
        assert!(matches!(
            read("data = 'x'\n[[route]]\ndomain = 'no domain'\nhost = 'a'"),
            Err(ConfigRefusal::RouteDomain { .. })
        ));
        assert!(matches!(
            read("data = 'x'\n[dns]\ntimeout_ms = 1"),
            Err(ConfigRefusal::Range { key: "dns.timeout_ms" })
        ));
    }

    #[test]
    fn a_login_is_whole_and_never_in_clear() {
        let password = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(password.path(), "open sesame\n").unwrap();
        let file = format!("password_file = '{}'\n", password.path().display());
        let read = |lines: &str| read(&format!("data = 'x'\n[[route]]\ndomain = '*'\nhost = 'a'\n{lines}"));
        let whole = read(&format!("tls = 'encrypted'\nuser = 'ann'\n{file}")).unwrap();
        let (_, smarthost) = whole.route_table().unwrap();
        assert_eq!(smarthost.unwrap().login.unwrap().password(), "open sesame");
        assert!(!format!("{whole:?}").contains("sesame"));
        for half in [
            "tls = 'encrypted'\nuser = 'ann'\n",
            &format!("tls = 'encrypted'\n{file}"),
        ] {
            assert!(matches!(read(half), Err(ConfigRefusal::HalfLogin { .. })), "{half}");
        }
        let in_clear = read(&format!("user = 'ann'\n{file}"));
        assert!(matches!(in_clear, Err(ConfigRefusal::LoginInClear { .. })));
        let absent = read("tls = 'encrypted'\nuser = 'ann'\npassword_file = '/nowhere'\n");
        assert!(matches!(absent, Err(ConfigRefusal::Read { .. })));
    }
}
