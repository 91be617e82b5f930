//! The late facts of a message and the decisions on them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::aggregate::aggregate;
use crate::limits::REPORTS_PER_MESSAGE_MAX;

use super::{EngagementCommand, EngagementEvent, EngagementRefusal, ReportDigest};

/// What was heard of a message after it was taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engagement {
    /// The reports that are on record.
    pub reports: BTreeSet<ReportDigest>,
}

impl Engagement {
    /// Decides; pure.
    ///
    /// # Errors
    /// As [`EngagementRefusal`] says.
    pub fn decide(&self, command: EngagementCommand) -> Result<Vec<EngagementEvent>, EngagementRefusal> {
        let event = match command {
            EngagementCommand::ReceiveBounce(bounce) => EngagementEvent::BounceReceived(bounce),
            EngagementCommand::ReceiveComplaint(complaint) => EngagementEvent::ComplaintReceived(complaint),
        };
        if self.reports.contains(report(&event)) {
            return Err(EngagementRefusal::AlreadyReported);
        }
        if self.reports.len() as u64 >= REPORTS_PER_MESSAGE_MAX {
            return Err(EngagementRefusal::EnoughReports);
        }
        Ok(vec![event])
    }

    /// Takes an event into the state; total and pure.
    pub fn evolve(&mut self, event: &EngagementEvent) {
        self.reports.insert(report(event).clone());
    }
}

fn report(event: &EngagementEvent) -> &ReportDigest {
    match event {
        EngagementEvent::BounceReceived(bounce) => &bounce.report,
        EngagementEvent::ComplaintReceived(complaint) => &complaint.report,
    }
}

aggregate!(
    Engagement,
    "engagement",
    EngagementCommand,
    EngagementEvent,
    EngagementRefusal
);
