//! The bundles of who is logged in: all of them, or those of one project.

use super::*;
use crate::{
    domain::{ProjectId, project::Project},
    store::bundle::Listed,
};

/// Returns the routes of lists of bundles.
pub(super) fn routes() -> Vec<Route> {
    rocket::routes![all, change_all, of_project, change_of_project]
}

#[rocket::get("/user/bundles")]
async fn all(view: View<'_>, pairs: Pairs, mut db: Db<'_>) -> Result<Answer> {
    let page = Page::load(&mut db, &view, None).await?;
    drop(db);
    page.answer(&view, &pairs)
}

#[rocket::get("/project/<linkname>/bundles")]
async fn of_project(
    linkname: &str,
    view: View<'_>,
    pairs: Pairs,
    mut db: Db<'_>,
) -> Result<Answer> {
    let page = Page::load(&mut db, &view, Some(linkname)).await?;
    drop(db);
    page.answer(&view, &pairs)
}

#[rocket::post("/user/bundles", data = "<form>")]
async fn change_all(view: View<'_>, mut db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let page = Page::load(&mut db, &view, None).await?;
    change(view, db, form, page).await
}

#[rocket::post("/project/<linkname>/bundles", data = "<form>")]
async fn change_of_project(
    linkname: &str,
    view: View<'_>,
    mut db: Db<'_>,
    form: Form<'_>,
) -> Result<Answer> {
    let page = Page::load(&mut db, &view, Some(linkname)).await?;
    change(view, db, form, page).await
}

async fn change(view: View<'_>, db: Db<'_>, form: Form<'_>, mut page: Page) -> Result<Answer> {
    let session = view.logged_in()?;
    drop(db);
    if form.text("form_name") == "deletebundleform" {
        let id = BundleId(number(form.text("bundle_id"))?);
        let found = page.bundles.iter().find(|listed| listed.bundle.id == id);
        let listed = found.ok_or_else(Error::missing)?;
        settings::delete(session, &form, &listed.bundle).await?;
        return Ok(Answer::Done(page.address(&view)));
    }
    let faults = create(session, &form, &page).await?;
    if faults.is_empty() {
        return Ok(Answer::Done(page.address(&view)));
    }
    page.name = form.text("name").to_owned();
    page.faults = faults;
    Ok(Answer::Invalid(page.drawn(&view)))
}

async fn create(session: &Session, form: &Form<'_>, page: &Page) -> Result<Faults> {
    let mut faults = Faults::default();
    let name = form.text("name");
    if let Some(fault) = words::fault(name) {
        faults.add("name", fault);
    }
    let asked = form.get("project").and_then(|id| id.parse().ok());
    let project = match &page.project {
        Some(project) => Some(project.id),
        None => asked
            .map(ProjectId)
            .filter(|id| page.projects.iter().any(|project| project.id == *id)),
    };
    let Some(project) = project else {
        faults.add("project", "Choose a project.");
        return Ok(faults);
    };
    if !faults.is_empty() {
        return Ok(faults);
    }
    let now = Timestamp::now();
    let mut tx = form.begin().await?;
    if bulk::new_bundle(&mut tx, session, project, name, &mut faults).await? {
        let told = Notice::done(format!("Bundle “{name}” created."));
        session.tell(&mut tx, vec![told], now).await?;
        tx.commit().await?;
    }
    Ok(faults)
}

/// Everything the page shows.
struct Page {
    project: Option<Project>,
    /// The projects a new bundle may be of, when the page is about all.
    projects: Vec<Project>,
    bundles: Vec<Listed>,
    name: String,
    faults: Faults,
}

impl Page {
    async fn load(db: &mut Db<'_>, view: &View<'_>, linkname: Option<&str>) -> Result<Page> {
        let (mut project, mut projects) = (None, Vec::new());
        match linkname {
            Some(linkname) => {
                let found = store::project::by_linkname(db, linkname).await?;
                project = Some(found.ok_or_else(Error::no_project)?);
            }
            None => projects = store::project::all(db).await?,
        }
        let owner: UserId = view.logged_in()?.caller.user.id;
        let of = project.as_ref().map(|project| project.id);
        Ok(Page {
            bundles: store::bundle::listed(db, owner, of).await?,
            project,
            projects,
            name: String::new(),
            faults: Faults::default(),
        })
    }

    fn address(&self, view: &View) -> String {
        match &self.project {
            Some(project) => view.links().project_bundles(&project.linkname),
            None => view.links().user_page("bundles/"),
        }
    }

