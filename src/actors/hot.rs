//! The hot state of an account: every stream of it but its messages, as its actor keeps them in memory.

use std::collections::BTreeMap;

use sealpost_domain::account::{Account, AccountEvent};
use sealpost_domain::address::DomainName;
use sealpost_domain::api_key::{ApiKey, ApiKeyEvent};
use sealpost_domain::ids::{KeyId, UserId};
use sealpost_domain::sending_domain::{SendingDomain, SendingDomainEvent};
use sealpost_domain::user::{User, UserEvent};
use sealpost_domain::{Event, Instant, Personal, Recorded};

/// A stream in memory: its state and how many events it has.
#[derive(Debug, Clone, Default)]
pub struct Tracked<A> {
    /// The state.
    pub state: A,
    /// Events so far.
    pub sequence: u64,
}

/// A key in memory.
#[derive(Debug, Clone)]
pub struct HotKey {
    /// The stream.
    pub stream: Tracked<ApiKey>,
    /// The owner's name for it.
    pub label: Personal<String>,
    /// When it was issued.
    pub issued_at: Instant,
}

/// All that an account's actor decides on.
#[derive(Debug, Clone, Default)]
pub struct Hot {
    /// The account itself.
    pub account: Tracked<Account>,
    /// Its keys.
    pub keys: BTreeMap<KeyId, HotKey>,
    /// Its domains.
    pub domains: BTreeMap<DomainName, Tracked<SendingDomain>>,
    /// Its users.
    pub users: BTreeMap<UserId, Tracked<User>>,
}

impl Hot {
    /// Folds what the log holds of the account.
    #[must_use]
    pub fn replay(recorded: Vec<Recorded>) -> Self {
        let mut hot = Self::default();
        for event in recorded {
            hot.take(&event.stream.id, &event.event);
        }
        hot
    }

    /// Takes one event in. `stream_id` is the id within its kind; events of other kinds change nothing.
    pub fn take(&mut self, stream_id: &str, event: &Event) {
        match event {
            Event::Account(event) => self.take_account(event),
            Event::ApiKey(event) => self.take_key(stream_id, event),
            Event::SendingDomain(event) => self.take_domain(stream_id, event),
            Event::User(event) => self.take_user(event),
            Event::Suppression(_) | Event::Message(_) | Event::Engagement(_) | Event::Gate(_) | Event::Shard(_) => {}
        }
    }

    fn take_account(&mut self, event: &AccountEvent) {
        self.account.state.evolve(event);
        self.account.sequence = self.account.sequence.saturating_add(1);
    }

    fn take_key(&mut self, stream_id: &str, event: &ApiKeyEvent) {
        let Ok(key) = stream_id.parse::<KeyId>() else { return };
        if let ApiKeyEvent::KeyIssued(issued) = event {
            self.keys.entry(key).or_insert_with(|| HotKey {
                stream: Tracked::default(),
                label: issued.label.clone(),
                issued_at: issued.issued_at,
            });
        }
        if let Some(hot) = self.keys.get_mut(&key) {
            hot.stream.state.evolve(event);
            hot.stream.sequence = hot.stream.sequence.saturating_add(1);
        }
    }

    fn take_domain(&mut self, stream_id: &str, event: &SendingDomainEvent) {
        let name = stream_id.rsplit_once('/').map_or(stream_id, |(_, name)| name);
        let Ok(domain) = DomainName::parse(name) else { return };
        let hot = self.domains.entry(domain).or_default();
        hot.state.evolve(event);
        hot.sequence = hot.sequence.saturating_add(1);
    }

    fn take_user(&mut self, event: &UserEvent) {
        let user = match event {
            UserEvent::UserRegistered { user, .. } | UserEvent::PasswordChanged { user, .. } => *user,
        };
        let hot = self.users.entry(user).or_default();
        hot.state.evolve(event);
        hot.sequence = hot.sequence.saturating_add(1);
    }
}
