//! `patchwork admin rule`: who gets new patches by the files they touch.

use anyhow::bail;
use clap::Subcommand;
use serde_json::json;

use super::Desk;
use crate::{
    domain::Project,
    ingest,
    store::{
        self,
        admin::member,
        audit::{Action, Change},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Rule {
    /// Add a rule, or change the one of this path
    Add {
        /// The project's name in URLs
        project: String,
        /// A shell pattern for file names: 'net/*'
        path: String,
        /// Who gets the patches
        user: String,
        /// Higher ones are asked first
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(-32768..=32767), allow_negative_numbers = true)]
        priority: i64,
    },
    /// Remove the rule of a path
    Remove {
        /// The project's name in URLs
        project: String,
        /// Its pattern
        path: String,
    },
    /// List the rules of a project, in the order they are asked
    List {
        /// The project's name in URLs
        project: String,
    },
    /// Say which rule fires for files, and who would get the patch
    Test {
        /// The project's name in URLs
        project: String,
        /// Names of files
        #[arg(required = true)]
        files: Vec<String>,
    },
}

impl Rule {
    pub(super) async fn run(self, desk: &mut Desk<'_>) -> anyhow::Result<()> {
        match self {
            Rule::Add {
                project,
                path,
                user,
                priority,
            } => add(desk, &project, &path, &user, priority).await,
            Rule::Remove { project, path } => remove(desk, &project, &path).await,
            Rule::List { project } => list(desk, &project).await,
            Rule::Test { project, files } => test(desk, &project, files).await,
        }
    }
}

async fn add(
    desk: &mut Desk<'_>,
    project: &str,
    path: &str,
    user: &str,
    priority: i64,
) -> anyhow::Result<()> {
    let project = desk.project(project).await?;
    let user = desk.user(user).await?;
    if path.is_empty() || path.chars().count() > member::MAX_PATH {
        bail!("a path has 1 to {} characters", member::MAX_PATH);
    }
    let before = member::rules(&mut desk.tx, project.id).await?;
    let wanted = member::Rule {
        path: path.to_owned(),
        account_id: user.id,
        priority,
    };
    let object = json!({"project": project.linkname, "path": path, "user": user.username, "priority": priority});
    if before.contains(&wanted) {
        desk.tell(format!("The rule for {path} is there already."), object);
        return Ok(());
    }
    let mut after: Vec<member::Rule> = before
        .iter()
        .filter(|rule| rule.path != path)
        .cloned()
        .collect();
    after.push(wanted);
    store(desk, &project, &before, &after).await?;
    let mut line = format!("{path} goes to {} now.", user.username);
    let maintained = member::maintained(&mut desk.tx, user.id).await?;
    if maintained.iter().all(|(id, _)| *id != project.id) {
        line.push_str(&format!(
            " {} does not maintain {}.",
            user.username, project.linkname
        ));
    }
    desk.tell(line, object);
    Ok(())
}

async fn remove(desk: &mut Desk<'_>, project: &str, path: &str) -> anyhow::Result<()> {
    let project = desk.project(project).await?;
    let before = member::rules(&mut desk.tx, project.id).await?;
    let after: Vec<member::Rule> = before
        .iter()
        .filter(|rule| rule.path != path)
        .cloned()
        .collect();
    let object =
        json!({"project": project.linkname, "path": path, "removed": before.len() > after.len()});
    if before.len() == after.len() {
        desk.tell(format!("There is no rule for {path}."), object);
        return Ok(());
    }
    store(desk, &project, &before, &after).await?;
    desk.tell(format!("Removed the rule for {path}."), object);
    Ok(())
}

async fn store(
    desk: &mut Desk<'_>,
    project: &Project,
    before: &[member::Rule],
    after: &[member::Rule],
) -> anyhow::Result<()> {
    member::set_rules(&mut desk.tx, project.id, after).await?;
    let change = Change::new(
        "Delegation rules",
        member::said(before),
        member::said(after),
    );
    let thing = ("patchwork.project", project.id, project.linkname.as_str());
    desk.log(Action::Changed, thing, &[change]).await
}

async fn list(desk: &mut Desk<'_>, project: &str) -> anyhow::Result<()> {
    let project = desk.project(project).await?;
    for rule in member::rules(&mut desk.tx, project.id).await? {
        let user = store::user::by_id(&mut desk.tx, rule.account_id).await?;
        let username = user.map(|user| user.username).unwrap_or_default();
        desk.list(
            format!("{:>6} {:<40} {username}", rule.priority, rule.path),
            json!({"project": project.linkname, "path": rule.path, "user": username, "priority": rule.priority}),
        );
    }
    Ok(())
}

async fn test(desk: &mut Desk<'_>, project: &str, files: Vec<String>) -> anyhow::Result<()> {
    let project = desk.project(project).await?;
    let rules = store::delegation::rules(&mut desk.tx, project.id).await?;
    for file in &files {
        let fires = ingest::rule_of(&rules, file);
        let user = match fires {
            Some(rule) => store::user::by_id(&mut desk.tx, rule.account_id).await?,
            None => None,
        };
        let (path, username) = (
            fires.map(|rule| rule.path.clone()),
            user.map(|user| user.username),
        );
        let line = match (&path, &username) {
            (Some(path), Some(username)) => format!("{file}: {path} gives it to {username}"),
            _ => format!("{file}: no rule"),
        };
        desk.list(line, json!({"file": file, "path": path, "user": username}));
    }
    let user = match ingest::delegate_of(&rules, files) {
        Some(user) => store::user::by_id(&mut desk.tx, user).await?,
        None => None,
    };
    let username = user.map(|user| user.username);
    let line = match &username {
        Some(username) => format!("The patch would go to {username}."),
        None => "The patch would go to nobody.".to_owned(),
    };
    desk.list(line, json!({"delegate": username}));
    Ok(())
}
