//! A log in memory and stories of messages in it, for the tests of this crate.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use sealpost_domain::address::{AddressToken, DomainName, Mailbox};
use sealpost_domain::content::{ContentRef, PartRef};
use sealpost_domain::event::{Event, StreamId};
use sealpost_domain::ids::{AccountId, AttemptId, DataKeyId, EventId, KeyId, MessageId, PartId, RequestId};
use sealpost_domain::message::{
    Accepted, CertificateVerdict, EnhancedStatus, RejectReason, Rejected, Reply, TlsFacts, TlsLevel, Tracking,
};
use sealpost_domain::metadata::{Actor, Channel, Metadata};
use sealpost_domain::personal::{HasPersonal, PersonalField, PersonalVisitor, Subject};
use sealpost_domain::rights::Method;
use sealpost_domain::{Instant, Personal, Recorded, Unread};
use uuid::Uuid;

use crate::projection::{EventSource, SourceFailure};

pub(crate) fn account() -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(0xacc))
}

pub(crate) fn key() -> KeyId {
    KeyId::from_uuid(Uuid::from_u128(0x5e7))
}

pub(crate) fn message(number: u128) -> MessageId {
    MessageId::from_uuid(Uuid::from_u128(0x1000 + number))
}

pub(crate) fn attempt(number: u128) -> AttemptId {
    AttemptId::from_uuid(Uuid::from_u128(0x2000_0000 + number))
}

/// When the event at a position happened.
pub(crate) fn at(position: u64) -> Instant {
    Instant::from_millis(1_700_000_000_000 + i64::try_from(position).unwrap() * 1_000)
}

/// A log in memory.
#[derive(Default)]
pub(crate) struct MemoryLog {
    events: Mutex<Vec<Recorded>>,
    grown: Condvar,
    /// A last event that is not durable yet: given by `events`, not counted by `head`.
    undurable: Mutex<u64>,
    /// Position of an event that cannot be read.
    damaged: Mutex<Option<u64>>,
    /// Of what is damaged, whether its columns can still be read.
    names_itself: Mutex<bool>,
}

impl MemoryLog {
    pub fn append(&self, account: Option<AccountId>, stream: StreamId, sequence: u64, event: impl Into<Event>) {
        let mut events = self.events.lock();
        let position = u64::try_from(events.len()).unwrap() + 1;
        events.push(Recorded {
            shard: 0,
            position,
            account,
            account_seq: account.map(|_| position),
            epoch: 1,
            recorded_at: at(position),
            event_id: EventId::from_uuid(Uuid::from_u128(0x3000_0000 + u128::from(position))),
            stream,
            sequence,
            metadata: metadata(account),
            event: event.into(),
        });
        self.grown.notify_all();
    }

    pub fn all(&self) -> Vec<Recorded> {
        self.events.lock().clone()
    }

    /// The same log after every key is destroyed.
    pub fn erased(&self) -> Arc<Self> {
        let mut events = self.all();
        for recorded in &mut events {
            recorded.event.visit_personal(&mut Eraser);
            recorded.metadata.visit_personal(&mut Eraser);
        }
        Self::of(events)
    }

    pub fn of(events: Vec<Recorded>) -> Arc<Self> {
        Arc::new(Self {
            events: Mutex::new(events),
            ..Self::default()
        })
    }

    /// Changes an event in place, as no real log does.
    pub fn change(&self, position: usize, change: impl FnOnce(&mut Recorded)) {
        change(&mut self.events.lock()[position - 1]);
    }

    pub fn damage(&self, position: Option<u64>) {
        *self.damaged.lock() = position;
        *self.names_itself.lock() = false;
    }

    /// Damages the content of an event alone.
    pub fn damage_content(&self, position: u64) {
        *self.damaged.lock() = Some(position);
        *self.names_itself.lock() = true;
    }

    pub fn hold_back(&self, events: u64) {
        *self.undurable.lock() = events;
    }
}

