//! A stock tool reads what we store: every golden event goes through `postgres-es`' own table, repository and envelope,
//! and no key is at hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use cqrs_es::{Aggregate, EventEnvelope};
use postgres_es::PostgresEventRepository;
use sealpost_domain::StreamType;
use sealpost_domain::account::Account;
use sealpost_domain::api_key::ApiKey;
use sealpost_domain::engagement::Engagement;
use sealpost_domain::gate::Gate;
use sealpost_domain::message::Message;
use sealpost_domain::sending_domain::SendingDomain;
use sealpost_domain::shard::Shard;
use sealpost_domain::suppression::Suppression;
use sealpost_domain::user::User;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// The table as the documentation of `postgres-es` has it.
const EVENTS: &str = "CREATE TABLE events (aggregate_type text NOT NULL, aggregate_id text NOT NULL, \
    sequence bigint CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL, event_version text NOT NULL, \
    payload json NOT NULL, metadata json NOT NULL, PRIMARY KEY (aggregate_type, aggregate_id, sequence))";

/// A Postgres of this test alone: its own folder, a socket in it, no port.
struct Postgres {
    folder: tempfile::TempDir,
    programs: PathBuf,
}

impl Postgres {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Postgres refuses to run as root; its files then belong to the account that Debian's package makes.
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let started = Self {
            folder,
            programs: programs(),
        };
        let data = started.path("data");
        started.run(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "sealpost",
                "--auth=trust",
                "--no-sync",
                "--locale=C",
                "-E",
                "UTF8",
            ],
        );
        let options = format!(
            "-k {} -c listen_addresses= -c fsync=off",
            started.folder.path().display()
        );
        started.run(
            "pg_ctl",
            &["-D", &data, "-w", "-l", &started.path("log"), "-o", &options, "start"],
        );
        started
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            Command::new("setpriv")
        } else {
            Command::new(&program)
        };
        if is_root() {
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(&program);
        }
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        run(&mut self.command(program, arguments));
    }

    async fn pool(&self) -> sqlx::PgPool {
        let options = PgConnectOptions::new()
            .socket(self.folder.path())
            .username("sealpost")
            .database("postgres");
        PgPoolOptions::new()
            .max_connections(2)
            .connect_with(options)
            .await
            .expect("a connection")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let stopped = self
            .command("pg_ctl", &["-D", &self.path("data"), "-m", "immediate", "stop"])
            .output();
        assert!(stopped.is_ok_and(|output| output.status.success()) || std::thread::panicking());
    }
}

fn is_root() -> bool {
    text(&run(Command::new("id").arg("-u"))).trim() == "0"
}

/// Debian keeps the server's programs apart by version.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("Postgres: scripts/install tests");
    let mut found: Vec<PathBuf> = versions
        .map(|version| version.expect("a folder").path().join("bin"))
        .collect();
    found.sort();
    found.pop().expect("a version of Postgres")
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Every golden event, sealed and erased ones among them, and the metadata of an event.
fn golden() -> (Vec<Value>, Value) {
    let wire = Path::new(env!("CARGO_MANIFEST_DIR")).join("domain/tests/wire");
    let read = |path: &Path| serde_json::from_str(&fs::read_to_string(path).expect("a file")).expect("JSON");
    let entries = |folder: &Path| {
        fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
    };
    let folders = entries(&wire).filter(|path| path.is_dir());
    let events = folders
        .flat_map(|folder| entries(&folder).map(|path| read(&path)).collect::<Vec<Value>>())
        .collect();
    (events, read(&wire.join("metadata.json")))
}

/// Stores one event under an id of its own, and reads it back as the aggregate's.
async fn there_and_back<A: Aggregate>(
    repository: &PostgresEventRepository,
    id: String,
    event: &Value,
    metadata: &Value,
) {
    let word = |name: &str| event[name].as_str().expect("a text").to_owned();
    let (event_type, version) = (word("event_type"), word("event_version"));
    let payload = event["payload"].clone();
    let stored = SerializedEvent::new(
        id.clone(),
        1,
        A::TYPE.to_owned(),
        event_type,
        version,
        payload,
        metadata.clone(),
    );
    repository
        .persist::<A>(std::slice::from_ref(&stored), None)
        .await
        .expect("a stored event");
    let read = repository.get_events::<A>(&id).await.expect("the stored event");
    assert_eq!(read, [stored]);
    for one in read {
        let envelope = EventEnvelope::<A>::try_from(one).expect("an event of the aggregate");
        assert_eq!(envelope.sequence, 1);
    }
}

#[tokio::test]
async fn every_golden_event_comes_back_through_postgres_es_without_a_key() {
    let postgres = Postgres::start();
    let pool = postgres.pool().await;
    sqlx::query(EVENTS).execute(&pool).await.expect("the table");
    let repository = PostgresEventRepository::new(pool.clone());
    let (events, metadata) = golden();
    assert!(events.len() > 30, "the golden files are there");
    for (number, event) in events.iter().enumerate() {
        let stream_type = event["stream_type"].as_str().expect("a stream type");
        let (repository, id) = (&repository, format!("golden-{number}"));
        match StreamType::parse(stream_type).expect("a stream type that exists") {
            StreamType::Account => there_and_back::<Account>(repository, id, event, &metadata).await,
            StreamType::User => there_and_back::<User>(repository, id, event, &metadata).await,
            StreamType::ApiKey => there_and_back::<ApiKey>(repository, id, event, &metadata).await,
            StreamType::SendingDomain => there_and_back::<SendingDomain>(repository, id, event, &metadata).await,
            StreamType::Suppression => there_and_back::<Suppression>(repository, id, event, &metadata).await,
            StreamType::Message => there_and_back::<Message>(repository, id, event, &metadata).await,
            StreamType::Engagement => there_and_back::<Engagement>(repository, id, event, &metadata).await,
            StreamType::Gate => there_and_back::<Gate>(repository, id, event, &metadata).await,
            StreamType::Shard => there_and_back::<Shard>(repository, id, event, &metadata).await,
        }
    }
    pool.close().await;
}
