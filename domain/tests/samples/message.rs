//! Samples of a message before its attempts: accepted, rejected, held, released, discarded.

use std::collections::BTreeMap;

use sealpost_domain::Personal;
use sealpost_domain::address::{AddressToken, DomainName};
use sealpost_domain::content::{ContentRef, PartRef};
use sealpost_domain::ids::{DataKeyId, PartId};
use sealpost_domain::message::{
    Accepted, ClickTracking, HoldReason, MessageEvent, OpenTracking, RejectReason, Rejected, TlsLevel, Tracking,
};
use sealpost_domain::metadata::Actor;
use sealpost_domain::rights::Method;

use super::{CANARY, Sample, at, first, key_id, shaped, text, uuid};

/// In the order of declaration.
pub fn samples() -> Vec<Sample> {
    vec![
        first(MessageEvent::MessageAccepted(accepted())),
        shaped("marked", MessageEvent::MessageAccepted(marked())),
        first(MessageEvent::MessageRejected(rejected())),
        first(MessageEvent::MessageHeld {
            reason: HoldReason::Asked,
            by: Actor::Key(key_id()),
        }),
        first(MessageEvent::MessageReleased { by: Actor::Operator }),
        first(MessageEvent::MessageDiscarded { by: Actor::System }),
    ]
}

fn tags() -> Personal<Vec<String>> {
    Personal::Known(vec![format!("{CANARY} tag")])
}

fn accepted() -> Box<Accepted> {
    Box::new(Accepted {
        key: key_id(),
        method: Method::named("messages/send"),
        recipient: text("recipient"),
        recipient_domain: DomainName::parse("example.org").expect("a domain name"),
        address_token: AddressToken::from_mac([0x4d; 16]),
        recipient_key: DataKeyId::from_uuid(uuid(4)),
        reverse_path: text("reverse-path"),
        header_from: text("header From"),
        from_domain: DomainName::parse("example.com").expect("a domain name"),
        subject: text("subject"),
        tags: tags(),
        metadata: Personal::Known(BTreeMap::from([("order".to_owned(), format!("\"{CANARY} 7\""))])),
        subaccount: None,
        tracking: Tracking::default(),
        message_id_header: "<0192f0c000007000800000000000000a@example.com>".to_owned(),
        content: ContentRef {
            parts: vec![part(5, 0, 512), part(6, 512, 4_096)],
            size_bytes: 4_480,
        },
        tls_required: TlsLevel::Encrypted,
        accepted_at: at(0),
        expires_at: at(259_200),
    })
}

/// With what a sender may say besides.
fn marked() -> Box<Accepted> {
    Box::new(Accepted {
        subaccount: Some(text("subaccount")),
        tracking: Tracking {
            opens: Some(OpenTracking::On),
            clicks: Some(ClickTracking::HtmlOnly),
        },
        ..*accepted()
    })
}

fn part(n: u128, offset: u64, length_bytes: u32) -> PartRef {
    PartRef {
        part: PartId::from_uuid(uuid(n)),
        pack: "2026-11-25".to_owned(),
        offset,
        length_bytes,
    }
}

fn rejected() -> Box<Rejected> {
    Box::new(Rejected {
        key: key_id(),
        recipient: text("recipient"),
        header_from: text("header From"),
        subject: text("subject"),
        tags: tags(),
        reason: RejectReason::HardBounce,
        rejected_at: at(0),
    })
}
