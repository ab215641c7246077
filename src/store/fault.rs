//! What database errors mean for whoever runs the site: one sentence, and what to do where that is known.

use std::{fmt, io};

use sqlx::{error::DatabaseError, postgres::PgDatabaseError, sqlite::SqliteError};

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

/// Says whether an error of the driver is about what was asked or answered, not about the connection.
pub(super) fn is_about_values(error: &sqlx::Error) -> bool {
    use sqlx::Error::{
        ColumnDecode, ColumnIndexOutOfBounds, ColumnNotFound, Decode, Encode, RowNotFound,
        TypeNotFound,
    };
    matches!(
        error,
        ColumnDecode { .. }
            | ColumnIndexOutOfBounds { .. }
            | ColumnNotFound(_)
            | Decode(_)
            | Encode(_)
            | RowNotFound
            | TypeNotFound { .. }
    )
}

/// Says whether a table, a column or a right is missing.
pub(super) fn is_about_schema(error: &dyn DatabaseError) -> bool {
    match error.try_downcast_ref::<SqliteError>() {
        Some(error) => error.message().starts_with("no such"),
        None => matches!(
            error.code().as_deref(),
            Some("42501" | "42P01" | "42703" | "42883" | "3F000")
        ),
    }
}

fn sqlite(code: u32) -> Option<String> {
    // The upper bytes of a code say more than anybody asks.
    let text = match code & 0xff {
        8 => {
            "it may only be read: let this user write the file, those beside it that end in -wal and -shm, and the folder"
        }
        10 => "the disk cannot be read or written; the system's log may say why",
        11 => "the file is damaged: restore it from a backup",
        13 => "the disk is full",
        14 => "the file cannot be opened: check its name, and that this user may write its folder",
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
                format!("there is no database {name} on the server: make it with `createdb {name}`")
            }
            None => "there is no such database on the server: make it with `createdb`".to_owned(),
        },
        "28P01" | "28000" => format!("the server refuses this user or password: {said}"),
        "42501" => format!("the user lacks a right: {said}; use the owner or GRANT it"),
        "53100" => format!("the disk of the server is full: {said}"),
        "57014" => format!("a statement took too long: {said}; see database.statement_timeout"),
        "57P01" | "57P02" | "57P03" => format!("the server stops or starts: {said}"),
        "53300" => format!("the server takes no more connections: {said}"),
        "25006" => format!("the server may only be read: {said}; write to the primary"),
        _ => return None,
    })
}

fn one_line(error: &impl fmt::Display) -> String {
    let text = error.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
