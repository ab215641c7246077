//! Cover letters: deleted.

use super::delete_counted;
use crate::{
    domain::CoverId,
    store::{Result, Tx, tally::What},
};

/// Deletes a cover letter with its comments and events; its series and patches stay.
///
/// # Errors
/// When the database is away.
pub async fn delete_cover(tx: &mut Tx, id: CoverId) -> Result<()> {
    let statements = [
        "SELECT project_id FROM cover WHERE id = $1",
        "SELECT project_id, category FROM event WHERE cover_id = $1 \
         OR comment_id IN (SELECT id FROM comment WHERE cover_id = $1)",
        "DELETE FROM cover WHERE id = $1",
    ];
    delete_counted(tx, id, What::cover, statements).await
}
