//! Projects.

use sqlx::FromRow;

use super::{
    Conn, Kind, Result, Sql, Tx,
    patch::find::DESKS,
    sql,
    window::{self, Holds, Key, Part, Window},
};
use crate::domain::{ListId, Project, ProjectId, StateId, Timestamp, UserId};

/// Returns the projects of a list, in the order in which they are asked whether a subject is theirs.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_list_id(conn: &mut Conn, list_id: &ListId) -> Result<Vec<Listed>> {
    sql("SELECT p.*, EXISTS (SELECT 1 FROM delegation_rule r WHERE r.project_id = p.id) AS has_rules \
         FROM project p WHERE p.list_id = $1 ORDER BY p.linkname")
    .bind(list_id)
    .all(conn)
    .await
}

/// A project of a list.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Listed {
    /// The project.
    #[sqlx(flatten)]
    pub project: Project,
    /// Whether any rule says whose turn its patches are.
    pub has_rules: bool,
}

/// Lets nobody else write mails of this project until the transaction ends (`mail.md §12.5`).
/// SQLite has one writer anyway; on PostgreSQL rows that only refer to the project can still be written.
///
/// # Errors
/// When the database is away, or the wait is too long.
pub async fn lock(conn: &mut Conn, id: ProjectId) -> Result<()> {
    if conn.kind() == Kind::Postgres {
        let _: Option<(ProjectId,)> = sql("SELECT id FROM project WHERE id = $1 FOR NO KEY UPDATE")
            .bind(id)
            .optional(conn)
            .await?;
    }
    Ok(())
}

/// Makes a project; its id is chosen by the database, whatever `project` says.
///
/// # Errors
/// [`super::Error::is_duplicate`] when the linkname, the name, or list id and subject match together are taken.
pub async fn insert(conn: &mut Conn, project: &Project) -> Result<ProjectId> {
    let statement = sql(
        "INSERT INTO project (linkname, name, list_id, list_email, subject_match, web_url, scm_url, webscm_url, \
         list_archive_url, list_archive_url_format, commit_url_format, send_notifications, show_dependencies, \
         use_tags, supersede) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id",
    );
    let (id,) = values(statement, project).one(conn).await?;
    Ok(id)
}

/// Gives a statement every field of a project, `$1` to `$15`, in the order of [`insert`].
pub(super) fn values(query: Sql, project: &Project) -> Sql {
    query
        .bind(&project.linkname)
        .bind(&project.name)
        .bind(&project.list_id)
        .bind(&project.list_email)
        .bind(&project.subject_match)
        .bind(&project.web_url)
        .bind(&project.scm_url)
        .bind(&project.webscm_url)
        .bind(&project.list_archive_url)
        .bind(&project.list_archive_url_format)
        .bind(&project.commit_url_format)
        .bind(project.send_notifications)
        .bind(project.show_dependencies)
        .bind(project.use_tags)
        .bind(project.supersede)
}

/// A project in the list of projects.
#[derive(Clone, Debug, FromRow)]
pub struct Overview {
    /// The project.
    #[sqlx(flatten)]
    pub project: Project,
    /// How many patches wait for somebody.
    pub open: i64,
    /// When the newest patch was written.
    pub latest: Option<Timestamp>,
}

