//! Lists of patches: a page of rows, how many there are, and what is counted of each row.
//!
//! The usual lists (a project, some states, archived or not, by date) take the newest rows of each state from
//! the index and merge them, so that a page costs the same in a project of a thousand patches and of a million.

use std::collections::HashMap;

use sqlx::FromRow;

use super::super::{Conn, Kind, Result, Sql, containing, sql};
use crate::domain::{
    MessageId, PatchId, PersonId, ProjectId, SeriesId, StateId, TagId, Timestamp, UserId,
    check::{CheckCounts, CheckState},
    filter::{Archive, Delegate, Except, Order, OrderKey, PatchFilter, States, Submitter},
    state::State,
};

/// What a list shows of a patch.
#[derive(Clone, Debug, FromRow)]
pub struct Row {
    /// Its id.
    pub id: PatchId,
    /// Its project.
    pub project_id: ProjectId,
    /// The name of its project in URLs.
    pub linkname: String,
    /// The message id.
    pub msgid: MessageId,
    /// The cleaned subject.
    pub name: String,
    /// When it was written.
    pub date: Timestamp,
    /// Whether it is put away.
    pub archived: bool,
    /// Where it stands.
    pub state_id: StateId,
    /// Its place in the series.
    pub number: Option<i64>,
    /// Who sent it.
    pub submitter_id: PersonId,
    /// The sender's name, if known.
    pub submitter_name: Option<String>,
    /// The sender's address.
    pub submitter_email: String,
    /// The series it is part of.
    pub series_id: Option<SeriesId>,
    /// The name of the series.
    pub series_name: Option<String>,
    /// The revision of the series.
    pub series_version: Option<i64>,
    /// How many patches the series announces.
    pub series_total: Option<i64>,
    /// On whose desk it lies.
    pub delegate_id: Option<UserId>,
    /// The login name of who has it on the desk.
    pub delegate: Option<String>,
}

/// What is counted of a patch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Trailers, by tag.
    pub tags: HashMap<TagId, i64>,
    /// Effective checks, by result.
    pub checks: CheckCounts,
    /// Comments that ask for action.
    pub unaddressed: i64,
}

