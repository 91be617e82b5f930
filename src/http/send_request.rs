//! What a call that sends asks for, whatever API it came by, and what of it is wrong before anything is stored.

use std::collections::BTreeMap;
use std::time::Duration;

use sealpost_domain::address::{AddressRefusal, Mailbox};
use sealpost_domain::limits::{
    ADDRESS_GIVEN_BYTES_MAX, METADATA_BYTES_MAX, RECIPIENTS_PER_CALL_MAX, SUBACCOUNT_BYTES_MAX, SUBJECT_BYTES_MAX,
    TAG_BYTES_MAX, TAGS_MAX,
};
use sealpost_domain::message::{TlsLevel, Tracking};

use super::fault::Fault;
use super::field_names::{Dialect, compose_fault};
use super::header_commands;
use super::plan::Plan;
use crate::compose::{ComposeRefusal, Draft};
use crate::intake::{Addressed, LabelRefusal, check_metadata, check_subaccount, check_tags, parse_mailbox};

/// One recipient as the caller wrote it.
pub(super) use crate::intake::Addressee as Wanted;

/// Longest text that is taken as an address, in bytes. A longer one cannot be one, and would swell its refusal's record.
const GIVEN_BYTES_MAX: usize = ADDRESS_GIVEN_BYTES_MAX as usize;

/// A call that sends.
pub(super) struct SendRequest {
    /// Whose names the fields have in errors.
    pub dialect: Dialect,
    /// The header From's address as it was given.
    pub from_given: String,
    /// What is to be composed; its recipients are filled in by [`SendRequest::plan`].
    pub draft: Draft,
    /// Everybody who is to get it.
    pub recipients: Vec<Wanted>,
    /// The sender's tags.
    pub tags: Vec<String>,
    /// The sender's metadata, values as JSON text.
    pub metadata: BTreeMap<String, String>,
    /// Metadata of one recipient, by the address in lower case.
    pub own_metadata: BTreeMap<String, BTreeMap<String, String>>,
    /// The subaccount that the sender names.
    pub subaccount: Option<String>,
    /// What the sender wants measured.
    pub tracking: Tracking,
    /// Who gets a copy of each recipient's message.
    pub bcc_address: Option<String>,
    /// Least protection that it demands.
    pub tls_required: TlsLevel,
    /// After how long it bounces; `None` for the installation's own choice.
    pub lifetime: Option<Duration>,
}

impl SendRequest {
    /// Checks the call and gives each recipient a message.
    ///
    /// # Errors
    /// The first thing that is wrong, with its field. A recipient that is no address is none of them: it gets an answer
    /// of its own.
    pub(super) fn plan(mut self) -> Result<Plan, Fault> {
        self.check_counts()?;
        self.take_commands()?;
        self.check_lengths()?;
        let dialect = self.dialect;
        let header_from = self.header_from()?;
        self.draft.header_from.mailbox = header_from.as_str().to_owned();
        let mut addressed = Addressed::of(std::mem::take(&mut self.recipients), &self.own_metadata);
        if let Some(copies) = &self.bcc_address {
            addressed = addressed
                .copy_to(copies, self.draft.audience)
                .map_err(|refusal| Fault::field(dialect.bcc_address(), format!("The address {refusal}")))?;
        }
        self.draft.to = addressed.to;
        match self.draft.check() {
            // Nobody is left to send to, and each of them is told why.
            Ok(()) | Err(ComposeRefusal::NoRecipient) => {}
            Err(refusal) => return Err(compose_fault(dialect, &refusal)),
        }
        Ok(Plan {
            dialect,
            header_from,
            draft: std::mem::take(&mut self.draft),
            recipients: addressed.planned,
            answered: addressed.answered,
            rest: self,
        })
    }

    /// The field of the lifetime wins over its header, and of two demands for TLS the stricter one.
    fn take_commands(&mut self) -> Result<(), Fault> {
        let said = header_commands::take(self.dialect, &mut self.draft.headers)?;
        self.lifetime = self.lifetime.or(said.lifetime);
        self.tls_required = self.tls_required.max(said.tls_required);
        Ok(())
    }

    fn header_from(&self) -> Result<Mailbox, Fault> {
        let field = self.dialect.from();
        refuse_line_breaks(field, &self.from_given)?;
        parse_mailbox(&self.from_given).map_err(|refusal| Fault::field(field, address_text(refusal)))
    }

