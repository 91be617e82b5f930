//! Random commands for every aggregate but the message. Ids come from small pools, so that commands meet.

use std::collections::BTreeMap;
use std::net::IpAddr;

use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

use crate::account::AccountCommand;
use crate::address::{AddressToken, DomainName};
use crate::api_key::{ApiKeyCommand, Issued, UseRefusal};
use crate::engagement::{Bounce, Complaint, ComplaintKind, EngagementCommand, ReportDigest};
use crate::gate::{GateCommand, StrangerRefusal};
use crate::ids::{AccountId, KeyId, MessageId, UserId};
use crate::instant::Instant;
use crate::message::{BounceKind, InDoubtPolicy, Judged, OutcomeClass, Reply};
use crate::personal::Personal;
use crate::rights::{KeyHash, KeyKind, KeyLimit, KeyLimits, KeyWorld, Method};
use crate::sending_domain::{DkimAlgorithm, DkimKey, DkimSigning, OwnershipProof, SendingDomainCommand};
use crate::shard::{ParkedActor, ShardCommand};
use crate::suppression::{SuppressionCommand, SuppressionReason};
use crate::tls_rule::AccountTls;
use crate::user::{LoginToken, Role, UserCommand};

/// A personal text, known or erased.
pub fn text() -> impl Strategy<Value = Personal<String>> + Clone {
    prop_oneof!["[a-z]{0,8}".prop_map(Personal::Known), Just(Personal::Erased)]
}

/// A point in time in a day of a hundred seconds.
pub fn instant() -> impl Strategy<Value = Instant> + Clone {
    (0_i64..100).prop_map(|second| Instant::from_millis(second * 1_000))
}

/// What happens to mail in doubt.
pub fn in_doubt() -> impl Strategy<Value = InDoubtPolicy> + Clone {
    prop_oneof![Just(InDoubtPolicy::Resend), Just(InDoubtPolicy::Hold)]
}

fn uuid() -> impl Strategy<Value = Uuid> + Clone {
    (1_u128..4).prop_map(Uuid::from_u128)
}

pub fn account() -> impl Strategy<Value = AccountCommand> {
    prop_oneof![
        (text(), text()).prop_map(|(name, contact)| AccountCommand::OpenAccount { name, contact }),
        text().prop_map(|contact| AccountCommand::ChangeContact { contact }),
        in_doubt().prop_map(|policy| AccountCommand::ChangeInDoubtPolicy { policy }),
        proptest::sample::select(&AccountTls::ALL).prop_map(|tls| AccountCommand::ChangeTlsDemand { tls }),
        text().prop_map(|reason| AccountCommand::SuspendAccount { reason }),
        Just(AccountCommand::ReinstateAccount),
    ]
}

pub fn user() -> impl Strategy<Value = UserCommand> {
    let role = prop_oneof![Just(Role::Owner), Just(Role::Auditor)];
    let register =
        (uuid(), text(), text(), role).prop_map(|(user, login, password_hash, role)| UserCommand::RegisterUser {
            user: UserId::from_uuid(user),
            login,
            login_token: LoginToken::from_hex("ab".to_owned()),
            password_hash,
            role,
        });
    let change = text().prop_map(|password_hash| UserCommand::ChangePassword { password_hash });
    prop_oneof![register, change]
}

pub fn api_key() -> impl Strategy<Value = ApiKeyCommand> {
    let kind = prop_oneof![Just(KeyKind::Sending), Just(KeyKind::Management)];
    let issue = (kind, text(), option::of(instant()), instant()).prop_map(|(kind, label, expires_at, issued_at)| {
        ApiKeyCommand::IssueKey(Box::new(Issued {
            account: AccountId::from_uuid(Uuid::from_u128(1)),
            key: KeyId::from_uuid(Uuid::from_u128(2)),
            kind,
            world: KeyWorld::Live,
            hash: KeyHash::from_hex("00".to_owned()),
            display: "spk_live_…".to_owned(),
            label,
            limits: KeyLimits {
                expires_at,
                ..KeyLimits::default()
            },
            issued_at,
        }))
    });
    let ip = any::<u32>().prop_map(|bits| Personal::Known(IpAddr::from(bits.to_be_bytes())));
    let refuse = (ip, instant()).prop_map(|(ip, at)| ApiKeyCommand::RefuseUse {
        refusal: UseRefusal::Limit(KeyLimit::Method),
        method: Method::named("messages/send"),
        ip,
        at,
    });
    prop_oneof![
        issue,
        text().prop_map(|reason| ApiKeyCommand::FreezeKey { reason }),
        Just(ApiKeyCommand::ThawKey),
        text().prop_map(|reason| ApiKeyCommand::RevokeKey { reason }),
        refuse,
    ]
}

