//! The REST API at `/v1`: a key in `Authorization`, JSON in and out, RFC 9457 problems.
//!
//! The key is looked at before the body. Unknown members of a request are refused. One file per resource.

mod call;
pub(super) mod keys;
pub(super) mod messages;
pub(super) mod problem;
