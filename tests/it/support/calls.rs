//! Makes the calls of a rig: composes, stores the content, and leaves the sending to the test.

use std::collections::BTreeMap;
use std::time::Duration;

use sealpost::actors::{Admission, Deliverable, OwnShare, RecipientKind, SendCall, SendRecipient};
use sealpost::clock::{Clock, draw_uuid};
use sealpost::compose::{Address, Draft, Keeper, Recipient, Stamp};
use sealpost_domain::address::Mailbox;
use sealpost_domain::ids::{AccountId, KeyId, MessageId};
use sealpost_domain::message::{TlsLevel, Tracking};

use super::Rig;

/// A short text to these addresses.
pub fn draft(to: &[&str]) -> Draft {
    let address = |mailbox: &str| Address {
        name: None,
        mailbox: mailbox.to_owned(),
    };
    let recipients = to.iter().map(|mailbox| Recipient {
        id: draw_uuid(),
        address: address(mailbox),
        ..Recipient::default()
    });
    Draft {
        header_from: address("shop@example.org"),
        to: recipients.collect(),
        subject: "Your order".to_owned(),
        text: Some("Thank you.\n.\nA line of one dot stands above.".to_owned()),
        ..Draft::default()
    }
}

impl Rig {
    /// A call with a short text, whose content is stored.
    pub async fn send_call(&self, account: AccountId, key: KeyId, to: &[&str]) -> SendCall {
        self.call_of(account, key, &draft(to)).await
    }

    /// A call of a draft, whose content is stored.
    pub async fn call_of(&self, account: AccountId, key: KeyId, draft: &Draft) -> SendCall {
        let from = Mailbox::parse(&draft.header_from.mailbox).unwrap();
        let stamp = Stamp {
            date: self.clock.now().to_datetime(),
            message_id_domain: from.domain(),
            boundary_seed: draw_uuid(),
        };
        let keeper = Keeper::new(self.engine.vault().clone());
        let kept = keeper
            .keep(keeper.prepare(account, draft, &stamp).unwrap())
            .await
            .unwrap();
        let recipients = kept.into_iter().map(|kept| SendRecipient {
            message: kept.message,
            given: kept.mailbox.as_str().to_owned(),
            kind: RecipientKind::Deliverable(Box::new(Deliverable {
                mailbox: kept.mailbox,
                token: kept.token,
                recipient_key: kept.recipient_key,
                reverse_path: from.clone(),
                content: kept.content,
                message_id_header: kept.message_id_header,
                suppressed: None,
            })),
            own: OwnShare::default(),
        });
        SendCall {
            claim: self.claim(account, key),
            header_from: from.clone(),
            subject: draft.subject.clone(),
            tags: vec!["order".to_owned()],
            user_metadata: BTreeMap::new(),
            subaccount: None,
            tracking: Tracking::default(),
            tls_required: TlsLevel::Plain,
            expires_at: self.clock.now().plus(Duration::from_secs(86_400)),
            recipients: recipients.collect(),
            idempotency: None,
        }
    }

    /// Sends a draft with the rig's key.
    pub async fn send_draft(&self, draft: &Draft) -> Result<Vec<MessageId>, Admission> {
        let call = self.call_of(self.account, self.key, draft).await;
        let answers = self.engine.accounts().send(call).await?;
        Ok(answers.into_iter().map(|answer| answer.message).collect())
    }
}
