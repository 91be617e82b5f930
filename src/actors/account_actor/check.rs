//! May this key do that? Asked before anything is stored for a call, and again when it is admitted.

use std::sync::Arc;

use actix::Context;
use sealpost_domain::account::Standing;
use sealpost_domain::api_key::{ApiKeyCommand, UseRefusal};
use sealpost_domain::event::StreamId;
use sealpost_domain::network::Network;
use sealpost_domain::rights::KeyWorld;
use sealpost_domain::{Event, Personal, StreamType};

use super::actor::{AccountActor, admission, tell};
use crate::actors::work::{Admission, Admitted, Claim, Reply};
use crate::log::{Append, Expected, Lane, OnConflict, Row};

impl AccountActor {
    /// Answers a check. A refusal is put on record first, once for each kind, network and ten minutes.
    pub(super) fn check(&mut self, claim: Claim, reply: Reply<Result<Admitted, Admission>>, ctx: &mut Context<Self>) {
        match self.admit(&claim) {
            Ok(admitted) => tell(reply, Ok(admitted)),
            Err(Admission::Refused(refusal)) => self.refuse(claim, refusal, reply, ctx),
            Err(no) => self.answer(reply, Err(no)),
        }
    }

    /// Whether the key may, on the hot state as it is now.
    pub(super) fn admit(&self, claim: &Claim) -> Result<Admitted, Admission> {
        if self.hot.account.state.standing == Standing::None {
            return Err(Admission::UnknownAccount);
        }
        let key = self
            .hot
            .keys
            .get(&claim.key)
            .ok_or(Admission::Refused(UseRefusal::Revoked))?;
        let state = &key.stream.state;
        state
            .admit(&claim.method, claim.needs, self.now())
            .map_err(Admission::Refused)?;
        if self.hot.account.state.standing == Standing::Suspended {
            return Err(Admission::Refused(UseRefusal::AccountSuspended));
        }
        Ok(Admitted {
            standing: state.standing,
            world: state.world.unwrap_or(KeyWorld::Test),
        })
    }

    /// Whether what the key sends is held.
    pub(super) fn is_frozen(&self, key: &sealpost_domain::ids::KeyId) -> bool {
        self.hot.keys.get(key).is_some_and(|key| key.stream.state.holds_mail)
    }

    /// Turns a use of a key away, and puts that on record first where it is news.
    pub(super) fn refuse<T: 'static>(
        &mut self,
        claim: Claim,
        refusal: UseRefusal,
        reply: Reply<Result<T, Admission>>,
        ctx: &mut Context<Self>,
    ) {
        let now = self.now();
        metrics::counter!("sealpost_key_refusals_total").increment(1);
        let from = Network::around(claim.ip);
        let known = self.hot.keys.get(&claim.key).map(|key| key.stream.clone());
        let Some(stream) = known.filter(|_| self.refusals.is_news(claim.key, from, refusal, now)) else {
            return self.answer(reply, Err(Admission::Refused(refusal)));
        };
        let command = ApiKeyCommand::RefuseUse {
            refusal,
            method: claim.method.clone(),
            ip: Personal::Known(claim.ip),
            at: now,
        };
        let Ok(events) = stream.state.decide(command) else {
            return self.answer(reply, Err(Admission::Refused(refusal)));
        };
        let events: Vec<Event> = events.into_iter().map(Event::from).collect();
        let id = StreamId::new(StreamType::ApiKey, claim.key);
        let append = Append {
            lane: Lane::Security,
            generation: Some(self.generation.clone()),
            rows: rows(&id, stream.sequence, self.account, &events, &claim.metadata),
            idempotency: None,
            on_conflict: OnConflict::FailGeneration,
        };
        match self.append(append) {
            Ok(flight) => {
                self.refusals.insert(claim.key, from, refusal, now);
                self.speculate(&id, &events);
                Self::when_durable(ctx, flight, move |stored| {
                    tell(
                        reply,
                        Err(stored.map_or_else(admission, |_| Admission::Refused(refusal))),
                    );
                });
            }
            Err(no) => self.answer(reply, Err(no)),
        }
    }
}

/// Rows for events of one stream, each with the sequence that it is to have.
pub(super) fn rows(
    stream: &StreamId,
    sequence: u64,
    account: sealpost_domain::ids::AccountId,
    events: &[Event],
    metadata: &Arc<sealpost_domain::metadata::Metadata>,
) -> Vec<Row> {
    events
        .iter()
        .zip(sequence..)
        .map(|(event, sequence)| Row {
            stream: stream.clone(),
            expected: Expected::Sequence(sequence),
            account: Some(account),
            recipient_key: None,
            event_id: crate::actors::draw_event_id(),
            event: event.clone(),
            metadata: metadata.clone(),
        })
        .collect()
}
