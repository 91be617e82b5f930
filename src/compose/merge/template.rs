//! What a template is once it is read, whatever its language.

use serde_json::Value;

use super::MergeLanguage;
use super::condition::Condition;
use super::refusal::TemplateRefusal;
use super::{handlebars, mailchimp};

/// How deep blocks may nest: printing calls itself once for each.
pub const DEPTH_MAX: usize = 32;

/// A template that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(pub(super) Vec<Node>);

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// As [`TemplateRefusal`] says.
    pub fn parse(text: &str, language: MergeLanguage) -> Result<Self, TemplateRefusal> {
        match language {
            MergeLanguage::Mailchimp => mailchimp::parse(text).map(Self),
            MergeLanguage::Handlebars => handlebars::parse(text).map(Self),
        }
    }
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Stands as it is.
    Text(String),
    /// A value.
    Print(Print, Form),
    /// The first branch whose condition holds, or what is printed otherwise.
    If {
        branches: Vec<(Condition, Vec<Self>)>,
        otherwise: Vec<Self>,
    },
    /// The body with a value in it: for each of its elements, or once.
    Block {
        kind: BlockKind,
        over: Operand,
        body: Vec<Self>,
        otherwise: Vec<Self>,
    },
}

/// What a block does with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// `{{#each x}}`.
    Each,
    /// `{{#with x}}`.
    With,
    /// `{{#x}}`: each of a list, with an object, if anything else.
    Section,
}

/// How a value is printed where the text is HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Escaped.
    Escaped,
    /// As it is.
    Raw,
}

/// What is printed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Print {
    /// A value.
    Plain(Operand),
    /// What a helper makes of a value.
    Helped(Helper, Operand),
    /// The day, in the form that PHP's `date` reads.
    Date(String),
    /// The year, where no variable has its name.
    Year(Operand),
    /// The recipient's address, where no variable has its name.
    Email(Operand),
}

/// A helper of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Helper {
    Upper,
    Lower,
    Title,
    Url,
    StripTags,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    /// A constant.
    Literal(Value),
    /// A variable: so many scopes up, then these names, one within the other. Without names it is the scope itself.
    Path { up: usize, names: Vec<String> },
    /// `@index`, `@key`, `@first` or `@last` of the loop.
    Loop(LoopFact),
}

/// What a loop knows of its element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoopFact {
    Index,
    Key,
    First,
    Last,
}
