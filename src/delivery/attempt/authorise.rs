//! Step four: puts the intent on record. When this returns `Ok`, `DeliveryStarted` is on disk.

use std::net::SocketAddr;

use sealpost_domain::Personal;
use sealpost_domain::message::{Started, TlsFacts};
use sealpost_domain::tls_rule::ClearReason;

use crate::actors::{Grant, Job, StartRefused};
use crate::delivery::letter::Letter;

/// The session that is to carry the message.
pub(super) struct Carrier<'a> {
    pub(super) host: &'a str,
    pub(super) peer: SocketAddr,
    pub(super) tls: Option<TlsFacts>,
    pub(super) clear: Option<ClearReason>,
}

pub(super) async fn authorise(
    grant: &mut Grant,
    job: &Job,
    letter: &Letter,
    carrier: Carrier<'_>,
) -> Result<(), StartRefused> {
    let started = Started {
        // The decision numbers it.
        attempt: 0,
        attempt_id: job.attempt_id,
        host: carrier.host.to_owned(),
        peer: carrier.peer.to_string(),
        content_sha256: letter.sha256.clone(),
        content_bytes: letter.size_bytes(),
        prepended: Personal::Known(letter.prepended.clone()),
        tls: carrier.tls,
        clear: carrier.clear,
        started_at: grant.now(),
    };
    grant.start(started).await
}
