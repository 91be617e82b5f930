//! What happened to a user.

use serde::{Deserialize, Serialize};

use crate::aggregate::domain_event;
use crate::ids::UserId;
use crate::personal::{HasPersonal, Personal, PersonalVisitor, Subject};

/// Keyed hash of a sign-in address: finds the user without storing the address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoginToken(String);

impl LoginToken {
    /// Takes the hex of the vault's HMAC over the folded address.
    #[must_use]
    pub fn from_hex(hex: String) -> Self {
        Self(hex)
    }

    /// Hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a member of an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, and who else may.
    Owner,
    /// Everything but ownership.
    Admin,
    /// Keys, domains and mail.
    Developer,
    /// Looks, and changes nothing.
    Auditor,
}

/// Events of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserEvent {
    /// The person exists from here on.
    UserRegistered {
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
    /// Another password is in force.
    PasswordChanged {
        /// The person.
        user: UserId,
        /// PHC string of the password (argon2id).
        password_hash: Personal<String>,
    },
}

domain_event!(UserEvent {
    UserRegistered,
    PasswordChanged
});

impl HasPersonal for UserEvent {
    fn visit_personal(&mut self, visitor: &mut dyn PersonalVisitor) {
        match self {
            Self::UserRegistered {
                user,
                login,
                password_hash,
                ..
            } => {
                visitor.field("login", Subject::User(*user), login);
                visitor.field("password_hash", Subject::User(*user), password_hash);
            }
            Self::PasswordChanged { user, password_hash } => {
                visitor.field("password_hash", Subject::User(*user), password_hash);
            }
        }
    }
}