/// Returns the rows `offset` to `offset + limit` of a list. `states` are all states there are.
///
/// # Errors
/// When the database is away or refuses.
pub async fn page(
    conn: &mut Conn,
    filter: &PatchFilter,
    order: Order,
    states: &[State],
    limit: i64,
    offset: i64,
) -> Result<Vec<Row>> {
    let mut query = sql(
        "SELECT p.id, p.project_id, pr.linkname, p.msgid, p.name, p.date, p.archived, p.state_id, p.number, p.submitter_id,
                pe.name AS submitter_name, pe.email AS submitter_email, p.series_id, s.name AS series_name,
                s.version AS series_version, s.total AS series_total, p.delegate_id, d.username AS delegate
           FROM (",
    );
    match branches(filter, order, states) {
        Some(branches) => merged_ids(&mut query, filter, order, &branches, limit, offset),
        None => sorted_ids(
            &mut query,
            filter,
            order,
            states,
            conn.kind(),
            limit,
            offset,
        ),
    }
    query.push(
        ") page JOIN patch p ON p.id = page.id JOIN person pe ON pe.id = p.submitter_id
           JOIN project pr ON pr.id = p.project_id JOIN state st ON st.id = p.state_id LEFT JOIN series s ON s.id = p.series_id
           LEFT JOIN account d ON d.id = p.delegate_id",
    );
    order_by(&mut query, filter, order, conn.kind());
    query.all(conn).await
}

/// Returns how many patches a list has, or `cap` when there are more: nobody needs to know exactly.
///
/// # Errors
/// When the database is away or refuses.
pub async fn count(
    conn: &mut Conn,
    filter: &PatchFilter,
    states: &[State],
    cap: i64,
) -> Result<i64> {
    let mut query = sql("SELECT count(*) FROM (SELECT 1 FROM ");
    query.push(table(filter, conn.kind())).push(" WHERE ");
    conditions(
        &mut query,
        filter,
        state_ids(&filter.states, states).as_deref(),
        archived(filter.archive),
    );
    query.push(" LIMIT ").arg(cap).push(") found");
    let (count,): (i64,) = query.one(conn).await?;
    Ok(count)
}

/// Returns the patches of a list by id, `cap` at most.
///
/// # Errors
/// When the database is away or refuses.
pub async fn ids(
    conn: &mut Conn,
    filter: &PatchFilter,
    states: &[State],
    cap: i64,
) -> Result<Vec<PatchId>> {
    let mut query = sql("SELECT p.id FROM ");
    query.push(table(filter, conn.kind())).push(" WHERE ");
    conditions(
        &mut query,
        filter,
        state_ids(&filter.states, states).as_deref(),
        archived(filter.archive),
    );
    query.push(" ORDER BY p.id LIMIT ").arg(cap);
    let rows: Vec<(PatchId,)> = query.all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Returns what is counted of these patches, in one statement.
///
/// # Errors
/// When the database is away or refuses.
pub async fn marks(conn: &mut Conn, ids: &[PatchId]) -> Result<HashMap<PatchId, Marks>> {
    let mut marks: HashMap<PatchId, Marks> = HashMap::new();
    if ids.is_empty() {
        return Ok(marks);
    }
    for (patch, kind, what, count) in marks_query(ids)
        .all::<(PatchId, i64, i64, i64)>(conn)
        .await?
    {
        let mark = marks.entry(patch).or_default();
        match (kind, CheckState::from_number(what)) {
            (0, _) => {
                mark.tags.insert(TagId(what), count);
            }
            (1, Some(state)) => mark.checks.add(state, count),
            _ => mark.unaddressed += count,
        }
    }
    Ok(marks)
}

/// Says whether anybody's login name contains a text, ignoring case.
///
/// # Errors
/// When the database is away or refuses.
pub async fn any_delegate_matching(conn: &mut Conn, text: &str) -> Result<bool> {
    let found: Option<(UserId,)> =
        sql("SELECT id FROM account WHERE lower(username) LIKE $1 ESCAPE '\\' LIMIT 1")
            .bind(containing(text))
            .optional(conn)
            .await?;
    Ok(found.is_some())
}

fn marks_query(ids: &[PatchId]) -> Sql {
    let ids = || ids.iter().copied();
    let mut query =
        sql("SELECT patch_id, CAST(0 AS BIGINT), tag_id, count FROM patch_tag WHERE patch_id IN ");
    query.list(ids()).push(
        " UNION ALL SELECT patch_id, CAST(1 AS BIGINT), state, count(*) FROM (
            SELECT patch_id, state, row_number() OVER (PARTITION BY patch_id, account_id, context
                                                       ORDER BY date DESC, id DESC) AS age
              FROM patch_check WHERE patch_id IN ",
    );
    query.list(ids()).push(
        ") latest WHERE age = 1 GROUP BY patch_id, state
          UNION ALL SELECT patch_id, CAST(2 AS BIGINT), CAST(0 AS BIGINT), count(*) FROM comment
           WHERE addressed = FALSE AND patch_id IN ",
    );
    query.list(ids()).push(" GROUP BY patch_id");
    query
}

/// A part of a list that the index holds in order: one state, archived or not.
struct Branch {
    state: StateId,
    ordering: i64,
    archived: bool,
}

/// Returns the parts to merge when the list has the shape the index is made for.
fn branches(filter: &PatchFilter, order: Order, states: &[State]) -> Option<Vec<Branch>> {
    let by_index = matches!(order.key, OrderKey::Date | OrderKey::State)
        && filter.project.is_some()
        && filter.series.is_none()
        && filter.bundle.is_none()
        && filter.submitter.is_none()
        && filter.delegate.is_none();
    let everything = filter.states == States::Any && filter.archive == Archive::Both;
    if !by_index || (everything && order.key == OrderKey::Date) {
        return None;
    }
    let wanted = state_ids(&filter.states, states);
    let shelves = match archived(filter.archive) {
        Some(archived) => vec![archived],
        None => vec![false, true],
    };
    let branches = states
        .iter()
        .filter(|state| {
            wanted
                .as_ref()
                .is_none_or(|wanted| wanted.contains(&state.id))
        })
        .flat_map(|state| {
            shelves.iter().map(|archived| Branch {
                state: state.id,
                ordering: state.ordering,
                archived: *archived,
            })
        })
        .collect::<Vec<_>>();
    (!branches.is_empty() && branches.len() <= 60).then_some(branches)
}

/// Takes the first rows of each part in order and merges them.
fn merged_ids(
    query: &mut Sql,
    filter: &PatchFilter,
    order: Order,
    branches: &[Branch],
    limit: i64,
    offset: i64,
) {
    let by_state = order.key == OrderKey::State;
    // Within a state, dates run against the order of states (`web.md §6.2`).
    let dates_descend = order.descending != by_state;
    let mut separator = "SELECT id FROM (SELECT * FROM (";
    for branch in branches {
        query.push(separator).push("SELECT p.id, p.date, CAST(");
        query
            .arg(branch.ordering)
            .push(" AS BIGINT) AS ordering FROM patch p WHERE ");
        conditions(query, filter, Some(&[branch.state]), Some(branch.archived));
        query.push(if dates_descend {
            " ORDER BY p.date DESC, p.id DESC LIMIT "
        } else {
            " ORDER BY p.date, p.id LIMIT "
        });
        query.arg(limit + offset).push(") branch");
        separator = " UNION ALL SELECT * FROM (";
    }
    query.push(match (by_state, order.descending) {
        (false, true) => ") merged ORDER BY date DESC, id DESC LIMIT ",
        (false, false) => ") merged ORDER BY date, id LIMIT ",
        (true, true) => ") merged ORDER BY ordering DESC, date, id LIMIT ",
        (true, false) => ") merged ORDER BY ordering, date DESC, id DESC LIMIT ",
    });
    query.arg(limit).push(" OFFSET ").arg(offset);
}

/// Leaves it to the database how to find and sort the rows.
fn sorted_ids(
    query: &mut Sql,
    filter: &PatchFilter,
    order: Order,
    states: &[State],
    kind: Kind,
    limit: i64,
    offset: i64,
) {
    query.push("SELECT p.id FROM ").push(table(filter, kind));
    query.push(match order.key {
        OrderKey::State => " JOIN state st ON st.id = p.state_id",
        OrderKey::Submitter => " JOIN person pe ON pe.id = p.submitter_id",
        OrderKey::Delegate => " LEFT JOIN account d ON d.id = p.delegate_id",
        OrderKey::Date | OrderKey::Name | OrderKey::Number | OrderKey::Place => "",
    });
    query.push(" WHERE ");
    conditions(
        query,
        filter,
        state_ids(&filter.states, states).as_deref(),
        archived(filter.archive),
    );
    order_by(query, filter, order, kind);
    query
        .push(" LIMIT ")
        .arg(limit)
        .push(" OFFSET ")
        .arg(offset);
}

/// Returns the table to search. SQLite, which keeps no count of how rare a value is, has to be told that one
/// person's patches are few.
fn table(filter: &PatchFilter, kind: Kind) -> &'static str {
    match (&filter.submitter, filter.series, kind) {
        (Some(Submitter::Person(_) | Submitter::Account(_)), None, Kind::Sqlite) => {
            "patch p INDEXED BY patch_submitter"
        }
        _ => "patch p",
    }
}

fn order_by(query: &mut Sql, filter: &PatchFilter, order: Order, kind: Kind) {
    query.push(match (order.key, kind) {
        (OrderKey::Place, _) => {
            " ORDER BY (SELECT position FROM bundle_patch WHERE patch_id = p.id AND bundle_id = "
        }
        (OrderKey::Date, _) => " ORDER BY p.date",
        (OrderKey::Name, _) => " ORDER BY p.name_key",
        (OrderKey::State, _) => " ORDER BY st.ordering",
        (OrderKey::Submitter, _) => " ORDER BY pe.key",
        (OrderKey::Delegate, Kind::Sqlite) => " ORDER BY p.delegate_id IS NULL, lower(d.username)",
        (OrderKey::Delegate, Kind::Postgres) => {
            " ORDER BY p.delegate_id IS NULL, lower(d.username) COLLATE \"C\""
        }
        (OrderKey::Number, _) => " ORDER BY p.number IS NULL, p.number",
    });
    if order.key == OrderKey::Place {
        query.arg(filter.bundle).push(")");
    }
    query.push(match (order.key, order.descending) {
        (OrderKey::Date, true) => " DESC, p.id DESC",
        (OrderKey::Date, false) => ", p.id",
        (OrderKey::Number, true) => " DESC, p.date DESC, p.id DESC",
        (OrderKey::Number, false) => ", p.date, p.id",
        (OrderKey::Place, true) => " DESC, p.id DESC",
        (OrderKey::Place, false) => ", p.id",
        (_, true) => " DESC, p.date, p.id",
        (_, false) => ", p.date DESC, p.id DESC",
    });
}

fn archived(archive: Archive) -> Option<bool> {
    match archive {
        Archive::No => Some(false),
        Archive::Yes => Some(true),
        Archive::Both => None,
    }
}

/// Returns the states to look for; `None` for any.
fn state_ids(wanted: &States, states: &[State]) -> Option<Vec<StateId>> {
    match wanted {
        States::Any => None,
        States::Among(ids) => Some(ids.clone()),
        States::ActionRequired => Some(
            states
                .iter()
                .filter(|state| state.action_required)
                .map(|state| state.id)
                .collect(),
        ),
    }
}

/// A check that no newer one of the same user and context has replaced.
const EFFECTIVE: &str = "(SELECT 1 FROM patch_check c WHERE c.patch_id = p.id AND NOT EXISTS (
    SELECT 1 FROM patch_check n WHERE n.patch_id = c.patch_id AND n.account_id = c.account_id
       AND n.context = c.context AND (n.date > c.date OR (n.date = c.date AND n.id > c.id))) AND c.state IN ";