    fn check_counts(&self) -> Result<(), Fault> {
        let count = self.recipients.len() as u64;
        if count == 0 {
            return Err(Fault::field(self.dialect.to(), "Please enter at least one recipient"));
        }
        if count > RECIPIENTS_PER_CALL_MAX {
            let detail = format!("Please enter at most {RECIPIENTS_PER_CALL_MAX} recipients; there are {count}");
            return Err(Fault::field(self.dialect.to(), detail));
        }
        Ok(())
    }

    fn check_lengths(&self) -> Result<(), Fault> {
        let subject = self.dialect.subject();
        refuse_line_breaks(subject, &self.draft.subject)?;
        if self.draft.subject.len() as u64 > SUBJECT_BYTES_MAX {
            return Err(Fault::field(
                subject,
                format!("Please enter at most {SUBJECT_BYTES_MAX} bytes"),
            ));
        }
        for (index, wanted) in self.recipients.iter().enumerate() {
            check_given(&self.dialect.recipient(index), &wanted.given)?;
        }
        check_tags(&self.tags)
            .and_then(|()| check_metadata(&self.metadata))
            .and_then(|()| self.own_metadata.values().try_for_each(check_metadata))
            .and_then(|()| check_subaccount(self.subaccount.as_deref()))
            .map_err(|refusal| label_fault(self.dialect, refusal))
    }
}

/// What is wrong with tags or metadata, with its field.
pub(super) fn label_fault(dialect: Dialect, refusal: LabelRefusal) -> Fault {
    let (field, detail) = match refusal {
        LabelRefusal::TooManyTags => (
            dialect.tags().to_owned(),
            format!("Please enter at most {TAGS_MAX} tags"),
        ),
        LabelRefusal::TagLength { index } => (
            format!("{}[{index}]", dialect.tags()),
            format!("Please enter 1 to {TAG_BYTES_MAX} bytes"),
        ),
        LabelRefusal::TagReserved { index } => (
            format!("{}[{index}]", dialect.tags()),
            "A tag must not begin with an underscore".to_owned(),
        ),
        LabelRefusal::MetadataTooLong => (
            dialect.metadata().to_owned(),
            format!("Please enter at most {METADATA_BYTES_MAX} bytes of JSON"),
        ),
        LabelRefusal::SubaccountTooLong => (
            dialect.subaccount().to_owned(),
            format!("Please enter at most {SUBACCOUNT_BYTES_MAX} bytes"),
        ),
    };
    Fault::field(field, detail)
}

/// Turns away what cannot be an address and would smuggle or swell.
pub(super) fn check_given(field: &str, given: &str) -> Result<(), Fault> {
    refuse_line_breaks(field, given)?;
    if given.len() > GIVEN_BYTES_MAX {
        let detail = format!("Please enter at most {GIVEN_BYTES_MAX} bytes");
        return Err(Fault::field(field, detail));
    }
    Ok(())
}

/// A line break in an address is no slip: somebody tries to write a header. The whole call is turned away.
fn refuse_line_breaks(field: &str, text: &str) -> Result<(), Fault> {
    if text.contains(['\r', '\n', '\0']) {
        return Err(Fault::field(field, "There is a line break or a NUL in it"));
    }
    Ok(())
}