fn domain() -> impl Strategy<Value = DomainName> + Clone {
    "[a-c]\\.org".prop_map(|name| DomainName::parse(&name).unwrap())
}

pub fn sending_domain() -> impl Strategy<Value = SendingDomainCommand> {
    let key = ("s[1-3]", text()).prop_map(|(selector, private_key)| {
        SendingDomainCommand::CreateDkimKey(Box::new(DkimKey {
            algorithm: if selector == "s1" {
                DkimAlgorithm::Rsa
            } else {
                DkimAlgorithm::Ed25519
            }
            .as_str()
            .to_owned(),
            selector,
            public_key: "AAAA".to_owned(),
            private_key,
        }))
    });
    let signing = prop_oneof![
        Just(DkimSigning::Rsa),
        Just(DkimSigning::Ed25519),
        Just(DkimSigning::Both),
        Just(DkimSigning::None),
    ];
    let proof = OwnershipProof::Dns;
    prop_oneof![
        3 => domain().prop_map(|domain| SendingDomainCommand::AddDomain { domain }),
        3 => Just(SendingDomainCommand::VerifyOwnership { proof }),
        3 => key,
        3 => "s[1-3]".prop_map(|selector| SendingDomainCommand::ActivateDkimKey { selector }),
        2 => signing.prop_map(|signing| SendingDomainCommand::ChooseSigning { signing }),
        1 => Just(SendingDomainCommand::RemoveDomain),
    ]
}

pub fn suppression() -> impl Strategy<Value = SuppressionCommand> {
    let token = AddressToken::from_mac([7; 16]);
    let released = token.clone();
    let reason = prop_oneof![Just(SuppressionReason::HardBounce), Just(SuppressionReason::Manual)];
    prop_oneof![
        (text(), reason, option::of(instant())).prop_map(move |(address, reason, until)| {
            SuppressionCommand::SuppressAddress {
                token: token.clone(),
                address,
                reason,
                until,
            }
        }),
        Just(SuppressionCommand::ReleaseAddress { token: released }),
    ]
}

pub fn gate() -> impl Strategy<Value = GateCommand> {
    let count = prop_oneof![Just(0), 1_u64..100, Just(u64::MAX)];
    (count.clone(), count, instant(), instant()).prop_map(|(keys, users, from, to)| GateCommand::CountRefusals {
        counts: BTreeMap::from([
            (StrangerRefusal::UnknownKey, keys),
            (StrangerRefusal::UnknownUser, users),
        ]),
        from,
        to,
    })
}

pub fn shard() -> impl Strategy<Value = ShardCommand> {
    let actor = prop_oneof![
        uuid().prop_map(|id| ParkedActor::Account(AccountId::from_uuid(id))),
        domain().prop_map(ParkedActor::Destination),
        uuid().prop_map(|id| ParkedActor::Message(MessageId::from_uuid(id))),
    ];
    prop_oneof![
        (0_u64..10).prop_map(|epoch| ShardCommand::OwnShard {
            epoch,
            node: "n1".to_owned(),
        }),
        actor
            .clone()
            .prop_map(|actor| ShardCommand::ParkActor { actor, panics: 3 }),
        actor.prop_map(|actor| ShardCommand::UnparkActor { actor }),
    ]
}

/// Reports on one message, some of them told again.
pub fn engagement() -> impl Strategy<Value = EngagementCommand> {
    let bounce = (0_u8..12, text(), instant()).prop_map(|(report, said, received_at)| {
        EngagementCommand::ReceiveBounce(Box::new(Bounce {
            kind: BounceKind::Soft,
            judged: Judged::plainly(OutcomeClass::Other),
            reply: Reply {
                code: 550,
                enhanced: None,
                text: said,
            },
            remote_mta: None,
            reporting_mta: None,
            report: ReportDigest::from_hex(report.to_string()),
            received_at,
        }))
    });
    let complaint = (0_u8..12, text(), instant()).prop_map(|(report, reporter, received_at)| {
        EngagementCommand::ReceiveComplaint(Box::new(Complaint {
            kind: ComplaintKind::Abuse,
            reporter,
            reporting_mta: None,
            report: ReportDigest::from_hex(report.to_string()),
            received_at,
        }))
    });
    prop_oneof![bounce, complaint]
}
