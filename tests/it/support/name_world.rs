//! A world of names: Knot signs the zone `test`, Unbound validates it, each on an address of loopback that no other test
//! has, and mail hosts stand at addresses beside them.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use sealpost::delivery::mx::{DnsConfig, DnsValidation};
use sealpost::smtp::server::{Personality, Receiver, Running};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Inbox;

/// How long the servers may take until they answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The port of both name servers.
const PORT: u16 = 5_300;

/// The running name servers; ended when it is dropped.
pub struct NameWorld {
    folder: tempfile::TempDir,
    servers: Vec<Child>,
    /// The port at which all mail hosts of this world listen.
    pub mail_port: u16,
}

impl NameWorld {
    /// Starts the servers with these lines in the zone `test`; `HOST1` to `HOST9`
    /// stand for the addresses of [`Self::address`].
    pub async fn start(lines: &str) -> Self {
        let mut world = Self {
            folder: tempfile::tempdir().unwrap(),
            servers: Vec::new(),
            mail_port: free_port().await,
        };
        world.write(lines);
        world.run("/usr/sbin/knotd", &["-c", "knot.conf"]);
        world.answers(world.authority()).await;
        world.write_anchor();
        world.run("/usr/sbin/unbound", &["-c", "unbound.conf", "-d"]);
        world.answers(world.validator()).await;
        world
    }

    /// The `n`-th address for a mail host, 1..=9. Each process has sixteen of its own, so that no port is ever taken.
    pub fn address(&self, n: u8) -> Ipv4Addr {
        let process = (std::process::id() & 0x000f_ffff) << 4;
        Ipv4Addr::from(0x7f00_0000 | process | u32::from(n))
    }

    fn authority(&self) -> SocketAddr {
        (self.address(10), PORT).into()
    }

    fn validator(&self) -> SocketAddr {
        (self.address(11), PORT).into()
    }

    /// Settings that ask the validating resolver, and validate once more.
    pub fn dns(&self) -> DnsConfig {
        DnsConfig {
            servers: vec![self.validator()],
            validation: DnsValidation::Always,
            trust_anchor: Some(self.path("anchor")),
            timeout_ms: 2_000,
            allow_private: true,
            ..DnsConfig::default()
        }
    }

    /// Settings that ask the signing server itself: nobody else validates.
    pub fn dns_at_the_authority(&self) -> DnsConfig {
        DnsConfig {
            servers: vec![self.authority()],
            ..self.dns()
        }
    }

    /// A receiver at one of the world's addresses.
    pub async fn receiver(&self, address: impl Into<IpAddr>, personality: Personality, inbox: &Arc<Inbox>) -> Running {
        let listen = SocketAddr::new(address.into(), self.mail_port);
        Receiver::start(listen, personality, inbox.clone()).await.unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, lines: &str) {
        for folder in ["run", "keys"] {
            fs::create_dir(self.path(folder)).unwrap();
        }
        let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
        let fill = |text: &str| {
            text.replace("FOLDER", &self.folder.path().display().to_string())
                .replace("AUTHORITY", &self.authority().ip().to_string())
                .replace("VALIDATOR", &self.validator().ip().to_string())
                .replace("  USER\n", if is_root { "  user: root:root\n" } else { "" })
        };
        let hosts = |text: &str| {
            (1..=9).fold(text.to_owned(), |text, n| {
                text.replace(&format!("HOST{n}"), &self.address(n).to_string())
            })
        };
        let zone = include_str!("zones/test.zone").to_owned() + lines;
        fs::write(self.path("knot.conf"), fill(include_str!("zones/knot.conf"))).unwrap();
        fs::write(self.path("unbound.conf"), fill(include_str!("zones/unbound.conf"))).unwrap();
        fs::write(self.path("test.zone"), hosts(&fill(&zone))).unwrap();
        for child in ["plain", "bogus"] {
            let text = format!("$ORIGIN {child}.test.\n{}", include_str!("zones/child.zone"));
            fs::write(self.path(&format!("{child}.test.zone")), hosts(&text)).unwrap();
        }
    }

    /// The key that the zone is signed with, as both validators read it.
    fn write_anchor(&self) {
        let output = Command::new("/usr/sbin/keymgr")
            .args(["-c", "knot.conf", "test", "dnskey"])
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let key = String::from_utf8(output.stdout)
            .unwrap()
            .replace(" DNSKEY ", " IN DNSKEY ");
        assert!(key.contains("DNSKEY"), "{}", String::from_utf8_lossy(&output.stderr));
        fs::write(self.path("anchor"), key).unwrap();
    }

    fn run(&mut self, program: &str, arguments: &[&str]) {
        assert!(
            Path::new(program).exists(),
            "{program} is not there: run scripts/test, which installs it"
        );
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let child = Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.servers.push(child);
    }

    /// Waits until this server knows who signs the zone.
    async fn answers(&self, addr: SocketAddr) {
        let mut every = tokio::time::interval(Duration::from_millis(20));
        let looking = async {
            while !knows_the_keys(addr).await.unwrap_or(false) {
                every.tick().await;
            }
        };
        let answers = tokio::time::timeout(PATIENCE, looking).await;
        assert!(answers.is_ok(), "nobody at {addr}: {}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Drop for NameWorld {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        for server in &mut self.servers {
            // It may have ended by itself, which the test has seen.
            drop(server.kill());
            drop(server.wait());
        }
    }
}

/// A port that is free on IPv6's loopback; on this process's own addresses of IPv4 every one is.
async fn free_port() -> u16 {
    match TcpListener::bind("[::1]:0").await {
        Ok(listener) => listener.local_addr().unwrap().port(),
        Err(_) => 2_525,
    }
}

/// Asks for the keys of `test` by TCP, in the words of RFC 1035 §4.
async fn knows_the_keys(addr: SocketAddr) -> io::Result<bool> {
    let question = b"\0\x16\0\x01\x01\0\0\x01\0\0\0\0\0\0\x04test\0\0\x30\0\x01";
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(question).await?;
    let mut answer = vec![0; stream.read_u16().await?.into()];
    stream.read_exact(&mut answer).await?;
    let (code, records) = (answer[3] & 0x0f, answer[7]);
    Ok(code == 0 && records > 0)
}
