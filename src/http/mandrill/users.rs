//! `users/*`: whether the key works, how the account does, and who sends from it.

use std::time::Duration;

use sealpost_domain::Instant;
use sealpost_domain::ids::AccountId;
use sealpost_domain::message::BounceKind;
use sealpost_projections::activity::{ActivitySender, ActivityState};
use serde_json::{Map, Value, json};

use super::call::Admitted;
use crate::http::fault::Fault;
use crate::http::message_lookup::sees_mail;
use crate::intake::mandrill_time;

/// Windows of `stats`, with the days that each reaches back; nothing for all time.
const WINDOWS: [(&str, Option<u64>); 6] = [
    ("today", Some(0)),
    ("last_7_days", Some(7)),
    ("last_30_days", Some(30)),
    ("last_60_days", Some(60)),
    ("last_90_days", Some(90)),
    ("all_time", None),
];
/// Accounts have no quota here; clients want a number.
const HOURLY_QUOTA: u64 = 1_000_000;
/// Most senders that are listed.
const SENDERS_MAX: usize = 1_000;
const DAY_MS: i64 = 86_400_000;

/// `users/ping`
pub(super) fn ping() -> Value {
    Value::String("PONG!".to_owned())
}

/// `users/ping2`, for parsers that want an object.
pub(super) fn ping2() -> Value {
    json!({ "PING": "PONG!" })
}

/// `users/info`
pub(super) async fn info(call: Admitted<'_>) -> Result<Value, Fault> {
    let Admitted { front, caller, .. } = call;
    let (account, now) = (caller.account, front.clock.now());
    front.fresh(&front.models.activity_progress).await;
    let mut counted = Vec::with_capacity(WINDOWS.len());
    for (_, days) in WINDOWS {
        let queries = front.models.activity.clone();
        let count = move || Ok(Counts::of(&queries.counts(account, since(now, days))?));
        counted.push(if sees_mail(caller.world) {
            front.read_for(account, count).await?
        } else {
            Counts::default()
        });
    }
    let all_time = counted.last().copied().unwrap_or_default();
    let stats: Map<String, Value> = WINDOWS
        .iter()
        .zip(&counted)
        .map(|((name, _), counts)| ((*name).to_owned(), counts.shown()))
        .collect();
    Ok(json!({
        "username": account.to_hex(),
        "created_at": mandrill_time(opened_at(account)),
        "public_id": account.to_hex(),
        "reputation": all_time.reputation(),
        "hourly_quota": HOURLY_QUOTA,
        "backlog": all_time.open,
        "stats": stats,
    }))
}

/// `users/senders`
pub(super) async fn senders(call: Admitted<'_>) -> Result<Value, Fault> {
    let Admitted { front, caller, .. } = call;
    front.fresh(&front.models.activity_progress).await;
    if !sees_mail(caller.world) {
        return Ok(Value::Array(Vec::new()));
    }
    let (queries, account) = (front.models.activity.clone(), caller.account);
    let senders = front
        .read_for(account, move || Ok(queries.senders(account, SENDERS_MAX)?))
        .await?;
    Ok(senders.iter().map(sender).collect())
}

fn sender(sender: &ActivitySender) -> Value {
    let mut shown = Counts::of(&sender.counts).shown();
    if let Value::Object(members) = &mut shown {
        members.shift_insert(0, "address".to_owned(), sender.address.as_str().into());
        members.shift_insert(1, "created_at".to_owned(), mandrill_time(sender.first_at).into());
    }
    shown
}

/// Today begins at midnight, UTC; the other windows reach back from now.
fn since(now: Instant, days: Option<u64>) -> Option<Instant> {
    match days? {
        0 => Some(Instant::from_millis(
            now.as_millis().div_euclid(DAY_MS).saturating_mul(DAY_MS),
        )),
        days => {
            let span = Duration::from_secs(days.saturating_mul(86_400)).as_millis();
            let span = i64::try_from(span).unwrap_or(i64::MAX);
            Some(Instant::from_millis(now.as_millis().saturating_sub(span)))
        }
    }
}

/// An account's id begins with the moment of its drawing (RFC 9562 §5.7).
fn opened_at(account: AccountId) -> Instant {
    let millis = account.as_uuid().as_u128() >> 80;
    Instant::from_millis(i64::try_from(millis).unwrap_or(0))
}

