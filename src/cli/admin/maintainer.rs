//! `patchwork admin maintainer`: who maintains a project.

use clap::Subcommand;
use serde_json::json;

use super::Desk;
use crate::store::{
    self,
    admin::member,
    audit::{Action, Change},
};

#[derive(Debug, Subcommand)]
pub(super) enum Maintainer {
    /// Let a user maintain a project
    Add {
        /// The project's name in URLs
        project: String,
        /// The user's login name
        user: String,
    },
    /// Let a user maintain a project no more
    Remove {
        /// The project's name in URLs
        project: String,
        /// The user's login name
        user: String,
    },
    /// List who maintains a project
    List {
        /// The project's name in URLs
        project: String,
    },
}

impl Maintainer {
    pub(super) async fn run(self, desk: &mut Desk<'_>) -> anyhow::Result<()> {
        match self {
            Maintainer::Add { project, user } => switch(desk, &project, &user, true).await,
            Maintainer::Remove { project, user } => switch(desk, &project, &user, false).await,
            Maintainer::List { project } => list(desk, &project).await,
        }
    }
}

async fn switch(desk: &mut Desk<'_>, project: &str, user: &str, is_on: bool) -> anyhow::Result<()> {
    let project = desk.project(project).await?;
    let user = desk.user(user).await?;
    let maintained = member::maintained(&mut desk.tx, user.id).await?;
    let is_so = maintained.iter().any(|(id, _)| *id == project.id);
    let object = json!({"project": project.linkname, "user": user.username, "maintains": is_on});
    if is_so == is_on {
        desk.tell("It is so already.", object);
        return Ok(());
    }
    let linkname = project.linkname.as_str();
    let (before, after) = match is_on {
        true => {
            store::user::add_maintainer(&mut desk.tx, user.id, project.id).await?;
            ("", linkname)
        }
        false => {
            member::remove_maintainer(&mut desk.tx, user.id, project.id).await?;
            (linkname, "")
        }
    };
    let change = Change::new("Maintainer of", before, after);
    let thing = ("auth.user", user.id, user.username.as_str());
    desk.log(Action::Changed, thing, &[change]).await?;
    let word = if is_on {
        "maintains"
    } else {
        "does not maintain"
    };
    desk.tell(format!("{} {word} {linkname} now.", user.username), object);
    Ok(())
}

async fn list(desk: &mut Desk<'_>, project: &str) -> anyhow::Result<()> {
    let project = desk.project(project).await?;
    let candidates = member::candidates(&mut desk.tx, project.id).await?;
    for one in candidates.into_iter().filter(|one| one.maintains) {
        let object = json!({"project": project.linkname, "user": one.username});
        desk.list(one.username, object);
    }
    Ok(())
}
