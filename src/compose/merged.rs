//! Composes a draft whose texts hold variables: each recipient's own head, and each different body once.

use std::collections::HashMap;

use sealpost_domain::limits::MERGED_BYTES_MAX;

use super::body::shared_body;
use super::draft::{Audience, Draft, check_address, check_message_size};
use super::head::heads;
use super::merge::{Budget, Escaping, Exhausted, Merge, Scene, Template, render};
use super::mime::{ComposedCall, Stamp};
use super::refusal::{ComposeRefusal, Place};

/// The templates of a draft.
struct Templates {
    subject: Template,
    name: Option<Template>,
    text: Option<Template>,
    html: Option<Template>,
}

impl Templates {
    fn parse(draft: &Draft, merge: &Merge) -> Result<Self, ComposeRefusal> {
        let parse = |text: &str, place: Place| {
            Template::parse(text, merge.language).map_err(|reason| ComposeRefusal::BadTemplate { place, reason })
        };
        let some = |text: &Option<String>, place: Place| text.as_deref().map(|text| parse(text, place)).transpose();
        Ok(Self {
            subject: parse(&draft.subject, Place::Subject)?,
            name: some(&draft.header_from.name, Place::From)?,
            text: some(&draft.text, Place::Text)?,
            html: some(&draft.html, Place::Html)?,
        })
    }
}

impl From<Exhausted> for ComposeRefusal {
    fn from(_: Exhausted) -> Self {
        Self::MergesTooMuch
    }
}

/// Composes the messages of a checked draft with its variables merged.
pub(super) fn compose_merged(draft: &Draft, merge: &Merge, stamp: &Stamp) -> Result<ComposedCall, ComposeRefusal> {
    if draft.audience == Audience::AllVisible && !merge.own.is_empty() {
        return Err(ComposeRefusal::VariablesOfOne);
    }
    let templates = Templates::parse(draft, merge)?;
    let mut call = MergedCall {
        known: HashMap::new(),
        bodies: Vec::new(),
        bytes: 0,
        budget: Budget::default(),
        work: Draft {
            merge: None,
            ..draft.clone()
        },
    };
    let mut composed = Vec::with_capacity(draft.to.len());
    match draft.audience {
        Audience::OwnCopies => {
            for recipient in &draft.to {
                call.work.to = vec![recipient.clone()];
                let body = call.merge(&templates, merge, &recipient.named().mailbox, stamp)?;
                composed.extend(call.heads(body, stamp)?);
            }
        }
        Audience::AllVisible => {
            let body = call.merge(&templates, merge, "", stamp)?;
            composed.extend(call.heads(body, stamp)?);
        }
    }
    let mut bodies = call.bodies.into_iter();
    Ok(ComposedCall {
        shared_body: bodies.next().unwrap_or_default(),
        more_bodies: bodies.collect(),
        heads: composed,
    })
}

/// The texts of a message, which make its body with what all have.
type Texts = (Option<String>, Option<String>);

struct MergedCall {
    /// The body of each pair of texts that came up.
    known: HashMap<Texts, usize>,
    bodies: Vec<Vec<u8>>,
    bytes: u64,
    budget: Budget,
    /// The draft with the texts of the recipient at hand in it.
    work: Draft,
}

impl MergedCall {
    /// Prints the templates for one recipient, and says which body that makes.
    fn merge(
        &mut self,
        templates: &Templates,
        merge: &Merge,
        mailbox: &str,
        stamp: &Stamp,
    ) -> Result<usize, ComposeRefusal> {
        let variables = merge.variables(mailbox);
        let scene = Scene {
            variables: &variables,
            language: merge.language,
            email: mailbox,
            now: stamp.date,
        };
        let budget = &mut self.budget;
        let mut print = |template: &Template, escaping| render(template, &scene, escaping, budget);
        self.work.subject = one_line(print(&templates.subject, Escaping::None)?);
        let name = templates
            .name
            .as_ref()
            .map(|name| print(name, Escaping::None))
            .transpose()?;
        self.work.header_from.name = name.map(one_line);
        let text = templates
            .text
            .as_ref()
            .map(|text| print(text, Escaping::None))
            .transpose()?;
        let html = templates
            .html
            .as_ref()
            .map(|html| print(html, Escaping::Html))
            .transpose()?;
        self.work.check_subject()?;
        check_address(&self.work.header_from, &Place::From)?;
        let texts = (text, html);
        if let Some(body) = self.known.get(&texts) {
            return Ok(*body);
        }
        (self.work.text, self.work.html) = texts.clone();
        let body = shared_body(&self.work, stamp.boundary_seed);
        self.bytes = self.bytes.saturating_add(body.len() as u64);
        if self.bytes > MERGED_BYTES_MAX {
            return Err(ComposeRefusal::MergesTooMuch);
        }
        let at = self.bodies.len();
        self.bodies.push(body);
        self.known.insert(texts, at);
        Ok(at)
    }

    /// The heads of the recipients at hand.
    fn heads(&self, body: usize, stamp: &Stamp) -> Result<Vec<super::mime::ComposedHead>, ComposeRefusal> {
        let size_bytes = self.bodies.get(body).map_or(0, Vec::len);
        let mut made = heads(&self.work, stamp);
        for head in &mut made {
            check_message_size(size_bytes.saturating_add(head.head.len()) as u64)?;
            head.body = body;
            head.subject = Some(self.work.subject.clone());
        }
        Ok(made)
    }
}

/// What variables bring into a header stays on its line: nobody writes a header of his own through them.
fn one_line(text: String) -> String {
    if text.contains(|c: char| c.is_control()) {
        text.replace(|c: char| c.is_control(), " ")
    } else {
        text
    }
}
