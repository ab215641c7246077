//! Every table as rows of text, the same from both engines: two dumps can be compared byte by byte.
//!
//! [`TABLES`] names what there is; a test holds it equal to both schemas. A new column is added there.

use std::fmt::Write;

use sqlx::{
    Column as _, Row as _, TypeInfo as _, ValueRef as _, postgres::PgRow, sqlite::SqliteRow,
};

use super::{Conn, Kind, Result, Value, sql};
use crate::domain::Timestamp;

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// How many of its first columns are the primary key.
    pub key: usize,
    /// Its columns in the order they are written, key first.
    pub columns: &'static [Column],
}

/// A column.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A number or an id.
    Number,
    /// Yes or no.
    Truth,
    /// A text.
    Text,
    /// A moment of the field, such as when a mail was written.
    Moment,
    /// The moment the row was made, which differs between two loads of the same mails.
    Loading,
    /// Bytes.
    Bytes,
    /// A text or bytes that let somebody in.
    Secret,
    /// Bytes of which size and digest stand beside them.
    Packed,
}

/// What to leave out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Leave out moments of loading.
    pub stable: bool,
    /// Show secrets.
    pub secrets: bool,
    /// Show whole mails, too.
    pub whole: bool,
}

/// The rows of a page; the text columns are narrow in most tables.
const PAGE: i64 = 1000;
/// The rows of a page where each may hold a whole mail.
const WIDE_PAGE: i64 = 50;

use Holds::{Bytes, Loading, Moment, Number, Packed, Secret, Text, Truth};

macro_rules! tables {
    ($($table:ident($key:literal) { $($column:ident: $holds:ident),* $(,)? })*) => {
        /// Every table, in an order in which they could be loaded.
        pub const TABLES: &[Table] = &[$(Table {
            name: stringify!($table),
            key: $key,
            columns: &[$(Column { name: stringify!($column), holds: $holds }),*],
        }),*];
    };
}

