//! Every outward error: its code, its status, what it says and what to do about it. `docs/errors.md` is this table.

use actix_web::http::StatusCode;

/// How Mandrill's API says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MandrillForm {
    /// The `name` member.
    pub name: &'static str,
    /// The `code` member.
    pub code: i32,
    /// The HTTP status.
    pub status: u16,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:literal, ($name:literal, $number:literal, $mandrill:literal),
        $sentence:literal, $remedy:literal;)*) => {
        /// A stable code of the outward interfaces. Codes are never renamed and never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $variant),* }

        impl ErrorCode {
            /// All codes in the order of this file.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as `/v1` and the control socket say it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// The HTTP status of `/v1` and the control socket.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }

            /// What happened, for people.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence),* }
            }

            /// What to do.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy),* }
            }

            /// How Mandrill's API says it.
            #[must_use]
            pub const fn mandrill(self) -> MandrillForm {
                match self { $(Self::$variant => MandrillForm { name: $name, code: $number, status: $mandrill }),* }
            }
        }
    };
}

codes! {
    /// The call brings no key.
    MissingKey = "missing_key", 401, ("ValidationError", -1, 422),
        "No API key was given.", "Send it as `Authorization: Bearer KEY`, or as the member `key` of a Mandrill call.";
    /// The key is malformed, nobody's or revoked.
    InvalidKey = "invalid_key", 401, ("Invalid_Key", -1, 401),
        "The API key is not valid.", "Check that the whole key was copied; issue another one when it was revoked.";
    /// A limit of the key forbids the call.
    KeyNotAllowed = "key_not_allowed", 403, ("Invalid_Key", -1, 403),
        "The API key may not make this call.", "Look at the key's limits: methods and lifetime.";
    /// A sending key was used to manage.
    ManagementKeyRequired = "management_key_required", 403, ("Invalid_Key", -1, 403),
        "This call needs a management key.", "Use a key that begins with `spm_`.";
    /// A management key is frozen.
    ManagementKeyFrozen = "management_key_frozen", 403, ("Invalid_Key", -1, 403),
        "The management key is frozen.", "Thaw it with another management key or `sealpost key thaw`: until then it may do nothing.";
    /// The account may not act.
    AccountSuspended = "account_suspended", 403, ("Invalid_Key", -1, 403),
        "The account is suspended.", "Ask the operator of this installation.";
    /// A key of the test world wants to send.
    TestKeyCannotSend = "test_key_cannot_send", 403, ("ValidationError", -2, 403),
        "Test keys cannot send mail here.", "Use a key with `_live_` in it.";
    /// The body is not JSON.
    MalformedJson = "malformed_json", 400, ("ValidationError", -1, 422),
        "The body of the request is not valid JSON.", "Send one JSON object, encoded as UTF-8.";
    /// The body says that it is something else.
    UnsupportedMediaType = "unsupported_media_type", 415, ("ValidationError", -1, 415),
        "The body of the request is not declared as JSON.", "Send `Content-Type: application/json`.";
    /// A member of the request is missing, of the wrong type, or out of its range.
    ValidationFailed = "validation_failed", 422, ("ValidationError", -2, 422),
        "The request is not valid.", "Mend the field that the answer names.";
    /// A limit of keys that nothing holds yet.
    LimitNotBuilt = "limit_not_built", 422, ("ValidationError", -2, 422),
        "This limit of keys is not built yet, so that none is promised.", "Leave it out; limit the key by from_domains, recipient_domains, methods or lifetime.";
    /// The finished message is too large.
    MessageTooLarge = "message_too_large", 422, ("ValidationError", -2, 422),
        "The message is too large.", "Keep the finished message, attachments in base64 included, below 25 MiB.";
    /// The body is too large.
    RequestTooLarge = "request_too_large", 413, ("ValidationError", -2, 413),
        "The body of the request is too large.", "Keep it below 35 MiB.";
    /// The body did not come.
    RequestTimedOut = "request_timed_out", 408, ("ValidationError", -2, 408),
        "The body of the request did not come in time.", "Send it again over a better line.";
    /// An idempotency key comes with another request.
    IdempotencyKeyReused = "idempotency_key_reused", 422, ("ValidationError", -2, 422),
        "The idempotency key was used for another request.", "Draw a new idempotency key for every new request.";
    /// No subaccount has this id.
    UnknownSubaccount = "unknown_subaccount", 404, ("Unknown_Subaccount", 12, 404),
        "There is no such subaccount.", "Leave the member `subaccount` out.";
    /// No message of the account has this id.
    UnknownMessage = "unknown_message", 404, ("Unknown_Message", 11, 404),
        "There is no such message.", "Check the id; it has 32 hexadecimal digits.";
    /// The message's content is gone.
    ContentErased = "content_erased", 410, ("Unknown_Message", 11, 404),
        "The content of the message was erased.", "Nothing can be done: its key is destroyed.";
    /// No key of the account has this id.
    UnknownKey = "unknown_key", 404, ("ValidationError", -2, 422),
        "There is no such key.", "List the keys of the account.";
    /// No account has this id.
    UnknownAccount = "unknown_account", 404, ("Invalid_Key", -1, 401),
        "There is no such account.", "List the accounts of this installation.";
    /// No user has this id.
    UnknownUser = "unknown_user", 404, ("ValidationError", -2, 422),
        "There is no such user.", "List the users of the account.";
    /// The domain is not the account's.
    UnknownDomain = "unknown_domain", 404, ("ValidationError", -2, 422),
        "The domain is not the account's.", "Add the domain first.";
    /// The domain has no such DKIM key.
    UnknownSelector = "unknown_selector", 404, ("ValidationError", -2, 422),
        "The domain has no DKIM key with this selector.", "List the domains of the account.";
    /// Nothing answers at this path.
    UnknownRoute = "unknown_route", 404, ("Unknown_Method", -1, 404),
        "There is nothing at this path.", "Check the path against the documentation.";
    /// The path wants another verb.
    MethodNotAllowed = "method_not_allowed", 405, ("ValidationError", -1, 405),
        "The path does not take this HTTP method.", "Mandrill calls are POST; see the documentation of `/v1` for the others.";
    /// The thing exists already.
    AlreadyExists = "already_exists", 409, ("ValidationError", -2, 422),
        "It exists already.", "Use what is there, or choose another name.";
    /// The sign-in address is somebody's.
    LoginTaken = "login_taken", 409, ("ValidationError", -2, 422),
        "The sign-in address is in use.", "Choose another address.";
    /// The command would change nothing.
    NothingChanged = "nothing_changed", 409, ("ValidationError", -2, 422),
        "Nothing would change.", "It is as you want it already.";
    /// The key was ended.
    KeyRevoked = "key_revoked", 409, ("ValidationError", -2, 422),
        "The key is revoked already.", "Issue another key: a revoked one never comes back.";
    /// The key holds its mail already.
    KeyFrozen = "key_frozen", 409, ("ValidationError", -2, 422),
        "The key is frozen already.", "Thaw it to let its mail go.";
    /// The key does not hold its mail.
    KeyNotFrozen = "key_not_frozen", 409, ("ValidationError", -2, 422),
        "The key is not frozen.", "Nothing needs to be thawed.";
    /// The message has its last outcome.
    MessageFinished = "message_finished", 409, ("ValidationError", -2, 422),
        "The message was delivered, bounced, rejected or discarded.", "Nothing can be changed any more.";
    /// The message is held already.
    MessageHeld = "message_held", 409, ("ValidationError", -2, 422),
        "The message is held.", "Release it to let it go.";
    /// The message is not held.
    MessageNotHeld = "message_not_held", 409, ("ValidationError", -2, 422),
        "The message is not held.", "Nothing needs to be released.";
    /// An attempt is open.
    MessageInFlight = "message_in_flight", 409, ("ValidationError", -2, 422),
        "The message is being delivered at the moment.", "Try again when the attempt is over.";
    /// Something happened to it in between.
    MessageChanged = "message_changed", 409, ("ValidationError", -2, 422),
        "Something else changed it at the same time.", "Read its state and try again.";
    /// The address is suppressed already.
    AddressSuppressed = "address_suppressed", 409, ("ValidationError", -2, 422),
        "The address is suppressed already.", "It is as you want it already.";
    /// The address is not suppressed.
    AddressNotSuppressed = "address_not_suppressed", 409, ("Invalid_Reject", 4, 404),
        "The address is not suppressed.", "Nothing needs to be released.";
    /// Too much waits.
    Busy = "busy", 503, ("ServiceUnavailable", -2, 503),
        "Too much waits to be written at the moment. Nothing was stored.", "Send the same request again after the time in `Retry-After`.";
    /// The store does not answer.
    Unavailable = "unavailable", 503, ("ServiceUnavailable", -2, 503),
        "The service cannot do it at the moment. Whether the request is on record is not known.",
        "Send the same request again later, with the same idempotency key; without one its mail may go twice.";
    /// The disk is full.
    DiskFull = "disk_full", 503, ("ServiceUnavailable", -2, 503),
        "The disk of the service is full. Nothing was stored.", "Tell the operator; then send the request again.";
    /// The account's actor failed again and again.
    AccountParked = "account_parked", 503, ("ServiceUnavailable", -2, 503),
        "The account is parked after repeated failures.", "Tell the operator: the log of the program says why, and `sealpost account unpark` lets it go.";
    /// The account is not parked.
    AccountNotParked = "account_not_parked", 409, ("ValidationError", -2, 422),
        "The account is not parked.", "Nothing needs to be done.";
    /// The read model is not ready.
    NotReady = "not_ready", 503, ("ServiceUnavailable", -2, 503),
        "What was asked for is being built at the moment.", "Ask again in a few seconds.";
    /// Metrics from elsewhere than loopback without the token.
    MetricsForbidden = "metrics_forbidden", 403, ("ValidationError", -1, 403),
        "Metrics are given to this machine only, or with their token.", "Send `Authorization: Bearer TOKEN` with the token of the configuration.";
    /// A bug.
    Internal = "internal", 500, ("GeneralError", -1, 500),
        "An unknown error occurred processing your request. Please try again later.", "Tell the operator the request id.";
}

