//! States: replaced by others, and sorted.

use super::patches;
use crate::{
    domain::{
        StateId,
        change::{Actor, PatchChange},
    },
    store::{Conn, Result, Tx, patch::change, sql},
};

/// Puts all patches of a state into another one, as if somebody had done it by hand, and forgets the state. What was told
/// of it before is told of the other one from now on. Returns how many patches it were.
///
/// # Errors
/// When one of the states is not there, or the database is away.
pub async fn replace_state(tx: &mut Tx, from: StateId, into: StateId, by: &Actor) -> Result<usize> {
    let change = PatchChange {
        state: Some(into),
        ..PatchChange::default()
    };
    let mut count = 0;
    loop {
        let some = patches(
            tx,
            "SELECT id FROM patch WHERE state_id = $1 ORDER BY id LIMIT $2",
            from.into(),
        )
        .await?;
        if some.is_empty() {
            break;
        }
        count += some.len();
        change::apply(tx, &some, &change, by).await?;
    }
    for statement in [
        "UPDATE event SET previous_state_id = $2 WHERE previous_state_id = $1",
        "UPDATE event SET current_state_id = $2 WHERE current_state_id = $1",
        "UPDATE patch_change_notification SET orig_state_id = $2 WHERE orig_state_id = $1",
    ] {
        sql(statement).bind(from).bind(into).run(tx).await?;
    }
    sql("DELETE FROM tally WHERE kind = 'patch' AND state_id = $1")
        .bind(from)
        .run(tx)
        .await?;
    sql("DELETE FROM state WHERE id = $1")
        .bind(from)
        .run(tx)
        .await?;
    Ok(count)
}

/// Says whether any patch, event or waiting notification knows a state.
///
/// # Errors
/// When the database is away.
pub async fn is_state_used(conn: &mut Conn, id: StateId) -> Result<bool> {
    let (used,): (bool,) = sql("SELECT (EXISTS (SELECT 1 FROM patch WHERE state_id = $1) \
         OR EXISTS (SELECT 1 FROM event WHERE previous_state_id = $1) \
         OR EXISTS (SELECT 1 FROM event WHERE current_state_id = $1) \
         OR EXISTS (SELECT 1 FROM patch_change_notification WHERE orig_state_id = $1))")
    .bind(id)
    .one(conn)
    .await?;
    Ok(used)
}

/// Lets two states change places in menus.
///
/// # Errors
/// When one of them is not there, or the database is away.
pub async fn swap_states(tx: &mut Tx, one: (StateId, i64), other: (StateId, i64)) -> Result<()> {
    // No two have the same place, not even for a moment.
    for (id, ordering) in [(one.0, -1 - one.1), (other.0, one.1), (one.0, other.1)] {
        sql("UPDATE state SET ordering = $2 WHERE id = $1")
            .bind(id)
            .bind(ordering)
            .run(tx)
            .await?;
    }
    Ok(())
}
