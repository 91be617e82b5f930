//! Who acts in the suite, and what they do: accounts with their keys, mail from one person to others.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use sealpost::clock::draw_uuid;
use sealpost::log::{Append, Expected, Generation, Lane, OnConflict, OutcomeSlot, Row};
use sealpost::vault::{KeyScope, Vault};
use sealpost_domain::account::AccountEvent;
use sealpost_domain::address::{AddressToken, DomainName, Mailbox};
use sealpost_domain::api_key::{ApiKeyEvent, Issued};
use sealpost_domain::content::ContentRef;
use sealpost_domain::ids::{AccountId, DataKeyId, EventId, KeyId, MessageId, RequestId, UserId};
use sealpost_domain::message::{Accepted, HoldReason, MessageEvent, TlsLevel, Tracking};
use sealpost_domain::metadata::{Actor, Channel, Metadata};
use sealpost_domain::rights::{KeyHash, KeyKind, KeyLimits, KeyWorld, Method};
use sealpost_domain::suppression::{SuppressionEvent, SuppressionReason};
use sealpost_domain::user::{LoginToken, Role, UserEvent};
use sealpost_domain::{Event, Instant, Personal, StreamId, StreamType};

/// Personal values that are planted in the events, each found nowhere in clear.
pub const PLANTED: [&str; 7] = [
    "planted-contact@owner.example",
    "planted-recipient@example.org",
    "planted-sender@example.com",
    "Planted subject of a letter",
    "planted-tag",
    "192.0.2.77",
    "planted-agent/1.0",
];

/// Drives a future on this thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(future)
}

/// Two accounts whose data keys are drawn.
pub struct Cast {
    pub ann: AccountId,
    pub ben: AccountId,
    recipient_keys: BTreeMap<AccountId, DataKeyId>,
}

pub fn event_id() -> EventId {
    EventId::from_uuid(draw_uuid())
}

pub fn message_id() -> MessageId {
    MessageId::from_uuid(draw_uuid())
}

fn known(text: &str) -> Personal<String> {
    Personal::Known(text.to_owned())
}

pub fn recipient() -> Mailbox {
    Mailbox::parse(PLANTED[1]).unwrap()
}

/// The metadata of a call by an account's key.
pub fn metadata(account: AccountId) -> Arc<Metadata> {
    Arc::new(Metadata {
        account: Some(account),
        actor: Actor::Key(KeyId::from_uuid(account.as_uuid())),
        channel: Channel::Api,
        request: Some(RequestId::from_uuid(draw_uuid())),
        cause: None,
        node: "node-1".to_owned(),
        ip: Some(Personal::Known(PLANTED[5].parse().unwrap())),
        user_agent: Some(known(PLANTED[6])),
    })
}

pub fn token() -> AddressToken {
    AddressToken::from_mac([7; 16])
}

impl Cast {
    pub fn new(vault: &Vault) -> Self {
        let (ann, ben) = (AccountId::from_uuid(draw_uuid()), AccountId::from_uuid(draw_uuid()));
        let keys_of = |account| {
            let token = vault.address_token(account, &recipient());
            let scopes = vec![KeyScope::Account(account), KeyScope::Recipient(account, token)];
            block_on(vault.ensure_keys(scopes)).unwrap()[1]
        };
        Self {
            ann,
            ben,
            recipient_keys: BTreeMap::from([(ann, keys_of(ann)), (ben, keys_of(ben))]),
        }
    }

    /// A row of any event of an account.
    pub fn row(&self, account: AccountId, stream: StreamId, expected: Expected, event: impl Into<Event>) -> Row {
        Row {
            stream,
            expected,
            account: Some(account),
            recipient_key: self.recipient_keys.get(&account).copied(),
            event_id: event_id(),
            event: event.into(),
            metadata: metadata(account),
        }
    }

    /// The account is opened.
    pub fn opened(&self, account: AccountId) -> Row {
        let event = AccountEvent::AccountOpened {
            name: known("planted-contact@owner.example's shop"),
            contact: known(PLANTED[0]),
        };
        self.row(
            account,
            StreamId::new(StreamType::Account, account),
            Expected::Sequence(0),
            event,
        )
    }

