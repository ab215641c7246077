//! Putting right what mail or people got wrong: patches moved between series, people and series merged, states and
//! accounts that go. Counts and events stay true.

use crate::{
    domain::{
        CommentId, CoverId, MessageId, Patch, PatchId, PersonId, ProjectId, SeriesId, StateId,
        UserId,
        change::{Actor, PatchChange},
        comment::Parent,
        event::{self, Category, Joining},
        tag::Counter,
    },
    store::{
        Batch, Conn, Result, Tx, Value, comment, event as events, patch, patch::change, project,
        relation, rows, series, sql, tag, tally::What, user,
    },
};

/// How many patches are changed at once.
const SOME: usize = 500;

/// Why a patch cannot get a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misplaced {
    /// The series is another project's.
    OtherProject,
    /// Another patch has that number.
    Taken(i64),
}

/// Gives a patch a place in a series, or none anywhere. What it completes by that is told once, as if it had come now.
///
/// # Errors
/// When patch or series is not there, or the database is away. The inner error: the place cannot be had.
pub async fn place(
    tx: &mut Tx,
    id: PatchId,
    place: Option<(SeriesId, Option<i64>)>,
    by: &Actor,
) -> Result<Result<(), Misplaced>> {
    let Some(patch) = patch::by_id(tx, id).await? else {
        return Err(sqlx::Error::RowNotFound.into());
    };
    // As intake does, so that the two never judge a series by half of it.
    project::lock(tx, patch.project_id).await?;
    let Some((target, number)) = place else {
        write_place(tx, id, None, None).await?;
        return Ok(Ok(()));
    };
    let Some(sent) = series::by_id(tx, target).await? else {
        return Err(sqlx::Error::RowNotFound.into());
    };
    if sent.series.project_id != patch.project_id {
        return Ok(Err(Misplaced::OtherProject));
    }
    let others: Vec<_> = series::members(tx, &[target])
        .await?
        .into_iter()
        .filter(|member| member.id != id)
        .collect();
    let last = others.iter().map(|member| member.number).max().unwrap_or(0);
    let number = number.or(patch.number.filter(|number| {
        patch.series_id == Some(target) || others.iter().all(|member| member.number != *number)
    }));
    let number = number.unwrap_or(last + 1);
    if others.iter().any(|member| member.number == number) {
        return Ok(Err(Misplaced::Taken(number)));
    }
    write_place(tx, id, Some(target), Some(number)).await?;
    if patch.series_id != Some(target) {
        let mut members: Vec<(i64, PatchId)> = others
            .iter()
            .map(|member| (member.number, member.id))
            .collect();
        members.push((number, id));
        let joining = Joining {
            series: target,
            total: sent.series.total,
            members,
            number,
        };
        tell_joined(tx, &joining, &patch, by).await?;
    }
    Ok(Ok(()))
}

async fn write_place(
    tx: &mut Tx,
    id: PatchId,
    series: Option<SeriesId>,
    number: Option<i64>,
) -> Result<()> {
    sql("UPDATE patch SET series_id = $2, number = $3 WHERE id = $1")
        .bind(id)
        .bind(series)
        .bind(number)
        .run(tx)
        .await?;
    Ok(())
}

/// Tells what a patch completes by joining, but for what was told of this series before.
async fn tell_joined(tx: &mut Tx, joining: &Joining, patch: &Patch, by: &Actor) -> Result<()> {
    let told: Vec<(String, Option<PatchId>)> =
        sql("SELECT category, patch_id FROM event WHERE series_id = $1 \
         AND category IN ('patch-completed', 'series-completed')")
        .bind(joining.series)
        .all(tx)
        .await?;
    let is_told = |event: &event::Event| {
        let mut same = told.iter();
        same.any(|(category, patch)| category == event.category.word() && *patch == event.patch)
    };
    let fresh: Vec<event::Event> = event::after_joining(joining, patch.project_id, by.at)
        .into_iter()
        .filter(|event| !is_told(event))
        .map(|event| event::Event {
            actor: by.user,
            ..event
        })
        .collect();
    let mut batch = Batch::default();
    events::insert(&mut batch, &fresh);
    batch.write(tx).await
}