tables! {
    site(1) { id: Number, domain: Text, name: Text }
    account(1) {
        id: Number, username: Text, first_name: Text, last_name: Text, email: Text, password: Secret,
        is_active: Truth, is_staff: Truth, is_superuser: Truth, registration_pending: Truth,
        date_joined: Loading, last_login: Loading, send_email: Truth, items_per_page: Number, show_ids: Truth,
        theme: Text, diff_view: Text, list_filters: Text, time_zone: Text, single_keys: Truth, has_second_factor: Truth,
        replies_seen: Number,
    }
    person(1) { id: Number, email: Text, name: Text, key: Text, account_id: Number }
    project(1) {
        id: Number, linkname: Text, name: Text, list_id: Text, list_email: Text, subject_match: Text,
        web_url: Text, scm_url: Text, webscm_url: Text, list_archive_url: Text, list_archive_url_format: Text,
        commit_url_format: Text, send_notifications: Truth, show_dependencies: Truth, use_tags: Truth,
        supersede: Truth,
    }
    maintainer(2) { account_id: Number, project_id: Number }
    delegation_rule(1) { id: Number, project_id: Number, account_id: Number, path: Text, priority: Number }
    state(1) { id: Number, name: Text, slug: Text, ordering: Number, action_required: Truth }
    tag(1) { id: Number, name: Text, pattern: Text, abbrev: Text, show_column: Truth }
    cover(1) {
        id: Number, project_id: Number, submitter_id: Number, msgid: Text, date: Moment, name: Text,
        headers: Text, content: Text,
    }
    series(1) {
        id: Number, project_id: Number, submitter_id: Number, cover_id: Number, name: Text, date: Moment,
        version: Number, minor: Number, total: Number,
    }
    series_reference(3) { project_id: Number, msgid: Text, series_id: Number, distance: Number }
    series_dependency(2) { from_series_id: Number, to_series_id: Number, position: Number }
    revision_sign(3) { series_id: Number, kind: Text, value: Text, project_id: Number }
    revision_link(1) {
        series_id: Number, earlier_id: Number, reason: Text, claimed: Truth, account_id: Number, date: Loading,
    }
    unmet_dependency(3) { project_id: Number, msgid: Text, series_id: Number, position: Number }
    tally(5) {
        project_id: Number, kind: Text, category: Text, state_id: Number, archived: Truth, count: Number,
    }
    patch_relation(1) { id: Number }
    patch(1) {
        id: Number, project_id: Number, submitter_id: Number, state_id: Number, delegate_id: Number,
        series_id: Number, related_id: Number, number: Number, archived: Truth, date: Moment, msgid: Text,
        name: Text, name_key: Text, hash: Text, commit_ref: Text, pull_url: Text,
    }
    patch_body(1) { patch_id: Number, headers: Text, content: Text, diff: Text }
    patch_tag(2) { patch_id: Number, tag_id: Number, count: Number }
    comment(1) {
        id: Number, patch_id: Number, cover_id: Number, submitter_id: Number, addressed: Truth, date: Moment,
        msgid: Text, headers: Text, content: Text,
    }
    bundle(1) { id: Number, owner_id: Number, project_id: Number, name: Text, public: Truth, description: Text }
    bundle_patch(2) { bundle_id: Number, patch_id: Number, position: Number }
    patch_check(1) {
        id: Number, patch_id: Number, account_id: Number, date: Moment, state: Number, context: Text,
        target_url: Text, description: Text,
    }
    event(1) {
        id: Number, category: Text, project_id: Number, date: Loading, actor_id: Number, patch_id: Number,
        series_id: Number, cover_id: Number, comment_id: Number, check_id: Number, previous_state_id: Number,
        current_state_id: Number, previous_delegate_id: Number, current_delegate_id: Number,
        previous_relation_id: Number, current_relation_id: Number,
    }
    mail(1) {
        id: Number, project_id: Number, msgid: Text, received: Loading, outcome: Text, patch_id: Number,
        cover_id: Number, comment_id: Number, size: Number, digest: Bytes, packed: Packed,
    }
    quarantine(1) {
        id: Number, project_id: Number, list_id: Text, msgid: Text, kind: Text, reason: Text, received: Loading,
        tries: Number, last_try: Loading, size: Number, digest: Bytes, packed: Packed,
    }
    awaited(3) { project_id: Number, msgid: Text, digest: Bytes }
    email_confirmation(1) {
        id: Number, type: Text, email: Text, account_id: Number, key_digest: Secret, date: Loading, active: Truth,
    }
    email_optout(1) { email: Text }
    patch_change_notification(1) { patch_id: Number, last_modified: Loading, orig_state_id: Number }
    token(1) {
        id: Number, account_id: Number, key_hash: Secret, name: Text, scope: Text, created: Loading,
        expires: Loading, last_used: Loading,
    }
    session(1) {
        key_hash: Secret, account_id: Number, data: Secret, created: Loading, expires: Loading, agent: Text,
        address: Text, seen: Loading,
    }
    second_factor(1) { account_id: Number, secret: Secret, created: Loading, last_step: Number }
    recovery_code(2) { account_id: Number, code_hash: Secret }
    pending_login(1) { key_hash: Secret, account_id: Number, expires: Loading }
    unsubscribe(1) { key_hash: Secret, email: Text, created: Loading }
    throttle(1) { key: Bytes, began: Loading, count: Number }
    undo(1) { id: Number, account_id: Number, created: Loading, data: Text }
    account_group(1) { id: Number, name: Text }
    group_member(2) { group_id: Number, account_id: Number }
    group_permission(2) { group_id: Number, permission: Text }
    account_permission(2) { account_id: Number, permission: Text }
    audit(1) {
        id: Number, date: Loading, account_id: Number, username: Text, address: Text, action: Number, model: Text,
        object_id: Text, object: Text, changes: Text,
    }
    person_alias(1) { email: Text, person_id: Number }
    project_alias(1) { linkname: Text, project_id: Number }
    outbox(1) {
        id: Number, sender: Text, recipient: Text, subject: Text, headers: Text, content: Secret, created: Loading,
        tries: Number, next_try: Loading, last_error: Text, failed: Truth,
    }
    job(1) {
        id: Number, kind: Text, argument: Text, status: Text, created: Loading, account_id: Number, claims: Number,
        claimed_until: Loading, finished: Loading, position: Number, goal: Number, changed: Number, log: Text,
    }
    pulse(1) { name: Text, date: Loading }
    saved_filter(1) { id: Number, project_id: Number, account_id: Number, name: Text, query: Text, created: Loading }
    webhook(1) {
        id: Number, project_id: Number, url: Text, secret: Secret, categories: Text, active: Truth, created: Loading,
        last_event: Number, failures: Number, rests_until: Loading,
    }
    webhook_delivery(1) {
        id: Number, webhook_id: Number, event_id: Number, category: Text, body: Text, created: Loading, tries: Number,
        next_try: Loading, delivered: Loading, status: Number, answer: Text, took: Number,
    }
    review_claim(1) {
        id: Number, patch_id: Number, series_id: Number, account_id: Number, made: Loading, ends: Loading,
    }
    mail_source(1) { name: Text, position: Text, date: Loading }
}

