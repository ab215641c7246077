//! Series: their names, their patches, the mails that lead to them; two that are one become one.

use maud::{Markup, html};

use super::{
    super::{error::Result, form::Form, guard::View, parts},
    access::Access,
    address,
    model::{
        Acted, Action, By, Column, Common, Fate, Field, Filter, Kind, LINE, Loss, Model, Noun, On,
        PLAIN, SHOWN, Show,
    },
    work::Work,
};
use crate::store::admin::lookup;
use crate::{
    domain::{PatchId, SeriesId, permission::Deed, series},
    store::{
        self, Conn,
        admin::{self, Key, Table, mend},
        audit,
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "series",
    one: "Series",
    many: "Series",
    table: &Table {
        base: "series",
        kind: Key::Number,
        key: "t.id",
        label: "coalesce(t.name, 'Untitled series #' || t.id)",
        columns: "coalesce(t.name, 'Untitled series #' || t.id), CASE WHEN coalesce(pe.name, '') = '' THEN pe.email ELSE pe.name END, pr.linkname, t.date,
            t.version, t.total, (SELECT count(*) FROM patch p WHERE p.series_id = t.id),
            CASE WHEN (SELECT count(*) FROM patch p WHERE p.series_id = t.id) >= t.total THEN 1 ELSE 0 END",
        joins: " JOIN person pe ON pe.id = t.submitter_id JOIN project pr ON pr.id = t.project_id",
        only: "",
        words: &[("lower(t.name)", ""), ("t.submitter_id IN (SELECT id FROM person WHERE key", ")"), ("t.id IN (SELECT series_id FROM series_reference WHERE lower(msgid)", ")")],
        order: "t.id",
    },
    columns: &[
        Column::text("Name", "lower(t.name)"),
        Column::text("Submitter", "t.submitter_id"),
        Column::text("Project", "t.project_id"),
        Column::new("Date", Show::Moment, "t.date"),
        Column::new("Version", Show::Number, "t.version"),
        Column::new("Total", Show::Number, "t.total"),
        Column::new("Received", Show::Number, ""),
        Column::new("Complete", Show::Yes, ""),
    ],
    filters: &[
        Filter { key: "project", label: "Project", by: By::Row(&lookup::PROJECT, " AND t.project_id = ", "") },
        Filter { key: "submitter", label: "Submitter", by: By::Row(&lookup::PERSON, " AND t.submitter_id = ", "") },
        Filter { key: "date", label: "Date", by: By::Date(" AND t.date >= ", " AND t.date < ") },
    ],
    fields: &[
        Field { name: "name", label: "Name", required: false, nullable: true, ..LINE },
        Field { name: "project_id", label: "Project", kind: Kind::Row(&lookup::PROJECT), ..SHOWN },
        Field { name: "submitter_id", label: "Submitter", hint: "The number or the address of a person.", kind: Kind::Row(&lookup::PERSON), ..LINE },
        Field { name: "cover_id", label: "Cover letter", kind: Kind::Row(&lookup::COVER), ..SHOWN },
        Field { name: "date", label: "Date", kind: Kind::Moment, ..LINE },
        Field { name: "version", label: "Version", kind: Kind::Number(0, 32767), ..LINE },
        Field { name: "total", label: "Patches announced", hint: "A series is complete when so many are there.", kind: Kind::Number(0, 32767), ..LINE },
    ],
    losses: &[
        Loss { what: "Patches", fate: Fate::Stay("stay, in no series"), count: "SELECT count(*) FROM patch WHERE series_id = " },
        Loss { what: "Mails that lead to it", fate: Fate::Go, count: "SELECT count(*) FROM series_reference WHERE series_id = " },
        Loss { what: "Series that need it", fate: Fate::Stay("stay, needing it no more"), count: "SELECT count(*) FROM series_dependency WHERE to_series_id = " },
        Loss { what: "Promises to review it", fate: Fate::Go, count: "SELECT count(*) FROM review_claim WHERE series_id = " },
        Loss { what: "Events", fate: Fate::Go, count: "SELECT count(*) FROM event WHERE series_id = " },
    ],
    deeds: &[Deed::View, Deed::Change, Deed::Delete],
    actions: &[
        Action { name: "merge", label: "Merge", deed: Deed::Change, on: On::Each, fields: &[Field { name: "into", label: "Merge into", hint: "The number of the series that stays.", kind: Kind::Row(&lookup::SERIES), required: false, ..LINE }] },
        Action { name: "split", label: "Split", deed: Deed::Change, on: On::Own, fields: &[] },
        Action { name: "complete", label: "Mark complete", deed: Deed::Change, on: On::Each, fields: &[] },
        Action { name: "add-patch", label: "Move a patch here", deed: Deed::Change, on: On::Own, fields: &[] },
        Action { name: "forget", label: "Forget", deed: Deed::Change, on: On::Own, fields: &[] },
    ],
    noun: &AllSeries,
    ..PLAIN
};

struct AllSeries;

fn number(id: &str) -> SeriesId {
    SeriesId(id.parse().unwrap_or_default())
}

#[rocket::async_trait]
impl Noun for AllSeries {
    async fn more(
        &self,
        conn: &mut Conn,
        view: &View<'_>,
        access: &Access,
        id: &str,
    ) -> Result<Markup> {
        let contents = store::series::contents(conn, number(id)).await?;
        let references = store::series::references(conn, number(id)).await?;
        let states = store::state::all(conn).await?;
        let may_change = access.may(&MODEL, Deed::Change);
        let action = address(view, &MODEL, id, "do");
        Ok(html! {
            section.more {
                h2 { "Patches" }
                table.things {
                    caption.vh { "Patches" }
                    thead { tr { th.num scope="col" { "Number" } th scope="col" { "Name" } th scope="col" { "State" } } }
                    tbody { @for member in &contents {
                        @if let Some(patch) = member.patch_id {
                            tr {
                                td.num data-head="Number" { @match member.number { Some(number) => (number), None => "-" } }
                                th scope="row" { a href=(address(view, &super::patch::MODEL, &patch.to_string(), "change")) { (parts::named(&member.name)) } }
                                td data-head="State" { @if let Some(state) = states.iter().find(|state| Some(state.id) == member.state_id) { (state.name) } }
                            }
                        }
                    } }
                }
                @if may_change {
                    form.actions method="post" action=(action) {
                        (view.csrf())
                        div.act {
                            div.entry { label for="id_patch" { "Number or message id of a patch" } input #id_patch name="patch" autocapitalize="none" required; }
                            div.entry { label for="id_place" { "Number here " span.muted { "(optional)" } } input #id_place name="place" type="number"; }
                            button type="submit" name="action" value="add-patch" { "Move it here" }
                        }
                    }
                    form.actions method="post" action=(action) {
                        (view.csrf())
                        div.act {
                            div.entry { label for="id_at" { "From this number on, they are a series of their own" } input #id_at name="at" type="number" min="1" max="32767" required; }
                            button type="submit" name="action" value="split" { "Split" }
                        }
                    }
                }
            }
            details.more {
                summary { "Mails that lead to it (" (references.len()) ")" }
                ul.members { @for (msgid, distance) in &references {
                    li {
                        span { code { (msgid) } " " span.muted { "distance " (distance) } }
                        @if may_change {
                            form.inline method="post" action=(action) {
                                (view.csrf())
                                input type="hidden" name="msgid" value=(msgid);
                                button type="submit" name="action" value="forget" aria-label={ "Forget " (msgid) } { "Forget" }
                            }
                        }
                    }
                } }
            }
        })
    }

    async fn act(
        &self,
        work: &mut Work<'_>,
        action: &str,
        ids: &[String],
        form: &Form<'_>,
    ) -> Result<Acted> {
        match action {
            "merge" => merge(work, ids, form).await,
            "complete" => complete(work, ids).await,
            "split" => split(work, &ids[0], form).await,
            "add-patch" => add_patch(work, &ids[0], form).await,
            "forget" => {
                let msgid = form.text("msgid");
                if !store::series::forget_reference(&mut work.tx, number(&ids[0]), msgid).await? {
                    return Ok(Acted::Refused("That mail leads nowhere.".into()));
                }
                work.changed(&ids[0], "Mails that lead to it", msgid, "")
                    .await?;
                Ok(Acted::Done(format!("{msgid} does not lead here any more.")))
            }
            _ => Common.act(work, action, ids, form).await,
        }
    }

    async fn remove(&self, work: &mut Work<'_>, id: &str) -> Result<()> {
        Ok(mend::delete_series(&mut work.tx, number(id)).await?)
    }

    async fn address(&self, conn: &mut Conn, view: &View<'_>, id: &str) -> Result<Option<String>> {
        let linkname = store::submission::series(conn, number(id)).await?;
        Ok(linkname.map(|linkname| view.links().series(&linkname, number(id))))
    }
}

async fn merge(work: &mut Work<'_>, ids: &[String], form: &Form<'_>) -> Result<Acted> {
    let into = admin::find(&mut work.tx, &lookup::SERIES, form.text("into")).await?;
    let Some(into) = into.map(SeriesId) else {
        return Ok(Acted::Refused(
            "There is no series of that number or name.".into(),
        ));
    };
    let by = work.actor();
    let mut count = 0;
    for id in ids.iter().filter(|id| number(id) != into) {
        let label = work.label(id).await?;
        let why = match mend::merge_series(&mut work.tx, number(id), into, &by).await? {
            Ok(()) => {
                let change = audit::Change::new("Merged into", "", format!("#{into}"));
                work.log(audit::Action::Deleted, id, &label, &[change])
                    .await?;
                work.changed(&into.to_string(), "Merged with", "", &label)
                    .await?;
                count += 1;
                continue;
            }
            Err(mend::Apart::OtherProject) => "they are of different projects".to_owned(),
            Err(mend::Apart::Covers) => "both have a cover letter".to_owned(),
            Err(mend::Apart::Number(number)) => {
                format!("both have a patch with the number {number}")
            }
            Err(mend::Apart::Same) => "it is the same series".to_owned(),
        };
        return Ok(Acted::Refused(format!(
            "“{label}” cannot become part of series #{into}: {why}. Nothing was changed."
        )));
    }
    if count == 0 {
        return Ok(Acted::Refused(
            "Choose another series to merge into.".into(),
        ));
    }
    let into = series::shown(Some(&work.label(&into.to_string()).await?), into);
    Ok(Acted::Done(format!(
        "{} became part of {into}.",
        MODEL.counted(count)
    )))
}

/// A series is complete with what is there.
async fn complete(work: &mut Work<'_>, ids: &[String]) -> Result<Acted> {
    for id in ids {
        let there = store::series::members(&mut work.tx, &[number(id)])
            .await?
            .len() as i64;
        let Some(sent) = store::series::by_id(&mut work.tx, number(id)).await? else {
            continue;
        };
        if there == 0 {
            return Ok(Acted::Refused(
                "A series without patches is not complete.".into(),
            ));
        }
        work.update(id, vec![("total", there.into())]).await?;
        work.changed(
            id,
            "Patches announced",
            &sent.series.total.to_string(),
            &there.to_string(),
        )
        .await?;
    }
    Ok(Acted::Done(format!(
        "{} complete now.",
        MODEL.counted(ids.len())
    )))
}

async fn add_patch(work: &mut Work<'_>, id: &str, form: &Form<'_>) -> Result<Acted> {
    let patch = admin::find(&mut work.tx, &lookup::PATCH, form.text("patch")).await?;
    let Some(patch) = patch.map(PatchId) else {
        return Ok(Acted::Refused(
            "There is no patch of that number or message id.".into(),
        ));
    };
    let place = form
        .text("place")
        .parse::<i64>()
        .ok()
        .filter(|place| (0..=32767).contains(place));
    let by = work.actor();
    match mend::place(&mut work.tx, patch, Some((number(id), place)), &by).await? {
        Ok(()) => {
            work.changed(id, "Patches", "", &format!("#{patch}"))
                .await?;
            Ok(Acted::Done(format!("Patch {patch} is part of it now.")))
        }
        Err(mend::Misplaced::OtherProject) => {
            Ok(Acted::Refused("That patch is another project's.".into()))
        }
        Err(mend::Misplaced::Taken(number)) => Ok(Acted::Refused(format!(
            "There is a patch with the number {number}."
        ))),
    }
}

async fn split(work: &mut Work<'_>, id: &str, form: &Form<'_>) -> Result<Acted> {
    let Ok(at) = form.text("at").parse::<i64>() else {
        return Ok(Acted::Refused("Say at which number.".into()));
    };
    let by = work.actor();
    let label = work.label(id).await?;
    let Some(new) = mend::split_series(&mut work.tx, number(id), at, &by).await? else {
        return Ok(Acted::Refused(format!(
            "With {at}, nothing would be left on one side. Nothing was changed."
        )));
    };
    let change = audit::Change::new("Split", "", format!("from {at} on series #{new}"));
    work.log(audit::Action::Changed, id, &label, &[change])
        .await?;
    let change = audit::Change::new("Split off", &label, format!("from {at} on"));
    let new = new.to_string();
    let label = work.label(&new).await?;
    work.log(audit::Action::Added, &new, &label, &[change])
        .await?;
    Ok(Acted::Done(format!(
        "The patches from {at} on are series #{new} now."
    )))
}
