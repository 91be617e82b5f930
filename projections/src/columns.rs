//! How ids, points in time, words and personal values stand in columns, and how they are read back.

use std::str::FromStr;

use rusqlite::Row;
use rusqlite::types::{FromSql, ValueRef};
use sealpost_domain::event::StreamType;
use sealpost_domain::ids::{AccountId, MessageId};
use sealpost_domain::message::{EnhancedStatus, Judged, Reply};
use sealpost_domain::{Instant, Personal, Recorded};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::projection::{FoldRefusal, Value};

/// The message that a recorded event concerns.
pub(crate) fn message_of(recorded: &Recorded) -> Result<MessageId, FoldRefusal> {
    let id = recorded.stream.id.parse();
    id.map_err(|_| FoldRefusal::BadStreamId(StreamType::Message))
}

/// The account that a recorded event concerns.
pub(crate) fn account_of(recorded: &Recorded) -> Result<AccountId, FoldRefusal> {
    recorded.account.ok_or(FoldRefusal::NoAccount)
}

/// The word that a plain variant has on the wire, e.g. `hard_bounce`.
pub(crate) fn word<T: Serialize>(variant: &T) -> Value {
    match serde_json::to_value(variant) {
        Ok(serde_json::Value::String(word)) => Value::Text(word),
        _ => Value::Null,
    }
}

/// The variant that has this word on the wire.
pub(crate) fn named<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

/// JSON text of a value, keys in the order of declaration.
pub(crate) fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_string(value).map_or(Value::Null, Value::Text)
}

/// The word of the class that rules found, where they judged.
pub(crate) fn class(judged: Option<Judged>) -> Value {
    judged.map_or(Value::Null, |judged| judged.class.as_str().into())
}

/// A known text; no value for what is sealed or erased.
pub(crate) fn known(text: &Personal<String>) -> Value {
    text.known().map_or(Value::Null, |text| Value::Text(text.clone()))
}

/// Milliseconds since 1970.
pub(crate) fn millis(at: Instant) -> Value {
    Value::Integer(at.as_millis())
}

/// Code, enhanced status and text of a reply.
pub(crate) fn reply_values(reply: Option<&Reply>) -> [Value; 3] {
    [
        reply.map(|reply| u32::from(reply.code)).into(),
        reply
            .and_then(|reply| reply.enhanced)
            .map(|status| status.to_string())
            .into(),
        reply.map_or(Value::Null, |reply| known(&reply.text)),
    ]
}

/// A column, by its place, that does not hold what its table promises: somebody else wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("column {0} of the row is not in its form")]
pub(crate) struct BadColumn(pub usize);

/// Reads the columns of a row from left to right.
pub(crate) struct Columns<'a, 'b> {
    row: &'a Row<'b>,
    next: usize,
}

impl<'a, 'b> Columns<'a, 'b> {
    pub const fn of(row: &'a Row<'b>) -> Self {
        Self::from(row, 0)
    }

    /// Begins at a column, counted from 0.
    pub const fn from(row: &'a Row<'b>, next: usize) -> Self {
        Self { row, next }
    }

    /// The next column as SQLite has it.
    pub fn take<T: FromSql>(&mut self) -> Result<T, BadColumn> {
        let at = self.step();
        self.row.get(at).map_err(|_| BadColumn(at))
    }

    /// A text, if there is one, without a copy.
    pub fn text_if_any(&mut self) -> Result<Option<&'a str>, BadColumn> {
        let at = self.step();
        match self.row.get_ref(at) {
            Ok(ValueRef::Null) => Ok(None),
            Ok(ValueRef::Text(text)) => std::str::from_utf8(text).map(Some).map_err(|_| BadColumn(at)),
            _ => Err(BadColumn(at)),
        }
    }

    /// A text that must be there, read by its type.
    pub fn parsed<T: FromStr>(&mut self) -> Result<T, BadColumn> {
        self.parsed_if_any()?.ok_or(BadColumn(self.next.saturating_sub(1)))
    }

    /// A text, read by its type.
    pub fn parsed_if_any<T: FromStr>(&mut self) -> Result<Option<T>, BadColumn> {
        self.read_text(|text| text.parse().ok())
    }

    /// The word of a plain variant, if there is one.
    pub fn named_if_any<T: DeserializeOwned>(&mut self) -> Result<Option<T>, BadColumn> {
        self.read_text(named)
    }

    /// The word of a plain variant.
    pub fn named<T: DeserializeOwned>(&mut self) -> Result<T, BadColumn> {
        self.named_if_any()?.ok_or(BadColumn(self.next.saturating_sub(1)))
    }

    /// JSON text of a value, if there is one.
    pub fn json_if_any<T: DeserializeOwned>(&mut self) -> Result<Option<T>, BadColumn> {
        self.read_text(|text| serde_json::from_str(text).ok())
    }

    /// A point in time, if there is one.
    pub fn instant_if_any(&mut self) -> Result<Option<Instant>, BadColumn> {
        Ok(self.take::<Option<i64>>()?.map(Instant::from_millis))
    }

    /// A point in time.
    pub fn instant(&mut self) -> Result<Instant, BadColumn> {
        self.take::<i64>().map(Instant::from_millis)
    }

    /// A whole number that is not negative and fits its type.
    pub fn number<T: TryFrom<i64>>(&mut self) -> Result<T, BadColumn> {
        self.number_if_any()?.ok_or(BadColumn(self.next.saturating_sub(1)))
    }

    /// A whole number that fits its type, if there is one.
    pub fn number_if_any<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, BadColumn> {
        let number: Option<i64> = self.take()?;
        let at = self.next.saturating_sub(1);
        number
            .map(|number| T::try_from(number).map_err(|_| BadColumn(at)))
            .transpose()
    }

    /// A personal text: erased where there is none.
    pub fn personal(&mut self) -> Result<Personal<String>, BadColumn> {
        Ok(self.take::<Option<String>>()?.map_or(Personal::Erased, Personal::Known))
    }

    /// A personal value kept as JSON: erased where there is none.
    pub fn personal_json<T: DeserializeOwned>(&mut self) -> Result<Personal<T>, BadColumn> {
        Ok(self.json_if_any()?.map_or(Personal::Erased, Personal::Known))
    }

    /// Three columns: code, enhanced status and text of a reply, if there was one.
    pub fn reply(&mut self) -> Result<Option<Reply>, BadColumn> {
        let code = self.number_if_any()?;
        let enhanced = self.read_text(read_status)?;
        let text = self.personal()?;
        Ok(code.map(|code| Reply { code, enhanced, text }))
    }

    fn read_text<T>(&mut self, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, BadColumn> {
        let at = self.step();
        match self.row.get_ref(at) {
            Ok(ValueRef::Null) => Ok(None),
            Ok(ValueRef::Text(text)) => std::str::from_utf8(text)
                .ok()
                .and_then(read)
                .map(Some)
                .ok_or(BadColumn(at)),
            _ => Err(BadColumn(at)),
        }
    }

    const fn step(&mut self) -> usize {
        let at = self.next;
        self.next += 1;
        at
    }
}

fn read_status(text: &str) -> Option<EnhancedStatus> {
    let mut parts = text.split('.');
    let status = EnhancedStatus(
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
    );
    parts.next().is_none().then_some(status)
}
