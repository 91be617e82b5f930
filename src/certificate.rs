//! The certificate that the door shows: one that is given in files, or one that the program makes for itself.
//!
//! A self-made one comes from an authority of its own, whose certificate lies at `ca.pem` in the data folder so that
//! clients can trust it. The authority is bound to our own names (RFC 5280 §4.2.1.10): whoever trusts it trusts it for
//! nothing else, should its key be lost.

use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{Datelike, Days, NaiveDate};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sealpost_domain::Instant;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Days for which a self-made certificate is good: what clients accept at most.
const LEAF_DAYS: u64 = 397;
/// Days for which the authority is good.
const AUTHORITY_DAYS: u64 = 3_650;
/// A certificate that ends within so many days is made anew at a start.
const RENEWED_BEFORE_DAYS: u64 = 30;
/// Names that a self-made certificate always has.
const OWN_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Where the certificate comes from.
#[derive(Debug, Clone)]
pub enum TlsSource {
    /// Files in PEM: the chain, leaf first, and its private key.
    Files {
        /// The chain.
        certificate: PathBuf,
        /// The key.
        private_key: PathBuf,
    },
    /// Made by the program, and kept across starts.
    SelfMade {
        /// The data folder: `ca.pem` and `tls/`.
        folder: PathBuf,
        /// Host names and addresses besides loopback's.
        names: Vec<String>,
    },
}

/// Why there is no certificate.
#[derive(Debug, Error)]
pub enum TlsFailure {
    /// A file cannot be read or written.
    #[error("{path} cannot be {doing}")]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A file is not in PEM.
    #[error("{path} is not in PEM form")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// Certificate and key do not belong together, or are of a kind that is not spoken.
    #[error("the certificate cannot be used")]
    Unusable(#[source] rustls::Error),
    /// None could be made.
    #[error("no certificate could be made")]
    Make(#[source] rcgen::Error),
}

/// What a self-made certificate was made for.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    names: Vec<String>,
    leaf_ends_on: NaiveDate,
    authority_ends_on: NaiveDate,
}

/// Files of a self-made certificate.
struct Files {
    authority: PathBuf,
    authority_key: PathBuf,
    leaf: PathBuf,
    leaf_key: PathBuf,
    made: PathBuf,
}

impl Files {
    fn of(folder: &Path) -> Self {
        let tls = folder.join("tls");
        Self {
            authority: folder.join("ca.pem"),
            authority_key: tls.join("ca-key.pem"),
            leaf: tls.join("certificate.pem"),
            leaf_key: tls.join("private-key.pem"),
            made: tls.join("made.json"),
        }
    }
}

impl TlsSource {
    /// Reads the certificate, or makes it where it is to be self-made and none is there that is good.
    ///
    /// # Errors
    /// As [`TlsFailure`] says.
    pub fn server_config(&self, now: Instant) -> Result<ServerConfig, TlsFailure> {
        match self {
            Self::Files {
                certificate,
                private_key,
            } => read(certificate, private_key),
            Self::SelfMade { folder, names } => {
                let files = Files::of(folder);
                keep_good(folder, &files, names, now.to_datetime().date_naive())?;
                read(&files.leaf, &files.leaf_key)
            }
        }
    }