/// Tables that are made of the others, and so neither dumped nor kept in backups: the index of texts.
pub const DERIVED: &[&str] = &["search_doc", "search_wait", "search_state"];

/// Returns the table of that name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

/// Where the last page ended; the next begins after it.
#[derive(Debug, Default)]
pub struct Place(Option<Vec<Value>>);

impl Table {
    /// Says whether its rows have numbers of their own, which the database hands out.
    pub fn has_ids(&self) -> bool {
        self.columns[0].name == "id"
    }

    /// Returns the next rows as lines of JSON without line ends, and moves `place` on. No rows: that was all.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn page(
        &self,
        conn: &mut Conn,
        place: &mut Place,
        options: Options,
    ) -> Result<Vec<String>> {
        let query = self.query(conn.kind(), place.0.take(), options);
        let rows: Vec<Cells> = query.all(conn).await?;
        if let Some(Cells(last)) = rows.last() {
            place.0 = Some(last[..self.key].iter().map(Cell::as_value).collect());
        }
        let line = |Cells(cells): &Cells| self.line(cells, options);
        Ok(rows.iter().map(line).collect())
    }

    fn query(&self, kind: Kind, after: Option<Vec<Value>>, options: Options) -> super::Sql {
        let mut query = sql("SELECT ");
        let mut separator = "";
        for column in self.read(options) {
            query.push(separator).push(column.name);
            separator = ", ";
        }
        query.push(" FROM ").push(self.name);
        if let Some(values) = after {
            query.push(" WHERE (");
            self.push_key(&mut query, kind);
            query.push(") > ").list(values);
        }
        query.push(" ORDER BY ");
        self.push_key(&mut query, kind);
        let is_wide = self
            .read(options)
            .any(|column| matches!(column.name, "content" | "headers" | "packed"));
        query
            .push(" LIMIT ")
            .arg(if is_wide { WIDE_PAGE } else { PAGE });
        query
    }

    /// Appends the key's columns, texts in code point order on both engines.
    fn push_key(&self, query: &mut super::Sql, kind: Kind) {
        let mut separator = "";
        for column in &self.columns[..self.key] {
            query.push(separator).push(column.name);
            if column.holds == Text && kind == Kind::Postgres {
                query.push(" COLLATE \"C\"");
            }
            separator = ", ";
        }
    }

    /// Returns the columns that are read at all: whole mails only if they are wanted.
    fn read(&self, options: Options) -> impl Iterator<Item = &Column> {
        let is_read = move |column: &&Column| options.whole || column.holds != Packed;
        self.columns.iter().filter(is_read)
    }

    fn line(&self, cells: &[Cell], options: Options) -> String {
        let mut line = format!("{{\"table\":\"{}\"", self.name);
        for (column, cell) in self.read(options).zip(cells) {
            let cell = match column.holds {
                Loading if options.stable => continue,
                Secret if options.stable || !options.secrets => &Cell::Null,
                _ => cell,
            };
            write!(line, ",\"{}\":", column.name).expect("a String takes any text");
            cell.write(column.holds, &mut line);
        }
        line.push('}');
        line
    }
}

/// A value as either engine hands it over.
#[derive(Clone, Debug)]
enum Cell {
    Null,
    Number(i64),
    Truth(bool),
    Text(String),
    Bytes(Vec<u8>),
    Moment(Timestamp),
}

