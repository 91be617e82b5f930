//! Commands that are no send: to the account, its users, keys, domains and messages.

use std::sync::Arc;

use actix::{AsyncContext, Context};
use sealpost_domain::account::{AccountCommand, Standing};
use sealpost_domain::api_key::{ApiKeyCommand, UseRefusal};
use sealpost_domain::event::StreamId;
use sealpost_domain::ids::KeyId;
use sealpost_domain::message::MessageCommand;
use sealpost_domain::metadata::Metadata;
use sealpost_domain::rights::{KeyKind, KeyLimit, KeyWorld};
use sealpost_domain::sending_domain::{DkimAlgorithm, DkimKey};
use sealpost_domain::tls_rule::AccountTls;
use sealpost_domain::user::UserCommand;
use sealpost_domain::{Event, StreamType};

use super::actor::{AccountActor, Stored, admission, tell};
use super::check::rows;
use crate::actors::account_view::{DkimView, DomainView, KeyView};
use crate::actors::work::{Admission, Asker, Claim, Manage, ManageMessage, Managed, Reply};
use crate::log::{Append, Appended, Lane, OnConflict};

type ManageReply = Reply<Result<Managed, Admission>>;

/// Events that a command came to, and the stream that they are of.
struct Decision {
    stream: StreamId,
    sequence: u64,
    events: Vec<Event>,
}

impl AccountActor {
    /// Decides a command, and answers when it is durable. Whoever has a key is admitted in the same turn: what was checked
    /// when the call began says nothing about a key that was revoked meanwhile.
    pub(super) fn manage_for(&mut self, asker: Asker, manage: Manage, reply: ManageReply, ctx: &mut Context<Self>) {
        match asker {
            Asker::Operator { metadata, .. } => self.manage(metadata, manage, reply, ctx),
            Asker::Key(claim) => match self.admit_to_manage(&claim, &manage) {
                Ok(()) => self.manage(claim.metadata, manage, reply, ctx),
                Err(Admission::Refused(refusal)) => self.refuse(claim, refusal, reply, ctx),
                Err(no) => self.answer(reply, Err(no)),
            },
        }
    }

    /// Whether a key may give this command. No key reaches from the test world into the live one, and none gives to
    /// another what it has not itself.
    fn admit_to_manage(&self, claim: &Claim, manage: &Manage) -> Result<(), Admission> {
        let admitted = self.admit(claim)?;
        let Manage::Key(key, command) = manage else {
            return Ok(());
        };
        let world = match command {
            ApiKeyCommand::IssueKey(issued) => Some(issued.world),
            _ => self.hot.keys.get(key).and_then(|key| key.stream.state.world),
        };
        let exceeded = |limit| Admission::Refused(UseRefusal::Limit(limit));
        if admitted.world == KeyWorld::Test && world == Some(KeyWorld::Live) {
            return Err(exceeded(KeyLimit::World));
        }
        if let (ApiKeyCommand::IssueKey(issued), Some(own)) = (command, self.hot.keys.get(&claim.key)) {
            issued.limits.within(&own.stream.state.limits).map_err(exceeded)?;
        }
        Ok(())
    }

    fn manage(&mut self, metadata: Arc<Metadata>, manage: Manage, reply: ManageReply, ctx: &mut Context<Self>) {
        // Nothing is of an account that was never opened: it has no key to seal with either.
        if self.hot.account.state.standing == Standing::None && !matches!(manage, Manage::Account(_)) {
            return self.answer(reply, Err(Admission::UnknownAccount));
        }
        match manage {
            Manage::ListKeys => self.answer(reply, Ok(Managed::Keys(self.key_views()))),
            Manage::ListDomains => self.answer(reply, Ok(Managed::Domains(self.domain_views()))),
            Manage::Message(command) => self.manage_message(&metadata, *command, reply, ctx),
            Manage::Key(key, command) => {
                let freezes = matches!(command, ApiKeyCommand::FreezeKey { .. });
                let thaws = matches!(command, ApiKeyCommand::ThawKey);
                match self.decide_key(key, command) {
                    Ok(decision) if freezes => self.freeze(key, &metadata, decision, reply, ctx),
                    Ok(decision) if thaws => self.thaw(key, &metadata, decision, reply, ctx),
                    Ok(decision) => self.commit(&metadata, decision, reply, ctx, done),
                    Err(no) => self.answer(reply, Err(no)),
                }
            }
            Manage::Account(AccountCommand::ChangeTlsDemand { tls }) => {
                match self.decide(Manage::Account(AccountCommand::ChangeTlsDemand { tls })) {
                    Ok(decision) => self.change_tls(tls, &metadata, decision, reply, ctx),
                    Err(no) => self.answer(reply, Err(no)),
                }
            }
            Manage::User(user, command @ UserCommand::RegisterUser { .. }) => {
                match self.decide(Manage::User(user, command)) {
                    Ok(decision) => self.register(&metadata, decision, reply, ctx),
                    Err(no) => self.answer(reply, Err(no)),
                }
            }
            other => match self.decide(other) {
                Ok(decision) => self.commit(&metadata, decision, reply, ctx, done),
                Err(no) => self.answer(reply, Err(no)),
            },
        }
    }

