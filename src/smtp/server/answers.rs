//! Holds the replies of the receiver, each with its enhanced status where the command is not older than those.

use crate::smtp::wire::{CommandRefusal, ContentFault, Reply};

pub(super) fn reply(code: u16, text: &str) -> Reply {
    Reply::new(code, vec![text.to_owned()])
}

pub(super) fn to_refused_command(refusal: CommandRefusal) -> Reply {
    match refusal {
        CommandRefusal::UnknownVerb => reply(500, "5.5.1 Command not known"),
        CommandRefusal::Argument => reply(501, "5.5.4 Argument not understood"),
        CommandRefusal::UnknownParameter => reply(555, "5.5.4 Parameter not supported"),
        CommandRefusal::Path(_) => reply(501, "5.1.3 Address not understood"),
        CommandRefusal::HelloName(_) => reply(501, "5.5.4 Name not understood"),
    }
}

pub(super) fn to_refused_content(fault: ContentFault) -> Reply {
    match fault {
        ContentFault::BareLineEnd => reply(554, "5.6.0 Line ends must be CRLF"),
        ContentFault::NoRoom => reply(451, "4.3.2 Too busy, try again later"),
        ContentFault::TooLarge { .. } => reply(552, "5.3.4 Message too large"),
    }
}

pub(super) fn out_of_order() -> Reply {
    reply(503, "5.5.1 Command out of order")
}

pub(super) fn too_many_faults() -> Reply {
    reply(421, "4.7.0 Too many faulty commands, closing")
}

pub(super) fn too_busy() -> Reply {
    reply(421, "4.3.2 Too many connections, try again later")
}
