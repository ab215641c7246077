//! `patchwork admin project`: the same checks as on the project's page.

use anyhow::bail;
use clap::{ArgAction, Args, Subcommand};
use serde_json::json;

use super::{Desk, differing, sound, yes};
use crate::{
    cli::createproject::Createproject,
    domain::{ListId, project},
    store::{
        self,
        admin::mend,
        audit::{Action, Change},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Project {
    /// Make a project; nothing happens if it is there as wanted
    Add(Box<Createproject>),
    /// Change a project: only what is named
    Set(Box<Set>),
    /// List all projects
    List,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  patchwork admin project set tidepool --name 'Tide pool' --use-tags false
  patchwork admin project set tidepool --linkname tide")]
pub(super) struct Set {
    /// The project's name in URLs
    project: String,
    /// Another name in URLs; the old one leads to it
    #[arg(long, value_name = "NAME")]
    linkname: Option<String>,
    /// The name people see
    #[arg(long)]
    name: Option<String>,
    /// The list's id
    #[arg(long, value_name = "ID")]
    list_id: Option<String>,
    /// The list's address
    #[arg(long, value_name = "ADDRESS")]
    list_email: Option<String>,
    /// A regular expression that subjects must match
    #[arg(long, value_name = "REGEX")]
    subject_match: Option<String>,
    /// The project's website
    #[arg(long, value_name = "URL")]
    web_url: Option<String>,
    /// Where to clone from
    #[arg(long, value_name = "URL")]
    scm_url: Option<String>,
    /// Where to browse the source
    #[arg(long, value_name = "URL")]
    webscm_url: Option<String>,
    /// The list's archive
    #[arg(long, value_name = "URL")]
    list_archive_url: Option<String>,
    /// The address of one mail in the archive; {} stands for the message id
    #[arg(long, value_name = "URL")]
    list_archive_url_format: Option<String>,
    /// The address of one commit; {} stands for its id
    #[arg(long, value_name = "URL")]
    commit_url_format: Option<String>,
    /// Whether to tell submitters of state changes
    #[arg(long, value_name = "true|false", action = ArgAction::Set)]
    send_notifications: Option<bool>,
    /// Whether to show which series depend on which
    #[arg(long, value_name = "true|false", action = ArgAction::Set)]
    show_dependencies: Option<bool>,
    /// Whether to make older revisions superseded when a complete newer one arrives
    #[arg(long, value_name = "true|false", action = ArgAction::Set)]
    supersede: Option<bool>,
    /// Whether to count trailers such as Reviewed-by
    #[arg(long, value_name = "true|false", action = ArgAction::Set)]
    use_tags: Option<bool>,
}

impl Project {
    pub(super) async fn run(self, desk: &mut Desk<'_>) -> anyhow::Result<()> {
        match self {
            Project::Add(new) => add(desk, new.project()).await,
            Project::Set(set) => {
                let before = desk.project(&set.project).await?;
                let after = set.applied(before.clone());
                change(desk, &before, &after).await
            }
            Project::List => {
                for project in store::project::all(&mut desk.tx).await? {
                    let line = format!(
                        "{:<20} {} <{}>",
                        project.linkname, project.name, project.list_email
                    );
                    desk.list(line, object(&project));
                }
                Ok(())
            }
        }
    }
}

impl Set {
    fn applied(self, mut project: project::Project) -> project::Project {
        let texts = [
            (self.linkname, &mut project.linkname),
            (self.name, &mut project.name),
            (self.list_email, &mut project.list_email),
            (self.subject_match, &mut project.subject_match),
            (self.web_url, &mut project.web_url),
            (self.scm_url, &mut project.scm_url),
            (self.webscm_url, &mut project.webscm_url),
            (self.list_archive_url, &mut project.list_archive_url),
            (
                self.list_archive_url_format,
                &mut project.list_archive_url_format,
            ),
            (self.commit_url_format, &mut project.commit_url_format),
        ];
        for (given, field) in texts {
            if let Some(given) = given {
                *field = given;
            }
        }
        if let Some(id) = self.list_id {
            project.list_id = ListId::new(id.trim().trim_matches(['<', '>']));
        }
        project.send_notifications = self
            .send_notifications
            .unwrap_or(project.send_notifications);
        project.show_dependencies = self.show_dependencies.unwrap_or(project.show_dependencies);
        project.use_tags = self.use_tags.unwrap_or(project.use_tags);
        project.supersede = self.supersede.unwrap_or(project.supersede);
        project
    }
}

async fn add(desk: &mut Desk<'_>, mut new: project::Project) -> anyhow::Result<()> {
    check(&new)?;
    if let Some(known) = store::project::by_linkname(&mut desk.tx, &new.linkname).await? {
        new.id = known.id;
        if known == new {
            desk.tell(
                format!("The project {} is there already.", new.linkname),
                object(&known),
            );
            return Ok(());
        }
        bail!(
            "there is a project '{}', and it is another one; `patchwork admin project set` changes it",
            new.linkname
        );
    }
    new.id = match store::project::insert(&mut desk.tx, &new).await {
        Ok(id) => id,
        Err(error) if error.is_duplicate() => return Err(taken(&new)),
        Err(error) => return Err(error.into()),
    };
    let thing = ("patchwork.project", new.id, new.linkname.as_str());
    desk.log(Action::Added, thing, &[]).await?;
    desk.tell(format!("Made the project {}.", new.linkname), object(&new));
    Ok(())
}

fn check(project: &project::Project) -> anyhow::Result<()> {
    let mut faults = project::faults(project);
    for (what, address) in [
        ("list archive URL format", &project.list_archive_url_format),
        ("commit URL format", &project.commit_url_format),
    ] {
        if !project::is_format(address) {
            faults.push(format!(
                "the {what} '{address}' has to hold {{}}, where the id goes"
            ));
        }
    }
    sound(&faults)
}

fn taken(project: &project::Project) -> anyhow::Error {
    anyhow::anyhow!(
        "there is a project with the linkname '{}', the name '{}', or this list and subject match",
        project.linkname,
        project.name
    )
}

async fn change(
    desk: &mut Desk<'_>,
    before: &project::Project,
    after: &project::Project,
) -> anyhow::Result<()> {
    check(after)?;
    let changes = changes(before, after);
    if changes.is_empty() {
        desk.tell(
            format!("The project {} is as it was.", after.linkname),
            object(after),
        );
        return Ok(());
    }
    if before.linkname != after.linkname {
        mend::keep_linkname(&mut desk.tx, before.id, &before.linkname, &after.linkname).await?;
    }
    match store::project::replace(&mut desk.tx, after).await {
        Err(error) if error.is_duplicate() => return Err(taken(after)),
        done => done?,
    }
    let thing = ("patchwork.project", after.id, after.linkname.as_str());
    desk.log(Action::Changed, thing, &changes).await?;
    desk.tell(
        format!("Changed the project {}.", after.linkname),
        object(after),
    );
    Ok(())
}

fn changes(before: &project::Project, after: &project::Project) -> Vec<Change> {
    let texts = |project: &project::Project| {
        [
            project.linkname.clone(),
            project.name.clone(),
            project.list_id.to_string(),
            project.list_email.clone(),
            project.subject_match.clone(),
            project.web_url.clone(),
            project.scm_url.clone(),
            project.webscm_url.clone(),
            project.list_archive_url.clone(),
            project.list_archive_url_format.clone(),
            project.commit_url_format.clone(),
            yes(project.send_notifications).to_owned(),
            yes(project.show_dependencies).to_owned(),
            yes(project.use_tags).to_owned(),
            yes(project.supersede).to_owned(),
        ]
    };
    const NAMES: [&str; 15] = [
        "linkname",
        "name",
        "list_id",
        "list_email",
        "subject_match",
        "web_url",
        "scm_url",
        "webscm_url",
        "list_archive_url",
        "list_archive_url_format",
        "commit_url_format",
        "send_notifications",
        "show_dependencies",
        "use_tags",
        "supersede",
    ];
    let pairs = texts(before).into_iter().zip(texts(after));
    let all = NAMES
        .iter()
        .zip(pairs)
        .map(|(name, (before, after))| Change::new(name, before, after));
    differing(all.collect())
}

fn object(project: &project::Project) -> serde_json::Value {
    json!({
        "id": project.id.0,
        "linkname": project.linkname,
        "name": project.name,
        "list_id": project.list_id.as_str(),
        "list_email": project.list_email,
        "subject_match": project.subject_match,
        "web_url": project.web_url,
        "scm_url": project.scm_url,
        "webscm_url": project.webscm_url,
        "list_archive_url": project.list_archive_url,
        "list_archive_url_format": project.list_archive_url_format,
        "commit_url_format": project.commit_url_format,
        "send_notifications": project.send_notifications,
        "show_dependencies": project.show_dependencies,
        "use_tags": project.use_tags,
        "supersede": project.supersede,
    })
}