fn conditions(
    query: &mut Sql,
    filter: &PatchFilter,
    states: Option<&[StateId]>,
    archived: Option<bool>,
) {
    query.push("TRUE");
    if let Some(project) = filter.project {
        query.push(" AND p.project_id = ").arg(project);
    }
    if !filter.among.is_empty() {
        query
            .push(" AND p.project_id IN ")
            .list(filter.among.iter().copied());
    }
    if let Some(bundle) = filter.bundle {
        query
            .push(" AND p.id IN (SELECT patch_id FROM bundle_patch WHERE bundle_id = ")
            .arg(bundle)
            .push(")");
    }
    if let Some(archived) = archived {
        query.push(" AND p.archived = ").arg(archived);
    }
    if let Some(states) = states {
        query
            .push(" AND p.state_id IN ")
            .list(states.iter().copied());
    }
    if let Some(series) = filter.series {
        query.push(" AND p.series_id = ").arg(series);
    }
    people(query, filter);
    exceptions(query, &filter.except);
    for word in &filter.words {
        query
            .push(" AND p.name_key LIKE ")
            .arg(containing(word))
            .push(" ESCAPE '\\'");
    }
    for word in &filter.without {
        query
            .push(" AND p.name_key NOT LIKE ")
            .arg(containing(word))
            .push(" ESCAPE '\\'");
    }
    if let Some(since) = filter.since {
        query.push(" AND p.date >= ").arg(since);
    }
    if let Some(before) = filter.before {
        query.push(" AND p.date < ").arg(before);
    }
    counted(query, filter);
}

