//! What a variable's value is as a text, and whether it counts as something.

use std::borrow::Cow;

use serde_json::Value;

/// The value as a text: nothing for what is not there and for objects, elements of a list with commas between them.
pub(super) fn printed(value: Option<&Value>) -> Cow<'_, str> {
    match value {
        None | Some(Value::Null | Value::Object(_)) => Cow::Borrowed(""),
        Some(Value::String(text)) => Cow::Borrowed(text),
        Some(Value::Bool(true)) => Cow::Borrowed("true"),
        Some(Value::Bool(false)) => Cow::Borrowed("false"),
        Some(Value::Number(number)) => Cow::Owned(number.to_string()),
        Some(Value::Array(elements)) => {
            let texts: Vec<_> = elements.iter().map(|element| scalar(Some(element))).collect();
            Cow::Owned(texts.join(","))
        }
    }
}

/// Lists within lists print nothing: so that no value is gone through more than once.
fn scalar(value: Option<&Value>) -> Cow<'_, str> {
    match value {
        Some(Value::Array(_)) => Cow::Borrowed(""),
        other => printed(other),
    }
}

/// Bytes that are looked at to print a value, about.
pub(super) fn weight(value: Option<&Value>) -> usize {
    match value {
        Some(Value::String(text)) => text.len(),
        Some(Value::Array(elements)) => {
            let weights = elements.iter().map(|element| match element {
                Value::String(text) => text.len().saturating_add(16),
                _ => 32,
            });
            weights.sum()
        }
        _ => 0,
    }
}

/// False are: what is not there, null, false, 0, the empty text and the empty list.
pub(super) fn is_something(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Bool(true) | Value::Object(_)) => true,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(elements)) => !elements.is_empty(),
    }
}
