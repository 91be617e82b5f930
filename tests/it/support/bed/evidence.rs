//! What the bed's servers wrote in their own logs of the mail that they took, each in its own words.

use std::collections::BTreeMap;

use super::Bed;

/// How a message came to its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cover {
    /// In clear text.
    Clear,
    /// Inside TLS.
    Tls,
}

/// A message as its server logged it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taken {
    /// The recipient.
    pub recipient: String,
    /// How it came.
    pub cover: Cover,
}

impl Bed {
    /// Everything that any server of the bed has taken so far, in no order; a message that came twice is there twice.
    pub fn taken(&self) -> Vec<Taken> {
        let mut taken = by_postfix(&self.log("mail.log"));
        taken.extend(by_exim(&self.log("exim-mainlog")));
        taken.extend(by_opensmtpd(&self.log("opensmtpd")));
        taken.extend(by_misbehaving(&self.log("misbehaving")));
        taken
    }

    /// The commands that a misbehaving server has heard.
    pub fn heard(&self, name: &str) -> Vec<String> {
        let log = self.log("misbehaving");
        let lines = log.lines().filter_map(|line| line.split_once(' '));
        let own = lines.filter(|(who, _)| *who == name);
        own.map(|(_, command)| command.to_owned()).collect()
    }
}

/// The text between two others.
fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(before)?;
    rest.split_once(after).map(|(text, _)| text)
}

/// A process of Postfix says of its connection `TLS connection established`, then of each message there `QUEUEID: client=`;
/// another says `QUEUEID: to=<…>` once it is stored.
fn by_postfix(log: &str) -> Vec<Taken> {
    let (mut covers, mut queued, mut taken) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for line in log.lines() {
        let words: Vec<&str> = line.split_whitespace().skip(4).collect();
        let (Some(process), Some(first)) = (words.first(), words.get(1)) else {
            continue;
        };
        let id = first.trim_end_matches(':');
        if *first == "connect" {
            covers.insert(process.to_owned(), Cover::Clear);
        } else if line.contains(": Anonymous TLS connection established from") {
            covers.insert(process.to_owned(), Cover::Tls);
        } else if words.get(2).is_some_and(|word| word.starts_with("client=")) {
            queued.insert(id.to_owned(), covers[process]);
        } else if let Some(recipient) = between(line, ": to=<", ">").filter(|_| line.contains("status=sent")) {
            taken.push(Taken {
                recipient: recipient.to_owned(),
                cover: queued[id],
            });
        }
    }
    taken
}

/// Exim says `ID <= … P=esmtps …` when it has taken a message, and `ID => … <RECIPIENT> …` when it has stored it.
fn by_exim(log: &str) -> Vec<Taken> {
    let (mut covers, mut taken) = (BTreeMap::new(), Vec::new());
    for line in log.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.get(2..4) {
            Some([id, "<="]) => {
                let cover = if words.contains(&"P=esmtps") {
                    Cover::Tls
                } else {
                    Cover::Clear
                };
                covers.insert((*id).to_owned(), cover);
            }
            Some([id, "=>"]) => taken.push(Taken {
                recipient: between(line, " <", ">").unwrap().to_owned(),
                cover: covers[*id],
            }),
            _ => {}
        }
    }
    taken
}

/// OpenSMTPD says `SESSION smtp tls …` of a session, and `SESSION smtp envelope … to=<…>` of what came there.
fn by_opensmtpd(log: &str) -> Vec<Taken> {
    let (mut in_tls, mut taken) = (Vec::new(), Vec::new());
    for line in log.lines() {
        let session = line.split(' ').next().unwrap();
        if line.contains(" smtp tls ") {
            in_tls.push(session);
        } else if line.contains(" smtp envelope ") {
            taken.push(Taken {
                recipient: between(line, " to=<", ">").unwrap().to_owned(),
                cover: if in_tls.contains(&session) {
                    Cover::Tls
                } else {
                    Cover::Clear
                },
            });
        }
    }
    taken
}

/// A misbehaving server never comes to an end of a handshake: what it takes came in clear.
fn by_misbehaving(log: &str) -> Vec<Taken> {
    let recipients = log.lines().filter_map(|line| line.split_once(" TAKEN "));
    let taken = recipients.map(|(_, recipient)| Taken {
        recipient: recipient.to_owned(),
        cover: Cover::Clear,
    });
    taken.collect()
}
