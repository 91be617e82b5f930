//! Tests of whole rooms through their doors.

#[cfg(test)]
mod log_contract;
