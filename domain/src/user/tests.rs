//! Given/when/then of `user`.
