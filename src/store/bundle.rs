//! Bundles: users' ordered collections of patches (`domain.md §1.14`).

use std::collections::HashSet;

use super::{Conn, Kind, Result, Tx, rows, sql};
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
