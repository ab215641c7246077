//! All SQL: one file per noun. A row and the event that tells of it are written in one transaction.
//!
//! One SQL text serves SQLite and PostgreSQL; `sql.rs` runs it on either, `db.rs` holds the connections.
//! To read or write something new: a function in the noun's file that takes `&mut Conn` first.

pub mod awaited;
pub mod check;
pub mod comment;
pub mod cover;
mod db;
pub mod delegation;
pub mod dump;
pub mod event;
pub mod fixture;
pub mod health;
pub mod mail;
pub mod migrate;
pub mod patch;
pub mod person;
mod pool;
pub mod project;
pub mod series;
mod sql;
pub mod state;
pub mod submission;
pub mod tag;
pub mod thread;
pub mod token;
pub mod user;
mod value;

pub use db::{Conn, Db, Kind, Options, Tx};
pub use pool::{Database, Pool};
pub use sql::{Sql, sql};
pub use value::Value;

/// How many rows one INSERT takes: SQLite's time to bind grows with the square of the values, and eight
/// texts per statement fit every connection's cache.
const ROWS: usize = 8;

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

/// What database errors mean for whoever runs the site: one sentence, and what to do where that is known.
mod fault {
    use std::{fmt, io};

    use sqlx::{postgres::PgDatabaseError, sqlite::SqliteError};

    /// Says why a database cannot be reached.
    pub(super) fn away(error: &sqlx::Error) -> String {
        let sqlx::Error::Io(cause) = error else {
            return error.to_string();
        };
        let advice = match cause.kind() {
            io::ErrorKind::ConnectionRefused => "check host and port, and that the server runs",
            io::ErrorKind::NotFound => "the server's socket is not there; does the server run?",
            io::ErrorKind::TimedOut => "check host and port, and what lies between",
            // The resolver's answers have no kind of their own.
            _ if cause.to_string().contains("lookup") => "check the name of the host",
            _ => return cause.to_string(),
        };
        format!("{cause}; {advice}")
    }

    /// Says why a statement failed, or what the statement showed to be wrong with the database.
    pub(super) fn statement(error: &sqlx::Error) -> String {
        let known = match error {
            sqlx::Error::Database(cause) => match cause.try_downcast_ref::<SqliteError>() {
                Some(_) => sqlite(cause.code().unwrap_or_default().parse().unwrap_or(0)),
                None => cause.try_downcast_ref().and_then(postgres),
            },
            _ => None,
        };
        known.unwrap_or_else(|| format!("the database refused a statement: {}", one_line(error)))
    }

    fn sqlite(code: u32) -> Option<String> {
        // The upper bytes of a code say more than anybody asks.
        let text = match code & 0xff {
            8 => "it may only be read: let this user write the file and its folder",
            10 => "the disk cannot be read or written; the system's log may say why",
            11 => "the file is damaged: restore it from a backup",
            13 => "the disk is full",
            14 => {
                "the file cannot be opened: check its name, and that this user may write its folder"
            }
            26 => "the file is no SQLite database: check database.url",
            _ => return None,
        };
        Some(text.to_owned())
    }

    fn postgres(error: &PgDatabaseError) -> Option<String> {
        let said = error.message();
        Some(match error.code() {
            "3D000" => match said.split('"').nth(1) {
                Some(name) => {
                    format!(
                        "there is no database {name} on the server: make it with `createdb {name}`"
                    )
                }
                None => {
                    "there is no such database on the server: make it with `createdb`".to_owned()
                }
            },
            "28P01" | "28000" => format!("the server refuses this user or password: {said}"),
            "42501" => format!("the user lacks a right: {said}; use the owner or GRANT it"),
            "53300" => format!("the server takes no more connections: {said}"),
            "25006" => format!("the server may only be read: {said}; write to the primary"),
            _ => return None,
        })
    }

    fn one_line(error: &impl fmt::Display) -> String {
        let text = error.to_string();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
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
        // Serialisation failure and deadlock; SQLITE_BUSY and its extended codes.
        matches!(&*code, "40001" | "40P01" | "5" | "261" | "517")
    }

    /// Says whether the database refused what it was given. Otherwise it is in no state to take anything: the
    /// next statement will fare no better.
    pub fn is_refusal(&self) -> bool {
        let Error::Statement(error) = self else {
            return false;
        };
        let sqlx::Error::Database(error) = error else {
            return true;
        };
        let code = error.code().unwrap_or_default();
        match code.parse::<u32>() {
            // SQLite: a bad statement, too big, a constraint, a wrong type, out of range.
            Ok(number) if code.len() < 5 => matches!(number & 0xff, 1 | 18 | 19 | 20 | 25),
            // PostgreSQL: data, constraints, the statement, its limits.
            _ => ["22", "23", "42", "54"]
                .iter()
                .any(|class| code.starts_with(class)),
        }
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
