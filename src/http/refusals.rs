//! Maps every "no" of the rooms below to an outward error. One exhaustive match for each: a new variant does not compile
//! before it has its code.

use sealpost_domain::account::AccountRefusal;
use sealpost_domain::api_key::{ApiKeyRefusal, UseRefusal};
use sealpost_domain::message::MessageRefusal;
use sealpost_domain::sending_domain::SendingDomainRefusal;
use sealpost_domain::suppression::SuppressionRefusal;
use sealpost_domain::user::UserRefusal;
use sealpost_projections::ProjectionFailure;

use super::error_code::ErrorCode;
use super::fault::Fault;
use crate::access::{EnrolFailure, GateRefusal, IssueFailure, PasswordFailure};
use crate::actors::Admission;
use crate::compose::{KeepFailure, ReadFailure};
use crate::intake::{NoRoom, NotTaken, WorkLost};

/// The code of each way in which an account says no.
pub(super) fn of_admission(admission: &Admission) -> ErrorCode {
    match admission {
        Admission::Refused(refusal) => of_use(*refusal),
        Admission::Busy => ErrorCode::Busy,
        Admission::Unavailable => ErrorCode::Unavailable,
        Admission::DiskFull => ErrorCode::DiskFull,
        Admission::Parked => ErrorCode::AccountParked,
        Admission::NotParked => ErrorCode::AccountNotParked,
        Admission::UnknownAccount => ErrorCode::UnknownAccount,
        Admission::Suspended => ErrorCode::AccountSuspended,
        // The send path answers a repeat before it comes here.
        Admission::IdempotencyRepeat(_) => ErrorCode::Internal,
        Admission::IdempotencyMismatch => ErrorCode::IdempotencyKeyReused,
        Admission::MessageChanged => ErrorCode::MessageChanged,
        Admission::Account(refusal) => of_account(*refusal),
        Admission::User(refusal) => of_user(*refusal),
        Admission::Key(refusal) => of_key(*refusal),
        Admission::Domain(refusal) => of_domain(*refusal),
        Admission::Message(refusal) => of_message(*refusal),
        Admission::Suppression(refusal) => of_suppression(*refusal),
    }
}

/// Why a key may not. A revoked key is told from none by nobody but its owner, who has it on record.
pub(super) const fn of_use(refusal: UseRefusal) -> ErrorCode {
    match refusal {
        UseRefusal::Revoked => ErrorCode::InvalidKey,
        UseRefusal::AccountSuspended => ErrorCode::AccountSuspended,
        UseRefusal::NotManagement => ErrorCode::ManagementKeyRequired,
        UseRefusal::ManagementFrozen => ErrorCode::ManagementKeyFrozen,
        UseRefusal::Limit(_) => ErrorCode::KeyNotAllowed,
    }
}

pub(super) const fn of_account(refusal: AccountRefusal) -> ErrorCode {
    match refusal {
        AccountRefusal::AlreadyOpen => ErrorCode::AlreadyExists,
        AccountRefusal::Unknown => ErrorCode::UnknownAccount,
        AccountRefusal::AlreadySuspended | AccountRefusal::NotSuspended | AccountRefusal::NothingChanged => {
            ErrorCode::NothingChanged
        }
    }
}

pub(super) const fn of_user(refusal: UserRefusal) -> ErrorCode {
    match refusal {
        UserRefusal::AlreadyRegistered => ErrorCode::AlreadyExists,
        UserRefusal::Unknown => ErrorCode::UnknownUser,
    }
}

pub(super) const fn of_key(refusal: ApiKeyRefusal) -> ErrorCode {
    match refusal {
        ApiKeyRefusal::AlreadyIssued => ErrorCode::AlreadyExists,
        ApiKeyRefusal::Unknown => ErrorCode::UnknownKey,
        ApiKeyRefusal::KeyAlreadyRevoked => ErrorCode::KeyRevoked,
        ApiKeyRefusal::KeyAlreadyFrozen => ErrorCode::KeyFrozen,
        ApiKeyRefusal::KeyNotFrozen => ErrorCode::KeyNotFrozen,
    }
}

