//! The doors: Mandrill's API, REST at `/v1`, health, and the operator's control socket.
//!
//! A handler parses, calls, renders. It decides nothing, and it knows no SQL. Start at `router.rs`, where every route is;
//! then `send.rs`, the way of a call that sends.
//!
//! | file | holds |
//! |---|---|
//! | `listen` | [`Doors`]: listeners, TLS, the control socket |
//! | `router` | every route on one screen |
//! | `front`, `ports` | what handlers may use; what the program wires |
//! | `mandrill`, `v1`, `control` | the three interfaces, one file per category |
//! | `health` | `/healthz`, `/readyz`, `/metrics` |
//! | `send`, `send_request`, `draft_fields`, `idempotency`, `canonical` | a call that sends |
//! | `key_calls`, `message_lookup`, `message_view` | what interfaces share about keys and messages |
//! | `error_code`, `fault`, `field_names`, `refusals` | every error, and where it comes from |
//! | `request_trace`, `visit` | a request: its id, its caller |
//! | `body`, `unread_body`, `members`, `fields` | its body, its end where nobody reads it, its members |

mod body;
mod canonical;
mod control;
mod draft_fields;
mod error_code;
mod fault;
mod field_names;
mod fields;
mod front;
mod header_commands;
mod health;
mod idempotency;
mod key_calls;
mod listen;
mod mandrill;
mod members;
mod message_lookup;
mod message_view;
mod plan;
mod ports;
mod refusals;
mod request_trace;
mod router;
mod send;
mod send_request;
mod unread_body;
mod v1;
mod visit;

pub use control::ControlParts;
pub use error_code::{ErrorCode, MandrillForm};
pub use front::{Front, FrontParts, ReadModels};
pub use listen::{Doors, ListenConfig, ListenFailure, control_path_fits};
pub use ports::{Audit, DkimMint, MetricsText, MintFailed, MintedDkim};
