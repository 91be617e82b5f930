//! Reads the headers with which a submitted message says what is to be done with it: `X-MC-`, as Mandrill documents them,
//! and our own.
//!
//! What would change the look or the time of a mail and is not built yet is refused, as every door does. Subaccount and
//! tracking are put on record; what only names or measures besides (analytics, pools) is taken and has no effect.

use std::collections::BTreeMap;
use std::time::Duration;

use sealpost_domain::Instant;
use sealpost_domain::message::{ClickTracking, OpenTracking, TlsLevel, Tracking};
use serde_json::{Map, Value};
use thiserror::Error;

use super::labels::{LabelRefusal, check_metadata, check_subaccount, check_tags};
use super::lifetime::{LIFETIME_HEADER, read_lifetime};
use super::request_time::{DayEnd, read_time};
use super::require_tls::{REQUIRE_TLS_HEADER, read_require_tls};
use crate::compose::{Audience, Merge, MergeLanguage};

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

/// What a message says of itself.
#[derive(Clone, PartialEq, Default)]
pub struct Wishes {
    /// `X-MC-Tags`.
    pub tags: Vec<String>,
    /// `X-MC-Metadata`, values as JSON text.
    pub metadata: BTreeMap<String, String>,
    /// `X-MC-Metadata` with `_rcpt`: the metadata of one recipient, by the address in lower case.
    pub own_metadata: BTreeMap<String, BTreeMap<String, String>>,
    /// `X-MC-Subaccount`.
    pub subaccount: Option<String>,
    /// `X-MC-Track`.
    pub tracking: Tracking,
    /// `X-MC-BccAddress`: who gets a copy of each recipient's message.
    pub bcc_address: Option<String>,
    /// `X-MC-PreserveRecipients`.
    pub audience: Audience,
    /// `X-Sealpost-TTL`: after how long it bounces.
    pub lifetime: Option<Duration>,
    /// `X-Sealpost-Require-TLS`: least protection that it demands.
    pub tls_required: Option<TlsLevel>,
    /// `X-MC-MergeVars` and `X-MC-MergeLanguage`; `None` without variables.
    pub merge: Option<Merge>,
}

impl Wishes {
    /// Reads the headers: names in any case, values unfolded. Unknown ones are passed by.
    ///
    /// # Errors
    /// The first thing that is wrong or not built.
    pub fn read(headers: &[(String, String)], now: Instant) -> Result<Self, WishRefusal> {
        let mut wishes = Self::default();
        let mut merge = Merge::default();
        for (name, value) in headers {
            match name.to_ascii_lowercase().as_str() {
                "x-mc-tags" => wishes.tags.extend(list(value)),
                "x-mc-metadata" => wishes.read_metadata(value)?,
                "x-mc-subaccount" => wishes.subaccount = Some(value.clone()).filter(|id| !id.is_empty()),
                "x-mc-track" => wishes.tracking = tracking(value)?,
                "x-mc-bccaddress" => wishes.bcc_address = Some(value.clone()).filter(|address| !address.is_empty()),
                "x-sealpost-ttl" => wishes.lifetime = Some(lifetime(value)?),
                "x-sealpost-require-tls" => wishes.tls_required = wishes.tls_required.max(Some(require_tls(value)?)),
                "x-mc-preserverecipients" => wishes.audience = audience(value)?,
                "x-mc-mergevars" => read_variables(&mut merge, value)?,
                "x-mc-mergelanguage" => merge.language = merge_language(value)?,
                "x-mc-sendat" => must_be_now(value, now)?,
                "x-mc-template" => must_be_empty("X-MC-Template", value)?,
                _ => {}
            }
        }
        if !merge.global.is_empty() || !merge.own.is_empty() {
            wishes.merge = Some(merge);
        }
        check_tags(&wishes.tags)?;
        check_metadata(&wishes.metadata)?;
        wishes.own_metadata.values().try_for_each(check_metadata)?;
        check_subaccount(wishes.subaccount.as_deref())?;
        Ok(wishes)
    }

    fn read_metadata(&mut self, value: &str) -> Result<(), WishRefusal> {
        let mut members = object("X-MC-Metadata", value)?;
        let place = match members.shift_remove(RECIPIENT) {
            Some(Value::String(recipient)) => self.own_metadata.entry(recipient.to_lowercase()).or_default(),
            Some(_) => {
                let (header, form) = ("X-MC-Metadata", "names no address as its _rcpt");
                return Err(WishRefusal::BadForm { header, form });
            }
            None => &mut self.metadata,
        };
        place.extend(metadata(members)?);
        Ok(())
    }
}

/// Variables of all, or of the recipient whose address stands as `_rcpt` among them.
fn read_variables(merge: &mut Merge, value: &str) -> Result<(), WishRefusal> {
    let header = "X-MC-MergeVars";
    let mut members = object(header, value)?;
    match members.shift_remove(RECIPIENT) {
        Some(Value::String(recipient)) => {
            let own = merge.own.entry(recipient.to_lowercase()).or_default();
            own.extend(members);
        }
        Some(_) => {
            let form = "names no address as its _rcpt";
            return Err(WishRefusal::BadForm { header, form });
        }
        None => merge.global.extend(members),
    }
    Ok(())
}

fn list(value: &str) -> impl Iterator<Item = String> {
    let words = value.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(str::to_owned)
}

fn object(header: &'static str, value: &str) -> Result<Map<String, Value>, WishRefusal> {
    let form = "is no JSON object";
    serde_json::from_str(value).map_err(|_| WishRefusal::BadForm { header, form })
}