pub(super) const fn of_domain(refusal: SendingDomainRefusal) -> ErrorCode {
    match refusal {
        SendingDomainRefusal::AlreadyAdded | SendingDomainRefusal::SelectorTaken => ErrorCode::AlreadyExists,
        SendingDomainRefusal::AlreadyVerified | SendingDomainRefusal::SigningAlreadyChosen => ErrorCode::NothingChanged,
        SendingDomainRefusal::Unknown => ErrorCode::UnknownDomain,
        SendingDomainRefusal::UnknownSelector | SendingDomainRefusal::NoKeyForSigning => ErrorCode::UnknownSelector,
    }
}

pub(super) const fn of_message(refusal: MessageRefusal) -> ErrorCode {
    match refusal {
        MessageRefusal::AlreadyExists => ErrorCode::AlreadyExists,
        MessageRefusal::Unknown => ErrorCode::UnknownMessage,
        MessageRefusal::Finished | MessageRefusal::Expired => ErrorCode::MessageFinished,
        MessageRefusal::Held => ErrorCode::MessageHeld,
        MessageRefusal::NotHeld => ErrorCode::MessageNotHeld,
        MessageRefusal::AttemptOpen => ErrorCode::MessageInFlight,
        MessageRefusal::AttemptNotOpen | MessageRefusal::TlsUnmet | MessageRefusal::ClearTooEarly => {
            ErrorCode::MessageChanged
        }
    }
}

pub(super) const fn of_suppression(refusal: SuppressionRefusal) -> ErrorCode {
    match refusal {
        SuppressionRefusal::AlreadySuppressed => ErrorCode::AddressSuppressed,
        SuppressionRefusal::NotSuppressed => ErrorCode::AddressNotSuppressed,
    }
}

impl From<Admission> for Fault {
    fn from(admission: Admission) -> Self {
        of_admission(&admission).into()
    }
}

impl From<NotTaken> for Fault {
    fn from(refusal: NotTaken) -> Self {
        match refusal {
            NotTaken::TestKey => ErrorCode::TestKeyCannotSend.into(),
            NotTaken::DiskMark => ErrorCode::DiskFull.into(),
            NotTaken::Stopped => ErrorCode::Unavailable.into(),
            NotTaken::Kept(failure) => of_keep(&failure),
            NotTaken::Account(admission) => admission.into(),
            NotTaken::Misplaced { .. } => ErrorCode::Internal.into(),
        }
    }
}

impl From<NoRoom> for Fault {
    fn from(_: NoRoom) -> Self {
        ErrorCode::Busy.into()
    }
}

impl From<WorkLost> for Fault {
    fn from(lost: WorkLost) -> Self {
        match lost {
            WorkLost::Ended => ErrorCode::Unavailable.into(),
            WorkLost::Broke(_) | WorkLost::BrokeHere => {
                Self::of_failure(ErrorCode::Internal, "work for a request", &lost)
            }
        }
    }
}

impl From<GateRefusal> for Fault {
    fn from(refusal: GateRefusal) -> Self {
        match refusal {
            GateRefusal::NoKey(_) | GateRefusal::UnknownKey => ErrorCode::InvalidKey.into(),
            GateRefusal::NotAdmitted(admission) => admission.into(),
            GateRefusal::Unreadable => ErrorCode::Unavailable.into(),
        }
    }
}

impl From<IssueFailure> for Fault {
    fn from(failure: IssueFailure) -> Self {
        match failure {
            IssueFailure::Draw(failed) => Self::of_failure(ErrorCode::Internal, "drawing a key", &failed),
            IssueFailure::NotAdmitted(admission) => admission.into(),
        }
    }
}

