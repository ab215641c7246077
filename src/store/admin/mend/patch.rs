//! Patches: deleted, renamed, moved to another project.

use super::uncount;
use crate::{
    domain::{MessageId, PatchId, ProjectId, event::Category, patch::name_key},
    store::{Batch, Result, Tx, patch, project, relation, search, sql, tally::What},
};

/// Deletes patches with all that hangs on them: texts, comments, checks, events. Nothing else ever does.
///
/// # Errors
/// When the database is away.
pub async fn delete_patches(tx: &mut Tx, ids: &[PatchId]) -> Result<()> {
    let mut relations = Vec::new();
    for id in ids {
        let Some(patch) = patch::by_id(tx, *id).await? else {
            continue;
        };
        project::lock(tx, patch.project_id).await?;
        let mut batch = Batch::default();
        batch.count(
            What::patch(patch.project_id, patch.state_id, patch.archived),
            -1,
        );
        uncount(
            tx,
            &mut batch,
            "SELECT project_id, category FROM event WHERE patch_id = $1 \
             OR comment_id IN (SELECT id FROM comment WHERE patch_id = $1) \
             OR check_id IN (SELECT id FROM patch_check WHERE patch_id = $1)",
            (*id).into(),
        )
        .await?;
        batch.write(tx).await?;
        sql("DELETE FROM patch WHERE id = $1")
            .bind(*id)
            .run(tx)
            .await?;
        relations.extend(patch.related_id);
    }
    relation::delete_lonely(tx, &relations).await
}

/// Gives a patch another name, with the key it is sorted by.
///
/// # Errors
/// When the database is away.
pub async fn rename_patch(tx: &mut Tx, id: PatchId, name: &str) -> Result<()> {
    sql("UPDATE patch SET name = $2, name_key = $3 WHERE id = $1")
        .bind(id)
        .bind(name)
        .bind(name_key(name))
        .run(tx)
        .await?;
    search::settle(tx).await?;
    Ok(())
}

/// Moves patches to another project: out of their series and of bundles, with their counts and events. Says which of them
/// is there already.
///
/// # Errors
/// When one of them is not there, or the database is away.
pub async fn move_patches(
    tx: &mut Tx,
    ids: &[PatchId],
    into: ProjectId,
) -> Result<Option<MessageId>> {
    for id in ids {
        let Some(patch) = patch::by_id(tx, *id).await? else {
            return Err(sqlx::Error::RowNotFound.into());
        };
        if patch.project_id == into {
            continue;
        }
        let (is_there,): (bool,) =
            sql("SELECT (EXISTS (SELECT 1 FROM patch WHERE project_id = $1 AND msgid = $2))")
                .bind(into)
                .bind(&patch.msgid)
                .one(tx)
                .await?;
        if is_there {
            return Ok(Some(patch.msgid));
        }
        project::lock(tx, patch.project_id).await?;
        let mut batch = Batch::default();
        batch.count(
            What::patch(patch.project_id, patch.state_id, patch.archived),
            -1,
        );
        batch.count(What::patch(into, patch.state_id, patch.archived), 1);
        let told: Vec<(ProjectId, String)> =
            sql("SELECT project_id, category FROM event WHERE patch_id = $1")
                .bind(*id)
                .all(tx)
                .await?;
        for category in told
            .iter()
            .filter_map(|(_, word)| Category::from_word(word))
        {
            batch.count(What::event(patch.project_id, category.word()), -1);
            batch.count(What::event(into, category.word()), 1);
        }
        batch.write(tx).await?;
        sql("UPDATE patch SET project_id = $2, series_id = NULL, number = NULL WHERE id = $1")
            .bind(*id)
            .bind(into)
            .run(tx)
            .await?;
        sql("UPDATE event SET project_id = $2 WHERE patch_id = $1")
            .bind(*id)
            .bind(into)
            .run(tx)
            .await?;
        sql("DELETE FROM bundle_patch WHERE patch_id = $1 \
             AND bundle_id IN (SELECT id FROM bundle WHERE project_id <> $2)")
        .bind(*id)
        .bind(into)
        .run(tx)
        .await?;
    }
    search::settle_now(tx).await?;
    Ok(None)
}
