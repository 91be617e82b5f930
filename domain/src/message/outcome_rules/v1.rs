//! The first table of rules. Mail was judged by it, so that it is never changed.
//!
//! Its order: what is said of us (block lists, pace, protection, identity) comes before what is said of the mailbox,
//! so that no address is suppressed for our own reputation. Texts are those of large receivers and of the common servers.

use super::class::OutcomeClass::{
    BadDomain, Blocked, Content, Expired, Greylisted, InactiveMailbox, Other, PolicyAuth, Protocol, Quota,
    RecipientUnknown, Routing, Throttled, Tls,
};
use super::rule::{Rule, Status};
use crate::message::event::BounceKind::{self, Hard, Policy, Soft};
use crate::message::outcome::Answered::{Content as ToContent, Recipient as ToRecipient, Sender as ToSender};

const LATER: &[(u16, u16)] = &[(400, 499)];
const NEVER: &[(u16, u16)] = &[(500, 599)];

pub(super) const RULES: &[Rule] = &[
    // Ourselves: reputation.
    Rule::says(Blocked, BounceKind::Blocked).saying(&[
        "spamhaus",
        "spamcop",
        "barracudacentral",
        "sorbs.net",
        "uceprotect",
        "senderscore",
        "abusix",
        "invaluement",
        "mailspike",
        "blacklist",
        "black list",
        "blocklist",
        "block list",
        "blocked using",
        "dnsbl",
        "rbl:",
        "(rbl)",
        "listed at",
        "listed by",
        "poor reputation",
        "bad reputation",
        "low reputation",
        "reputation of",
        "client host blocked",
        "ip blocked",
        "ip address blocked",
        "ip address has been blocked",
        "banned sending ip",
    ]),
    // Ourselves: pace. RFC 5321 §4.5.3.1.10: too many recipients (x.5.3) is one of them.
    Rule::says(Throttled, Soft).with(Status::Is(&[(5, 3), (7, 28)])),
    Rule::says(Throttled, Soft).saying(&[
        "rate limit",
        "rate-limit",
        "ratelimit",
        "too many messages",
        "too many connections",
        "too many concurrent",
        "too many sessions",
        "too many recipients",
        "too much mail",
        "too fast",
        "too frequently",
        "throttl",
        "connection limit",
        "message limit",
        "sending limit",
        "exceeded the limit",
        "unexpected volume",
        "unusual rate",
        "receiving mail at a rate",
    ]),
    // Both sides: protection. RFC 8689 §5 (x.7.30), RFC 7372 and RFC 3207 §4 (x.7.10, x.7.4).
    Rule::says(Tls, Policy).with(Status::Is(&[(7, 10), (7, 30)])),
    Rule::says(Tls, Policy).saying(&[
        "starttls",
        "tls required",
        "tls is required",
        "requires tls",
        "requires encryption",
        "encryption required",
        "encryption needed",
    ]),
    // Newcomers, everywhere: texts first, then the status that all of them use.
    Rule::says(Greylisted, Soft).to_codes(LATER).saying(&[
        "greylist",
        "grey-list",
        "grey list",
        "graylist",
        "gray-list",
        "gray list",
        "postgrey",
        "milter-greylist",
    ]),
    // Ourselves: identity. RFC 7372 and RFC 7489: SPF, DKIM, DMARC, reverse DNS.
    Rule::says(PolicyAuth, Policy).with(Status::Is(&[
        (7, 8),
        (7, 9),
        (7, 11),
        (7, 12),
        (7, 20),
        (7, 21),
        (7, 22),
        (7, 23),
        (7, 24),
        (7, 25),
        (7, 26),
        (7, 27),
        (7, 29),
    ])),
    Rule::says(PolicyAuth, Policy).saying(&[
        "dmarc",
        "dkim",
        "spf ",
        "spf:",
        "spf)",
        "sender policy framework",
        "unauthenticated",
        "not authenticated",
        "authentication required",
        "reverse dns",
        "ptr record",
        "no ptr",
        "helo",
        "ehlo name",
    ]),
    Rule::says(PolicyAuth, Soft).with(Status::Is(&[(1, 7), (1, 8)])),
    Rule::says(PolicyAuth, Policy).saying(&[
        "sender verify failed",
        "sender verification",
        "sender address",
        "sender domain",
        "sender rejected",
        "sender denied",
        "bad sender",
        "invalid sender",
    ]),
    Rule::says(Routing, Soft).saying(&[
        "relay access denied",
        "relaying denied",
        "relay not permitted",
        "not permitted to relay",
        "unable to relay",
        "relaying not allowed",
        "no relaying",
    ]),
    // The mailbox, in the words of RFC 3463 and RFC 7505: the only rules, with their texts below, that suppress.
    Rule::says(RecipientUnknown, Hard).with(Status::Is(&[(1, 1), (1, 3)])),
    Rule::says(BadDomain, Hard).with(Status::Is(&[(1, 2), (1, 10)])),
    Rule::says(InactiveMailbox, Hard).with(Status::Is(&[(1, 6), (2, 1), (7, 13)])),
    Rule::says(RecipientUnknown, Soft).with(Status::Is(&[(1, 4)])),
    Rule::says(InactiveMailbox, Soft).with(Status::Is(&[(7, 17)])),
    Rule::says(Quota, Soft).with(Status::Is(&[(2, 2), (2, 3), (3, 1)])),
    // The message.
    Rule::says(Content, Soft).with(Status::Is(&[(3, 4)])),
    Rule::says(Content, Policy).saying(&[
        "spam",
        "virus",
        "malware",
        "phish",
        "unsolicited",
        "bulk mail",
        "message content",
        "content reject",
        "content policy",
        "message rejected due to content",
        "suspicious",
        "junk mail",
        "objectionable",
    ]),
    // Greylisting without a word for it.
    Rule::says(Greylisted, Soft)
        .to_codes(&[(450, 451)])
        .with(Status::Is(&[(7, 1)])),
    // What the other statuses say.
    Rule::says(Expired, Soft).with(Status::Is(&[(4, 7)])),
    Rule::says(Throttled, Soft)
        .to_codes(LATER)
        .with(Status::Is(&[(4, 5), (3, 2)])),
    Rule::says(Throttled, Soft).to_codes(&[(421, 421)]),
    // A directory's way of not saying who exists: no proof that the mailbox is gone.
    Rule::says(RecipientUnknown, Soft)
        .with(Status::Is(&[(4, 1)]))
        .saying(&["recipient address rejected"]),
    Rule::says(Routing, Soft).with(Status::Subject(4)),
    Rule::says(Protocol, Soft).with(Status::Subject(5)),
    Rule::says(Protocol, Soft).with(Status::Subject(6)),
    // A policy that names an unknown mailbox is no proof that it is gone: nothing is suppressed for it.
    Rule::says(RecipientUnknown, Soft).with(Status::Subject(7)).saying(&[
        "user unknown",
        "unknown user",
        "no such user",
    ]),
    Rule::says(PolicyAuth, Policy).with(Status::Subject(7)),
    // The mailbox, by text alone.
    Rule::says(Quota, Soft).saying(&[
        "mailbox full",
        "mailbox is full",
        "inbox full",
        "over quota",
        "overquota",
        "quota exceeded",
        "exceeded quota",
        "out of storage",
        "exceeded storage",
        "insufficient storage",
        "not enough space",
        "storage space",
    ]),
    Rule::says(InactiveMailbox, Hard)
        .to_codes(NEVER)
        .with(Status::Vague)
        .to(&[ToRecipient])
        .saying(&[
            "account disabled",
            "account is disabled",
            "mailbox disabled",
            "mailbox is disabled",
            "user disabled",
            "account has been disabled",
            "account inactive",
            "account is inactive",
            "mailbox is inactive",
            "inactive mailbox",
            "account suspended",
            "account closed",
            "no longer active",
            "no longer available",
        ]),
    Rule::says(RecipientUnknown, Hard)
        .to_codes(NEVER)
        .with(Status::Vague)
        .to(&[ToRecipient])
        .saying(&[
            "user unknown",
            "unknown user",
            "no such user",
            "no such recipient",
            "no such mailbox",
            "no such address",
            "no such person",
            "no mailbox",
            "mailbox not found",
            "mailbox unavailable",
            "mailbox does not exist",
            "user not found",
            "user does not exist",
            "does not exist",
            "doesn't exist",
            "unknown recipient",
            "recipient unknown",
            "recipient not found",
            "invalid recipient",
            "invalid mailbox",
            "invalid address",
            "unknown address",
            "unrouteable address",
            "unroutable address",
            "not a valid mailbox",
            "not a known user",
            "no account",
            "not our customer",
            "is not a valid user",
        ]),
    Rule::says(PolicyAuth, Policy).with(Status::Absent).saying(&[
        "policy",
        "administrative prohibition",
        "administratively",
        "access denied",
        "not authorized",
        "not authorised",
        "not accepted",
        "prohibited",
        "denied",
        "forbidden",
    ]),
    // The basic code alone.
    Rule::says(Quota, Soft).to_codes(&[(452, 452)]).with(Status::Absent),
    Rule::says(BadDomain, Soft)
        .to_codes(&[(521, 521), (556, 556)])
        .with(Status::Absent)
        .to(&[ToRecipient]),
    Rule::says(PolicyAuth, Policy)
        .to_codes(&[(454, 454), (530, 538)])
        .with(Status::Absent),
    Rule::says(Protocol, Soft)
        .to_codes(&[(500, 504), (555, 555)])
        .with(Status::Absent),
    // RFC 5321 §4.2.2, said to RCPT: 550 mailbox unavailable, 551 not local, 553 name not allowed.
    Rule::says(RecipientUnknown, Hard)
        .to_codes(&[(550, 551), (553, 553)])
        .with(Status::Absent)
        .to(&[ToRecipient]),
    Rule::says(Quota, Soft)
        .to_codes(&[(552, 552)])
        .with(Status::Absent)
        .to(&[ToRecipient]),
    Rule::says(Blocked, BounceKind::Blocked)
        .to_codes(&[(554, 554)])
        .with(Status::Absent)
        .to(&[ToRecipient]),
    // Said to the content, the same codes refuse the message: many servers call spam so.
    Rule::says(Content, Policy)
        .to_codes(NEVER)
        .with(Status::Absent)
        .to(&[ToContent]),
    Rule::says(Blocked, BounceKind::Blocked).to_codes(NEVER).to(&[ToSender]),
    Rule::says(RecipientUnknown, Soft).with(Status::Subject(1)),
    Rule::says(Other, Soft),
];
