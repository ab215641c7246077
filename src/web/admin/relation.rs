//! Relations: sets of patches that belong together.

use maud::{Markup, html};

use super::{
    super::{
        error::{Error, Result},
        field,
        form::Form,
        guard::View,
        parts,
    },
    access::Access,
    address,
    model::{
        Acted, Action, Column, Common, Fate, Field, Loss, Model, Noun, On, PLAIN, SHOWN, Show,
    },
    work::Work,
};
use crate::store::admin::lookup;
use crate::{
    domain::{PatchId, RelationId, change::PatchChange, permission::Deed},
    store::{
        self, Conn,
        admin::{self, Key, Table},
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "patchrelation",
    one: "Relation",
    many: "Relations",
    table: &Table {
        base: "patch_relation",
        kind: Key::Number,
        key: "t.id",
        label: "'#' || t.id",
        columns: "'#' || t.id, (SELECT min(p.name) FROM patch p WHERE p.related_id = t.id), (SELECT count(*) FROM patch p WHERE p.related_id = t.id)",
        joins: "",
        only: "",
        words: &[(
            "t.id IN (SELECT related_id FROM patch WHERE related_id IS NOT NULL AND name_key",
            ")",
        )],
        order: "t.id",
    },
    columns: &[
        Column::text("Relation", "t.id"),
        Column::text("One of its patches", ""),
        Column::new("Patches", Show::Number, ""),
    ],
    fields: &[Field {
        name: "id",
        label: "Number",
        ..SHOWN
    }],
    losses: &[Loss {
        what: "Patches",
        fate: Fate::Stay("stay, unrelated"),
        count: "SELECT count(*) FROM patch WHERE related_id = ",
    }],
    deeds: &[Deed::View, Deed::Change, Deed::Delete],
    actions: &[
        Action {
            name: "relate",
            label: "Relate",
            deed: Deed::Change,
            on: On::Own,
            fields: &[],
        },
        Action {
            name: "leave",
            label: "Take out",
            deed: Deed::Change,
            on: On::Own,
            fields: &[],
        },
    ],
    noun: &Relations,
    ..PLAIN
};

struct Relations;

fn number(id: &str) -> RelationId {
    RelationId(id.parse().unwrap_or_default())
}

#[rocket::async_trait]
impl Noun for Relations {
    async fn more(
        &self,
        conn: &mut Conn,
        view: &View<'_>,
        access: &Access,
        id: &str,
    ) -> Result<Markup> {
        let patches = store::patch::related(conn, number(id)).await?;
        let action = address(view, &MODEL, id, "do");
        let may_change = access.may(&MODEL, Deed::Change);
        Ok(html! {
            section.more {
                h2 { "Patches" }
                ul.members { @for patch in &patches {
                    li {
                        span { a href=(address(view, &super::patch::MODEL, &patch.id.to_string(), "change")) { (parts::named(&patch.name)) } " " span.muted { (patch.linkname) ", " (patch.state_name) } }
                        @if may_change { (field::button(view, &action, "Take out", &[("patch", &patch.id.to_string()), ("action", "leave")])) }
                    }
                } }
                @if may_change {
                    form.actions method="post" action=(action) {
                        (view.csrf())
                        div.act {
                            div.entry { label for="id_patch" { "Patch" } input #id_patch name="patch" autocapitalize="none" required aria-describedby="id_patch-hint"; p.hint #id_patch-hint { "Its number or message id." } }
                            button type="submit" name="action" value="relate" { "Relate it, too" }
                        }
                    }
                }
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
        let patches = store::patch::related(&mut work.tx, number(&ids[0])).await?;
        let patch = admin::find(&mut work.tx, &lookup::PATCH, form.text("patch")).await?;
        let Some(patch) = patch.map(PatchId) else {
            return Ok(Acted::Refused(
                "There is no patch of that number or message id.".into(),
            ));
        };
        let (label, by) = (work.label(&ids[0]).await?, work.actor());
        let change =
            |before: String, after: String| store::audit::Change::new("Patches", before, after);
        match action {
            "leave" => {
                store::relation::leave(&mut work.tx, patch, &by).await?;
                let change = change(format!("#{patch}"), String::new());
                work.log(store::audit::Action::Changed, &ids[0], &label, &[change])
                    .await?;
                Ok(Acted::Done("The patch was taken out.".into()))
            }
            "relate" => {
                let Some(first) = patches.first() else {
                    return Ok(Acted::Refused("The relation is empty.".into()));
                };
                if store::relation::extend(&mut work.tx, first.id, &[patch], &by)
                    .await?
                    .is_err()
                {
                    return Ok(Acted::Refused("The patch is in another relation.".into()));
                }
                let change = change(String::new(), format!("#{patch}"));
                work.log(store::audit::Action::Changed, &ids[0], &label, &[change])
                    .await?;
                Ok(Acted::Done("The patch is related, too.".into()))
            }
            _ => Common.act(work, action, ids, form).await,
        }
    }

    async fn remove(&self, work: &mut Work<'_>, id: &str) -> Result<()> {
        let patches = store::patch::related(&mut work.tx, number(id)).await?;
        if patches.is_empty() {
            return work.remove_row(id).await;
        }
        // All leave at once, so that each is told of; that ends it.
        let all: Vec<PatchId> = patches.iter().map(|patch| patch.id).collect();
        let by = work.actor();
        let change = PatchChange {
            related: Some(None),
            ..PatchChange::default()
        };
        store::patch::change::apply(&mut work.tx, &all, &change, &by).await?;
        Ok(())
    }

    async fn insert(&self, _: &mut Work<'_>, _: &super::draft::Draft) -> Result<String> {
        Err(Error::missing())
    }
}
