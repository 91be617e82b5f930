//! The bed's folder: settings that lead a program into it, and its servers' logs.

use std::path::PathBuf;

use sealpost::config::Config;
use sealpost::delivery::mx::{DnsConfig, DnsValidation, Ipv6Use};

use super::Taken;
use crate::support::postfix::wait_for;

/// The bed that this process is in.
#[derive(Debug, Clone)]
pub struct Bed {
    folder: PathBuf,
}

impl Bed {
    pub(super) const fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Asks the bed's resolver, and trusts the bed's authority.
    pub fn configure(&self, config: &mut Config) {
        config.delivery.by_mx = true;
        config.delivery.extra_roots = Some(self.path("ca.pem"));
        config.dns = DnsConfig {
            servers: vec!["127.0.0.1:53".parse().unwrap()],
            validation: DnsValidation::Always,
            trust_anchor: Some(self.path("anchor")),
            timeout_ms: 2_000,
            ipv6: Ipv6Use::Never,
            allow_private: true,
            ..DnsConfig::default()
        };
    }

    /// The same for a rig.
    pub fn settings(&self) -> Box<dyn Fn(&mut Config) + Send + Sync> {
        let bed = self.clone();
        Box::new(move |config| bed.configure(config))
    }

    /// Waits until the servers have logged so many messages; all of them.
    pub async fn taken_count(&self, count: usize) -> Vec<Taken> {
        let what = format!("{count} messages in the logs of the bed");
        wait_for(&what, || Some(self.taken()).filter(|taken| taken.len() >= count)).await
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn log(&self, name: &str) -> String {
        let log = std::fs::read(self.path("log").join(name)).unwrap();
        String::from_utf8_lossy(&log).into_owned()
    }
}