/// Returns all projects with what waits in them, by linkname.
///
/// # Errors
/// When the database is away or refuses.
pub async fn overview(conn: &mut Conn) -> Result<Vec<Overview>> {
    sql("SELECT pr.*,
                (SELECT CAST(coalesce(sum(t.count), 0) AS BIGINT) FROM tally t
                  WHERE t.project_id = pr.id AND t.kind = 'patch' AND t.archived = FALSE
                    AND t.state_id IN (SELECT id FROM state WHERE action_required)) AS open,
                (SELECT p.date FROM patch p WHERE p.project_id = pr.id ORDER BY p.date DESC, p.id DESC LIMIT 1) AS latest
           FROM project pr ORDER BY pr.linkname LIMIT 10000")
    .all(conn)
    .await
}

/// A project that a user has to do with.
#[derive(Clone, Debug, FromRow)]
pub struct Concern {
    /// Its name in URLs.
    pub linkname: String,
    /// Its name.
    pub name: String,
    /// Whether the user maintains it.
    pub is_maintainer: bool,
    /// Whether the user has sent patches to it.
    pub is_contributor: bool,
}

/// Returns the projects that a user maintains or has sent patches to, by linkname.
///
/// # Errors
/// When the database is away or refuses.
pub async fn of_user(conn: &mut Conn, user: UserId) -> Result<Vec<Concern>> {
    sql(
        "SELECT linkname, name, is_maintainer, is_contributor FROM (SELECT pr.linkname, pr.name,
                EXISTS (SELECT 1 FROM maintainer m WHERE m.project_id = pr.id AND m.account_id = $1) AS is_maintainer,
                EXISTS (SELECT 1 FROM person w JOIN patch p ON p.submitter_id = w.id
                         WHERE w.account_id = $1 AND p.project_id = pr.id) AS is_contributor
           FROM project pr) AS concern WHERE is_maintainer OR is_contributor ORDER BY linkname LIMIT 1000",
    )
    .bind(user)
    .all(conn)
    .await
}

/// Returns the project with this name in URLs.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_linkname(conn: &mut Conn, linkname: &str) -> Result<Option<Project>> {
    sql("SELECT * FROM project WHERE linkname = $1")
        .bind(linkname)
        .optional(conn)
        .await
}

/// Returns the name in URLs of the project that had another one before, if no project has that now.
///
/// # Errors
/// When the database is away or refuses.
pub async fn renamed(conn: &mut Conn, before: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = sql(
        "SELECT p.linkname FROM project_alias a JOIN project p ON p.id = a.project_id WHERE a.linkname = $1 \
         AND NOT EXISTS (SELECT 1 FROM project o WHERE o.linkname = $1)",
    )
    .bind(before)
    .optional(conn)
    .await?;
    Ok(row.map(|(linkname,)| linkname))
}

/// Returns every project, by linkname.
///
/// # Errors
/// When the database is away.
pub async fn all(conn: &mut Conn) -> Result<Vec<Project>> {
    sql("SELECT * FROM project ORDER BY linkname, id")
        .all(conn)
        .await
}

/// Returns the project with this id.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_id(conn: &mut Conn, id: ProjectId) -> Result<Option<Project>> {
    sql("SELECT * FROM project WHERE id = $1")
        .bind(id)
        .optional(conn)
        .await
}

/// Somebody whose desk patches can lie on.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Desk {
    /// The user.
    pub id: UserId,
    /// The login name.
    pub username: String,
    /// First name, may be empty.
    pub first_name: String,
    /// Last name, may be empty.
    pub last_name: String,
    /// Whether it is a maintainer of the project.
    pub maintainer: bool,
}

impl Desk {
    /// Returns first and last name, or the login name when both are empty.
    pub fn shown(&self) -> String {
        let name = format!("{} {}", self.first_name, self.last_name);
        match name.trim() {
            "" => self.username.clone(),
            name => name.to_owned(),
        }
    }
}

/// Returns the maintainers of a project and everybody else who has patches of it on the desk, by login name.
///
/// # Errors
/// When the database is away or refuses.
pub async fn desks(conn: &mut Conn, project: ProjectId) -> Result<Vec<Desk>> {
    // Neither all accounts are looked at nor all patches: from desk to desk, and there at the first patch of each state.
    let mut query = sql(DESKS);
    query
        .push(
            "SELECT a.id, a.username, a.first_name, a.last_name, m.project_id IS NOT NULL AS maintainer
               FROM account a LEFT JOIN maintainer m ON m.account_id = a.id AND m.project_id = ",
        )
        .arg(project)
        .push(
            " WHERE a.id IN (SELECT account_id FROM maintainer WHERE project_id = ",
        )
        .arg(project)
        .push(" UNION SELECT d.id FROM desk d CROSS JOIN tally t WHERE d.id IS NOT NULL AND t.project_id = ")
        .arg(project)
        .push(
            " AND t.kind = 'patch' AND t.category = '' AND t.archived = FALSE AND t.count > 0
                 AND (SELECT p.id FROM patch p WHERE p.delegate_id = d.id AND p.archived = FALSE AND p.state_id = t.state_id
                         AND p.project_id = t.project_id ORDER BY p.date, p.id LIMIT 1) IS NOT NULL)
              ORDER BY a.username LIMIT 500",
        );
    query.all(conn).await
}

