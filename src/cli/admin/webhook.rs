//! `patchwork admin webhook`: whom a project tells of its events by HTTP.

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use super::{Desk, yes};
use crate::{
    auth,
    cli::output,
    domain::{
        Project, WebhookId,
        event::Category,
        webhook::{SECRET, Webhook, is_target},
    },
    notify,
    store::{
        self,
        audit::{Action, Change},
        webhook::NewWebhook,
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Hook {
    /// Send a project's events to an address from now on; prints the secret that deliveries are signed with
    Add {
        /// The project's name in URLs
        project: String,
        /// Where events are sent: https://HOST/PATH
        url: String,
        /// Only events of this kind, such as series-completed; may be repeated
        #[arg(long = "event", value_name = "CATEGORY", value_parser = category)]
        events: Vec<Category>,
        /// A file with the secret; without it one is made
        #[arg(long, value_name = "FILE")]
        secret_file: Option<std::path::PathBuf>,
    },
    /// Switch a webhook on
    On {
        /// The project's name in URLs
        project: String,
        /// Its address
        url: String,
    },
    /// Switch a webhook off; what happens meanwhile is not sent later
    Off {
        /// The project's name in URLs
        project: String,
        /// Its address
        url: String,
    },
    /// Send a test event
    Test {
        /// The project's name in URLs
        project: String,
        /// Its address
        url: String,
    },
    /// Remove a webhook, with the log of its deliveries
    Remove {
        /// The project's name in URLs
        project: String,
        /// Its address
        url: String,
    },
    /// List the webhooks of a project
    List {
        /// The project's name in URLs
        project: String,
    },
}

fn category(word: &str) -> Result<Category, String> {
    Category::from_word(word).ok_or_else(|| {
        let known: Vec<&str> = Category::ALL.iter().map(|it| it.word()).collect();
        format!("no kind of event; there are {}", known.join(", "))
    })
}

impl Hook {
    pub(super) async fn run(self, desk: &mut Desk<'_>) -> anyhow::Result<()> {
        match self {
            Hook::Add {
                project,
                url,
                events,
                secret_file,
            } => {
                let secret = match secret_file {
                    Some(file) => std::fs::read_to_string(&file)
                        .with_context(|| format!("cannot read {}", file.display()))?
                        .trim()
                        .to_owned(),
                    None => auth::signing_secret()?,
                };
                add(desk, &project, &url, &events, &secret).await
            }
            Hook::On { project, url } => switch(desk, &project, &url, true).await,
            Hook::Off { project, url } => switch(desk, &project, &url, false).await,
            Hook::Test { project, url } => test(desk, &project, &url).await,
            Hook::Remove { project, url } => remove(desk, &project, &url).await,
            Hook::List { project } => list(desk, &project).await,
        }
    }
}

async fn add(
    desk: &mut Desk<'_>,
    project: &str,
    url: &str,
    events: &[Category],
    secret: &str,
) -> anyhow::Result<()> {
    let project = desk.project(project).await?;
    if !is_target(url) {
        bail!(
            "'{url}' is no address to send to; write https://HOST/PATH, without a name or password before the host"
        );
    }
    if !SECRET.contains(&secret.chars().count()) {
        bail!(
            "a secret has {} to {} characters",
            SECRET.start(),
            SECRET.end()
        );
    }
    if let Some(hook) = known(desk, &project, url).await? {
        desk.tell(format!("{url} is there already."), object(&project, &hook));
        return Ok(());
    }
    let new = NewWebhook {
        project: project.id,
        url,
        secret,
        categories: events,
        created: desk.now,
    };
    store::webhook::insert(&mut desk.tx, &new).await?;
    let (project, hook) = found(desk, &project.linkname, url).await?;
    let change = Change::new("Events", "", words(&hook));
    log(desk, Action::Added, &hook, &[change]).await?;
    let mut told = object(&project, &hook);
    told["secret"] = json!(secret);
    if notify::webhook::is_private(url) && !desk.settings.webhooks.allow_private {
        output::tell(&format!(
            "{url} is of a private network: nothing is sent there unless webhooks.allow_private is true"
        ));
    }
    // What was asked for, also by the quiet: nobody else can tell it to whoever checks the signatures.
    desk.list(secret.to_owned(), told);
    Ok(())
}

async fn switch(desk: &mut Desk<'_>, project: &str, url: &str, on: bool) -> anyhow::Result<()> {
    let (project, mut hook) = found(desk, project, url).await?;
    let (word, was) = (if on { "on" } else { "off" }, hook.is_active);
    if was == on {
        desk.tell(format!("{url} is {word} already."), object(&project, &hook));
        return Ok(());
    }
    store::webhook::switch(&mut desk.tx, hook.id, on).await?;
    hook.is_active = on;
    let change = Change::new("Send events", yes(was), yes(on));
    log(desk, Action::Changed, &hook, &[change]).await?;
    desk.tell(format!("{url} is {word} now."), object(&project, &hook));
    Ok(())
}

async fn test(desk: &mut Desk<'_>, project: &str, url: &str) -> anyhow::Result<()> {
    let (project, hook) = found(desk, project, url).await?;
    if !hook.is_active {
        bail!(
            "it is off; switch it on with: patchwork admin webhook on {} {url}",
            project.linkname
        );
    }
    let now = desk.now;
    store::webhook::insert_delivery(&mut desk.tx, hook.id, &notify::webhook::test(), now).await?;
    let change = Change::new("Test event", "", "sent");
    log(desk, Action::Changed, &hook, &[change]).await?;
    desk.tell(
        "A test event is queued: the server sends it in a moment, else patchwork cron; the console has what came of it.",
        object(&project, &hook),
    );
    Ok(())
}

async fn remove(desk: &mut Desk<'_>, project: &str, url: &str) -> anyhow::Result<()> {
    let owner = desk.project(project).await?;
    let Some(hook) = known(desk, &owner, url).await? else {
        let object = json!({"project": owner.linkname, "url": url, "removed": false});
        desk.tell(format!("There is no webhook {url}."), object);
        return Ok(());
    };
    store::webhook::delete(&mut desk.tx, hook.id).await?;
    log(desk, Action::Deleted, &hook, &[]).await?;
    let mut object = object(&owner, &hook);
    object["removed"] = json!(true);
    desk.tell(format!("Removed {url}."), object);
    Ok(())
}

async fn list(desk: &mut Desk<'_>, project: &str) -> anyhow::Result<()> {
    let project = desk.project(project).await?;
    for hook in store::webhook::of_project(&mut desk.tx, project.id).await? {
        let state = if hook.is_active { "on " } else { "off" };
        let line = format!("{state} {} {}", hook.url, words(&hook));
        desk.list(line, object(&project, &hook));
    }
    Ok(())
}

async fn known(
    desk: &mut Desk<'_>,
    project: &Project,
    url: &str,
) -> anyhow::Result<Option<Webhook>> {
    let all = store::webhook::of_project(&mut desk.tx, project.id).await?;
    Ok(all.into_iter().find(|hook| hook.url == url))
}

async fn found(
    desk: &mut Desk<'_>,
    project: &str,
    url: &str,
) -> anyhow::Result<(Project, Webhook)> {
    let project = desk.project(project).await?;
    match known(desk, &project, url).await? {
        Some(hook) => Ok((project, hook)),
        None => bail!(
            "{} has no webhook {url}; `patchwork admin webhook list {0}` has those there are",
            project.linkname
        ),
    }
}

/// Returns which events a webhook is told.
fn words(hook: &Webhook) -> String {
    let words: Vec<&str> = hook.categories.iter().map(|it| it.word()).collect();
    match words.is_empty() {
        true => "all events".to_owned(),
        false => words.join(" "),
    }
}

fn object(project: &Project, hook: &Webhook) -> Value {
    let words: Vec<&str> = hook.categories.iter().map(|it| it.word()).collect();
    json!({"project": project.linkname, "url": hook.url, "events": words, "active": hook.is_active})
}

async fn log(
    desk: &mut Desk<'_>,
    action: Action,
    hook: &Webhook,
    changes: &[Change],
) -> anyhow::Result<()> {
    let WebhookId(id) = hook.id;
    let thing = ("patchwork.webhook", id, hook.url.as_str());
    desk.log(action, thing, changes).await
}
