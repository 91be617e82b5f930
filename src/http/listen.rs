//! Opens the doors: HTTPS, plain HTTP on loopback alone, and the control socket.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use sealpost_domain::{Instant, limits};
use thiserror::Error;
use tokio::task::JoinHandle;

use super::control::ControlParts;
use super::front::Front;
use super::request_trace::trace;
use super::router;
use super::unread_body::end_unread;
use crate::certificate::{TlsFailure, TlsSource};

/// How long a client may take for the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(limits::REQUEST_HEAD_S);
/// Connections of one worker at once; the others wait to be accepted.
const CONNECTIONS_PER_WORKER_MAX: usize = limits::CONNECTIONS_PER_WORKER_MAX as usize;
/// How long a connection waits for the next request.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Longest path of a Unix socket, in bytes: Linux keeps 108 for it and the zero behind it.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Where the doors are.
#[derive(Debug, Clone)]
pub struct ListenConfig {
    /// Plain HTTP, on loopback alone; port 0 picks a free one.
    pub plain: Option<SocketAddr>,
    /// HTTPS; port 0 picks a free one.
    pub secure: Option<(SocketAddr, TlsSource)>,
    /// The control socket.
    pub control: PathBuf,
    /// How long requests may take to finish when the doors close, in seconds.
    pub drain_s: u64,
}

/// Why a door does not open.
#[derive(Debug, Error)]
pub enum ListenFailure {
    /// Keys would cross the network in clear.
    #[error("plain HTTP on {0} would carry keys in clear: use a loopback address, or HTTPS")]
    PlainBeyondLoopback(SocketAddr),
    /// The address is taken, or not ours.
    #[error("the address {address} cannot be listened on")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The certificate.
    #[error("the certificate of the HTTPS door is not there")]
    Tls(#[from] TlsFailure),
    /// The control socket's path is longer than a socket's may be.
    #[error(
        "the path {path} has {size_bytes} bytes, and a socket's may have {SOCKET_PATH_BYTES_MAX}: \
         choose a data folder with a shorter path, or a relative one"
    )]
    ControlPath {
        /// The socket.
        path: PathBuf,
        /// Length of its path.
        size_bytes: usize,
    },
    /// The control socket cannot be made.
    #[error("the control socket {path} cannot be made")]
    Control {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Whether a control socket can have this path: asked before anything is made or opened.
///
/// # Errors
/// [`ListenFailure::ControlPath`].
pub fn control_path_fits(path: &Path) -> Result<(), ListenFailure> {
    match path.as_os_str().len() {
        ..=SOCKET_PATH_BYTES_MAX => Ok(()),
        size_bytes => Err(ListenFailure::ControlPath {
            path: path.to_owned(),
            size_bytes,
        }),
    }
}

/// The open doors. Close them before the rooms behind them.
#[derive(Debug)]
pub struct Doors {
    plain: Option<SocketAddr>,
    secure: Option<SocketAddr>,
    control: PathBuf,
    servers: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    handle: ServerHandle,
    task: JoinHandle<io::Result<()>>,
}

impl Running {
    fn of(server: Server) -> Self {
        Self {
            handle: server.handle(),
            task: tokio::spawn(server),
        }
    }
}

impl Doors {
    /// Opens them. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// As [`ListenFailure`] says; then none is open.
    pub fn open(
        config: ListenConfig,
        front: Arc<Front>,
        control: Arc<ControlParts>,
        now: Instant,
    ) -> Result<Self, ListenFailure> {
        let socket = bind_control(&config.control)?;
        let (public, plain, secure) = public(&config, front, now)?;
        let operator = operator(control, socket, config.drain_s);
        let operator = operator.map_err(|source| ListenFailure::Control {
            path: config.control.clone(),
            source,
        })?;
        let servers = public.into_iter().chain([operator]).map(Running::of).collect();
        Ok(Self {
            plain,
            secure,
            control: config.control,
            servers,
        })
    }

    /// Where plain HTTP is, with the port that was picked.
    #[must_use]
    pub const fn plain(&self) -> Option<SocketAddr> {
        self.plain
    }

    /// Where HTTPS is, with the port that was picked.
    #[must_use]
    pub const fn secure(&self) -> Option<SocketAddr> {
        self.secure
    }

    /// Takes no more requests, and lets those that were begun finish.
    pub async fn close(self) {
        for Running { handle, task } in self.servers {
            handle.stop(true).await;
            match task.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "a door did not close in order"),
                Err(error) => tracing::error!(%error, "the task of a door broke"),
            }
        }
        if let Err(error) = fs::remove_file(&self.control) {
            tracing::debug!(%error, "the control socket was gone already");
        }
    }
}

