//! What maintainers set for their own project, without being staff: its addresses, and who gets new patches.

use maud::{Markup, html};
use rocket::Route;

use super::{
    super::{
        Db, Error,
        answer::Answer,
        error::Result,
        field::{self, Faults, Field},
        form::Form,
        guard::View,
        layout::{self, Frame, Tab},
    },
    model::Acted,
    project::{MODEL, check_addresses},
    rules::{self, Saved},
};
use crate::{
    domain::{Timestamp, notice::Notice, project::Project},
    store::{
        self, Conn,
        audit::{self, Change, NewEntry},
    },
};

/// Returns the routes of settings.
pub fn routes() -> Vec<Route> {
    rocket::routes![page, save]
}

/// The addresses of a project: name, label, hint.
const ADDRESSES: [(&str, &str, &str); 6] = [
    ("web_url", "Website", ""),
    ("scm_url", "Repository", ""),
    ("webscm_url", "Source browser", ""),
    ("list_archive_url", "Archive of the list", ""),
    (
        "list_archive_url_format",
        "Address of one mail in the archive",
        "{} stands for the message id.",
    ),
    (
        "commit_url_format",
        "Address of one commit",
        "{} stands for its id.",
    ),
];

/// Returns the project, for those who maintain it.
async fn own(view: &View<'_>, conn: &mut Conn, linkname: &str) -> Result<Project> {
    let session = view.logged_in()?;
    let project = store::project::by_linkname(conn, linkname).await?;
    let project = project.ok_or_else(Error::no_project)?;
    match session.caller.rights.maintains(project.id) {
        true => Ok(project),
        false => Err(Error::Forbidden(
            "Only maintainers of the project change its settings.",
        )),
    }
}

#[rocket::get("/project/<linkname>/settings")]
async fn page(linkname: &str, view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let project = own(&view, &mut db, linkname).await?;
    Ok(Answer::Page(
        drawn(&view, &mut db, &project, &Faults::default()).await?,
    ))
}

async fn drawn(
    view: &View<'_>,
    conn: &mut Conn,
    project: &Project,
    faults: &Faults,
) -> Result<Markup> {
    let action = view.links().settings(&project.linkname);
    let rules = rules::section(conn, view, project.id, &action, true, false).await?;
    let title = format!("Settings of {}", project.name);
    let fields = ADDRESSES.iter().map(|(name, label, hint)| {
        let line = Field {
            required: false,
            hint,
            ..Field::new(name, label, address(project, name))
        };
        line.drawn(faults)
    });
    Ok(layout::page(
        view,
        &Frame::project(&title, project, Tab::About),
        html! {
            header.heading { h1 { (title) } }
            p.about { "Name, list and maintainers are set by the administrators of the site." }
            (field::problems(faults))
            section.more {
                h2 { "Addresses" }
                form.entries.thing method="post" action=(action) {
                    (view.csrf())
                    @for field in fields { (field) }
                    (field::tick("show_dependencies", "Show which series depend on which", project.show_dependencies))
                    (field::tick("supersede", SUPERSEDE, project.supersede))
                    div.saving { button.primary type="submit" name="action" value="addresses" { "Save" } }
                }
            }
            (rules)
        },
    ))
}

fn address<'a>(project: &'a Project, name: &str) -> &'a str {
    match name {
        "web_url" => &project.web_url,
        "scm_url" => &project.scm_url,
        "webscm_url" => &project.webscm_url,
        "list_archive_url" => &project.list_archive_url,
        "list_archive_url_format" => &project.list_archive_url_format,
        _ => &project.commit_url_format,
    }
}

#[rocket::post("/project/<linkname>/settings", data = "<form>")]
async fn save(linkname: &str, view: View<'_>, mut db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let before = own(&view, &mut db, linkname).await?;
    drop(db);
    let mut tx = form.begin().await?;
    let (changes, notice) = match form.text("action") {
        "addresses" => {
            let text = |name: &str| form.text(name).to_owned();
            let after = Project {
                web_url: text("web_url"),
                scm_url: text("scm_url"),
                webscm_url: text("webscm_url"),
                list_archive_url: text("list_archive_url"),
                list_archive_url_format: text("list_archive_url_format"),
                commit_url_format: text("commit_url_format"),
                show_dependencies: form.is_ticked("show_dependencies"),
                supersede: form.is_ticked("supersede"),
                ..before.clone()
            };
            let mut faults = Faults::default();
            check_addresses(&after, &mut faults);
            if !faults.is_empty() {
                return Ok(Answer::Invalid(
                    drawn(&view, &mut tx, &after, &faults).await?,
                ));
            }
            store::project::update(&mut tx, &after).await?;
            (
                differences(&before, &after),
                Notice::done("The settings were saved."),
            )
        }
        "rules" => match rules::store(&mut tx, before.id, &form).await? {
            Saved::Done(change, text) => (vec![change], Notice::done(text)),
            Saved::Refused(why) => (Vec::new(), Notice::failed(why)),
        },
        "test-rules" => match rules::test(&mut tx, before.id, &form).await? {
            Acted::Refused(why) => (Vec::new(), Notice::failed(why)),
            Acted::Done(text) => (Vec::new(), Notice::done(text)),
            Acted::Page(_) | Acted::After(_) => {
                (Vec::new(), Notice::failed("There is nothing to tell."))
            }
        },
        _ => (Vec::new(), Notice::failed("There is no such action.")),
    };
    let session = view.logged_in()?;
    let now = Timestamp::now();
    if !changes.is_empty() {
        let entry = NewEntry {
            date: now,
            user: Some(session.caller.user.id),
            username: &session.caller.user.username,
            address: &view.address(),
            action: audit::Action::Changed,
            model: &MODEL.logged_as(),
            object_id: &before.id.to_string(),
            object: &before.linkname,
            changes: &changes,
        };
        audit::insert(&mut tx, &entry).await?;
    }
    session.tell(&mut tx, vec![notice], now).await?;
    tx.commit().await?;
    Ok(Answer::Done(view.links().settings(&before.linkname)))
}

const SUPERSEDE: &str = "Make older revisions superseded when a complete newer one arrives";

fn differences(before: &Project, after: &Project) -> Vec<Change> {
    let addresses = ADDRESSES
        .iter()
        .map(|(name, label, _)| Change::new(label, address(before, name), address(after, name)));
    let said = |is_on: bool| if is_on { "yes" } else { "no" };
    let shown = Change::new(
        "Show which series depend on which",
        said(before.show_dependencies),
        said(after.show_dependencies),
    );
    let superseded = Change::new(SUPERSEDE, said(before.supersede), said(after.supersede));
    addresses
        .chain([shown, superseded])
        .filter(|change| change.before != change.after)
        .collect()
}
