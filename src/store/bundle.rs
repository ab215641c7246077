//! Bundles: users' ordered collections of patches (`domain.md §1.14`).

use std::collections::HashSet;

use sqlx::FromRow;

use super::{
    Conn, Kind, Result, Sql, Tx, rows, sql,
    window::{self, Holds, Key, Part, Window, among},
};
use crate::domain::{BundleId, PatchId, ProjectId, UserId};

/// Makes an empty bundle.
///
/// # Errors
/// [`super::Error::is_duplicate`] when its owner has one of that name.
pub async fn insert(
    conn: &mut Conn,
    owner: UserId,
    project: ProjectId,
    name: &str,
    public: bool,
) -> Result<BundleId> {
    let (id,) = sql(
        "INSERT INTO bundle (owner_id, project_id, name, public) VALUES ($1, $2, $3, $4) RETURNING id",
    )
    .bind(owner)
    .bind(project)
    .bind(name)
    .bind(public)
    .one(conn)
    .await?;
    Ok(id)
}

/// Returns the patches of a bundle in its order.
///
/// # Errors
/// When the database is away or refuses.
pub async fn patches(conn: &mut Conn, bundle: BundleId) -> Result<Vec<PatchId>> {
    let rows: Vec<(PatchId,)> =
        sql("SELECT patch_id FROM bundle_patch WHERE bundle_id = $1 ORDER BY position, patch_id")
            .bind(bundle)
            .all(conn)
            .await?;
    Ok(rows.into_iter().map(|(patch,)| patch).collect())
}

/// Puts patches at the end of a bundle in the order given; those that are in it stay where they are.
///
/// # Errors
/// When the bundle or a patch is not there, or the database is away.
pub async fn append(tx: &mut Tx, bundle: BundleId, patches: &[PatchId]) -> Result<()> {
    lock(tx, bundle).await?;
    let (last,): (i64,) =
        sql("SELECT coalesce(max(position), 0) FROM bundle_patch WHERE bundle_id = $1")
            .bind(bundle)
            .one(tx)
            .await?;
    let mut seen: HashSet<PatchId> = self::patches(tx, bundle).await?.into_iter().collect();
    let new: Vec<PatchId> = patches
        .iter()
        .copied()
        .filter(|patch| seen.insert(*patch))
        .collect();
    let rows = (last + 1..)
        .zip(new)
        .map(|(position, patch)| vec![bundle.into(), patch.into(), position.into()]);
    rows::insert(
        tx,
        "bundle_patch (bundle_id, patch_id, position)",
        rows.collect(),
        "",
    )
    .await?;
    Ok(())
}

/// Replaces what is in a bundle: these patches in the order given, each once.
///
/// # Errors
/// When the bundle or a patch is not there, or the database is away.
pub async fn overwrite(tx: &mut Tx, bundle: BundleId, patches: &[PatchId]) -> Result<()> {
    lock(tx, bundle).await?;
    sql("DELETE FROM bundle_patch WHERE bundle_id = $1")
        .bind(bundle)
        .run(tx)
        .await?;
    append(tx, bundle, patches).await
}

/// Takes patches out of a bundle; those left keep their order.
///
/// # Errors
/// When the bundle is not there, or the database is away.
pub async fn remove(tx: &mut Tx, bundle: BundleId, patches: &[PatchId]) -> Result<()> {
    let left = locked(tx, bundle).await?;
    let left: Vec<PatchId> = left
        .into_iter()
        .filter(|patch| !patches.contains(patch))
        .collect();
    overwrite(tx, bundle, &left).await
}

/// Returns the patches of a bundle in its order. Nobody else changes it until the transaction ends.
///
/// # Errors
/// When the bundle is not there, or the database is away.
pub async fn locked(tx: &mut Tx, bundle: BundleId) -> Result<Vec<PatchId>> {
    lock(tx, bundle).await?;
    patches(tx, bundle).await
}

