//! Events: written in the transaction of what they tell.

use super::Batch;
use crate::domain::event::Event;

/// Stores events in the order given.
pub fn insert(batch: &mut Batch, events: &[Event]) {
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
    batch.add(
        "event (category, project_id, date, patch_id, series_id, cover_id, comment_id, check_id, actor_id, \
         previous_state_id, current_state_id, previous_delegate_id, current_delegate_id)",
        events.iter().map(row).collect(),
        "",
    );
}
