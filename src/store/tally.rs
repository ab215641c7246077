//! Counts of what only grows: kept with the rows, so that a page of a long list can say how long it is without
//! counting.
//!
//! [`Batch`](super::Batch) collects the differences and writes them with the rows they count, in one order, so that two
//! transactions never wait for each other. [`recount`] makes the table anew.

use std::collections::BTreeMap;

use super::{Conn, Result, Tx, Value, sql, window::among};
use crate::domain::{ProjectId, StateId};

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct What {
    project: ProjectId,
    kind: &'static str,
    category: &'static str,
    state: i64,
    archived: bool,
}

impl What {
    fn of(project: ProjectId, kind: &'static str) -> What {
        What {
            project,
            kind,
            category: "",
            state: 0,
            archived: false,
        }
    }

    /// Patches in a state, put away or not.
    pub fn patch(project: ProjectId, state: StateId, archived: bool) -> What {
        What {
            state: state.0,
            archived,
            ..What::of(project, "patch")
        }
    }

    /// Cover letters.
    pub fn cover(project: ProjectId) -> What {
        What::of(project, "cover")
    }

    /// Series.
    pub fn series(project: ProjectId) -> What {
        What::of(project, "series")
    }

    /// Events of a category.
    pub fn event(project: ProjectId, category: &'static str) -> What {
        What {
            category,
            ..What::of(project, "event")
        }
    }
}

/// Differences to be added, sorted: everybody locks the counts in this order.
pub(super) type Differences = BTreeMap<What, i64>;

pub(super) const INTO: &str = "tally (project_id, kind, category, state_id, archived, count)";
pub(super) const CONFLICT: &str = "ON CONFLICT (project_id, kind, category, state_id, archived) \
     DO UPDATE SET count = tally.count + excluded.count";

pub(super) fn rows(differences: Differences) -> Vec<Vec<Value>> {
    let row = |(what, count): (What, i64)| {
        vec![
            what.project.into(),
            what.kind.into(),
            what.category.into(),
            what.state.into(),
            what.archived.into(),
            count.into(),
        ]
    };
    let changed = differences.into_iter().filter(|(_, count)| *count != 0);
    changed.map(row).collect()
}

/// Returns how many patches there are: in these projects and states, any for none.
///
/// # Errors
/// When the database is away.
pub async fn patches(
    conn: &mut Conn,
    projects: &[ProjectId],
    states: &[StateId],
    archived: Option<bool>,
) -> Result<i64> {
    let mut query =
        sql("SELECT CAST(coalesce(sum(count), 0) AS BIGINT) FROM tally WHERE kind = 'patch'");
    among(&mut query, " AND project_id", projects);
    among(&mut query, " AND state_id", states);
    if let Some(archived) = archived {
        query.push(" AND archived = ").arg(archived);
    }
    let (count,) = query.one(conn).await?;
    Ok(count)
}

/// Returns how many cover letters or series (`kind` is `cover` or `series`) there are in these projects, any for none.
///
/// # Errors
/// When the database is away.
pub async fn of_projects(
    conn: &mut Conn,
    kind: &'static str,
    projects: &[ProjectId],
) -> Result<i64> {
    let mut query = sql("SELECT CAST(coalesce(sum(count), 0) AS BIGINT) FROM tally WHERE kind = ");
    query.arg(kind);
    among(&mut query, " AND project_id", projects);
    let (count,) = query.one(conn).await?;
    Ok(count)
}

/// Returns how many events there are: in these projects, any for none, and of these categories.
///
/// # Errors
/// When the database is away.
pub async fn events(
    conn: &mut Conn,
    projects: &[ProjectId],
    categories: &[&'static str],
) -> Result<i64> {
    let mut query =
        sql("SELECT CAST(coalesce(sum(count), 0) AS BIGINT) FROM tally WHERE kind = 'event'");
    among(&mut query, " AND project_id", projects);
    among(&mut query, " AND category", categories);
    let (count,) = query.one(conn).await?;
    Ok(count)
}

/// Counts everything anew: after rows were changed behind our back.
///
/// # Errors
/// When the database is away or refuses.
pub async fn recount(tx: &mut Tx) -> Result<()> {
    sql("DELETE FROM tally").run(tx).await?;
    for counts in [
        "SELECT project_id, 'patch', '', state_id, archived, count(*) FROM patch GROUP BY project_id, state_id, archived",
        "SELECT project_id, 'cover', '', 0, FALSE, count(*) FROM cover GROUP BY project_id",
        "SELECT project_id, 'series', '', 0, FALSE, count(*) FROM series GROUP BY project_id",
        "SELECT project_id, 'event', category, 0, FALSE, count(*) FROM event GROUP BY project_id, category",
    ] {
        let mut query = sql("INSERT INTO ");
        query.push(INTO).push(" ").push(counts);
        query.run(tx).await?;
    }
    Ok(())
}