    /// The file that clients may trust; `None` where the certificate is not self-made.
    #[must_use]
    pub fn authority(&self) -> Option<PathBuf> {
        match self {
            Self::Files { .. } => None,
            Self::SelfMade { folder, .. } => Some(Files::of(folder).authority),
        }
    }
}

fn read(certificate: &Path, private_key: &Path) -> Result<ServerConfig, TlsFailure> {
    let bad = |path: &Path| {
        let path = path.to_owned();
        |source| TlsFailure::Pem { path, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate).map_err(bad(certificate))?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(bad(certificate))?;
    let key = PrivateKeyDer::from_pem_file(private_key).map_err(bad(private_key))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(TlsFailure::Unusable)
}

/// Leaves what is good, signs a new leaf where it ends soon, and makes a new authority where names or dates ask for it.
fn keep_good(folder: &Path, files: &Files, names: &[String], today: NaiveDate) -> Result<(), TlsFailure> {
    let mut names: Vec<String> = OWN_NAMES
        .iter()
        .map(|name| (*name).to_owned())
        .chain(names.iter().cloned())
        .collect();
    names.sort_unstable();
    names.dedup();
    let made = fs::read(&files.made)
        .ok()
        .and_then(|json| serde_json::from_slice::<Made>(&json).ok());
    let made = made.filter(|made| made.names == names && files.authority.exists());
    let leaf_ends_on = after(today, LEAF_DAYS);
    let issuer = match &made {
        Some(made) if made.leaf_ends_on > after(today, RENEWED_BEFORE_DAYS) && files.leaf_key.exists() => return Ok(()),
        Some(made) if made.authority_ends_on >= leaf_ends_on => read_authority(files),
        _ => None,
    };
    let tls = folder.join("tls");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&tls)
        .map_err(|source| TlsFailure::File {
            path: tls,
            doing: "made",
            source,
        })?;
    let (issuer, authority_ends_on) = match (issuer, &made) {
        (Some(issuer), Some(made)) => (issuer, made.authority_ends_on),
        _ => make_authority(files, &names, today)?,
    };
    make_leaf(files, &names, &issuer, today, leaf_ends_on)?;
    let made = Made {
        names,
        leaf_ends_on,
        authority_ends_on,
    };
    let json = serde_json::to_vec(&made).unwrap_or_default();
    write(&files.made, &json, 0o644)?;
    tracing::info!(ends_on = %made.leaf_ends_on, "a certificate for the door was made");
    Ok(())
}

fn read_authority(files: &Files) -> Option<Issuer<'static, KeyPair>> {
    let key = KeyPair::from_pem(&fs::read_to_string(&files.authority_key).ok()?).ok()?;
    Issuer::from_ca_cert_pem(&fs::read_to_string(&files.authority).ok()?, key).ok()
}

fn make_authority(
    files: &Files,
    names: &[String],
    today: NaiveDate,
) -> Result<(Issuer<'static, KeyPair>, NaiveDate), TlsFailure> {
    let ends_on = after(today, AUTHORITY_DAYS);
    let mut params = CertificateParams::new(Vec::new()).map_err(TlsFailure::Make)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Sealpost self-made authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: names.iter().map(|name| subtree(name)).collect(),
        excluded_subtrees: Vec::new(),
    });
    set_dates(&mut params, today, ends_on);
    let key = KeyPair::generate().map_err(TlsFailure::Make)?;
    let certificate = params.self_signed(&key).map_err(TlsFailure::Make)?;
    write(&files.authority_key, key.serialize_pem().as_bytes(), 0o600)?;
    write(&files.authority, certificate.pem().as_bytes(), 0o644)?;
    Ok((Issuer::new(params, key), ends_on))
}

fn subtree(name: &str) -> GeneralSubtree {
    match name.parse::<IpAddr>() {
        Ok(ip) => GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(ip, if ip.is_ipv4() { 32 } else { 128 })),
        Err(_) => GeneralSubtree::DnsName(name.to_owned()),
    }
}

fn make_leaf(
    files: &Files,
    names: &[String],
    issuer: &Issuer<'_, KeyPair>,
    today: NaiveDate,
    ends_on: NaiveDate,
) -> Result<(), TlsFailure> {
    let mut params = CertificateParams::new(names).map_err(TlsFailure::Make)?;
    params.distinguished_name.push(DnType::CommonName, "Sealpost");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    set_dates(&mut params, today, ends_on);
    let key = KeyPair::generate().map_err(TlsFailure::Make)?;
    let certificate = params.signed_by(&key, issuer).map_err(TlsFailure::Make)?;
    write(&files.leaf_key, key.serialize_pem().as_bytes(), 0o600)?;
    write(&files.leaf, certificate.pem().as_bytes(), 0o644)
}

