//! Reads `*|NAME|*`, `*|IF:NAME|*` … `*|ELSEIF:…|*` … `*|ELSE:|*` … `*|END:IF|*`, as Mandrill documents them.
//!
//! What looks like a tag and is none stays as it is.

use serde_json::Value;

use super::build::{Builder, line_of};
use super::condition::{Comparison, Condition};
use super::refusal::TemplateRefusal;
use super::template::{Form, Node, Operand, Print};

const OPENING: &str = "*|";
const CLOSING: &str = "|*";
/// Longest tag, in bytes: a stray opening mark must not make the whole text one.
const TAG_BYTES_MAX: usize = 256;

/// Reads a template.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, TemplateRefusal> {
    let mut builder = Builder::default();
    let mut rest = text;
    while let Some(at) = rest.find(OPENING) {
        let (before, tag) = rest.split_at(at);
        builder.text(before);
        let inner = tag.get(OPENING.len()..).unwrap_or_default();
        let line = line_of(text, text.len().saturating_sub(tag.len()));
        let end = inner.find(CLOSING).filter(|end| *end <= TAG_BYTES_MAX);
        let word = end.and_then(|end| inner.get(..end));
        match word {
            Some(word) if read(&mut builder, word.trim(), line)? == Read::Tag => {
                let behind = word.len().saturating_add(CLOSING.len());
                rest = inner.get(behind..).unwrap_or_default();
            }
            _ => {
                builder.text(OPENING);
                rest = inner;
            }
        }
    }
    builder.text(rest);
    builder.finish()
}

/// Whether a piece between the marks is a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    Tag,
    Text,
}

fn read(builder: &mut Builder, word: &str, line: usize) -> Result<Read, TemplateRefusal> {
    let Some((command, argument)) = word.split_once(':') else {
        if !is_name(word) {
            return Ok(Read::Text);
        }
        builder.push(Node::Print(variable(word), Form::Raw));
        return Ok(Read::Tag);
    };
    let bad = TemplateRefusal::BadTag { line };
    match command.trim().to_ascii_uppercase().as_str() {
        "IF" => builder.open_if("IF", condition(argument).ok_or(bad)?, line)?,
        "IFNOT" => {
            let name = Some(argument.trim()).filter(|name| is_name(name)).ok_or(bad)?;
            builder.open_if("IF", Condition::Fails(path(name)), line)?;
        }
        "ELSEIF" => builder.else_if(condition(argument).ok_or(bad)?, line)?,
        "ELSE" => builder.otherwise(line)?,
        "END" if argument.trim().eq_ignore_ascii_case("IF") => builder.close("IF", line)?,
        "DATE" => builder.push(Node::Print(Print::Date(argument.trim().to_owned()), Form::Raw)),
        "UNSUB" => {
            let what = "an unsubscribe link";
            return Err(TemplateRefusal::NotOffered { line, what });
        }
        _ => return Ok(Read::Text),
    }
    Ok(Read::Tag)
}

fn variable(name: &str) -> Print {
    match name.to_ascii_uppercase().as_str() {
        "CURRENT_YEAR" => Print::Year(path(name)),
        "EMAIL" => Print::Email(path(name)),
        _ => Print::Plain(path(name)),
    }
}

fn path(name: &str) -> Operand {
    Operand::Path {
        up: 0,
        names: vec![name.to_owned()],
    }
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// `NAME`, or `NAME` with a comparison and a value. Editors write `>` as `&gt;` in HTML.
fn condition(text: &str) -> Option<Condition> {
    let text = text.replace("&gt;", ">").replace("&lt;", "<").replace("&quot;", "\"");
    let Some((name, comparison, value)) = Comparison::split(&text) else {
        return is_name(text.trim()).then(|| Condition::Holds(path(text.trim())));
    };
    let quoted = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
    is_name(name).then(|| Condition::Compares(path(name), comparison, Operand::Literal(Value::from(value))))
}
