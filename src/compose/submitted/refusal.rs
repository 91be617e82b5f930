//! Every reason for which a submitted message is not taken in.

use sealpost_domain::address::AddressRefusal;
use thiserror::Error;

/// Why a submitted message is refused. None of the variants holds an address, a subject or a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AdoptRefusal {
    /// Larger than receivers take, as it came or once it is encoded.
    #[error("the message has {size_bytes} bytes, at most {limit_bytes} are allowed")]
    TooLarge {
        /// How large it is.
        size_bytes: u64,
        /// How large it may be.
        limit_bytes: u64,
    },
    /// RFC 5322 has no NUL anywhere.
    #[error("the message holds a NUL")]
    HoldsNul,
    /// A line of the header block is neither a field nor a fold.
    #[error("line {line} of the header block is no header")]
    BadHeaderLine {
        /// Which line, from 1.
        line: usize,
    },
    /// RFC 5322 §3.6 has this field once; large receivers refuse a second one.
    #[error("the header {header} stands more than once")]
    HeaderRepeated {
        /// Its name.
        header: String,
    },
    /// There is no From.
    #[error("the message has no From")]
    NoFrom,
    /// A mailbox of From is none.
    #[error("the header From holds no mail address")]
    BadFrom {
        /// What is wrong with it.
        #[source]
        reason: AddressRefusal,
    },
    /// The mailboxes of From are of several domains.
    #[error("the header From names several domains")]
    SeveralFromDomains,
    /// A structured field is not ASCII and cannot be encoded.
    #[error("the header {header} may hold printable ASCII only")]
    HeaderNotPlain {
        /// Its name.
        header: String,
    },
    /// A field cannot be folded into lines of 998 bytes.
    #[error("the header {header} is too long")]
    HeaderTooLong {
        /// Its name.
        header: String,
    },
    /// RFC 5321 §6.3: it went round in a loop.
    #[error("the message went over {count} hops, at most {limit} are allowed")]
    TooManyHops {
        /// How many `Received:` it has.
        count: usize,
        /// How many it may have.
        limit: usize,
    },
    /// So many parts that reading them is not safe.
    #[error("the message has too many parts")]
    TooManyParts,
    /// 8-bit text or long lines within something signed, or so malformed that it cannot be encoded.
    #[error("the body has 8-bit text or lines above 998 bytes and cannot be encoded")]
    NotSevenBit,
    /// There is nobody to send to.
    #[error("the message has no recipient")]
    NoRecipient,
}