    fn answer(&self, view: &View, pairs: &Pairs) -> Result<Answer> {
        let Some(asked) = pairs.last("delete") else {
            return Ok(Answer::Page(self.drawn(view)));
        };
        let id = BundleId(number(asked)?);
        let found = self.bundles.iter().find(|listed| listed.bundle.id == id);
        Ok(Answer::Page(
            self.question(view, found.ok_or_else(Error::missing)?),
        ))
    }

    fn framed(&self, view: &View, title: &str, main: Markup) -> Markup {
        let frame = match &self.project {
            Some(project) => Frame::project(title, project, Tab::Bundles),
            None => Frame::site(title),
        };
        layout::page(view, &frame, main)
    }

    /// Draws the question whether a bundle is to be deleted.
    fn question(&self, view: &View, listed: &Listed) -> Markup {
        let (links, name) = (view.links(), &listed.bundle.name);
        let main = html! {
            div.narrow {
                h1 { "Delete bundle “" (name) "”?" }
                p {
                    "It holds " (bulk::patches(listed.patches as usize)) ", which stay. Its address and its order are gone for good."
                }
                form.inline method="post" action=(self.address(view)) {
                    (view.csrf())
                    input type="hidden" name="form_name" value="deletebundleform";
                    input type="hidden" name="bundle_id" value=(listed.bundle.id);
                    p.ways {
                        button.danger type="submit" { "Delete" }
                        a.button href=(links.bundle(&listed.owner, name)) { "Keep it" }
                    }
                }
            }
        };
        self.framed(view, "Delete a bundle", main)
    }

    fn drawn(&self, view: &View) -> Markup {
        let main = html! {
            header.heading {
                h1 { "Your bundles" @if let Some(project) = &self.project { " in " (project.name) } }
                p.muted {
                    "A bundle is a list of patches of your own, in your order: to review, to apply as one mailbox, or to show to others."
                }
            }
            @if self.bundles.is_empty() {
                div.empty {
                    p { strong { "You have no bundles here." } }
                    p.muted { "Select patches in a list and choose “Bundle” below it, or create an empty one." }
                }
            } @else {
                (self.table(view))
            }
            (self.form(view))
        };
        self.framed(view, "Your bundles", main)
    }

    fn table(&self, view: &View) -> Markup {
        let links = view.links();
        html! {
            table.projects.bundles {
                caption.vh { "Your bundles" }
                thead { tr {
                    th scope="col" { "Bundle" } th scope="col" { "Project" } th scope="col" { "Seen by" }
                    th.num scope="col" { "Patches" } th scope="col" { span.vh { "Actions" } }
                } }
                tbody {
                    @for listed in &self.bundles {
                        @let (bundle, name) = (&listed.bundle, &listed.bundle.name);
                        @let address = links.bundle(&listed.owner, name);
                        tr {
                            th scope="row" {
                                a href=(address) { (name) }
                                @if !bundle.description.is_empty() { small { (parts::cut(&bundle.description).0) } }
                            }
                            td { a href=(links.list(&listed.linkname)) { (listed.project) } }
                            td { span.unit { "seen by " } @if bundle.public { "everybody" } @else { "you" } }
                            td.num { (listed.patches) span.unit { @if listed.patches == 1 { " patch" } @else { " patches" } } }
                            td.row-acts {
                                a href={ (address) "mbox/" } aria-label={ "mbox of " (name) } { "mbox" }
                                a href={ (self.address(view)) "?delete=" (bundle.id) } aria-label={ "Delete " (name) } { "Delete" }
                            }
                        }
                    }
                }
            }
        }
    }

    fn form(&self, view: &View) -> Markup {
        let name = Field::new("name", "Name", &self.name);
        let wrong = self.faults.of("project");
        let described = (!wrong.is_empty()).then_some("project-error");
        html! {
            section.new-bundle {
                h2 { "New bundle" }
                form method="post" action=(self.address(view)) {
                    (view.csrf())
                    input type="hidden" name="form_name" value="createbundleform";
                    (name.drawn(&self.faults))
                    @if self.project.is_none() {
                        div.entry {
                            label for="id_project" { "Project" }
                            select #id_project name="project" aria-describedby=[described] {
                                @for project in &self.projects { option value=(project.id) { (project.name) } }
                            }
                            @if !wrong.is_empty() { p.wrong #project-error { (wrong.join(" ")) } }
                        }
                    }
                    button type="submit" { "Create" }
                }
            }
        }
    }
}
