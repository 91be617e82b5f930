//! Who may run, how much at once, and what after a panic: one actor per account, per destination and per site.
//!
//! [`Accounts`] is the door for whoever wants something of an account; [`Destinations`] is where accepted mail goes.
//! No actor waits for SQL or the network, and nothing is answered before it is on disk. Start at `account_actor`.

mod account_actor;
mod account_view;
mod accounts;
mod answer_text;
mod attempt;
mod credits;
mod destination_actor;
mod destinations;
mod dispatch;
mod durability;
mod grant;
mod hot;
mod in_hand;
mod open_attempts;
mod outcome_report;
mod outcome_rows;
mod own_share;
mod parked;
mod recent_refusals;
mod recent_suppressions;
mod recovery;
mod redacted;
mod registry;
mod reports;
mod route;
mod site_actor;
mod spool_feed;
mod theatre;
mod throttle;
mod tls_choices;
mod work;
mod worker;

pub use account_view::{DkimView, DomainView, KeyView};
pub use accounts::Accounts;
pub use answer_text::{read_answers, write_answers};
pub use attempt::{Attempt, Job, OpenFailed, Report, Reuse, Routes, Session, TlsDemand};
pub use destinations::Destinations;
pub use dispatch::Dispatch;
pub use grant::{Grant, StartRefused};
pub use own_share::OwnShare;
pub use reports::{Addressee, ReportCall, ReportLetter, ReportRefused, Reported, Reports, ReportsUnavailable, Taken};
pub use route::{Addresses, Authenticity, Login, NoRoute, PlannedHost, RoutePlan, SiteKey, TlsStart};
pub use spool_feed::SpoolFeed;
pub use theatre::{Outgoing, Theatre, TheatreConfig, TheatreFailure};
pub use work::{
    Admission, Admitted, Asker, Begun, Claim, Deliverable, Manage, ManageMessage, Managed, RecipientKind, SendAnswer,
    SendCall, SendRecipient, Verdict,
};

pub use crate::log::{IdempotencyAnswer, IdempotencyRow};

use sealpost_domain::ids::{AttemptId, EventId};
use uuid::Uuid;

/// Draws the id of an event.
fn draw_event_id() -> EventId {
    EventId::from_uuid(Uuid::now_v7())
}

/// Draws the id of an attempt.
fn draw_attempt_id() -> AttemptId {
    AttemptId::from_uuid(Uuid::now_v7())
}
