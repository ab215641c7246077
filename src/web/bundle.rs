//! Users' bundles (`web.md §10`): the page of one, its settings and its order, and its mailbox (`rest.md §10`).

mod copy;
mod order;
mod own;
mod settings;

use std::collections::HashMap;

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    bulk,
    comment::number,
    download::File,
    error::Result,
    field::{self, Faults, Field},
    form::Form,
    guard::{Pairs, Sender, View},
    layout::{self, Frame, Tab},
    list::{self, List},
    listing::Place,
    odd, parts,
    query::Query,
    thread,
};
use crate::{
    auth::session::Session,
    domain::{BundleId, PatchId, Timestamp, UserId, bundle as words, notice::Notice},
    store::{self, bundle::Bundle},
};

/// Returns the routes of bundles.
pub fn routes() -> Vec<Route> {
    let own = own::routes();
    let page = rocket::routes![detail, change, mbox, by_number, mbox_by_number];
    [page, own].concat()
}

#[rocket::get("/bundle/<username>/<name>/mbox")]
async fn mbox(username: &str, name: &str, sender: Sender<'_>, mut db: Db<'_>) -> Result<Answer> {
    let bundle = store::bundle::by_name(&mut db, username, name).await?;
    let bundle = visible_to(&mut db, bundle, &sender).await?;
    let project = store::project::by_id(&mut db, bundle.project_id)
        .await?
        .ok_or_else(Error::missing)?;
    let details = store::patch::details_of_bundle(&mut db, bundle.id).await?;
    let ids: Vec<PatchId> = details.iter().map(|detail| detail.patch.id).collect();
    let replies = store::patch::replies(&mut db, &ids).await?;
    let file = File::bundle(&project, &details, &replies, &bundle);
    Ok(Answer::File(file))
}

/// Returns a bundle; a private one is there for its owner only, who may have sent credentials.
async fn visible_to(
    db: &mut Db<'_>,
    bundle: Option<Bundle>,
    sender: &Sender<'_>,
) -> Result<Bundle> {
    let bundle = bundle.ok_or_else(Error::missing)?;
    if bundle.public {
        return Ok(bundle);
    }
    match sender.caller(db).await? {
        Some(caller) if caller.user.id == bundle.owner_id => Ok(bundle),
        _ => Err(Error::missing()),
    }
}

/// Compatibility: bundles had numbers in their addresses before they had names.
#[rocket::get("/user/bundle/<id>")]
async fn by_number(id: &str, view: View<'_>, sender: Sender<'_>, db: Db<'_>) -> Result<Answer> {
    Ok(Answer::Found(named(id, &view, &sender, db).await?))
}

#[rocket::get("/user/bundle/<id>/mbox")]
async fn mbox_by_number(
    id: &str,
    view: View<'_>,
    sender: Sender<'_>,
    db: Db<'_>,
) -> Result<Answer> {
    let address = named(id, &view, &sender, db).await?;
    Ok(Answer::Found(address + "mbox/"))
}

async fn named(id: &str, view: &View<'_>, sender: &Sender<'_>, mut db: Db<'_>) -> Result<String> {
    let id = BundleId(number(id)?);
    let listed = store::bundle::listed_by_id(&mut db, id).await?;
    let listed = listed.ok_or_else(Error::missing)?;
    let bundle = visible_to(&mut db, Some(listed.bundle), sender).await?;
    Ok(view.links().bundle(&listed.owner, &bundle.name))
}

#[rocket::get("/bundle/<username>/<name>")]
async fn detail(
    username: &str,
    name: &str,
    view: View<'_>,
    pairs: Pairs,
    mut db: Db<'_>,
) -> Result<Answer> {
    let page = Page::load(&mut db, &view, username, name, Query::read(&pairs.0)).await?;
    drop(db);
    Ok(page.list.answer(&view, || page.drawn(&view)))
}