/// What is wrong with an address, as a sentence.
pub(super) const fn address_text(refusal: AddressRefusal) -> &'static str {
    match refusal {
        AddressRefusal::NotLocalAtDomain => "An email address must contain a single @",
        AddressRefusal::TooLong => "The address is too long",
        AddressRefusal::BadLocalPart => "The part before the @ holds a character that is not allowed",
        AddressRefusal::BadDomain => "The part after the @ is no domain name",
        AddressRefusal::NotAscii => "The part before the @ must be ASCII",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::RecipientKind;

    fn request(recipients: &[&str]) -> SendRequest {
        let wanted = |given: &&str| Wanted {
            given: (*given).to_owned(),
            name: None,
            kind: RecipientKind::To,
        };
        SendRequest {
            dialect: Dialect::Mandrill,
            from_given: "shop@example.org".to_owned(),
            draft: Draft {
                text: Some("x".to_owned()),
                ..Draft::default()
            },
            recipients: recipients.iter().map(wanted).collect(),
            tags: Vec::new(),
            metadata: BTreeMap::new(),
            own_metadata: BTreeMap::new(),
            subaccount: None,
            tracking: Tracking::default(),
            bcc_address: None,
            tls_required: TlsLevel::Plain,
            lifetime: None,
        }
    }

    fn field_of(request: SendRequest) -> String {
        request.plan().err().expect("a fault").field.unwrap_or_default()
    }

    #[test]
    fn recipients_keep_their_order_and_their_spelling() {
        let plan = request(&["Ann@Example.ORG", "nobody", "b@exämple.org"])
            .plan()
            .unwrap_or_else(|_| panic!());
        let given: Vec<_> = plan
            .recipients
            .iter()
            .map(|one| (one.given.as_str(), one.refusal))
            .collect();
        let refused = Some(AddressRefusal::NotLocalAtDomain);
        assert_eq!(
            given,
            [("Ann@Example.ORG", None), ("nobody", refused), ("b@exämple.org", None)]
        );
        let composed: Vec<_> = plan.draft.to.iter().map(|one| one.address.mailbox.as_str()).collect();
        assert_eq!(composed, ["Ann@example.org", "b@xn--exmple-cua.org"]);
        assert_eq!(plan.draft.to[1].id, plan.recipients[2].message.as_uuid());
    }

    #[test]
    fn a_field_wins_over_the_header_of_a_lifetime_and_the_stricter_demand_for_tls_holds() {
        let hour = Some(Duration::from_secs(3_600));
        for (field, lifetime) in [(None, Some(Duration::from_secs(900))), (hour, hour)] {
            for (least, holds) in [
                (TlsLevel::Plain, TlsLevel::Encrypted),
                (TlsLevel::Authenticated, TlsLevel::Authenticated),
            ] {
                let mut request = request(&["a@example.org"]);
                let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
                request.draft.headers = vec![header("X-Sealpost-TTL", "900"), header("X-Sealpost-Require-TLS", "yes")];
                (request.lifetime, request.tls_required) = (field, least);
                let plan = request.plan().unwrap_or_else(|_| panic!());
                assert_eq!((plan.rest.lifetime, plan.rest.tls_required), (lifetime, holds));
                assert!(plan.draft.headers.is_empty(), "they do not leave");
            }
        }
    }

    #[test]
    fn counts_have_their_limits() {
        assert_eq!(field_of(request(&[])), "message.to");
        assert_eq!(field_of(request(&["a@example.org"; 1_001])), "message.to");
        assert!(request(&["a@example.org"; 1_000]).plan().is_ok());
        assert!(
            request(&["nobody"]).plan().is_ok(),
            "it is answered, and composed for nobody"
        );
        let many = SendRequest {
            tags: vec!["t".to_owned(); 51],
            ..request(&["a@example.org"])
        };
        assert_eq!(field_of(many), "message.tags");
    }

    #[test]
    fn what_would_smuggle_or_swell_is_refused_with_its_field() {
        let one = || request(&["a@example.org"]);
        let draft = |subject: String| Draft {
            subject,
            ..Draft::default()
        };
        for (bad, field) in [
            (
                SendRequest {
                    from_given: "a@b.org\r\nBcc: c@d.org".to_owned(),
                    ..one()
                },
                "message.from_email",
            ),
            (
                SendRequest {
                    from_given: "nobody".to_owned(),
                    ..one()
                },
                "message.from_email",
            ),
            (
                request(&["a@example.org", "b@example.org\nX: y"]),
                "message.to[1].email",
            ),
            (request(&[&"a".repeat(1_001)]), "message.to[0].email"),
            (
                SendRequest {
                    draft: draft("a\0".to_owned()),
                    ..one()
                },
                "message.subject",
            ),
            (
                SendRequest {
                    draft: draft("a".repeat(999)),
                    ..one()
                },
                "message.subject",
            ),
            (
                SendRequest {
                    tags: vec!["_a".to_owned()],
                    ..one()
                },
                "message.tags[0]",
            ),
            (
                SendRequest {
                    tags: vec!["a".repeat(51)],
                    ..one()
                },
                "message.tags[0]",
            ),
            (
                SendRequest {
                    metadata: BTreeMap::from([("a".to_owned(), "b".repeat(4_096))]),
                    ..one()
                },
                "message.metadata",
            ),
        ] {
            assert_eq!(field_of(bad), field);
        }
    }
}
