//! What may be asked of a message's late facts.

use super::event::{Bounce, Complaint};

/// Commands on the late facts of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngagementCommand {
    /// A report says that it did not arrive after all.
    ReceiveBounce(Box<Bounce>),
    /// A report says that its recipient complained.
    ReceiveComplaint(Box<Complaint>),
}
