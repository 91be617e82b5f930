//! Debian's Postfix as others run it before a mail service: it hands all of its mail to one server, where it logs in.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::postfix::{POSTFIX, run, wait_for};

/// How it covers what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// `STARTTLS`.
    StartTls,
    /// TLS from the first byte.
    Implicit,
}

/// A running Postfix; stopped when it is dropped.
pub struct RelayPostfix {
    folder: tempfile::TempDir,
    port: u16,
}

impl RelayPostfix {
    /// Starts one that hands its mail to this port of this machine.
    pub fn start(to: u16, key: &str, authority: &Path, wrapping: Wrapping) -> Self {
        assert!(Path::new(POSTFIX).exists(), "run scripts/install tests");
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let it = Self { folder, port };
        let at = it.folder.path().display().to_string();
        fs::create_dir_all(it.path("conf")).unwrap();
        fs::copy(authority, it.path("authority.pem")).unwrap();
        let wrapped = if wrapping == Wrapping::Implicit { "yes" } else { "no" };
        let main = include_str!("postfix/relay.cf")
            .replace("FOLDER", &at)
            .replace("PORT", &to.to_string())
            .replace("KEY", key)
            .replace("AUTHORITY", &format!("{at}/authority.pem"))
            .replace("WRAPPED", wrapped);
        fs::write(it.path("conf/main.cf"), main).unwrap();
        let master = include_str!("postfix/master.cf").to_owned();
        let door = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
        fs::write(it.path("conf/master.cf"), master + &door).unwrap();
        run(Command::new("chmod").arg("755").arg(it.folder.path()));
        for (name, owner) in [("queue", None), ("data", Some("postfix")), ("log", None)] {
            fs::create_dir_all(it.path(name)).unwrap();
            if let Some(owner) = owner {
                run(Command::new("chown").arg(owner).arg(it.path(name)));
            }
        }
        run(Command::new(POSTFIX).arg("-c").arg(it.path("conf")).arg("start"));
        it
    }

    /// Hands it a mail, as a program on its machine does.
    pub async fn send(&self, from: &str, to: &str, content: &str) {
        let said = format!("EHLO here\r\nMAIL FROM:<{from}>\r\nRCPT TO:<{to}>\r\nDATA\r\n");
        let stuffed = content.replace("\r\n.", "\r\n..");
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream
            .write_all(format!("{said}{stuffed}.\r\nQUIT\r\n").as_bytes())
            .await
            .unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).await.unwrap();
        assert!(heard.contains("queued as"), "{heard}");
    }

    /// The first line of its log with this text.
    pub async fn logged(&self, text: &str) -> String {
        let read = || self.log().lines().find(|line| line.contains(text)).map(str::to_owned);
        wait_for(text, read).await
    }

    /// Everything that it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log/mail.log")).unwrap_or_default()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for RelayPostfix {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        drop(
            Command::new(POSTFIX)
                .arg("-c")
                .arg(self.path("conf"))
                .arg("stop")
                .output(),
        );
    }
}
