//! One rule: which replies it fits, and what they mean.

use crate::message::event::BounceKind;
use crate::message::outcome::{Answered, EnhancedStatus};

use super::class::OutcomeClass;

/// Which enhanced status a rule asks for. The class digit is not compared: the basic code says later or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Any, or none.
    Any,
    /// None was given.
    Absent,
    /// None was given, or one that says no more than its subject (`x.0.0`, `x.1.0`, `x.2.0`).
    Vague,
    /// One of these subjects and details.
    Is(&'static [(u16, u16)]),
    /// Any detail of this subject.
    Subject(u16),
}

/// A rule. What it does not ask for fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// First and last basic code of each range that it fits.
    pub codes: &'static [(u16, u16)],
    /// The enhanced status.
    pub status: Status,
    /// What was answered; empty fits all, and what is not known fits only that.
    pub answered: &'static [Answered],
    /// Texts in lower case of which one must be there; empty fits all.
    pub texts: &'static [&'static str],
    /// The class.
    pub class: OutcomeClass,
    /// Which kind of never it is, where the basic code says never.
    pub never: BounceKind,
}

/// What a rule looks at.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub code: u16,
    pub enhanced: Option<EnhancedStatus>,
    pub answered: Option<Answered>,
    /// In lower case, without what may be an address.
    pub text: String,
}

impl Rule {
    /// A rule that fits every refusal.
    pub(super) const fn says(class: OutcomeClass, never: BounceKind) -> Self {
        Self {
            codes: &[(400, 599)],
            status: Status::Any,
            answered: &[],
            texts: &[],
            class,
            never,
        }
    }

    pub(super) const fn to_codes(self, codes: &'static [(u16, u16)]) -> Self {
        Self { codes, ..self }
    }

    pub(super) const fn with(self, status: Status) -> Self {
        Self { status, ..self }
    }

    pub(super) const fn to(self, answered: &'static [Answered]) -> Self {
        Self { answered, ..self }
    }

    pub(super) const fn saying(self, texts: &'static [&'static str]) -> Self {
        Self { texts, ..self }
    }

    pub(super) fn fits(&self, said: &Said) -> bool {
        self.codes
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&said.code))
            && self.status.fits(said.enhanced)
            && (self.answered.is_empty() || said.answered.is_some_and(|moment| self.answered.contains(&moment)))
            && (self.texts.is_empty() || self.texts.iter().any(|text| said.text.contains(text)))
    }
}

impl Status {
    fn fits(self, enhanced: Option<EnhancedStatus>) -> bool {
        let stated = enhanced.map(|EnhancedStatus(_, subject, detail)| (subject, detail));
        match self {
            Self::Any => true,
            Self::Absent => stated.is_none(),
            Self::Vague => matches!(stated, None | Some((0..=2, 0))),
            Self::Is(listed) => stated.is_some_and(|stated| listed.contains(&stated)),
            Self::Subject(subject) => stated.is_some_and(|stated| stated.0 == subject),
        }
    }
}
