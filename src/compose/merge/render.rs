//! Prints a template for one recipient.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, Utc};
use serde_json::Value;

use super::MergeLanguage;
use super::budget::{Budget, Exhausted};
use super::condition::Condition;
use super::date::php_date;
use super::template::{BlockKind, Form, Helper, LoopFact, Node, Operand, Print, Template};
use super::value::{is_something, printed, weight};

/// What the text is that is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escaping {
    /// HTML: `{{x}}` is escaped, `{{{x}}}` and `*|X|*` are not.
    Html,
    /// A subject, a name or a plain text: nothing is escaped.
    None,
}

/// For whom and when a template is printed. Redacted in `Debug`.
pub struct Scene<'a> {
    /// The variables: an object.
    pub variables: &'a Value,
    /// The language, which says how names are compared.
    pub language: MergeLanguage,
    /// The recipient's address.
    pub email: &'a str,
    /// Now.
    pub now: DateTime<Utc>,
}

impl std::fmt::Debug for Scene<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scene")
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

/// Prints a template. What is not there prints nothing.
///
/// # Errors
/// [`Exhausted`] when the call has printed, or looked at, more than it may.
pub fn render(
    template: &Template,
    scene: &Scene<'_>,
    escaping: Escaping,
    budget: &mut Budget,
) -> Result<String, Exhausted> {
    let mut printer = Printer {
        scene,
        escaping,
        budget,
        out: String::new(),
        scopes: vec![Scope {
            value: scene.variables,
            place: None,
        }],
    };
    printer.nodes(&template.0)?;
    Ok(printer.out)
}

/// A value that paths begin at.
struct Scope<'a> {
    value: &'a Value,
    /// Its place in a loop.
    place: Option<Place<'a>>,
}

/// Where in a loop an element stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    index: usize,
    key: Option<&'a str>,
    count: usize,
}

struct Printer<'a, 'b> {
    scene: &'a Scene<'a>,
    escaping: Escaping,
    budget: &'b mut Budget,
    out: String,
    scopes: Vec<Scope<'a>>,
}