/// Messages by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    sent: u64,
    hard_bounces: u64,
    soft_bounces: u64,
    rejects: u64,
    complaints: u64,
    open: u64,
}

impl Counts {
    fn of(counted: &[(ActivityState, u64)]) -> Self {
        let mut counts = Self::default();
        for (state, count) in counted {
            let place = match state {
                ActivityState::Delivered => &mut counts.sent,
                ActivityState::Bounced(kind) | ActivityState::BouncedLate(kind) => match kind {
                    BounceKind::Hard => &mut counts.hard_bounces,
                    BounceKind::Soft | BounceKind::Blocked | BounceKind::Policy | BounceKind::Expired => {
                        &mut counts.soft_bounces
                    }
                },
                ActivityState::Complained(_) => {
                    // It arrived, which is why somebody could complain.
                    counts.sent = counts.sent.saturating_add(*count);
                    &mut counts.complaints
                }
                ActivityState::Rejected(_) => &mut counts.rejects,
                ActivityState::Queued
                | ActivityState::Held(_)
                | ActivityState::Sending
                | ActivityState::Deferred(_)
                | ActivityState::InDoubt(_) => &mut counts.open,
                ActivityState::Discarded => continue,
            };
            *place = place.saturating_add(*count);
        }
        counts
    }

    /// Mandrill's ten counters. What nobody measures yet is zero.
    fn shown(&self) -> Value {
        json!({
            "sent": self.sent,
            "hard_bounces": self.hard_bounces,
            "soft_bounces": self.soft_bounces,
            "rejects": self.rejects,
            "complaints": self.complaints,
            "unsubs": 0,
            "opens": 0,
            "unique_opens": 0,
            "clicks": 0,
            "unique_clicks": 0,
        })
    }

    /// 0 to 100: the share of finished mail that did not bounce for good.
    const fn reputation(&self) -> u64 {
        let finished = self
            .sent
            .saturating_add(self.hard_bounces)
            .saturating_add(self.soft_bounces);
        match 100_u64
            .saturating_mul(finished.saturating_sub(self.hard_bounces))
            .checked_div(finished)
        {
            Some(share) => share,
            None => 100,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_add_up_by_what_became_of_the_mail() {
        use sealpost_domain::engagement::ComplaintKind;
        use sealpost_domain::message::{HoldReason, RejectReason};
        let counts = Counts::of(&[
            (ActivityState::Delivered, 83),
            (ActivityState::Complained(ComplaintKind::Abuse), 7),
            (ActivityState::Bounced(BounceKind::Hard), 8),
            (ActivityState::BouncedLate(BounceKind::Hard), 2),
            (ActivityState::Bounced(BounceKind::Soft), 1),
            (ActivityState::Bounced(BounceKind::Expired), 2),
            (ActivityState::Rejected(RejectReason::Unsigned), 3),
            (ActivityState::Held(HoldReason::Asked), 4),
            (ActivityState::Queued, 5),
            (ActivityState::Discarded, 6),
        ]);
        assert_eq!(
            counts,
            Counts {
                sent: 90,
                hard_bounces: 10,
                soft_bounces: 3,
                rejects: 3,
                complaints: 7,
                open: 9
            }
        );
        assert_eq!(counts.reputation(), 90);
        assert_eq!(Counts::default().reputation(), 100);
        assert_eq!(counts.shown().as_object().unwrap().len(), 10);
    }

    #[test]
    fn an_account_s_id_says_when_it_was_opened() {
        let account = AccountId::from_uuid(uuid::Uuid::from_u128(1_795_600_800_000 << 80));
        assert_eq!(mandrill_time(opened_at(account)), "2026-11-25 10:00:00");
        let now = Instant::from_millis(1_795_600_800_000);
        assert_eq!(
            since(now, Some(0)).map(mandrill_time).as_deref(),
            Some("2026-11-25 00:00:00")
        );
        assert_eq!(
            since(now, Some(7)).map(mandrill_time).as_deref(),
            Some("2026-11-18 10:00:00")
        );
        assert_eq!(since(now, None), None);
    }
}
