//! Reads every row of a read model in the order of its primary key: what a digest is taken over.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::Shape;
use crate::digest::Digest;

/// Feeds the names of all tables and columns, and all rows, to the digest.
pub(crate) fn walk(connection: &Connection, shape: Shape, digest: &mut Digest) -> rusqlite::Result<()> {
    for table in shape.tables {
        let (columns, key) = columns(connection, table)?;
        digest.table(table, &columns);
        let sql = format!("SELECT {} FROM {table} ORDER BY {}", columns.join(", "), key.join(", "));
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            digest.row();
            for at in 0..columns.len() {
                match row.get_ref(at)? {
                    ValueRef::Null => digest.null(),
                    ValueRef::Integer(number) => digest.bytes(b'i', &number.to_be_bytes()),
                    ValueRef::Real(number) => digest.bytes(b'r', &number.to_bits().to_be_bytes()),
                    ValueRef::Text(text) => digest.bytes(b't', text),
                    ValueRef::Blob(bytes) => digest.bytes(b'b', bytes),
                }
            }
        }
    }
    Ok(())
}

/// All columns of a table in their order, and those of its primary key in theirs.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<(Vec<String>, Vec<String>)> {
    let mut statement = connection.prepare("SELECT name, pk FROM pragma_table_info($1) ORDER BY cid")?;
    let found: Vec<(String, i64)> = statement
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut key: Vec<(i64, String)> = found
        .iter()
        .filter(|(_, place)| *place > 0)
        .map(|(name, place)| (*place, name.clone()))
        .collect();
    key.sort();
    Ok((
        found.into_iter().map(|(name, _)| name).collect(),
        key.into_iter().map(|(_, name)| name).collect(),
    ))
}
