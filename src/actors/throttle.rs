//! How many connections a site may have: more while it takes mail, fewer when it pushes back, one to ask whether it is
//! back when it cannot be reached.

use std::time::Duration;

use sealpost_domain::Instant;
use sealpost_domain::message::{AttemptOutcome, EnhancedStatus};

/// Failed sessions in a row after which a site counts as dead.
const FAILURES_UNTIL_DEAD: u32 = 3;
/// Wait before the first probe of a dead site; it doubles from probe to probe.
const PROBE_FIRST: Duration = Duration::from_secs(5);
/// Longest wait between two probes.
const PROBE_MAX: Duration = Duration::from_secs(60);
/// Within this time a site is cut once, however many of its connections say the same.
const CUT_EVERY: Duration = Duration::from_secs(1);

/// What one message's end says of its site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// It took a message.
    Taken,
    /// It asks for fewer or slower ones: 421, or a 4.7.z other than greylisting.
    PushedBack,
    /// Nothing.
    None,
}

impl Sign {
    /// Reads the sign off an outcome. Greylisting (4.7.1) is about a pair of addresses: nothing is gained by going slower.
    pub(super) const fn of(outcome: &AttemptOutcome) -> Self {
        match outcome {
            AttemptOutcome::Delivered(_) => Self::Taken,
            AttemptOutcome::Deferred { reply: Some(reply), .. } => match (reply.code, reply.enhanced) {
                (421, _) => Self::PushedBack,
                (_, Some(EnhancedStatus(4, 7, detail))) if detail != 1 => Self::PushedBack,
                _ => Self::None,
            },
            _ => Self::None,
        }
    }
}

/// What may go to a site now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// So many connections.
    Connections(u64),
    /// One, to see whether it is back; the rest waits for what comes of it.
    Probe,
    /// None: it did not answer just now.
    Nothing,
}

/// The state of one site.
#[derive(Debug)]
pub(super) struct Throttle {
    ceiling: u64,
    limit: u64,
    /// Messages taken since the limit last moved.
    taken: u64,
    failures: u32,
    cut_at: Option<Instant>,
    /// When the next probe of a dead site is due, and the wait that follows it.
    dead: Option<(Instant, Duration)>,
}

impl Throttle {
    pub(super) fn new(ceiling: u64) -> Self {
        let ceiling = ceiling.max(1);
        Self {
            ceiling,
            limit: ceiling,
            taken: 0,
            failures: 0,
            cut_at: None,
            dead: None,
        }
    }

    pub(super) fn allowed(&self, now: Instant) -> Allowed {
        match self.dead {
            None => Allowed::Connections(self.limit),
            Some((at, _)) if now >= at => Allowed::Probe,
            Some(_) => Allowed::Nothing,
        }
    }

    pub(super) const fn is_dead(&self) -> bool {
        self.dead.is_some()
    }

    /// A session is open: the site is there.
    pub(super) fn opened(&mut self) {
        self.failures = 0;
        if self.dead.take().is_some() {
            metrics::gauge!("sealpost_sites_dead").decrement(1);
            // It has just come back: the first message of each round opens the next connection.
            self.limit = 1;
            self.taken = 0;
        }
    }

    /// No session could be opened, while so many others were open: a site with open sessions is full and not dead.
    pub(super) fn not_opened(&mut self, now: Instant, open_sessions: u64) {
        self.failures = self.failures.saturating_add(1);
        self.cut(now);
        let wait = match self.dead {
            // Begun before it counted as dead.
            Some((at, _)) if now < at => return,
            Some((_, wait)) => wait,
            None if self.failures >= FAILURES_UNTIL_DEAD && open_sessions == 0 => {
                metrics::gauge!("sealpost_sites_dead").increment(1);
                PROBE_FIRST
            }
            None => return,
        };
        self.dead = Some((now.plus(wait), wait.saturating_mul(2).min(PROBE_MAX)));
    }

    /// A message has come to its end there.
    pub(super) fn ended(&mut self, sign: Sign, now: Instant) {
        match sign {
            Sign::Taken => {
                self.taken = self.taken.saturating_add(1);
                // A whole round went well: one more, as congestion control does.
                if self.taken >= self.limit && self.limit < self.ceiling {
                    self.limit = self.limit.saturating_add(1);
                    self.taken = 0;
                }
            }
            Sign::PushedBack => self.cut(now),
            Sign::None => {}
        }
    }