impl Cell {
    fn as_value(&self) -> Value {
        match self {
            Cell::Null => Value::Int(None),
            Cell::Number(number) => Value::Int(Some(*number)),
            Cell::Truth(yes) => Value::Bool(Some(*yes)),
            Cell::Text(text) => Value::Text(Some(text.clone())),
            Cell::Bytes(bytes) => Value::Bytes(Some(bytes.clone())),
            Cell::Moment(moment) => Value::Time(Some(*moment)),
        }
    }

    fn write(&self, holds: Holds, line: &mut String) {
        match (self, holds) {
            (Cell::Null, _) => line.push_str("null"),
            // SQLite keeps both as numbers.
            (Cell::Number(number), Truth) => {
                line.push_str(if *number == 0 { "false" } else { "true" })
            }
            (Cell::Number(micros), Moment | Loading) => moment(Timestamp(*micros), line),
            (Cell::Number(number), _) => {
                write!(line, "{number}").expect("a String takes any text");
            }
            (Cell::Truth(yes), _) => line.push_str(if *yes { "true" } else { "false" }),
            (Cell::Moment(at), _) => moment(*at, line),
            (Cell::Text(text), _) => {
                line.push_str(&serde_json::Value::from(text.as_str()).to_string());
            }
            (Cell::Bytes(bytes), _) => {
                line.push('"');
                for byte in bytes {
                    write!(line, "{byte:02x}").expect("a String takes any text");
                }
                line.push('"');
            }
        }
    }
}

fn moment(at: Timestamp, line: &mut String) {
    line.push('"');
    line.push_str(&at.format("%Y-%m-%dT%H:%M:%S%.6fZ"));
    line.push('"');
}

struct Cells(Vec<Cell>);

impl<'r> sqlx::FromRow<'r, SqliteRow> for Cells {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        let cell = |at: usize| {
            let raw = row.try_get_raw(at)?;
            let is_null = raw.is_null();
            let kind = raw.type_info().name().to_owned();
            Ok(match kind.as_str() {
                _ if is_null => Cell::Null,
                "INTEGER" => Cell::Number(row.try_get(at)?),
                "BLOB" => Cell::Bytes(row.try_get(at)?),
                _ => Cell::Text(row.try_get(at)?),
            })
        };
        let cells: sqlx::Result<_> = (0..row.len()).map(cell).collect();
        cells.map(Cells)
    }
}

impl<'r> sqlx::FromRow<'r, PgRow> for Cells {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        let cell = |at: usize| {
            if row.try_get_raw(at)?.is_null() {
                return Ok(Cell::Null);
            }
            Ok(match row.column(at).type_info().name() {
                "BOOL" => Cell::Truth(row.try_get(at)?),
                "INT8" => Cell::Number(row.try_get(at)?),
                "BYTEA" => Cell::Bytes(row.try_get(at)?),
                "TIMESTAMPTZ" => Cell::Moment(row.try_get(at)?),
                _ => Cell::Text(row.try_get(at)?),
            })
        };
        let cells: sqlx::Result<_> = (0..row.len()).map(cell).collect();
        cells.map(Cells)
    }
}

/// Returns the names of all tables and columns of the database, for the test that holds [`TABLES`] equal. What an index of
/// words keeps in tables of its own is no table of ours, and what triggers note with a patch is no column of its own.
///
/// # Errors
/// When the database is away.
pub async fn schema(conn: &mut Conn) -> Result<Vec<(String, String)>> {
    let text = match conn.kind() {
        Kind::Sqlite => {
            "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE '_sqlx_%' \
             AND t.name NOT LIKE 'patch_words%' AND t.name NOT LIKE 'search_%' \
             AND NOT (t.name = 'patch' AND c.name IN ('check_state', 'unaddressed')) ORDER BY t.name, c.name"
        }
        Kind::Postgres => {
            "SELECT table_name::text, column_name::text FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name NOT LIKE '_sqlx_%' \
             AND table_name NOT LIKE 'search_%' \
             AND NOT (table_name = 'patch' AND column_name IN ('check_state', 'unaddressed')) ORDER BY 1, 2"
        }
    };
    sql(text).all(conn).await
}
