//! Empty stand-in: sqlx names this driver, and nothing here builds it (docs/decisions/0001-one-sqlite.md).
