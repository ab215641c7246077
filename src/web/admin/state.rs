//! States: their names, their order, and what replaces one that goes. The one with ordering 0 is what new patches get.

use maud::{Markup, html};

use super::{
    super::{error::Result, field::Faults, form::Form},
    access::Access,
    draft::Draft,
    model::{
        Acted, Action, Column, Common, Fate, Field, Kind, LINE, Loss, Model, Noun, On, PLAIN, Part,
        Show, TICK, Unique,
    },
    work::Work,
};
use crate::{
    domain::{State, StateId, permission::Deed, state},
    store::{
        self, Conn,
        admin::{Key, Table, mend},
        audit,
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "state",
    one: "State",
    many: "States",
    part: Part::Setup,
    table: &Table {
        base: "state",
        kind: Key::Number,
        key: "t.id",
        label: "t.name",
        columns: "t.name, t.slug, t.ordering, t.action_required,
            (SELECT CAST(coalesce(sum(y.count), 0) AS BIGINT) FROM tally y WHERE y.kind = 'patch' AND y.state_id = t.id)",
        joins: "",
        only: "",
        words: &[("lower(t.name)", ""), ("t.slug", "")],
        order: "-t.ordering",
    },
    columns: &[
        Column::text("Name", "t.name"),
        Column::new("Slug", Show::Code, "t.slug"),
        Column::new("Ordering", Show::Number, "t.ordering"),
        Column::new("Action required", Show::Yes, "t.action_required"),
        Column::new("Patches", Show::Number, ""),
    ],
    fields: &[
        Field { name: "name", label: "Name", kind: Kind::Line(100), ..LINE },
        Field { name: "slug", label: "Slug", hint: "What scripts and the mail header X-Patchwork-State call it; changing it breaks those that use it. Empty: made of the name.", kind: Kind::Slug(100), required: false, ..LINE },
        Field { name: "ordering", label: "Ordering", hint: "The place in menus. New patches get the state with ordering 0.", kind: Kind::Number(0, 32767), ..LINE },
        Field { name: "action_required", label: "Somebody has to act", initial: "1", ..TICK },
    ],
    unique: &[
        Unique { fields: &["name"], fault: "There is a state with this name." },
        Unique { fields: &["slug"], fault: "There is a state with this slug." },
        Unique { fields: &["ordering"], fault: "Another state has this place; move it by “up” and “down”." },
    ],
    losses: &[
        Loss { what: "Patches", fate: Fate::Stay("get the replacing state"), count: "SELECT count(*) FROM patch WHERE state_id = " },
        Loss { what: "Events that tell of it", fate: Fate::Stay("tell of the replacing state"), count: "SELECT count(*) FROM event WHERE current_state_id = " },
    ],
    actions: &[
        Action { name: "up", label: "Move up", deed: Deed::Change, on: On::Each, fields: &[] },
        Action { name: "down", label: "Move down", deed: Deed::Change, on: On::Each, fields: &[] },
    ],
    noun: &States,
    ..PLAIN
};

struct States;

fn number(id: &str) -> StateId {
    StateId(id.parse().unwrap_or_default())
}

const FIRST: &str = "New patches get the state with ordering 0, so there has to be one. Give another state that place first, by \
                     moving it up.";

#[rocket::async_trait]
impl Noun for States {
    async fn check(
        &self,
        work: &mut Work<'_>,
        draft: &Draft,
        id: Option<&str>,
        faults: &mut Faults,
    ) -> Result<()> {
        let states = store::state::all(&mut work.tx).await?;
        if draft.get("slug").is_empty() {
            let made = state::slug(draft.get("name"));
            let is_taken = states
                .iter()
                .any(|state| state.slug == made && Some(state.id) != id.map(number));
            faults.check(
                !made.is_empty() && !is_taken,
                "slug",
                "Write one; the name gives none that is free.",
            );
        }
        let first = state::initial(&states).map(|state| state.id);
        if id.map(number) == first && first.is_some() && draft.int("ordering") != Some(0) {
            faults.add("ordering", FIRST);
        }
        Ok(())
    }

    async fn insert(&self, work: &mut Work<'_>, draft: &Draft) -> Result<String> {
        Common.insert(work, &with_slug(draft)).await
    }

    async fn update(
        &self,
        work: &mut Work<'_>,
        id: &str,
        draft: &Draft,
        before: &Draft,
    ) -> Result<()> {
        Common.update(work, id, &with_slug(draft), before).await
    }

    async fn act(
        &self,
        work: &mut Work<'_>,
        action: &str,
        ids: &[String],
        _: &Form<'_>,
    ) -> Result<Acted> {
        let states = store::state::all(&mut work.tx).await?;
        let [id] = ids else {
            return Ok(Acted::Refused("Choose one state to move.".into()));
        };
        let at = states.iter().position(|state| state.id == number(id));
        let other = match (at, action) {
            (Some(at), "up") => at.checked_sub(1),
            (Some(at), _) => Some(at + 1),
            (None, _) => None,
        };
        let (Some(one), Some(other)) = (at, other.and_then(|other| states.get(other))) else {
            return Ok(Acted::Refused("It cannot go farther.".into()));
        };
        let one = &states[one];
        mend::swap_states(
            &mut work.tx,
            (one.id, one.ordering),
            (other.id, other.ordering),
        )
        .await?;
        let [before, after] = [one.ordering, other.ordering].map(|place| place.to_string());
        work.changed(id, "Ordering", &before, &after).await?;
        work.changed(&other.id.to_string(), "Ordering", &after, &before)
            .await?;
        Ok(Acted::Done(format!(
            "{} and {} have changed places.",
            one.name, other.name
        )))
    }

    async fn obstacle(
        &self,
        conn: &mut Conn,
        _: &Access,
        ids: &[String],
    ) -> Result<Option<String>> {
        let states = store::state::all(conn).await?;
        let first = state::initial(&states).map(|state| state.id);
        Ok(ids
            .iter()
            .any(|id| Some(number(id)) == first)
            .then(|| FIRST.to_owned()))
    }

    async fn farewell(&self, conn: &mut Conn, ids: &[String]) -> Result<Markup> {
        let states = store::state::all(conn).await?;
        let left: Vec<&State> = states
            .iter()
            .filter(|state| !ids.contains(&state.id.to_string()))
            .collect();
        let mut used = false;
        for id in ids {
            used |= mend::is_state_used(conn, number(id)).await?;
        }
        Ok(html! {
            @if used {
                div.entry {
                    label for="id_into" { "State that replaces it" }
                    select #id_into name="into" required {
                        option value="" { "-" }
                        @for state in left { option value=(state.id) { (state.name) } }
                    }
                }
            }
        })
    }

    async fn delete(
        &self,
        work: &mut Work<'_>,
        ids: &[String],
        form: &Form<'_>,
    ) -> Result<Option<String>> {
        let into = form.text("into");
        let states = store::state::all(&mut work.tx).await?;
        let into = states
            .iter()
            .find(|state| state.id.to_string() == into && !ids.contains(&state.id.to_string()));
        for id in ids {
            let state = number(id);
            let (label, by) = (work.label(id).await?, work.actor());
            let mut changes = Vec::new();
            match (mend::is_state_used(&mut work.tx, state).await?, into) {
                (false, _) => work.remove_row(id).await?,
                (true, None) => {
                    return Ok(Some(
                        "Patches or events have this state: choose the one that replaces it."
                            .into(),
                    ));
                }
                (true, Some(into)) => {
                    let count = mend::replace_state(&mut work.tx, state, into.id, &by).await?;
                    let before = format!("{count} in {label}");
                    changes.push(audit::Change::new("Patches", before, &into.name));
                }
            }
            work.log(audit::Action::Deleted, id, &label, &changes)
                .await?;
        }
        Ok(None)
    }
}

fn with_slug(draft: &Draft) -> Draft {
    let mut draft = draft.clone();
    if draft.get("slug").is_empty() {
        let made = state::slug(draft.get("name"));
        draft.set("slug", &made);
    }
    draft
}