/// From yesterday on, so that clocks may differ.
fn set_dates(params: &mut CertificateParams, today: NaiveDate, ends_on: NaiveDate) {
    let moment = |date: NaiveDate| {
        let small = |number: u32| u8::try_from(number).unwrap_or(1);
        date_time_ymd(date.year(), small(date.month()), small(date.day()))
    };
    params.not_before = moment(today.pred_opt().unwrap_or(today));
    params.not_after = moment(ends_on);
}

fn after(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}

/// Writes a whole file or none: a start that is cut off leaves no half of a key.
fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), TlsFailure> {
    let failed = |source| TlsFailure::File {
        path: path.to_owned(),
        doing: "written",
        source,
    };
    let draft = path.with_extension("new");
    // A draft that an earlier start left may have another mode.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&draft);
    let written = file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.and_then(|()| fs::rename(&draft, path)).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};

    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn now() -> Instant {
        Instant::from_datetime(chrono::Utc::now())
    }

    fn source(folder: &Path, names: &[&str]) -> TlsSource {
        TlsSource::SelfMade {
            folder: folder.to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// Whether a client that trusts the authority's file, and nothing else, accepts the certificate for a name.
    fn accepts(source: &TlsSource, config: ServerConfig, name: &'static str) -> bool {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(source.authority().unwrap()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap();
        let client = client.with_root_certificates(roots).with_no_client_auth();
        let mut client = ClientConnection::new(Arc::new(client), ServerName::try_from(name).unwrap()).unwrap();
        let mut server = ServerConnection::new(Arc::new(config)).unwrap();
        for _ in 0..8 {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut wire.as_slice()).unwrap();
            if server.process_new_packets().is_err() {
                return false;
            }
            let mut wire = Vec::new();
            server.write_tls(&mut wire).unwrap();
            client.read_tls(&mut wire.as_slice()).unwrap();
            if client.process_new_packets().is_err() {
                return false;
            }
        }
        !client.is_handshaking()
    }

    #[test]
    fn clients_that_trust_the_authority_accept_the_door_under_its_names_alone() {
        let folder = tempfile::tempdir().unwrap();
        let source = source(folder.path(), &["mail.example.org"]);
        for name in ["localhost", "127.0.0.1", "::1", "mail.example.org"] {
            assert!(accepts(&source, source.server_config(now()).unwrap(), name), "{name}");
        }
        assert!(!accepts(&source, source.server_config(now()).unwrap(), "example.org"));
    }

    #[test]
    fn it_is_kept_across_starts_renewed_in_time_and_its_keys_are_nobody_s() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::of(folder.path());
        let own = source(folder.path(), &[]);
        let look = || (fs::read(&files.authority).unwrap(), fs::read(&files.leaf).unwrap());
        own.server_config(now()).unwrap();
        let first = look();
        for key in [&files.leaf_key, &files.authority_key] {
            assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
        }
        own.server_config(now()).unwrap();
        assert_eq!(look(), first, "nothing changes while it is good");
        own.server_config(Instant::from_millis(now().as_millis() + 380 * DAY_MS))
            .unwrap();
        let renewed = look();
        assert!(
            renewed.0 == first.0 && renewed.1 != first.1,
            "a new leaf of the same authority"
        );
        source(folder.path(), &["other.example.org"])
            .server_config(now())
            .unwrap();
        assert_ne!(look().0, first.0, "an authority is bound to its names");
    }

    #[test]
    fn files_that_are_no_certificate_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, private_key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        let given = TlsSource::Files {
            certificate: certificate.clone(),
            private_key,
        };
        assert!(matches!(given.server_config(now()), Err(TlsFailure::Pem { path, .. }) if path == certificate));
        assert_eq!(given.authority(), None);
    }
}
