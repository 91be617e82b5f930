//! The receiving world of `scripts/testbed`: how a test moves into it, and what its servers say of the mail that came.

mod evidence;
mod finger;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use sealpost::config::Config;
use sealpost::delivery::mx::{DnsConfig, DnsValidation, Ipv6Use};

pub use evidence::{Cover, Taken};
pub use finger::{FingerLevel, Fingered};

use super::postfix::wait_for;

/// The name of a test of this module, as the runner knows it.
macro_rules! this_test {
    ($name:literal) => {
        concat!(module_path!(), "::", $name)
    };
}
pub(crate) use this_test;

/// The bed that this process is in.
#[derive(Debug, Clone)]
pub struct Bed {
    folder: PathBuf,
}

/// Runs this test once more inside the bed, where its `story` is told; outside, only how that ended counts. `name` is
/// [`this_test!`].
pub fn in_bed(name: &str, story: impl AsyncFnOnce(Bed)) {
    if let Some(folder) = env::var_os("SEALPOST_BED") {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        return runtime.block_on(story(Bed { folder: folder.into() }));
    }
    let (_, name) = name.split_once("::").unwrap();
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/testbed"))
        .arg(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "inside the bed it failed: {}", output.status);
    let told = String::from_utf8_lossy(&output.stdout).contains("1 passed");
    assert!(told, "no test of the name {name}");
}

impl Bed {
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

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn log(&self, name: &str) -> String {
        let log = std::fs::read(Path::new(&self.folder).join("log").join(name)).unwrap();
        String::from_utf8_lossy(&log).into_owned()
    }
}
