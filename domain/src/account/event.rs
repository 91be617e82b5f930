//! What happened to an account.

use serde::{Deserialize, Serialize};

use crate::aggregate::domain_event;
use crate::message::InDoubtPolicy;
use crate::personal::{HasPersonal, Personal, PersonalVisitor, Subject};
use crate::tls_rule::AccountTls;

/// Events of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountEvent {
    /// It exists from here on.
    AccountOpened {
        /// Its name.
        name: Personal<String>,
        /// Address for notices.
        contact: Personal<String>,
    },
    /// Notices go elsewhere.
    ContactChanged {
        /// The new address.
        contact: Personal<String>,
    },
    /// Mail in doubt is treated otherwise.
    InDoubtPolicyChanged {
        /// The choice.
        policy: InDoubtPolicy,
    },
    /// Its mail demands another protection from the next attempt on.
    TlsDemandChanged {
        /// The choice.
        tls: AccountTls,
    },
    /// It may not send.
    AccountSuspended {
        /// Why, in the operator's words.
        reason: Personal<String>,
    },
    /// It may send again.
    AccountReinstated,
}

domain_event!(AccountEvent {
    AccountOpened,
    ContactChanged,
    InDoubtPolicyChanged,
    TlsDemandChanged,
    AccountSuspended,
    AccountReinstated,
});

impl HasPersonal for AccountEvent {
    fn visit_personal(&mut self, visitor: &mut dyn PersonalVisitor) {
        match self {
            Self::AccountOpened { name, contact } => {
                visitor.field("name", Subject::Account, name);
                visitor.field("contact", Subject::Account, contact);
            }
            Self::ContactChanged { contact } => visitor.field("contact", Subject::Account, contact),
            Self::AccountSuspended { reason } => visitor.field("reason", Subject::Account, reason),
            Self::InDoubtPolicyChanged { .. } | Self::TlsDemandChanged { .. } | Self::AccountReinstated => {}
        }
    }
}
