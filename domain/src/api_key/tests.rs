//! Given/when/then of `api_key`.
