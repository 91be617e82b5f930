//! Reads the members of a JSON object one by one, and says of each that is wrong where it stands and what was expected.

use serde_json::{Map, Value};

use super::error_code::ErrorCode;
use super::fault::Fault;

/// The members of an object that are not read yet, and the path that leads to it.
pub(super) struct Fields {
    map: Map<String, Value>,
    path: String,
}

impl Fields {
    /// Reads a whole body.
    ///
    /// # Errors
    /// [`ErrorCode::MalformedJson`] for what is no JSON, or no object.
    pub(super) fn of_body(body: &[u8]) -> Result<Self, Fault> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Ok(Self {
                map,
                path: String::new(),
            }),
            Ok(_) => Err(Fault::from(ErrorCode::MalformedJson).with_detail("The body must be one JSON object.")),
            // The parser's own text may quote the body, but says best what is wrong.
            Err(wrong) => Err(Fault::from(ErrorCode::MalformedJson)
                .with_detail(format!("The body of the request is not valid JSON: {wrong}."))),
        }
    }

    /// An object that stands at a path.
    pub(super) fn of_value(value: Value, path: String) -> Result<Self, Fault> {
        match value {
            Value::Object(map) => Ok(Self { map, path }),
            _ => Err(Fault::field(path, "Please enter an object")),
        }
    }

    /// All members that are not read yet.
    pub(super) const fn members(&self) -> &Map<String, Value> {
        &self.map
    }

    /// The path of a member.
    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// An error about a member.
    pub(super) fn wrong(&self, name: &str, detail: impl Into<String>) -> Fault {
        Fault::field(self.path_of(name), detail)
    }

    /// Takes a member; `null` counts as absent.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.shift_remove(name).filter(|value| !value.is_null())
    }

    /// Takes a text.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "Please enter a string")),
        }
    }

    /// Takes a text that must be there.
    pub(super) fn text_required(&mut self, name: &str) -> Result<String, Fault> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// Takes a truth value.
    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(self.wrong(name, "Please enter a boolean")),
        }
    }

    /// Takes a whole number of a range.
    pub(super) fn number(&mut self, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_u64().filter(|number| range.contains(number)) {
                Some(number) => Ok(Some(number)),
                None => Err(self.wrong(
                    name,
                    format!("Please enter a number from {} to {}", range.start(), range.end()),
                )),
            },
        }
    }

    /// Takes an array.
    pub(super) fn array(&mut self, name: &str) -> Result<Option<Vec<Value>>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(values)) => Ok(Some(values)),
            Some(_) => Err(self.wrong(name, "Please enter an array")),
        }
    }

    /// Takes an array of texts; an absent one is empty.
    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, Fault> {
        let values = self.array(name)?.unwrap_or_default();
        let path = self.path_of(name);
        let text = |(index, value): (usize, Value)| match value {
            Value::String(text) => Ok(text),
            _ => Err(Fault::field(format!("{path}[{index}]"), "Please enter a string")),
        };
        values.into_iter().enumerate().map(text).collect()
    }

    /// Takes an array of objects; an absent one is empty.
    pub(super) fn objects(&mut self, name: &str) -> Result<Vec<Self>, Fault> {
        let values = self.array(name)?.unwrap_or_default();
        let path = self.path_of(name);
        let object = |(index, value)| Self::of_value(value, format!("{path}[{index}]"));
        values.into_iter().enumerate().map(object).collect()
    }

    /// Takes an object.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, Fault> {
        let path = self.path_of(name);
        self.take(name).map(|value| Self::of_value(value, path)).transpose()
    }

    /// Takes an object that must be there.
    pub(super) fn object_required(&mut self, name: &str) -> Result<Self, Fault> {
        self.object(name)?.ok_or_else(|| self.missing(name))
    }

    /// Takes a text that a parser reads, as an id or an address.
    pub(super) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Fault> {
        match self.text(name)? {
            None => Ok(None),
            Some(text) => parse(&text)
                .map(Some)
                .map_err(|wrong| self.wrong(name, sentence(&wrong.to_string()))),
        }
    }

    /// Turns unread members away: a misspelt name must not be ignored.
    pub(super) fn finish(self) -> Result<(), Fault> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(name) => Err(self.wrong(name, "There is no such member")),
        }
    }

    /// The error of a member that must be there.
    pub(super) fn missing(&self, name: &str) -> Fault {
        self.wrong(name, format!("You must specify a {name} value"))
    }
}

/// A refusal's text as the beginning of a sentence.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        Fields::of_body(json.as_bytes()).unwrap()
    }

    fn field_of<T>(result: Result<T, Fault>) -> (String, String) {
        let fault = result.err().expect("an error");
        (fault.field.unwrap_or_default(), fault.detail.unwrap_or_default())
    }

    #[test]
    fn what_is_no_object_is_malformed() {
        for body in ["", "{", "[]", "null", "\"a\"", "{\"a\":1}x", "a=b", "\u{feff}{}"] {
            let fault = Fields::of_body(body.as_bytes()).err().expect(body);
            assert_eq!(fault.code, ErrorCode::MalformedJson, "{body}");
        }
        assert!(Fields::of_body(b"{\"a\":\"\xff\"}").is_err(), "not UTF-8");
        assert!(
            Fields::of_body("[".repeat(100_000).as_bytes()).is_err(),
            "deep nesting ends in an error"
        );
    }

    #[test]
    fn a_wrong_member_is_named_with_its_path() {
        let mut body = fields(r#"{"message":{"to":"ann","subject":1,"tags":["a",2],"async":"yes","n":1.5}}"#);
        let mut message = body.object_required("message").unwrap();
        assert_eq!(
            field_of(message.array("to")),
            ("message.to".into(), "Please enter an array".into())
        );
        assert_eq!(
            field_of(message.text("subject")),
            ("message.subject".into(), "Please enter a string".into())
        );
        assert_eq!(field_of(message.texts("tags")).0, "message.tags[1]");
        assert_eq!(field_of(message.flag("async")).0, "message.async");
        assert_eq!(
            field_of(message.number("n", 1..=9)).1,
            "Please enter a number from 1 to 9"
        );
        assert_eq!(field_of(message.text_required("id")).1, "You must specify a id value");
    }

    #[test]
    fn null_counts_as_absent_and_what_is_left_is_turned_away() {
        let mut body = fields(r#"{"a":null,"b":true,"typo":1}"#);
        assert_eq!(body.text("a"), Ok(None));
        assert_eq!(body.flag("b"), Ok(Some(true)));
        assert_eq!(field_of(body.finish()).0, "typo");
        assert_eq!(fields("{}").finish(), Ok(()));
    }
}
