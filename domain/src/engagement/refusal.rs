//! Every "no" of a message's late facts.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a report is not put on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum EngagementRefusal {
    /// The same report is on record.
    #[error("the report is on record already")]
    AlreadyReported,
    /// So many reports of one message are on record that this one tells nothing more.
    #[error("there are enough reports of the message")]
    EnoughReports,
}
