//! Relations: sets of patches that belong together (`domain.md` 1.15 and 3).

use std::collections::HashSet;

use super::{Conn, Kind, Result, Tx, patch::change, sql};
use crate::domain::{
    PatchId, RelationId,
    change::{Actor, PatchChange},
    relation::{Conflict, common},
};

/// How many patches one statement names.
const SOME: usize = 500;

/// Relates a patch to others and to all that they are related to; nothing is related to itself alone.
///
/// # Errors
/// When one of the patches is not there, or the database is away. The inner error: they are in several
/// relations already.
pub async fn extend(
    tx: &mut Tx,
    patch: PatchId,
    others: &[PatchId],
    by: &Actor,
) -> Result<Result<(), Conflict>> {
    let mut all: Vec<PatchId> = others.iter().copied().chain([patch]).collect();
    all.sort_unstable();
    all.dedup();
    if all.len() < 2 {
        return Ok(Ok(()));
    }
    let relation = match common(memberships(tx, &all).await?) {
        Ok(Some(relation)) => relation,
        Ok(None) => insert(tx).await?,
        Err(conflict) => return Ok(Err(conflict)),
    };
    relate(tx, &all, Some(relation), by).await?;
    Ok(Ok(()))
}

/// Takes a patch out of its relation, which ends when only one is left in it.
///
/// # Errors
/// When the patch is not there, or the database is away.
pub async fn leave(tx: &mut Tx, patch: PatchId, by: &Actor) -> Result<()> {
    relate(tx, &[patch], None, by).await
}

async fn relate(
    tx: &mut Tx,
    patches: &[PatchId],
    relation: Option<RelationId>,
    by: &Actor,
) -> Result<()> {
    let change = PatchChange {
        related: Some(relation),
        ..PatchChange::default()
    };
    change::apply(tx, patches, &change, by).await.map(drop)
}

/// Returns the relations of patches, which nobody else changes until the transaction ends.
async fn memberships(tx: &mut Tx, patches: &[PatchId]) -> Result<Vec<Option<RelationId>>> {
    let mut query = sql("SELECT related_id FROM patch WHERE id IN ");
    query.list(patches.iter().copied()).push(" ORDER BY id");
    if tx.kind() == Kind::Postgres {
        query.push(" FOR NO KEY UPDATE");
    }
    let rows: Vec<(Option<RelationId>,)> = query.all(tx).await?;
    Ok(rows.into_iter().map(|(relation,)| relation).collect())
}

async fn insert(conn: &mut Conn) -> Result<RelationId> {
    let (id,) = sql("INSERT INTO patch_relation DEFAULT VALUES RETURNING id")
        .one(conn)
        .await?;
    Ok(id)
}

/// Deletes those of these relations that have fewer than two patches.
///
/// # Errors
/// When the database is away or refuses.
pub(super) async fn delete_lonely(tx: &mut Tx, relations: &[RelationId]) -> Result<()> {
    let distinct: HashSet<RelationId> = relations.iter().copied().collect();
    let mut ids: Vec<RelationId> = distinct.into_iter().collect();
    ids.sort_unstable();
    if ids.is_empty() {
        return Ok(());
    }
    if tx.kind() == Kind::Postgres {
        // Two that leave at once would each still count the other.
        let mut lock = sql("SELECT id FROM patch_relation WHERE id IN ");
        lock.list(ids.iter().copied())
            .push(" ORDER BY id FOR NO KEY UPDATE");
        let _: Vec<(RelationId,)> = lock.all(tx).await?;
    }
    let mut query = sql("DELETE FROM patch_relation WHERE id IN ");
    query.list(ids);
    query.push(" AND (SELECT count(*) FROM patch WHERE related_id = patch_relation.id) < 2");
    query.run(tx).await?;
    Ok(())
}

/// Removes every relation, to put others in their place with [`replace`]. No event tells of it.
///
/// # Errors
/// When the database is away or refuses.
pub async fn delete_all(tx: &mut Tx) -> Result<()> {
    sql("DELETE FROM patch_relation").run(tx).await?;
    Ok(())
}

/// Makes one relation of those of these patches that there are, if there are two. No event tells of it.
///
/// # Errors
/// When the database is away or refuses.
pub async fn replace(tx: &mut Tx, patches: &[PatchId]) -> Result<()> {
    let mut known: Vec<(PatchId,)> = Vec::new();
    for some in patches.chunks(SOME) {
        let mut query = sql("SELECT id FROM patch WHERE id IN ");
        query.list(some.iter().copied());
        known.extend(query.all::<(PatchId,)>(tx).await?);
    }
    known.sort_unstable();
    known.dedup();
    if known.len() < 2 {
        return Ok(());
    }
    let relation = insert(tx).await?;
    for some in known.chunks(SOME) {
        let mut update = sql("UPDATE patch SET related_id = ");
        update.arg(relation).push(" WHERE id IN ");
        update.list(some.iter().map(|(id,)| *id));
        update.run(tx).await?;
    }
    Ok(())
}

/// Deletes relations that later ones have left with fewer than two patches, and returns how many remain.
///
/// # Errors
/// When the database is away or refuses.
pub async fn tidy(tx: &mut Tx) -> Result<i64> {
    sql(
        "DELETE FROM patch_relation WHERE (SELECT count(*) FROM patch WHERE related_id = patch_relation.id) < 2",
    )
    .run(tx)
    .await?;
    let (count,) = sql("SELECT count(*) FROM patch_relation").one(tx).await?;
    Ok(count)
}
