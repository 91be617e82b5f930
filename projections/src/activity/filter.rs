//! What a search of the activity asks for besides its query text, and where its next page begins.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use sealpost_domain::Instant;
use sealpost_domain::ids::{KeyId, MessageId};

use super::search_match::Searched;
use super::search_text::SearchQuery;
use super::state::StateName;

/// How an address is compared; never by case.
#[derive(Clone, PartialEq, Eq)]
pub enum TextMatch {
    /// The whole address.
    Exact(String),
    /// Any part of it.
    Part(String),
}

impl TextMatch {
    fn matches(&self, text: Option<&str>) -> bool {
        let Some(text) = text else { return false };
        match self {
            Self::Exact(wanted) => text.to_lowercase() == wanted.to_lowercase(),
            Self::Part(wanted) => text.to_lowercase().contains(&wanted.to_lowercase()),
        }
    }
}

impl fmt::Debug for TextMatch {
    /// Without the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact(_) => "Exact(…)",
            Self::Part(_) => "Part(…)",
        })
    }
}

/// A place between two rows: the next page begins behind it. Text form: `milliseconds-message id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActivityCursor {
    /// When the last row that was looked at was accepted or turned away.
    pub at: Instant,
    /// Its message.
    pub message: MessageId,
}

impl fmt::Display for ActivityCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at.as_millis(), self.message.to_hex())
    }
}

impl FromStr for ActivityCursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (at, message) = text.split_once('-').ok_or(BadCursor)?;
        Ok(Self {
            at: Instant::from_millis(at.parse().map_err(|_| BadCursor)?),
            message: message.parse().map_err(|_| BadCursor)?,
        })
    }
}

/// A text that is no place of the activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that a page gave out")]
pub struct BadCursor;

/// What is looked for. All conditions hold together; within a list one is enough, and an empty list is no condition.
#[derive(Clone, PartialEq, Eq)]
pub struct ActivityFilter {
    /// Mandrill's query.
    pub query: Option<SearchQuery>,
    /// The recipient's address.
    pub recipient: Option<TextMatch>,
    /// The header From's address.
    pub senders: Vec<TextMatch>,
    /// Words and phrases of the subject: [`SearchQuery::parse_in_subject`].
    pub subject: Option<SearchQuery>,
    /// Whole tags, compared without case.
    pub tags: Vec<String>,
    /// Keys that sent it.
    pub keys: Vec<KeyId>,
    /// Where it stands.
    pub states: Vec<StateName>,
    /// Address of the caller that sent it.
    pub client_ip: Option<IpAddr>,
    /// Accepted or turned away at this point in time or later.
    pub from: Option<Instant>,
    /// Accepted or turned away before this point in time.
    pub to: Option<Instant>,
    /// Behind this place, that is older.
    pub before: Option<ActivityCursor>,
    /// Rows that are given back at most.
    pub limit: usize,
}

impl fmt::Debug for ActivityFilter {
    /// Without what concerns persons: addresses, tags, networks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActivityFilter")
            .field("states", &self.states)
            .field("from", &self.from)
            .field("to", &self.to)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl Default for ActivityFilter {
    /// Everything, 100 rows.
    fn default() -> Self {
        Self {
            query: None,
            recipient: None,
            senders: Vec::new(),
            subject: None,
            tags: Vec::new(),
            keys: Vec::new(),
            states: Vec::new(),
            client_ip: None,
            from: None,
            to: None,
            before: None,
            limit: 100,
        }
    }
}

impl ActivityFilter {
    /// Whether a row fulfils what SQL did not ask for.
    pub(super) fn matches(&self, row: &Searched<'_>) -> bool {
        self.query.as_ref().is_none_or(|query| query.0.matches(row))
            && self.subject.as_ref().is_none_or(|query| query.0.matches(row))
            && self
                .recipient
                .as_ref()
                .is_none_or(|wanted| wanted.matches(row.recipient))
            && one_of(&self.senders, |wanted| wanted.matches(row.sender))
            && one_of(&self.tags, |wanted| {
                row.tags.iter().any(|tag| tag.to_lowercase() == wanted.to_lowercase())
            })
            && one_of(&self.keys, |wanted| row.key == Some(*wanted))
            && one_of(&self.states, |wanted| row.state.name() == *wanted)
            && self
                .client_ip
                .is_none_or(|wanted| row.client_ip.and_then(|ip| ip.parse().ok()) == Some(wanted))
    }
}

fn one_of<T>(wanted: &[T], is_it: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(is_it)
}
