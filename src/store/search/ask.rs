//! Asking the index: conditions as trees, and what they find, the newest first, a page at a time.

use sqlx::FromRow;

use super::{asked::Engine, index::first_number};
use crate::{
    domain::{
        CommentId, CoverId, MessageId, PatchId, PersonId, ProjectId, StateId, Timestamp,
        check::CheckState, filter::Delegate, search::words,
    },
    store::{Conn, Kind, Result, Sql, containing, sql},
};

/// Which of a mail's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Any.
    All,
    /// Those of the subject.
    Subject,
    /// Those of the message.
    Body,
    /// Those of the diff.
    Diff,
    /// Those that stand in no text.
    Extra,
}

/// A condition on a mail.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// All of these hold.
    All(Vec<Expr>),
    /// One of these holds.
    Any(Vec<Expr>),
    /// This does not hold.
    Not(Box<Expr>),
    /// These words follow each other; of the last one perhaps only the beginning.
    Words(Column, Vec<String>, bool),
    /// Written at this moment or later.
    Since(Timestamp),
    /// Written before.
    Before(Timestamp),
    /// One of these message ids.
    Message(Vec<MessageId>),
    /// It is a patch, or about one, of which this is true.
    Patch(Of),
}

/// What is true of a patch.
#[derive(Clone, Debug, PartialEq)]
pub enum Of {
    /// In one of these states.
    States(Vec<StateId>),
    /// On whose desk.
    Desk(Delegate),
    /// Put away.
    Archived,
    /// With a check of this result that no newer one has replaced.
    Check(CheckState),
    /// Without checks.
    NoChecks,
    /// With comments.
    Comments,
    /// With comments that ask for action.
    OpenComments,
}

impl Expr {
    /// Returns the condition that a text occurs: its words one after the other, each after `prefix`. A star at the end
    /// leaves the last one open. `None` for a text without words.
    pub fn text(column: Column, prefix: &str, text: &str) -> Option<Expr> {
        let is_open = text.ends_with('*');
        let words = words::of(text).into_iter();
        let words: Vec<String> = words.map(|word| format!("{prefix}{word}")).collect();
        (!words.is_empty()).then_some(Expr::Words(column, words, is_open))
    }

    /// Returns the condition that a mail has a mark, such as `j=3`.
    pub fn mark(kind: char, number: i64) -> Expr {
        Expr::Words(Column::Extra, vec![format!("{kind}={number}")], false)
    }

    /// Returns the condition that a mail is of one of these projects.
    pub fn projects(projects: &[ProjectId]) -> Expr {
        Expr::Any(projects.iter().map(|id| Expr::mark('j', id.0)).collect())
    }

    /// Returns the condition that a mail is from one of these people.
    pub fn people(people: &[PersonId]) -> Expr {
        Expr::Any(people.iter().map(|id| Expr::mark('w', id.0)).collect())
    }

    /// Says whether the index alone can answer it.
    fn is_words(&self) -> bool {
        match self {
            Expr::All(parts) | Expr::Any(parts) => {
                !parts.is_empty() && parts.iter().all(Expr::is_words)
            }
            Expr::Not(inner) => inner.is_words(),
            Expr::Words(..) => true,
            _ => false,
        }
    }

    /// Splits it into what the index can answer alone and the rest; both have to hold.
    fn split(self) -> (Vec<Expr>, Vec<Expr>) {
        self.parts().into_iter().partition(Expr::is_words)
    }

    /// Returns what all has to hold, whatever stands within brackets.
    fn parts(self) -> Vec<Expr> {
        match self {
            Expr::All(parts) => parts.into_iter().flat_map(Expr::parts).collect(),
            one => vec![one],
        }
    }
}

/// Writes a condition in the language of an engine's index.
fn matching(expr: &Expr, kind: Kind) -> String {
    match kind {
        Kind::Sqlite => fts5(expr),
        Kind::Postgres => tsquery(expr),
    }
}

/// What every mail has: FTS5 only takes away from something.
const EVERY: &str = "(extra : (\"k=0\" OR \"k=1\" OR \"k=2\"))";

fn fts5(expr: &Expr) -> String {
    match expr {
        Expr::Any(parts) => joined(parts, " OR ", fts5),
        Expr::All(parts) => {
            let (without, with): (Vec<&Expr>, Vec<&Expr>) =
                parts.iter().partition(|part| matches!(part, Expr::Not(_)));
            let mut out = match with.as_slice() {
                [] => EVERY.to_owned(),
                with => joined(with.iter().copied(), " AND ", fts5),
            };
            for part in without {
                if let Expr::Not(inner) = part {
                    out = format!("({out} NOT {})", fts5(inner));
                }
            }
            out
        }
        Expr::Not(inner) => format!("({EVERY} NOT {})", fts5(inner)),
        Expr::Words(column, words, is_open) => {
            let column = match column {
                Column::All => "",
                Column::Subject => "subject : ",
                Column::Body => "body : ",
                Column::Diff => "diff : ",
                Column::Extra => "extra : ",
            };
            let star = if *is_open { " *" } else { "" };
            format!("({column}\"{}\"{star})", words.join(" "))
        }
        _ => EVERY.to_owned(),
    }
}

