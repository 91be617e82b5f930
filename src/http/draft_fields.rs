//! Reads the parts of a mail that both APIs write alike: headers, metadata, files, images.

use std::collections::BTreeMap;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::fault::Fault;
use super::fields::Fields;
use crate::compose::{Attachment, InlineImage};

/// Base 64 as clients write it, with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Headers as an object of texts. PHP writes an empty one as an array.
pub(super) fn headers(message: &mut Fields) -> Result<Vec<(String, String)>, Fault> {
    let path = message.path_of("headers");
    let mut headers = Vec::new();
    for (name, value) in members(message, "headers")? {
        match value {
            Value::String(text) => headers.push((name, text)),
            Value::Number(number) => headers.push((name, number.to_string())),
            Value::Null => {}
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return Err(Fault::field(format!("{path}.{name}"), "Please enter a string"));
            }
        }
    }
    Ok(headers)
}

/// Metadata as an object of scalars, each kept as its JSON text.
pub(super) fn metadata(message: &mut Fields, name: &str) -> Result<BTreeMap<String, String>, Fault> {
    let path = message.path_of(name);
    let mut metadata = BTreeMap::new();
    for (member, value) in members(message, name)? {
        match value {
            Value::Array(_) | Value::Object(_) => {
                return Err(Fault::field(
                    format!("{path}.{member}"),
                    "Please enter a string, a number or a boolean",
                ));
            }
            scalar => drop(metadata.insert(member, scalar.to_string())),
        }
    }
    Ok(metadata)
}

fn members(message: &mut Fields, name: &str) -> Result<Vec<(String, Value)>, Fault> {
    match message.take(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(empty)) if empty.is_empty() => Ok(Vec::new()),
        Some(Value::Object(members)) => Ok(members.into_iter().collect()),
        Some(_) => Err(message.wrong(name, "Please enter an object")),
    }
}

/// Files, with their content in base 64.
pub(super) fn attachments(message: &mut Fields) -> Result<Vec<Attachment>, Fault> {
    let file = |mut file: Fields| {
        Ok(Attachment {
            media_type: file.text("type")?.unwrap_or_default(),
            name: file.text("name")?.unwrap_or_default(),
            content: content(&mut file)?,
        })
    };
    message.objects("attachments")?.into_iter().map(file).collect()
}

/// Images of the HTML, with their content in base 64.
pub(super) fn images(message: &mut Fields) -> Result<Vec<InlineImage>, Fault> {
    let image = |mut image: Fields| {
        Ok(InlineImage {
            media_type: image.text("type")?.unwrap_or_default(),
            name: image.text_required("name")?,
            content: content(&mut image)?,
        })
    };
    message.objects("images")?.into_iter().map(image).collect()
}

fn content(file: &mut Fields) -> Result<Vec<u8>, Fault> {
    let mut text = file.text_required("content")?;
    // Encoders that wrap their lines are common.
    if text.contains(|c: char| c.is_ascii_whitespace()) {
        text.retain(|c| !c.is_ascii_whitespace());
    }
    BASE64
        .decode(text)
        .map_err(|_| file.wrong("content", "Please enter the content in base64"))
}
