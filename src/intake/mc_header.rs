//! Reads the headers with which a submitted message says what is to be done with it: `X-MC-`, as Mandrill documents them,
//! and our own.
//!
//! What would change the look or the time of a mail and is not built yet is refused, as every door does; what only
//! measures or names (tracking, analytics, subaccounts) is taken and has no effect.

use std::collections::BTreeMap;
use std::time::Duration;

use sealpost_domain::Instant;
use sealpost_domain::message::TlsLevel;
use serde_json::{Map, Value};
use thiserror::Error;

use super::labels::{LabelRefusal, check_metadata, check_tags};
use super::lifetime::{LIFETIME_HEADER, read_lifetime};
use super::request_time::{DayEnd, read_time};
use super::require_tls::{REQUIRE_TLS_HEADER, read_require_tls};
use crate::compose::Audience;

/// Names a recipient within a header that is for that recipient alone.
const RECIPIENT: &str = "_rcpt";

/// Why a message is not taken as its headers want it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WishRefusal {
    /// The value does not have the header's form.
    #[error("{header} {form}")]
    BadForm {
        /// The header.
        header: &'static str,
        /// Its form.
        form: &'static str,
    },
    /// Tags or metadata break a rule.
    #[error("{0}")]
    Label(#[from] LabelRefusal),
    /// It is not built yet.
    #[error("{header}")]
    NotOffered {
        /// The header.
        header: &'static str,
    },
}

/// Whether variables are to be merged into the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Merging {
    /// They are not.
    #[default]
    None,
    /// There are variables, written `*|NAME|*`.
    Mailchimp,
    /// There are variables, written `{{name}}`.
    Handlebars,
}

/// What a message says of itself.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Wishes {
    /// `X-MC-Tags`.
    pub tags: Vec<String>,
    /// `X-MC-Metadata`, values as JSON text.
    pub metadata: BTreeMap<String, String>,
    /// `X-MC-PreserveRecipients`.
    pub audience: Audience,
    /// `X-Sealpost-TTL`: after how long it bounces.
    pub lifetime: Option<Duration>,
    /// `X-Sealpost-Require-TLS`: least protection that it demands.
    pub tls_required: Option<TlsLevel>,
    /// `X-MC-MergeVars` and `X-MC-MergeLanguage`.
    pub merging: Merging,
}

impl Wishes {
    /// Reads the headers: names in any case, values unfolded. Unknown ones are passed by.
    ///
    /// # Errors
    /// The first thing that is wrong or not built.
    pub fn read(headers: &[(String, String)], now: Instant) -> Result<Self, WishRefusal> {
        let mut wishes = Self::default();
        let mut language = Merging::Mailchimp;
        let mut variables = false;
        for (name, value) in headers {
            match name.to_ascii_lowercase().as_str() {
                "x-mc-tags" => wishes.tags.extend(list(value)),
                "x-mc-metadata" => wishes.metadata.extend(metadata(value)?),
                "x-sealpost-ttl" => wishes.lifetime = Some(lifetime(value)?),
                "x-sealpost-require-tls" => wishes.tls_required = wishes.tls_required.max(Some(require_tls(value)?)),
                "x-mc-preserverecipients" => wishes.audience = audience(value)?,
                "x-mc-mergevars" => variables |= !object("X-MC-MergeVars", value)?.is_empty(),
                "x-mc-mergelanguage" => language = merge_language(value)?,
                "x-mc-sendat" => must_be_now(value, now)?,
                "x-mc-template" => must_be_empty("X-MC-Template", value)?,
                "x-mc-bccaddress" => must_be_empty("X-MC-BccAddress", value)?,
                _ => {}
            }
        }
        if variables {
            wishes.merging = language;
        }
        check_tags(&wishes.tags)?;
        check_metadata(&wishes.metadata)?;
        Ok(wishes)
    }

    /// Refuses a content that a recipient would see with its variables unmerged.
    ///
    /// # Errors
    /// [`WishRefusal::NotOffered`].
    pub fn must_not_merge(&self, content: &[u8]) -> Result<(), WishRefusal> {
        let mark: &[u8] = match self.merging {
            Merging::None => return Ok(()),
            Merging::Mailchimp => b"*|",
            Merging::Handlebars => b"{{",
        };
        match memchr::memmem::find(content, mark) {
            Some(_) => Err(WishRefusal::NotOffered {
                header: "X-MC-MergeVars",
            }),
            None => Ok(()),
        }
    }
}

