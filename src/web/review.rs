//! Promises to review a patch or a series: made by whoever is logged in and did not send it, shown to all, ended by
//! their maker or a maintainer, or by themselves.

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error, answer::Answer, clock, comment, comment::number, error::Result, form::Form,
    guard::View, parts,
};
use crate::{
    auth::session::Session,
    domain::{
        PatchId, PersonId, ProjectId, SeriesId, Timestamp, link,
        notice::Notice,
        review::{self, Claim, Subject},
    },
    store,
};

/// The id of the part of a page that shows who reviews.
pub const PART: &str = "review";

const OWN: &str = "Nobody reviews what they have sent themselves.";
const NOT_YOURS: &str =
    "A promise to review is ended by who made it, and by maintainers of the project.";

/// Returns the routes of promises to review.
pub fn routes() -> Vec<Route> {
    rocket::routes![of_patch, of_series, end]
}

#[rocket::post("/review/patch/<id>", data = "<form>")]
async fn of_patch(id: &str, view: View<'_>, db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let subject = Subject::Patch(PatchId(number(id)?));
    promise(subject, &view, db, &form).await
}

#[rocket::post("/review/series/<id>", data = "<form>")]
async fn of_series(id: &str, view: View<'_>, db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let subject = Subject::Series(SeriesId(number(id)?));
    promise(subject, &view, db, &form).await
}

async fn promise(
    subject: Subject,
    view: &View<'_>,
    mut db: Db<'_>,
    form: &Form<'_>,
) -> Result<Answer> {
    let page = page(&mut db, view, subject).await?;
    let session = view.logged_in()?;
    drop(db);
    let now = Timestamp::now();
    let mut tx = form.begin().await?;
    let found = store::review::subject(&mut tx, subject).await?;
    let (submitter, is_open) = found.ok_or_else(Error::missing)?;
    if !session.caller.rights.may_review(submitter) {
        return Err(Error::Forbidden(OWN));
    }
    let told = match review::term(form.text("days")) {
        None => Notice::failed("A review is promised for 3, 7 or 14 days."),
        Some(_) if !is_open => Notice::failed("Nobody has to review that any more."),
        Some(days) => {
            let ends = now.plus_minutes(days * 24 * 60);
            let user = session.caller.user.id;
            match store::review::insert(&mut tx, subject, user, now, ends).await? {
                true => Notice::done(format!("You review this until {}.", clock::day(ends))),
                false => Notice::failed("You review a hundred things already: end one first."),
            }
        }
    };
    session.tell(&mut tx, vec![told], now).await?;
    tx.commit().await?;
    Ok(Answer::Done(page))
}

#[rocket::post("/review/end/<id>", data = "<form>")]
async fn end(id: &str, view: View<'_>, mut db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let session = view.logged_in()?;
    let found = store::review::by_id(&mut db, number(id)?).await?;
    let (claim, project) = found.ok_or_else(Error::missing)?;
    let page = page(&mut db, &view, subject(&claim)?).await?;
    drop(db);
    if !may_end(session, &claim, project) {
        return Err(Error::Forbidden(NOT_YOURS));
    }
    let mut tx = form.begin().await?;
    store::review::delete(&mut tx, claim.id).await?;
    let told = match claim.user_id == session.caller.user.id {
        true => Notice::done("You review this no more."),
        false => Notice::done(format!("{} reviews this no more.", claim.username)),
    };
    session.tell(&mut tx, vec![told], Timestamp::now()).await?;
    tx.commit().await?;
    // Who came from elsewhere goes back there.
    let next = form.get("next").filter(|next| link::is_own_path(next));
    Ok(Answer::Done(next.map_or(page, str::to_owned)))
}

fn subject(claim: &Claim) -> Result<Subject> {
    let patch = claim.patch_id.map(Subject::Patch);
    let subject = patch.or(claim.series_id.map(Subject::Series));
    subject.ok_or_else(Error::missing)
}

fn may_end(session: &Session, claim: &Claim, project: ProjectId) -> bool {
    session.caller.rights.may_end_review(claim.user_id, project)
}

/// Returns the address of the page that shows what is reviewed.
async fn page(db: &mut Db<'_>, view: &View<'_>, subject: Subject) -> Result<String> {
    Ok(match subject {
        Subject::Patch(id) => {
            let place = store::submission::patch(db, id).await?;
            comment::address(view, &place.ok_or_else(Error::missing)?, "")
        }
        Subject::Series(id) => {
            let linkname = store::submission::series(db, id).await?;
            let linkname = linkname.ok_or_else(Error::missing)?;
            view.links().series(&linkname, id)
        }
    })
}

/// Who reviews what a page shows, and whether the reader may.
pub struct Reviews<'a> {
    /// What the page shows.
    pub subject: Subject,
    /// Its project.
    pub project: ProjectId,
    /// Who sent it.
    pub submitter: PersonId,
    /// Whether somebody has to act on it.
    pub is_open: bool,
    /// Who has promised to review it.
    pub claims: &'a [Claim],
}

/// Draws who reviews what the page shows, until when, and what makes or ends a promise: part of the page, and alone the answer to
/// htmx.
pub fn drawn(view: &View, reviews: &Reviews) -> Markup {
    let session = view.session();
    let may = session.is_some_and(|session| {
        reviews.is_open && session.caller.rights.may_review(reviews.submitter)
    });
    html! {
        div.review id=(PART) hx-target="this" hx-swap="outerHTML" {
            @for claim in reviews.claims { (one(view, reviews, claim)) }
            @if let Some(session) = session.filter(|_| may) {
                @let mine = reviews.claims.iter().find(|claim| claim.user_id == session.caller.user.id);
                @match mine.and_then(|claim| subject(claim).ok()) {
                    None => (form(view, reviews.subject, "I will review")),
                    Some(promised) if promised == reviews.subject => (form(view, promised, "Promise anew")),
                    // The series is promised, and this patch with it.
                    Some(_) => {}
                }
            }
        }
    }
}

fn one(view: &View, reviews: &Reviews, claim: &Claim) -> Markup {
    let may_end = view
        .session()
        .is_some_and(|session| may_end(session, claim, reviews.project));
    let is_whole = claim.series_id.is_some() && matches!(reviews.subject, Subject::Patch(_));
    html! {
        div.claim {
            p {
                strong { (claim.username) } " reviews this "
                @if is_whole { "and the rest of the series " }
                "until " (parts::day(claim.ends))
            }
            @if may_end {
                @let address = view.links().end_review(claim.id);
                form.inline method="post" action=(address) hx-post=(address) {
                    (view.csrf())
                    @if is_whole { input type="hidden" name="next" value=(view.here()); }
                    button type="submit" { "End" span.vh { " the review of " (claim.username) } }
                }
            }
        }
    }
}

fn form(view: &View, subject: Subject, label: &str) -> Markup {
    let address = view.links().review(subject);
    html! {
        form.inline method="post" action=(address) hx-post=(address) {
            (view.csrf())
            button type="submit" { (label) }
            " "
            label { "within "
                select name="days" {
                    @for (days, name) in review::TERMS {
                        option value=(days) selected[days == review::USUAL] { (name) }
                    }
                }
            }
        }
    }
}
