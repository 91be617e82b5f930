//! Every limit of the product: unit, default, reason, and what the caller sees when it is hit.

/// One limit, as `docs/limits.md` lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Name with its unit last.
    pub name: &'static str,
    /// The value in force.
    pub value: u64,
    /// Why there is a limit, and why this one.
    pub reason: &'static str,
    /// What the caller sees.
    pub seen_as: &'static str,
}

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $reason:literal, $seen:literal;)*) => {
        $($(#[$doc])* pub const $name: u64 = $value;)*
        /// All limits, in the order of this file.
        pub const ALL: &[Limit] = &[$(Limit { name: stringify!($name), value: $value, reason: $reason, seen_as: $seen }),*];
    };
}

limits! {
    /// Recipients of one call.
    RECIPIENTS_PER_CALL_MAX = 1_000, "A call is one atomic unit of the log and must fit one group commit.", "422 validation error, SMTP 452 4.5.3";
    /// Bytes of a finished message.
    MESSAGE_BYTES_MAX = 26_214_400, "25 MiB is what large receivers take.", "413 / 422 message_too_large, SMTP 552 5.3.4";
    /// Bytes of an HTTP request body; base64 makes a message a third larger.
    REQUEST_BYTES_MAX = 36_700_160, "A 25 MiB message in base64 inside JSON.", "413 request_too_large";
    /// Bytes of the bodies of all requests that are in hand.
    REQUEST_BODIES_BYTES_MAX = 268_435_456, "Memory: whoever has no key yet may send a body too.", "503 with Retry-After";
    /// Bytes of that room that requests of one IPv4 /24 or one IPv6 /64 hold; loopback speaks for many and has no share.
    REQUEST_BODIES_PER_PEER_BYTES_MAX = 134_217_728, "Nobody without a key takes all of it.", "503 with Retry-After";
    /// Brackets, braces, commas and colons outside of strings in one request body.
    REQUEST_MARKS_MAX = 100_000, "Memory: a value takes many times the bytes of its text.", "413 request_too_large";
    /// Beginning of every request body that takes none of that room, in bytes.
    REQUEST_FREE_BYTES = 16_384, "A usual mail is let in however many large ones are on their way.", "none";
    /// Bytes per second below which a request body is given up after half a minute.
    REQUEST_PACE_BYTES_PER_S = 131_072, "Nobody holds memory by sending drop by drop.", "408 request_timed_out";
    /// Seconds that the head of a request may take.
    REQUEST_HEAD_S = 10, "Nobody holds a connection by saying nothing.", "408, and the connection ends";
    /// Connections of one HTTP worker; there is one for each processor.
    CONNECTIONS_PER_WORKER_MAX = 4_096, "Memory.", "none: the others wait to be accepted";
    /// Connections to the submission server, where the configuration does not say another number.
    SUBMISSION_CONNECTIONS_MAX = 10_000, "Memory: about 10 kB each, and more with TLS.", "421 4.7.0";
    /// How many of them are of one IPv4 /24 or one IPv6 /64; loopback speaks for many and has no share.
    SUBMISSION_CONNECTIONS_PER_NETWORK_MAX = 500, "Nobody takes all of them.", "421 4.7.0";
    /// How many of them are logged in with one key.
    SUBMISSION_CONNECTIONS_PER_KEY_MAX = 500, "Nobody takes all of them.", "421 4.7.0 at AUTH";
    /// Seconds for a command of a client that has not logged in.
    SUBMISSION_FIRST_COMMAND_S = 60, "Nobody holds a connection by saying nothing; five times as long and no login is too long as well.", "421 4.4.2";
    /// Seconds for a command of a client that has.
    SUBMISSION_COMMAND_S = 300, "RFC 5321 §4.5.3.2.7.", "421 4.4.2";
    /// Seconds for the beginning of a submitted content.
    SUBMISSION_CONTENT_S = 120, "RFC 5321 §4.5.3.2.5.", "421 4.4.2";
    /// Bytes per second below which a submitted content is given up after that.
    SUBMISSION_PACE_BYTES_PER_S = 8_192, "Nobody holds memory by sending drop by drop.", "421 4.4.2";
    /// Refused commands of a client that has not logged in.
    SUBMISSION_STRANGER_FAULTS_MAX = 20, "A client that is so wrong is none.", "421 4.7.0";
    /// Refused commands of a client that has.
    SUBMISSION_GUEST_FAULTS_MAX = 100, "Among a thousand recipients some are mistyped.", "421 4.7.0";
    /// Logins with nobody's key that one network may try within ten minutes.
    SUBMISSION_FAILED_LOGINS_MAX = 50, "Guessing costs more than it brings.", "421 4.7.0";
    /// Bytes of a text that is given as a recipient's address.
    ADDRESS_GIVEN_BYTES_MAX = 1_000, "A longer one is no address, and its refusal is recorded.", "422 validation error";
    /// Bytes of a user agent.
    USER_AGENT_BYTES_MAX = 256, "It is stored in every event of its request.", "none: the rest is cut off";
    /// Bytes of the name of an account.
    ACCOUNT_NAME_BYTES_MAX = 200, "People read it in lists.", "422 validation error";
    /// Bytes of the label of a key.
    KEY_LABEL_BYTES_MAX = 200, "People read it in lists.", "422 validation error";
    /// Bytes of the reason that somebody gives for an act.
    REASON_BYTES_MAX = 500, "It is stored with the act.", "422 validation error";
    /// Characters of a password, at least.
    PASSWORD_CHARACTERS_MIN = 15, "NIST SP 800-63B-4, while it is the only factor.", "422 validation error";
    /// Bytes of a password, at most.
    PASSWORD_BYTES_MAX = 256, "All of it is hashed.", "422 validation error";
    /// Passwords that are hashed at once.
    PASSWORD_HASHES_AT_ONCE = 2, "Each takes 46 MiB and a processor, and mail shall go on.", "none: the next one waits";
    /// Keys whose owners are remembered; one takes about 200 bytes.
    KEYS_IN_MEMORY_MAX = 50_000, "Memory; a key that is not remembered costs one read.", "none";
    /// Rows of one page of a list.
    PAGE_ROWS_MAX = 1_000, "Memory, and Mandrill's own limit.", "422 validation error";
    /// Reads of read models that run at once.
    READS_AT_ONCE = 8, "Each holds a thread and a file.", "none: the next one waits";
    /// How many of them are one account's.
    READS_PER_ACCOUNT = 2, "Nobody's searches stand before everybody else's.", "none: the next one waits";
    /// Reads of the log that run at once; accepting mail needs them, so that they have places of their own.
    LOG_READS_AT_ONCE = 8, "Each holds a thread.", "none: the next one waits";
    /// Tags, senders or keys that one search names.
    SEARCH_LIST_MAX = 100, "Each is compared with every row.", "422 validation error";
    /// Headers that a caller may add to a message.
    CUSTOM_HEADERS_MAX = 100, "Receivers refuse long header blocks.", "422 validation error";
    /// Bytes of a subject.
    SUBJECT_BYTES_MAX = 998, "RFC 5322 line length, and Mandrill's own limit.", "422 validation error";
    /// Bytes of the value of a header that a caller adds.
    HEADER_VALUE_BYTES_MAX = 8_192, "Receivers refuse long header blocks.", "422 validation error";
    /// Bytes of a display name.
    DISPLAY_NAME_BYTES_MAX = 256, "No mail program shows more.", "422 validation error";
    /// Recipients that one message may show to all of them.
    VISIBLE_RECIPIENTS_MAX = 100, "Each of as many messages repeats the whole list.", "422 validation error";
    /// Attachments and inline images of one message.
    ATTACHMENTS_MAX = 200, "Parts cost every reader memory.", "422 validation error";
    /// Bytes of the name of an attachment.
    ATTACHMENT_NAME_BYTES_MAX = 255, "What file systems allow.", "422 validation error";
    /// `Received:` headers of a submitted message.
    HOPS_MAX = 100, "RFC 5321 §6.3: more of them are a loop.", "422 validation error, SMTP 554 5.4.6";
    /// Seconds after which a message that nobody took bounces, at least.
    MESSAGE_LIFETIME_S_MIN = 60, "A shorter one leaves no time for a second try.", "422 validation error, SMTP 554 5.6.0";
    /// Seconds after which a message that nobody took bounces, at most.
    MESSAGE_LIFETIME_S_MAX = 604_800, "A week is more than any receiver's outage.", "422 validation error, SMTP 554 5.6.0";
    /// Reports of one message that are put on record.
    REPORTS_PER_MESSAGE_MAX = 8, "Whoever got a message can write reports on it.", "none: more are taken and not recorded";
    /// Connections that bring reports.
    INBOUND_CONNECTIONS_MAX = 200, "Memory.", "SMTP 421 4.7.0";
    /// How many of them are of one IPv4 /24 or one IPv6 /64; loopback speaks for many and has no share.
    INBOUND_CONNECTIONS_PER_NETWORK_MAX = 20, "Nobody takes all of them.", "SMTP 421 4.7.0";
    /// Seconds for a command of a server that brings a report.
    INBOUND_COMMAND_S = 300, "RFC 5321 §4.5.3.2.7.", "SMTP 421 4.4.2";
    /// Seconds for all that one connection brings.
    INBOUND_DIALOGUE_S = 900, "Nobody holds a connection by saying this and that.", "SMTP 421 4.4.2";
    /// Refused commands of a server that brings reports.
    INBOUND_FAULTS_MAX = 20, "Guessing costs more than it brings.", "SMTP 421 4.7.0";
    /// Recipients of one report.
    INBOUND_RECIPIENTS_MAX = 20, "A report is about one message.", "SMTP 452 4.5.3";
    /// Bytes of a letter that brings a report.
    INBOUND_CONTENT_BYTES_MAX = 52_428_800, "It may quote a message of ours in full.", "SMTP 552 5.3.4";
    /// How many of them are looked at.
    INBOUND_KEPT_BYTES_MAX = 262_144, "Memory; what a program reads stands before what is quoted.", "none: the rest is passed by";
    /// Tags of a message.
    TAGS_MAX = 50, "Each tag is a row of the activity search.", "422 validation error";
    /// Bytes of one tag.
    TAG_BYTES_MAX = 50, "Mandrill's limit.", "422 validation error";
    /// Bytes of the metadata of a message as JSON.
    METADATA_BYTES_MAX = 4_096, "It is stored in every accept.", "422 validation error";
    /// Steps that the templates of one call take, for all its recipients together.
    MERGE_STEPS_MAX = 5_000_000, "No template holds a processor for long.", "422 validation error";
    /// Bytes that the templates of one call print, and bytes of the different messages that come of them.
    MERGED_BYTES_MAX = 67_108_864, "Memory: a small call could ask for a thousand large messages.", "422 validation error";
    /// Bytes of the id of a subaccount.
    SUBACCOUNT_BYTES_MAX = 255, "Mandrill's limit.", "422 validation error";
    /// Bytes of an `Idempotency-Key`.
    IDEMPOTENCY_KEY_BYTES_MAX = 255, "A UUID has 36.", "422 validation error";
    /// Hours for which an idempotency key is remembered.
    IDEMPOTENCY_HOURS = 72, "Clients that retry after a weekend are rare.", "A later repeat is a new call";
    /// Rows of one group commit.
    ROUND_ROWS_MAX = 2_000, "Latency of a round stays in milliseconds.", "none: the next round follows at once";
    /// Bytes of one group commit.
    ROUND_BYTES_MAX = 2_097_152, "As for rows.", "none: the next round follows at once";
    /// Rows that wait for the log's writer from new mail.
    LOG_QUEUE_ROWS_MAX = 20_000, "A second or two of work.", "503 with Retry-After, SMTP 451";
    /// Rows that wait for the log's writer from people's acts: revocations, freezes, settings, refusals.
    LOG_SECURITY_ROWS_MAX = 4_096, "Room of its own, which new mail cannot take.", "503 with Retry-After";
    /// Rows that wait for the log's writer per outcome slot: the outcome, and the suppression or hold that follows.
    ROWS_PER_OUTCOME_MAX = 4, "Room of its own, which new mail cannot take.", "none";
    /// Rows of one account that may wait for durability.
    ACCOUNT_CREDIT_ROWS = 2_000, "No tenant owns the queue.", "503 with Retry-After, SMTP 451";
    /// KiB of content that waits for the disk.
    CONTENT_WAITING_KIB_MAX = 65_536, "Memory: a second or so of what a disk takes.", "none: the call waits for room";
    /// Opened data keys that are remembered; one takes about 300 bytes.
    DATA_KEYS_IN_MEMORY_MAX = 200_000, "Memory; a key that is not remembered costs one read.", "none";
    /// Attempts that may be between their start and their durable outcome.
    OUTCOME_SLOTS = 4_096, "Each holds room in the reserved lane and on the disk.", "none: deliveries wait";
    /// Dispatches in memory for one destination; the rest waits in the spool.
    DISPATCHES_PER_DESTINATION_MAX = 5_000, "Memory.", "none: the spool feeds them later";
    /// Connections to one site.
    CONNECTIONS_PER_SITE_MAX = 10, "What large receivers tolerate.", "none";
    /// Mail hosts of one domain that are looked at, the preferred ones first.
    MAIL_HOSTS_MAX = 10, "A zone with 50 of them must not cost 100 questions.", "none: the others are left out";
    /// Addresses of one mail host that are looked at.
    ADDRESSES_PER_HOST_MAX = 8, "A zone with thousands of them must not cost as many connections.", "none: the others are left out";
    /// Connections that one attempt tries, over all hosts and addresses.
    CONNECTIONS_PER_ATTEMPT_MAX = 10, "A domain whose hosts are all down must not hold an attempt for hours.", "none: the next attempt tries again";
    /// How long a message must have waited, and been tried, before a host that fails at TLS may have it in clear text, in seconds.
    CLEAR_AFTER_FAILED_TLS_S = 300, "Whoever breaks a handshake shall gain a delay and no reading; a host that is broken for good shall get its mail.", "deferred, 4.7.4 or 4.7.5";
    /// Questions to the DNS that are open at once.
    DNS_QUESTIONS_AT_ONCE = 128, "A resolver that is flooded answers nobody.", "none: the next one waits";
    /// Domains whose mail hosts are remembered; one takes about 1 KiB.
    DOMAINS_RESOLVED_MAX = 20_000, "Memory; a domain that is not remembered costs a few questions.", "none";
    /// Messages on one connection.
    MESSAGES_PER_CONNECTION_MAX = 100, "Receivers end longer ones.", "none";
    /// Panics of one actor until it is parked.
    PANICS_UNTIL_PARKED = 3, "A poison message must not burn the processor for ever.", "503 for that account alone";
    /// Minutes without a panic after which an account's earlier ones are forgotten.
    PANICS_FORGOTTEN_MINUTES = 60, "A few panics a year are no poison.", "none";
    /// Minutes in which further refusals of one kind are only counted.
    REFUSAL_WINDOW_MINUTES = 10, "A flood must not fill the log.", "none";
    /// Refusals of one key's uses that are put on record within that time; more are only counted.
    REFUSALS_PER_KEY_MAX = 64, "Whoever owns a /48 has 65,536 networks to come from.", "none";
    /// Events that one transaction of a read model takes.
    PROJECTION_ROUND_EVENTS_MAX = 1_000, "A reader waits for the end of a round.", "none: the next round follows at once";
    /// Opened events that projections share while the slowest of them comes along.
    SHARED_EVENTS_MAX = 4_000, "Memory; a projection that lags by more reads for itself.", "none";
    /// Bytes of a search query.
    SEARCH_QUERY_BYTES_MAX = 4_096, "A person types far less.", "422 validation error";
    /// Words, phrases and ranges of one search query.
    SEARCH_TERMS_MAX = 64, "Each costs a look at every row.", "422 validation error";
    /// Brackets within brackets of one search query.
    SEARCH_DEPTH_MAX = 20, "The reader calls itself once for each.", "422 validation error";
    /// Rows of the activity that one search looks at.
    SEARCH_SCANNED_ROWS_MAX = 200_000, "No search holds its place among the reads for long.", "none: it goes on when it is its turn again";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_says_why_and_what_is_seen() {
        for limit in ALL {
            assert!(
                limit.value > 0 && !limit.reason.is_empty() && !limit.seen_as.is_empty(),
                "{limit:?}"
            );
        }
    }
}
