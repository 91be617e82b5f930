//! The state of a user and its decisions.

use serde::{Deserialize, Serialize};

use crate::aggregate::aggregate;
use crate::ids::UserId;

use super::{Role, UserCommand, UserEvent, UserRefusal};

/// A person who signs in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The person and what it may do; `None` before the registration.
    pub registered: Option<(UserId, Role)>,
}

impl User {
    /// Decides; pure.
    ///
    /// # Errors
    /// As [`UserRefusal`] says.
    pub fn decide(&self, command: UserCommand) -> Result<Vec<UserEvent>, UserRefusal> {
        match (self.registered, command) {
            (
                None,
                UserCommand::RegisterUser {
                    user,
                    login,
                    login_token,
                    password_hash,
                    role,
                },
            ) => Ok(vec![UserEvent::UserRegistered {
                user,
                login,
                login_token,
                password_hash,
                role,
            }]),
            (Some(_), UserCommand::RegisterUser { .. }) => Err(UserRefusal::AlreadyRegistered),
            (Some((user, _)), UserCommand::ChangePassword { password_hash }) => {
                Ok(vec![UserEvent::PasswordChanged { user, password_hash }])
            }
            (None, UserCommand::ChangePassword { .. }) => Err(UserRefusal::Unknown),
        }
    }

    /// Takes an event into the state; total and pure.
    pub fn evolve(&mut self, event: &UserEvent) {
        match event {
            UserEvent::UserRegistered { user, role, .. } => self.registered = Some((*user, *role)),
            UserEvent::PasswordChanged { .. } => {}
        }
    }
}

aggregate!(User, "user", UserCommand, UserEvent, UserRefusal);