/// Returns the maintainers of these projects: who patches may be given to, and in which project.
///
/// # Errors
/// When the database is away or refuses.
pub async fn maintainers(
    conn: &mut Conn,
    projects: &[ProjectId],
) -> Result<Vec<(UserId, String, ProjectId)>> {
    let mut query = sql(
        "SELECT a.id, a.username, m.project_id FROM maintainer m JOIN account a ON a.id = m.account_id \
         WHERE a.is_active = TRUE AND m.project_id",
    );
    query.among_ids(conn.kind(), projects.iter().map(|id| id.0));
    query.push(" ORDER BY a.username, m.project_id LIMIT 5000");
    query.all(conn).await
}

/// How many patches of a project are in a state, put away or not.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct Load {
    /// Whether these are put away.
    pub archived: bool,
    /// The state.
    pub state_id: StateId,
    /// How many there are.
    pub count: i64,
    /// When the oldest was written.
    pub oldest: Timestamp,
}

/// Returns how many patches of a project are in which state.
///
/// # Errors
/// When the database is away or refuses.
pub async fn load(conn: &mut Conn, project: ProjectId) -> Result<Vec<Load>> {
    // The counts are kept, and the oldest is the first of its part of an index: nothing is counted, however much there is.
    sql(
        "SELECT archived, state_id, count, oldest FROM
                (SELECT t.archived, t.state_id, t.count,
                        (SELECT p.date FROM patch p
                          WHERE p.project_id = $1 AND p.archived = t.archived AND p.state_id = t.state_id
                          ORDER BY p.date, p.id LIMIT 1) AS oldest
                   FROM tally t WHERE t.project_id = $2 AND t.kind = 'patch' AND t.count > 0) AS load
          WHERE oldest IS NOT NULL ORDER BY archived, state_id",
    )
    .bind(project)
    .bind(project)
    .all(conn)
    .await
}

/// Returns how many patches of a project wait for somebody and lie on nobody's desk.
///
/// # Errors
/// When the database is away or refuses.
pub async fn unassigned(conn: &mut Conn, project: ProjectId) -> Result<i64> {
    let (count,): (i64,) = sql("SELECT count(*) FROM patch p
          WHERE p.project_id = $1 AND p.archived = FALSE AND p.delegate_id IS NULL
            AND p.state_id IN (SELECT id FROM state WHERE action_required)")
    .bind(project)
    .one(conn)
    .await?;
    Ok(count)
}

/// A rule that puts patches on somebody's desk.
#[derive(Clone, Debug, FromRow)]
pub struct Rule {
    /// The paths: a shell pattern.
    pub path: String,
    /// Whose desk.
    pub username: String,
}

/// Returns the delegation rules of a project, in the order they are tried.
///
/// # Errors
/// When the database is away or refuses.
pub async fn rules(conn: &mut Conn, project: ProjectId) -> Result<Vec<Rule>> {
    sql(
        "SELECT r.path, a.username FROM delegation_rule r JOIN account a ON a.id = r.account_id
          WHERE r.project_id = $1 ORDER BY r.priority DESC, r.path LIMIT 1000",
    )
    .bind(project)
    .all(conn)
    .await
}

/// Returns the project with this id, or this name in URLs, ignoring case. A number is only an id.
///
/// # Errors
/// When the database is away or refuses.
pub async fn named(conn: &mut Conn, text: &str) -> Result<Option<ProjectId>> {
    let query = match text.parse::<i64>() {
        Ok(id) => sql("SELECT id FROM project WHERE id = $1").bind(id),
        Err(_) => sql("SELECT id FROM project WHERE lower(linkname) = $1 ORDER BY id LIMIT 1")
            .bind(text.to_lowercase()),
    };
    let row: Option<(ProjectId,)> = query.optional(conn).await?;
    Ok(row.map(|(id,)| id))
}

/// Returns these projects, in no order.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_ids(conn: &mut Conn, ids: &[ProjectId]) -> Result<Vec<Project>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    let mut query = sql("SELECT * FROM project WHERE id");
    query.among_ids(kind, ids.iter().map(|id| id.0));
    query.all(conn).await
}