fn metadata(members: Map<String, Value>) -> Result<BTreeMap<String, String>, WishRefusal> {
    let header = "X-MC-Metadata";
    let mut metadata = BTreeMap::new();
    for (name, value) in members {
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

/// What is not named is off.
fn tracking(value: &str) -> Result<Tracking, WishRefusal> {
    let mut tracking = Tracking {
        opens: Some(OpenTracking::Off),
        clicks: Some(ClickTracking::Off),
    };
    for word in list(value) {
        match word.to_ascii_lowercase().as_str() {
            "opens" => tracking.opens = Some(OpenTracking::On),
            "clicks" | "clicks_all" => tracking.clicks = Some(ClickTracking::All),
            "clicks_htmlonly" => tracking.clicks = Some(ClickTracking::HtmlOnly),
            "clicks_textonly" => tracking.clicks = Some(ClickTracking::TextOnly),
            _ => {
                let (header, form) = ("X-MC-Track", "may name opens and clicks only");
                return Err(WishRefusal::BadForm { header, form });
            }
        }
    }
    Ok(tracking)
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

fn merge_language(value: &str) -> Result<MergeLanguage, WishRefusal> {
    match value.to_ascii_lowercase().as_str() {
        "mailchimp" | "" => Ok(MergeLanguage::Mailchimp),
        "handlebars" => Ok(MergeLanguage::Handlebars),
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
    fn what_one_recipient_has_alone_and_what_is_for_the_record_is_read() {
        let wishes = read(&[
            ("X-MC-Metadata", r#"{"order": 12, "_rcpt": "Ann@Inbox.test"}"#),
            ("X-MC-Subaccount", "customer-7"),
            ("X-MC-Track", "opens, clicks_htmlonly"),
            ("X-MC-BccAddress", "boss@example.org"),
        ]);
        let wishes = wishes.unwrap_or_else(|refusal| panic!("{refusal}"));
        assert!(wishes.metadata.is_empty());
        assert_eq!(wishes.own_metadata["ann@inbox.test"]["order"], "12");
        assert_eq!(wishes.subaccount.as_deref(), Some("customer-7"));
        assert_eq!(wishes.bcc_address.as_deref(), Some("boss@example.org"));
        assert_eq!(wishes.tracking.opens, Some(OpenTracking::On));
        assert_eq!(wishes.tracking.clicks, Some(ClickTracking::HtmlOnly));
        let off = read(&[("X-MC-Track", "")]).unwrap_or_else(|refusal| panic!("{refusal}"));
        assert_eq!(off.tracking.opens, Some(OpenTracking::Off), "what is not named is off");
    }

    #[test]
    fn what_only_measures_or_names_is_taken() {
        let names = [
            "Autotext",
            "InlineCSS",
            "GoogleAnalytics",
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
        assert_eq!(
            refused("X-MC-Metadata", r#"{"_rcpt":7}"#),
            "X-MC-Metadata names no address as its _rcpt"
        );
        assert_eq!(
            refused("X-MC-Track", "smiles"),
            "X-MC-Track may name opens and clicks only"
        );
        assert_eq!(
            refused("X-MC-Subaccount", &"s".repeat(256)),
            "a subaccount must have at most 255 bytes"
        );
        assert_eq!(refused("X-MC-MergeVars", "no"), "X-MC-MergeVars is no JSON object");
        assert!(refused("X-MC-MergeLanguage", "perl").starts_with("X-MC-MergeLanguage is neither"));
        assert!(refused("X-MC-PreserveRecipients", "perhaps").starts_with("X-MC-PreserveRecipients is neither"));
        assert!(refused("X-MC-SendAt", "tomorrow").starts_with("X-MC-SendAt is no date"));
        assert!(refused("X-Sealpost-Require-TLS", "perhaps").starts_with("X-Sealpost-Require-TLS is neither"));
        assert!(refused("X-Sealpost-TTL", "15m").starts_with("X-Sealpost-TTL is no number"));
        assert_eq!(refused("X-MC-SendAt", "2026-11-25 10:00:01"), "X-MC-SendAt");
        assert_eq!(refused("X-MC-Template", "welcome"), "X-MC-Template");
        assert_eq!(refused("X-MC-Tags", "_a"), "tag 0 must not begin with an underscore");
    }

    #[test]
    fn variables_of_all_and_of_one_are_read() {
        let wishes = read(&[
            ("X-MC-MergeVars", r#"{"NAME":"friend"}"#),
            ("X-MC-MergeVars", r#"{"NAME":"Ann","_rcpt":"Ann@Inbox.test"}"#),
            ("X-MC-MergeLanguage", "handlebars"),
        ]);
        let wishes = wishes.unwrap_or_else(|refusal| panic!("{refusal}"));
        let merge = wishes.merge.expect("variables");
        assert_eq!(merge.language, MergeLanguage::Handlebars);
        assert_eq!(merge.variables("ann@inbox.test")["NAME"], "Ann");
        assert_eq!(merge.variables("bob@inbox.test")["NAME"], "friend");
        assert_eq!(
            refused("X-MC-MergeVars", r#"{"_rcpt":[]}"#),
            "X-MC-MergeVars names no address as its _rcpt"
        );
        let none = read(&[("X-MC-MergeVars", "{}")]).unwrap_or_else(|refusal| panic!("{refusal}"));
        assert!(none.merge.is_none(), "without variables nothing is merged");
    }

    proptest::proptest! {
        #[test]
        fn no_value_breaks_the_reader(name in "[a-zA-Z]{1,20}", value in "\\PC{0,40}") {
            drop(read(&[(&format!("X-MC-{name}"), &value)]));
            drop(read(&[("X-MC-Metadata", &value), ("X-MC-Tags", &value), ("X-MC-SendAt", &value)]));
        }
    }
}
