//! Given/when/then of `message`.
