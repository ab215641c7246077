//! The revisions of a series (`web.md §8`): shown to all, put right by maintainers.

use super::*;
use crate::{
    auth::session::Session,
    domain::{
        Timestamp,
        change::Actor,
        notice::Notice,
        revision::{self, Unfit},
    },
    ingest,
    store::{Tx, revision::Revision},
    web::field::Faults,
};

/// Says whether a form is about revisions.
pub(super) fn is_asked(form: &Form) -> bool {
    matches!(form.text("action"), "follow" | "find")
}

/// Says whether the reader may put revisions right.
pub(super) fn may_change(view: &View, project: &Project) -> bool {
    let caller = view.caller();
    caller.is_some_and(|caller| caller.rights.maintains(project.id))
}

/// Links the series to the one that a form names as the one before, or to none; or finds out anew which that is.
pub(super) async fn change(session: &Session, form: &Form<'_>, page: &Page) -> Result<Faults> {
    if !session.caller.rights.maintains(page.project.id) {
        return Err(Error::Forbidden(
            "Only those who maintain the project put its revisions right.",
        ));
    }
    let (id, now) = (page.sent.series.id, Timestamp::now());
    let mut faults = Faults::default();
    let mut tx = form.begin().await?;
    store::project::lock(&mut tx, page.project.id).await?;
    let told = match form.text("action") {
        "find" => {
            let found = ingest::revision::find(&mut tx, id, now).await?;
            follows(&mut tx, found.and_then(|link| link.earlier)).await?
        }
        _ => {
            let text = form.text("earlier").trim();
            let earlier = named(&mut tx, text, page).await?;
            let by = Actor {
                user: Some(session.caller.user.id),
                at: now,
            };
            let unfit = match earlier.is_none() && !text.is_empty() {
                true => Some(Unfit::Unknown),
                false => ingest::revision::follow(&mut tx, &page.sent.series, earlier, &by).await?,
            };
            match unfit {
                None => {}
                Some(Unfit::Circle) => faults.add("earlier", Unfit::Circle.told()),
                Some(_) => {
                    faults.add("earlier", format!("This project has no series “{text}”."));
                }
            }
            if !faults.is_empty() {
                return Ok(faults);
            }
            follows(&mut tx, earlier).await?
        }
    };
    session.tell(&mut tx, vec![Notice::done(told)], now).await?;
    tx.commit().await?;
    Ok(faults)
}

async fn follows(tx: &mut Tx, earlier: Option<SeriesId>) -> Result<String> {
    let Some(id) = earlier else {
        return Ok("This series follows no other one.".into());
    };
    let sent = store::series::by_id(tx, id).await?;
    let name = sent.and_then(|sent| sent.series.name);
    let name = series::shown(name.as_deref(), id);
    Ok(format!("This series follows “{}”.", parts::title(&name)))
}

/// Returns the series that somebody names by its number, its address, or the message id of one of its mails; none for nothing.
async fn named(tx: &mut Tx, text: &str, page: &Page) -> Result<Option<SeriesId>> {
    Ok(match (revision::series_in(text), jump::message_ids(text)) {
        (Some(id), _) => Some(id),
        (None, Some(ids)) => {
            let claims = store::series::by_references(tx, page.project.id, &ids).await?;
            let mut own = claims.into_iter().filter(|claim| claim.distance == 0);
            own.next().map(|claim| claim.series.id)
        }
        (None, None) => None,
    })
}

/// Draws the revisions, and for maintainers the form that puts them right.
pub(super) fn drawn(view: &View, page: &Page) -> Markup {
    let own = page.sent.series.id;
    html! {
        @if page.revisions.len() > 1 {
            section.members #revisions {
                h2 { "Revisions" }
                ol { @for revision in &page.revisions { (one(view, page, revision)) } }
            }
        }
        @if may_change(view, &page.project) { (form(view, page, own)) }
    }
}

fn one(view: &View, page: &Page, revision: &Revision) -> Markup {
    let (own, all) = (page.sent.series.id, &page.revisions);
    let here = all.iter().find(|one| one.id == own);
    let is_before = here.is_some_and(|here| here.earlier_id == Some(revision.id));
    let is_next = revision.earlier_id == Some(own) && !revision.is_mend();
    // Keys lead to the revisions beside this one.
    let key = match (is_before, is_next) {
        (true, _) => Some("{"),
        (_, true) => Some("}"),
        _ => None,
    };
    html! {
        li {
            span.no { (revision.label()) }
            @if revision.id == own {
                strong aria-current="true" { (parts::day(revision.date)) ", this one" }
            } @else {
                a href=(view.links().series(&page.project.linkname, revision.id)) data-key=[key] { (parts::day(revision.date)) }
            }
            @if revision.id != own { " " (compare(view, page, revision)) }
            @if revision.received < revision.total {
                " " span.muted { (revision.received) " of " (revision.total) }
            }
            @if revision.claimed {
                small { span.label.todo { "claimed" } " by " (sender(revision)) ", who did not send the one before" }
            }
            @if let Some(reason) = revision.reason().filter(|_| revision.earlier_id.is_some()) {
                small.muted { (reason.told()) }
            }
        }
    }
}

/// The way to what changed between a revision and this one, from the earlier to the later.
fn compare(view: &View, page: &Page, revision: &Revision) -> Markup {
    let own = page.sent.series.id;
    let at = |id| page.revisions.iter().position(|one| one.id == id);
    let (old, new) = match at(revision.id) < at(own) {
        true => (revision.id, own),
        false => (own, revision.id),
    };
    let address = view.links().series_diff(&page.project.linkname, old, new);
    html! { a.compare href=(address) { "compare" span.vh { " with " (revision.label()) } } }
}

fn sender(revision: &Revision) -> &str {
    let name = revision.submitter_name.as_deref();
    name.filter(|name| !name.is_empty())
        .unwrap_or(&revision.submitter_email)
}

fn form(view: &View, page: &Page, own: SeriesId) -> Markup {
    let address = view.links().series(&page.project.linkname, own);
    let here = page.revisions.iter().find(|one| one.id == own);
    let stored = here.and_then(|here| here.earlier_id);
    let stored = stored.map_or_else(String::new, |id| id.to_string());
    let entered = page.entered.as_deref().unwrap_or(&stored);
    let wrong = page.faults.of("earlier");
    let error = (!wrong.is_empty()).then_some("earlier-error");
    html! {
        details.members.bundling open[error.is_some()] {
            summary { "Put revisions right" }
            form method="post" action=(address) aria-label="The revision before this one" {
                (view.csrf())
                div {
                    input name="earlier" value=(entered) placeholder="Number, address, message id"
                        aria-label="The revision before this one; empty for none" spellcheck="false" autocapitalize="none"
                        aria-invalid=[error.map(|_| "true")] aria-describedby=[error];
                    button type="submit" name="action" value="follow" { "Save" }
                }
                @if error.is_some() { p.wrong #earlier-error { (wrong.join(" ")) } }
                div { button type="submit" name="action" value="find" { "Find it anew" } }
            }
        }
    }
}
