//! Reads a feedback report (ARF, RFC 5965): what it complains of, and who reports.

use sealpost_domain::Personal;
use sealpost_domain::engagement::ComplaintKind;

use super::fields::groups;

/// Longest name that is kept, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// What a feedback report says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Feedback {
    /// What it is about.
    pub(super) kind: ComplaintKind,
    /// What the reporting program calls itself.
    pub(super) reporter: Personal<String>,
    /// The server that reports.
    pub(super) reporting_mta: Option<String>,
}

/// What the part says; `None` where it is no complaint.
pub(super) fn feedback(part: &[u8]) -> Option<Feedback> {
    let groups = groups(part);
    let value = |name: &str| groups.iter().find_map(|group| group.value(name));
    let kind = match value("feedback-type")?.to_ascii_lowercase().as_str() {
        "abuse" => ComplaintKind::Abuse,
        "fraud" => ComplaintKind::Fraud,
        "virus" => ComplaintKind::Virus,
        // RFC 5965 §7.3 and RFC 6591 §3.1: said of mail that is wanted, or of a signature.
        "not-spam" | "auth-failure" | "dmarc" => return None,
        _ => ComplaintKind::Other,
    };
    let cut = |text: &str| text.chars().take(NAME_BYTES_MAX / 4).collect::<String>();
    let mta = groups.iter().find_map(|group| group.typed("reporting-mta"));
    Some(Feedback {
        kind,
        reporter: value("user-agent").map_or(Personal::Erased, |agent| Personal::Known(cut(agent))),
        reporting_mta: mta.and_then(|(_, name)| name.split_whitespace().next()).map(cut),
    })
}
