//! Patches as XML-RPC asks for them: by all that its filters know, first the ids, then a page of rows after the other.

use sqlx::FromRow;

use super::{DETAIL, Detail};
use crate::{
    domain::{
        DiffHash, MessageId, Patch, PatchId, PersonId, ProjectId, StateId, Timestamp, UserId,
    },
    store::{
        Conn, Kind, Result, Sql,
        lookup::{self, Column, Most, Test},
        sql,
    },
};

/// What has to hold of a patch.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Of its id.
    Id(Test),
    /// Of its name.
    Name(Test),
    /// Of when it was written.
    Date(Test),
    /// Of the commit it became.
    CommitRef(Test),
    /// Of the hash of its diff.
    Hash(Test),
    /// Of its message id, in the stored spelling.
    MessageId(Test),
    /// Whether it is put away.
    Archived(bool),
    /// Which project it is in.
    Project(i64),
    /// Who sent it.
    Submitter(i64),
    /// Where it stands.
    State(i64),
    /// The series it is part of.
    Series(i64),
    /// On whose desk: that of the account to which this *person* belongs.
    DelegatePerson(i64),
}

impl Condition {
    fn push(self, query: &mut Sql, kind: Kind) {
        let (column, test) = match self {
            Condition::Id(test) => (Column::number("p.id"), test),
            Condition::Name(test) => (Column::keyed("p.name", "p.name_key"), test),
            Condition::Date(test) => (Column::moment("p.date"), test),
            Condition::CommitRef(test) => (Column::text("p.commit_ref"), test),
            Condition::Hash(test) => (Column::text("p.hash"), test),
            Condition::MessageId(test) => (Column::text("p.msgid"), test),
            Condition::Archived(archived) => {
                query.push("p.archived = ").arg(archived);
                return;
            }
            Condition::Project(id) => (Column::number("p.project_id"), Test::Is(id.into())),
            Condition::Submitter(id) => (Column::number("p.submitter_id"), Test::Is(id.into())),
            Condition::State(id) => (Column::number("p.state_id"), Test::Is(id.into())),
            Condition::Series(id) => (Column::number("p.series_id"), Test::Is(id.into())),
            Condition::DelegatePerson(id) => {
                query.push("p.delegate_id = (SELECT account_id FROM person WHERE id = ");
                query.arg(id).push(")");
                return;
            }
        };
        lookup::push(query, kind, column, test);
    }
}

/// Returns the ids of the patches that fulfil all conditions, oldest first.
///
/// # Errors
/// When the database is away or refuses.
pub async fn ids(conn: &mut Conn, conditions: Vec<Condition>, most: Most) -> Result<Vec<PatchId>> {
    let mut query = sql("SELECT p.id FROM patch p");
    let mut separator = " WHERE ";
    for condition in conditions {
        query.push(separator);
        condition.push(&mut query, conn.kind());
        separator = " AND ";
    }
    most.push(&mut query, "p.date, p.id", "p.date DESC, p.id DESC");
    let rows: Vec<(PatchId,)> = most.in_order(query.all(conn).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// A patch with the names behind its ids.
#[derive(Clone, Debug, FromRow)]
pub struct Row {
    /// Its id.
    pub id: PatchId,
    /// When it was written.
    pub date: Timestamp,
    /// The message id.
    pub msgid: MessageId,
    /// The cleaned subject.
    pub name: String,
    /// The name of its project.
    pub project: String,
    /// Its project.
    pub project_id: ProjectId,
    /// The name of its state.
    pub state: String,
    /// Where it stands.
    pub state_id: StateId,
    /// Whether it is put away.
    pub archived: bool,
    /// The submitter's name, if known.
    pub submitter_name: Option<String>,
    /// The submitter's address.
    pub submitter_email: String,
    /// Who sent it.
    pub submitter_id: PersonId,
    /// The login name of who has it on the desk.
    pub delegate: Option<String>,
    /// Who has it on the desk.
    pub delegate_id: Option<UserId>,
    /// The commit it became.
    pub commit_ref: Option<String>,
    /// The hash of its diff.
    pub hash: Option<DiffHash>,
}

/// Returns those of these patches that are there, oldest first.
///
/// # Errors
/// When the database is away or refuses.
pub async fn rows(conn: &mut Conn, ids: &[PatchId]) -> Result<Vec<Row>> {
    let mut query = sql(
        "SELECT p.id, p.date, p.msgid, p.name, pr.name AS project, p.project_id, st.name AS state, p.state_id, p.archived,
                pe.name AS submitter_name, pe.email AS submitter_email, p.submitter_id,
                d.username AS delegate, p.delegate_id, p.commit_ref, p.hash
           FROM patch p JOIN project pr ON pr.id = p.project_id JOIN state st ON st.id = p.state_id
           JOIN person pe ON pe.id = p.submitter_id LEFT JOIN account d ON d.id = p.delegate_id
          WHERE p.id",
    );
    query.among_ids(conn.kind(), ids.iter().map(|id| id.0));
    query.push(" ORDER BY p.date, p.id");
    query.all(conn).await
}

/// Returns the newest patch with a diff of this hash, of the project with this linkname or of any.
///
/// Mails that are sent again have the same diff, so there may be several.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_hash(
    conn: &mut Conn,
    linkname: Option<&str>,
    hash: &str,
) -> Result<Option<PatchId>> {
    let mut query = sql("SELECT p.id FROM patch p WHERE p.hash = ");
    query.arg(hash);
    if let Some(linkname) = linkname {
        query.push(" AND p.project_id = (SELECT id FROM project WHERE linkname = ");
        query.arg(linkname).push(")");
    }
    query.push(" ORDER BY p.date DESC, p.id DESC LIMIT 1");
    let found: Option<(PatchId,)> = query.optional(conn).await?;
    Ok(found.map(|(id,)| id))
}

/// Returns a patch without its texts.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_id(conn: &mut Conn, id: PatchId) -> Result<Option<Patch>> {
    sql(
        "SELECT id, project_id, submitter_id, state_id, delegate_id, series_id, related_id, number, archived, date, \
         msgid, name, hash, commit_ref, pull_url FROM patch WHERE id = $1",
    )
    .bind(id)
    .optional(conn)
    .await
}

/// Returns a patch with its texts.
///
/// # Errors
/// When the database is away or refuses.
pub async fn detail(conn: &mut Conn, id: PatchId) -> Result<Option<Detail>> {
    let mut query = sql(DETAIL);
    query.push("WHERE p.id = ").arg(id);
    query.optional(conn).await
}
