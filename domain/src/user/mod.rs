//! A person who signs in. Decides registration and the change of a password; sign-in itself comes with the console.

mod command;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::UserCommand;
pub use event::{LoginToken, Role, UserEvent};
pub use refusal::UserRefusal;
pub use state::User;
