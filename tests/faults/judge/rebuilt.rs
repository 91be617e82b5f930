//! Builds the projections of a data folder anew and compares.

use std::path::Path;
use std::sync::Arc;

use sealpost::clock::SystemClock;
use sealpost::log::{Log, LogConfig};
use sealpost::vault::{MasterKey, Vault};
use sealpost_projections::activity::Activity;
use sealpost_projections::message_timeline::MessageTimeline;
use sealpost_projections::spool::Spool;
use sealpost_projections::{EventSource, rebuild_check};

/// What is wrong with the live projections of a folder whose log has so many events; nothing when each has caught up
/// and equals what is built now. The program must have ended.
pub fn rebuild_findings(data: &Path, events: usize) -> Vec<String> {
    let master = MasterKey::load(&data.join("master.key")).unwrap();
    let vault = Vault::open(&data.join("vault"), &master).unwrap();
    let config = LogConfig {
        dir: data.join("log"),
        node: "judge".to_owned(),
        disk_mark_bytes: 0,
    };
    let log = Log::open(config, vault, Arc::new(SystemClock::started_now())).unwrap();
    let (read, source) = (data.join("read"), log.source());
    let source: &dyn EventSource = &source;
    let reports = [
        rebuild_check::<Spool>(&read, source).unwrap(),
        rebuild_check::<Activity>(&read, source).unwrap(),
        rebuild_check::<MessageTimeline>(&read, source).unwrap(),
    ];
    log.close();
    let mut found = Vec::new();
    for report in reports {
        if report.events != u64::try_from(events).unwrap() {
            found.push(format!("{} stands at {} of {events}", report.projection, report.events));
        }
        if !report.is_equal() {
            found.push(format!(
                "{} differs from what is built now: {report:?}",
                report.projection
            ));
        }
    }
    found
}
