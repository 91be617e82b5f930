//! Reads Mandrill's search query language (Lucene-like) into a tree. Lenient: what is no syntax is a word to look for.
//!
//! ```text
//! any    = all { "OR" all }          all  = one { ["AND"] one }       one = ["NOT" | "-" | "+"] atom
//! atom   = "(" any ")" | [field ":"] value                            field = email, sender, subject, u_KEY, …
//! value  = word | "\"" phrase "\"" | "(" any ")" | "[" from "TO" to "]"   with * and ? in words
//! ```

use sealpost_domain::limits;
use thiserror::Error;

use super::search_match::{Clause, Field, Pattern, Range};

const QUERY_BYTES_MAX: usize = limits::SEARCH_QUERY_BYTES_MAX as usize;
const TERMS_MAX: usize = limits::SEARCH_TERMS_MAX as usize;
const DEPTH_MAX: usize = limits::SEARCH_DEPTH_MAX as usize;

/// Why a query is not looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum QueryRefusal {
    /// More than 4,096 bytes.
    #[error("the query is longer than {QUERY_BYTES_MAX} bytes")]
    TooLong,
    /// More than 64 words, phrases and ranges.
    #[error("the query has more than {TERMS_MAX} terms")]
    TooManyTerms,
    /// More than 20 brackets within brackets.
    #[error("the query has more than {DEPTH_MAX} brackets within brackets")]
    TooDeep,
}

/// A query that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery(pub(super) Clause);

impl SearchQuery {
    /// Reads a query over all fields. Empty, `*` and `*:*` find everything.
    ///
    /// # Errors
    /// As [`QueryRefusal`] says: only for its size, never for its syntax.
    pub fn parse(text: &str) -> Result<Self, QueryRefusal> {
        Self::parse_in(&Field::Any, text)
    }

    /// Reads a query whose bare words and phrases are looked for in the subject alone.
    ///
    /// # Errors
    /// As [`SearchQuery::parse`].
    pub fn parse_in_subject(text: &str) -> Result<Self, QueryRefusal> {
        Self::parse_in(&Field::Subject, text)
    }

    fn parse_in(field: &Field, text: &str) -> Result<Self, QueryRefusal> {
        if text.len() > QUERY_BYTES_MAX {
            return Err(QueryRefusal::TooLong);
        }
        let mut parser = Parser { rest: text, terms: 0 };
        let mut all = Vec::new();
        loop {
            all.push(parser.any(field, 0)?);
            // A bracket that closes nothing is passed over.
            if parser.eat(')').is_none() {
                break;
            }
        }
        Ok(Self(joined(all, Clause::All)))
    }
}

