//! Changing patches: the one way, whoever asks. Rows, events and notifications stand or fall together.

use std::collections::HashSet;

use sqlx::FromRow;

use crate::domain::{
    Patch, PatchId, RelationId,
    change::{Actor, PatchChange},
    event,
};
use crate::store::{
    Batch, Conn, Kind, Result, Tx, Value, event as events, notification, relation, sql, tally::What,
};

#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    patch: Patch,
    send_notifications: bool,
}

/// Makes the same change to patches, all or none, and returns them as they are then. Nobody else changes
/// them until the transaction ends. Who may do it is the caller's to decide.
///
/// # Errors
/// When one of the patches is not there, a value refers to nothing or is too long, or the database is away.
pub async fn apply(
    tx: &mut Tx,
    patches: &[PatchId],
    change: &PatchChange,
    by: &Actor,
) -> Result<Vec<Patch>> {
    let rows = locked(tx, patches).await?;
    let after: Vec<Patch> = rows
        .iter()
        .map(|row| change.applied_to(&row.patch))
        .collect();
    let changed: Vec<(&Row, &Patch)> = rows
        .iter()
        .zip(&after)
        .filter(|(row, after)| row.patch != **after)
        .collect();
    if !changed.is_empty() {
        write(tx, &changed, change).await?;
        tell(tx, &changed, by).await?;
        notify(tx, &changed, change, by).await?;
        let left: Vec<RelationId> = changed
            .iter()
            .filter(|(row, after)| row.patch.related_id != after.related_id)
            .filter_map(|(row, _)| row.patch.related_id)
            .collect();
        relation::delete_lonely(tx, &left).await?;
    }
    Ok(after)
}

/// Returns those of these patches that are there. Nobody else changes them until the transaction ends.
///
/// # Errors
/// When the database is away, or the wait is too long.
pub async fn lock(tx: &mut Tx, patches: &[PatchId]) -> Result<Vec<Patch>> {
    let rows = there(tx, patches).await?;
    Ok(rows.into_iter().map(|row| row.patch).collect())
}

/// Locks the patches whose ids `which` selects, in the order in which everybody locks them. What checks and comments say is noted with
/// their patches by triggers: whoever writes several of those, or an event as well, comes here before that, or two would wait for each
/// other.
///
/// # Errors
/// When the database is away, or the wait is too long.
pub async fn lock_those(tx: &mut Tx, which: &'static str, values: Vec<Value>) -> Result<()> {
    if tx.kind() == Kind::Sqlite {
        return Ok(());
    }
    let mut query = sql("SELECT id FROM patch WHERE id IN (");
    query.push(which).push(") ORDER BY id FOR NO KEY UPDATE");
    let query = values
        .into_iter()
        .fold(query, |query, value| query.bind(value));
    let _: Vec<(PatchId,)> = query.all(tx).await?;
    Ok(())
}

/// Reads patches, all of which have to be there.
async fn locked(tx: &mut Tx, patches: &[PatchId]) -> Result<Vec<Row>> {
    let rows = there(tx, patches).await?;
    let wanted: HashSet<PatchId> = patches.iter().copied().collect();
    match rows.len() == wanted.len() {
        true => Ok(rows),
        false => Err(sqlx::Error::RowNotFound.into()),
    }
}

/// Reads patches in the order of their ids, which is the order in which everybody locks them.
async fn there(tx: &mut Tx, patches: &[PatchId]) -> Result<Vec<Row>> {
    let kind = tx.kind();
    let mut query = sql(concat!(
        patch!(),
        ", pr.send_notifications
           FROM patch p JOIN project pr ON pr.id = p.project_id WHERE p.id",
    ));
    query.among_ids(kind, patches.iter().map(|id| id.0));
    query.push(" ORDER BY p.id");
    if kind == Kind::Postgres {
        query.push(" FOR NO KEY UPDATE OF p");
    }
    query.all(tx).await
}

async fn write(conn: &mut Conn, changed: &[(&Row, &Patch)], change: &PatchChange) -> Result<()> {
    let fields: [(&'static str, Option<Value>); 6] = [
        ("state_id = ", change.state.map(Value::from)),
        ("delegate_id = ", change.delegate.map(Value::from)),
        ("archived = ", change.archived.map(Value::from)),
        ("commit_ref = ", change.commit_ref.clone().map(Value::from)),
        ("pull_url = ", change.pull_url.clone().map(Value::from)),
        ("related_id = ", change.related.map(Value::from)),
    ];
    let mut query = sql("UPDATE patch");
    let mut separator = " SET ";
    for (column, value) in fields {
        if let Some(value) = value {
            query.push(separator).push(column).arg(value);
            separator = ", ";
        }
    }
    query.push(" WHERE id");
    query.among_ids(conn.kind(), changed.iter().map(|(_, after)| after.id.0));
    query.run(conn).await?;
    Ok(())
}

async fn tell(conn: &mut Conn, changed: &[(&Row, &Patch)], by: &Actor) -> Result<()> {
    let told: Vec<event::Event> = changed
        .iter()
        .flat_map(|(row, after)| event::between(&row.patch, after, by))
        .collect();
    let mut batch = Batch::default();
    events::insert(&mut batch, &told);
    for (row, after) in changed {
        let what = |patch: &Patch| What::patch(patch.project_id, patch.state_id, patch.archived);
        batch.count(what(&row.patch), -1);
        batch.count(what(after), 1);
    }
    batch.write(conn).await
}

/// Queues what submitters are to be told, in projects that tell them.
async fn notify(
    conn: &mut Conn,
    changed: &[(&Row, &Patch)],
    change: &PatchChange,
    by: &Actor,
) -> Result<()> {
    let Some(state) = change.state else {
        return Ok(());
    };
    let moved: Vec<_> = changed
        .iter()
        .filter(|(row, after)| row.send_notifications && row.patch.state_id != after.state_id)
        .map(|(row, _)| (row.patch.id, row.patch.state_id))
        .collect();
    notification::queue(conn, &moved, state, by.at).await
}
