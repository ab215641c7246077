//! Series: patches get another place, series become one or two.

use super::delete_counted;
use crate::{
    domain::{
        Patch, PatchId, SeriesId,
        change::Actor,
        event::{self, Joining},
    },
    store::{Batch, Result, Tx, event as events, patch, project, series, sql, tally::What},
};

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
        if place(tx, patch, Some((into, Some(number))), by)
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

/// Makes the patches of a series from a number on a series of their own, numbered from 1. Nothing, if that would leave
/// one of the two empty.
///
/// # Errors
/// When the series is not there, or the database is away.
pub async fn split_series(
    tx: &mut Tx,
    id: SeriesId,
    at: i64,
    by: &Actor,
) -> Result<Option<SeriesId>> {
    let Some(sent) = series::by_id(tx, id).await? else {
        return Err(sqlx::Error::RowNotFound.into());
    };
    project::lock(tx, sent.series.project_id).await?;
    let mut members = series::members(tx, &[id]).await?;
    members.sort_unstable_by_key(|member| member.number);
    let (stay, go): (Vec<_>, Vec<_>) = members.iter().partition(|member| member.number < at);
    let (Some(last), Some(first)) = (stay.last(), go.first()) else {
        return Ok(None);
    };
    let Some(head) = patch::by_id(tx, first.id).await? else {
        return Ok(None);
    };
    let before = first.number - 1;
    let total = go.iter().map(|member| member.number - before).max();
    let (new,): (SeriesId,) = sql(
        "INSERT INTO series (project_id, submitter_id, name, date, version, total) VALUES ($1, $2, $3, $4, $5, $6) \
         RETURNING id",
    )
    .bind(sent.series.project_id)
    .bind(head.submitter_id)
    .bind(head.name.as_str())
    .bind(head.date)
    .bind(sent.series.version)
    .bind(total.unwrap_or(1))
    .one(tx)
    .await?;
    let mut batch = Batch::default();
    batch.count(What::series(sent.series.project_id), 1);
    let began = event::Event {
        actor: by.user,
        ..event::Event::series_created(sent.series.project_id, new, by.at)
    };
    events::insert(&mut batch, &[began]);
    batch.write(tx).await?;
    sql("UPDATE series SET total = $2 WHERE id = $1")
        .bind(id)
        .bind(sent.series.total.min(at - 1).max(last.number))
        .run(tx)
        .await?;
    // Mails that lead to the moved patches themselves lead to where they are.
    sql(
        "UPDATE series_reference SET series_id = $2 WHERE series_id = $1 AND distance = 0 \
         AND msgid IN (SELECT msgid FROM patch WHERE series_id = $1 AND number >= $3)",
    )
    .bind(id)
    .bind(new)
    .bind(at)
    .run(tx)
    .await?;
    for member in go {
        let number = member.number - before;
        // The new series is empty: every number is free.
        let _ = place(tx, member.id, Some((new, Some(number))), by).await?;
    }
    Ok(Some(new))
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
    let statements = [
        "SELECT project_id FROM series WHERE id = $1",
        "SELECT project_id, category FROM event WHERE series_id = $1",
        "DELETE FROM series WHERE id = $1",
    ];
    delete_counted(tx, id, What::series, statements).await
}
