//! Commands meet in one round, some of them fail, and nothing that was decided on a failed one is on record.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sealpost::actors::{Admission, Manage, Managed, SendCall, Verdict};
use sealpost::clock::draw_uuid;
use sealpost_domain::api_key::{ApiKey, ApiKeyCommand, KeyStanding};
use sealpost_domain::ids::{KeyId, MessageId};
use sealpost_domain::{Event, Personal, Recorded, StreamId, StreamType};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::log_contract::{Faults, Gate};
use crate::support::{Rig, RigOptions};

/// A command to a key, and whether the store will refuse the event that it comes to.
#[derive(Debug, Clone, Copy)]
enum Step {
    Send,
    Freeze(Fate),
    Thaw(Fate),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stored,
    Refused,
}

enum Asked {
    Send(MessageId, JoinHandle<Result<Verdict, Admission>>),
    Manage(JoinHandle<Result<Managed, Admission>>),
}

struct World {
    runtime: Runtime,
    rig: Rig,
    faults: Arc<Faults>,
}

impl World {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let faults = Arc::new(Faults::default());
        let mut options = RigOptions::default();
        let gate = faults.clone();
        options.ports.wrap_store = Arc::new(move |store| Box::new(Gate::before(store, gate.clone())));
        let rig = runtime.block_on(Rig::with(vec![], options));
        Self { runtime, rig, faults }
    }

    /// Hands a command over, and returns when the actor has taken what was handed over before it.
    async fn ask(&self, key: KeyId, step: Step, call: Option<SendCall>) -> Asked {
        let (accounts, account) = (self.rig.engine.accounts().clone(), self.rig.account);
        let metadata = self.rig.claim(account, key).metadata;
        let manage = |command| {
            let (accounts, metadata) = (accounts.clone(), metadata.clone());
            Asked::Manage(tokio::spawn(async move {
                accounts.manage(account, metadata, Manage::Key(key, command)).await
            }))
        };
        let asked = match (step, call) {
            (Step::Send, Some(call)) => {
                let (message, accounts) = (call.recipients[0].message, accounts.clone());
                let sending = async move { accounts.send(call).await.map(|answers| answers[0].verdict) };
                Asked::Send(message, tokio::spawn(sending))
            }
            (Step::Send, None) => panic!("a send has a call"),
            (Step::Freeze(_), _) => {
                let reason = Personal::Known("leaked?".to_owned());
                manage(ApiKeyCommand::FreezeKey { reason })
            }
            (Step::Thaw(_), _) => manage(ApiKeyCommand::ThawKey),
        };
        for _ in 0..8 {
            drop(self.rig.engine.accounts().check(self.rig.claim(account, key)).await);
        }
        asked
    }

    async fn run(&self, steps: &[Step]) -> (KeyId, Vec<Asked>) {
        let key = KeyId::from_uuid(draw_uuid());
        self.rig.issue_key(self.rig.account, key).await;
        let mut calls = Vec::new();
        for step in steps {
            calls.push(match step {
                Step::Send => Some(self.rig.send_call(self.rig.account, key, &["ann@nowhere.test"]).await),
                Step::Freeze(_) | Step::Thaw(_) => None,
            });
        }
        self.faults.shut();
        let mut asked = Vec::new();
        for (step, call) in steps.iter().zip(calls) {
            asked.push(self.ask(key, *step, call).await);
        }
        self.faults.open();
        (key, asked)
    }
}

/// The law: the key's events follow from each other, each send was answered as the key stood at its place in the log,
/// and what was answered with a failure is not on record.
#[test]
fn what_was_decided_on_a_failed_command_is_not_on_record() {
    let world = World::new();
    let fate = || prop_oneof![3 => Just(Fate::Stored), 1 => Just(Fate::Refused)];
    let step = prop_oneof![
        3 => Just(Step::Send),
        2 => fate().prop_map(Step::Freeze),
        2 => fate().prop_map(Step::Thaw),
    ];
    let config = Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&proptest::collection::vec(step, 2..14), |steps| {
            // In the order in which the store will see them: one that the actor refuses has none.
            world.faults.refuse_in_turn(&["KeyFrozen", "KeyThawed"], fates(&steps));
            let (key, asked) = world.runtime.block_on(world.run(&steps));
            world.runtime.block_on(check(&world.rig, key, asked))
        })
        .unwrap();
    world.runtime.block_on(world.rig.engine.stop());
}

/// The fates of the commands that the actor takes, when it believes that all of them come true.
fn fates(steps: &[Step]) -> Vec<bool> {
    let mut frozen = false;
    let mut fates = Vec::new();
    for step in steps {
        match (step, frozen) {
            (Step::Freeze(fate), false) | (Step::Thaw(fate), true) => {
                frozen = !frozen;
                fates.push(*fate == Fate::Refused);
            }
            (Step::Freeze(_), true) | (Step::Thaw(_), false) | (Step::Send, _) => {}
        }
    }
    fates
}

async fn check(rig: &Rig, key: KeyId, asked: Vec<Asked>) -> Result<(), TestCaseError> {
    let mut sends = BTreeMap::new();
    let mut managed = Vec::new();
    for one in asked {
        match one {
            Asked::Send(message, answer) => {
                sends.insert(message, answer.await.unwrap());
            }
            Asked::Manage(answer) => managed.push(answer.await.unwrap()),
        }
    }
    let events = rig.events().await;
    let positions = follow_key(&events, key, &sends)?;
    for answer in managed {
        match answer {
            Ok(Managed::Done { position } | Managed::Frozen { position, .. }) => {
                prop_assert!(
                    positions.contains(&position),
                    "{position} was answered and is not on record"
                );
            }
            Ok(other) => prop_assert!(false, "{other:?}"),
            Err(Admission::Unavailable | Admission::MessageChanged | Admission::Key(_)) => {}
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }
    for (message, answer) in sends {
        let stream = StreamId::message(message);
        let present = events.iter().any(|recorded| recorded.stream == stream);
        prop_assert_eq!(present, answer.is_ok(), "{:?}", answer);
    }
    Ok(())
}

/// Follows the key through the log; the positions of its events.
fn follow_key(
    events: &[Recorded],
    key: KeyId,
    sends: &BTreeMap<MessageId, Result<Verdict, Admission>>,
) -> Result<Vec<u64>, TestCaseError> {
    let own = StreamId::new(StreamType::ApiKey, key);
    let mut state = ApiKey::default();
    let mut positions = Vec::new();
    for recorded in events {
        if let (true, Event::ApiKey(event)) = (recorded.stream == own, &recorded.event) {
            let command = match event.clone() {
                sealpost_domain::api_key::ApiKeyEvent::KeyFrozen { reason } => {
                    Some(ApiKeyCommand::FreezeKey { reason })
                }
                sealpost_domain::api_key::ApiKeyEvent::KeyThawed => Some(ApiKeyCommand::ThawKey),
                _ => None,
            };
            let follows = command.is_none_or(|command| state.decide(command).is_ok());
            prop_assert!(follows, "{event:?} does not follow from what is before it");
            state.evolve(event);
            positions.push(recorded.position);
        }
        let sent = recorded
            .stream
            .id
            .parse()
            .ok()
            .and_then(|message: MessageId| sends.get(&message));
        if let (Some(Ok(verdict)), "MessageAccepted") = (sent, recorded.event.event_type().as_str()) {
            let expected = match state.standing {
                KeyStanding::Frozen => Verdict::Held,
                _ => Verdict::Accepted,
            };
            prop_assert_eq!(*verdict, expected, "at {}", recorded.position);
        }
    }
    Ok(positions)
}
