//! Deleting: first what would go with it, by kind and number; then, if that is much, the name typed.

use maud::{Markup, html};

use super::{
    super::{
        Db,
        answer::Answer,
        error::{Error, Result},
        field::{self, Faults},
        form::Form,
        guard::View,
    },
    Access, address, framed,
    model::{Fate, Model},
    work::Work,
};
use crate::{
    domain::notice::Notice,
    store::{Conn, admin},
};

/// When more rows than this go, the name has to be typed.
const MANY: i64 = 20;
/// How many names are shown.
const NAMES: usize = 20;

/// What a delete would do.
struct Losses {
    labels: Vec<(String, String)>,
    counts: Vec<(&'static str, Fate, i64)>,
    obstacle: Option<String>,
}

impl Losses {
    async fn of(
        conn: &mut Conn,
        access: &Access,
        model: &'static Model,
        ids: &[String],
    ) -> Result<Losses> {
        let keys = |ids: &[String]| {
            ids.iter()
                .filter_map(|id| model.table.id(id))
                .collect::<Vec<_>>()
        };
        let mut labels = admin::labels(conn, model.table, keys(ids)).await?;
        labels.sort();
        if labels.is_empty() {
            return Err(Error::missing());
        }
        let mut counts = Vec::new();
        for loss in model.losses {
            let mut count = 0;
            for key in keys(ids) {
                count += admin::count_of(conn, loss.count, key).await?;
            }
            counts.push((loss.what, loss.fate, count));
        }
        let obstacle = model.noun.obstacle(conn, access, ids).await?;
        Ok(Losses {
            labels,
            counts,
            obstacle,
        })
    }

    fn is_blocked(&self) -> bool {
        let blocks = |(_, fate, count): &(_, Fate, i64)| *fate == Fate::Block && *count > 0;
        self.obstacle.is_some() || self.counts.iter().any(blocks)
    }

    /// Returns what has to be typed, if anything has.
    fn word(&self, model: &Model) -> Option<String> {
        let going = |(_, fate, count): &(_, Fate, i64)| if *fate == Fate::Go { *count } else { 0 };
        let rows: i64 = self.counts.iter().map(going).sum::<i64>() + self.labels.len() as i64;
        // A project is never deleted in passing.
        let is_dear = (model.app, model.name) == ("patchwork", "project");
        if rows <= MANY && !is_dear {
            return None;
        }
        Some(match self.labels.as_slice() {
            [(_, label)] => label.clone(),
            labels => labels.len().to_string(),
        })
    }
}

/// Draws the page that asks whether a thing is to go.
pub async fn page(
    view: &View<'_>,
    db: &mut Db<'_>,
    access: &Access,
    model: &'static Model,
    id: &str,
) -> Result<Answer> {
    let page = confirmation(
        view,
        db,
        access,
        model,
        &[id.to_owned()],
        &Faults::default(),
    )
    .await?;
    Ok(Answer::Page(page))
}

/// Draws what would go, and asks.
pub async fn confirmation(
    view: &View<'_>,
    conn: &mut Conn,
    access: &Access,
    model: &'static Model,
    ids: &[String],
    faults: &Faults,
) -> Result<Markup> {
    let losses = Losses::of(conn, access, model, ids).await?;
    let farewell = model.noun.farewell(conn, ids).await?;
    let word = losses.word(model);
    let title = match losses.labels.as_slice() {
        [(_, label)] => format!("Delete {} “{label}”?", model.one.to_lowercase()),
        labels => format!("Delete {}?", model.counted(labels.len())),
    };
    let list = view.links().admin(&model.path());
    let (action, cancel) = match ids {
        [id] => (
            address(view, model, id, "delete"),
            address(view, model, id, "change"),
        ),
        _ => (list.clone(), list),
    };
    let typed = word.as_ref().map(|word| {
        let label = format!("Type “{word}” to delete it all");
        field::Field::new("name", &label, "").drawn(faults)
    });
    let main = html! {
        header.heading { h1 { (title) } }
        @if losses.labels.len() > 1 {
            ul.plain {
                @for (_, label) in losses.labels.iter().take(NAMES) { li { (label) } }
                @if losses.labels.len() > NAMES { li.muted { "and " (losses.labels.len() - NAMES) " more" } }
            }
        }
        (counts(&losses))
        @if losses.is_blocked() {
            div.problems role="alert" {
                p { "This cannot be deleted." }
                @if let Some(obstacle) = &losses.obstacle { p { (obstacle) } }
            }
            p { a.button href=(cancel) { "Back" } }
        } @else {
            (field::problems(faults))
            form.entries.thing method="post" action=(action) {
                (view.csrf())
                input type="hidden" name="action" value="delete";
                input type="hidden" name="confirmed" value="1";
                @if ids.len() > 1 { @for id in ids { input type="hidden" name="id" value=(id); } }
                (farewell)
                @if let Some(typed) = typed { (typed) }
                (access.password_field(true, faults))
                div.saving { button.danger type="submit" { "Delete for good" } a.button href=(cancel) { "Keep" } }
            }
        }
    };
    Ok(framed(view, access, &title, Some(model), main))
}

fn counts(losses: &Losses) -> Markup {
    let there: Vec<_> = losses
        .counts
        .iter()
        .filter(|(.., count)| *count > 0)
        .collect();
    html! {
        @if there.is_empty() {
            p.about { "Nothing else goes with it." }
        } @else {
            table.things {
                caption.vh { "What happens to other things" }
                thead { tr { th scope="col" { "What" } th.num scope="col" { "How many" } th scope="col" { "What happens" } } }
                tbody { @for (what, fate, count) in there {
                    tr {
                        th scope="row" { (what) }
                        td.num data-head="How many" { (count) }
                        td data-head="What happens" { @match fate {
                            Fate::Go => strong { "deleted, too" },
                            Fate::Stay(how) => (how),
                            Fate::Block => strong { "in the way: move or delete them first" },
                        } }
                    }
                } }
            }
        }
    }
}

/// Deletes things.
pub async fn delete(
    view: &View<'_>,
    mut db: Db<'_>,
    access: &Access,
    model: &'static Model,
    ids: &[String],
    form: &Form<'_>,
) -> Result<Answer> {
    let losses = Losses::of(&mut db, access, model, ids).await?;
    let mut faults = Faults::default();
    if let Some(word) = losses.word(model)
        && form.text("name") != word
    {
        faults.add(
            "name",
            format!("Nothing was deleted: this is not “{word}”."),
        );
    }
    if losses.is_blocked() {
        faults.add("", "This cannot be deleted.");
    }
    drop(db);
    access.confirm(true, form, &mut faults).await?;
    let mut work = Work::begin(view, form, model, access).await?;
    if faults.is_empty()
        && let Some(obstacle) = model.noun.delete(&mut work, ids, form).await?
    {
        faults.add("", obstacle);
    }
    if !faults.is_empty() {
        drop(work);
        let mut work = Work::begin(view, form, model, access).await?;
        let page = confirmation(view, &mut work.tx, access, model, ids, &faults).await?;
        return Ok(faults.answer(page));
    }
    let text = match losses.labels.as_slice() {
        [(_, label)] => format!("{} “{label}” was deleted.", model.one),
        labels => format!("{} were deleted.", model.counted(labels.len())),
    };
    work.end(Notice::done(text)).await?;
    Ok(Answer::Done(view.links().admin(&model.path())))
}