    fn decide(&self, manage: Manage) -> Result<Decision, Admission> {
        Ok(match manage {
            Manage::Account(command) => {
                let tracked = &self.hot.account;
                let events = tracked.state.decide(command)?.into_iter().map(Event::from).collect();
                Decision {
                    stream: StreamId::new(StreamType::Account, self.account),
                    sequence: tracked.sequence,
                    events,
                }
            }
            Manage::User(user, command) => {
                let tracked = self.hot.users.get(&user).cloned().unwrap_or_default();
                let events = tracked.state.decide(command)?.into_iter().map(Event::from).collect();
                Decision {
                    stream: StreamId::new(StreamType::User, user),
                    sequence: tracked.sequence,
                    events,
                }
            }
            Manage::Domain(domain, command) => {
                let tracked = self.hot.domains.get(&domain).cloned().unwrap_or_default();
                let events = tracked.state.decide(command)?.into_iter().map(Event::from).collect();
                let stream = StreamId::within(StreamType::SendingDomain, self.account, domain.as_str());
                Decision {
                    stream,
                    sequence: tracked.sequence,
                    events,
                }
            }
            Manage::Key(key, command) => return self.decide_key(key, command),
            Manage::Message(_) | Manage::ListKeys | Manage::ListDomains => return Err(Admission::Unavailable),
        })
    }

    fn decide_key(&self, key: KeyId, command: ApiKeyCommand) -> Result<Decision, Admission> {
        let tracked = self
            .hot
            .keys
            .get(&key)
            .map(|hot| hot.stream.clone())
            .unwrap_or_default();
        let events = tracked.state.decide(command)?.into_iter().map(Event::from).collect();
        Ok(Decision {
            stream: StreamId::new(StreamType::ApiKey, key),
            sequence: tracked.sequence,
            events,
        })
    }

    /// Names the attempts that had begun: the log has them before the freeze, and nothing after it starts.
    fn freeze(
        &mut self,
        key: KeyId,
        metadata: &Arc<Metadata>,
        decision: Decision,
        reply: ManageReply,
        ctx: &mut Context<Self>,
    ) {
        let begun = self.attempts.of_key(key);
        self.commit(metadata, decision, reply, ctx, move |appended| Managed::Frozen {
            position: appended.last_position,
            begun,
        });
    }

    /// What waited for the key goes on as soon as the thaw is durable.
    fn thaw(
        &mut self,
        key: KeyId,
        metadata: &Arc<Metadata>,
        decision: Decision,
        reply: ManageReply,
        ctx: &mut Context<Self>,
    ) {
        let destinations = self.ports.destinations.clone();
        self.commit(metadata, decision, reply, ctx, move |appended| {
            destinations.refill_key(key, appended.last_position);
            done(appended)
        });
    }

    /// Attempts look the choice up from the moment on when it is durable, and before anybody is told.
    fn change_tls(
        &mut self,
        tls: AccountTls,
        metadata: &Arc<Metadata>,
        decision: Decision,
        reply: ManageReply,
        ctx: &mut Context<Self>,
    ) {
        let (choices, account) = (self.ports.tls.clone(), self.account);
        self.commit(metadata, decision, reply, ctx, move |appended| {
            choices.set(account, tls);
            done(appended)
        });
    }

    fn append_of(&self, decision: &Decision, metadata: &Arc<Metadata>, on_conflict: OnConflict) -> Append {
        Append {
            lane: Lane::Security,
            generation: Some(self.generation.clone()),
            rows: rows(
                &decision.stream,
                decision.sequence,
                self.account,
                &decision.events,
                metadata,
            ),
            idempotency: None,
            on_conflict,
        }
    }

