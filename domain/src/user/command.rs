//! What may be asked of a user.

use crate::ids::UserId;
use crate::personal::Personal;

use super::event::{LoginToken, Role};

/// Commands on a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserCommand {
    /// Register a person.
    RegisterUser {
        /// The person.
        user: UserId,
        /// Address to sign in with.
        login: Personal<String>,
        /// Token of that address.
        login_token: LoginToken,
        /// PHC string of the password (argon2id).
        password_hash: Personal<String>,
        /// What the person may do.
        role: Role,
    },
    /// Set another password.
    ChangePassword {
        /// PHC string of the new password (argon2id).
        password_hash: Personal<String>,
    },
}
