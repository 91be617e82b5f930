//! The suite on the embedded store.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sealpost::log::LogFailure;
use sealpost::log::sqlite::SqliteStore;
use sealpost::log::store::Store;
use tempfile::TempDir;

use super::suite;
use super::world::{EsRow, Fixture};

/// A log in a folder of its own.
pub struct Sqlite {
    folder: TempDir,
}

impl Sqlite {
    fn dir(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn connection(&self) -> Connection {
        Connection::open(self.dir().join("log.db")).unwrap()
    }
}

impl Fixture for Sqlite {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn store(&self) -> Result<Box<dyn Store>, LogFailure> {
        Ok(Box::new(SqliteStore::at(&self.dir())?))
    }

    fn es_rows(&self) -> Vec<EsRow> {
        let connection = self.connection();
        let columns = "aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata";
        let mut statement = connection.prepare(&format!("SELECT {columns} FROM events_es")).unwrap();
        let rows = statement.query_map([], |row| {
            Ok(EsRow {
                aggregate_type: row.get(0)?,
                aggregate_id: row.get(1)?,
                sequence: row.get(2)?,
                event_type: row.get(3)?,
                event_version: row.get(4)?,
                payload: row.get(5)?,
                metadata: row.get(6)?,
            })
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn leaves(&self) -> Vec<[u8; 32]> {
        let connection = self.connection();
        let mut statement = connection.prepare("SELECT leaf FROM events ORDER BY position").unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn tamper(&self, position: u64) -> Vec<String> {
        let connection = self.connection();
        let mut errors = Vec::new();
        for sql in [
            format!("UPDATE events SET payload = '{{}}' WHERE position = {position}"),
            format!("DELETE FROM events WHERE position = {position}"),
        ] {
            errors.extend(connection.execute(&sql, []).err().map(|error| error.to_string()));
        }
        errors
    }

    fn stored_bytes(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = std::fs::read_dir(self.dir()).unwrap();
        let paths = files.map(|entry| entry.unwrap().path());
        paths.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
    }
}

suite! { Sqlite:
    appending {
        positions_and_both_sequences_are_dense,
        a_request_is_recorded_whole_and_side_by_side,
        many_callers_leave_no_gap,
        time_never_falls,
        a_malformed_request_is_answered_and_records_nothing,
        what_is_stored_is_what_the_leaf_covers,
        a_stored_event_can_neither_be_changed_nor_removed,
    }
    conflicts {
        a_wrong_sequence_fails_alone,
        rows_of_one_request_see_each_other,
        next_takes_what_is_there,
        a_conflict_poisons_its_generation_unless_it_is_an_answer,
        after_a_failure_nothing_of_its_generation_lands,
        a_row_that_the_store_refuses_fails_alone,
        a_missing_key_fails_alone,
    }
    idempotency {
        a_repeat_gets_the_first_answer,
        another_body_under_the_same_key_is_refused,
        repeats_in_one_round_record_one_call,
        an_expired_key_is_free_again,
        keys_of_two_accounts_do_not_meet,
        the_key_of_a_failed_call_is_free,
    }
    lanes {
        new_mail_is_told_busy_while_outcomes_and_security_get_through,
        a_slot_is_held_until_its_outcome_is_answered,
        a_full_disk_stops_new_mail_alone,
        a_generation_keeps_its_order_across_lanes,
        a_fence_is_passed_when_all_before_it_is_answered,
    }
    indexes {
        a_key_is_found_by_its_hash,
        a_login_is_found_by_its_token_and_taken_once,
        suppressed_addresses_come_and_go,
    }
    reading {
        events_come_in_pages,
        an_account_s_own_sequence_has_no_gap,
        an_actor_is_woken_from_control_streams_alone,
        the_tail_tells_tasks_and_threads,
        projections_get_events_in_clear,
        the_seven_columns_are_read_by_the_types_of_cqrs,
        nothing_personal_lies_in_clear,
    }
    restarting {
        a_log_goes_on_where_it_stopped,
        a_second_owner_is_refused,
        closing_writes_what_waits,
    }
    stopping {
        a_failed_commit_acknowledges_nothing_and_the_log_comes_back,
        what_is_on_record_after_all_is_acknowledged,
        a_store_that_stays_away_stops_the_log_until_it_is_back,
        a_full_disk_is_told_as_such,
        a_store_that_lost_what_was_acknowledged_is_not_appended_to,
    }
}
