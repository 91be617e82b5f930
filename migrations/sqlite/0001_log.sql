-- The log: events, their streams and accounts, and the indexes that decide an act. No projection lives here.

CREATE TABLE accounts (
    id      INTEGER PRIMARY KEY,
    account BLOB NOT NULL UNIQUE CHECK (length(account) = 16)
) STRICT;

CREATE TABLE streams (
    id          INTEGER PRIMARY KEY,
    stream_type TEXT NOT NULL,
    stream_id   TEXT NOT NULL,
    account     INTEGER REFERENCES accounts (id),
    UNIQUE (stream_id, stream_type)
) STRICT;

-- What an account's actor is woken from. A message stream is never loaded, so it costs nothing here.
CREATE INDEX streams_control ON streams (account)
    WHERE stream_type IN ('account', 'user', 'api_key', 'sending_domain');

CREATE TABLE events (
    position      INTEGER PRIMARY KEY CHECK (position > 0),
    stream        INTEGER NOT NULL REFERENCES streams (id),
    sequence      INTEGER NOT NULL CHECK (sequence > 0),
    account       INTEGER REFERENCES accounts (id),
    account_seq   INTEGER CHECK (account_seq > 0),
    epoch         INTEGER NOT NULL CHECK (epoch > 0),
    recorded_at   INTEGER NOT NULL,
    event_id      BLOB NOT NULL CHECK (length(event_id) = 16),
    event_type    TEXT NOT NULL,
    event_version TEXT NOT NULL,
    payload       TEXT NOT NULL,
    metadata      TEXT NOT NULL,
    leaf          BLOB NOT NULL CHECK (length(leaf) = 32),
    CHECK ((account IS NULL) = (account_seq IS NULL))
) STRICT;

CREATE UNIQUE INDEX events_sequence ON events (stream, sequence);
CREATE UNIQUE INDEX events_account_seq ON events (account, account_seq) WHERE account IS NOT NULL;
CREATE UNIQUE INDEX events_event_id ON events (event_id);

CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN
    SELECT RAISE (ABORT, 'the log is append-only');
END;

CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
BEGIN
    SELECT RAISE (ABORT, 'the log is append-only');
END;

-- The seven columns of postgres-es, so that its types read this log.
CREATE VIEW events_es AS
SELECT s.stream_type AS aggregate_type,
       s.stream_id AS aggregate_id,
       e.sequence AS sequence,
       e.event_type AS event_type,
       e.event_version AS event_version,
       e.payload AS payload,
       e.metadata AS metadata
FROM events e
         JOIN streams s ON s.id = e.stream;

-- SHA-256 of an API key, in hex, to its account and id.
CREATE TABLE key_index (
    hash    TEXT PRIMARY KEY,
    account BLOB NOT NULL,
    key     BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Token of a sign-in address to its account and user.
CREATE TABLE login_index (
    token   TEXT PRIMARY KEY,
    account BLOB NOT NULL,
    user    BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Who is written to no more; a released address leaves.
CREATE TABLE suppressed (
    account INTEGER NOT NULL REFERENCES accounts (id),
    token   TEXT NOT NULL,
    reason  TEXT NOT NULL,
    until   INTEGER,
    PRIMARY KEY (account, token)
) STRICT, WITHOUT ROWID;

-- Answers to repeated calls; swept when they have expired.
CREATE TABLE idempotency (
    account    INTEGER NOT NULL REFERENCES accounts (id),
    key_hash   BLOB NOT NULL CHECK (length(key_hash) = 32),
    digest     BLOB NOT NULL CHECK (length(digest) = 32),
    answer     TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (account, key_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_expiry ON idempotency (expires_at);