/// Lets nobody else change the bundle until the transaction ends.
async fn lock(tx: &mut Tx, bundle: BundleId) -> Result<()> {
    let mut query = sql("SELECT id FROM bundle WHERE id = ");
    query.arg(bundle);
    if tx.kind() == Kind::Postgres {
        query.push(" FOR NO KEY UPDATE");
    }
    let (_,): (BundleId,) = query.one(tx).await?;
    Ok(())
}

/// A bundle.
#[derive(Clone, Debug, FromRow)]
pub struct Bundle {
    /// Its id.
    pub id: BundleId,
    /// Whose it is.
    pub owner_id: UserId,
    /// The project of its patches.
    pub project_id: ProjectId,
    /// Its name.
    pub name: String,
    /// Whether everybody may see it.
    pub public: bool,
    /// What it is for; may be empty.
    pub description: String,
}

/// A bundle as lists of bundles show it.
#[derive(Clone, Debug, FromRow)]
pub struct Listed {
    /// The bundle.
    #[sqlx(flatten)]
    pub bundle: Bundle,
    /// The login name of its owner.
    pub owner: String,
    /// The name of its project in URLs.
    pub linkname: String,
    /// The name of its project.
    pub project: String,
    /// How many patches are in it.
    pub patches: i64,
}

const LISTED: &str = "SELECT b.id, b.owner_id, b.project_id, b.name, b.public, b.description, \
    a.username AS owner, pr.linkname, pr.name AS project, \
    (SELECT count(*) FROM bundle_patch bp WHERE bp.bundle_id = b.id) AS patches \
    FROM bundle b JOIN account a ON a.id = b.owner_id JOIN project pr ON pr.id = b.project_id WHERE ";

/// Returns a user's bundles, of one project or of all, by name.
///
/// # Errors
/// When the database is away or refuses.
pub async fn listed(
    conn: &mut Conn,
    owner: UserId,
    project: Option<ProjectId>,
) -> Result<Vec<Listed>> {
    let mut query = sql(LISTED);
    query.push("b.owner_id = ").arg(owner);
    if let Some(project) = project {
        query.push(" AND b.project_id = ").arg(project);
    }
    query.push(" ORDER BY b.name, b.id LIMIT 1000");
    query.all(conn).await
}

/// Returns the bundle with this id as lists show it, whoever may see it.
///
/// # Errors
/// When the database is away or refuses.
pub async fn listed_by_id(conn: &mut Conn, id: BundleId) -> Result<Option<Listed>> {
    let mut query = sql(LISTED);
    query.push("b.id = ").arg(id);
    query.optional(conn).await
}

/// Returns the names of a user's bundles, by name: what menus offer.
///
/// # Errors
/// When the database is away or refuses.
pub async fn names(conn: &mut Conn, owner: UserId) -> Result<Vec<(BundleId, String)>> {
    sql("SELECT id, name FROM bundle WHERE owner_id = $1 ORDER BY name, id LIMIT 1000")
        .bind(owner)
        .all(conn)
        .await
}

/// Which bundles. Several values of one field are alternatives; no value is any.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Who looks: sees public ones, and the own.
    pub viewer: Option<UserId>,
    /// In these projects.
    pub projects: Vec<ProjectId>,
    /// Of these users.
    pub owners: Vec<UserId>,
    /// Public or not.
    pub public: Option<bool>,
    /// With all of these in the name, ignoring case.
    pub words: Vec<String>,
}

/// What lists of bundles may be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The id.
    Id,
    /// The name.
    Name,
    /// The owner's id.
    Owner,
}

