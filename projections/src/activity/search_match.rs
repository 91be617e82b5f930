//! Compares a row with a query: word by word, in lower case, with `*` and `?` inside words. Never becomes SQL.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{NaiveDate, NaiveDateTime};
use sealpost_domain::Instant;
use sealpost_domain::ids::{KeyId, MessageId};

use super::state::ActivityState;

/// What a row must fulfil.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Clause {
    Everything,
    All(Vec<Clause>),
    Any(Vec<Clause>),
    Not(Box<Clause>),
    Term(Field, Pattern),
    Range(Field, Range),
}

/// Where a term is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    Any,
    Id,
    Email,
    FullEmail,
    Sender,
    Subject,
    Tags,
    State,
    Key,
    ClientIp,
    Ts,
    /// Opens and clicks: counted as none, since no tracking is recorded.
    Tracked,
    /// Custom metadata by its name, lower case.
    Metadata(String),
    /// A field of Mandrill's that no message here has.
    Absent,
}

impl Field {
    /// The field of this name; `None` for a name that is none, whose text is then looked for as it stands.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        if let Some(key) = name.strip_prefix("u_") {
            return Some(Self::Metadata(key.to_owned()));
        }
        Some(match name.as_str() {
            "_id" | "id" => Self::Id,
            "email" | "recipient" | "to" => Self::Email,
            "full_email" => Self::FullEmail,
            "sender" | "from" => Self::Sender,
            "subject" => Self::Subject,
            "tags" | "tag" => Self::Tags,
            "state" => Self::State,
            "api_key" | "key" => Self::Key,
            "client_ip" | "ip" => Self::ClientIp,
            "ts" => Self::Ts,
            "opens" | "clicks" => Self::Tracked,
            "template" | "mc_template" | "subaccount" => Self::Absent,
            _ => return None,
        })
    }
}

/// What of a row is searched. A text that is erased is `None` and never found.
pub(super) struct Searched<'a> {
    pub message: MessageId,
    pub at: Instant,
    pub state: ActivityState,
    pub key: Option<KeyId>,
    pub client_ip: Option<&'a str>,
    pub sender: Option<&'a str>,
    pub recipient: Option<&'a str>,
    pub subject: Option<&'a str>,
    pub tags: Vec<String>,
    /// Values as JSON text.
    pub metadata: BTreeMap<String, String>,
}

impl Clause {
    pub fn matches(&self, row: &Searched<'_>) -> bool {
        match self {
            Self::Everything => true,
            Self::All(clauses) => clauses.iter().all(|clause| clause.matches(row)),
            Self::Any(clauses) => clauses.iter().any(|clause| clause.matches(row)),
            Self::Not(clause) => !clause.matches(row),
            Self::Term(field, pattern) => pattern.matches(field, row),
            Self::Range(Field::Ts, range) => range.holds_time(row.at),
            Self::Range(Field::Tracked, range) => range.holds_zero(),
            Self::Range(..) => false,
        }
    }
}

/// A word or phrase. Kept in two forms: cut into words, and whole for fields that are compared as a whole.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    whole: Vec<char>,
    pieces: Vec<Piece>,
}

impl fmt::Debug for Pattern {
    /// Redacted: people look for addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pattern(…)")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// A word, with `*` and `?` in it.
    Word(Vec<char>),
    /// Any one word.
    AnyOne,
    /// Any words, or none.
    AnyRun,
}

impl Pattern {
    pub fn new(text: &str) -> Self {
        let lower = text.to_lowercase();
        let mut pieces = vec![Piece::AnyRun];
        for word in lower.split(|c: char| !(c.is_alphanumeric() || matches!(c, '*' | '?'))) {
            if word.is_empty() {
                continue;
            }
            if word.chars().all(|c| c == '*') {
                pieces.extend([Piece::AnyOne, Piece::AnyRun]);
            } else {
                pieces.push(Piece::Word(word.chars().collect()));
            }
        }
        pieces.push(Piece::AnyRun);
        Self {
            whole: lower.trim().chars().collect(),
            pieces,
        }
    }

    /// What any value fulfils.
    pub fn anything() -> Self {
        Self::new("*")
    }

