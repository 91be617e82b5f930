//! Every reason for which a text is no template.

use thiserror::Error;

/// Why a text is no template. Lines count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TemplateRefusal {
    /// A tag does not end, or holds what is no expression.
    #[error("line {line} holds a tag that cannot be read")]
    BadTag {
        /// Where.
        line: usize,
    },
    /// A block does not end.
    #[error("the block that opens in line {line} does not end")]
    Unclosed {
        /// Where it begins.
        line: usize,
    },
    /// An end or an else without its beginning.
    #[error("line {line} ends or divides a block that is not open")]
    NotOpen {
        /// Where.
        line: usize,
    },
    /// A helper that does not exist.
    #[error("line {line} calls a helper that does not exist")]
    UnknownHelper {
        /// Where.
        line: usize,
    },
    /// It is not built yet.
    #[error("line {line} holds {what}, which is not offered yet")]
    NotOffered {
        /// Where.
        line: usize,
        /// What it is.
        what: &'static str,
    },
    /// Blocks within blocks within blocks.
    #[error("line {line} opens a block too many within others")]
    TooDeep {
        /// Where.
        line: usize,
    },
}
