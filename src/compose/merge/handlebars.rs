//! Reads `{{name}}` and its blocks, as Mandrill documents them: comparisons stand in backticks, `elseif` is one word, and
//! helpers are the six that it has. There are no partials and no helpers of a template's own.

use serde_json::Value;

use super::build::{Builder, line_of};
use super::condition::{Comparison, Condition};
use super::refusal::TemplateRefusal;
use super::template::{BlockKind, Form, Helper, LoopFact, Node, Operand, Print};

/// Reads a template.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, TemplateRefusal> {
    let mut builder = Builder::default();
    let mut rest = text;
    let mut trim = Trim::No;
    while let Some(at) = rest.find("{{") {
        let (before, tag) = rest.split_at(at);
        let line = line_of(text, text.len().saturating_sub(tag.len()));
        let tag = Tag::find(tag, line)?;
        rest = tag.behind;
        let before = trim.start_of(before);
        // `\{{x}}` is text, `\\{{x}}` a backslash before a value.
        match before.strip_suffix('\\') {
            Some(escaped) if escaped.ends_with('\\') => builder.text(escaped),
            Some(escaped) => {
                builder.text(escaped);
                builder.text(tag.whole);
                trim = Trim::No;
                continue;
            }
            None => builder.text(tag.trim_before.end_of(before)),
        }
        trim = tag.trim_behind;
        read(&mut builder, &tag, line)?;
    }
    builder.text(trim.start_of(rest));
    builder.finish()
}

/// Whether white space around a tag goes: `{{~x~}}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trim {
    Yes,
    No,
}

impl Trim {
    fn start_of(self, text: &str) -> &str {
        if self == Self::Yes { text.trim_start() } else { text }
    }

    fn end_of(self, text: &str) -> &str {
        if self == Self::Yes { text.trim_end() } else { text }
    }
}

/// A tag with what stands in its braces.
struct Tag<'a> {
    whole: &'a str,
    inner: &'a str,
    form: Form,
    trim_before: Trim,
    trim_behind: Trim,
    behind: &'a str,
}

impl<'a> Tag<'a> {
    fn find(text: &'a str, line: usize) -> Result<Self, TemplateRefusal> {
        let bad = TemplateRefusal::BadTag { line };
        let is_comment = text.starts_with("{{!--") || text.starts_with("{{~!--");
        let (form, opening, closing) = match text {
            _ if is_comment => (Form::Escaped, "{{", "--}}"),
            _ if text.starts_with("{{{") => (Form::Raw, "{{{", "}}}"),
            _ => (Form::Escaped, "{{", "}}"),
        };
        let inner = text.get(opening.len()..).ok_or(bad)?;
        let end = end_of(inner, closing).ok_or(bad)?;
        let (inner, rest) = inner.split_at(end);
        let behind = rest.get(closing.len()..).ok_or(bad)?;
        let whole = text.get(..text.len().saturating_sub(behind.len())).ok_or(bad)?;
        let (trim_before, inner) = match inner.strip_prefix('~') {
            Some(inner) => (Trim::Yes, inner),
            None => (Trim::No, inner),
        };
        let (trim_behind, inner) = match inner.strip_suffix('~') {
            Some(inner) => (Trim::Yes, inner),
            None => (Trim::No, inner),
        };
        let inner = inner.trim();
        let (form, inner) = match inner.strip_prefix('&') {
            Some(inner) => (Form::Raw, inner.trim_start()),
            None => (form, inner),
        };
        Ok(Self {
            whole,
            inner,
            form,
            trim_before,
            trim_behind,
            behind,
        })
    }
}

/// Where the closing braces stand: behind any text in quotes or backticks, unless those do not end.
fn end_of(inner: &str, closing: &str) -> Option<usize> {
    let mut quote = None;
    for (at, letter) in inner.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if inner.get(at..).is_some_and(|rest| rest.starts_with(closing)) => return Some(at),
            None if letter == '"' || letter == '`' => quote = Some(letter),
            None => {}
        }
    }
    inner.find(closing)
}

fn read(builder: &mut Builder, tag: &Tag<'_>, line: usize) -> Result<(), TemplateRefusal> {
    let inner = tag.inner;
    let bad = TemplateRefusal::BadTag { line };
    if inner.starts_with('!') {
        return Ok(());
    }
    if let Some(name) = inner.strip_prefix('/') {
        return builder.close(name.trim(), line);
    }
    if let Some(block) = inner.strip_prefix('#') {
        return open(builder, block.trim(), line);
    }
    if inner == "else" || inner == "^" {
        return builder.otherwise(line);
    }
    if let Some(condition) = else_if(inner) {
        return builder.else_if(holds(condition).ok_or(bad)?, line);
    }
    if let Some(name) = inner.strip_prefix('^') {
        let operand = operand(name.trim()).ok_or(bad)?;
        return builder.open_if(name.trim(), Condition::Fails(operand), line);
    }
    if inner.starts_with('>') {
        let what = "another template";
        return Err(TemplateRefusal::NotOffered { line, what });
    }
    builder.push(Node::Print(print(inner, line)?, tag.form));
    Ok(())
}

