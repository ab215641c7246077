//! Events: written in the transaction of what they tell.

use super::{Conn, ROWS, Result, sql};
use crate::domain::event::Event;

/// Stores events in the order given.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(conn: &mut Conn, events: &[Event]) -> Result<()> {
    for some in events.chunks(ROWS) {
        let mut statement = sql(
            "INSERT INTO event (category, project_id, date, patch_id, series_id, cover_id, comment_id) VALUES ",
        );
        for (index, event) in some.iter().enumerate() {
            let row = vec![
                event.category.word().into(),
                event.project.into(),
                event.date.into(),
                event.patch.into(),
                event.series.into(),
                event.cover.into(),
                event.comment.into(),
            ];
            statement.row(index == 0, row);
        }
        statement.run(conn).await?;
    }
    Ok(())
}
