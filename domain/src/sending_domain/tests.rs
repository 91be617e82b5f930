//! Given/when/then of `sending_domain`.