fn tsquery(expr: &Expr) -> String {
    match expr {
        Expr::Any(parts) => joined(parts, " | ", tsquery),
        Expr::All(parts) => joined(parts, " & ", tsquery),
        Expr::Not(inner) => format!("!{}", tsquery(inner)),
        Expr::Words(column, words, is_open) => {
            let weight = match column {
                Column::All => "",
                Column::Subject => "A",
                Column::Body => "B",
                Column::Diff => "C",
                Column::Extra => "D",
            };
            let last = words.len().saturating_sub(1);
            let word = |(index, word): (usize, &String)| {
                let star = if *is_open && index == last { "*" } else { "" };
                let colon = if star.is_empty() && weight.is_empty() {
                    ""
                } else {
                    ":"
                };
                format!("'{word}'{colon}{star}{weight}")
            };
            let words: Vec<String> = words.iter().enumerate().map(word).collect();
            format!("({})", words.join(" <-> "))
        }
        _ => "('k=0' | 'k=1' | 'k=2')".to_owned(),
    }
}

fn joined<'a>(
    parts: impl IntoIterator<Item = &'a Expr>,
    between: &str,
    write: fn(&Expr) -> String,
) -> String {
    let parts: Vec<String> = parts.into_iter().map(write).collect();
    format!("({})", parts.join(between))
}

/// Appends a condition on the mail `d`.
fn condition(query: &mut Sql, kind: Kind, expr: &Expr) {
    if expr.is_words() {
        let asked = matching(expr, kind);
        match kind {
            Kind::Sqlite => query
                .push("d.id IN (SELECT rowid FROM search_index WHERE search_index MATCH ")
                .arg(asked)
                .push(")"),
            Kind::Postgres => query
                .push("d.words @@ CAST(")
                .arg(asked)
                .push(" AS tsquery)"),
        };
        return;
    }
    match expr {
        Expr::All(parts) => many(query, kind, parts, "TRUE", " AND "),
        Expr::Any(parts) => many(query, kind, parts, "FALSE", " OR "),
        Expr::Not(inner) => {
            query.push("NOT (");
            condition(query, kind, inner);
            query.push(")");
        }
        Expr::Words(..) => {}
        Expr::Since(moment) => {
            query.push("d.id >= ").arg(first_number(*moment));
        }
        Expr::Before(moment) => {
            query.push("d.id < ").arg(first_number(*moment));
        }
        Expr::Message(ids) => {
            query.push(
                "(d.comment_id IS NULL AND d.patch_id IN (SELECT id FROM patch WHERE msgid IN ",
            );
            query.list(ids);
            query.push(
                ") OR d.comment_id IS NULL AND d.cover_id IN (SELECT id FROM cover WHERE msgid IN ",
            );
            query.list(ids);
            query.push(") OR d.comment_id IN (SELECT id FROM comment WHERE msgid IN ");
            query.list(ids).push("))");
        }
        Expr::Patch(of) => {
            query.push("EXISTS (SELECT 1 FROM patch p WHERE p.id = d.patch_id AND ");
            of_patch(query, of);
            query.push(")");
        }
    }
}

fn many(query: &mut Sql, kind: Kind, parts: &[Expr], none: &'static str, between: &'static str) {
    query.push("(");
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            query.push(between);
        }
        condition(query, kind, part);
    }
    if parts.is_empty() {
        query.push(none);
    }
    query.push(")");
}

