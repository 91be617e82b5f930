//! Takes mail in, whatever door it came by: what is checked, kept and put on record is the same for HTTP and SMTP.
//!
//! A door reads its own protocol and answers in its own words. Everything between is here, once: the room in memory, the
//! rules for tags and metadata, the places for work that costs, and the order of things: content is on disk before the
//! account decides, and the account's decision is on disk before anybody hears of it. Start at `desk.rs`.

mod addressee;
mod condition;
mod desk;
mod heavy_work;
mod labels;
mod lifetime;
mod mc_header;
mod raw_mail;
mod recipient;
mod request_time;
mod require_tls;
mod room;
mod turns;
mod work_pool;

pub use addressee::{Addressed, Addressee, CopyRefusal};
pub use condition::{Condition, LogCondition};
pub use desk::{Letter, MailDesk, MailDeskParts, NotTaken, Order, ReversePaths};
pub use labels::{LabelRefusal, check_metadata, check_subaccount, check_tags};
pub use lifetime::{LIFETIME_HEADER, read_lifetime};
pub use mc_header::{WishRefusal, Wishes};
pub use raw_mail::{RawMail, RawPlan, RawRefusal, Trace};
pub use recipient::Planned;

pub use crate::compose::parse_mailbox;
pub use request_time::{DayEnd, mandrill_time, read_time};
pub use require_tls::{REQUIRE_TLS_HEADER, read_require_tls};
pub use room::{ContentRoom, HeldRoom, NoRoom};
pub use turns::Turns;
pub use work_pool::{WorkLost, WorkPool};
