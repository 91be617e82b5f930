//! Samples of accounts, users, keys, domains and suppressed addresses.

use sealpost_domain::Personal;
use sealpost_domain::account::AccountEvent;
use sealpost_domain::address::{AddressToken, DomainName};
use sealpost_domain::api_key::{ApiKeyEvent, Issued, UseRefusal};
use sealpost_domain::ids::{AccountId, UserId};
use sealpost_domain::message::InDoubtPolicy;
use sealpost_domain::rights::{KeyHash, KeyKind, KeyLimit, KeyLimits, KeyWorld, Method};
use sealpost_domain::sending_domain::{DkimKey, DkimSigning, OwnershipProof, SendingDomainEvent};
use sealpost_domain::suppression::{SuppressionEvent, SuppressionReason};
use sealpost_domain::tls_rule::AccountTls;
use sealpost_domain::user::{LoginToken, Role, UserEvent};

use super::{Sample, at, first, ip, key_id, shaped, text, uuid};

/// In the order of streams.
pub fn samples() -> Vec<Sample> {
    [accounts(), users(), keys(), domains(), suppressions()]
        .into_iter()
        .flatten()
        .collect()
}

fn accounts() -> Vec<Sample> {
    vec![
        first(AccountEvent::AccountOpened {
            name: text("name"),
            contact: text("contact"),
        }),
        first(AccountEvent::ContactChanged {
            contact: text("contact"),
        }),
        first(AccountEvent::InDoubtPolicyChanged {
            policy: InDoubtPolicy::Hold,
        }),
        first(AccountEvent::TlsDemandChanged {
            tls: AccountTls::Always,
        }),
        first(AccountEvent::AccountSuspended { reason: text("reason") }),
        first(AccountEvent::AccountReinstated),
    ]
}

fn users() -> Vec<Sample> {
    let user = UserId::from_uuid(uuid(2));
    vec![
        first(UserEvent::UserRegistered {
            user,
            login: text("login"),
            login_token: LoginToken::from_hex("5b".repeat(16)),
            password_hash: text("hash"),
            role: Role::Owner,
        }),
        first(UserEvent::PasswordChanged {
            user,
            password_hash: text("hash"),
        }),
    ]
}

fn issued(limits: KeyLimits) -> ApiKeyEvent {
    ApiKeyEvent::KeyIssued(Box::new(Issued {
        account: AccountId::from_uuid(uuid(1)),
        key: key_id(),
        kind: KeyKind::Sending,
        world: KeyWorld::Live,
        hash: KeyHash::from_hex("3c".repeat(32)),
        display: "spk_live_7Gk…x9Qz".to_owned(),
        label: text("label"),
        limits,
        issued_at: at(0),
    }))
}

fn limits() -> KeyLimits {
    let domain = |name: &str| DomainName::parse(name).expect("a domain name");
    KeyLimits {
        methods: vec![Method::named("messages/send")],
        from_domains: vec![domain("example.com")],
        recipient_domains: vec![domain("example.org")],
        not_before: Some(at(0)),
        expires_at: Some(at(86_400)),
    }
}

fn keys() -> Vec<Sample> {
    let refused = |refusal| ApiKeyEvent::KeyUseRefused {
        refusal,
        method: Method::named("messages/send"),
        ip: Personal::Known(ip()),
        refused_at: at(5),
    };
    vec![
        first(issued(limits())),
        shaped("unlimited", issued(KeyLimits::default())),
        first(ApiKeyEvent::KeyFrozen { reason: text("reason") }),
        first(ApiKeyEvent::KeyThawed),
        first(ApiKeyEvent::KeyRevoked { reason: text("reason") }),
        first(refused(UseRefusal::Limit(KeyLimit::Method))),
        shaped("revoked", refused(UseRefusal::Revoked)),
    ]
}

fn domains() -> Vec<Sample> {
    vec![
        first(SendingDomainEvent::DomainAdded {
            domain: DomainName::parse("example.com").expect("a domain name"),
        }),
        first(SendingDomainEvent::OwnershipVerified {
            proof: OwnershipProof::Dns,
        }),
        first(SendingDomainEvent::DkimKeyCreated(Box::new(DkimKey {
            selector: "s20261125".to_owned(),
            algorithm: "ed25519-sha256".to_owned(),
            public_key: "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".to_owned(),
            private_key: text("private key"),
        }))),
        first(SendingDomainEvent::DkimKeyActivated {
            selector: "s20261125".to_owned(),
        }),
        first(SendingDomainEvent::DkimSigningChosen {
            signing: DkimSigning::Ed25519,
        }),
        first(SendingDomainEvent::DomainRemoved),
    ]
}

fn suppressions() -> Vec<Sample> {
    let token = AddressToken::from_mac([0x4d; 16]);
    let suppressed = |reason, until| SuppressionEvent::AddressSuppressed {
        token: token.clone(),
        address: text("address"),
        reason,
        until,
    };
    vec![
        first(suppressed(SuppressionReason::HardBounce, None)),
        shaped("until", suppressed(SuppressionReason::Manual, Some(at(86_400)))),
        first(SuppressionEvent::AddressReleased { token }),
    ]
}