impl From<EnrolFailure> for Fault {
    fn from(failure: EnrolFailure) -> Self {
        match failure {
            EnrolFailure::BadContact(refusal) => Self::field("contact", refusal.to_string()),
            EnrolFailure::BadLogin(refusal) => Self::field("login", refusal.to_string()),
            EnrolFailure::Password(PasswordFailure::Refused(refusal)) => Self::field("password", refusal.to_string()),
            EnrolFailure::Password(failed) => Self::of_failure(ErrorCode::Internal, "hashing a password", &failed),
            EnrolFailure::Vault(_) => Self::of_failure(ErrorCode::Unavailable, "drawing keys", &failure),
            // Nothing else of a user's stream can be taken at its registration.
            EnrolFailure::NotAdmitted(Admission::MessageChanged) => ErrorCode::LoginTaken.into(),
            EnrolFailure::NotAdmitted(admission) => admission.into(),
        }
    }
}

impl From<ProjectionFailure> for Fault {
    fn from(failure: ProjectionFailure) -> Self {
        match failure {
            ProjectionFailure::Unbuilt { .. } => ErrorCode::NotReady.into(),
            ProjectionFailure::File { .. }
            | ProjectionFailure::Store { .. }
            | ProjectionFailure::Thread { .. }
            | ProjectionFailure::Source { .. }
            | ProjectionFailure::Gap { .. }
            | ProjectionFailure::Poison { .. } => Self::of_failure(ErrorCode::Unavailable, "a read model", &failure),
        }
    }
}

impl From<ReadFailure> for Fault {
    fn from(failure: ReadFailure) -> Self {
        match failure {
            ReadFailure::Erased => ErrorCode::ContentErased.into(),
            ReadFailure::Unreadable(_) => Self::of_failure(ErrorCode::Unavailable, "reading content", &failure),
        }
    }
}

/// Why the vault did not keep a call's content; what is wrong with the draft itself is said field by field elsewhere.
pub(super) fn of_keep(failure: &KeepFailure) -> Fault {
    match failure {
        KeepFailure::Refused(_) => ErrorCode::ValidationFailed.into(),
        KeepFailure::DiskFull(_) => Fault::of_failure(ErrorCode::DiskFull, "keeping content", failure),
        KeepFailure::Unavailable(_) => Fault::of_failure(ErrorCode::Unavailable, "keeping content", failure),
    }
}

#[cfg(test)]
mod tests {
    use sealpost_domain::rights::KeyLimit;

    use super::*;

    #[test]
    fn who_is_turned_away_learns_no_more_than_that() {
        assert_eq!(of_use(UseRefusal::Revoked), ErrorCode::InvalidKey);
        assert_eq!(Fault::from(GateRefusal::UnknownKey), Fault::from(ErrorCode::InvalidKey));
        assert_eq!(of_use(UseRefusal::NotManagement), ErrorCode::ManagementKeyRequired);
        assert_eq!(of_use(UseRefusal::AccountSuspended), ErrorCode::AccountSuspended);
        for limit in [
            KeyLimit::Method,
            KeyLimit::From,
            KeyLimit::RecipientDomain,
            KeyLimit::Lifetime,
            KeyLimit::World,
        ] {
            assert_eq!(of_use(UseRefusal::Limit(limit)), ErrorCode::KeyNotAllowed, "{limit:?}");
        }
    }

    #[test]
    fn what_may_work_later_is_told_from_what_never_will() {
        let later = [
            Admission::Busy,
            Admission::Unavailable,
            Admission::DiskFull,
            Admission::Parked,
        ];
        for admission in later {
            assert!(of_admission(&admission).retry_after_s().is_some(), "{admission:?}");
        }
        let never = [
            Admission::Refused(UseRefusal::Revoked),
            Admission::NotParked,
            Admission::UnknownAccount,
            Admission::Suspended,
            Admission::IdempotencyMismatch,
            Admission::MessageChanged,
            Admission::Account(AccountRefusal::AlreadyOpen),
            Admission::User(UserRefusal::Unknown),
            Admission::Key(ApiKeyRefusal::KeyAlreadyRevoked),
            Admission::Domain(SendingDomainRefusal::AlreadyAdded),
            Admission::Message(MessageRefusal::Finished),
            Admission::Suppression(SuppressionRefusal::NotSuppressed),
        ];
        for admission in never {
            let code = of_admission(&admission);
            assert!(
                code.retry_after_s().is_none() && code != ErrorCode::Internal,
                "{admission:?}"
            );
        }
    }
}