    fn cut(&mut self, now: Instant) {
        if self.cut_at.is_some_and(|at| now.since(at) < CUT_EVERY) {
            return;
        }
        self.cut_at = Some(now);
        self.taken = 0;
        let half = self.limit.div_ceil(2);
        if half < self.limit {
            metrics::counter!("sealpost_sites_throttled_total").increment(1);
        }
        self.limit = half.max(1);
    }
}

impl Drop for Throttle {
    fn drop(&mut self) {
        if self.is_dead() {
            metrics::gauge!("sealpost_sites_dead").decrement(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use sealpost_domain::Personal;
    use sealpost_domain::message::{DeferralReason, Reply};

    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_millis(seconds * 1_000)
    }

    fn deferred(code: u16, enhanced: Option<EnhancedStatus>) -> AttemptOutcome {
        AttemptOutcome::Deferred {
            reason: DeferralReason::Reply,
            reply: Some(Reply {
                code,
                enhanced,
                text: Personal::Erased,
            }),
        }
    }

    #[test]
    fn what_asks_for_less_is_told_from_greylisting() {
        let signs = [
            (421, None, Sign::PushedBack),
            (421, Some(EnhancedStatus(4, 7, 1)), Sign::PushedBack),
            (451, Some(EnhancedStatus(4, 7, 500)), Sign::PushedBack),
            (450, Some(EnhancedStatus(4, 7, 1)), Sign::None),
            (452, Some(EnhancedStatus(4, 2, 2)), Sign::None),
        ];
        for (code, enhanced, expected) in signs {
            assert_eq!(Sign::of(&deferred(code, enhanced)), expected, "{code} {enhanced:?}");
        }
    }

    #[test]
    fn a_site_that_pushes_back_gets_half_and_grows_again_by_what_it_takes() {
        let mut throttle = Throttle::new(10);
        assert_eq!(throttle.allowed(at(0)), Allowed::Connections(10));
        for _ in 0..5 {
            throttle.ended(Sign::PushedBack, at(0));
        }
        assert_eq!(
            throttle.allowed(at(0)),
            Allowed::Connections(5),
            "one cut for what is said at once"
        );
        for second in 1..10 {
            throttle.ended(Sign::PushedBack, at(second));
        }
        assert_eq!(throttle.allowed(at(10)), Allowed::Connections(1), "never none");
        let mut messages = 0;
        while throttle.allowed(at(10)) != Allowed::Connections(10) {
            throttle.ended(Sign::Taken, at(10));
            messages += 1;
        }
        assert_eq!(messages, (1..10).sum::<i32>(), "one more after each round");
        throttle.ended(Sign::Taken, at(10));
        assert_eq!(
            throttle.allowed(at(10)),
            Allowed::Connections(10),
            "never above the ceiling"
        );
    }

    #[test]
    fn a_dead_site_is_asked_by_one_connection_at_a_time_and_ever_more_seldom() {
        let mut throttle = Throttle::new(10);
        throttle.not_opened(at(0), 0);
        throttle.not_opened(at(0), 0);
        assert_eq!(throttle.allowed(at(0)), Allowed::Connections(5));
        throttle.not_opened(at(0), 0);
        let mut now = 0;
        for wait in [5, 10, 20, 40, 60, 60] {
            throttle.not_opened(at(now), 0);
            assert_eq!(throttle.allowed(at(now + wait - 1)), Allowed::Nothing);
            now += wait;
            assert_eq!(throttle.allowed(at(now)), Allowed::Probe);
            throttle.not_opened(at(now), 0);
        }
        throttle.opened();
        assert_eq!(
            throttle.allowed(at(now)),
            Allowed::Connections(1),
            "it begins again with one"
        );
    }

    #[test]
    fn failures_count_in_a_row_only() {
        let mut throttle = Throttle::new(10);
        for second in 0..20 {
            throttle.not_opened(at(second * 2), 0);
            throttle.not_opened(at(second * 2), 0);
            throttle.opened();
        }
        assert!(!throttle.is_dead());
    }

    #[test]
    fn a_site_with_open_sessions_is_full_and_not_dead() {
        let mut throttle = Throttle::new(10);
        for second in 0..10 {
            throttle.not_opened(at(second * 2), 1);
        }
        assert_eq!(throttle.allowed(at(20)), Allowed::Connections(1));
        throttle.not_opened(at(20), 0);
        assert_eq!(throttle.allowed(at(20)), Allowed::Nothing);
    }
}
