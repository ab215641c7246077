//! The log of administration: written in the transaction of what it tells, never edited.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Conn, Result, Tx, sql};
use crate::domain::{Timestamp, UserId};

/// What was done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It was made.
    Added,
    /// It was changed.
    Changed,
    /// It was deleted.
    Deleted,
}

impl Action {
    /// Returns the number under which it is kept. Compatibility: logs of older sites have the same.
    pub fn number(self) -> i64 {
        match self {
            Action::Added => 1,
            Action::Changed => 2,
            Action::Deleted => 3,
        }
    }

    /// Returns the word for a number.
    pub fn word(number: i64) -> &'static str {
        match number {
            1 => "added",
            2 => "changed",
            _ => "deleted",
        }
    }
}

/// A field that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The field.
    pub field: String,
    /// What was in it.
    #[serde(default)]
    pub before: String,
    /// What is in it now.
    #[serde(default)]
    pub after: String,
}

impl Change {
    /// A field, and what became of it.
    pub fn new(field: &str, before: impl Into<String>, after: impl Into<String>) -> Change {
        Change {
            field: field.to_owned(),
            before: before.into(),
            after: after.into(),
        }
    }
}

/// Something to be logged.
#[derive(Clone, Debug)]
pub struct NewEntry<'a> {
    /// When it was done.
    pub date: Timestamp,
    /// Who did it; nobody for commands.
    pub user: Option<UserId>,
    /// That user's login name, which stays when the account goes.
    pub username: &'a str,
    /// The network address it was done from.
    pub address: &'a str,
    /// What was done.
    pub action: Action,
    /// The kind of object, such as `patchwork.project`.
    pub model: &'a str,
    /// Its id, as addresses spell it.
    pub object_id: &'a str,
    /// What it was called.
    pub object: &'a str,
    /// What was changed.
    pub changes: &'a [Change],
}

/// The most characters that are kept of what was in a field.
const MOST: usize = 2000;

/// Logs something.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(tx: &mut Tx, entry: &NewEntry<'_>) -> Result<()> {
    let short = |text: &str| text.chars().take(MOST).collect::<String>();
    let changes: Vec<Change> = entry
        .changes
        .iter()
        .map(|change| Change::new(&change.field, short(&change.before), short(&change.after)))
        .collect();
    sql(
        "INSERT INTO audit (date, account_id, username, address, action, model, object_id, object, changes) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(entry.date)
    .bind(entry.user)
    .bind(entry.username)
    .bind(entry.address)
    .bind(entry.action.number())
    .bind(entry.model)
    .bind(entry.object_id)
    .bind(short(entry.object))
    .bind(serde_json::to_string(&changes).unwrap_or_else(|_| "[]".to_owned()))
    .run(tx)
    .await?;
    Ok(())
}

/// An entry of the log.
#[derive(Clone, Debug, FromRow)]
pub struct Entry {
    /// When it was done.
    pub date: Timestamp,
    /// Who did it.
    pub username: String,
    /// From where.
    pub address: String,
    /// What was done, as a number.
    pub action: i64,
    /// The kind of object.
    pub model: String,
    /// Its id.
    pub object_id: String,
    /// What it was called.
    pub object: String,
    changes: String,
}

impl Entry {
    /// Returns what was changed.
    pub fn changes(&self) -> Vec<Change> {
        read(&self.changes)
    }
}

/// Reads changes as they are kept; what cannot be read says nothing.
pub fn read(changes: &str) -> Vec<Change> {
    serde_json::from_str(changes).unwrap_or_default()
}

const ENTRY: &str =
    "SELECT date, username, address, action, model, object_id, object, changes FROM audit ";

/// Returns what was done to an object, the latest first.
///
/// # Errors
/// When the database is away.
pub async fn of(conn: &mut Conn, model: &str, object_id: &str) -> Result<Vec<Entry>> {
    let mut query = sql(ENTRY);
    query.push("WHERE model = ").arg(model);
    query.push(" AND object_id = ").arg(object_id);
    query.push(" ORDER BY id DESC LIMIT 500");
    query.all(conn).await
}

/// Returns what a user did last.
///
/// # Errors
/// When the database is away.
pub async fn latest(conn: &mut Conn, user: UserId, most: i64) -> Result<Vec<Entry>> {
    let mut query = sql(ENTRY);
    query.push("WHERE account_id = ").arg(user);
    query.push(" ORDER BY id DESC LIMIT ").arg(most);
    query.all(conn).await
}
