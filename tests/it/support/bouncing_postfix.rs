//! Debian's Postfix as a relay that takes mail at once, and hears only later that nobody wants it.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::postfix::{POSTFIX, run, wait_for};

/// A Postfix that takes mail of `late.test`; stopped when it is dropped.
pub struct BouncingPostfix {
    folder: tempfile::TempDir,
    port: u16,
}

impl BouncingPostfix {
    /// Takes a port for it; nothing listens there yet.
    pub fn reserve() -> Self {
        assert!(Path::new(POSTFIX).exists(), "run scripts/install tests");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        Self { folder, port }
    }

    /// Where it takes mail.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts it: what it takes goes to the port `next`, and reports to `bounce.test` to the port `reports`.
    pub fn start(&self, next: u16, reports: u16) {
        let at = self.folder.path().display().to_string();
        fs::create_dir_all(self.path("conf")).unwrap();
        let main = include_str!("postfix/bouncing.cf")
            .replace("FOLDER", &at)
            .replace("NEXT", &next.to_string())
            .replace("REPORTS", &reports.to_string());
        fs::write(self.path("conf/main.cf"), main).unwrap();
        let door = format!("127.0.0.1:{} inet n - n - - smtpd\n", self.port);
        let master = include_str!("postfix/master.cf").to_owned() + &door;
        fs::write(self.path("conf/master.cf"), master).unwrap();
        run(Command::new("chmod").arg("755").arg(self.folder.path()));
        for (name, owner) in [("queue", None), ("data", Some("postfix")), ("log", None)] {
            fs::create_dir_all(self.path(name)).unwrap();
            if let Some(owner) = owner {
                run(Command::new("chown").arg(owner).arg(self.path(name)));
            }
        }
        run(Command::new(POSTFIX).arg("-c").arg(self.path("conf")).arg("start"));
    }

    /// The first line of its log with this text.
    pub async fn logged(&self, text: &str) -> String {
        let read = || self.log().lines().find(|line| line.contains(text)).map(str::to_owned);
        wait_for(text, read).await
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log/mail.log")).unwrap_or_default()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for BouncingPostfix {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        let mut stop = Command::new(POSTFIX);
        drop(stop.arg("-c").arg(self.path("conf")).arg("stop").output());
    }
}