/// Appends what is to be true of the patch `p`.
pub fn of_patch(query: &mut Sql, of: &Of) {
    match of {
        Of::States(states) => {
            query.push("p.state_id IN ").list(states.iter().copied());
        }
        Of::Desk(Delegate::Nobody) => {
            query.push("p.delegate_id IS NULL");
        }
        Of::Desk(Delegate::User(id)) => {
            query.push("p.delegate_id = ").arg(*id);
        }
        Of::Desk(Delegate::Matching(text)) => {
            query.push("p.delegate_id IN (SELECT id FROM account WHERE lower(username) LIKE ");
            query.arg(containing(text)).push(" ESCAPE '\\')");
        }
        Of::Archived => {
            query.push("p.archived = ").arg(true);
        }
        // The worst result of all is the one they have together.
        Of::Check(state @ CheckState::Fail) => {
            query.push("p.check_state = ").arg(*state as i64);
        }
        Of::Check(state) => {
            query.push(
                "EXISTS (SELECT 1 FROM patch_check c WHERE c.patch_id = p.id AND NOT EXISTS (
                    SELECT 1 FROM patch_check n WHERE n.patch_id = c.patch_id AND n.account_id = c.account_id
                       AND n.context = c.context AND (n.date, n.id) > (c.date, c.id))
                    AND c.state = ",
            );
            query.arg(*state as i64).push(")");
        }
        Of::NoChecks => {
            query.push("p.check_state IS NULL");
        }
        Of::Comments => {
            query.push("EXISTS (SELECT 1 FROM comment c WHERE c.patch_id = p.id)");
        }
        Of::OpenComments => {
            query.push("p.unaddressed IS TRUE");
        }
    }
}

/// A mail that was found.
#[derive(Clone, Debug, FromRow)]
pub struct Hit {
    /// Its number in the index, by which pages go on.
    pub id: i64,
    /// The patch it is, or is about.
    pub patch_id: Option<PatchId>,
    /// The cover letter it is, or is about.
    pub cover_id: Option<CoverId>,
    /// The comment it is.
    pub comment_id: Option<CommentId>,
    /// The project's name in URLs.
    pub linkname: String,
    /// The message id of the patch or the cover letter.
    pub msgid: MessageId,
    /// Its name.
    pub name: String,
    /// When the mail was written.
    pub date: Timestamp,
    /// Who wrote it.
    pub submitter_id: PersonId,
    /// Their name, if known.
    pub submitter_name: Option<String>,
    /// Their address.
    pub submitter_email: String,
    /// Where the patch stands.
    pub state_id: Option<StateId>,
    /// The message.
    pub message: Option<String>,
    /// The beginning of the diff.
    pub diff: Option<String>,
}

const HIT: &str = "SELECT d.id, d.patch_id, d.cover_id, d.comment_id, pr.linkname, coalesce(p.msgid, v.msgid) AS msgid,
       coalesce(p.name, v.name) AS name, coalesce(c.date, p.date, v.date) AS date, pe.id AS submitter_id,
       pe.name AS submitter_name, pe.email AS submitter_email, p.state_id,
       CASE WHEN c.id IS NOT NULL THEN c.content WHEN p.id IS NOT NULL THEN b.content ELSE v.content END AS message,
       CASE WHEN c.id IS NULL THEN substr(b.diff, 1, 100000) END AS diff
  FROM (";
const JOINS: &str =
    ") page JOIN search_doc d ON d.id = page.id JOIN project pr ON pr.id = d.project_id
  LEFT JOIN comment c ON c.id = d.comment_id LEFT JOIN patch p ON p.id = d.patch_id
  LEFT JOIN patch_body b ON b.patch_id = p.id LEFT JOIN cover v ON v.id = d.cover_id
  JOIN person pe ON pe.id = coalesce(c.submitter_id, p.submitter_id, v.submitter_id)
 ORDER BY page.score DESC, d.id DESC";

/// Which of the mails that are found are wanted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// The newest, before the one of this number if there is one.
    Newest(Option<i64>),
    /// Of the [`JUDGED`] newest those that fit best, after so many.
    Best(i64),
}

/// How many mails are judged for how well they fit: each has to be looked at.
pub const JUDGED: i64 = 500;

/// Returns mails of which something is true.
///
/// # Errors
/// When the database is away or refuses.
pub async fn hits(conn: &mut Conn, expr: Expr, first: First, limit: i64) -> Result<Vec<Hit>> {
    let kind = conn.kind();
    let mut query = sql(HIT);
    match first {
        First::Newest(before) => {
            let is_rare = is_rare(conn, &expr).await?;
            numbers(&mut query, kind, expr, before, false, is_rare);
            query.push(" LIMIT ").arg(limit);
        }
        First::Best(after) => {
            query.push("SELECT id, score FROM (");
            numbers(&mut query, kind, expr, None, true, false);
            query.push(" LIMIT ").arg(JUDGED);
            query.push(") judged ORDER BY score DESC, id DESC LIMIT ");
            query.arg(limit).push(" OFFSET ").arg(after);
        }
    }
    query.push(JOINS);
    query.planned_anew().all(conn).await
}

/// So many mails are fetched and sorted sooner than others are read from the newest on until a page is full.
const RARE: i64 = 3_000;