impl EventSource for MemoryLog {
    fn events(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, SourceFailure> {
        let events = self.events.lock();
        if let Some(position) = *self.damaged.lock()
            && (after..after + u64::try_from(limit).unwrap()).contains(&(position - 1))
        {
            let source = "damaged".into();
            let event = &events[usize::try_from(position).unwrap() - 1];
            let unread = self.names_itself.lock().then(|| {
                Box::new(Unread {
                    position,
                    event_id: event.event_id,
                    account: event.account,
                    stream: event.stream.clone(),
                    sequence: event.sequence,
                })
            });
            return Err(SourceFailure::BadEvent {
                position,
                unread,
                source,
            });
        }
        let after = usize::try_from(after).unwrap();
        Ok(events.iter().skip(after).take(limit).cloned().collect())
    }

    fn head(&self) -> u64 {
        u64::try_from(self.events.lock().len()).unwrap() - *self.undurable.lock()
    }

    fn wait_past(&self, position: u64, at_most: Duration) -> u64 {
        let mut events = self.events.lock();
        self.grown.wait_while_for(
            &mut events,
            |events| u64::try_from(events.len()).unwrap() <= position,
            at_most,
        );
        drop(events);
        self.head()
    }
}

struct Eraser;

impl PersonalVisitor for Eraser {
    fn field(&mut self, _name: &'static str, _subject: Subject, field: &mut dyn PersonalField) {
        field.erase();
    }
}

fn metadata(account: Option<AccountId>) -> Metadata {
    Metadata {
        actor: Actor::Key(key()),
        channel: Channel::Api,
        request: Some(RequestId::from_uuid(Uuid::from_u128(9))),
        ip: Some(Personal::Known("192.0.2.7".parse().unwrap())),
        user_agent: Some(Personal::Known("client/1".to_owned())),
        ..Metadata::system(account, "n1")
    }
}

pub(crate) fn accepted(number: u128, recipient: &str, subject: &str, at: Instant) -> Accepted {
    Accepted {
        key: key(),
        method: Method::named("messages/send"),
        recipient: Personal::Known(recipient.to_owned()),
        recipient_domain: Mailbox::parse(recipient).map_or_else(
            |_| DomainName::parse("example.org").unwrap(),
            |mailbox| mailbox.domain(),
        ),
        address_token: AddressToken::from_mac([7; 16]),
        recipient_key: DataKeyId::from_uuid(Uuid::from_u128(11)),
        reverse_path: Personal::Known("bounce+1@shop.test".to_owned()),
        header_from: Personal::Known("news@shop.test".to_owned()),
        from_domain: DomainName::parse("shop.test").unwrap(),
        subject: Personal::Known(subject.to_owned()),
        tags: Personal::Known(vec!["vip".to_owned()]),
        metadata: Personal::Known(BTreeMap::from([("customer".to_owned(), "\"4711\"".to_owned())])),
        subaccount: None,
        tracking: Tracking::default(),
        message_id_header: format!("<{number}@shop.test>"),
        content: ContentRef {
            parts: vec![PartRef {
                part: PartId::from_uuid(Uuid::from_u128(12)),
                pack: "2023-11-14".to_owned(),
                offset: 0,
                length_bytes: 99,
            }],
            size_bytes: 321,
        },
        tls_required: TlsLevel::Plain,
        accepted_at: at,
        expires_at: at.plus(Duration::from_secs(86_400)),
    }
}

pub(crate) fn rejected(recipient: &str, at: Instant) -> Rejected {
    Rejected {
        key: key(),
        recipient: Personal::Known(recipient.to_owned()),
        header_from: Personal::Known("news@shop.test".to_owned()),
        subject: Personal::Known("Hello".to_owned()),
        tags: Personal::Known(Vec::new()),
        reason: RejectReason::HardBounce,
        rejected_at: at,
    }
}

pub(crate) fn tls() -> TlsFacts {
    TlsFacts {
        version: "TLSv1.3".to_owned(),
        group: Some("X25519MLKEM768".to_owned()),
        cipher: "TLS_AES_256_GCM_SHA384".to_owned(),
        certificate_sha256: "ab".repeat(32),
        verdict: CertificateVerdict::Valid,
        level: TlsLevel::Authenticated,
    }
}

pub(crate) fn reply(code: u16) -> Reply {
    Reply {
        code,
        enhanced: Some(EnhancedStatus(u8::try_from(code / 100).unwrap(), 1, 1)),
        text: Personal::Known(format!("{code} said to ann@example.org")),
    }
}

/// Waits until `is_so`, at most ten seconds; no fixed sleep, so a fast machine goes on at once.
pub(crate) fn until(what: &str, log: &MemoryLog, mut is_so: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if is_so() {
            return;
        }
        log.wait_past(u64::MAX, Duration::from_millis(10));
    }
    panic!("not within ten seconds: {what}");
}

/// Events of streams that are no message's.
pub(crate) fn others(log: &MemoryLog) {
    use sealpost_domain::StreamType;
    use sealpost_domain::account::AccountEvent;
    use sealpost_domain::shard::ShardEvent;
    use sealpost_domain::suppression::{SuppressionEvent, SuppressionReason};

    let owned = ShardEvent::ShardOwned {
        epoch: 1,
        node: "n1".to_owned(),
    };
    log.append(None, StreamId::new(StreamType::Shard, 0), 1, owned);
    let stream = StreamId::new(StreamType::Account, account());
    log.append(Some(account()), stream, 1, AccountEvent::AccountReinstated);
    let token = AddressToken::from_mac([7; 16]);
    let suppressed = SuppressionEvent::AddressSuppressed {
        token: token.clone(),
        address: Personal::Known("ann@example.org".to_owned()),
        reason: SuppressionReason::HardBounce,
        until: None,
    };
    let stream = StreamId::within(StreamType::Suppression, account(), token.as_str());
    log.append(Some(account()), stream, 1, suppressed);
}