#[rocket::post("/bundle/<username>/<name>", data = "<form>")]
async fn change(
    username: &str,
    name: &str,
    view: View<'_>,
    pairs: Pairs,
    mut db: Db<'_>,
    form: Form<'_>,
) -> Result<Answer> {
    let mut page = Page::load(&mut db, &view, username, name, Query::read(&pairs.0)).await?;
    let session = view.logged_in()?;
    let own = || page.owner_session(session).ok_or_else(Error::missing);
    match form.text("form") {
        "bundle" => {
            let session = own()?;
            drop(db);
            settings::change(&view, session, page, &form).await
        }
        "copy" => {
            drop(db);
            copy::make(&view, session, page, &form).await
        }
        // Compatibility: release 3.2.1 called it reorderform.
        "reorder-form" | "reorderform" => {
            let session = own()?;
            drop(db);
            order::change(session, &page.bundle, &form).await?;
            Ok(Answer::Done(page.list.here()))
        }
        _ => {
            let changed = page.list.change(&view, db, &form).await?;
            page.list.refuse(&form, &changed);
            let whole = || page.drawn(&view);
            Ok(page.list.answer_change(&view, &form, changed, whole))
        }
    }
}

/// Everything the page shows.
struct Page {
    bundle: Bundle,
    owner: String,
    is_own: bool,
    list: List,
    settings: settings::Entered,
    copy: copy::Entered,
}

impl Page {
    /// Reads a bundle, if the reader may see it, and the patches in it that the query finds.
    async fn load(
        db: &mut Db<'_>,
        view: &View<'_>,
        username: &str,
        name: &str,
        query: Query,
    ) -> Result<Page> {
        let reader = view.user().map(|user| user.id);
        let bundle = store::bundle::by_name(db, username, name)
            .await?
            .filter(|bundle| bundle.public || reader == Some(bundle.owner_id))
            .ok_or_else(Error::missing)?;
        let project = store::project::by_id(db, bundle.project_id)
            .await?
            .ok_or_else(Error::missing)?;
        let address = view.links().bundle(username, name);
        let place = Place::Bundle(bundle.id);
        let mut list = List::load(db, view, project, place, address, query).await?;
        let is_own = reader == Some(bundle.owner_id);
        if let Some(bar) = list.bar.as_mut().filter(|_| is_own) {
            bar.bundle = Some(bundle.id);
        }
        if is_own && list.is_in_bundle_order() {
            let order = store::bundle::patches(db, bundle.id).await?;
            let places = order.into_iter().zip(1..);
            list.places = Some(places.collect::<HashMap<PatchId, usize>>());
        }
        Ok(Page {
            settings: settings::Entered::of(&bundle),
            copy: copy::Entered::of(&bundle, is_own),
            bundle,
            owner: username.to_owned(),
            is_own,
            list,
        })
    }

    /// Returns the session of the owner, if it is the owner who is logged in.
    fn owner_session<'a>(&self, session: &'a Session) -> Option<&'a Session> {
        (session.caller.user.id == self.bundle.owner_id).then_some(session)
    }

    fn drawn(&self, view: &View) -> Markup {
        let list = &self.list;
        let title = format!(
            "Bundle {} of {}",
            odd::shown(&self.bundle.name),
            odd::shown(&self.owner)
        );
        let frame = Frame {
            search: false,
            ..Frame::project(&title, &list.project, Tab::Bundles)
        };
        layout::page(
            view,
            &frame,
            html! {
                (self.heading(view, list))
                @if list.places.as_ref().is_some_and(|places| places.len() > 1) { (order::form(view, list)) }
                (list::part(view, list))
                @if view.user().is_some() { (copy::drawn(view, self)) }
                @if self.is_own { (settings::drawn(view, self)) }
            },
        )
    }

    fn heading(&self, view: &View, list: &List) -> Markup {
        let address = view.links().bundle(&self.owner, &self.bundle.name);
        let (mbox, whole) = (format!("{address}mbox/"), view.absolute(&address));
        let project = &list.project;
        html! {
            header.heading.bundle {
                h1 { (odd::shown(&self.bundle.name)) }
                p.facts {
                    span { "Bundle of " strong { (self.owner) } }
                    @if self.bundle.public { span.state { "public" } } @else { span.state { "private" } }
                    span { "Patches of " a href=(view.links().list(&project.linkname)) { (project.name) } }
                }
                @if !self.bundle.description.is_empty() { p.description { (self.bundle.description) } }
                div.get {
                    p.buttons {
                        a.button href=(mbox) { "mbox" }
                        @if self.bundle.public { button.copy type="button" data-copy=(whole) hidden { "Copy link" } }
                    }
                    // Of a private bundle nothing can be fetched without credentials.
                    @if self.bundle.public { (thread::apply_command(view, &mbox)) }
                }
            }
        }
    }
}
