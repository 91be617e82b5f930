//! Merges variables into the subject and the texts of a message, in the two languages that Mandrill documents.
//!
//! A template is read once for a call and printed for each recipient. It reads no file and no clock, calls no other
//! template, nests only as deep as [`template::DEPTH_MAX`], and all printing of a call has one [`budget::Budget`] of steps
//! and bytes: no text that anybody writes costs more than that. Start at [`render`].

pub mod budget;
mod build;
mod condition;
mod date;
mod handlebars;
mod mailchimp;
pub mod refusal;
mod render;
pub mod template;
mod value;

pub use budget::{Budget, Exhausted};
pub use refusal::TemplateRefusal;
pub use render::{Escaping, Scene, render};
pub use template::Template;

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// In which language a template is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MergeLanguage {
    /// `*|NAME|*`.
    #[default]
    Mailchimp,
    /// `{{name}}`.
    Handlebars,
}

/// The variables of a call. Redacted in `Debug`.
#[derive(Clone, PartialEq, Default)]
pub struct Merge {
    /// The language of subject and texts.
    pub language: MergeLanguage,
    /// What all recipients have.
    pub global: Map<String, Value>,
    /// What one has, by the address in lower case; it goes before what all have.
    pub own: BTreeMap<String, Map<String, Value>>,
}

impl Merge {
    /// The variables of one recipient, by its address.
    #[must_use]
    pub fn variables(&self, mailbox: &str) -> Value {
        let mut all = self.global.clone();
        for (name, value) in self.own.get(&mailbox.to_lowercase()).into_iter().flatten() {
            // Names are equal whatever their case: the recipient's own one takes the place of the other.
            all.retain(|other, _| !other.eq_ignore_ascii_case(name));
            all.insert(name.clone(), value.clone());
        }
        Value::Object(all)
    }
}

#[cfg(test)]
mod tests;
