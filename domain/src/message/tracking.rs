//! What a sender wants measured of a message.

use serde::{Deserialize, Serialize};

/// Which links of a message are counted when they are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClickTracking {
    /// None.
    Off,
    /// Those of the HTML and of the plain text.
    All,
    /// Those of the HTML.
    HtmlOnly,
    /// Those of the plain text.
    TextOnly,
}

/// Whether it is counted that a message is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenTracking {
    /// It is not.
    Off,
    /// It is.
    On,
}

/// What a sender wants measured; what is `None` is the account's own choice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tracking {
    /// Opens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub opens: Option<OpenTracking>,
    /// Clicks.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub clicks: Option<ClickTracking>,
}

impl Tracking {
    /// Whether the sender said nothing.
    #[must_use]
    pub fn is_unsaid(&self) -> bool {
        *self == Self::default()
    }
}
