//! Samples of a message's attempts and of what came of them.

use sealpost_domain::ids::AttemptId;
use sealpost_domain::message::{
    Attempted, BounceKind, CertificateVerdict, DeferralReason, EnhancedStatus, InDoubtCause, Judged, MessageEvent,
    NotStartedReason, OutcomeClass, Reached, Reply, Resolution, Started, Timings, TlsFacts, TlsLevel,
};
use sealpost_domain::tls_rule::{ClearReason, Hello, TlsFailed, TlsFailure, TlsNeed, TlsRecord};

use super::{Sample, at, first, shaped, text, uuid};

/// In the order of declaration.
pub fn samples() -> Vec<Sample> {
    let attempt_id = attempt_id();
    let begun = vec![
        first(started(Some(tls()))),
        shaped("plain", started(None)),
        shaped("clear", clear_start()),
        first(MessageEvent::DeliveryNotStarted {
            attempt_id,
            reason: NotStartedReason::ConnectionLost,
        }),
    ];
    let ended = [deferred(), taken(), bounced(), doubted()];
    begun.into_iter().chain(ended.into_iter().flatten()).collect()
}

fn deferred() -> Vec<Sample> {
    vec![
        first(MessageEvent::DeliveryDeferred {
            attempted: attempted(Reached::Data),
            reason: DeferralReason::Reply,
            reply: Some(reply(451, EnhancedStatus(4, 7, 1))),
            next_attempt_at: at(66),
            judged: None,
        }),
        shaped(
            "judged",
            MessageEvent::DeliveryDeferred {
                attempted: attempted(Reached::Data),
                reason: DeferralReason::Reply,
                reply: Some(reply(451, EnhancedStatus(4, 7, 1))),
                next_attempt_at: at(66),
                judged: Some(Judged::plainly(OutcomeClass::Greylisted)),
            },
        ),
        shaped(
            "unconnected",
            MessageEvent::DeliveryDeferred {
                attempted: unconnected(),
                reason: DeferralReason::ConnectFailed,
                reply: None,
                next_attempt_at: at(66),
                judged: None,
            },
        ),
        shaped(
            "tls",
            MessageEvent::DeliveryDeferred {
                attempted: Attempted {
                    tls_record: Some(tls_record(None, None)),
                    ..unconnected()
                },
                reason: DeferralReason::TlsBroken,
                reply: None,
                next_attempt_at: at(66),
                judged: None,
            },
        ),
    ]
}

fn taken() -> Vec<Sample> {
    vec![
        first(delivered(reply(250, EnhancedStatus(2, 0, 0)))),
        shaped(
            "bare",
            delivered(Reply {
                enhanced: None,
                ..reply(250, EnhancedStatus(2, 0, 0))
            }),
        ),
        shaped("clear", in_clear()),
    ]
}

fn bounced() -> Vec<Sample> {
    vec![
        first(MessageEvent::MessageBounced {
            attempted: attempted(Reached::BeforeData),
            kind: BounceKind::Hard,
            reply: Some(reply(550, EnhancedStatus(5, 1, 1))),
            judged: None,
        }),
        shaped(
            "judged",
            MessageEvent::MessageBounced {
                attempted: attempted(Reached::BeforeData),
                kind: BounceKind::Soft,
                reply: Some(reply(550, EnhancedStatus(4, 2, 2))),
                judged: Some(Judged {
                    codes_disagree: true,
                    ..Judged::plainly(OutcomeClass::Quota)
                }),
            },
        ),
        shaped(
            "expired",
            MessageEvent::MessageBounced {
                attempted: unconnected(),
                kind: BounceKind::Expired,
                reply: None,
                judged: None,
            },
        ),
        shaped(
            "expired.judged",
            MessageEvent::MessageBounced {
                attempted: unconnected(),
                kind: BounceKind::Expired,
                reply: None,
                judged: Some(Judged::expired(Some(OutcomeClass::Routing))),
            },
        ),
    ]
}

fn doubted() -> Vec<Sample> {
    vec![
        first(in_doubt(Resolution::Resend { at: at(66) })),
        shaped("hold", in_doubt(Resolution::Hold)),
    ]
}

fn attempt_id() -> AttemptId {
    AttemptId::from_uuid(uuid(7))
}

fn started(tls: Option<TlsFacts>) -> MessageEvent {
    MessageEvent::DeliveryStarted(Box::new(Started {
        attempt: 1,
        attempt_id: attempt_id(),
        host: "mx.example.org".to_owned(),
        peer: "192.0.2.25:25".to_owned(),
        content_sha256: "9f".repeat(32),
        content_bytes: 5_120,
        prepended: text("header block"),
        tls,
        clear: None,
        started_at: at(5),
    }))
}

/// A start in clear text, with the reason that allows it.
fn clear_start() -> MessageEvent {
    match started(None) {
        MessageEvent::DeliveryStarted(started) => MessageEvent::DeliveryStarted(Box::new(Started {
            clear: Some(ClearReason::HandshakeFailedAged),
            ..*started
        })),
        other => other,
    }
}

/// What a walk over two tries at one host came to.
fn tls_record(reached: Option<TlsLevel>, clear: Option<ClearReason>) -> TlsRecord {
    let failed = |hello| TlsFailed {
        host: "mx.example.org".to_owned(),
        failure: TlsFailure::Handshake,
        hello,
    };
    TlsRecord {
        wanted: TlsNeed::Opportunistic,
        reached,
        failures: vec![failed(Hello::Full), failed(Hello::Reduced)],
        clear,
    }
}

fn tls() -> TlsFacts {
    TlsFacts {
        version: "TLSv1.3".to_owned(),
        group: Some("X25519MLKEM768".to_owned()),
        cipher: "TLS_AES_256_GCM_SHA384".to_owned(),
        certificate_sha256: "e1".repeat(32),
        verdict: CertificateVerdict::Valid,
        level: TlsLevel::Authenticated,
    }
}

fn attempted(reached: Reached) -> Attempted {
    Attempted {
        attempt_id: attempt_id(),
        host: Some("mx.example.org".to_owned()),
        peer: Some("192.0.2.25:25".to_owned()),
        tls: Some(TlsFacts { group: None, ..tls() }),
        tls_record: None,
        reached,
        timings: Timings {
            connect_ms: 120,
            transact_ms: 85,
        },
        ended_at: at(6),
    }
}

/// Nothing answered: no server, no session.
fn unconnected() -> Attempted {
    Attempted {
        host: None,
        peer: None,
        tls: None,
        ..attempted(Reached::BeforeData)
    }
}

fn delivered(reply: Reply) -> MessageEvent {
    MessageEvent::MessageDelivered {
        attempted: attempted(Reached::Data),
        reply,
    }
}

/// Delivered in clear text after TLS had failed.
fn in_clear() -> MessageEvent {
    MessageEvent::MessageDelivered {
        attempted: Attempted {
            tls: None,
            tls_record: Some(tls_record(
                Some(TlsLevel::Plain),
                Some(ClearReason::HandshakeFailedAged),
            )),
            ..attempted(Reached::Data)
        },
        reply: reply(250, EnhancedStatus(2, 0, 0)),
    }
}

fn reply(code: u16, enhanced: EnhancedStatus) -> Reply {
    Reply {
        code,
        enhanced: Some(enhanced),
        text: text("reply"),
    }
}

fn in_doubt(resolution: Resolution) -> MessageEvent {
    MessageEvent::DeliveryInDoubt {
        attempt_id: attempt_id(),
        cause: InDoubtCause::ConnectionLost,
        resolution,
    }
}
