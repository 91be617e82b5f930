//! The values that samples are made of.

use std::net::IpAddr;

use sealpost_domain::ids::KeyId;
use sealpost_domain::{Instant, Personal};
use uuid::Uuid;

/// Stands in every personal text of the samples, and nowhere else.
pub const CANARY: &str = "secret";

/// Id number `n`, in the form of a UUIDv7.
pub fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(0x0192_f0c0_0000_7000_8000_0000_0000_0000 | n)
}

/// A personal text.
pub fn text(what: &str) -> Personal<String> {
    Personal::Known(format!("{CANARY} {what}"))
}

/// The caller's address.
pub fn ip() -> IpAddr {
    IpAddr::from([203, 0, 113, 9])
}

/// A point in time, this many seconds after the first.
pub fn at(second: i64) -> Instant {
    Instant::from_millis(1_764_031_000_042 + second * 1_000)
}

/// The key that sends.
pub fn key_id() -> KeyId {
    KeyId::from_uuid(uuid(3))
}
