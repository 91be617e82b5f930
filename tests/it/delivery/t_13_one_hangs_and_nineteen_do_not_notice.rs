//! A destination that stops talking, at either end of a session, costs the nineteen others nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sealpost::smtp::server::{Pace, Personality};

use crate::support::{Inbox, Rig};

const OTHERS: usize = 19;
/// Mail for each of the others.
const EACH: usize = 12;
/// Mail for the one that hangs: more than its connections hold and more than its site is offered at a time.
const FOR_THE_ONE: usize = 60;

/// How the one destination behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum One {
    /// As the others do.
    Well,
    /// It takes the connection and says nothing.
    SilentFromTheStart,
    /// It takes the content and says nothing.
    SilentAfterTheFinalDot,
}

/// Sends to twenty destinations, first of all to the one; returns how long the nineteen took.
async fn deliver(one: One) -> Duration {
    let silent = Arc::new(Inbox::default());
    let inboxes: Vec<Arc<Inbox>> = (0..OTHERS).map(|_| Arc::default()).collect();
    let names: Vec<String> = (0..OTHERS).map(|number| format!("d{number}.test")).collect();
    let mut personality = Personality::plain("one.test");
    if one == One::SilentFromTheStart {
        personality.pace = Pace::Hang;
    }
    if one == One::SilentAfterTheFinalDot {
        silent.shut();
    }
    let mut domains = vec![("one.test", personality, silent.clone())];
    for (name, inbox) in names.iter().zip(&inboxes) {
        domains.push((name, Personality::plain(name), inbox.clone()));
    }
    let rig = Rig::start(domains).await;
    let waiting: Vec<String> = (0..FOR_THE_ONE).map(|number| format!("a{number}@one.test")).collect();
    let for_the_one = rig.send_each(rig.account, rig.key, &waiting).await;
    if one == One::SilentAfterTheFinalDot {
        silent.wait_at_door(1).await;
    }

    let began = Instant::now();
    for number in 0..EACH {
        let round: Vec<String> = names.iter().map(|name| format!("b{number}@{name}")).collect();
        rig.send_each(rig.account, rig.key, &round).await;
    }
    for inbox in &inboxes {
        inbox.wait_for(EACH).await;
    }
    let took = began.elapsed();

    match one {
        One::Well => {
            silent.wait_for(FOR_THE_ONE).await;
        }
        One::SilentFromTheStart | One::SilentAfterTheFinalDot => {
            assert_eq!(silent.count(), 0, "it still hangs");
            for message in for_the_one {
                let history = rig.history(message).await;
                let open = history == ["MessageAccepted"] || history == ["MessageAccepted", "DeliveryStarted"];
                assert!(open, "{history:?}: the others came while it hung, not after");
            }
        }
    }
    silent.open();
    for inbox in &inboxes {
        assert!(inbox.by_recipient().values().all(|count| *count == 1));
        assert_eq!(inbox.count(), EACH);
    }
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nineteen_destinations_deliver_beside_one_that_hangs_as_they_do_without_it() {
    let without = deliver(One::Well).await;
    for one in [One::SilentFromTheStart, One::SilentAfterTheFinalDot] {
        let with = deliver(one).await;
        println!("{one:?}: the nineteen took {with:?} beside it, {without:?} without it");
        // Waiting for the one would take a minute at least, its time-out; the factor is for a machine with other work.
        let bound = without * 5 + Duration::from_secs(5);
        assert!(with < bound, "{one:?}: {with:?} beside it, {without:?} without it");
    }
}
