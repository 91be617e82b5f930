//! What `posttls-finger`, Postfix's own probe, makes of a domain at a level of TLS.

use tokio::process::Command;

use super::Bed;

/// What the probe is told to demand; the words of Postfix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FingerLevel {
    /// TLS where it is offered.
    May,
    /// TLS with any certificate.
    Encrypt,
    /// TLS with a certificate of a trusted authority for the host's name.
    Secure,
}

/// What it says of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fingered {
    /// STARTTLS is not offered.
    NotOffered,
    /// It is offered and refused.
    Refused,
    /// The handshake broke.
    Broken,
    /// TLS of this version; the certificate is not what the level demands, or nothing is demanded of it.
    Tls(String),
    /// TLS of this version, and the certificate is the host's.
    Verified(String),
}

impl Fingered {
    /// Whether a mail at this level would go out.
    pub fn delivers(&self, level: FingerLevel) -> bool {
        match self {
            Self::NotOffered => level == FingerLevel::May,
            Self::Refused | Self::Broken => false,
            Self::Tls(_) => level != FingerLevel::Secure,
            Self::Verified(_) => true,
        }
    }

    fn of(text: &str) -> Self {
        let line = text.lines().find(|line| line.contains("TLS connection established to"));
        if let Some(line) = line {
            let before = line.split(" with cipher ").next().unwrap();
            let version = before.rsplit(' ').next().unwrap().to_owned();
            return if line.contains(": Verified TLS") {
                Self::Verified(version)
            } else {
                Self::Tls(version)
            };
        }
        if text.contains("STARTTLS rejected") {
            return Self::Refused;
        }
        if text.contains("SSL_connect error") {
            return Self::Broken;
        }
        assert!(text.trim().is_empty(), "{text}");
        Self::NotOffered
    }
}

impl Bed {
    /// Probes a domain; one that hangs for three seconds.
    pub async fn finger(&self, level: FingerLevel, domain: &str) -> Fingered {
        let level = match level {
            FingerLevel::May => "may",
            FingerLevel::Encrypt => "encrypt",
            FingerLevel::Secure => "secure",
        };
        let output = Command::new("/usr/sbin/posttls-finger")
            .args(["-c", "-t", "3", "-T", "3", "-l", level, "-F"])
            .arg(self.path("ca.pem"))
            .arg(domain)
            .output()
            .await
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        Fingered::of(&String::from_utf8_lossy(&text))
    }
}
