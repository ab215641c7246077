//! Putting right what mail or people got wrong: patches moved between series, people and series merged, states and
//! accounts that go. Counts and events stay true. One file per noun.

mod check;
mod comment;
mod cover;
mod patch;
mod person;
mod project;
mod series;
mod state;
mod user;

pub use check::{delete_checks, old_checks};
pub use comment::move_comment;
pub use cover::delete_cover;
pub use patch::{delete_patches, move_patches, rename_patch};
pub use person::{aliases, merge_people};
pub use project::keep_linkname;
pub use series::{Apart, Misplaced, delete_series, merge_series, place, split_series};
pub use state::{is_state_used, replace_state, swap_states};
pub use user::{NOBODY, delete_user};

use crate::{
    domain::{PatchId, ProjectId, event::Category},
    store::{Batch, Conn, Result, Tx, Value, sql, tally::What},
};

/// How many patches are changed at once.
const SOME: usize = 500;

/// Deletes a row that is counted in its project, and takes the events that go with it out of the counts. `project`, `events` and
/// `delete` are statements about the row `$1`.
async fn delete_counted(
    tx: &mut Tx,
    id: impl Into<Value> + Copy,
    what: fn(ProjectId) -> What,
    [project, events, delete]: [&'static str; 3],
) -> Result<()> {
    let row: Option<(ProjectId,)> = sql(project).bind(id).optional(tx).await?;
    let Some((project,)) = row else {
        return Ok(());
    };
    let mut batch = Batch::default();
    batch.count(what(project), -1);
    uncount(tx, &mut batch, events, id.into()).await?;
    batch.write(tx).await?;
    sql(delete).bind(id).run(tx).await?;
    Ok(())
}

/// Takes the events that go with a row out of the counts.
async fn uncount(
    conn: &mut Conn,
    batch: &mut Batch,
    statement: &'static str,
    id: Value,
) -> Result<()> {
    let rows: Vec<(ProjectId, String)> = sql(statement).bind(id).all(conn).await?;
    for (project, word) in rows {
        if let Some(category) = Category::from_word(&word) {
            batch.count(What::event(project, category.word()), -1);
        }
    }
    Ok(())
}

/// Returns patches that a condition holds for, in the order of their ids.
async fn patches(conn: &mut Conn, statement: &'static str, id: Value) -> Result<Vec<PatchId>> {
    let rows: Vec<(PatchId,)> = sql(statement).bind(id).bind(SOME as i64).all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