fn list(value: &str) -> impl Iterator<Item = String> {
    let words = value.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(str::to_owned)
}

fn object(header: &'static str, value: &str) -> Result<Map<String, Value>, WishRefusal> {
    let form = "is no JSON object";
    serde_json::from_str(value).map_err(|_| WishRefusal::BadForm { header, form })
}

fn metadata(value: &str) -> Result<BTreeMap<String, String>, WishRefusal> {
    let header = "X-MC-Metadata";
    let mut metadata = BTreeMap::new();
    for (name, value) in object(header, value)? {
        if name == RECIPIENT {
            return Err(WishRefusal::NotOffered { header });
        }
        if value.is_array() || value.is_object() {
            let form = "may hold texts, numbers and booleans only";
            return Err(WishRefusal::BadForm { header, form });
        }
        metadata.insert(name, value.to_string());
    }
    Ok(metadata)
}

fn lifetime(value: &str) -> Result<Duration, WishRefusal> {
    read_lifetime(value).ok_or(WishRefusal::BadForm {
        header: LIFETIME_HEADER,
        form: "is no number of seconds from 60 to 604800",
    })
}

fn require_tls(value: &str) -> Result<TlsLevel, WishRefusal> {
    read_require_tls(value).ok_or(WishRefusal::BadForm {
        header: REQUIRE_TLS_HEADER,
        form: "is neither yes nor no",
    })
}

fn audience(value: &str) -> Result<Audience, WishRefusal> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "y" | "1" => Ok(Audience::AllVisible),
        "false" | "off" | "no" | "n" | "0" | "" => Ok(Audience::OwnCopies),
        _ => Err(WishRefusal::BadForm {
            header: "X-MC-PreserveRecipients",
            form: "is neither true nor false",
        }),
    }
}

fn merge_language(value: &str) -> Result<Merging, WishRefusal> {
    match value.to_ascii_lowercase().as_str() {
        "mailchimp" | "" => Ok(Merging::Mailchimp),
        "handlebars" => Ok(Merging::Handlebars),
        _ => Err(WishRefusal::BadForm {
            header: "X-MC-MergeLanguage",
            form: "is neither mailchimp nor handlebars",
        }),
    }
}

/// A time that has passed means now.
fn must_be_now(value: &str, now: Instant) -> Result<(), WishRefusal> {
    let header = "X-MC-SendAt";
    match read_time(value, DayEnd::First) {
        _ if value.is_empty() => Ok(()),
        None => Err(WishRefusal::BadForm {
            header,
            form: "is no date of the form YYYY-MM-DD HH:MM:SS",
        }),
        Some(at) if at > now => Err(WishRefusal::NotOffered { header }),
        Some(_) => Ok(()),
    }
}

