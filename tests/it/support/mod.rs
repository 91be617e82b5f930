//! What the tests of whole rooms share: a clock held by hand, receivers, and a rig that runs the engine.

mod clock;
mod inbox;
mod rig;

pub use clock::HandClock;
pub use inbox::Inbox;
pub use rig::Rig;
