//! Read models in SQLite, one file each: a writer, and readers that never write.
//!
//! A file is WAL with `synchronous=NORMAL`: what a power cut takes is built again. Its writer notices when somebody
//! else deleted, cut or emptied it, and starts from zero.

mod checkpoint;
mod file;
mod reader;
mod rows;
mod writer;

use rusqlite::ErrorCode;

use crate::projection::Projection;

pub(crate) use checkpoint::{Checkpoint, position_seen};
pub(crate) use file::{file_of, remove_other_versions};
pub(crate) use reader::Reader;
pub(crate) use rows::walk;
pub(crate) use writer::{Round, Standing, Store};

/// What is constant about a projection, as the store needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub name: &'static str,
    pub schema: &'static str,
    pub tables: &'static [&'static str],
}

impl Shape {
    pub const fn of<P: Projection>() -> Self {
        Self {
            name: P::NAME,
            schema: P::SCHEMA,
            tables: P::TABLES,
        }
    }
}

/// Whether the file itself is damaged, so that only a new one helps.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// Whether the store refuses this row and would take others.
pub(crate) fn is_row_refused(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig)
    )
}
