//! Makes a message that was composed elsewhere fit for delivery: SMTP submission and raw sends.
//!
//! Bytes that are fit stay as they are. What is missing is added, what must not leave is taken out, and what is not 7-bit
//! is encoded. Start at [`adopt()`].

pub mod adopt;
pub mod field;
pub mod refusal;
pub mod seven_bit;

pub use adopt::{AdoptedMessage, Peeked, adopt, from_field, peek};
pub use refusal::AdoptRefusal;

#[cfg(test)]
mod tests;
