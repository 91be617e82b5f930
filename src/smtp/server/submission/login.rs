//! Lets a session in: `AUTH PLAIN` (RFC 4616) and `AUTH LOGIN`, any user name, an API key as password.

use std::io;

use sealpost_domain::ids::RequestId;
use sealpost_domain::metadata::Channel;
use sealpost_domain::rights::{KeyKind, Method};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::reply_code::ReplyCode;
use super::session::{Ground, Session, Step, answer};
use crate::access::{GateRefusal, Visit};
use crate::actors::Admission;
use crate::clock::draw_uuid;
use crate::smtp::server::talk::{Line, Talk};
use crate::smtp::wire::Secret;

/// What submission is called among the methods that a key may be limited to.
pub(super) const METHOD: &str = "smtp";
/// Logins that may fail on one connection.
const FAILED_MAX: u32 = 3;

/// What came after a challenge.
enum Response {
    /// Bytes, decoded.
    Given(Zeroizing<Vec<u8>>),
    /// Something else, and what it leads to.
    Not(Step),
}

impl Session<'_> {
    /// `AUTH`.
    pub(super) async fn log_in<S>(
        &mut self,
        talk: &mut Talk<S>,
        mechanism: &str,
        initial: Option<Secret>,
    ) -> io::Result<Step>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        if self.ground == Ground::Clear {
            return Ok(Step::refuse(ReplyCode::TlsToLogIn));
        }
        // RFC 4954 §4: after EHLO, once, and not within a transaction.
        if self.hello.is_none() || self.caller.is_some() {
            return Ok(Step::refuse(ReplyCode::OutOfOrder));
        }
        if !self.place.may_log_in(Instant::now()) {
            return Ok(Step::end(ReplyCode::TooManyLogins));
        }
        let response = match mechanism {
            "PLAIN" => plain(talk, initial).await?,
            "LOGIN" => login(talk, initial).await?,
            _ => Response::Not(Step::refuse(ReplyCode::UnknownMechanism)),
        };
        match response {
            Response::Given(password) => Ok(self.try_key(&password).await),
            Response::Not(step) => Ok(step),
        }
    }

    async fn try_key(&mut self, password: &[u8]) -> Step {
        let Ok(key) = std::str::from_utf8(password) else {
            return self.login_failed();
        };
        let visit = Visit {
            key,
            method: Method::named(METHOD),
            needs: KeyKind::Sending,
            ip: self.peer,
            user_agent: self.hello.as_ref().map(|name| name.as_str()),
            channel: Channel::Smtp,
            request: RequestId::from_uuid(draw_uuid()),
        };
        match self.house.gate.caller(visit).await {
            Ok(caller) => {
                if !self.place.log_in(caller.key) {
                    return Step::end(ReplyCode::TooManyConnections);
                }
                metrics::counter!("sealpost_submission_logins_total", "result" => "let_in").increment(1);
                self.caller = Some(Box::new(caller));
                Step::Say(answer(235, "2.7.0 Welcome"))
            }
            Err(GateRefusal::NoKey(_) | GateRefusal::UnknownKey) => {
                self.place.login_failed(Instant::now());
                self.login_failed()
            }
            Err(GateRefusal::NotAdmitted(admission)) if is_for_good(&admission) => self.login_failed(),
            Err(GateRefusal::NotAdmitted(_) | GateRefusal::Unreadable) => Step::refuse(ReplyCode::LoginLater),
        }
    }

    fn login_failed(&mut self) -> Step {
        metrics::counter!("sealpost_submission_logins_total", "result" => "refused").increment(1);
        self.failed_logins = self.failed_logins.saturating_add(1);
        if self.failed_logins >= FAILED_MAX {
            Step::end(ReplyCode::TooManyLogins)
        } else {
            Step::refuse(ReplyCode::LoginRefused)
        }
    }
}

/// Whether the same key is refused again if it comes again.
pub(super) const fn is_for_good(admission: &Admission) -> bool {
    match admission {
        Admission::Refused(_) | Admission::UnknownAccount | Admission::Suspended => true,
        Admission::Busy
        | Admission::Unavailable
        | Admission::DiskFull
        | Admission::Parked
        | Admission::NotParked
        | Admission::IdempotencyRepeat(_)
        | Admission::IdempotencyMismatch
        | Admission::MessageChanged
        | Admission::Account(_)
        | Admission::User(_)
        | Admission::Key(_)
        | Admission::Domain(_)
        | Admission::Message(_)
        | Admission::Suppression(_) => false,
    }
}

async fn plain<S>(talk: &mut Talk<S>, initial: Option<Secret>) -> io::Result<Response>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let response = match initial {
        Some(initial) => initial.decode(),
        None => match challenge(talk, "").await? {
            Response::Given(response) => response,
            not => return Ok(not),
        },
    };
    Ok(match password_of(&response) {
        Some(password) => Response::Given(password),
        None => Response::Not(Step::refuse(ReplyCode::BadResponse)),
    })
}

/// The password of `authzid NUL authcid NUL passwd`. Whom it would act for is ignored: a key acts for its account.
fn password_of(response: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut parts = response.split(|byte| *byte == 0);
    let (_, user, password) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = parts.next().is_none() && !user.is_empty() && !password.is_empty();
    whole.then(|| Zeroizing::new(password.to_vec()))
}

async fn login<S>(talk: &mut Talk<S>, initial: Option<Secret>) -> io::Result<Response>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    // The user name may come with the command; whatever it is, it is not looked at.
    if initial.is_none()
        && let not @ Response::Not(_) = challenge(talk, "VXNlcm5hbWU6").await?
    {
        return Ok(not);
    }
    challenge(talk, "UGFzc3dvcmQ6").await
}

async fn challenge<S>(talk: &mut Talk<S>, text: &str) -> io::Result<Response>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    talk.say(&answer(334, text));
    let line = match talk.response().await {
        Ok(Line::Complete(line)) => Zeroizing::new(line),
        Ok(Line::Faulty) => return Ok(Response::Not(Step::end(ReplyCode::FaultyLine))),
        Ok(Line::Closed) => return Err(io::ErrorKind::UnexpectedEof.into()),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            return Ok(Response::Not(Step::end(ReplyCode::TimedOut)));
        }
        Err(error) => return Err(error),
    };
    if *line == b"*" {
        return Ok(Response::Not(Step::refuse(ReplyCode::LoginCancelled)));
    }
    let response = std::str::from_utf8(&line).ok().and_then(Secret::parse);
    Ok(match response {
        Some(response) => Response::Given(response.decode()),
        None => Response::Not(Step::refuse(ReplyCode::BadResponse)),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_password_stands_behind_the_second_nul() {
        let password = |response: &[u8]| password_of(response).map(|password| password.to_vec());
        assert_eq!(password(b"\0any\0key"), Some(b"key".to_vec()));
        assert_eq!(password(b"for\0any\0key"), Some(b"key".to_vec()));
        for wrong in [&b""[..], b"any\0key", b"\0any\0", b"\0\0key", b"\0any\0key\0more"] {
            assert_eq!(password(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn any_three_parts_are_taken_apart(user in "[^\\x00]{1,20}", key in "[^\\x00]{1,20}", by in "[^\\x00]{0,20}") {
            let response = format!("{by}\0{user}\0{key}");
            prop_assert_eq!(password_of(response.as_bytes()).map(|key| key.to_vec()), Some(key.into_bytes()));
        }

        #[test]
        fn no_response_breaks_the_reader(response in prop::collection::vec(any::<u8>(), 0..60)) {
            drop(password_of(&response));
        }
    }
}
