//! Hands messages over to remote servers: routes, signatures, and the attempt in its six steps.
//!
//! Implements the actors' [`crate::actors::Attempt`]; decides nothing about a message's fate, which is the domain's.

pub mod attempt;
pub mod dkim;
mod letter;
pub mod mx;
pub mod report;
mod route_table;
mod signers;

pub use letter::LetterWriter;
pub use route_table::{Elsewhere, RouteTable};
pub use signers::{DkimUse, Signers};
