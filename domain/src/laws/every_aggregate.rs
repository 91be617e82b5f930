//! Laws of every aggregate: a refusal changes nothing, a snapshot forgets nothing, erasing decides nothing.

use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{any_commands, any_message};
use crate::account::Account;
use crate::api_key::ApiKey;
use crate::engagement::Engagement;
use crate::gate::Gate;
use crate::message::Message;
use crate::personal::{HasPersonal, PersonalField, PersonalVisitor, Subject};
use crate::sending_domain::SendingDomain;
use crate::shard::Shard;
use crate::suppression::Suppression;
use crate::user::User;

/// The value of a future that never waits: a decision asks nobody.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a decision waits"),
    }
}

/// What the state answers, through the same door as cqrs-es' own framework; the state goes on with it.
fn handle<A>(state: &mut A, command: A::Command) -> Result<Vec<A::Event>, A::Error>
where
    A: Aggregate<Services = ()>,
{
    let sink = EventSink::default();
    let result = at_once(state.handle(command, &(), &sink));
    let written = at_once(sink.collect());
    assert!(result.is_ok() || written.is_empty(), "a refusal has written events");
    result.map(|()| written)
}

fn fold<A: Aggregate>(mut state: A, events: &[A::Event]) -> A {
    for event in events {
        state.apply(event.clone());
    }
    state
}

/// Through JSON and back, as a snapshot or a stored event goes.
fn stored<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

struct Erase;

impl PersonalVisitor for Erase {
    fn field(&mut self, _name: &'static str, _subject: Subject, field: &mut dyn PersonalField) {
        field.erase();
    }
}

fn hold<A>(commands: &[A::Command]) -> Result<(), TestCaseError>
where
    A: Aggregate<Services = ()> + Clone + PartialEq + Debug,
    A::Command: Clone + Debug,
    A::Event: HasPersonal,
    A::Error: PartialEq + Debug,
{
    let mut state = A::default();
    let mut events = Vec::new();
    for command in commands {
        let before = state.clone();
        let answer = handle(&mut state, command.clone());
        let written = answer.unwrap_or_default();
        prop_assert_eq!(
            &state,
            &fold(before, &written),
            "nothing but its events changes a state"
        );
        events.extend(written);
    }
    for cut in 0..=events.len() {
        let (prefix, rest) = events.split_at(cut);
        let snapshot = stored(&fold(A::default(), prefix));
        let rest: Vec<A::Event> = rest.iter().map(stored).collect();
        prop_assert_eq!(&fold(snapshot, &rest), &state, "cut after {} events", cut);
    }
    let mut erased = events.clone();
    erased.iter_mut().for_each(|event| event.visit_personal(&mut Erase));
    let forgotten = fold(A::default(), &erased);
    for command in commands {
        let answer = handle(&mut state.clone(), command.clone());
        prop_assert_eq!(
            handle(&mut forgotten.clone(), command.clone()),
            answer,
            "what is erased decides"
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn account(commands in vec(any_commands::account(), 0..20)) {
        hold::<Account>(&commands)?;
    }

    #[test]
    fn user(commands in vec(any_commands::user(), 0..10)) {
        hold::<User>(&commands)?;
    }

    #[test]
    fn api_key(commands in vec(any_commands::api_key(), 0..20)) {
        hold::<ApiKey>(&commands)?;
    }

    #[test]
    fn sending_domain(commands in vec(any_commands::sending_domain(), 0..20)) {
        hold::<SendingDomain>(&commands)?;
    }

    #[test]
    fn suppression(commands in vec(any_commands::suppression(), 0..10)) {
        hold::<Suppression>(&commands)?;
    }

    #[test]
    fn message(commands in any_message::commands()) {
        hold::<Message>(&commands)?;
    }

    #[test]
    fn engagement(commands in vec(any_commands::engagement(), 0..20)) {
        hold::<Engagement>(&commands)?;
    }

    #[test]
    fn gate(commands in vec(any_commands::gate(), 0..10)) {
        hold::<Gate>(&commands)?;
    }

    #[test]
    fn shard(commands in vec(any_commands::shard(), 0..20)) {
        hold::<Shard>(&commands)?;
    }
}
