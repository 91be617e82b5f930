//! The stored word of every value of every enumeration: a renamed variant would leave old events unreadable.

use std::collections::BTreeMap;

use sealpost_domain::api_key::UseRefusal;
use sealpost_domain::engagement::ComplaintKind;
use sealpost_domain::gate::StrangerRefusal;
use sealpost_domain::message::{
    BounceKind, CertificateVerdict, ClickTracking, DeferralReason, HoldReason, InDoubtCause, InDoubtPolicy,
    NotStartedReason, OpenTracking, OutcomeClass, Reached, RejectReason, TlsLevel,
};
use sealpost_domain::metadata::{Actor, Channel};
use sealpost_domain::rights::{KeyKind, KeyLimit, KeyWorld};
use sealpost_domain::sending_domain::{DkimSigning, OwnershipProof};
use sealpost_domain::suppression::SuppressionReason;
use sealpost_domain::tls_rule::{AccountTls, ClearReason, Hello, TlsFailure, TlsNeed};
use sealpost_domain::user::Role;
use serde_json::Value;

/// Lists the words of each enumeration, and fails to compile when one of its values is left out.
macro_rules! words {
    ($($enumeration:ident { $($value:ident),* $(; $other:pat)? })*) => {
        BTreeMap::from([$((
            stringify!($enumeration),
            {
                let _all_are_listed = |value: $enumeration| match value {
                    $($enumeration::$value => (),)*
                    $($other => (),)?
                };
                vec![$(serde_json::to_value($enumeration::$value).expect("a word")),*]
            },
        )),*])
    };
}

/// Enumeration → the stored words of its values, in the order of declaration.
pub fn words() -> BTreeMap<&'static str, Vec<Value>> {
    words! {
        AccountTls { Default, Always, Authenticated, Immediate }
        Actor { System, Operator; Actor::User(_) | Actor::Key(_) }
        BounceKind { Hard, Soft, Blocked, Policy, Expired }
        CertificateVerdict {
            Valid, Expired, NotYetValid, NameMismatch, UnknownIssuer, SelfSigned, Revoked, Other
        }
        Channel { Api, Smtp, Console, Cli, System }
        ClearReason {
            NotOffered, NotOfferedAged, StarttlsRefused, StarttlsRefusedAged, HandshakeFailedAged, OldTlsAged
        }
        ComplaintKind { Abuse, Fraud, Virus, Other }
        ClickTracking { Off, All, HtmlOnly, TextOnly }
        DeferralReason {
            Reply, ConnectFailed, ConnectionLost, ProtocolError, TlsRefused, TlsBroken, TlsNotAuthenticated,
            TlsNotOffered, NoRoute, DnsFailed, DnsBogus, LoginFailed, ContentUnavailable, Expired
        }
        DkimSigning { Rsa, Ed25519, Both, None }
        Hello { Full, Reduced }
        HoldReason { Asked, InDoubt, Unfoldable, AttemptsPanicked }
        InDoubtCause { ConnectionLost, TimedOut, UnreadableReply, ProcessEnded, AttemptPanicked }
        InDoubtPolicy { Resend, Hold }
        KeyKind { Sending, Management }
        KeyLimit { Method, From, RecipientDomain, Lifetime, World }
        KeyWorld { Live, Test }
        NotStartedReason { ConnectionLost, RecipientRefused, Shutdown, StartUnconfirmed }
        OutcomeClass {
            RecipientUnknown, BadDomain, InactiveMailbox, Quota, Routing, Protocol, PolicyAuth, Blocked, Content,
            Greylisted, Throttled, Tls, TlsRequiredUnavailable, Expired, Other
        }
        OpenTracking { Off, On }
        OwnershipProof { Operator, Dns }
        Reached { BeforeData, Data }
        RejectReason {
            HardBounce, Complaint, Unsubscribed, Suppressed, InvalidRecipient, Unsigned, KeyLimit
        }
        Role { Owner, Admin, Developer, Auditor }
        StrangerRefusal { UnknownKey, UnknownUser, UnknownReturnPath }
        SuppressionReason { HardBounce, Complaint, Unsubscribed, Manual }
        TlsFailure {
            Unready, NotOffered, RefusedTransiently, RefusedPermanently, Handshake, OldVersion, Injected,
            AfterHandshake, Identity
        }
        TlsNeed { Immediate, Opportunistic, Encrypted, Authenticated }
        TlsLevel { Plain, Encrypted, Authenticated }
        UseRefusal { Revoked, AccountSuspended, NotManagement, ManagementFrozen; UseRefusal::Limit(_) }
    }
}
