//! Tags: trailers that are counted. After a pattern was changed, everything is counted anew, step by step.

use std::time::{Duration, Instant};

use maud::{Markup, html};

use super::{
    super::{error::Result, field::Faults, form::Form, guard::View},
    access::Access,
    draft::Draft,
    model::{
        self, Acted, Column, Common, Fate, Field, Kind, LINE, Loss, Model, Noun, On, PLAIN, Part,
        Show, TICK, Unique,
    },
    work::Work,
};
use crate::{
    domain::{PatchId, pattern, permission::Deed, tag::Counter},
    store::{
        self, Conn,
        admin::{Key, Table},
        audit::{Action, Change},
    },
};

/// How long one step of counting takes.
const STEP: Duration = Duration::from_secs(1);

/// The kind of things.
pub static MODEL: Model = Model {
    name: "tag",
    one: "Tag",
    many: "Tags",
    part: Part::Setup,
    table: &Table {
        base: "tag",
        kind: Key::Number,
        key: "t.id",
        label: "t.name",
        columns: "t.name, t.pattern, t.abbrev, t.show_column",
        joins: "",
        only: "",
        words: &[
            ("lower(t.name)", ""),
            ("lower(t.pattern)", ""),
            ("lower(t.abbrev)", ""),
        ],
        order: "t.id",
    },
    columns: &[
        Column::text("Name", "t.name"),
        Column::new("Pattern", Show::Code, "t.pattern"),
        Column::text("Abbreviation", "t.abbrev"),
        Column::new("In lists", Show::Yes, "t.show_column"),
    ],
    fields: &[
        Field {
            name: "name",
            label: "Name",
            kind: Kind::Line(20),
            ..LINE
        },
        Field {
            name: "pattern",
            label: "Pattern",
            hint: "A regular expression, looked for in each line, ignoring case: ^Reviewed-by:",
            kind: Kind::Line(50),
            ..LINE
        },
        Field {
            name: "abbrev",
            label: "Abbreviation",
            hint: "One or two letters for narrow columns.",
            kind: Kind::Line(2),
            ..LINE
        },
        Field {
            name: "show_column",
            label: "Show it in lists",
            initial: "1",
            ..TICK
        },
    ],
    unique: &[Unique {
        fields: &["abbrev"],
        fault: "Another tag has this abbreviation.",
    }],
    losses: &[Loss {
        what: "Patches that it was counted on",
        fate: Fate::Stay("stay, without this count"),
        count: "SELECT count(*) FROM patch_tag WHERE tag_id = ",
    }],
    actions: &[
        model::Action {
            name: "recount",
            label: "Count anew",
            deed: Deed::Change,
            on: On::All,
            fields: &[],
        },
        model::Action {
            name: "test",
            label: "Test",
            deed: Deed::View,
            on: On::Own,
            fields: &[],
        },
    ],
    noun: &Tags,
    ..PLAIN
};

struct Tags;

#[rocket::async_trait]
impl Noun for Tags {
    async fn check(
        &self,
        _: &mut Work<'_>,
        draft: &Draft,
        _: Option<&str>,
        faults: &mut Faults,
    ) -> Result<()> {
        if let Err(fault) = pattern::compile(draft.get("pattern")) {
            faults.add(
                "pattern",
                format!("This is no regular expression: {fault}."),
            );
        }
        Ok(())
    }

    async fn above(&self, _: &mut Conn, view: &View<'_>, access: &Access) -> Result<Markup> {
        Ok(html! {
            @if access.may(&MODEL, Deed::Change) { (counting(view, 0, "After a pattern was changed, tags have to be counted anew.", false)) }
        })
    }

    async fn more(
        &self,
        conn: &mut Conn,
        view: &View<'_>,
        access: &Access,
        id: &str,
    ) -> Result<Markup> {
        let above = self.above(conn, view, access).await?;
        Ok(html! {
            section.more {
                h2 { "Test" }
                form.actions method="post" action=(super::address(view, &MODEL, id, "do")) {
                    (view.csrf())
                    div.act {
                        div.entry { label for="id_text" { "A message" } textarea #id_text name="text" rows="4" {} }
                        button type="submit" name="action" value="test" { "Count" }
                    }
                }
                (above)
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
        if action == "test" {
            let tags = store::tag::all(&mut work.tx).await?;
            let tag = tags
                .iter()
                .find(|tag| Some(&tag.id.to_string()) == ids.first());
            let counter = Counter::new(&tag.cloned().into_iter().collect::<Vec<_>>());
            let count: i64 = counter
                .count(form.text("text"))
                .map(|(_, count)| count)
                .sum();
            return Ok(Acted::Done(format!("Found {count} times.")));
        }
        if action == "recount" {
            return recount(work, form).await;
        }
        Common.act(work, action, ids, form).await
    }
}

/// A form that goes on counting after a patch; by itself where scripts run.
fn counting(view: &View, after: i64, text: &str, is_under_way: bool) -> Markup {
    let action = view.links().admin(&MODEL.path());
    html! {
        form.banner.counting method="post" action=(action) hx-post=[is_under_way.then_some(&action)]
            hx-trigger=[is_under_way.then_some("load, submit")] hx-target="#counting" hx-select="#counting" hx-swap="outerHTML" {
            (view.csrf())
            input type="hidden" name="after" value=(after);
            input type="hidden" name="action" value="recount";
            span { (text) " " }
            button type="submit" { @if is_under_way { "Go on" } @else { "Count anew" } }
        }
    }
}

/// Counts for a while, from a patch on, as `patchwork retag` does.
async fn recount(work: &mut Work<'_>, form: &Form<'_>) -> Result<Acted> {
    let begin = Instant::now();
    let mut after = PatchId(form.text("after").parse().unwrap_or_default());
    let last = store::patch::walk::last_id(&mut work.tx).await?;
    let counter = Counter::new(&store::tag::all(&mut work.tx).await?);
    while begin.elapsed() < STEP {
        let ids = store::patch::walk::ids(&mut work.tx, after, &[]).await?;
        let Some(end) = ids.last() else {
            let change = Change::new("Counted anew", "", format!("up to patch {last}"));
            work.log(Action::Changed, "", "all tags", &[change]).await?;
            return Ok(Acted::Done("All tags were counted anew.".into()));
        };
        store::tag::recount(&mut work.tx, &counter, &ids).await?;
        after = *end;
    }
    Ok(Acted::Page(progress(work.view, after.0, last.0)))
}

fn progress(view: &View, after: i64, last: i64) -> Markup {
    let text = format!("Counted up to patch {after} of {last}.");
    html! {
        header.heading { h1 { "Counting tags" } }
        div #counting {
            progress max=(last) value=(after) aria-label="How far it is" {}
            (counting(view, after, &text, true))
        }
    }
}
