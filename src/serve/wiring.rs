//! Small bridges between rooms that may not see each other: each implements a port of one with another.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use sealpost_domain::address::DomainName;
use sealpost_domain::event::StreamId;
use sealpost_domain::gate::GateEvent;
use sealpost_domain::ids::{AccountId, EventId, KeyId};
use sealpost_domain::metadata::Metadata;
use sealpost_domain::rights::KeyHash;
use sealpost_domain::sending_domain::DkimAlgorithm;
use sealpost_domain::{Event, Instant, StreamType};
use sealpost_projections::activity::Activity;
use sealpost_projections::message_timeline::MessageTimeline;
use sealpost_projections::spool::Spool;
use sealpost_projections::{ProjectionFailure, RebuildReport, rebuild_check};
use zeroize::Zeroizing;

use crate::access::{CountRecord, KeyIndex, LookupFailure, Recorded};
use crate::actors::DkimView;
use crate::clock::draw_uuid;
use crate::delivery::dkim;
use crate::http::{Audit, DkimMint, MetricsText, MintFailed, MintedDkim};
use crate::intake::{Condition, LogCondition};
use crate::log::{Append, Expected, Lane, Log, LogReader, LogSource, LogState, OnConflict, Row};

/// The log's index of keys, for the gate.
pub(super) struct LogKeys(pub LogReader);

impl KeyIndex for LogKeys {
    fn owner(&self, hash: &KeyHash) -> Result<Option<(AccountId, KeyId)>, LookupFailure> {
        self.0
            .key(hash)
            .map_err(|failure| LookupFailure::Index(Box::new(failure)))
    }
}

/// Puts counted strangers on record, in the stream of this node's day.
pub(super) struct LogCounts {
    pub log: Log,
    pub node: String,
}

#[async_trait]
impl CountRecord for LogCounts {
    async fn record(&self, event: GateEvent, at: Instant) -> Recorded {
        let day = at.to_datetime().format("%Y-%m-%d");
        let row = Row {
            stream: StreamId::new(StreamType::Gate, format!("{}/{day}", self.node)),
            expected: Expected::Next,
            account: None,
            recipient_key: None,
            event_id: EventId::from_uuid(draw_uuid()),
            event: Event::Gate(event),
            metadata: Arc::new(Metadata::system(None, &self.node)),
        };
        let append = Append {
            lane: Lane::Security,
            generation: None,
            rows: vec![row],
            idempotency: None,
            on_conflict: OnConflict::Answer,
        };
        let Ok(ticket) = self.log.try_append(append) else {
            return Recorded::NotNow;
        };
        match ticket.await {
            Ok(_) => Recorded::OnDisk,
            Err(failure) => {
                tracing::warn!(error = %failure, "counted refusals are not on record yet");
                Recorded::NotNow
            }
        }
    }
}

/// How the log is, for `/readyz`.
pub(super) struct LogHealth(pub Log);

impl Condition for LogHealth {
    fn log(&self) -> LogCondition {
        if self.0.is_ended() {
            return LogCondition::Ended;
        }
        match self.0.state() {
            LogState::Serving => LogCondition::Serving,
            LogState::DiskMark => LogCondition::DiskMark,
            LogState::Stopped => LogCondition::Stopped,
        }
    }
}

/// Makes DKIM keys for the control socket.
pub(super) struct Mint;

impl DkimMint for Mint {
    fn mint(&self, algorithm: DkimAlgorithm) -> Result<MintedDkim, MintFailed> {
        let pair = dkim::generate(algorithm).map_err(|failure| MintFailed(Box::new(failure)))?;
        // A random tail: a new key never takes the place of an old record.
        let tail = draw_uuid().simple().to_string();
        Ok(MintedDkim {
            selector: format!("sp{}", tail.get(20..28).unwrap_or_default()),
            algorithm: pair.algorithm,
            public_key: pair.public_base64,
            private_key: Zeroizing::new(STANDARD.encode(&*pair.private_pkcs8_der)),
        })
    }

    fn record(&self, domain: &DomainName, key: &DkimView) -> (String, String) {
        (
            dkim::dns_name(&key.selector, domain.as_str()),
            dkim::dns_record(key.algorithm, &key.public_key),
        )
    }
}

/// Compares the read models with the log.
pub(super) struct ReadModelAudit {
    pub folder: PathBuf,
    pub source: LogSource,
}

impl Audit for ReadModelAudit {
    fn rebuild_check(&self) -> Result<Vec<RebuildReport>, ProjectionFailure> {
        Ok(vec![
            rebuild_check::<Spool>(&self.folder, &self.source)?,
            rebuild_check::<Activity>(&self.folder, &self.source)?,
            rebuild_check::<MessageTimeline>(&self.folder, &self.source)?,
        ])
    }
}

/// The text of `/metrics`. One recorder serves the whole process, however many servers it runs.
pub(super) fn metrics_text() -> MetricsText {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let handle = RECORDER
        .get_or_init(|| match PrometheusBuilder::new().install_recorder() {
            Ok(handle) => Some(handle),
            Err(failure) => {
                tracing::warn!(error = %failure, "metrics are not recorded");
                None
            }
        })
        .clone();
    Arc::new(move || handle.as_ref().map(PrometheusHandle::render).unwrap_or_default())
}
