//! The verdict itself: a good story passes, and each promise that is broken is named.

use sealpost_domain::ids::{AccountId, AttemptId, MessageId};
use uuid::Uuid;

use super::story::{Acknowledged, Fact, Kill, Seen, Story, Taken};
use super::verdict::findings;

fn message(number: u128) -> MessageId {
    MessageId::from_uuid(Uuid::from_u128(number))
}

fn attempt(number: u128) -> AttemptId {
    AttemptId::from_uuid(Uuid::from_u128(number))
}

fn taken(number: u128) -> Taken {
    Taken {
        message_id_header: format!("<{number}@x>"),
        recipient: format!("r{number}@x"),
    }
}

/// Message 1 is delivered at once; message 2 is open at a kill, in doubt, and arrives twice.
fn good() -> Story {
    let account = AccountId::from_uuid(Uuid::from_u128(9));
    let accepted = |n| Fact::Accepted {
        message: message(n),
        message_id_header: format!("<{n}@x>"),
    };
    let started = |n, a| Fact::Started {
        message: message(n),
        attempt: attempt(a),
    };
    let finished = |n, a| Fact::Finished {
        message: message(n),
        attempt: Some(attempt(a)),
    };
    let facts = [
        Fact::Other,
        accepted(1),
        accepted(2),
        started(1, 11),
        finished(1, 11),
        started(2, 21),
        Fact::DoubtedAfterEnd {
            message: message(2),
            attempt: attempt(21),
        },
        started(2, 22),
        finished(2, 22),
    ];
    let seen = facts.into_iter().zip(1..).map(|(fact, position)| Seen {
        position,
        account: (position > 1).then(|| (account, position - 1)),
        leaf_fits: true,
        fact,
    });
    let told = |n| Acknowledged {
        message: message(n),
        recipient: format!("r{n}@x"),
    };
    Story {
        acknowledged: vec![told(1), told(2)],
        taken: vec![taken(1), taken(2), taken(2)],
        kills: vec![Kill {
            open: [(attempt(21), message(2))].into(),
            connections: 1,
        }],
        log: seen.collect(),
    }
}

#[test]
fn a_good_story_passes() {
    assert_eq!(findings(&good()), Vec::<String>::new());
}

/// A way to break a story, and the words of the sentence that names it.
type Broken = (fn(&mut Story), &'static str);

#[test]
fn each_broken_promise_is_named() {
    let broken: [Broken; 17] = [
        (|story| drop(story.taken.remove(0)), "never arrived"),
        (|story| story.taken[0].recipient = "other@x".to_owned(), "never arrived"),
        (
            |story| story.taken.push(taken(1)),
            "arrived 2 times and was in doubt 0 times",
        ),
        (
            |story| story.taken.push(taken(2)),
            "arrived 3 times and was in doubt 1 times",
        ),
        (|story| story.taken.push(taken(7)), "never accepted"),
        (|story| story.acknowledged[0].message = message(8), "not in the log"),
        (
            |story| story.kills[0].open.extend([(attempt(77), message(1))]),
            "is not in doubt",
        ),
        (|story| story.kills[0].open.clear(), "was not open at a kill"),
        (
            |story| story.kills[0].connections = 0,
            "1 attempts open on 0 connections",
        ),
        (|story| story.log[6].fact = Fact::Other, "has no outcome at the end"),
        (
            |story| story.log[8].fact = Fact::Ended { attempt: attempt(22) },
            "has come to no end",
        ),
        (|story| story.log[8].position = 10, "position 10 stands where 9 is due"),
        (
            |story| story.log[8].account.as_mut().unwrap().1 = 9,
            "has 9 where 8 is due",
        ),
        (|story| story.log[3].leaf_fits = false, "the leaf at 4"),
        (
            |story| story.log[0].fact = Fact::Held { message: message(1) },
            "message 00000000-0000-0000-0000-000000000001 was held",
        ),
        (|story| story.log[6].fact = Fact::Other, "had another one open"),
        (
            |story| {
                story.log[6].fact = Fact::Finished {
                    message: message(2),
                    attempt: None,
                }
            },
            "had come to its end",
        ),
    ];
    for (change, words) in broken {
        let mut story = good();
        change(&mut story);
        let found = findings(&story);
        assert!(
            found.iter().any(|sentence| sentence.contains(words)),
            "{words}: {found:?}"
        );
    }
}