impl ErrorCode {
    /// The HTTP status of `/v1` and the control socket.
    #[must_use]
    pub fn http_status(self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The HTTP status of Mandrill's API.
    #[must_use]
    pub fn mandrill_status(self) -> StatusCode {
        StatusCode::from_u16(self.mandrill().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// After how many seconds the same request may work; `None` when it never will.
    #[must_use]
    pub const fn retry_after_s(self) -> Option<u32> {
        match self {
            Self::Busy => Some(1),
            Self::NotReady => Some(2),
            Self::Unavailable => Some(5),
            Self::DiskFull | Self::AccountParked => Some(60),
            _ => None,
        }
    }

    /// The table of `docs/errors.md`.
    #[must_use]
    pub fn table() -> String {
        let mut table =
            "| code | HTTP | Mandrill: name, code, HTTP | what it says | what to do |\n|---|---|---|---|---|\n"
                .to_owned();
        for code in Self::ALL {
            let MandrillForm {
                name,
                code: number,
                status,
            } = code.mandrill();
            let (word, http, sentence, remedy) = (code.as_str(), code.status(), code.sentence(), code.remedy());
            table.push_str(&format!(
                "| `{word}` | {http} | `{name}`, {number}, {status} | {sentence} | {remedy} |\n"
            ));
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_document_lists_every_code_as_it_is() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/errors.md");
        let document = std::fs::read_to_string(path).unwrap();
        for line in ErrorCode::table().lines() {
            assert!(document.contains(line), "docs/errors.md lacks this line:\n{line}");
        }
        let rows = document.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(
            rows,
            ErrorCode::ALL.len(),
            "docs/errors.md lists codes that there are not"
        );
    }

    #[test]
    fn codes_are_unique_and_statuses_are_errors() {
        let words: BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert!(
                (400..600).contains(&code.status()) && (400..600).contains(&code.mandrill().status),
                "{code:?}"
            );
            assert!(
                code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{code:?}"
            );
            assert!(
                code.sentence().ends_with('.') && code.remedy().ends_with('.'),
                "{code:?}"
            );
            // What may work later says when; what never will does not invite to try.
            assert_eq!(code.retry_after_s().is_some(), code.status() == 503, "{code:?}");
        }
    }
}
