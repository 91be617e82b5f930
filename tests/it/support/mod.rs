//! What the tests of whole rooms share: a clock held by hand, receivers, a rig that runs the engine, and the whole
//! program with its clients.

pub mod bed;
mod bounce_world;
mod bouncing_postfix;
mod calls;
mod clients;
mod clock;
mod inbox;
mod log_file;
mod middlebox;
mod name_world;
mod panicking;
mod postfix;
mod raw_server;
mod receivers;
pub mod records;
mod relay_postfix;
pub mod report_letters;
mod rig;
mod scripted;
mod sealpost;
mod spool_file;
pub mod tls_world;

pub use bounce_world::BounceWorld;
pub use bouncing_postfix::BouncingPostfix;
pub use calls::draft;
pub use clients::{Answer, SendingKey, http_client};
pub use clock::HandClock;
pub use inbox::Inbox;
pub use log_file::LogFile;
pub use middlebox::{Meddling, Middlebox};
pub use name_world::NameWorld;
pub use panicking::PanickingAttempts;
pub use postfix::{Postfix, Shown};
pub use raw_server::{Ending, RawServer};
pub use relay_postfix::{RelayPostfix, Wrapping};
pub use rig::{Rig, RigOptions};
pub use scripted::Script;
pub use sealpost::{Sealpost, mandrill_mail, spawn_sealpost, spawn_sealpost_with, v1_mail};
pub use spool_file::{SpoolFile, offer_all};