    /// A message is accepted.
    pub fn accepted(&self, account: AccountId, message: MessageId) -> Row {
        let event = MessageEvent::MessageAccepted(Box::new(Accepted {
            key: KeyId::from_uuid(account.as_uuid()),
            method: Method::named("messages/send"),
            recipient: known(PLANTED[1]),
            recipient_domain: DomainName::parse("example.org").unwrap(),
            address_token: token(),
            recipient_key: self.recipient_keys[&account],
            reverse_path: known(PLANTED[2]),
            header_from: known(PLANTED[2]),
            from_domain: DomainName::parse("example.com").unwrap(),
            subject: known(PLANTED[3]),
            tags: Personal::Known(vec![PLANTED[4].to_owned()]),
            metadata: Personal::Known(BTreeMap::new()),
            subaccount: None,
            tracking: Tracking::default(),
            message_id_header: format!("<{message}@example.com>"),
            content: ContentRef {
                parts: Vec::new(),
                size_bytes: 0,
            },
            tls_required: TlsLevel::Plain,
            accepted_at: Instant::from_millis(1_700_000_000_000),
            expires_at: Instant::from_millis(1_700_400_000_000),
        }));
        self.row(account, StreamId::message(message), Expected::Sequence(0), event)
    }

    /// A message is held.
    pub fn held(&self, account: AccountId, message: MessageId, expected: Expected) -> Row {
        let event = MessageEvent::MessageHeld {
            reason: HoldReason::Asked,
            by: Actor::Operator,
        };
        self.row(account, StreamId::message(message), expected, event)
    }

    /// A key is issued.
    pub fn issued(&self, account: AccountId, key: KeyId, hash: &KeyHash) -> Row {
        let event = ApiKeyEvent::KeyIssued(Box::new(Issued {
            account,
            key,
            kind: KeyKind::Sending,
            world: KeyWorld::Live,
            hash: hash.clone(),
            display: "spk_live_…abcd".to_owned(),
            label: known(PLANTED[0]),
            limits: KeyLimits::default(),
            issued_at: Instant::from_millis(1_700_000_000_000),
        }));
        self.row(
            account,
            StreamId::new(StreamType::ApiKey, key),
            Expected::Sequence(0),
            event,
        )
    }

    /// A user is registered; its key is drawn first.
    pub fn registered(&self, vault: &Vault, account: AccountId, user: UserId, token: &LoginToken) -> Row {
        block_on(vault.ensure_keys(vec![KeyScope::User(user)])).unwrap();
        let event = UserEvent::UserRegistered {
            user,
            login: known(PLANTED[0]),
            login_token: token.clone(),
            password_hash: known("$argon2id$planted-contact@owner.example"),
            role: Role::Owner,
        };
        self.row(
            account,
            StreamId::new(StreamType::User, user),
            Expected::Sequence(0),
            event,
        )
    }

    /// An address is suppressed.
    pub fn suppressed(&self, account: AccountId, reason: SuppressionReason, until: Option<Instant>) -> Row {
        let event = SuppressionEvent::AddressSuppressed {
            token: token(),
            address: known(PLANTED[1]),
            reason,
            until,
        };
        self.row(account, suppression(account), Expected::Next, event)
    }

    /// An address is released.
    pub fn released(&self, account: AccountId) -> Row {
        let event = SuppressionEvent::AddressReleased { token: token() };
        self.row(account, suppression(account), Expected::Next, event)
    }
}

fn suppression(account: AccountId) -> StreamId {
    StreamId::within(StreamType::Suppression, account, token().as_str())
}

/// A request in a lane.
pub fn request(lane: Lane, rows: Vec<Row>) -> Append {
    Append {
        lane,
        generation: None,
        rows,
        idempotency: None,
        on_conflict: OnConflict::FailGeneration,
    }
}

/// A request of new mail.
pub fn mail(rows: Vec<Row>) -> Append {
    request(Lane::NewMail, rows)
}

/// A request that goes first.
pub fn security(rows: Vec<Row>) -> Append {
    request(Lane::Security, rows)
}

/// An outcome with its slot.
pub fn outcome(slot: OutcomeSlot, rows: Vec<Row>) -> Append {
    request(Lane::Outcome(slot), rows)
}

/// The same request as one of a generation.
pub fn of(generation: &Generation, append: Append) -> Append {
    Append {
        generation: Some(generation.clone()),
        ..append
    }
}
