//! Projects: what every site begins with; their maintainers and delegation rules, and testers for both.

use maud::{Markup, html};

use super::{
    super::{error::Result, field::Faults, form::Form, guard::View},
    access::Access,
    address,
    draft::Draft,
    model::{
        Acted, Action, Column, Common, Edit, Fate, Field, Kind, LINE, Loss, Model, Noun, On, PLAIN,
        Part, Show, TICK, Unique,
    },
    rules,
    work::Work,
};
use crate::{
    domain::{ListId, ProjectId, UserId, pattern, permission::Deed, project},
    store::{
        self, Conn,
        admin::{Key, Table, member, mend, overview},
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "project",
    one: "Project",
    many: "Projects",
    part: Part::Setup,
    table: &Table {
        base: "project",
        kind: Key::Number,
        key: "t.id",
        label: "t.linkname",
        columns: "t.linkname, t.name, t.list_id, t.list_email,
            (SELECT count(*) FROM patch p WHERE p.project_id = t.id AND p.archived = FALSE
              AND p.state_id IN (SELECT id FROM state WHERE action_required)) AS open,
            (SELECT m.received FROM mail m WHERE m.project_id = t.id ORDER BY m.id DESC LIMIT 1) AS last_mail,
            (SELECT count(*) FROM maintainer m WHERE m.project_id = t.id) AS maintainers",
        joins: "",
        only: "",
        words: &[
            ("lower(t.name)", ""),
            ("lower(t.linkname)", ""),
            ("lower(t.list_id)", ""),
            ("lower(t.list_email)", ""),
        ],
        order: "t.id",
    },
    columns: &[
        Column::text("Linkname", "t.linkname"),
        Column::text("Name", "t.name"),
        Column::text("List id", "t.list_id"),
        Column::text("List address", "t.list_email"),
        Column::new("Open patches", Show::Number, ""),
        Column::new("Last mail", Show::Moment, ""),
        Column::new("Maintainers", Show::Number, ""),
    ],
    fields: &[
        Field { name: "linkname", label: "Linkname", hint: "The name in addresses. An old one leads on to the new one; scripts and manuals that name it may not.", kind: Kind::Slug(255), ..LINE },
        Field { name: "name", label: "Name", ..LINE },
        Field { name: "list_id", label: "List id", hint: "As the List-Id header has it: dev.lists.example.org.", ..LINE },
        Field { name: "list_email", label: "List address", kind: Kind::Email(200), ..LINE },
        Field { name: "subject_match", label: "Subject match", hint: "A regular expression; needed only where several projects share a list. The first that matches wins, in the order of linknames.", kind: Kind::Line(64), required: false, ..LINE },
        Field { name: "web_url", label: "Website", kind: Kind::Line(2000), required: false, ..LINE },
        Field { name: "scm_url", label: "Repository", kind: Kind::Line(2000), required: false, ..LINE },
        Field { name: "webscm_url", label: "Source browser", kind: Kind::Line(2000), required: false, ..LINE },
        Field { name: "list_archive_url", label: "Archive of the list", kind: Kind::Line(2000), required: false, ..LINE },
        Field { name: "list_archive_url_format", label: "Address of one mail in the archive", hint: "{} stands for the message id.", kind: Kind::Line(2000), required: false, ..LINE },
        Field { name: "commit_url_format", label: "Address of one commit", hint: "{} stands for its id.", kind: Kind::Line(2000), required: false, ..LINE },
        Field { name: "send_notifications", label: "Tell submitters of state changes", ..TICK },
        Field { name: "show_dependencies", label: "Show which series depend on which", ..TICK },
        Field { name: "supersede", label: "Make older revisions superseded when a complete newer one arrives", ..TICK },
        Field { name: "use_tags", label: "Count trailers such as Reviewed-by", initial: "1", edit: Edit::Always, ..TICK },
    ],
    unique: &[
        Unique { fields: &["linkname"], fault: "There is a project with this linkname." },
        Unique { fields: &["name"], fault: "There is a project with this name." },
        Unique { fields: &["list_id", "subject_match"], fault: "There is a project with this list id and subject match; give one of them another subject match." },
    ],
    losses: &[
        Loss { what: "Patches", fate: Fate::Block, count: "SELECT count(*) FROM patch WHERE project_id = " },
        Loss { what: "Cover letters", fate: Fate::Block, count: "SELECT count(*) FROM cover WHERE project_id = " },
        Loss { what: "Series", fate: Fate::Block, count: "SELECT count(*) FROM series WHERE project_id = " },
        Loss { what: "Delegation rules", fate: Fate::Go, count: "SELECT count(*) FROM delegation_rule WHERE project_id = " },
        Loss { what: "Bundles", fate: Fate::Go, count: "SELECT count(*) FROM bundle WHERE project_id = " },
        Loss { what: "Saved filters", fate: Fate::Go, count: "SELECT count(*) FROM saved_filter WHERE project_id = " },
        Loss { what: "Webhooks", fate: Fate::Go, count: "SELECT count(*) FROM webhook WHERE project_id = " },
        Loss { what: "Events", fate: Fate::Go, count: "SELECT count(*) FROM event WHERE project_id = " },
        Loss { what: "Maintainers", fate: Fate::Stay("stay; their accounts remain"), count: "SELECT count(*) FROM maintainer WHERE project_id = " },
        Loss { what: "Received mails", fate: Fate::Stay("are kept, of no project"), count: "SELECT count(*) FROM mail WHERE project_id = " },
    ],
    actions: &[
        Action { name: "rules", label: "Save rules", deed: Deed::Change, on: On::Own, fields: &[] },
        Action { name: "reapply", label: "Apply the rules", deed: Deed::Change, on: On::Own, fields: &[] },
        Action { name: "maintainer-add", label: "Add", deed: Deed::Change, on: On::Own, fields: &[] },
        Action { name: "maintainer-remove", label: "Remove", deed: Deed::Change, on: On::Own, fields: &[] },
        Action { name: "test-rules", label: "Test", deed: Deed::View, on: On::Own, fields: &[] },
        Action { name: "test-subject", label: "Test", deed: Deed::View, on: On::Own, fields: &[] },
    ],
    noun: &Projects,
    ..PLAIN
};

struct Projects;

/// Returns what was entered as a project.
fn entered(draft: &Draft) -> project::Project {
    let text = |name: &str| draft.get(name).to_owned();
    project::Project {
        id: ProjectId(0),
        linkname: text("linkname"),
        name: text("name"),
        list_id: ListId::new(draft.get("list_id").trim_matches(['<', '>'])),
        list_email: text("list_email"),
        subject_match: text("subject_match"),
        web_url: text("web_url"),
        scm_url: text("scm_url"),
        webscm_url: text("webscm_url"),
        list_archive_url: text("list_archive_url"),
        list_archive_url_format: text("list_archive_url_format"),
        commit_url_format: text("commit_url_format"),
        send_notifications: draft.is_ticked("send_notifications"),
        show_dependencies: draft.is_ticked("show_dependencies"),
        use_tags: draft.is_ticked("use_tags"),
        supersede: draft.is_ticked("supersede"),
    }
}

/// Notes what is wrong with the addresses of a project.
pub fn check_addresses(project: &project::Project, faults: &mut Faults) {
    let addresses = [
        ("web_url", &project.web_url),
        ("scm_url", &project.scm_url),
        ("webscm_url", &project.webscm_url),
        ("list_archive_url", &project.list_archive_url),
        ("list_archive_url_format", &project.list_archive_url_format),
        ("commit_url_format", &project.commit_url_format),
    ];
    for (name, address) in addresses {
        let fits = address.is_empty() || project::is_address(address);
        faults.check(fits, name, "This has to look like https://host/path.");
    }
    for (name, address) in [addresses[4], addresses[5]] {
        faults.check(
            project::is_format(address),
            name,
            "This has to hold {}, where the id goes.",
        );
    }
}

#[rocket::async_trait]
impl Noun for Projects {
    async fn check(
        &self,
        _: &mut Work<'_>,
        draft: &Draft,
        _: Option<&str>,
        faults: &mut Faults,
    ) -> Result<()> {
        let project = entered(draft);
        check_addresses(&project, faults);
        let list_id = project.list_id.as_str();
        let is_odd = |c: char| c.is_whitespace() || "<>@".contains(c);
        faults.check(
            !list_id.contains(is_odd),
            "list_id",
            "This has to look like dev.lists.example.org, as the List-Id header has it.",
        );
        if let Err(fault) = pattern::compile(&project.subject_match) {
            faults.add(
                "subject_match",
                format!("This is no regular expression: {fault}."),
            );
        }
        // What else is wrong has no field of its own.
        if faults.is_empty() {
            for fault in project::faults(&project) {
                faults.add("", fault);
            }
        }
        Ok(())
    }

    async fn insert(&self, work: &mut Work<'_>, draft: &Draft) -> Result<String> {
        let id = store::project::insert(&mut work.tx, &entered(draft)).await?;
        Ok(id.to_string())
    }

    async fn update(
        &self,
        work: &mut Work<'_>,
        id: &str,
        draft: &Draft,
        before: &Draft,
    ) -> Result<()> {
        let mut draft = draft.clone();
        let list_id = entered(&draft).list_id;
        draft.set("list_id", list_id.as_str());
        if draft.differs(before, "linkname") {
            let (old, new) = (before.get("linkname"), draft.get("linkname"));
            mend::keep_linkname(&mut work.tx, number(id), old, new).await?;
        }
        Common.update(work, id, &draft, before).await
    }

    async fn more(
        &self,
        conn: &mut Conn,
        view: &View<'_>,
        access: &Access,
        id: &str,
    ) -> Result<Markup> {
        let project = number(id);
        let action = address(view, &MODEL, id, "do");
        let maintainers = maintainers(conn, view, access, project, &action).await?;
        let may_change = access.may(&MODEL, Deed::Change);
        let rules = rules::section(conn, view, project, &action, may_change, may_change).await?;
        let stored = store::project::by_id(conn, project).await?;
        let newest = overview::newest_message(conn, project.0).await?;
        let example = stored.zip(newest).and_then(|(project, msgid)| {
            project.archive_url(&crate::domain::MessageId::new(&msgid))
        });
        Ok(html! {
            @if let Some(example) = example {
                p.hint { "The newest patch in the archive: " (super::super::parts::outside(&example, &example)) }
            }
            (maintainers)
            (rules)
            section.more {
                h2 { "Which project gets a subject?" }
                form.actions method="post" action=(action) {
                    (view.csrf())
                    div.act {
                        div.entry {
                            label for="id_subject" { "Subject of a mail to this list" }
                            input #id_subject name="subject" required;
                        }
                        button type="submit" name="action" value="test-subject" { "Test" }
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
        let (id, project) = (ids[0].as_str(), number(&ids[0]));
        match action {
            "rules" => rules::save(work, id, project, form).await,
            "reapply" => rules::reapply(work, id, project).await,
            "test-rules" => rules::test(&mut work.tx, project, form).await,
            "test-subject" => test_subject(work, project, form.text("subject")).await,
            "maintainer-add" => add_maintainer(work, id, project, form.text("user")).await,
            "maintainer-remove" => remove_maintainer(work, id, project, form.text("user")).await,
            _ => Common.act(work, action, ids, form).await,
        }
    }

    async fn address(&self, conn: &mut Conn, view: &View<'_>, id: &str) -> Result<Option<String>> {
        let project = store::project::by_id(conn, number(id)).await?;
        Ok(project.map(|project| view.links().project(&project.linkname)))
    }

    async fn obstacle(
        &self,
        conn: &mut Conn,
        _: &Access,
        ids: &[String],
    ) -> Result<Option<String>> {
        for id in ids {
            let patches = store::patch::walk::count(conn, number(id)).await?;
            if patches > 0 {
                return Ok(Some(
                    "A project that has patches stays. Keep a copy with “patchwork dumparchive”; delete its patches, cover \
                     letters and series in their lists, or move them to another project; then delete it."
                        .into(),
                ));
            }
        }
        Ok(None)
    }
}

/// Returns the id of a project.
fn number(id: &str) -> ProjectId {
    ProjectId(id.parse().unwrap_or_default())
}

/// Draws who maintains a project.
async fn maintainers(
    conn: &mut Conn,
    view: &View<'_>,
    access: &Access,
    project: ProjectId,
    action: &str,
) -> Result<Markup> {
    let known = member::candidates(conn, project).await?;
    let may_change = access.may(&MODEL, Deed::Change);
    let (those, others): (Vec<_>, Vec<_>) = known.iter().partition(|one| one.maintains);
    Ok(html! {
        section.more {
            h2 #maintainers { "Maintainers" }
            @if those.is_empty() { p.muted { "Nobody yet: only delegates and submitters can change patches." } }
            ul.members { @for one in &those {
                li {
                    span { (one.username) }
                    @if may_change {
                        form.inline method="post" action=(action) {
                            (view.csrf())
                            input type="hidden" name="user" value=(one.username);
                            button type="submit" name="action" value="maintainer-remove" aria-label={ "Remove " (one.username) } { "Remove" }
                        }
                    }
                }
            } }
            @if may_change {
                form.actions method="post" action=(action) {
                    (view.csrf())
                    div.act {
                        div.entry {
                            label for="id_user" { "Login name" }
                            input #id_user name="user" list="accounts" autocapitalize="none" required;
                            datalist #accounts { @for one in others { option value=(one.username) {} } }
                        }
                        button type="submit" name="action" value="maintainer-add" { "Add a maintainer" }
                    }
                }
            }
        }
    })
}

async fn add_maintainer(
    work: &mut Work<'_>,
    id: &str,
    project: ProjectId,
    name: &str,
) -> Result<Acted> {
    let Some(user) = named(work, name).await? else {
        return Ok(Acted::Refused(format!("There is no account “{name}”.")));
    };
    store::user::add_maintainer(&mut work.tx, user, project).await?;
    work.changed(id, "Maintainers", "", name).await?;
    Ok(Acted::Done(format!("{name} is a maintainer now.")))
}

async fn remove_maintainer(
    work: &mut Work<'_>,
    id: &str,
    project: ProjectId,
    name: &str,
) -> Result<Acted> {
    let Some(user) = named(work, name).await? else {
        return Ok(Acted::Refused(format!("There is no account “{name}”.")));
    };
    if !member::remove_maintainer(&mut work.tx, user, project).await? {
        return Ok(Acted::Refused(format!("{name} is no maintainer.")));
    }
    work.changed(id, "Maintainers", name, "").await?;
    Ok(Acted::Done(format!("{name} is no maintainer any more.")))
}

async fn named(work: &mut Work<'_>, name: &str) -> Result<Option<UserId>> {
    let user = store::user::by_username(&mut work.tx, name).await?;
    Ok(user.map(|user| user.id))
}

/// Says which project of the same list a subject would go to.
async fn test_subject(work: &mut Work<'_>, project: ProjectId, subject: &str) -> Result<Acted> {
    let Some(stored) = store::project::by_id(&mut work.tx, project).await? else {
        return Ok(Acted::Refused("The project is gone.".into()));
    };
    let found = crate::ingest::project_of(&mut work.tx, &stored.list_id, subject).await?;
    Ok(Acted::Done(match found {
        Some(linkname) => format!("A mail with the subject “{subject}” goes to {linkname}."),
        None => format!("A mail with the subject “{subject}” goes to no project."),
    }))
}
