//! What the demo prints when it is ready: lines for people, and one line for programs.

use std::path::Path;

use serde::Serialize;

/// The line for programs: `ready {…}`. What has no room in the house yet is null. It holds secrets, so that it has no
/// form for a program log.
#[derive(Serialize)]
pub(super) struct Ready {
    /// The console.
    pub console: Option<String>,
    /// Base address of Mandrill's API.
    pub api: String,
    /// Base address of `/v1`.
    pub v1: String,
    /// A sending key.
    pub key: String,
    /// A management key.
    pub management_key: String,
    /// An address that the account may send from.
    pub from: String,
    /// An address whose mail arrives over TLS.
    pub to: String,
    /// The submission listener, `host:port`.
    pub smtp: String,
    /// Address to sign in with.
    pub login: String,
    /// Password to sign in with.
    pub password: String,
    /// The data folder.
    pub data: String,
    /// The authority of our own HTTPS certificate, in PEM.
    pub ca: String,
}

impl Ready {
    /// A command that sends a mail.
    pub(super) fn curl(&self) -> String {
        format!(
            "curl -sS {}/messages/send.json -H 'Content-Type: application/json' -d '{}'",
            self.api,
            serde_json::json!({
                "key": self.key,
                "message": {
                    "from_email": self.from,
                    "to": [{ "email": self.to }],
                    "subject": "Hello from Sealpost",
                    "text": "It works.",
                },
            })
        )
    }

    /// Prints all of it.
    pub(super) fn print(&self, inbox: &Path) -> anyhow::Result<()> {
        println!("Sealpost demo is running.");
        println!();
        println!(
            "  API            {}  (Mandrill's, any client: change the host)",
            self.api
        );
        println!("  REST           {}", self.v1);
        println!(
            "  SMTP           {}  any user name, the sending key as password, STARTTLS or plain",
            self.smtp
        );
        println!("  sending key    {}", self.key);
        println!("  management key {}", self.management_key);
        println!("  login          {}  password {}", self.login, self.password);
        println!("  data           {}", self.data);
        println!("  received mail  {}", inbox.display());
        println!();
        println!("Domains to write to: tls.demo.test (valid TLS), selfsigned.demo.test (TLS, nobody vouches for it),");
        println!("plain.demo.test (no TLS), broken.demo.test (the handshake breaks: the mail waits, and goes in clear");
        println!("text at the first try after five minutes, marked), grey.demo.test (takes it at the second try, five");
        println!("minutes later), reject.demo.test (550).");
        println!();
        println!("Send a mail:");
        println!();
        println!("  {}", self.curl());
        println!();
        println!("See what became of it, with the _id from the answer:");
        println!();
        println!("  {} message show ID --data {}", word(&program()), word(&self.data));
        println!();
        println!("ready {}", serde_json::to_string(self)?);
        Ok(())
    }
}

/// A word as a shell reads it back: quoted, unless nothing in it means anything to a shell.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The running program's own path: a copied line must work although nothing is installed.
fn program() -> String {
    std::env::current_exe().map_or_else(|_| "sealpost".to_owned(), |path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_when_a_shell_would_read_it_otherwise() {
        assert_eq!(word("/var/lib/sealpost-demo"), "/var/lib/sealpost-demo");
        assert_eq!(word("/my mail"), "'/my mail'");
        assert_eq!(word("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(word(""), "''");
    }
}
