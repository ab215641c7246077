//! Events: written in the transaction of what they tell.

use super::{Conn, Result, rows};
use crate::domain::event::Event;

/// Stores events in the order given.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(conn: &mut Conn, events: &[Event]) -> Result<()> {
    let row = |event: &Event| {
        vec![
            event.category.word().into(),
            event.project.into(),
            event.date.into(),
            event.patch.into(),
            event.series.into(),
            event.cover.into(),
            event.comment.into(),
            event.check.into(),
            event.actor.into(),
            event.previous_state.into(),
            event.current_state.into(),
            event.previous_delegate.into(),
            event.current_delegate.into(),
        ]
    };
    rows::insert(
        conn,
        "event (category, project_id, date, patch_id, series_id, cover_id, comment_id, check_id, actor_id, \
         previous_state_id, current_state_id, previous_delegate_id, current_delegate_id)",
        events.iter().map(row).collect(),
        "",
    )
    .await?;
    Ok(())
}
