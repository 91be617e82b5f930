//! The words of SMTP (RFC 5321): commands, replies, extensions and the form of content; no IO happens here.
//!
//! Everything that goes onto a wire is built from types whose only door is a parser, so that no value can carry a
//! line end into a command. Everything that comes from a wire is bounded. Start at `command.rs` and `reply_parser.rs`.

mod command;
mod command_line;
mod dot;
mod dsn_parameter;
mod enhanced_status;
mod extension;
mod hello_name;
mod path;
mod reply;
mod reply_parser;
mod secret;
mod unstuff;

pub use command::{AddressForm, Body, Command, DsnRequest, MailParameters, TlsRequirement};
pub use command_line::CommandRefusal;
pub use dot::{BareLineEnd, FINAL_DOT, StuffedContent, normalise_line_ends};
pub use enhanced_status::EnhancedStatus;
pub use extension::{Capabilities, Extension, SizeLimit};
pub use hello_name::{HelloName, HelloNameRefusal};
pub use path::{ForwardPath, PathRefusal, ReversePath};
pub use reply::{Reply, ReplyClass};
pub use reply_parser::{ReplyFault, ReplyParser};
pub use secret::Secret;
pub use unstuff::{ContentFault, Progress, Unstuffer};
