//! One outward error of any interface: a code, the field it is about, and what there is to say beyond the code.

use std::fmt;

use super::error_code::ErrorCode;

/// An error on its way out. Its text goes to the caller, so it may quote the request; it is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which error.
    pub code: ErrorCode,
    /// The field, as a path in the request: `message.to[3].email`.
    pub field: Option<String>,
    /// What is to be said of this one case, instead of the code's own sentence.
    pub detail: Option<String>,
}

impl Fault {
    /// An error that is about a field.
    pub fn field(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::ValidationFailed,
            field: Some(path.into()),
            detail: Some(detail.into()),
        }
    }

    /// The same error with a text of its own.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }

    /// What the caller reads.
    #[must_use]
    pub fn text(&self) -> &str {
        self.detail.as_deref().unwrap_or_else(|| self.code.sentence())
    }

    /// Logs a failure of the world with its causes, once, and gives what the caller is told of it.
    pub fn of_failure(code: ErrorCode, doing: &'static str, failure: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error.code = code.as_str(), "{doing} failed: {}", Chain(failure));
        Self::from(code)
    }
}

impl From<ErrorCode> for Fault {
    fn from(code: ErrorCode) -> Self {
        Self {
            code,
            field: None,
            detail: None,
        }
    }
}

impl fmt::Debug for Fault {
    /// Without the texts: they may quote what the caller sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({})", self.code.as_str())
    }
}

/// An error with all of its causes.
struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_request() {
        let fault = Fault::field("message.to[0].email", "ann@example.org is no address");
        assert_eq!(format!("{fault:?}"), "Fault(validation_failed)");
        assert_eq!(fault.text(), "ann@example.org is no address");
        assert_eq!(Fault::from(ErrorCode::Busy).text(), ErrorCode::Busy.sentence());
    }

    #[test]
    fn a_chain_names_every_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] std::io::Error);
        let outer = Outer(std::io::Error::other("inner"));
        assert_eq!(Chain(&outer).to_string(), "outer: inner");
    }
}