impl<'a> Printer<'a, '_> {
    fn nodes(&mut self, nodes: &'a [Node]) -> Result<(), Exhausted> {
        for node in nodes {
            self.budget.step(0)?;
            match node {
                Node::Text(text) => self.put(text)?,
                Node::Print(print, form) => self.print(print, *form)?,
                Node::If { branches, otherwise } => {
                    let mut chosen = otherwise;
                    for (condition, branch) in branches {
                        if self.holds(condition)? {
                            chosen = branch;
                            break;
                        }
                    }
                    self.nodes(chosen)?;
                }
                Node::Block {
                    kind,
                    over,
                    body,
                    otherwise,
                } => self.block(*kind, over, body, otherwise)?,
            }
        }
        Ok(())
    }

    fn put(&mut self, text: &str) -> Result<(), Exhausted> {
        self.budget.print(text.len())?;
        self.out.push_str(text);
        Ok(())
    }

    fn block(
        &mut self,
        kind: BlockKind,
        over: &'a Operand,
        body: &'a [Node],
        otherwise: &'a [Node],
    ) -> Result<(), Exhausted> {
        let value = match over {
            Operand::Literal(value) => Some(value),
            Operand::Path { up, names } => self.lookup(*up, names)?,
            Operand::Loop(_) => None,
        };
        let Some(value) = value.filter(|value| is_something(Some(value))) else {
            return self.nodes(otherwise);
        };
        match (kind, value) {
            (BlockKind::Each | BlockKind::Section, Value::Array(elements)) => {
                let count = elements.len();
                for (index, element) in elements.iter().enumerate() {
                    let key = None;
                    self.within(element, Some(Place { index, key, count }), body)?;
                }
                Ok(())
            }
            (BlockKind::Each, Value::Object(members)) if members.is_empty() => self.nodes(otherwise),
            (BlockKind::Each, Value::Object(members)) => {
                let count = members.len();
                for (index, (key, element)) in members.iter().enumerate() {
                    let key = Some(key.as_str());
                    self.within(element, Some(Place { index, key, count }), body)?;
                }
                Ok(())
            }
            (BlockKind::Each, _) => self.nodes(otherwise),
            (BlockKind::Section, Value::Object(_)) | (BlockKind::With, _) => self.within(value, None, body),
            (BlockKind::Section, _) => self.nodes(body),
        }
    }

    fn within(&mut self, value: &'a Value, place: Option<Place<'a>>, body: &'a [Node]) -> Result<(), Exhausted> {
        self.budget.step(0)?;
        self.scopes.push(Scope { value, place });
        let printed = self.nodes(body);
        self.scopes.pop();
        printed
    }

    fn holds(&mut self, condition: &'a Condition) -> Result<bool, Exhausted> {
        match condition {
            Condition::Holds(operand) => Ok(is_something(self.value(operand)?.as_deref())),
            Condition::Fails(operand) => Ok(!is_something(self.value(operand)?.as_deref())),
            Condition::Compares(left, comparison, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                let bytes = weight(left.as_deref()).saturating_add(weight(right.as_deref()));
                self.budget.step(bytes)?;
                Ok(comparison.holds(left.as_deref(), right.as_deref()))
            }
        }
    }

    fn value(&mut self, operand: &'a Operand) -> Result<Option<Cow<'a, Value>>, Exhausted> {
        match operand {
            Operand::Literal(value) => Ok(Some(Cow::Borrowed(value))),
            Operand::Path { up, names } => Ok(self.lookup(*up, names)?.map(Cow::Borrowed)),
            Operand::Loop(fact) => Ok(self.fact(*fact).map(Cow::Owned)),
        }
    }

    fn fact(&self, fact: LoopFact) -> Option<Value> {
        let Place { index, key, count } = self.scopes.iter().rev().find_map(|scope| scope.place)?;
        Some(match fact {
            LoopFact::Index => index.into(),
            LoopFact::Key => key.map_or_else(|| index.into(), Into::into),
            LoopFact::First => (index == 0).into(),
            LoopFact::Last => (index.saturating_add(1) == count).into(),
        })
    }

    /// Finds a variable, from the innermost scope or so many further out.
    fn lookup(&mut self, up: usize, names: &[String]) -> Result<Option<&'a Value>, Exhausted> {
        let at = self.scopes.len().checked_sub(up.saturating_add(1));
        let Some((at, scope)) = at.and_then(|at| Some((at, self.scopes.get(at)?))) else {
            return Ok(None);
        };
        let mut value = Some(scope.value);
        for (depth, name) in names.iter().enumerate() {
            let Some(Value::Object(members)) = value else {
                return Ok(None);
            };
            value = members.get(name);
            // The variables' own names are equal in any case; what stands in their values is JSON.
            if value.is_none() && at == 0 && depth == 0 {
                self.budget.step(members.len().saturating_mul(16))?;
                let found = members.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
                value = found.map(|(_, value)| value);
            }
        }
        Ok(value)
    }

    fn print(&mut self, print: &'a Print, form: Form) -> Result<(), Exhausted> {
        let text = match print {
            Print::Plain(operand) => self.plain(operand)?,
            Print::Helped(helper, operand) => {
                let value = self.plain(operand)?;
                Cow::Owned(help(*helper, &value))
            }
            Print::Date(format) => Cow::Owned(php_date(format, self.scene.now)),
            Print::Year(operand) => match self.plain(operand)? {
                own if !own.is_empty() => own,
                _ => Cow::Owned(self.scene.now.year().to_string()),
            },
            Print::Email(operand) => match self.plain(operand)? {
                own if !own.is_empty() => own,
                _ => Cow::Borrowed(self.scene.email),
            },
        };
        if self.escaping == Escaping::Html && form == Form::Escaped {
            let escaped = escape(&text);
            self.put(&escaped)
        } else {
            self.put(&text)
        }
    }

    fn plain(&mut self, operand: &'a Operand) -> Result<Cow<'a, str>, Exhausted> {
        let value = self.value(operand)?;
        self.budget.step(weight(value.as_deref()))?;
        Ok(match value {
            Some(Cow::Borrowed(value)) => printed(Some(value)),
            Some(Cow::Owned(value)) => Cow::Owned(printed(Some(&value)).into_owned()),
            None => Cow::Borrowed(""),
        })
    }
}

fn help(helper: Helper, text: &str) -> String {
    match helper {
        Helper::Upper => text.to_uppercase(),
        Helper::Lower => text.to_lowercase(),
        Helper::Title => title(text),
        Helper::Url => url_encoded(text),
        Helper::StripTags => without_tags(text),
    }
}

/// Every word with a capital letter.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut within = false;
    for letter in text.chars() {
        if within {
            out.extend(letter.to_lowercase());
        } else {
            out.extend(letter.to_uppercase());
        }
        within = letter.is_alphanumeric() || letter == '\'';
    }
    out
}

fn url_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        match tag.find('>') {
            Some(end) => rest = tag.get(end.saturating_add(1)..).unwrap_or_default(),
            // A mark that opens no tag is kept.
            None => {
                out.push_str(tag);
                rest = "";
            }
        }
    }
    out.push_str(rest);
    out
}

fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().saturating_add(16));
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#x27;"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}
