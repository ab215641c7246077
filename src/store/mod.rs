//! All SQL: one file per noun. A row and the event that tells of it are written in one transaction.
//!
//! One SQL text serves SQLite and PostgreSQL; `sql.rs` runs it on either, `db.rs` holds the connections.
//! To read or write something new: a function in the noun's file that takes `&mut Conn` first.

pub mod admin;
pub mod audit;
pub mod awaited;
pub mod backup;
pub mod bulk;
pub mod bundle;
pub mod check;
pub mod comment;
pub mod confirmation;
pub mod cover;
pub mod dashboard;
mod db;
pub mod delegation;
pub mod dump;
pub mod event;
pub mod evidence;
mod fault;
pub mod fixture;
pub mod grants;
pub mod health;
pub mod job;
pub mod lookup;
pub mod mail;
pub mod migrate;
pub mod notification;
pub mod optout;
pub mod outbox;
pub mod patch;
pub mod patience;
pub mod permission;
pub mod person;
mod pool;
pub mod project;
pub mod quarantine;
pub mod relation;
pub mod review;
pub mod revision;
mod rows;
pub mod saved;
pub mod search;
pub mod second_factor;
pub mod sequence;
pub mod series;
pub mod session;
pub mod site;
pub mod source;
mod sql;
pub mod stamp;
pub mod standby;
pub mod state;
pub mod submission;
pub mod tag;
pub mod tally;
pub mod thread;
pub mod throttle;
pub mod token;
pub mod undo;
pub mod unsubscribe;
pub mod user;
mod value;
pub mod webhook;
pub mod window;

pub use db::{Conn, Db, Kind, Options, Tx};
pub use pool::{Database, Pool, Statements};
pub use rows::Batch;
pub use sql::{Sql, sql};
pub use value::Value;

/// What can go wrong between us and a database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database's address cannot be understood.
    #[error("{0}")]
    Address(String),
    /// The database cannot be reached, or hung up.
    #[error("the database cannot be reached: {}", fault::away(.0))]
    Away(sqlx::Error),
    /// The database holds another schema than this program knows.
    #[error("{0}")]
    Schema(String),
    /// A statement failed.
    #[error("{}", fault::statement(.0))]
    Statement(sqlx::Error),
}

/// The result of asking a database.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Protocol, Tls, WorkerCrashed};
        match error {
            Io(_) | Tls(_) | Protocol(_) | PoolTimedOut | PoolClosed | WorkerCrashed => {
                Error::Away(error)
            }
            error => Error::Statement(error),
        }
    }
}

impl Error {
    /// Says whether somebody else who was writing got in the way: the same may succeed in a moment.
    pub fn is_contention(&self) -> bool {
        let Error::Statement(sqlx::Error::Database(error)) = self else {
            return false;
        };
        let code = error.code().unwrap_or_default();
        // Serialisation failure, deadlock, a lock not to be had, a statement that waited or took too long;
        // SQLITE_BUSY and its extended codes.
        matches!(
            &*code,
            "40001" | "40P01" | "55P03" | "57014" | "5" | "261" | "517"
        )
    }

    /// Says whether the database refused what it was given. Otherwise it is in no state to take anything: the
    /// next statement will fare no better.
    pub fn is_refusal(&self) -> bool {
        let Error::Statement(error) = self else {
            return false;
        };
        let sqlx::Error::Database(error) = error else {
            return fault::is_about_values(error);
        };
        // What is not there or not allowed is so for every mail.
        if fault::is_about_schema(&**error) {
            return false;
        }
        let code = error.code().unwrap_or_default();
        match code.parse::<u32>() {
            // SQLite: a bad statement, too big, a constraint, a wrong type, out of range.
            Ok(number) if code.len() < 5 => matches!(number & 0xff, 1 | 18 | 19 | 20 | 25),
            // PostgreSQL: whatever is not the connection, the transaction, another's lock, resources, the
            // operator, the system, or the server's own files.
            _ => ![
                "08", "25", "28", "3D", "40", "53", "55", "57", "58", "XX001", "XX002",
            ]
            .iter()
            .any(|class| code.starts_with(class)),
        }
    }

    /// Says whether a table is not there.
    pub(crate) fn is_missing_table(&self) -> bool {
        let Error::Statement(sqlx::Error::Database(error)) = self else {
            return false;
        };
        // SQLite has one code for whatever is wrong with a statement.
        let is_sqlite = error.code().is_some_and(|code| code == "1");
        error.code().is_some_and(|code| code == "42P01")
            || is_sqlite && error.message().starts_with("no such table")
    }

    /// Says whether a unique index refused the row.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Error::Statement(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}

/// Returns the pattern of LIKE that finds a text, in lower case as the keys are.
fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_look_for_is_taken_literally() {
        assert_eq!(containing("50%_\\X"), "%50\\%\\_\\\\x%");
    }
}
