//! Reads what of a recipient domain is due, a page at a time; what is held, rests or stands aside is not in its way.

use rusqlite::params;
use sealpost_domain::Instant;
use sealpost_domain::address::DomainName;
use sealpost_domain::ids::MessageId;

use super::query::{COLUMNS, SpoolQueries, SpoolRow, as_limit, read};
use crate::failure::ProjectionFailure;

/// What waits for an attempt, as the index of what is due has it.
const WAITS: &str = "phase = 'queued' AND error IS NULL AND rests = 0";

/// A place in the order in which a domain's messages are due; the default is before the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueMark {
    due_at_ms: i64,
    message: String,
}

impl Default for DueMark {
    fn default() -> Self {
        Self {
            due_at_ms: i64::MIN,
            message: String::new(),
        }
    }
}

impl DueMark {
    /// The place of a message that is due at `due_at`.
    #[must_use]
    pub fn of(due_at: Instant, message: MessageId) -> Self {
        Self {
            due_at_ms: due_at.as_millis(),
            message: message.to_hex(),
        }
    }
}

/// A page of what is due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DuePage {
    /// What can be dispatched, the longest due first.
    pub rows: Vec<SpoolRow>,
    /// Ids of messages whose rows cannot be read.
    pub unreadable: Vec<String>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<DueMark>,
    /// When the first message is due of those that are not due yet; said on the last page alone.
    pub later: Option<Instant>,
}

/// A page of the domains for which mail waits, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitingDomains {
    /// Each with when its first message is due.
    pub domains: Vec<(DomainName, Instant)>,
    /// After which name the next page begins; `None` on the last.
    pub next: Option<String>,
}

impl SpoolQueries {
    /// Messages of a domain that wait and are due at `until`, the longest due first, behind a mark, from at most `limit`
    /// rows. What is held, of a frozen key or of a suspended account is not among them.
    ///
    /// # Errors
    /// As [`ProjectionFailure`] says.
    pub fn due_of(
        &self,
        domain: &DomainName,
        until: Instant,
        after: &DueMark,
        limit: usize,
    ) -> Result<DuePage, ProjectionFailure> {
        self.0.ask(|rows| {
            let mut statement = rows.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM spool WHERE {WAITS} AND domain = $1 AND due_at_ms <= $2
                     AND (due_at_ms, message) > ($3, $4)
                 ORDER BY due_at_ms, message LIMIT $5"
            ))?;
            let until_ms = until.as_millis();
            let (name, limit_rows) = (domain.as_str(), as_limit(limit));
            let params = params![name, until_ms, after.due_at_ms, after.message, limit_rows];
            let mut found = statement.query(params)?;
            let (mut page, mut last) = (DuePage::default(), None);
            while let Some(row) = found.next()? {
                let message: Option<String> = row.get("message").ok();
                match read(row) {
                    Ok(open) => page.rows.push(open),
                    Err(_) => page.unreadable.push(message.clone().unwrap_or_default()),
                }
                if let (Ok(due_at_ms), Some(message)) = (row.get("due_at_ms"), message) {
                    last = Some(DueMark { due_at_ms, message });
                }
            }
            let is_full = page.rows.len().saturating_add(page.unreadable.len()) >= limit;
            page.next = last.filter(|_| is_full);
            if page.next.is_none() {
                let sql = format!("SELECT min(due_at_ms) FROM spool WHERE {WAITS} AND domain = $1 AND due_at_ms > $2");
                let later: Option<i64> = rows
                    .prepare_cached(&sql)?
                    .query_row(params![name, until_ms], |row| row.get(0))?;
                page.later = later.map(Instant::from_millis);
            }
            Ok(page)
        })
    }

    /// Domains for which mail waits, after a name, at most `limit`. Takes one step of the index for each, however much
    /// waits.
    ///
    /// # Errors
    /// As [`ProjectionFailure`] says.
    pub fn waiting_domains(&self, after: Option<&str>, limit: usize) -> Result<WaitingDomains, ProjectionFailure> {
        self.0.ask(|rows| {
            let mut statement = rows.prepare_cached(&format!(
                "SELECT domain, due_at_ms FROM spool WHERE {WAITS} AND domain > $1 AND due_at_ms IS NOT NULL
                 ORDER BY domain, due_at_ms LIMIT 1"
            ))?;
            let mut page = WaitingDomains::default();
            let mut last = after.unwrap_or_default().to_owned();
            for _ in 0..limit {
                let mut found = statement.query([&last])?;
                let Some(row) = found.next()? else { return Ok(page) };
                let Ok(name) = row.get(0) else {
                    // What is no text sorts behind all that is.
                    tracing::error!("a domain of the spool is no text; what waits for it stands aside");
                    return Ok(page);
                };
                last = name;
                match (DomainName::parse(&last), row.get(1)) {
                    (Ok(domain), Ok(due_at_ms)) => page.domains.push((domain, Instant::from_millis(due_at_ms))),
                    _ => tracing::error!("a domain of the spool cannot be read; what waits for it stands aside"),
                }
            }
            page.next = Some(last);
            Ok(page)
        })
    }
}