    /// Whether there is no word in it: signs alone are nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.pieces.iter().all(|piece| *piece == Piece::AnyRun)
    }

    fn matches(&self, field: &Field, row: &Searched<'_>) -> bool {
        match field {
            Field::Any => {
                [row.recipient, row.sender, row.subject]
                    .into_iter()
                    .flatten()
                    .chain(row.tags.iter().map(String::as_str))
                    .chain(row.metadata.values().map(String::as_str))
                    .any(|text| self.in_words(text))
                    || self.is_whole(&row.message.to_hex())
            }
            Field::Id => self.is_whole(&row.message.to_hex()) || self.is_whole(&row.message.to_string()),
            Field::Email => row.recipient.is_some_and(|text| self.in_words(text)),
            Field::FullEmail => row.recipient.is_some_and(|text| self.is_whole(text)),
            Field::Sender => row.sender.is_some_and(|text| self.in_words(text)),
            Field::Subject => row.subject.is_some_and(|text| self.in_words(text)),
            Field::Tags => row.tags.iter().any(|tag| self.in_words(tag)),
            Field::State => self.is_whole(row.state.mandrill()) || self.is_whole(row.state.name().as_str()),
            Field::Key => row
                .key
                .is_some_and(|key| self.is_whole(&key.to_hex()) || self.is_whole(&key.to_string())),
            Field::ClientIp => row.client_ip.is_some_and(|text| self.is_whole(text)),
            Field::Ts => self.day().is_some_and(|day| day.holds_time(row.at)),
            Field::Tracked => self.is_whole("0"),
            Field::Metadata(name) => row
                .metadata
                .iter()
                .any(|(key, value)| key.to_lowercase() == *name && self.in_words(value)),
            Field::Absent => false,
        }
    }

    /// A single date stands for its whole day, a single second for itself.
    fn day(&self) -> Option<Range> {
        let text: String = self.whole.iter().collect();
        Some(Range {
            from: Bound::Time(edge_of(&text, Edge::First)?),
            to: Bound::Time(edge_of(&text, Edge::Last)?),
        })
    }

    fn in_words(&self, text: &str) -> bool {
        let words: Vec<Vec<char>> = text
            .to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(|word| word.chars().collect())
            .collect();
        glob(
            &self.pieces,
            &words,
            |piece| *piece == Piece::AnyRun,
            |piece, word| match piece {
                Piece::Word(pattern) => fits(pattern, word),
                Piece::AnyOne => true,
                Piece::AnyRun => false,
            },
        )
    }

    fn is_whole(&self, text: &str) -> bool {
        let text: Vec<char> = text.to_lowercase().chars().collect();
        fits(&self.whole, &text)
    }
}

fn fits(pattern: &[char], word: &[char]) -> bool {
    glob(pattern, word, |c| *c == '*', |c, found| *c == '?' || c == found)
}

/// Whether the pattern covers all of the items, where a run covers any number of them. Goes back only to the last run,
/// so it takes at most pattern × items steps.
fn glob<P, T>(pattern: &[P], items: &[T], is_run: impl Fn(&P) -> bool, fits: impl Fn(&P, &T) -> bool) -> bool {
    let (mut at, mut item) = (0, 0);
    let mut last_run = None;
    while let Some(found) = items.get(item) {
        match pattern.get(at) {
            Some(piece) if is_run(piece) => {
                at += 1;
                last_run = Some((at, item));
            }
            Some(piece) if fits(piece, found) => {
                at += 1;
                item += 1;
            }
            _ => match last_run {
                Some((behind, covered)) => {
                    at = behind;
                    item = covered + 1;
                    last_run = Some((behind, item));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(is_run)
}

/// From a bound to a bound, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    from: Bound,
    to: Bound,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// `*`: no bound.
    None,
    /// A date or a number of seconds, in milliseconds since 1970.
    Time(i64),
    /// What is neither: nothing lies on its side.
    Unreadable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    First,
    Last,
}

impl Range {
    /// Reads `a TO b`.
    pub fn parse(text: &str) -> Self {
        let (from, to) = text.split_once(" TO ").unwrap_or((text, text));
        let bound = |text: &str, edge| match text.trim() {
            "*" => Bound::None,
            text => edge_of(text, edge).map_or(Bound::Unreadable, Bound::Time),
        };
        Self {
            from: bound(from, Edge::First),
            to: bound(to, Edge::Last),
        }
    }

    fn holds_time(&self, at: Instant) -> bool {
        self.holds(at.as_millis())
    }

    fn holds_zero(&self) -> bool {
        self.holds(0)
    }

    const fn holds(&self, value: i64) -> bool {
        let above = match self.from {
            Bound::None => true,
            Bound::Time(from) => value >= from,
            Bound::Unreadable => false,
        };
        let below = match self.to {
            Bound::None => true,
            Bound::Time(to) => value <= to,
            Bound::Unreadable => false,
        };
        above && below
    }
}

/// First or last millisecond of a date, of a second written as a date with time, or of a Unix second.
fn edge_of(text: &str, edge: Edge) -> Option<i64> {
    let text = text.trim_matches('"').trim_end_matches(['z', 'Z']);
    let (start, span_ms) = if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        (day.and_hms_opt(0, 0, 0)?.and_utc().timestamp(), 86_400_000)
    } else if let Some(second) = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dt%H:%M:%S"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    {
        (second.and_utc().timestamp(), 1_000)
    } else {
        (text.parse().ok()?, 1_000)
    };
    let first: i64 = start.checked_mul(1_000)?;
    match edge {
        Edge::First => Some(first),
        Edge::Last => first.checked_add(span_ms - 1),
    }
}

#[cfg(test)]
impl Searched<'_> {
    /// A row for tests: delivered on 2023-11-14.
    pub fn sample() -> Self {
        Searched {
            message: MessageId::from_uuid(uuid::Uuid::from_u128(7)),
            at: Instant::from_millis(1_700_000_000_042),
            state: ActivityState::Delivered,
            key: Some(KeyId::from_uuid(uuid::Uuid::from_u128(8))),
            client_ip: Some("192.0.2.7"),
            sender: Some("news@shop.test"),
            recipient: Some("Ann@example.org"),
            subject: Some("Welcome to the Advanced Cooking Class!"),
            tags: vec!["order-confirm".to_owned(), "vip".to_owned()],
            metadata: BTreeMap::from([("Customer".to_owned(), "4711".to_owned())]),
        }
    }
}