/// Why series cannot become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Apart {
    /// They are of different projects.
    OtherProject,
    /// Both have a cover letter.
    Covers,
    /// Both have a patch of that number.
    Number(i64),
    /// They are the same.
    Same,
}

/// Makes a series part of another: its patches, its cover letter and the mails that lead to it.
///
/// # Errors
/// When one of them is not there, or the database is away. The inner error: they cannot become one.
pub async fn merge_series(
    tx: &mut Tx,
    from: SeriesId,
    into: SeriesId,
    by: &Actor,
) -> Result<Result<(), Apart>> {
    let (Some(one), Some(other)) = (
        series::by_id(tx, from).await?,
        series::by_id(tx, into).await?,
    ) else {
        return Err(sqlx::Error::RowNotFound.into());
    };
    if from == into {
        return Ok(Err(Apart::Same));
    }
    if one.series.project_id != other.series.project_id {
        return Ok(Err(Apart::OtherProject));
    }
    if one.series.cover_id.is_some() && other.series.cover_id.is_some() {
        return Ok(Err(Apart::Covers));
    }
    project::lock(tx, one.series.project_id).await?;
    let members = series::members(tx, &[from, into]).await?;
    let taken: Vec<i64> = members
        .iter()
        .filter(|member| member.series_id == into)
        .map(|member| member.number)
        .collect();
    let moving: Vec<_> = members
        .iter()
        .filter(|member| member.series_id == from)
        .collect();
    if let Some(twice) = moving.iter().find(|member| taken.contains(&member.number)) {
        return Ok(Err(Apart::Number(twice.number)));
    }
    let mut moving: Vec<(i64, PatchId)> = moving
        .iter()
        .map(|member| (member.number, member.id))
        .collect();
    moving.sort_unstable();
    for (number, patch) in moving {
        if self::place(tx, patch, Some((into, Some(number))), by)
            .await?
            .is_err()
        {
            return Ok(Err(Apart::Number(number)));
        }
    }
    sql("UPDATE patch SET series_id = $2 WHERE series_id = $1")
        .bind(from)
        .bind(into)
        .run(tx)
        .await?;
    if let Some(cover) = one.series.cover_id {
        sql("UPDATE series SET cover_id = NULL WHERE id = $1")
            .bind(from)
            .run(tx)
            .await?;
        sql("UPDATE series SET cover_id = $2 WHERE id = $1")
            .bind(into)
            .bind(cover)
            .run(tx)
            .await?;
    }
    follow(tx, from, into).await?;
    delete_series(tx, from).await?;
    Ok(Ok(()))
}

/// Makes mails, dependencies and events that speak of a series speak of another.
async fn follow(tx: &mut Tx, from: SeriesId, into: SeriesId) -> Result<()> {
    for statement in [
        "INSERT INTO series_reference (project_id, msgid, series_id, distance) \
         SELECT project_id, msgid, $2, distance FROM series_reference WHERE series_id = $1 ON CONFLICT DO NOTHING",
        "INSERT INTO unmet_dependency (project_id, msgid, series_id, position) \
         SELECT project_id, msgid, $2, position FROM unmet_dependency WHERE series_id = $1 ON CONFLICT DO NOTHING",
        "INSERT INTO series_dependency (from_series_id, to_series_id, position) \
         SELECT $2, to_series_id, position FROM series_dependency WHERE from_series_id = $1 AND to_series_id <> $2 \
         ON CONFLICT DO NOTHING",
        "INSERT INTO series_dependency (from_series_id, to_series_id, position) \
         SELECT from_series_id, $2, position FROM series_dependency WHERE to_series_id = $1 AND from_series_id <> $2 \
         ON CONFLICT DO NOTHING",
    ] {
        sql(statement).bind(from).bind(into).run(tx).await?;
    }
    Ok(())
}

