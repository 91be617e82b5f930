//! What one recipient of a call has for itself, beside what all of them share.

use std::collections::BTreeMap;

use sealpost_domain::ids::MessageId;

/// One recipient's own share of a call. Nothing, for most.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OwnShare {
    /// Metadata that goes before the call's, values as JSON text.
    pub metadata: BTreeMap<String, String>,
    /// The subject, where it is not the call's.
    pub subject: Option<String>,
    /// The message that this one is a copy of: it is turned away where that one is.
    pub copy_of: Option<MessageId>,
}