/// Says whether PostgreSQL takes the words asked for to be rare. Its statistics know the frequent ones well; but of rare ones it hopes to find
/// some soon where it only has to read from the newest on, and reads all.
async fn is_rare(conn: &mut Conn, expr: &Expr) -> Result<bool> {
    let (words, _) = expr.clone().split();
    if conn.kind() != Kind::Postgres || words.is_empty() {
        return Ok(false);
    }
    let mut query = sql("SELECT 1 FROM search_doc d WHERE ");
    condition(&mut query, Kind::Postgres, &Expr::All(words));
    let rows = query.expected(conn).await?;
    Ok(rows.is_some_and(|rows| rows <= RARE))
}

/// Appends the statement that finds the numbers of mails, and how well each fits if that is wanted.
fn numbers(
    query: &mut Sql,
    kind: Kind,
    expr: Expr,
    before: Option<i64>,
    is_judged: bool,
    is_rare: bool,
) {
    let (words, rest) = expr.split();
    let words = (!words.is_empty()).then_some(Expr::All(words));
    let mut number = "d.id";
    match (&words, kind) {
        (Some(words), Kind::Sqlite) => {
            number = "search_index.rowid";
            query.push("SELECT search_index.rowid AS id, ");
            // What stands in the subject says most.
            query.push(match is_judged {
                true => "-bm25(search_index, 8.0, 2.0, 1.0, 0.5)",
                false => "0",
            });
            query.push(" AS score FROM search_index");
            if !rest.is_empty() {
                // The index first, in its order.
                query.push(" CROSS JOIN search_doc d ON d.id = search_index.rowid");
            }
            query.push(" WHERE search_index MATCH ");
            query.arg(fts5(words));
        }
        (Some(words), Kind::Postgres) => {
            query.push("SELECT d.id, ");
            match is_judged {
                true => query
                    .push("ts_rank('{0.05, 0.1, 0.2, 1.0}', d.words, CAST(")
                    .arg(tsquery(words))
                    .push(" AS tsquery), 1)"),
                false => query.push("0"),
            };
            query.push(" AS score FROM search_doc d WHERE ");
            condition(query, kind, words);
        }
        (None, _) => {
            query.push("SELECT d.id, 0 AS score FROM search_doc d WHERE TRUE");
        }
    }
    if let Some(before) = before {
        query.push(" AND ").push(number).push(" < ").arg(before);
    }
    for part in &rest {
        query.push(" AND ");
        condition(query, kind, part);
    }
    query.push(" ORDER BY ").push(number);
    // A sum has no index: all that is found is sorted.
    query.push(if is_rare { " + 0 DESC" } else { " DESC" });
}

/// Appends the condition that something is, or has comments among, the mails of which something is true: its id, and where mails
/// have it.
pub fn among(query: &mut Sql, engine: Engine<'_>, [id, of]: [&'static str; 2], expr: &Expr) {
    let kind = engine.kind;
    query
        .push(id)
        .push(" IN (SELECT d.")
        .push(of)
        .push(" FROM ");
    let is_by_index = kind == Kind::Sqlite && expr.is_words();
    match engine.only {
        Some(only) => {
            query.push("search_doc d WHERE d.id");
            query.among_ids(kind, only.iter().copied()).push(" AND ");
            if is_by_index {
                query.push("EXISTS (SELECT 1 FROM search_index WHERE search_index.rowid = d.id AND search_index MATCH ");
                query.arg(fts5(expr)).push(")");
            } else {
                condition(query, kind, expr);
            }
        }
        None if is_by_index => {
            query.push("search_index CROSS JOIN search_doc d ON d.id = search_index.rowid WHERE search_index MATCH ");
            query.arg(fts5(expr));
        }
        None => {
            query.push("search_doc d WHERE ");
            condition(query, kind, expr);
        }
    }
    query.push(" AND d.").push(of).push(" IS NOT NULL)");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_written_for_both_indexes() {
        let word = |text| Expr::text(Column::All, "", text).expect("a word");
        for (expr, sqlite, postgres) in [
            (word("foo_bar"), "(\"foo bar\")", "('foo' <-> 'bar')"),
            (
                Expr::text(Column::Diff, "", "x*").expect("a word"),
                "(diff : \"x\" *)",
                "('x':*C)",
            ),
            (
                Expr::Any(vec![word("a"), Expr::mark('j', 3)]),
                "((\"a\") OR (extra : \"j=3\"))",
                "(('a') | ('j=3':D))",
            ),
            (
                Expr::All(vec![word("a"), Expr::Not(Box::new(word("b")))]),
                "(((\"a\")) NOT (\"b\"))",
                "(('a') & !('b'))",
            ),
        ] {
            assert_eq!(fts5(&expr), sqlite);
            assert_eq!(tsquery(&expr), postgres);
        }
    }
}
