//! Opens a transaction and takes its recipients: `MAIL` and `RCPT`.

use sealpost_domain::address::AddressRefusal;
use sealpost_domain::ids::RequestId;
use sealpost_domain::limits;

use super::login::is_for_good;
use super::reply_code::ReplyCode;
use super::session::{Ground, Session, Step, answer};
use crate::access::{Caller, GateRefusal};
use crate::actors::Admission;
use crate::clock::draw_uuid;
use crate::intake::{NotTaken, parse_mailbox};
use crate::smtp::wire::{AddressForm, ForwardPath, MailParameters, ReversePath, TlsRequirement};

/// Recipients of one transaction.
const RECIPIENTS_MAX: usize = limits::RECIPIENTS_PER_CALL_MAX as usize;

/// An open transaction. The client's reverse-path is not kept: reports go where the account wants them, as for every
/// other door.
pub(super) struct Envelope {
    /// Who sends: admitted at this transaction's `MAIL`.
    pub(super) caller: Caller,
    /// The recipients' addresses in ASCII, none of them twice.
    pub(super) recipients: Vec<String>,
    address_form: AddressForm,
}

impl Session<'_> {
    /// `MAIL`: the account says whether the key may still send.
    pub(super) async fn mail(&mut self, reverse_path: &ReversePath, parameters: MailParameters) -> Step {
        let Some(caller) = &self.caller else {
            return Step::refuse(match self.ground {
                Ground::Clear => ReplyCode::StartTlsFirst,
                Ground::Loopback | Ground::Tls => ReplyCode::LoginFirst,
            });
        };
        if self.hello.is_none() || self.envelope.is_some() {
            return Step::refuse(ReplyCode::OutOfOrder);
        }
        if let Some(code) = refusal_of(reverse_path, parameters) {
            return Step::refuse(code);
        }
        let request = RequestId::from_uuid(draw_uuid());
        let caller = match self.house.gate.again(caller, request).await {
            Ok(caller) => caller,
            Err(GateRefusal::NotAdmitted(admission)) => return of_admission(&admission),
            Err(GateRefusal::NoKey(_) | GateRefusal::UnknownKey) => return Step::end(ReplyCode::KeyEnded),
            Err(GateRefusal::Unreadable) => return Step::refuse(ReplyCode::Unavailable),
        };
        let desk = &self.house.desk;
        if let Err(not_taken) = desk.must_send(&caller).and_then(|()| desk.must_take_mail()) {
            return of_not_taken(&not_taken);
        }
        self.envelope = Some(Box::new(Envelope {
            caller,
            recipients: Vec::new(),
            address_form: parameters.address_form,
        }));
        Step::Say(answer(250, "2.1.0 Sender noted"))
    }

    /// `RCPT`.
    pub(super) fn rcpt(&mut self, forward_path: &ForwardPath) -> Step {
        let Some(envelope) = &mut self.envelope else {
            return Step::refuse(self.why_not_yet());
        };
        let given = forward_path.as_str();
        if envelope.address_form == AddressForm::Ascii && !given.is_ascii() {
            return Step::refuse(ReplyCode::AddressNotAscii);
        }
        let mailbox = match parse_mailbox(given) {
            Ok(mailbox) => mailbox.as_str().to_owned(),
            Err(AddressRefusal::NotAscii) => return Step::refuse(ReplyCode::AddressNotAscii),
            Err(_) => return Step::refuse(ReplyCode::BadAddress),
        };
        if !envelope.recipients.contains(&mailbox) {
            if envelope.recipients.len() >= RECIPIENTS_MAX {
                return Step::refuse(ReplyCode::TooManyRecipients);
            }
            envelope.recipients.push(mailbox);
        }
        Step::Say(answer(250, "2.1.5 Recipient noted"))
    }

    /// What is missing before a recipient or a content.
    pub(super) const fn why_not_yet(&self) -> ReplyCode {
        match (&self.caller, self.ground) {
            (None, Ground::Clear) => ReplyCode::StartTlsFirst,
            (None, Ground::Loopback | Ground::Tls) => ReplyCode::LoginFirst,
            (Some(_), _) => ReplyCode::OutOfOrder,
        }
    }
}

fn refusal_of(reverse_path: &ReversePath, parameters: MailParameters) -> Option<ReplyCode> {
    if parameters.tls == TlsRequirement::EveryHop {
        return Some(ReplyCode::UnknownParameter);
    }
    if parameters
        .size_bytes
        .is_some_and(|size_bytes| size_bytes > limits::MESSAGE_BYTES_MAX)
    {
        return Some(ReplyCode::TooLarge);
    }
    let in_ascii = parameters.address_form == AddressForm::Utf8 || reverse_path.as_str().is_ascii();
    (!in_ascii).then_some(ReplyCode::AddressNotAscii)
}

/// Why an account does not let a transaction begin, or does not take its message.
pub(super) fn of_admission(admission: &Admission) -> Step {
    match admission {
        Admission::Busy => Step::refuse(ReplyCode::Busy),
        Admission::DiskFull => Step::refuse(ReplyCode::DiskFull),
        refused if is_for_good(refused) => Step::end(ReplyCode::KeyEnded),
        _ => Step::refuse(ReplyCode::Unavailable),
    }
}

/// Why a message is not taken.
pub(super) fn of_not_taken(not_taken: &NotTaken) -> Step {
    use crate::compose::KeepFailure;
    match not_taken {
        NotTaken::TestKey => Step::refuse(ReplyCode::TestKey),
        NotTaken::DiskMark | NotTaken::Kept(KeepFailure::DiskFull(_)) => Step::refuse(ReplyCode::DiskFull),
        NotTaken::Kept(KeepFailure::Refused(refusal)) => Step::Say(ReplyCode::NotAMessage.about(&refusal.to_string())),
        NotTaken::Account(admission) => of_admission(admission),
        NotTaken::Stopped | NotTaken::Kept(KeepFailure::Unavailable(_)) | NotTaken::Misplaced { .. } => {
            Step::refuse(ReplyCode::Unavailable)
        }
    }
}