fn else_if(inner: &str) -> Option<&str> {
    let rest = inner.strip_prefix("elseif").or_else(|| {
        let rest = inner.strip_prefix("else")?.trim_start();
        rest.strip_prefix("if")
    })?;
    rest.starts_with([' ', '\t', '\n', '`']).then(|| rest.trim())
}

fn open(builder: &mut Builder, block: &str, line: usize) -> Result<(), TemplateRefusal> {
    let bad = TemplateRefusal::BadTag { line };
    let end = block.find([' ', '\t', '\n', '`']).unwrap_or(block.len());
    let (name, argument) = block.split_at(end);
    let argument = argument.trim();
    match (name, argument) {
        ("if", _) => builder.open_if(name, holds(argument).ok_or(bad)?, line),
        ("unless", _) => {
            let condition = match holds(argument).ok_or(bad)? {
                Condition::Holds(operand) => Condition::Fails(operand),
                Condition::Fails(operand) => Condition::Holds(operand),
                Condition::Compares(left, comparison, right) => Condition::Compares(left, comparison.opposite(), right),
            };
            builder.open_if(name, condition, line)
        }
        ("each", _) => builder.open_block(name, BlockKind::Each, operand(argument).ok_or(bad)?, line),
        ("with", _) => builder.open_block(name, BlockKind::With, operand(argument).ok_or(bad)?, line),
        (_, "") => builder.open_block(name, BlockKind::Section, operand(name).ok_or(bad)?, line),
        _ => Err(TemplateRefusal::UnknownHelper { line }),
    }
}

/// A value, or a comparison in backticks.
fn holds(text: &str) -> Option<Condition> {
    let comparison = text.strip_prefix('`').and_then(|text| text.strip_suffix('`'));
    let Some(text) = comparison else {
        return operand(text).map(Condition::Holds);
    };
    match Comparison::split(text) {
        Some((left, comparison, right)) => Some(Condition::Compares(operand(left)?, comparison, operand(right)?)),
        None => operand(text.trim()).map(Condition::Holds),
    }
}

fn print(inner: &str, line: usize) -> Result<Print, TemplateRefusal> {
    let bad = TemplateRefusal::BadTag { line };
    let Some((name, argument)) = inner.split_once([' ', '\t', '\n']) else {
        return match inner {
            "date" => Ok(Print::Date("d/m/Y".to_owned())),
            _ => operand(inner).map(Print::Plain).ok_or(bad),
        };
    };
    let argument = argument.trim();
    let helper = match name {
        "upper" => Helper::Upper,
        "lower" => Helper::Lower,
        "title" => Helper::Title,
        "url" => Helper::Url,
        "striptags" => Helper::StripTags,
        "date" => {
            return match operand(argument) {
                Some(Operand::Literal(Value::String(format))) => Ok(Print::Date(format)),
                _ => Err(bad),
            };
        }
        "unsub" => {
            let what = "an unsubscribe link";
            return Err(TemplateRefusal::NotOffered { line, what });
        }
        _ => return Err(TemplateRefusal::UnknownHelper { line }),
    };
    operand(argument)
        .map(|operand| Print::Helped(helper, operand))
        .ok_or(bad)
}

/// A text in double quotes, a number, a truth value, or a path such as `a.b`, `../a`, `this` or `@index`.
fn operand(text: &str) -> Option<Operand> {
    if let Some(quoted) = text.strip_prefix('"') {
        let inner = quoted.strip_suffix('"').filter(|inner| !inner.contains('"'))?;
        return Some(Operand::Literal(Value::from(inner)));
    }
    match text {
        "true" => return Some(Operand::Literal(Value::Bool(true))),
        "false" => return Some(Operand::Literal(Value::Bool(false))),
        "null" | "undefined" => return Some(Operand::Literal(Value::Null)),
        "@index" => return Some(Operand::Loop(LoopFact::Index)),
        "@key" => return Some(Operand::Loop(LoopFact::Key)),
        "@first" => return Some(Operand::Loop(LoopFact::First)),
        "@last" => return Some(Operand::Loop(LoopFact::Last)),
        _ => {}
    }
    if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        let number: serde_json::Number = text.parse().ok()?;
        return Some(Operand::Literal(Value::Number(number)));
    }
    path(text)
}

fn path(text: &str) -> Option<Operand> {
    let mut rest = text;
    let mut up = 0_usize;
    while let Some(outer) = rest.strip_prefix("../") {
        up = up.saturating_add(1);
        rest = outer;
    }
    if rest == ".." {
        let (up, names) = (up.saturating_add(1), Vec::new());
        return Some(Operand::Path { up, names });
    }
    let rest = rest
        .strip_prefix("this/")
        .or_else(|| rest.strip_prefix("this."))
        .unwrap_or(rest);
    if rest == "this" || rest == "." {
        let names = Vec::new();
        return Some(Operand::Path { up, names });
    }
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'))
    };
    let names: Vec<String> = rest.split(['.', '/']).map(str::to_owned).collect();
    names
        .iter()
        .all(|name| is_name(name))
        .then_some(Operand::Path { up, names })
}
