//! The settings of one route.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::ConfigRefusal;
use crate::actors::{Login, RoutePlan, TlsDemand, TlsStart};

/// What a route demands of the connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteTls {
    /// TLS where it is offered.
    #[default]
    Opportunistic,
    /// TLS or nothing.
    Encrypted,
    /// TLS with a valid certificate or nothing.
    Authenticated,
}

/// When TLS begins on a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteStart {
    /// By `STARTTLS`.
    #[default]
    Starttls,
    /// Before a word is said.
    Implicit,
}

/// One row of the route table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// The recipient domain; `*` is every other one.
    pub domain: String,
    /// Host name or address of the server.
    pub host: String,
    /// Its port.
    #[serde(default = "default_smtp_port")]
    pub port: u16,
    /// What the connection must give.
    #[serde(default)]
    pub tls: RouteTls,
    /// When TLS begins: by `STARTTLS`, or before a word is said, as on port 465.
    #[serde(default)]
    pub start: RouteStart,
    /// User name to log in with; needs `password_file`, and a `tls` that is not opportunistic.
    #[serde(default)]
    pub user: Option<String>,
    /// File that holds the password and nothing else.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
}

const fn default_smtp_port() -> u16 {
    25
}

impl RouteConfig {
    /// A route to this host and port, TLS where it is offered, without a login.
    #[must_use]
    pub fn to(domain: &str, host: &str, port: u16) -> Self {
        Self {
            domain: domain.to_owned(),
            host: host.to_owned(),
            port,
            tls: RouteTls::default(),
            start: RouteStart::default(),
            user: None,
            password_file: None,
        }
    }

    /// The plan of this route. Reads the password.
    ///
    /// # Errors
    /// [`ConfigRefusal::HalfLogin`], [`ConfigRefusal::LoginInClear`] and [`ConfigRefusal::Read`].
    pub fn plan(&self) -> Result<RoutePlan, ConfigRefusal> {
        let start = match self.start {
            RouteStart::Starttls => TlsStart::StartTls,
            RouteStart::Implicit => TlsStart::Implicit,
        };
        let login = self.login()?.map(Arc::new);
        Ok(RoutePlan::fixed(&self.host, self.port, self.tls.into(), start, login))
    }

    fn login(&self) -> Result<Option<Login>, ConfigRefusal> {
        let domain = || self.domain.clone();
        let (user, file) = match (&self.user, &self.password_file) {
            (None, None) => return Ok(None),
            (Some(user), Some(file)) => (user, file),
            _ => return Err(ConfigRefusal::HalfLogin { domain: domain() }),
        };
        if self.tls == RouteTls::Opportunistic && self.start == RouteStart::Starttls {
            return Err(ConfigRefusal::LoginInClear { domain: domain() });
        }
        let text = std::fs::read_to_string(file).map(Zeroizing::new);
        let text = text.map_err(|source| ConfigRefusal::Read {
            path: file.clone(),
            source,
        })?;
        let password = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
        Ok(Some(Login::new(user, password)))
    }
}

impl From<RouteTls> for TlsDemand {
    fn from(tls: RouteTls) -> Self {
        match tls {
            RouteTls::Opportunistic => Self::Opportunistic,
            RouteTls::Encrypted => Self::Encrypted,
            RouteTls::Authenticated => Self::Authenticated,
        }
    }
}
