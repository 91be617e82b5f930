//! Decides which branch of a template is printed.

use std::cmp::Ordering;

use serde_json::Value;

use super::template::Operand;
use super::value::printed;

/// When a branch is printed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// The value is there, and neither empty, zero nor false.
    Holds(Operand),
    /// It is not.
    Fails(Operand),
    /// Two values compare so.
    Compares(Operand, Comparison, Operand),
}

/// How two values are compared: as numbers where both are, as texts otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The signs of the comparisons; longer ones first, as they begin with shorter ones.
const SIGNS: [(&str, Comparison); 8] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<>", Comparison::NotEqual),
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

impl Comparison {
    /// Splits a text at its first comparison that stands in no quotes.
    pub(super) fn split(text: &str) -> Option<(&str, Self, &str)> {
        let mut quote = None;
        for (at, letter) in text.char_indices() {
            match quote {
                Some(open) if letter == open => quote = None,
                Some(_) => {}
                None if letter == '"' || letter == '\'' => quote = Some(letter),
                None => {
                    let (before, rest) = text.split_at(at);
                    let sign = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign));
                    if let Some((sign, comparison)) = sign {
                        return Some((before.trim(), *comparison, rest.get(sign.len()..)?.trim()));
                    }
                }
            }
        }
        None
    }

    /// What holds where this one does not.
    pub(super) const fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// Whether two values compare so.
    pub(super) fn holds(self, left: Option<&Value>, right: Option<&Value>) -> bool {
        let (left, right) = (printed(left), printed(right));
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let order = match (number(&left), number(&right)) {
            (Some(left), Some(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
            _ => left.as_ref().cmp(right.as_ref()),
        };
        match self {
            Self::Equal => order == Ordering::Equal,
            Self::NotEqual => order != Ordering::Equal,
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
            Self::Greater => order == Ordering::Greater,
            Self::GreaterOrEqual => order != Ordering::Less,
        }
    }
}
