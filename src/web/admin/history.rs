//! What was done to a thing in the console, and what somebody did last.

use maud::{Markup, html};

use super::{
    super::{
        Db,
        answer::Answer,
        error::{Error, Result},
        guard::View,
        parts,
    },
    Access, address, framed,
    model::Model,
};
use crate::store::{
    admin,
    audit::{self, Action, Change, Entry},
};

/// Draws the history of a thing; of one that is gone, too.
pub async fn page(
    view: &View<'_>,
    db: &mut Db<'_>,
    access: &Access,
    model: &'static Model,
    id: &str,
) -> Result<Answer> {
    let entries = audit::of(db, &model.logged_as(), id).await?;
    let key = model.table.id(id).ok_or_else(Error::missing)?;
    let label = admin::label(db, model.table, key).await?;
    if label.is_none() && entries.is_empty() {
        return Err(Error::missing());
    }
    let name = label
        .clone()
        .or_else(|| entries.first().map(|entry| entry.object.clone()));
    let title = format!(
        "History of {} “{}”",
        model.one.to_lowercase(),
        name.unwrap_or_default()
    );
    let main = html! {
        header.heading { h1 { (title) } }
        @if entries.is_empty() {
            p.about { "Nothing was done to it in the console." }
        } @else {
            table.things {
                caption.vh { (title) }
                thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "Changes" } } }
                tbody { @for entry in &entries { (row(entry)) } }
            }
        }
        @if label.is_some() { p { a.button href=(address(view, model, id, "change")) { "Back" } } }
    };
    Ok(Answer::Page(framed(
        view,
        access,
        &title,
        Some(model),
        main,
    )))
}

fn row(entry: &Entry) -> Markup {
    html! {
        tr {
            th scope="row" { (parts::moment(entry.date)) }
            td data-head="Who" { (entry.username) @if !entry.address.is_empty() { " " span.muted { (entry.address) } } }
            td data-head="What" { (Action::word(entry.action)) }
            td data-head="Changes" { (changes(&entry.changes())) }
        }
    }
}

/// Draws what was changed: each field with what was in it and what is.
pub fn changes(changes: &[Change]) -> Markup {
    let short = |text: &str| text.chars().take(200).collect::<String>();
    html! {
        ul.changes { @for change in changes {
            li {
                strong { (change.field) } ": "
                @if !change.before.is_empty() { del { (short(&change.before)) } " " }
                @if !change.after.is_empty() { ins { (short(&change.after)) } }
            }
        } }
    }
}
