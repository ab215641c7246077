//! States.

use super::{Conn, Result, sql};
use crate::domain::State;

/// Returns every state in menu order.
///
/// # Errors
/// When the database is away or refuses.
pub async fn all(conn: &mut Conn) -> Result<Vec<State>> {
    sql("SELECT id, name, slug, ordering, action_required FROM state ORDER BY ordering")
        .all(conn)
        .await
}
