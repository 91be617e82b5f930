//! The verdict: every sentence that the promises of the log and of delivery would have been broken by.

use std::collections::{BTreeMap, BTreeSet};

use sealpost_domain::ids::{AttemptId, MessageId};

use super::story::{Acknowledged, Fact, Seen, Story, open_attempts, unfinished};

/// Attempts that may be open on one connection: the one whose answer is awaited, and the one committed ahead of it.
const OPEN_PER_CONNECTION_MAX: usize = 2;

/// What is wrong already after a kill, whatever comes later.
pub fn early_findings(acknowledged: &[Acknowledged], log: &[Seen]) -> Vec<String> {
    let mut found = gaps(log);
    found.extend(not_in_log(acknowledged, log));
    found.extend(unlawful(log));
    found
}

/// What is wrong at the end, in sentences; nothing when all promises held.
pub fn findings(story: &Story) -> Vec<String> {
    let mut found = early_findings(&story.acknowledged, &story.log);
    let headers = accepted(&story.log);
    let doubts = doubts(&story.log);
    found.extend(lost(story, &headers));
    found.extend(doubt_is_exact(story, &doubts));
    found.extend(repeated(story, &headers, &doubts));
    found.extend(open_attempts(&story.log).iter().map(|(attempt, message)| {
        format!("attempt {attempt} of message {message} has begun and has no outcome at the end")
    }));
    found.extend(
        unfinished(&story.log)
            .iter()
            .map(|message| format!("message {message} has come to no end")),
    );
    found
}

/// Positions from 1 and each account's own sequence from 1, without a gap; every leaf over what is stored.
fn gaps(log: &[Seen]) -> Vec<String> {
    let mut found = Vec::new();
    let mut accounts = BTreeMap::new();
    for (seen, due) in log.iter().zip(1_u64..) {
        if seen.position != due {
            found.push(format!("position {} stands where {due} is due", seen.position));
        }
        if let Some((account, seq)) = seen.account {
            let last = accounts.entry(account).or_insert(0_u64);
            *last += 1;
            if seq != *last {
                found.push(format!(
                    "account {account} has {seq} where {last} is due, at {}",
                    seen.position
                ));
            }
        }
        if !seen.leaf_fits {
            found.push(format!("the leaf at {} does not cover what is stored", seen.position));
        }
    }
    found
}

/// Attempts that began while their message was held, had another one open, or had come to its end.
fn unlawful(log: &[Seen]) -> Vec<String> {
    let mut barred: BTreeMap<MessageId, &str> = BTreeMap::new();
    let mut attempts: BTreeMap<AttemptId, MessageId> = BTreeMap::new();
    let mut found = Vec::new();
    for seen in log {
        match &seen.fact {
            Fact::Started { message, attempt } => {
                attempts.insert(*attempt, *message);
                if let Some(why) = barred.insert(*message, "had another one open") {
                    found.push(format!(
                        "attempt {attempt} began at {}, when message {message} {why}",
                        seen.position
                    ));
                }
            }
            Fact::Ended { attempt } | Fact::DoubtedAfterEnd { attempt, .. } => {
                attempts.get(attempt).and_then(|message| barred.remove(message));
            }
            Fact::Held { message } => barred.extend([(*message, "was held")]),
            Fact::Released { message } => barred.retain(|one, _| one != message),
            Fact::Finished { message, .. } => barred.extend([(*message, "had come to its end")]),
            Fact::Accepted { .. } | Fact::Other => {}
        }
    }
    found
}

fn accepted(log: &[Seen]) -> BTreeMap<MessageId, String> {
    let facts = log.iter().filter_map(|seen| match &seen.fact {
        Fact::Accepted {
            message,
            message_id_header,
        } => Some((*message, message_id_header.clone())),
        _ => None,
    });
    facts.collect()
}

fn doubts(log: &[Seen]) -> BTreeMap<AttemptId, MessageId> {
    let facts = log.iter().filter_map(|seen| match seen.fact {
        Fact::DoubtedAfterEnd { message, attempt } => Some((attempt, message)),
        _ => None,
    });
    facts.collect()
}

/// What was acknowledged reached the receiver under the Message-ID that the log has.
fn lost(story: &Story, headers: &BTreeMap<MessageId, String>) -> Vec<String> {
    let taken: BTreeSet<(&str, &str)> = story
        .taken
        .iter()
        .map(|taken| (taken.message_id_header.as_str(), taken.recipient.as_str()))
        .collect();
    let mut found = Vec::new();
    for told in &story.acknowledged {
        let Some(header) = headers.get(&told.message) else {
            continue;
        };
        if !taken.contains(&(header.as_str(), told.recipient.as_str())) {
            found.push(format!("message {} was acknowledged and never arrived", told.message));
        }
    }
    found
}

/// What was acknowledged and was never recorded.
fn not_in_log(acknowledged: &[Acknowledged], log: &[Seen]) -> Vec<String> {
    let headers = accepted(log);
    let missing = acknowledged.iter().filter(|told| !headers.contains_key(&told.message));
    missing
        .map(|told| format!("message {} was acknowledged and is not in the log", told.message))
        .collect()
}

/// In doubt is what the log had open at a kill, and nothing else; few per connection.
fn doubt_is_exact(story: &Story, doubts: &BTreeMap<AttemptId, MessageId>) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: BTreeMap<AttemptId, MessageId> = BTreeMap::new();
    for (kill, number) in story.kills.iter().zip(1..) {
        // A program that is killed again before it has settled the last end still has those open.
        let new = kill.open.keys().filter(|attempt| !open.contains_key(attempt)).count();
        if new > OPEN_PER_CONNECTION_MAX * kill.connections {
            found.push(format!(
                "kill {number} left {new} attempts open on {} connections",
                kill.connections
            ));
        }
        open.extend(&kill.open);
    }
    for (attempt, message) in &open {
        if !doubts.contains_key(attempt) {
            found.push(format!(
                "attempt {attempt} of message {message} was open at a kill and is not in doubt"
            ));
        }
    }
    for (attempt, message) in doubts {
        if !open.contains_key(attempt) {
            found.push(format!(
                "attempt {attempt} of message {message} is in doubt and was not open at a kill"
            ));
        }
    }
    found
}

/// Nothing came that was not accepted; and a message came again only as often as it was in doubt.
fn repeated(
    story: &Story,
    headers: &BTreeMap<MessageId, String>,
    doubts: &BTreeMap<AttemptId, MessageId>,
) -> Vec<String> {
    let messages: BTreeMap<&str, MessageId> = headers
        .iter()
        .map(|(message, header)| (header.as_str(), *message))
        .collect();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for taken in &story.taken {
        *times.entry(taken.message_id_header.as_str()).or_default() += 1;
    }
    let mut found = Vec::new();
    for (header, times) in times {
        let Some(message) = messages.get(header) else {
            found.push(format!("{header} arrived and was never accepted"));
            continue;
        };
        let doubted = doubts.values().filter(|doubted| *doubted == message).count();
        if times > doubted + 1 {
            found.push(format!(
                "message {message} arrived {times} times and was in doubt {doubted} times"
            ));
        }
    }
    found
}