const TEXTS: [&str; 10] = [
    "lower(p.name)",
    "lower(p.linkname)",
    "lower(p.list_id)",
    "lower(p.list_email)",
    "lower(p.web_url)",
    "lower(p.scm_url)",
    "lower(p.webscm_url)",
    "lower(p.list_archive_url)",
    "lower(p.list_archive_url_format)",
    "lower(p.commit_url_format)",
];

/// What lists of projects may be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The id.
    Id,
    /// The name.
    Name,
    /// The name in URLs.
    Linkname,
    /// The list's id.
    ListId,
}

impl By {
    fn key(self, descending: bool) -> Key {
        let (row, anchor, holds) = match self {
            By::Id => ("p.id", "(SELECT id FROM project WHERE id = ", Holds::Int),
            By::Name => (
                "p.name",
                "(SELECT name FROM project WHERE id = ",
                Holds::Text,
            ),
            By::Linkname => (
                "p.linkname",
                "(SELECT linkname FROM project WHERE id = ",
                Holds::Text,
            ),
            By::ListId => (
                "p.list_id",
                "(SELECT list_id FROM project WHERE id = ",
                Holds::Text,
            ),
        };
        Key {
            row,
            anchor,
            holds,
            descending,
        }
    }
}

/// Returns a window of the projects that have all words somewhere in their texts.
///
/// # Errors
/// When the database is away or refuses.
pub async fn page(
    conn: &mut Conn,
    words: &[String],
    order: &[(By, bool)],
    window: Window,
) -> Result<Part<Project>> {
    let keys: Vec<Key> = order.iter().map(|(by, down)| by.key(*down)).collect();
    let mut query = sql("SELECT p.*");
    window::place(&mut query, conn.kind(), "p.id", &keys);
    query.push(" FROM project p WHERE TRUE");
    window::words(&mut query, conn.kind(), &TEXTS, words);
    window::apply(&mut query, "p.id", &keys, &window);
    window::read(conn, query, &window).await
}

/// Returns how many projects have all words somewhere in their texts.
///
/// # Errors
/// When the database is away or refuses.
pub async fn count(conn: &mut Conn, words: &[String]) -> Result<i64> {
    let mut query = sql("SELECT count(*) FROM project p WHERE TRUE");
    window::words(&mut query, conn.kind(), &TEXTS, words);
    let (count,) = query.one(conn).await?;
    Ok(count)
}

/// Writes what maintainers may change of a project.
///
/// # Errors
/// When a value is too long, or the database is away.
pub async fn update(tx: &mut Tx, project: &Project) -> Result<()> {
    sql(
        "UPDATE project SET web_url = $2, scm_url = $3, webscm_url = $4, list_archive_url = $5, \
         list_archive_url_format = $6, commit_url_format = $7, show_dependencies = $8, supersede = $9 WHERE id = $1",
    )
    .bind(project.id)
    .bind(&project.web_url)
    .bind(&project.scm_url)
    .bind(&project.webscm_url)
    .bind(&project.list_archive_url)
    .bind(&project.list_archive_url_format)
    .bind(&project.commit_url_format)
    .bind(project.show_dependencies)
    .bind(project.supersede)
    .run(tx)
    .await?;
    Ok(())
}

/// Writes every field of a project.
///
/// # Errors
/// [`super::Error::is_duplicate`] when the linkname, the name, or list id and subject match together are taken.
pub async fn replace(tx: &mut Tx, project: &Project) -> Result<()> {
    let statement = sql(
        "UPDATE project SET linkname = $1, name = $2, list_id = $3, list_email = $4, subject_match = $5, web_url = $6, \
         scm_url = $7, webscm_url = $8, list_archive_url = $9, list_archive_url_format = $10, commit_url_format = $11, \
         send_notifications = $12, show_dependencies = $13, use_tags = $14, supersede = $15 WHERE id = $16",
    );
    values(statement, project).bind(project.id).run(tx).await?;
    Ok(())
}
