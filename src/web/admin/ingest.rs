//! What came by mail in the last thirty days: from whom, for which list, and what became of it.

use maud::{Markup, html};

use super::{
    super::{
        Db,
        answer::Answer,
        error::Result,
        guard::{Pairs, View},
        parts,
    },
    access::Access,
    address, framed, mail,
};
use crate::{
    domain::{MailId, permission::Deed},
    mail::header::Block,
    store::{self, mail::Arrived},
};

/// How many days are shown.
const DAYS: i64 = 30;
/// How many mails a page shows.
const MOST: i64 = 50;

/// Draws the page.
pub async fn page(
    view: &View<'_>,
    db: &mut Db<'_>,
    access: &Access,
    pairs: &Pairs,
) -> Result<Answer> {
    access.require(&mail::MODEL, Deed::View)?;
    let since = access.now.plus_minutes(-DAYS * 24 * 60);
    let below = pairs.last("before").and_then(|text| text.parse().ok());
    let mails = store::mail::arrived(db, since, below.map(MailId), MOST).await?;
    let more = mails.last().filter(|_| mails.len() as i64 == MOST);
    let links = view.links();
    let main = html! {
        header.heading { h1 { "What came by mail" } }
        p.about { "The last " (DAYS) " days. What could not be taken in at all is in "
            a href=(links.admin(&super::quarantine::MODEL.path())) { "quarantine" } "; a mail that came twice is shown once." }
        @if mails.is_empty() { p.muted { "Nothing came." } }
        @else { (table(view, &mails)) }
        @if let Some(last) = more {
            p { a.button href={ (links.admin("ingest/")) "?before=" (last.id) } { "Older ones" } }
        }
    };
    Ok(Answer::Page(framed(
        view,
        access,
        "What came by mail",
        None,
        main,
    )))
}

fn table(view: &View, mails: &[Arrived]) -> Markup {
    html! {
        table.things.came {
            caption.vh { "Received mails" }
            thead { tr {
                th scope="col" { "Subject" } th scope="col" { "Received" } th scope="col" { "From" }
                th scope="col" { "List" } th scope="col" { "Became" }
            } }
            tbody { @for mail in mails { (row(view, mail)) } }
        }
    }
}

fn row(view: &View, mail: &Arrived) -> Markup {
    let raw = mail.raw().unwrap_or_default();
    let block = Block::split(&raw);
    let header = |name: &str| block.text(name).unwrap_or_default();
    let subject = header("Subject");
    let subject = if subject.trim().is_empty() {
        "(no subject)".to_owned()
    } else {
        subject
    };
    let list = header("List-Id");
    html! {
        tr {
            th scope="row" { a href=(address(view, &mail::MODEL, &mail.id.to_string(), "change")) { (parts::named(&subject)) } }
            td data-head="Received" { (parts::moment(mail.received)) }
            td data-head="From" { (parts::named(&header("From"))) }
            td data-head="List" { @if list.is_empty() { span.none { "none" } } @else { (parts::named(list_id(&list))) } }
            td data-head="Became" { (became(view, mail)) }
        }
    }
}

/// Returns what is in the angle brackets of `List-Id`: the name before them is long, and anybody's.
fn list_id(header: &str) -> &str {
    let inner = header.rsplit_once('<').map_or(header, |(_, inner)| inner);
    inner.trim().trim_end_matches('>')
}

fn became(view: &View, arrived: &Arrived) -> Markup {
    let shown = [
        arrived
            .patch_id
            .map(|id| address(view, &super::patch::MODEL, &id.to_string(), "change")),
        arrived
            .cover_id
            .map(|id| address(view, &super::cover::MODEL, &id.to_string(), "change")),
        arrived.comment_id.map(|id| view.links().comment(id)),
    ];
    let word = match arrived.outcome.as_str() {
        "no-project" => "nothing: no project has its list",
        "unknown-parent" => "nothing: it answers nothing that is here",
        "empty" => "nothing: it has no text",
        "hint" => "nothing: its sender wished so",
        "invalid" => "nothing: it is no proper mail",
        word => word,
    };
    html! {
        @match shown.into_iter().flatten().next() {
            Some(href) => { a href=(href) { (word) } },
            None => { (word) },
        }
        @if let Some(linkname) = &arrived.linkname { " " span.muted { "in " (linkname) } }
    }
}