fn people(query: &mut Sql, filter: &PatchFilter) {
    match &filter.submitter {
        None => {}
        Some(Submitter::Person(id)) => {
            query
                .push(" AND p.submitter_id IN (SELECT id FROM person WHERE id = ")
                .arg(*id);
            query
                .push(" OR account_id = (SELECT account_id FROM person WHERE id = ")
                .arg(*id)
                .push("))");
        }
        Some(Submitter::Account(id)) => {
            query.push(" AND p.submitter_id IN (SELECT id FROM person WHERE account_id = ");
            query.arg(*id).push(")");
        }
        Some(Submitter::Matching(text)) => {
            query.push(" AND p.submitter_id IN (SELECT id FROM person WHERE key LIKE ");
            query.arg(containing(text)).push(" ESCAPE '\\')");
        }
    }
    match &filter.delegate {
        None => {}
        Some(Delegate::Nobody) => {
            query.push(" AND p.delegate_id IS NULL");
        }
        Some(Delegate::User(id)) => {
            query.push(" AND p.delegate_id = ").arg(*id);
        }
        Some(Delegate::Matching(text)) => {
            query.push(" AND p.delegate_id IN (SELECT id FROM account WHERE lower(username) LIKE ");
            query.arg(containing(text)).push(" ESCAPE '\\')");
        }
    }
}

