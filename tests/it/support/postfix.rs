//! Debian's Postfix in a folder of its own: three servers on loopback, their mailboxes, their log.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// The program that starts and stops it.
pub const POSTFIX: &str = "/usr/sbin/postfix";
/// How long something may take that Postfix does on its own.
const PATIENCE: Duration = Duration::from_secs(30);

/// How one of its servers shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// No STARTTLS.
    Clear,
    /// A certificate for `localhost` from the authority of [`Postfix::authority`].
    Valid,
    /// A certificate that nobody else has signed.
    SelfSigned,
}

impl Shown {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Clear, Self::Valid, Self::SelfSigned];

    /// How its server is called in the log, and the domain whose mail it takes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Valid => "valid",
            Self::SelfSigned => "selfsigned",
        }
    }
}

/// A running Postfix; stopped when it is dropped.
pub struct Postfix {
    folder: tempfile::TempDir,
    ports: [u16; 3],
}

impl Postfix {
    /// Starts it with a mailbox for each of the three domains `clear.test`, `valid.test` and `selfsigned.test`.
    pub fn start() -> Self {
        assert!(
            Path::new(POSTFIX).exists(),
            "Postfix is not there: run scripts/test, which installs it"
        );
        let folder = tempfile::tempdir().unwrap();
        let ports = free_ports();
        let it = Self { folder, ports };
        it.write_certificates();
        it.write_configuration();
        it.prepare_folders();
        it.control("start");
        it
    }

    /// The port of one of its servers.
    pub fn port(&self, shown: Shown) -> u16 {
        let [clear, valid, self_signed] = self.ports;
        match shown {
            Shown::Clear => clear,
            Shown::Valid => valid,
            Shown::SelfSigned => self_signed,
        }
    }

    /// The authority's certificate, PEM.
    pub fn authority(&self) -> PathBuf {
        self.path("tls/authority.pem")
    }

    /// The mail of a domain, in no order, once there is so much of it.
    pub async fn mail(&self, domain: &str, count: usize) -> Vec<Vec<u8>> {
        let folder = self.path(&format!("mail/{domain}/new"));
        let read = || {
            let files = fs::read_dir(&folder).ok()?;
            let mail: Vec<Vec<u8>> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
            (mail.len() >= count).then_some(mail)
        };
        wait_for(&format!("{count} messages of {domain}"), read).await
    }

    /// The first line of the log from one of its servers that has this text.
    pub async fn logged(&self, shown: Shown, text: &str) -> String {
        let server = format!("{}/smtpd", shown.name());
        let read = || {
            let log = fs::read_to_string(self.path("log/mail.log")).ok()?;
            let mut lines = log.lines();
            lines
                .find(|line| line.contains(&server) && line.contains(text))
                .map(str::to_owned)
        };
        wait_for(&format!("{text} from {server}"), read).await
    }

    /// Everything that it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log/mail.log")).unwrap_or_default()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_certificates(&self) {
        let tls = self.path("tls");
        fs::create_dir_all(&tls).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Test authority");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(self.authority(), authority.pem()).unwrap();
        let params = || CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let valid = params().signed_by(&key, &authority).unwrap();
        fs::write(tls.join("valid.pem"), key.serialize_pem() + &valid.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let own = params().self_signed(&key).unwrap();
        fs::write(tls.join("selfsigned.pem"), key.serialize_pem() + &own.pem()).unwrap();
    }

    fn write_configuration(&self) {
        let folder = self.path("conf");
        fs::create_dir_all(&folder).unwrap();
        let at = self.folder.path().display();
        let main = include_str!("postfix/main.cf").replace("FOLDER", &at.to_string());
        fs::write(folder.join("main.cf"), main).unwrap();
        let mut master = include_str!("postfix/master.cf").to_owned();
        for shown in Shown::ALL {
            let (port, name) = (self.port(shown), shown.name());
            let tls = match shown {
                Shown::Clear => "smtpd_tls_security_level=none".to_owned(),
                _ => format!("smtpd_tls_chain_files={at}/tls/{name}.pem"),
            };
            master.push_str(&format!(
                "127.0.0.1:{port} inet n - n - - smtpd\n  -o syslog_name={name} -o {tls}\n"
            ));
        }
        fs::write(folder.join("master.cf"), master).unwrap();
    }

    /// Postfix gives up its rights early: what it writes to belongs to its own account, what the mail is kept in to
    /// nobody.
    fn prepare_folders(&self) {
        run(Command::new("chmod").arg("755").arg(self.folder.path()));
        for (folder, owner) in [
            ("queue", None),
            ("data", Some("postfix")),
            ("mail", Some("nobody")),
            ("log", None),
        ] {
            fs::create_dir_all(self.path(folder)).unwrap();
            if let Some(owner) = owner {
                run(Command::new("chown").arg(owner).arg(self.path(folder)));
            }
        }
    }

    fn control(&self, what: &str) {
        run(Command::new(POSTFIX).arg("-c").arg(self.path("conf")).arg(what));
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return self.control("stop");
        }
        // A second panic would hide the first one.
        eprintln!("{}", self.log());
        let stopped = Command::new(POSTFIX)
            .arg("-c")
            .arg(self.path("conf"))
            .arg("stop")
            .output();
        drop(stopped);
    }
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// Looks again and again for what another program does in its own time.
pub async fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let mut every = tokio::time::interval(Duration::from_millis(20));
    let looking = async {
        loop {
            every.tick().await;
            if let Some(found) = look() {
                return found;
            }
        }
    };
    let found = tokio::time::timeout(PATIENCE, looking).await;
    assert!(found.is_ok(), "Postfix never showed {what}");
    found.unwrap()
}
