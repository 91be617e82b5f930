//! Samples of what is heard of a message after it was taken.

use sealpost_domain::engagement::{Bounce, Complaint, ComplaintKind, EngagementEvent, ReportDigest};
use sealpost_domain::message::{BounceKind, EnhancedStatus, Judged, OutcomeClass, Reply};

use super::{Sample, at, first, shaped, text};

/// In the order of declaration.
pub fn samples() -> Vec<Sample> {
    vec![
        first(bounce(Some("mx.example.org"))),
        shaped("bare", bounce(None)),
        first(complaint(Some("mx.example.org"))),
        shaped("bare", complaint(None)),
    ]
}

fn bounce(mta: Option<&str>) -> EngagementEvent {
    EngagementEvent::BounceReceived(Box::new(Bounce {
        kind: BounceKind::Hard,
        judged: Judged::plainly(OutcomeClass::RecipientUnknown),
        reply: Reply {
            code: 550,
            enhanced: Some(EnhancedStatus(5, 1, 1)),
            text: text("reply"),
        },
        remote_mta: mta.map(str::to_owned),
        reporting_mta: mta.map(str::to_owned),
        report: ReportDigest::from_hex("4b".repeat(32)),
        received_at: at(8),
    }))
}

fn complaint(mta: Option<&str>) -> EngagementEvent {
    EngagementEvent::ComplaintReceived(Box::new(Complaint {
        kind: ComplaintKind::Abuse,
        reporter: text("reporter"),
        reporting_mta: mta.map(str::to_owned),
        report: ReportDigest::from_hex("5c".repeat(32)),
        received_at: at(8),
    }))
}
