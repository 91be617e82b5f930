//! The state of a key and its decisions.

use serde::{Deserialize, Serialize};

use crate::aggregate::aggregate;
use crate::instant::Instant;
use crate::rights::{KeyKind, KeyLimits, KeyWorld, Method};

use super::{ApiKeyCommand, ApiKeyEvent, ApiKeyRefusal, UseRefusal};

/// What a key may still do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStanding {
    /// Not issued.
    #[default]
    None,
    /// All that its limits allow.
    Active,
    /// What it sends is held. A sending key is answered; a management key may do nothing.
    Frozen,
    /// Nothing.
    Revoked,
}

/// An API key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// What it may still do.
    pub standing: KeyStanding,
    /// What it is for; `None` before it is issued.
    pub kind: Option<KeyKind>,
    /// Which world it acts in; `None` before it is issued.
    pub world: Option<KeyWorld>,
    /// What it is limited to.
    pub limits: KeyLimits,
    /// First letters and last four.
    pub display: String,
    /// Whether what it sent is held. A freeze begins it and only a thaw ends it: a revocation must not let go what was
    /// held because the key had leaked.
    #[serde(default)]
    pub holds_mail: bool,
}

impl ApiKey {
    /// Decides; pure.
    ///
    /// # Errors
    /// As [`ApiKeyRefusal`] says.
    pub fn decide(&self, command: ApiKeyCommand) -> Result<Vec<ApiKeyEvent>, ApiKeyRefusal> {
        match (self.standing, command) {
            (KeyStanding::None, ApiKeyCommand::IssueKey(issued)) => Ok(vec![ApiKeyEvent::KeyIssued(issued)]),
            (KeyStanding::None, _) => Err(ApiKeyRefusal::Unknown),
            (_, ApiKeyCommand::IssueKey(_)) => Err(ApiKeyRefusal::AlreadyIssued),
            // A revoked key that is tried is news, whatever its state.
            (
                _,
                ApiKeyCommand::RefuseUse {
                    refusal,
                    method,
                    ip,
                    at,
                },
            ) => Ok(vec![ApiKeyEvent::KeyUseRefused {
                refusal,
                method,
                ip,
                refused_at: at,
            }]),
            // What it sent before may be let go; the key itself stays revoked.
            (KeyStanding::Revoked, ApiKeyCommand::ThawKey) if self.holds_mail => Ok(vec![ApiKeyEvent::KeyThawed]),
            (KeyStanding::Revoked, _) => Err(ApiKeyRefusal::KeyAlreadyRevoked),
            (_, ApiKeyCommand::RevokeKey { reason }) => Ok(vec![ApiKeyEvent::KeyRevoked { reason }]),
            (KeyStanding::Active, ApiKeyCommand::FreezeKey { reason }) => Ok(vec![ApiKeyEvent::KeyFrozen { reason }]),
            (KeyStanding::Frozen, ApiKeyCommand::FreezeKey { .. }) => Err(ApiKeyRefusal::KeyAlreadyFrozen),
            (KeyStanding::Frozen, ApiKeyCommand::ThawKey) => Ok(vec![ApiKeyEvent::KeyThawed]),
            (KeyStanding::Active, ApiKeyCommand::ThawKey) => Err(ApiKeyRefusal::KeyNotFrozen),
        }
    }

    /// Whether a call of `method` at `at` is admitted. The caller is told only that it is refused.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn admit(&self, method: &Method, needs: KeyKind, at: Instant) -> Result<(), UseRefusal> {
        match self.standing {
            KeyStanding::None | KeyStanding::Revoked => return Err(UseRefusal::Revoked),
            // It could thaw itself, or issue itself a successor.
            KeyStanding::Frozen if self.kind == Some(KeyKind::Management) => return Err(UseRefusal::ManagementFrozen),
            KeyStanding::Active | KeyStanding::Frozen => {}
        }
        if needs == KeyKind::Management && self.kind != Some(KeyKind::Management) {
            return Err(UseRefusal::NotManagement);
        }
        self.limits.admit_call(method, at).map_err(UseRefusal::Limit)
    }

    /// Takes an event into the state; total and pure.
    pub fn evolve(&mut self, event: &ApiKeyEvent) {
        match event {
            ApiKeyEvent::KeyIssued(issued) => {
                self.standing = KeyStanding::Active;
                self.kind = Some(issued.kind);
                self.world = Some(issued.world);
                self.limits = issued.limits.clone();
                self.display.clone_from(&issued.display);
            }
            ApiKeyEvent::KeyFrozen { .. } => {
                self.standing = KeyStanding::Frozen;
                self.holds_mail = true;
            }
            ApiKeyEvent::KeyThawed => {
                if self.standing == KeyStanding::Frozen {
                    self.standing = KeyStanding::Active;
                }
                self.holds_mail = false;
            }
            ApiKeyEvent::KeyRevoked { .. } => self.standing = KeyStanding::Revoked,
            ApiKeyEvent::KeyUseRefused { .. } => {}
        }
    }
}

aggregate!(ApiKey, "api_key", ApiKeyCommand, ApiKeyEvent, ApiKeyRefusal);
