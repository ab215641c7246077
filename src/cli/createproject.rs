//! `patchwork createproject`: makes a project.

use std::process::ExitCode;

use anyhow::bail;
use clap::{ArgAction, Args};

use super::{Common, Outcome, block_on, database, output};
use crate::{
    domain::{
        ListId, ProjectId,
        project::{self, Project},
    },
    store,
};

/// Make a project
#[derive(Debug, Args)]
#[command(after_help = "\
Mails find their project by the List-Id header. Several projects may share a list if --subject-match tells them apart.

Examples:
  patchwork createproject tidepool --name Tidepool \\
      --list-id dev.tidepool.example.org --list-email dev@tidepool.example.org
  patchwork createproject ovl --name Overlayfs --subject-match '\\bovl\\b' \\
      --list-id fs.example.org --list-email fs@example.org \\
      --list-archive-url-format 'https://lore.example.org/fs/{}'")]
pub(super) struct Createproject {
    /// The name in URLs: letters, digits, '-' and '_'
    linkname: String,
    /// The name people see
    #[arg(long)]
    name: String,
    /// The list's id, as its List-Id header has it
    #[arg(long, value_name = "ID")]
    list_id: String,
    /// The list's address
    #[arg(long, value_name = "ADDRESS")]
    list_email: String,
    /// A regular expression that subjects must match when several projects share a list
    #[arg(long, value_name = "REGEX", default_value = "")]
    subject_match: String,
    /// The project's website
    #[arg(long, value_name = "URL", default_value = "")]
    web_url: String,
    /// Where to clone from
    #[arg(long, value_name = "URL", default_value = "")]
    scm_url: String,
    /// Where to browse the source
    #[arg(long, value_name = "URL", default_value = "")]
    webscm_url: String,
    /// The list's archive
    #[arg(long, value_name = "URL", default_value = "")]
    list_archive_url: String,
    /// The address of one mail in the archive; {} stands for the message id
    #[arg(long, value_name = "URL", default_value = "")]
    list_archive_url_format: String,
    /// The address of one commit; {} stands for its id
    #[arg(long, value_name = "URL", default_value = "")]
    commit_url_format: String,
    /// Tell submitters of state changes
    #[arg(long)]
    send_notifications: bool,
    /// Show which series depend on which
    #[arg(long)]
    show_dependencies: bool,
    /// Make older revisions superseded when a complete newer one arrives
    #[arg(long)]
    supersede: bool,
    /// Whether to count trailers such as Reviewed-by
    #[arg(long, value_name = "true|false", default_value_t = true, action = ArgAction::Set)]
    use_tags: bool,
}

impl Createproject {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let project = self.project();
        let faults = project::faults(&project);
        if !faults.is_empty() {
            bail!("{}", faults.join("; "));
        }
        block_on(async {
            let db = database::ready(&loaded.settings).await?;
            let mut tx = db.begin().await?;
            match store::project::insert(&mut tx, &project).await {
                Ok(_) => tx.commit().await?,
                Err(error) if error.is_duplicate() => bail!(
                    "there is a project with the linkname '{}', the name '{}', or this list and subject match",
                    project.linkname,
                    project.name
                ),
                Err(error) => return Err(error.into()),
            }
            db.close().await;
            if !common.is_quiet() {
                output::say(&format!("Made the project {}.", project.linkname))?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }

    /// Returns the project that the arguments describe.
    pub(super) fn project(self) -> Project {
        // Headers show the id in angle brackets, and so people paste it.
        let list_id = self.list_id.trim().trim_matches(['<', '>']);
        Project {
            id: ProjectId(0),
            linkname: self.linkname,
            name: self.name,
            list_id: ListId::new(list_id),
            list_email: self.list_email,
            subject_match: self.subject_match,
            web_url: self.web_url,
            scm_url: self.scm_url,
            webscm_url: self.webscm_url,
            list_archive_url: self.list_archive_url,
            list_archive_url_format: self.list_archive_url_format,
            commit_url_format: self.commit_url_format,
            send_notifications: self.send_notifications,
            show_dependencies: self.show_dependencies,
            use_tags: self.use_tags,
            supersede: self.supersede,
        }
    }
}