type Public = (Option<Server>, Option<SocketAddr>, Option<SocketAddr>);

fn public(config: &ListenConfig, front: Arc<Front>, now: Instant) -> Result<Public, ListenFailure> {
    if config.plain.is_none() && config.secure.is_none() {
        return Ok((None, None, None));
    }
    let front = web::Data::from(front);
    let mut server = HttpServer::new(move || {
        App::new()
            .app_data(front.clone())
            .wrap(from_fn(trace))
            .wrap(from_fn(end_unread))
            .configure(router::public)
    })
    .disable_signals()
    .client_request_timeout(HEAD_WITHIN)
    .max_connections(CONNECTIONS_PER_WORKER_MAX)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(config.drain_s);
    if let Some(address) = config.plain {
        must_be_loopback(address)?;
        server = server
            .bind(address)
            .map_err(|source| ListenFailure::Bind { address, source })?;
    }
    if let Some((address, tls)) = &config.secure {
        let address = *address;
        let tls = tls.server_config(now)?;
        server = server
            .bind_rustls_0_23(address, tls)
            .map_err(|source| ListenFailure::Bind { address, source })?;
    }
    let bound = server.addrs_with_scheme();
    let of = |scheme: &str| {
        bound
            .iter()
            .find(|(_, found)| *found == scheme)
            .map(|(address, _)| *address)
    };
    let (plain, secure) = (of("http"), of("https"));
    Ok((Some(server.run()), plain, secure))
}

/// Keys travel in these requests, so that nobody may listen.
const fn must_be_loopback(address: SocketAddr) -> Result<(), ListenFailure> {
    if address.ip().is_loopback() {
        Ok(())
    } else {
        Err(ListenFailure::PlainBeyondLoopback(address))
    }
}

fn operator(parts: Arc<ControlParts>, socket: UnixListener, drain_s: u64) -> io::Result<Server> {
    let parts = web::Data::from(parts);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(parts.clone())
            .wrap(from_fn(trace))
            .configure(router::operator)
    });
    let server = server.workers(1).disable_signals().shutdown_timeout(drain_s);
    Ok(server.listen_uds(socket)?.run())
}

/// Makes the socket under another name and moves it into place once its mode is right: nobody else can connect in
/// between, and what an earlier run left there is replaced.
fn bind_control(path: &Path) -> Result<UnixListener, ListenFailure> {
    let failed = |source| ListenFailure::Control {
        path: path.to_owned(),
        source,
    };
    let draft = path.with_extension("new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let socket = UnixListener::bind(&draft).map_err(failed)?;
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    fs::rename(&draft, path).map_err(failed)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_socket_is_its_owner_s_alone_and_replaces_what_was_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        fs::write(&path, "left over").unwrap();
        let _socket = bind_control(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(std::os::unix::net::UnixStream::connect(&path).is_ok());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_longest_path_of_a_control_socket_is_bound_and_one_byte_more_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let of_length = |length: usize| {
            let name = "c".repeat(length - folder.path().as_os_str().len() - 1 - ".sock".len());
            folder.path().join(format!("{name}.sock"))
        };
        let (longest, longer) = (of_length(SOCKET_PATH_BYTES_MAX), of_length(SOCKET_PATH_BYTES_MAX + 1));
        control_path_fits(&longest).unwrap();
        let _socket = bind_control(&longest).unwrap();
        assert!(std::os::unix::net::UnixStream::connect(&longest).is_ok());
        let refused = control_path_fits(&longer).unwrap_err().to_string();
        assert!(
            refused.contains("has 108 bytes") && refused.contains("may have 107"),
            "{refused}"
        );
        assert!(UnixListener::bind(&longer).is_err(), "the system says the same");
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        for address in ["127.0.0.1:80", "127.9.9.9:0", "[::1]:80"] {
            assert!(must_be_loopback(address.parse().unwrap()).is_ok(), "{address}");
        }
        for address in ["0.0.0.0:80", "192.0.2.1:80", "[::]:80", "[::ffff:127.0.0.1]:80"] {
            let refused = must_be_loopback(address.parse().unwrap()).unwrap_err().to_string();
            assert!(refused.contains(address) && refused.contains("HTTPS"), "{refused}");
        }
    }
}
