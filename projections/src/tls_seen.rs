//! What one event says of TLS, as one column keeps it.

use sealpost_domain::message::{Attempted, Started, TlsFacts};
use sealpost_domain::tls_rule::{ClearReason, TlsRecord};
use serde::{Deserialize, Serialize};

use crate::columns::json;
use crate::projection::Value;

/// All that an event says of TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TlsSeen {
    /// The session; `None` where there was none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub facts: Option<TlsFacts>,
    /// What was wanted, reached, and failed; `None` where the event does not say it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub record: Option<TlsRecord>,
    /// Why it went in clear text; `None` where it did not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub clear: Option<ClearReason>,
}

impl TlsSeen {
    /// What a start says.
    pub(crate) fn of_start(started: &Started) -> Self {
        Self {
            facts: started.tls.clone(),
            record: None,
            clear: started.clear,
        }
    }

    /// What an outcome says.
    pub(crate) fn of_end(attempted: &Attempted) -> Self {
        Self {
            facts: attempted.tls.clone(),
            clear: attempted.tls_record.as_ref().and_then(|record| record.clear),
            record: attempted.tls_record.clone(),
        }
    }

    /// The column's value; none where nothing is said.
    pub(crate) fn value(&self) -> Value {
        if *self == Self::default() {
            Value::Null
        } else {
            json(self)
        }
    }
}