impl By {
    fn key(self, descending: bool) -> Key {
        let (row, anchor, holds) = match self {
            By::Id => ("b.id", "(SELECT id FROM bundle WHERE id = ", Holds::Int),
            By::Name => (
                "b.name",
                "(SELECT name FROM bundle WHERE id = ",
                Holds::Text,
            ),
            By::Owner => (
                "b.owner_id",
                "(SELECT owner_id FROM bundle WHERE id = ",
                Holds::Int,
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

const COLUMNS: &str = "SELECT b.id, b.owner_id, b.project_id, b.name, b.public, b.description";

/// Begins a query for bundles; conditions follow.
fn bundles() -> Sql {
    let mut query = sql(COLUMNS);
    query.push(" FROM bundle b WHERE ");
    query
}

fn conditions(query: &mut Sql, kind: Kind, search: &Search) {
    query
        .push("(b.public = TRUE OR b.owner_id = ")
        .arg(search.viewer)
        .push(")");
    among(query, " AND b.project_id", &search.projects);
    among(query, " AND b.owner_id", &search.owners);
    if let Some(public) = search.public {
        query.push(" AND b.public = ").arg(public);
    }
    window::words(query, kind, &["lower(b.name)"], &search.words);
}

/// Returns a window of the bundles searched.
///
/// # Errors
/// When the database is away or refuses.
pub async fn page(
    conn: &mut Conn,
    search: &Search,
    order: &[(By, bool)],
    window: Window,
) -> Result<Part<Bundle>> {
    let keys: Vec<Key> = order.iter().map(|(by, down)| by.key(*down)).collect();
    let mut query = sql(COLUMNS);
    window::place(&mut query, conn.kind(), "b.id", &keys);
    query.push(" FROM bundle b WHERE ");
    conditions(&mut query, conn.kind(), search);
    window::apply(&mut query, "b.id", &keys, &window);
    window::read(conn, query, &window).await
}

/// Returns how many bundles are searched.
///
/// # Errors
/// When the database is away or refuses.
pub async fn count(conn: &mut Conn, search: &Search) -> Result<i64> {
    let mut query = sql("SELECT count(*) FROM bundle b WHERE ");
    conditions(&mut query, conn.kind(), search);
    let (count,) = query.one(conn).await?;
    Ok(count)
}

/// Returns the bundle with this id, whoever may see it.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_id(conn: &mut Conn, id: BundleId) -> Result<Option<Bundle>> {
    let mut query = bundles();
    query.push("b.id = ").arg(id);
    query.optional(conn).await
}

/// Returns the bundle of a user with this name, whoever may see it.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_name(conn: &mut Conn, username: &str, name: &str) -> Result<Option<Bundle>> {
    let mut query = bundles();
    query
        .push("b.owner_id = (SELECT id FROM account WHERE username = ")
        .arg(username);
    query.push(") AND b.name = ").arg(name);
    query.optional(conn).await
}

/// Returns the patches of these bundles, in their order.
///
/// # Errors
/// When the database is away or refuses.
pub async fn contents(conn: &mut Conn, ids: &[BundleId]) -> Result<Vec<(BundleId, PatchId)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    let mut query = sql("SELECT bundle_id, patch_id FROM bundle_patch WHERE bundle_id");
    query.among_ids(kind, ids.iter().map(|id| id.0));
    query.push(" ORDER BY bundle_id, position, patch_id");
    query.all(conn).await
}

/// Writes a bundle's name, project, description and whether it is public.
///
/// # Errors
/// [`super::Error::is_duplicate`] when its owner has another one of that name.
pub async fn update(tx: &mut Tx, bundle: &Bundle) -> Result<()> {
    sql(
        "UPDATE bundle SET name = $2, project_id = $3, public = $4, description = $5 WHERE id = $1",
    )
    .bind(bundle.id)
    .bind(&bundle.name)
    .bind(bundle.project_id)
    .bind(bundle.public)
    .bind(&bundle.description)
    .run(tx)
    .await?;
    Ok(())
}

/// Deletes a bundle; its patches stay.
///
/// # Errors
/// When the database is away or refuses.
pub async fn delete(tx: &mut Tx, id: BundleId) -> Result<()> {
    sql("DELETE FROM bundle WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}

/// Returns the names of a user's bundles.
///
/// # Errors
/// When the database is away or refuses.
pub async fn names_of(conn: &mut Conn, owner: UserId) -> Result<Vec<String>> {
    let rows: Vec<(String,)> =
        sql("SELECT name FROM bundle WHERE owner_id = $1 ORDER BY name LIMIT 1000")
            .bind(owner)
            .all(conn)
            .await?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}