struct Parser<'a> {
    rest: &'a str,
    terms: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self, field: &Field, depth: usize) -> Result<Clause, QueryRefusal> {
        let mut ways = vec![self.all(field, depth)?];
        while self.eat_word("OR") {
            ways.push(self.all(field, depth)?);
        }
        // An `OR` with nothing on one side is no choice.
        if ways.len() > 1 {
            ways.retain(|way| *way != Clause::Everything);
        }
        Ok(joined(ways, Clause::Any))
    }

    fn all(&mut self, field: &Field, depth: usize) -> Result<Clause, QueryRefusal> {
        let mut parts = Vec::new();
        loop {
            self.skip_space();
            if self.rest.is_empty() || self.rest.starts_with(')') || self.is_word("OR") {
                return Ok(joined(parts, Clause::All));
            }
            if !self.eat_word("AND") {
                parts.extend(self.one(field, depth)?);
            }
        }
    }

    fn one(&mut self, field: &Field, depth: usize) -> Result<Option<Clause>, QueryRefusal> {
        let mut is_negated = false;
        loop {
            self.skip_space();
            if self.eat_word("NOT") || self.eat('-').is_some() || self.eat('!').is_some() {
                is_negated = !is_negated;
            } else if self.eat('+').is_none() {
                break;
            }
        }
        let atom = self.atom(field, depth)?;
        Ok(match atom {
            Some(clause) if is_negated => Some(Clause::Not(Box::new(clause))),
            atom => atom,
        })
    }

    fn atom(&mut self, field: &Field, depth: usize) -> Result<Option<Clause>, QueryRefusal> {
        if self.eat('(').is_some() {
            if depth >= DEPTH_MAX {
                return Err(QueryRefusal::TooDeep);
            }
            let inner = self.any(field, depth + 1)?;
            self.skip_space();
            self.eat(')');
            return Ok(Some(inner));
        }
        if self.eat('"').is_some() {
            let phrase = self.phrase();
            return self.term(field, phrase);
        }
        let start = self.rest;
        let word = self.word();
        let named = word
            .split_once(':')
            .and_then(|(name, value)| Some((Field::named(name)?, name, value)));
        let Some((named, name, value)) = named else {
            return if matches!(word, "*" | "*:*") {
                Ok(Some(if *field == Field::Any {
                    Clause::Everything
                } else {
                    Clause::Term(field.clone(), Pattern::anything())
                }))
            } else {
                self.term(field, word)
            };
        };
        if !value.is_empty() && !value.starts_with('[') {
            return self.term(&named, value);
        }
        // The value is quoted, bracketed or a range: go back to just behind the colon.
        self.rest = start.get(name.len() + 1..).unwrap_or_default();
        match self.rest.chars().next() {
            Some('"' | '(') => self.atom(&named, depth),
            Some('[') => self.range(named),
            _ => Ok(None),
        }
    }

    fn range(&mut self, field: Field) -> Result<Option<Clause>, QueryRefusal> {
        let inner = self.rest.get(1..).unwrap_or_default();
        let (inside, behind) = inner.split_once(']').unwrap_or((inner, ""));
        self.rest = behind;
        self.count()?;
        Ok(Some(Clause::Range(field, Range::parse(inside))))
    }

    fn term(&mut self, field: &Field, text: &str) -> Result<Option<Clause>, QueryRefusal> {
        self.count()?;
        let pattern = Pattern::new(text);
        Ok((!pattern.is_empty()).then(|| Clause::Term(field.clone(), pattern)))
    }

    const fn count(&mut self) -> Result<(), QueryRefusal> {
        self.terms += 1;
        if self.terms > TERMS_MAX {
            return Err(QueryRefusal::TooManyTerms);
        }
        Ok(())
    }

    /// What stands before the closing quote, or before the end where there is none.
    fn phrase(&mut self) -> &'a str {
        let mut is_escaped = false;
        for (at, c) in self.rest.char_indices() {
            if c == '"' && !is_escaped {
                return self.split(at, 1);
            }
            is_escaped = c == '\\' && !is_escaped;
        }
        self.split(self.rest.len(), 0)
    }

    /// Up to a space, quote or bracket. At least one character, so that the reader always gets on.
    fn word(&mut self) -> &'a str {
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '(' | ')');
        let first = self.rest.chars().next().map_or(0, char::len_utf8);
        let end = self
            .rest
            .get(first..)
            .and_then(|rest| rest.find(ends))
            .map_or(self.rest.len(), |at| first + at);
        self.split(end, 0)
    }

    /// Takes `at` bytes and passes over `skip` more.
    fn split(&mut self, at: usize, skip: usize) -> &'a str {
        let taken = self.rest.get(..at).unwrap_or_default();
        self.rest = self.rest.get(at + skip..).unwrap_or_default();
        taken
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, sign: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(sign)?;
        Some(())
    }

    fn is_word(&self, word: &str) -> bool {
        self.rest.strip_prefix(word).is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"'))
        })
    }

    fn eat_word(&mut self, word: &str) -> bool {
        self.skip_space();
        let is_there = self.is_word(word);
        if is_there {
            self.split(word.len(), 0);
        }
        is_there
    }
}

/// One clause alone needs no list around it, and none is no condition.
fn joined(mut clauses: Vec<Clause>, join: fn(Vec<Clause>) -> Clause) -> Clause {
    match (clauses.len(), clauses.pop()) {
        (_, None) => Clause::Everything,
        (1, Some(only)) => only,
        (_, Some(last)) => {
            clauses.push(last);
            join(clauses)
        }
    }
}

#[cfg(test)]
mod tests;
