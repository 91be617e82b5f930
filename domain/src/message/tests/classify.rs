//! The table of replies: what each code means for the message.

use super::*;

/// `now`, `later` or the kind of never.
fn meaning(code: u16, enhanced: Option<EnhancedStatus>) -> &'static str {
    let said = Reply {
        enhanced,
        ..reply(code)
    };
    match classify_reply(said.clone(), Answered::Recipient) {
        AttemptOutcome::Delivered(reply) if reply == said => "now",
        AttemptOutcome::Deferred {
            reason: DeferralReason::Reply,
            reply: Some(reply),
        } if reply == said => "later",
        AttemptOutcome::Bounced { kind, reply, .. } if reply == said => match kind {
            BounceKind::Hard => "hard",
            BounceKind::Soft => "soft",
            BounceKind::Blocked => "blocked",
            BounceKind::Policy => "policy",
            BounceKind::Expired => "expired",
        },
        outcome => panic!("{code} lost its reply: {outcome:?}"),
    }
}

#[test]
fn the_basic_code_alone() {
    for (code, means) in [
        (200, "now"),
        (250, "now"),
        (299, "now"),
        (0, "later"),
        (199, "later"),
        (300, "later"),
        (354, "later"),
        (421, "later"),
        (450, "later"),
        (499, "later"),
        (500, "soft"),
        (550, "hard"),
        (551, "hard"),
        (552, "soft"),
        (553, "hard"),
        (554, "blocked"),
        (555, "soft"),
        (599, "soft"),
        (600, "later"),
    ] {
        assert_eq!(meaning(code, None), means, "{code}");
    }
}

#[test]
fn the_enhanced_status_says_which_kind_of_never() {
    for (subject, detail, means) in [
        // X.1: addresses. Only those that say "no such mailbox" are hard.
        (1, 0, "soft"),
        (1, 1, "hard"),
        (1, 2, "hard"),
        (1, 3, "hard"),
        (1, 4, "soft"),
        (1, 6, "hard"),
        (1, 7, "soft"),
        (1, 8, "soft"),
        (1, 10, "hard"),
        // X.2: the mailbox.
        (2, 0, "soft"),
        (2, 1, "hard"),
        (2, 2, "soft"),
        (2, 3, "soft"),
        // X.3 to X.6: the mail system, the network, the protocol, the content.
        (3, 4, "soft"),
        (4, 4, "soft"),
        (5, 0, "soft"),
        (5, 3, "later"),
        (6, 0, "soft"),
        // X.7: security and policy.
        (7, 0, "policy"),
        (7, 1, "policy"),
        (7, 13, "hard"),
        (7, 26, "policy"),
    ] {
        for code in [550, 554] {
            let enhanced = EnhancedStatus(5, subject, detail);
            assert_eq!(meaning(code, Some(enhanced)), means, "{code} {enhanced}");
        }
    }
}

#[test]
fn the_basic_code_decides_between_now_later_and_never() {
    // A server that says 250 with 5.1.1, or 450 with 5.1.1, has said 250 or 450.
    let gone = EnhancedStatus(5, 1, 1);
    assert_eq!(meaning(250, Some(gone)), "now");
    assert_eq!(meaning(450, Some(gone)), "later");
    assert_eq!(meaning(450, Some(EnhancedStatus(4, 2, 2))), "later");
}

#[test]
fn a_never_that_is_not_about_the_mailbox_is_not_hard() {
    let kind = |code, enhanced, answered| match classify_reply(
        Reply {
            enhanced,
            ..reply(code)
        },
        answered,
    ) {
        AttemptOutcome::Bounced { kind, .. } => kind,
        outcome => panic!("{outcome:?}"),
    };
    let mailbox = Some(EnhancedStatus(5, 1, 1));
    assert_eq!(
        kind(550, None, Answered::Sender),
        BounceKind::Blocked,
        "550 your address is listed"
    );
    assert_eq!(kind(550, mailbox, Answered::Sender), BounceKind::Blocked);
    assert_eq!(
        kind(550, None, Answered::Content),
        BounceKind::Policy,
        "550 this is spam"
    );
    assert_eq!(
        kind(550, mailbox, Answered::Content),
        BounceKind::Hard,
        "said in so many words"
    );
    assert_eq!(kind(550, None, Answered::Recipient), BounceKind::Hard);
}