    /// Whether a login is free among all accounts only the log knows. Nothing stands on the registration before it is
    /// durable, so that one that is refused fails nothing else of the account.
    fn register(&mut self, metadata: &Arc<Metadata>, decision: Decision, reply: ManageReply, ctx: &mut Context<Self>) {
        let append = self.append_of(&decision, metadata, OnConflict::Answer);
        let Decision { stream, events, .. } = decision;
        match self.append(append) {
            Ok(flight) => {
                let actor = ctx.address();
                Self::when_durable(ctx, flight, move |stored| match stored {
                    Ok(appended) => {
                        actor.do_send(Stored { stream, events });
                        tell(reply, Ok(done(&appended)));
                    }
                    Err(failure) => tell(reply, Err(admission(failure))),
                });
            }
            Err(no) => self.answer(reply, Err(no)),
        }
    }

    fn commit(
        &mut self,
        metadata: &Arc<Metadata>,
        decision: Decision,
        reply: ManageReply,
        ctx: &mut Context<Self>,
        managed: impl FnOnce(&Appended) -> Managed + 'static,
    ) {
        let append = self.append_of(&decision, metadata, OnConflict::FailGeneration);
        let Decision { stream, events, .. } = decision;
        match self.append(append) {
            Ok(flight) => {
                self.speculate(&stream, &events);
                Self::when_durable(ctx, flight, move |stored| match stored {
                    Ok(appended) => tell(reply, Ok(managed(&appended))),
                    Err(failure) => tell(reply, Err(admission(failure))),
                });
            }
            Err(no) => self.answer(reply, Err(no)),
        }
    }

    /// A message's stream is not hot: the command brings its state, and the log checks that nobody was faster.
    fn manage_message(
        &mut self,
        metadata: &Arc<Metadata>,
        command: ManageMessage,
        reply: ManageReply,
        ctx: &mut Context<Self>,
    ) {
        let ManageMessage {
            message,
            state,
            sequence,
            command,
        } = command;
        let command = self.with_own_policies(command);
        let events = match state.decide(command) {
            Ok(events) => events.into_iter().map(Event::from).collect::<Vec<_>>(),
            Err(no) => return self.answer(reply, Err(no.into())),
        };
        let recipient_key = state.order.as_ref().map(|order| order.recipient_key);
        let mut rows = rows(&StreamId::message(message), sequence, self.account, &events, metadata);
        for row in &mut rows {
            row.recipient_key = recipient_key;
        }
        let append = Append {
            lane: Lane::Security,
            generation: None,
            rows,
            idempotency: None,
            on_conflict: OnConflict::Answer,
        };
        match self.append(append) {
            Ok(flight) => {
                let destinations = self.ports.destinations.clone();
                Self::when_durable(ctx, flight, move |stored| match stored {
                    Ok(appended) => {
                        destinations.refill_message(message, appended.last_position);
                        tell(reply, Ok(done(&appended)));
                    }
                    Err(failure) => tell(reply, Err(admission(failure))),
                });
            }
            Err(no) => self.answer(reply, Err(no)),
        }
    }

    /// What follows a doubt is the account's choice, and when is the program's.
    fn with_own_policies(&self, command: MessageCommand) -> MessageCommand {
        match command {
            MessageCommand::DeclareInDoubt {
                attempt_id, cause, at, ..
            } => MessageCommand::DeclareInDoubt {
                attempt_id,
                cause,
                at,
                retry: self.ports.destinations.retry_policy(),
                in_doubt: self.hot.account.state.in_doubt,
            },
            other => other,
        }
    }

    fn key_views(&self) -> Vec<KeyView> {
        let mut views: Vec<_> = self
            .hot
            .keys
            .iter()
            .map(|(key, hot)| KeyView {
                key: *key,
                kind: hot.stream.state.kind.unwrap_or(KeyKind::Sending),
                world: hot.stream.state.world.unwrap_or(KeyWorld::Test),
                display: hot.stream.state.display.clone(),
                label: hot.label.clone(),
                standing: hot.stream.state.standing,
                limits: hot.stream.state.limits.clone(),
                issued_at: hot.issued_at,
            })
            .collect();
        views.sort_by_key(|view| (view.issued_at, view.key));
        views
    }

    fn domain_views(&self) -> Vec<DomainView> {
        self.hot
            .domains
            .iter()
            .filter(|(_, hot)| hot.state.domain.is_some())
            .map(|(domain, hot)| DomainView {
                domain: domain.clone(),
                verified: hot.state.verified,
                signing: hot.state.signing,
                dkim: hot.state.active_keys().filter_map(dkim_view).collect(),
            })
            .collect()
    }
}

fn dkim_view(key: &DkimKey) -> Option<DkimView> {
    Some(DkimView {
        selector: key.selector.clone(),
        algorithm: DkimAlgorithm::parse(&key.algorithm)?,
        public_key: key.public_key.clone(),
    })
}

const fn done(appended: &Appended) -> Managed {
    Managed::Done {
        position: appended.last_position,
    }
}
