//! What strace wrote down, as calls in the order in which they entered and left.

mod call;
mod parse;

pub use call::{Call, Trace};
