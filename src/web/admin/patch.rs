//! Patches: what a mail got wrong is put right, by the same functions as anywhere else.

use maud::{Markup, html};
use sha2::{Digest, Sha256};

use super::{
    super::{
        error::{Error, Result},
        field,
        form::Form,
        guard::View,
    },
    access::Access,
    address,
    draft::Draft,
    model::{
        Acted, Action, By, Column, Common, Edit, Fate, Field, Filter, Kind, LINE, Loss, Model,
        Noun, On, PLAIN, SHOWN, Show, TICK,
    },
    work::Work,
};
use crate::store::admin::lookup;
use crate::{
    domain::{
        PatchId, ProjectId, SeriesId, StateId, UserId, change::PatchChange, permission::Deed,
    },
    ingest::reread::{self as mails, Difference, Unread},
    mail::diff_hash,
    store::{
        self, Conn,
        admin::{self, Key, Table, mend},
        audit,
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "patch",
    one: "Patch",
    many: "Patches",
    table: &Table {
        base: "patch",
        kind: Key::Number,
        key: "t.id",
        label: "t.name",
        columns: "t.name, CASE WHEN coalesce(pe.name, '') = '' THEN pe.email ELSE pe.name END, pr.linkname, st.name,
            d.username, t.date, t.archived, CASE WHEN t.pull_url IS NULL THEN 0 ELSE 1 END",
        joins: " JOIN person pe ON pe.id = t.submitter_id JOIN project pr ON pr.id = t.project_id
            JOIN state st ON st.id = t.state_id LEFT JOIN account d ON d.id = t.delegate_id",
        only: "",
        words: &[("t.name_key", ""), ("t.submitter_id IN (SELECT id FROM person WHERE key", ")")],
        order: "t.id",
    },
    columns: &[
        Column::text("Name", "t.name_key"),
        Column::text("Submitter", "t.submitter_id"),
        Column::text("Project", "t.project_id"),
        Column::text("State", "t.state_id"),
        Column::text("Delegate", "t.delegate_id"),
        Column::new("Date", Show::Moment, "t.date"),
        Column::new("Archived", Show::Yes, "t.archived"),
        Column::new("Pull request", Show::Yes, ""),
    ],
    filters: &[
        Filter { key: "project", label: "Project", by: By::Row(&lookup::PROJECT, " AND t.project_id = ", "") },
        Filter { key: "state", label: "State", by: By::Row(&lookup::STATE, " AND t.state_id = ", "") },
        Filter { key: "submitter", label: "Submitter", by: By::Row(&lookup::PERSON, " AND t.submitter_id = ", "") },
        Filter { key: "delegate", label: "Delegate", by: By::Row(&lookup::USER, " AND t.delegate_id = ", "") },
        Filter { key: "archived", label: "Archived", by: By::Yes(" AND t.archived = ") },
        Filter { key: "series", label: "Series", by: By::Choice(&[("yes", "in one", " AND t.series_id IS NOT NULL"), ("no", "in none", " AND t.series_id IS NULL")]) },
        Filter { key: "date", label: "Date", by: By::Date(" AND t.date >= ", " AND t.date < ") },
    ],
    fields: &[
        Field { name: "name", label: "Name", ..LINE },
        Field { name: "project_id", label: "Project", kind: Kind::Row(&lookup::PROJECT), ..SHOWN },
        Field { name: "submitter_id", label: "Submitter", hint: "The number or the address of a person.", kind: Kind::Row(&lookup::PERSON), ..LINE },
        Field { name: "date", label: "Date", kind: Kind::Moment, ..LINE },
        Field { name: "state_id", label: "State", kind: Kind::Row(&lookup::STATE), ..LINE },
        Field { name: "delegate_id", label: "Delegate", kind: Kind::Row(&lookup::USER), required: false, ..LINE },
        Field { name: "archived", label: "Archived", ..TICK },
        Field { name: "commit_ref", label: "Commit", required: false, nullable: true, ..LINE },
        Field { name: "pull_url", label: "Where to pull it from", required: false, nullable: true, ..LINE },
        Field { name: "series_id", label: "Series", kind: Kind::Row(&lookup::SERIES), ..SHOWN },
        Field { name: "number", label: "Number in its series", kind: Kind::Number(0, 32767), ..SHOWN },
        Field { name: "msgid", label: "Message id", edit: Edit::Never, ..SHOWN },
        Field { name: "hash", label: "Hash of the diff", ..SHOWN },
    ],
    losses: &[
        Loss { what: "Comments", fate: Fate::Go, count: "SELECT count(*) FROM comment WHERE patch_id = " },
        Loss { what: "Checks", fate: Fate::Go, count: "SELECT count(*) FROM patch_check WHERE patch_id = " },
        Loss { what: "Promises to review it", fate: Fate::Go, count: "SELECT count(*) FROM review_claim WHERE patch_id = " },
        Loss { what: "Events", fate: Fate::Go, count: "SELECT count(*) FROM event WHERE patch_id = " },
        Loss { what: "Bundles it is in", fate: Fate::Stay("stay, without it"), count: "SELECT count(*) FROM bundle_patch WHERE patch_id = " },
    ],
    deeds: &[Deed::View, Deed::Change, Deed::Delete],
    actions: &[
        Action { name: "state", label: "Set state", deed: Deed::Change, on: On::Rows, fields: &[Field { name: "new_state", label: "State", kind: Kind::Row(&lookup::STATE), required: false, ..LINE }] },
        Action { name: "delegate", label: "Set delegate", deed: Deed::Change, on: On::Rows, fields: &[Field { name: "new_delegate", label: "Delegate", hint: "Empty for nobody.", kind: Kind::Row(&lookup::USER), required: false, ..LINE }] },
        Action { name: "archive", label: "Archive", deed: Deed::Change, on: On::Rows, fields: &[] },
        Action { name: "unarchive", label: "Take out of the archive", deed: Deed::Change, on: On::Rows, fields: &[] },
        Action { name: "series", label: "Move to series", deed: Deed::Change, on: On::Each, fields: &[
            Field { name: "series", label: "Series", hint: "Its number, or its name.", kind: Kind::Row(&lookup::SERIES), required: false, ..LINE },
            Field { name: "place", label: "Number there", hint: "Empty: the own one if it is free, else the next.", kind: Kind::Number(0, 32767), required: false, ..LINE },
        ] },
        Action { name: "detach", label: "Take out of its series", deed: Deed::Change, on: On::Each, fields: &[] },
        Action { name: "project", label: "Move to project", deed: Deed::Change, on: On::Each, fields: &[Field { name: "project", label: "Project", kind: Kind::Row(&lookup::PROJECT), required: false, ..LINE }] },
        Action { name: "rehash", label: "Hash anew", deed: Deed::Change, on: On::Each, fields: &[] },
        Action { name: "reread", label: "Read its mail again", deed: Deed::Change, on: On::Own, fields: &[] },
        Action { name: "reread-apply", label: "Store what the mail says", deed: Deed::Change, on: On::Own, fields: &[] },
        Action { name: "retag", label: "Count tags anew", deed: Deed::Change, on: On::Each, fields: &[] },
    ],
    noun: &Patches,
    ..PLAIN
};

struct Patches;

fn number(id: &str) -> PatchId {
    PatchId(id.parse().unwrap_or_default())
}

/// Returns an empty text as none.
fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[rocket::async_trait]
impl Noun for Patches {
    async fn update(
        &self,
        work: &mut Work<'_>,
        id: &str,
        draft: &Draft,
        before: &Draft,
    ) -> Result<()> {
        let change = PatchChange {
            state: draft
                .differs(before, "state_id")
                .then(|| StateId(draft.int("state_id").unwrap_or_default())),
            delegate: draft
                .differs(before, "delegate_id")
                .then(|| draft.int("delegate_id").map(UserId)),
            archived: draft
                .differs(before, "archived")
                .then(|| draft.is_ticked("archived")),
            commit_ref: draft
                .differs(before, "commit_ref")
                .then(|| some(draft.get("commit_ref"))),
            pull_url: draft
                .differs(before, "pull_url")
                .then(|| some(draft.get("pull_url"))),
            related: None,
        };
        let by = work.actor();
        store::patch::change::apply(&mut work.tx, &[number(id)], &change, &by).await?;
        if draft.differs(before, "name") {
            mend::rename_patch(&mut work.tx, number(id), draft.get("name")).await?;
        }
        let own = ["submitter_id", "date"]
            .into_iter()
            .filter(|name| draft.differs(before, name));
        let values = own.map(|name| draft.value(name)).collect();
        work.update(id, values).await
    }

    async fn more(
        &self,
        conn: &mut Conn,
        view: &View<'_>,
        access: &Access,
        id: &str,
    ) -> Result<Markup> {
        let whole = store::patch::search::whole(conn, number(id))
            .await?
            .ok_or_else(Error::missing)?;
        let body = whole.body;
        let shown = |title: &str, text: &str| {
            let cut: String = text.chars().take(20_000).collect();
            html! {
                @if !text.is_empty() {
                    details.more { summary { (title) } pre.folded tabindex="0" { (cut) } }
                }
            }
        };
        let action = address(view, &MODEL, id, "do");
        Ok(html! {
            @if access.may(&MODEL, Deed::Change) {
                p { (field::button(view, &action, "Read its mail again", &[("action", "reread")])) " " span.muted { "Shows first what would change." } }
            }
            (shown("Headers", &body.headers))
            (shown("Message", body.content.as_deref().unwrap_or_default()))
            (shown("Diff", body.diff.as_deref().unwrap_or_default()))
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
            "state" => {
                let state =
                    admin::find(&mut work.tx, &lookup::STATE, form.text("new_state")).await?;
                let Some(state) = state.map(StateId) else {
                    return Ok(Acted::Refused("Choose a state.".into()));
                };
                let change = PatchChange {
                    state: Some(state),
                    ..PatchChange::default()
                };
                apply(work, ids, &change, "State", form.text("new_state")).await
            }
            "delegate" => {
                let name = form.text("new_delegate");
                let user = admin::find(&mut work.tx, &lookup::USER, name)
                    .await?
                    .map(UserId);
                if user.is_none() && !name.is_empty() {
                    return Ok(Acted::Refused(format!("There is no account “{name}”.")));
                }
                let change = PatchChange {
                    delegate: Some(user),
                    ..PatchChange::default()
                };
                apply(work, ids, &change, "Delegate", name).await
            }
            "archive" | "unarchive" => {
                let is_archived = action == "archive";
                let change = PatchChange {
                    archived: Some(is_archived),
                    ..PatchChange::default()
                };
                apply(
                    work,
                    ids,
                    &change,
                    "Archived",
                    if is_archived { "yes" } else { "no" },
                )
                .await
            }
            "series" => to_series(work, ids, form).await,
            "detach" => {
                let by = work.actor();
                for id in ids {
                    // Nothing can be in the way of leaving.
                    let _ = mend::place(&mut work.tx, number(id), None, &by).await?;
                    work.changed(id, "Series", "", "none").await?;
                }
                Ok(Acted::Done(format!(
                    "{} are in no series now.",
                    MODEL.counted(ids.len())
                )))
            }
            "project" => to_project(work, ids, form).await,
            "rehash" => rehash(work, ids).await,
            "reread" | "reread-apply" => reread(work, &ids[0], action, form).await,
            "retag" => {
                let counter =
                    crate::domain::tag::Counter::new(&store::tag::all(&mut work.tx).await?);
                let patches: Vec<PatchId> = ids.iter().map(|id| number(id)).collect();
                store::tag::recount(&mut work.tx, &counter, &patches).await?;
                Ok(Acted::Done("The tags were counted anew.".into()))
            }
            _ => Common.act(work, action, ids, form).await,
        }
    }

    async fn remove(&self, work: &mut Work<'_>, id: &str) -> Result<()> {
        Ok(mend::delete_patches(&mut work.tx, &[number(id)]).await?)
    }

    async fn address(&self, conn: &mut Conn, view: &View<'_>, id: &str) -> Result<Option<String>> {
        let place = store::submission::patch(conn, number(id)).await?;
        Ok(place.map(|place| view.links().patch(&place.linkname, &place.msgid)))
    }
}

/// Makes the same change to patches; those that are as wanted are not logged.
async fn apply(
    work: &mut Work<'_>,
    ids: &[String],
    change: &PatchChange,
    what: &str,
    to: &str,
) -> Result<Acted> {
    let mut patches = Vec::new();
    for id in ids {
        if let Some(patch) = store::patch::by_id(&mut work.tx, number(id)).await? {
            patches.push(patch);
        }
    }
    let changed: Vec<_> = patches
        .iter()
        .filter(|patch| change.applied_to(patch) != **patch)
        .collect();
    let by = work.actor();
    let wanted: Vec<PatchId> = changed.iter().map(|patch| patch.id).collect();
    if !wanted.is_empty() {
        store::patch::change::apply(&mut work.tx, &wanted, change, &by).await?;
    }
    for patch in &changed {
        let before = match what {
            "State" => admin::shown(&mut work.tx, &lookup::STATE, patch.state_id.0).await?,
            "Delegate" => match patch.delegate_id {
                Some(user) => admin::shown(&mut work.tx, &lookup::USER, user.0).await?,
                None => None,
            },
            _ => None,
        };
        let after = match (what, change.state, change.delegate) {
            ("State", Some(state), _) => {
                admin::shown(&mut work.tx, &lookup::STATE, state.0).await?
            }
            ("Delegate", _, Some(Some(user))) => {
                admin::shown(&mut work.tx, &lookup::USER, user.0).await?
            }
            _ => Some(to.to_owned()),
        };
        let id = patch.id.to_string();
        work.changed(
            &id,
            what,
            &before.unwrap_or_default(),
            &after.unwrap_or_default(),
        )
        .await?;
    }
    Ok(Acted::Done(format!(
        "{} changed.",
        MODEL.counted(changed.len())
    )))
}

async fn to_series(work: &mut Work<'_>, ids: &[String], form: &Form<'_>) -> Result<Acted> {
    let series = admin::find(&mut work.tx, &lookup::SERIES, form.text("series")).await?;
    let Some(series) = series.map(SeriesId) else {
        return Ok(Acted::Refused(
            "There is no series of that number or name.".into(),
        ));
    };
    let place = match form.text("place") {
        "" => None,
        text => match text.parse::<i64>() {
            Ok(place) if (0..=32767).contains(&place) && ids.len() == 1 => Some(place),
            Ok(_) => {
                return Ok(Acted::Refused(
                    "One number is for one patch, from 0 to 32767.".into(),
                ));
            }
            Err(_) => {
                return Ok(Acted::Refused(
                    "The number in the series is no number.".into(),
                ));
            }
        },
    };
    let by = work.actor();
    for id in ids {
        match mend::place(&mut work.tx, number(id), Some((series, place)), &by).await? {
            Ok(()) => {
                work.changed(id, "Series", "", &format!("#{series}"))
                    .await?
            }
            Err(mend::Misplaced::OtherProject) => {
                return Ok(Acted::Refused(
                    "That series is another project's. Nothing was moved.".into(),
                ));
            }
            Err(mend::Misplaced::Taken(number)) => {
                return Ok(Acted::Refused(format!(
                    "The series has a patch with the number {number}. Nothing was moved."
                )));
            }
        }
    }
    Ok(Acted::Done(format!(
        "{} moved to series #{series}.",
        MODEL.counted(ids.len())
    )))
}

async fn to_project(work: &mut Work<'_>, ids: &[String], form: &Form<'_>) -> Result<Acted> {
    let project = admin::find(&mut work.tx, &lookup::PROJECT, form.text("project")).await?;
    let Some(project) = project.map(ProjectId) else {
        return Ok(Acted::Refused("Choose a project.".into()));
    };
    let patches: Vec<PatchId> = ids.iter().map(|id| number(id)).collect();
    if let Some(msgid) = mend::move_patches(&mut work.tx, &patches, project).await? {
        return Ok(Acted::Refused(format!(
            "The project has {msgid} already. Nothing was moved."
        )));
    }
    let name = admin::shown(&mut work.tx, &lookup::PROJECT, project.0)
        .await?
        .unwrap_or_default();
    for id in ids {
        work.changed(id, "Project", "", &name).await?;
    }
    Ok(Acted::Done(format!(
        "{} moved to {name}, out of their series.",
        MODEL.counted(ids.len())
    )))
}

async fn rehash(work: &mut Work<'_>, ids: &[String]) -> Result<Acted> {
    let mut count = 0;
    for id in ids {
        let patch = number(id);
        let found = store::patch::walk::diffs(&mut work.tx, PatchId(patch.0 - 1), &[patch]).await?;
        for hashed in found {
            let right = hashed.diff.as_deref().map(diff_hash);
            if hashed.hash != right {
                store::patch::walk::set_hash(&mut work.tx, patch, right.as_ref()).await?;
                work.changed(
                    id,
                    "Hash of the diff",
                    "",
                    right.as_ref().map_or("none", |hash| hash.as_str()),
                )
                .await?;
                count += 1;
            }
        }
    }
    Ok(Acted::Done(format!("{count} hashes were wrong.")))
}

/// Reads the mail of a patch again: shows what would change, and after that was seen, stores it.
async fn reread(work: &mut Work<'_>, id: &str, action: &str, form: &Form<'_>) -> Result<Acted> {
    let options = work.view.options().intake.clone();
    let read = match mails::of(&mut work.tx, number(id), &options).await? {
        Ok(read) => read,
        Err(Unread::NoMail) => {
            return Ok(Acted::Refused(
                "The mail of this patch was not kept.".into(),
            ));
        }
        Err(Unread::Unfit(why)) => {
            return Ok(Acted::Refused(format!(
                "Its mail cannot be read as a patch: {why}. Nothing was changed."
            )));
        }
    };
    let differences = read.differences();
    if differences.is_empty() {
        return Ok(Acted::Done("Its mail says what is stored.".into()));
    }
    let seen = digest(&differences);
    if action == "reread" || form.text("seen") != seen {
        let label = work.label(id).await?;
        return Ok(Acted::Page(differing(
            work.view,
            id,
            &label,
            &differences,
            &seen,
        )));
    }
    mails::apply(&mut work.tx, &read).await?;
    let label = work.label(id).await?;
    let changes: Vec<audit::Change> = differences
        .iter()
        .map(|one| audit::Change::new(one.field, &one.before, &one.after))
        .collect();
    work.log(audit::Action::Changed, id, &label, &changes)
        .await?;
    Ok(Acted::Done("What its mail says was stored.".into()))
}

/// Returns what stands for differences in a form: only what was seen is stored.
fn digest(differences: &[Difference]) -> String {
    let mut hash = Sha256::new();
    for one in differences {
        for part in [one.field, &one.before, &one.after] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
    }
    let bytes = hash.finalize();
    bytes
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn differing(view: &View, id: &str, label: &str, differences: &[Difference], seen: &str) -> Markup {
    let cut = |text: &str| text.chars().take(20_000).collect::<String>();
    html! {
        header.heading { h1 { "What the mail of “" (label) "” says" } }
        p.about { "Nothing was changed yet. State, delegate, series and comments stay as they are in any case." }
        @for one in differences {
            section.more {
                h2 { (one.field) }
                h3 { "Stored" }
                @if one.before.is_empty() { p.muted { "Nothing." } } @else { pre.folded tabindex="0" { (cut(&one.before)) } }
                h3 { "In the mail" }
                @if one.after.is_empty() { p.muted { "Nothing." } } @else { pre.folded tabindex="0" { (cut(&one.after)) } }
            }
        }
        form method="post" action=(address(view, &MODEL, id, "do")) {
            (view.csrf())
            input type="hidden" name="seen" value=(seen);
            div.saving {
                button.primary type="submit" name="action" value="reread-apply" { "Store what the mail says" }
                a.button href=(address(view, &MODEL, id, "change")) { "Leave it" }
            }
        }
    }
}
