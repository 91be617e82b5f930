//! `messages/search`: the activity by Mandrill's query language, newest first.

use std::time::Duration;

use sealpost_domain::Instant;
use sealpost_domain::ids::{AccountId, KeyId};
use sealpost_domain::limits;
use sealpost_projections::activity::{ActivityFilter, ActivityRow, SearchQuery, TextMatch};
use serde_json::Value;

use super::call::Admitted;
use super::info::message_info;
use crate::access::KeySecret;
use crate::http::error_code::ErrorCode;
use crate::http::fault::Fault;
use crate::http::fields::Fields;
use crate::http::front::Front;
use crate::http::message_lookup::sees_mail;
use crate::intake::{DayEnd, read_time};

/// Rows of one answer at most, as in the original.
const ROWS_MAX: u64 = limits::PAGE_ROWS_MAX;
/// Rows of an answer where the call does not say it.
const ROWS_DEFAULT: u64 = 100;
/// How far a search reaches back where the call does not say it.
const REACHES_BACK: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Values of one list of the call.
const LIST_MAX: usize = limits::SEARCH_LIST_MAX as usize;

/// `messages/search`
pub(super) async fn search(call: Admitted<'_>) -> Result<Value, Fault> {
    let Admitted {
        front,
        caller,
        mut fields,
        ..
    } = call;
    let mut filter = read_filter(&mut fields, front.clock.now())?;
    let keys = list(&mut fields, "api_keys")?;
    if !sees_mail(caller.world) {
        return Ok(Value::Array(Vec::new()));
    }
    if !keys.is_empty() {
        filter.keys = own_keys(front, caller.account, keys).await?;
        if filter.keys.is_empty() {
            return Ok(Value::Array(Vec::new()));
        }
    }
    let rows = rows(front, caller.account, filter).await?;
    Ok(Value::Array(rows.iter().map(message_info).collect()))
}

/// A page may be short when many rows had to be looked at: then the search goes on behind it, once it is its turn again.
async fn rows(front: &Front, account: AccountId, mut filter: ActivityFilter) -> Result<Vec<ActivityRow>, Fault> {
    front.fresh(&front.models.activity_progress).await;
    let mut rows = Vec::new();
    loop {
        let (queries, wanted) = (front.models.activity.clone(), filter.clone());
        let page = front
            .read_for(account, move || Ok(queries.search(account, &wanted)?))
            .await?;
        filter.limit = filter.limit.saturating_sub(page.rows.len());
        filter.before = page.next;
        rows.extend(page.rows);
        if filter.limit == 0 || filter.before.is_none() {
            return Ok(rows);
        }
    }
}

fn read_filter(fields: &mut Fields, now: Instant) -> Result<ActivityFilter, Fault> {
    let query = fields.parsed("query", SearchQuery::parse)?;
    let from = time(fields, "date_from", DayEnd::First)?;
    let to = time(fields, "date_to", DayEnd::Next)?;
    let week_ago = Instant::from_millis(now.as_millis().saturating_sub(millis(REACHES_BACK)));
    let limit = fields.number("limit", 1..=ROWS_MAX)?.unwrap_or(ROWS_DEFAULT);
    Ok(ActivityFilter {
        query,
        senders: list(fields, "senders")?.into_iter().map(TextMatch::Exact).collect(),
        tags: list(fields, "tags")?,
        from: from.or(Some(week_ago)),
        to,
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
        ..ActivityFilter::default()
    })
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn time(fields: &mut Fields, name: &str, day: DayEnd) -> Result<Option<Instant>, Fault> {
    match fields.text(name)?.filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => match read_time(&text, day) {
            Some(at) => Ok(Some(at)),
            None => Err(fields.wrong(name, "Please enter a date as YYYY-MM-DD or YYYY-MM-DD HH:MM:SS")),
        },
    }
}

fn list(fields: &mut Fields, name: &str) -> Result<Vec<String>, Fault> {
    let values = fields.texts(name)?;
    if values.len() > LIST_MAX {
        return Err(fields.wrong(name, format!("Please enter at most {LIST_MAX} values")));
    }
    Ok(values)
}

/// The account's own keys among those that are named, by themselves or by their ids. Others find nothing.
async fn own_keys(front: &Front, account: AccountId, named: Vec<String>) -> Result<Vec<KeyId>, Fault> {
    let log = front.log.clone();
    front
        .read_log(move || {
            let mut keys = Vec::new();
            for text in named {
                match (text.parse::<KeyId>(), KeySecret::parse(&text)) {
                    (Ok(key), _) => keys.push(key),
                    (Err(_), Ok(secret)) => {
                        let owner = log.key(&secret.hash());
                        let owner = owner
                            .map_err(|failure| Fault::of_failure(ErrorCode::Unavailable, "reading a key", &failure))?;
                        keys.extend(owner.filter(|(owner, _)| *owner == account).map(|(_, key)| key));
                    }
                    (Err(_), Err(_)) => {}
                }
            }
            Ok(keys)
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(json: &str) -> Result<ActivityFilter, Fault> {
        read_filter(
            &mut Fields::of_body(json.as_bytes()).unwrap(),
            Instant::from_millis(1_795_600_800_000),
        )
    }

    #[test]
    fn an_empty_call_reaches_back_a_week() {
        let filter = filter("{}").unwrap();
        assert_eq!(
            filter.from,
            Some(Instant::from_millis(1_795_600_800_000 - 7 * 86_400_000))
        );
        assert_eq!((filter.to, filter.limit), (None, 100));
    }

    #[test]
    fn a_day_ends_with_its_end() {
        let filter = filter(r#"{"date_from":"2026-11-25","date_to":"2026-11-25","limit":1000,"tags":["a"]}"#).unwrap();
        let span = filter.to.unwrap().since(filter.from.unwrap());
        assert_eq!(span, Duration::from_secs(86_400));
        assert_eq!(
            (filter.limit, filter.tags.as_slice()),
            (1_000, ["a".to_owned()].as_slice())
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (json, field) in [
            (r#"{"limit":0}"#, "limit"),
            (r#"{"limit":1001}"#, "limit"),
            (r#"{"date_from":"yesterday"}"#, "date_from"),
            (r#"{"tags":"a"}"#, "tags"),
            (r#"{"senders":[1]}"#, "senders[0]"),
        ] {
            assert_eq!(filter(json).unwrap_err().field.as_deref(), Some(field), "{json}");
        }
        let long = format!(r#"{{"query":"{}"}}"#, "a ".repeat(4_000));
        assert_eq!(filter(&long).unwrap_err().field.as_deref(), Some("query"));
    }
}
