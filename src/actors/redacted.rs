//! How calls with personal data in them look in a program log: by their ids, and by nothing that a person wrote.

use std::fmt::{Debug, Formatter, Result};

use super::work::{Claim, Deliverable, SendAnswer, SendCall, SendRecipient};

impl Debug for Claim {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Claim")
            .field("account", &self.account)
            .field("key", &self.key)
            .field("method", &self.method)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}

impl Debug for SendCall {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SendCall")
            .field("claim", &self.claim)
            .field("recipients", &self.recipients)
            .finish_non_exhaustive()
    }
}

impl Debug for SendRecipient {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SendRecipient")
            .field("message", &self.message)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Debug for Deliverable {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Deliverable")
            .field("recipient_key", &self.recipient_key)
            .field("content", &self.content)
            .field("suppressed", &self.suppressed)
            .finish_non_exhaustive()
    }
}

impl Debug for SendAnswer {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SendAnswer")
            .field("message", &self.message)
            .field("verdict", &self.verdict)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::IpAddr;
    use std::sync::Arc;

    use sealpost_domain::Instant;
    use sealpost_domain::address::{AddressRefusal, Mailbox};
    use sealpost_domain::ids::{AccountId, KeyId, MessageId};
    use sealpost_domain::message::{TlsLevel, Tracking};
    use sealpost_domain::metadata::Metadata;
    use sealpost_domain::rights::{KeyKind, Method};
    use uuid::Uuid;

    use super::*;
    use crate::actors::OwnShare;
    use crate::actors::work::{RecipientKind, Verdict};

    #[test]
    fn a_call_in_a_program_log_names_no_person() {
        let (account, message) = (
            AccountId::from_uuid(Uuid::from_u128(1)),
            MessageId::from_uuid(Uuid::from_u128(2)),
        );
        let call = SendCall {
            claim: Claim {
                account,
                key: KeyId::from_uuid(Uuid::from_u128(3)),
                method: Method::named("messages/send"),
                needs: KeyKind::Sending,
                ip: IpAddr::from([203, 0, 113, 9]),
                metadata: Arc::new(Metadata::system(Some(account), "n1")),
            },
            header_from: Mailbox::parse("secret-from@example.org").unwrap(),
            subject: "secret subject".to_owned(),
            tags: vec!["secret tag".to_owned()],
            user_metadata: BTreeMap::from([("secret name".to_owned(), "secret value".to_owned())]),
            subaccount: Some("secret subaccount".to_owned()),
            tracking: Tracking::default(),
            tls_required: TlsLevel::Plain,
            expires_at: Instant::from_millis(0),
            recipients: vec![SendRecipient {
                message,
                given: "secret-to".to_owned(),
                kind: RecipientKind::Invalid(AddressRefusal::BadDomain),
                own: OwnShare {
                    subject: Some("secret subject".to_owned()),
                    ..OwnShare::default()
                },
            }],
            idempotency: None,
        };
        let answer = SendAnswer {
            message,
            given: "secret-to".to_owned(),
            verdict: Verdict::Accepted,
        };
        let shown = format!("{call:?} {answer:?}");
        assert!(!shown.contains("secret") && !shown.contains("203.0.113"), "{shown}");
        assert!(shown.contains("messages/send"), "{shown}");
    }
}
