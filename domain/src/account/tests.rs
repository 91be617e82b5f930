//! Given/when/then of `account`.