/// Leaves out whose, on whose desk, in which states. A patch on nobody's desk is on none of those named.
fn exceptions(query: &mut Sql, except: &Except) {
    for text in &except.submitters {
        query.push(" AND p.submitter_id NOT IN (SELECT id FROM person WHERE key LIKE ");
        query.arg(containing(text)).push(" ESCAPE '\\')");
    }
    for account in &except.accounts {
        query.push(" AND p.submitter_id NOT IN (SELECT id FROM person WHERE account_id = ");
        query.arg(*account).push(")");
    }
    for delegate in &except.delegates {
        match delegate {
            Delegate::Nobody => {
                query.push(" AND p.delegate_id IS NOT NULL");
            }
            Delegate::User(id) => {
                query.push(" AND (p.delegate_id IS NULL OR p.delegate_id <> ");
                query.arg(*id).push(")");
            }
            Delegate::Matching(text) => {
                query.push(" AND (p.delegate_id IS NULL OR p.delegate_id NOT IN ");
                query.push("(SELECT id FROM account WHERE lower(username) LIKE ");
                query.arg(containing(text)).push(" ESCAPE '\\'))");
            }
        }
    }
    if !except.states.is_empty() {
        query
            .push(" AND p.state_id NOT IN ")
            .list(except.states.iter().copied());
    }
}

fn counted(query: &mut Sql, filter: &PatchFilter) {
    match filter.checks {
        None => {}
        Some(None) => {
            query.push(" AND NOT EXISTS (SELECT 1 FROM patch_check c WHERE c.patch_id = p.id)");
        }
        Some(Some(state)) => {
            query
                .push(" AND EXISTS ")
                .push(EFFECTIVE)
                .list([state as i64])
                .push(")");
            let worse = worse_than(state).into_iter().map(|state| state as i64);
            query
                .push(" AND NOT EXISTS ")
                .push(EFFECTIVE)
                .list(worse)
                .push(")");
        }
    }
    if let Some((tag, least)) = filter.tag {
        query
            .push(" AND EXISTS (SELECT 1 FROM patch_tag t WHERE t.patch_id = p.id AND t.tag_id = ");
        query.arg(tag).push(" AND t.count >= ").arg(least).push(")");
    }
    if filter.unaddressed {
        query.push(
            " AND EXISTS (SELECT 1 FROM comment c WHERE c.patch_id = p.id AND c.addressed = FALSE)",
        );
    }
}

/// Returns the results that would be the combined one instead of `state` (`CheckCounts::combined`).
fn worse_than(state: CheckState) -> Vec<CheckState> {
    let order = [
        CheckState::Fail,
        CheckState::Warning,
        CheckState::Pending,
        CheckState::Success,
    ];
    order
        .into_iter()
        .take_while(|other| *other != state)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_combined_worst_first() {
        assert_eq!(worse_than(CheckState::Fail), []);
        assert_eq!(
            worse_than(CheckState::Pending),
            [CheckState::Fail, CheckState::Warning]
        );
    }
}