fn must_be_empty(header: &'static str, value: &str) -> Result<(), WishRefusal> {
    if value.is_empty() {
        Ok(())
    } else {
        Err(WishRefusal::NotOffered { header })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &str)]) -> Result<Wishes, WishRefusal> {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Wishes::read(&headers, Instant::from_millis(1_795_600_800_000))
    }

    fn refused(name: &str, value: &str) -> String {
        read(&[(name, value)])
            .err()
            .map(|refusal| refusal.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn tags_and_metadata_are_read_and_may_repeat() {
        let wishes = read(&[
            ("X-MC-Tags", "order, , vip"),
            ("x-mc-tags", "again"),
            ("X-MC-Metadata", r#"{"order": 12, "who": "me"}"#),
            ("X-MC-METADATA", r#"{"vip": true}"#),
            ("X-MC-PreserveRecipients", "Yes"),
            ("X-Sealpost-TTL", "900"),
            ("X-Sealpost-Require-TLS", "yes"),
            ("x-sealpost-require-tls", "no"),
        ]);
        let wishes = wishes.unwrap_or_else(|refusal| panic!("{refusal}"));
        assert_eq!(wishes.tags, ["order", "vip", "again"]);
        assert_eq!(wishes.tls_required, Some(TlsLevel::Encrypted), "the stricter one holds");
        assert_eq!(wishes.lifetime, Some(Duration::from_secs(900)));
        let metadata: Vec<_> = wishes
            .metadata
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(metadata, [("order", "12"), ("vip", "true"), ("who", "\"me\"")]);
        assert_eq!(wishes.audience, Audience::AllVisible);
    }

    #[test]
    fn what_only_measures_or_names_is_taken() {
        let names = [
            "Track",
            "Autotext",
            "InlineCSS",
            "GoogleAnalytics",
            "Subaccount",
            "IpPool",
            "ReturnPathDomain",
            "New",
        ];
        for name in names {
            assert!(read(&[(&format!("X-MC-{name}"), "anything")]).is_ok(), "{name}");
        }
        assert!(
            read(&[("X-MC-SendAt", "2026-11-25 09:59:59")]).is_ok(),
            "in the past means now"
        );
        assert!(read(&[("X-MC-Template", ""), ("X-MC-MergeVars", "{}")]).is_ok());
    }

    #[test]
    fn what_is_wrong_or_not_built_is_named() {
        assert_eq!(refused("X-MC-Metadata", "{"), "X-MC-Metadata is no JSON object");
        assert_eq!(refused("X-MC-Metadata", "[1]"), "X-MC-Metadata is no JSON object");
        assert_eq!(
            refused("X-MC-Metadata", r#"{"a":[]}"#),
            "X-MC-Metadata may hold texts, numbers and booleans only"
        );
        assert_eq!(refused("X-MC-Metadata", r#"{"_rcpt":"a@b.org"}"#), "X-MC-Metadata");
        assert_eq!(refused("X-MC-MergeVars", "no"), "X-MC-MergeVars is no JSON object");
        assert!(refused("X-MC-MergeLanguage", "perl").starts_with("X-MC-MergeLanguage is neither"));
        assert!(refused("X-MC-PreserveRecipients", "perhaps").starts_with("X-MC-PreserveRecipients is neither"));
        assert!(refused("X-MC-SendAt", "tomorrow").starts_with("X-MC-SendAt is no date"));
        assert!(refused("X-Sealpost-Require-TLS", "perhaps").starts_with("X-Sealpost-Require-TLS is neither"));
        assert!(refused("X-Sealpost-TTL", "15m").starts_with("X-Sealpost-TTL is no number"));
        assert_eq!(refused("X-MC-SendAt", "2026-11-25 10:00:01"), "X-MC-SendAt");
        assert_eq!(refused("X-MC-Template", "welcome"), "X-MC-Template");
        assert_eq!(refused("X-MC-BccAddress", "a@b.org"), "X-MC-BccAddress");
        assert_eq!(refused("X-MC-Tags", "_a"), "tag 0 must not begin with an underscore");
    }

    #[test]
    fn nobody_gets_a_mail_with_its_variables_in_it() {
        let wishes = |language| {
            read(&[
                ("X-MC-MergeVars", r#"{"NAME":"Ann"}"#),
                ("X-MC-MergeLanguage", language),
            ])
        };
        let merges = |language, content: &[u8]| wishes(language).map(|wishes| wishes.must_not_merge(content).is_err());
        assert_eq!(merges("mailchimp", b"Dear *|NAME|*"), Ok(true));
        assert_eq!(merges("mailchimp", b"Dear {{name}}"), Ok(false));
        assert_eq!(merges("handlebars", b"Dear {{name}}"), Ok(true));
        assert_eq!(read(&[]).map(|wishes| wishes.must_not_merge(b"*|NAME|*")), Ok(Ok(())));
    }

    proptest::proptest! {
        #[test]
        fn no_value_breaks_the_reader(name in "[a-zA-Z]{1,20}", value in "\\PC{0,40}") {
            drop(read(&[(&format!("X-MC-{name}"), &value)]));
            drop(read(&[("X-MC-Metadata", &value), ("X-MC-Tags", &value), ("X-MC-SendAt", &value)]));
        }
    }
}