/// Deletes a series; its patches and its cover letter stay.
///
/// # Errors
/// When the database is away.
pub async fn delete_series(tx: &mut Tx, id: SeriesId) -> Result<()> {
    let row: Option<(ProjectId,)> = sql("SELECT project_id FROM series WHERE id = $1")
        .bind(id)
        .optional(tx)
        .await?;
    let Some((project,)) = row else {
        return Ok(());
    };
    let mut batch = Batch::default();
    batch.count(What::series(project), -1);
    uncount(
        tx,
        &mut batch,
        "SELECT project_id, category FROM event WHERE series_id = $1",
        id.into(),
    )
    .await?;
    batch.write(tx).await?;
    sql("DELETE FROM series WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
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

/// Deletes patches with all that hangs on them: texts, comments, checks, events. Nothing else ever does.
///
/// # Errors
/// When the database is away.
pub async fn delete_patches(tx: &mut Tx, ids: &[PatchId]) -> Result<()> {
    let mut relations = Vec::new();
    for id in ids {
        let Some(patch) = patch::by_id(tx, *id).await? else {
            continue;
        };
        project::lock(tx, patch.project_id).await?;
        let mut batch = Batch::default();
        batch.count(
            What::patch(patch.project_id, patch.state_id, patch.archived),
            -1,
        );
        uncount(
            tx,
            &mut batch,
            "SELECT project_id, category FROM event WHERE patch_id = $1 \
             OR comment_id IN (SELECT id FROM comment WHERE patch_id = $1) \
             OR check_id IN (SELECT id FROM patch_check WHERE patch_id = $1)",
            (*id).into(),
        )
        .await?;
        batch.write(tx).await?;
        sql("DELETE FROM patch WHERE id = $1")
            .bind(*id)
            .run(tx)
            .await?;
        relations.extend(patch.related_id);
    }
    relation::delete_lonely(tx, &relations).await
}

/// Deletes a cover letter with its comments and events; its series and patches stay.
///
/// # Errors
/// When the database is away.
pub async fn delete_cover(tx: &mut Tx, id: CoverId) -> Result<()> {
    let row: Option<(ProjectId,)> = sql("SELECT project_id FROM cover WHERE id = $1")
        .bind(id)
        .optional(tx)
        .await?;
    let Some((project,)) = row else {
        return Ok(());
    };
    let mut batch = Batch::default();
    batch.count(What::cover(project), -1);
    uncount(
        tx,
        &mut batch,
        "SELECT project_id, category FROM event WHERE cover_id = $1 \
         OR comment_id IN (SELECT id FROM comment WHERE cover_id = $1)",
        id.into(),
    )
    .await?;
    batch.write(tx).await?;
    sql("DELETE FROM cover WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}

/// Deletes a check and the event that told of it.
///
/// # Errors
/// When the database is away.
pub async fn delete_check(tx: &mut Tx, id: i64) -> Result<()> {
    let mut batch = Batch::default();
    uncount(
        tx,
        &mut batch,
        "SELECT project_id, category FROM event WHERE check_id = $1",
        id.into(),
    )
    .await?;
    batch.write(tx).await?;
    sql("DELETE FROM patch_check WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}

/// Returns checks of a kind that are older than a moment, the oldest first.
///
/// # Errors
/// When the database is away.
pub async fn old_checks(
    conn: &mut Conn,
    context: &str,
    before: crate::domain::Timestamp,
    most: i64,
) -> Result<Vec<i64>> {
    let rows: Vec<(i64,)> =
        sql("SELECT id FROM patch_check WHERE context = $1 AND date < $2 ORDER BY id LIMIT $3")
            .bind(context)
            .bind(before)
            .bind(most)
            .all(conn)
            .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Hangs a comment on another patch or cover letter, and counts the tags of both anew.
///
/// # Errors
/// When one of them is not there, or the database is away.
pub async fn move_comment(tx: &mut Tx, id: CommentId, parent: Parent) -> Result<()> {
    let (before,): (Option<PatchId>,) = sql("SELECT patch_id FROM comment WHERE id = $1")
        .bind(id)
        .one(tx)
        .await?;
    comment::rehang(tx, id, parent).await?;
    let mut patches: Vec<PatchId> = before.into_iter().chain(parent.split().0).collect();
    patches.sort_unstable();
    patches.dedup();
    let counter = Counter::new(&tag::all(tx).await?);
    if patches.is_empty() {
        return Ok(());
    }
    tag::recount(tx, &counter, &patches).await
}

/// Makes people one: what they sent becomes the survivor's, and mail from their addresses will be, too.
///
/// # Errors
/// When one of them is not there, or the database is away.
pub async fn merge_people(tx: &mut Tx, from: PersonId, into: PersonId) -> Result<()> {
    let (email, account): (String, Option<UserId>) =
        sql("SELECT email, account_id FROM person WHERE id = $1")
            .bind(from)
            .one(tx)
            .await?;
    for statement in [
        "UPDATE patch SET submitter_id = $2 WHERE submitter_id = $1",
        "UPDATE cover SET submitter_id = $2 WHERE submitter_id = $1",
        "UPDATE comment SET submitter_id = $2 WHERE submitter_id = $1",
        "UPDATE series SET submitter_id = $2 WHERE submitter_id = $1",
        "UPDATE person_alias SET person_id = $2 WHERE person_id = $1",
    ] {
        sql(statement).bind(from).bind(into).run(tx).await?;
    }
    sql("UPDATE person SET account_id = $2 WHERE id = $1 AND account_id IS NULL")
        .bind(into)
        .bind(account)
        .run(tx)
        .await?;
    sql("DELETE FROM person WHERE id = $1")
        .bind(from)
        .run(tx)
        .await?;
    sql(
        "INSERT INTO person_alias (email, person_id) VALUES (lower($1), $2) \
         ON CONFLICT (email) DO UPDATE SET person_id = excluded.person_id",
    )
    .bind(email)
    .bind(into)
    .run(tx)
    .await?;
    Ok(())
}

/// Returns the addresses that lead to a person besides their own.
///
/// # Errors
/// When the database is away.
pub async fn aliases(conn: &mut Conn, person: PersonId) -> Result<Vec<String>> {
    let rows: Vec<(String,)> =
        sql("SELECT email FROM person_alias WHERE person_id = $1 ORDER BY email")
            .bind(person)
            .all(conn)
            .await?;
    Ok(rows.into_iter().map(|(email,)| email).collect())
}

/// Returns patches that a condition holds for, in the order of their ids.
async fn patches(conn: &mut Conn, statement: &'static str, id: Value) -> Result<Vec<PatchId>> {
    let rows: Vec<(PatchId,)> = sql(statement).bind(id).bind(SOME as i64).all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

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

/// The login name of the account that has the checks of deleted ones.
pub const NOBODY: &str = "deleted-user";

/// Deletes an account. Its patches lie on nobody's desk then, which is told; its people belong to nobody; its bundles and
/// rules go. Checks stay and become those of [`NOBODY`], an account that cannot log in.
///
/// # Errors
/// When the database is away.
pub async fn delete_user(tx: &mut Tx, id: UserId, by: &Actor) -> Result<()> {
    let change = PatchChange {
        delegate: Some(None),
        ..PatchChange::default()
    };
    loop {
        let some = patches(
            tx,
            "SELECT id FROM patch WHERE delegate_id = $1 ORDER BY id LIMIT $2",
            id.into(),
        )
        .await?;
        if some.is_empty() {
            break;
        }
        change::apply(tx, &some, &change, by).await?;
    }
    let (checks,): (bool,) =
        sql("SELECT (EXISTS (SELECT 1 FROM patch_check WHERE account_id = $1))")
            .bind(id)
            .one(tx)
            .await?;
    if checks {
        let nobody = nobody(tx, by).await?;
        sql("UPDATE patch_check SET account_id = $2 WHERE account_id = $1")
            .bind(id)
            .bind(nobody)
            .run(tx)
            .await?;
    }
    sql("DELETE FROM account WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}

async fn nobody(tx: &mut Tx, by: &Actor) -> Result<UserId> {
    if let Some(known) = user::by_username(tx, NOBODY).await? {
        return Ok(known.id);
    }
    let new = user::NewUser {
        username: NOBODY,
        email: "",
        first_name: "",
        last_name: "",
        password: "!",
        is_superuser: false,
        date_joined: by.at,
        items_per_page: 100,
    };
    let id = user::insert(tx, &new).await?;
    sql("UPDATE account SET is_active = FALSE WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(id)
}

/// Gives a patch another name, with the key it is sorted by.
///
/// # Errors
/// When the database is away.
pub async fn rename_patch(tx: &mut Tx, id: PatchId, name: &str) -> Result<()> {
    sql("UPDATE patch SET name = $2, name_key = $3 WHERE id = $1")
        .bind(id)
        .bind(name)
        .bind(crate::domain::patch::name_key(name))
        .run(tx)
        .await?;
    Ok(())
}

/// Moves patches to another project: out of their series and of bundles, with their counts and events. Says which of them
/// is there already.
///
/// # Errors
/// When one of them is not there, or the database is away.
pub async fn move_patches(
    tx: &mut Tx,
    ids: &[PatchId],
    into: ProjectId,
) -> Result<Option<MessageId>> {
    for id in ids {
        let Some(patch) = patch::by_id(tx, *id).await? else {
            return Err(sqlx::Error::RowNotFound.into());
        };
        if patch.project_id == into {
            continue;
        }
        let (is_there,): (bool,) =
            sql("SELECT (EXISTS (SELECT 1 FROM patch WHERE project_id = $1 AND msgid = $2))")
                .bind(into)
                .bind(&patch.msgid)
                .one(tx)
                .await?;
        if is_there {
            return Ok(Some(patch.msgid));
        }
        project::lock(tx, patch.project_id).await?;
        let mut batch = Batch::default();
        batch.count(
            What::patch(patch.project_id, patch.state_id, patch.archived),
            -1,
        );
        batch.count(What::patch(into, patch.state_id, patch.archived), 1);
        let told: Vec<(ProjectId, String)> =
            sql("SELECT project_id, category FROM event WHERE patch_id = $1")
                .bind(*id)
                .all(tx)
                .await?;
        for category in told
            .iter()
            .filter_map(|(_, word)| Category::from_word(word))
        {
            batch.count(What::event(patch.project_id, category.word()), -1);
            batch.count(What::event(into, category.word()), 1);
        }
        batch.write(tx).await?;
        sql("UPDATE patch SET project_id = $2, series_id = NULL, number = NULL WHERE id = $1")
            .bind(*id)
            .bind(into)
            .run(tx)
            .await?;
        sql("UPDATE event SET project_id = $2 WHERE patch_id = $1")
            .bind(*id)
            .bind(into)
            .run(tx)
            .await?;
        sql("DELETE FROM bundle_patch WHERE patch_id = $1 \
             AND bundle_id IN (SELECT id FROM bundle WHERE project_id <> $2)")
        .bind(*id)
        .bind(into)
        .run(tx)
        .await?;
    }
    Ok(None)
}

/// Keeps the name under which a project was reachable before.
///
/// # Errors
/// When the database is away.
pub async fn keep_linkname(tx: &mut Tx, id: ProjectId, before: &str, now: &str) -> Result<()> {
    sql("DELETE FROM project_alias WHERE linkname = $1")
        .bind(now)
        .run(tx)
        .await?;
    rows::insert(
        tx,
        "project_alias (linkname, project_id)",
        vec![vec![before.into(), id.into()]],
        "ON CONFLICT (linkname) DO UPDATE SET project_id = excluded.project_id",
    )
    .await?;
    Ok(())
}
