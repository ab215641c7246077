//! `patchwork demo`: a site with a sample list, to look around. Loading it again changes nothing.

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    sync::Arc,
};

use anyhow::{Context, bail};
use clap::Args;
use indicatif::ProgressBar;
use serde::Deserialize;

use super::{
    Common, Outcome, account::Account, archive::Archive, block_on, database, output, parsearchive,
    parsemail::intake, serve,
};
use crate::{
    config::{Given, Settings, masked},
    domain::{
        ListId, MessageId, Project, ProjectId, Timestamp, UserId,
        check::CheckState,
        review::{self, Subject},
    },
    mail::mbox::Splitter,
    store::{self, Conn, Db, fixture},
};

const MAILS: &[u8] = include_bytes!("../../lib/sample/tidepool.mbox");
const CHECKS: &str = include_str!("../../lib/sample/checks.json");
const LINKNAME: &str = "tidepool";

/// The accounts, all with the same password unless PATCHWORK_PASSWORD says another.
const PASSWORD: &str = "low-tide-at-noon";
const ADMIN: &str = "admin";
const MAINTAINERS: &[&str] = &["mara", "tobias"];
/// Who reports the sample's checks.
const CI: &str = "ci";

/// Who has promised a review, and of which series: the one this mail begins.
const REVIEWER: &str = "mara";
const REVIEWED: &str = "<20261110100221.80478-1-aicha@example.org>";

/// Serve a site with a sample list
#[derive(Debug, Args)]
#[command(after_help = "\
The database is a file in the folder, never the one the settings name, unless --database says so. It listens on this \
machine only. Everything in the sample is invented.

Examples:
  patchwork demo
  patchwork demo --no-serve --directory /tmp/tidepool")]
pub(super) struct Demo {
    /// The folder for the database; made if missing
    #[arg(long, value_name = "DIR", default_value = "patchwork-demo")]
    directory: PathBuf,
    /// Load the sample and end
    #[arg(long)]
    no_serve: bool,
    /// The port to serve on
    #[arg(long, default_value_t = 8000)]
    port: u16,
}

/// One line of checks.json.
#[derive(Debug, Deserialize)]
struct SampleCheck {
    message_id: String,
    context: String,
    state: String,
    description: String,
    url: String,
}

impl Demo {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(self.given(common)?)?;
        let settings = &loaded.settings;
        if !self.no_serve {
            serve::free(settings)?;
            let loaded = load_apart()?;
            if loaded != ExitCode::SUCCESS {
                return Ok(loaded);
            }
            serve::http(settings, common, None)?;
            return Ok(ExitCode::SUCCESS);
        }
        serve::prepare(settings)?;
        let is_new = block_on(load(settings))?;
        if !common.is_quiet() {
            self.tell(settings, is_new)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Settings of a demo: its own file, and nobody else's door.
    fn given(&self, common: &Common) -> anyhow::Result<Vec<Given>> {
        let one = |key: &str, value: String| Given {
            option: "demo",
            key: key.to_owned(),
            value,
        };
        let mut given = vec![
            one("server.address", "127.0.0.1".to_owned()),
            one("server.port", self.port.to_string()),
            one("server.url_prefix", String::new()),
            one("site.url", String::new()),
            one("api.xmlrpc", "true".to_owned()),
            one("mail.backend", "console".to_owned()),
        ];
        if common.database.is_none() {
            fs::create_dir_all(&self.directory)
                .with_context(|| format!("cannot make the folder {}", self.directory.display()))?;
            let file = self.directory.join("patchwork.db");
            given.push(one("database.url", format!("sqlite:{}", file.display())));
        }
        Ok(given)
    }

    fn tell(&self, settings: &Settings, is_new: bool) -> anyhow::Result<()> {
        let what = match is_new {
            true => "Made",
            false => "Found",
        };
        output::say(&format!(
            "{what} the demo in {}.",
            database::named(settings)
        ))?;
        output::say(&format!(
            "Users: {ADMIN} (superuser), {} (maintainers); the password of each is {}.",
            MAINTAINERS.join(" and "),
            match std::env::var_os("PATCHWORK_PASSWORD") {
                Some(_) => "what PATCHWORK_PASSWORD said when the demo was made",
                None => PASSWORD,
            }
        ))?;
        let url = masked(&settings.database.url);
        let (database, hint) = match settings.database_file() {
            Some(file) => (format!(" --database 'sqlite:{}'", file.display()), ""),
            None if url == settings.database.url => (format!(" --database '{url}'"), ""),
            // A password does not belong into lines that get copied.
            None => (String::new(), ", with the same --database"),
        };
        output::say(&format!(
            "To see your own list, make its project and load its archive{hint}:"
        ))?;
        output::say(&format!(
            "  patchwork createproject NAME --name 'NAME' --list-id LIST-ID --list-email ADDRESS{database}"
        ))?;
        output::say(&format!("  patchwork parsearchive ARCHIVE.mbox{database}"))?;
        Ok(())
    }
}

/// Loads the sample in a process of its own: what loading takes, the site would keep for ever.
fn load_apart() -> anyhow::Result<ExitCode> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let status = Command::new(program)
        .args(std::env::args_os().skip(1))
        .arg("--no-serve")
        .stdin(Stdio::null())
        .status()
        .context("cannot start this program again")?;
    Ok(match status.code().map(u8::try_from) {
        Some(Ok(code)) => ExitCode::from(code),
        _ => ExitCode::FAILURE,
    })
}

/// Loads the sample; what is there already stays. Says whether the demo is new.
async fn load(settings: &Settings) -> anyhow::Result<bool> {
    let db = database::open(settings).await?;
    let is_new = make(&db, settings).await?;
    let mails = Splitter::new(MAILS, MAILS.len());
    let archive = Archive {
        mails: Box::new(mails.map(|mail| mail.map_err(|error| error.to_string()))),
        size: None,
        read: Arc::default(),
        end: Arc::default(),
    };
    let bar = ProgressBar::hidden();
    parsearchive::run(&db, archive, None, &intake(settings), &bar).await?;
    checks(&db).await?;
    if is_new {
        promise(&db).await?;
    }
    db.close().await;
    Ok(is_new)
}

/// Makes project and accounts, all or none. Never beside projects that are not ours: the passwords are known.
async fn make(db: &Db, settings: &Settings) -> anyhow::Result<bool> {
    let mut tx = db.begin().await?;
    let projects = store::project::all(&mut tx).await?;
    // Somebody's own list may have been loaded beside the sample; then there is nothing to make.
    match projects.first() {
        _ if projects.iter().any(|project| project.linkname == LINKNAME) => return Ok(false),
        Some(other) => bail!(
            "{} has the project {}; the demo makes accounts with a known password and goes into a database of its own",
            database::named(settings),
            other.linkname
        ),
        None => {}
    }
    let project = store::project::insert(&mut tx, &tidepool()).await?;
    let password = std::env::var("PATCHWORK_PASSWORD").unwrap_or_else(|_| PASSWORD.to_owned());
    let now = Timestamp::now();
    for name in [ADMIN, CI].iter().chain(MAINTAINERS) {
        let account = Account::new(name, &format!("{name}@example.org"), *name == ADMIN)?;
        let user = account.insert(&mut tx, settings, &password, now).await?;
        if *name != CI {
            store::user::add_maintainer(&mut tx, user, project).await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

fn tidepool() -> Project {
    Project {
        id: ProjectId(0),
        linkname: LINKNAME.to_owned(),
        name: "Tidepool".to_owned(),
        list_id: ListId::new("tidepool.lists.example.org"),
        list_email: "tidepool@lists.example.org".to_owned(),
        subject_match: String::new(),
        web_url: "https://tidepool.example.org/".to_owned(),
        scm_url: "https://git.example.org/tidepool.git".to_owned(),
        webscm_url: "https://git.example.org/tidepool/".to_owned(),
        list_archive_url: "https://lists.example.org/tidepool/".to_owned(),
        list_archive_url_format: "https://lists.example.org/tidepool/{}/".to_owned(),
        commit_url_format: "https://git.example.org/tidepool/commit/?id={}".to_owned(),
        send_notifications: false,
        show_dependencies: true,
        use_tags: true,
        supersede: false,
    }
}

async fn checks(db: &Db) -> anyhow::Result<()> {
    let checks: Vec<SampleCheck> = serde_json::from_str(CHECKS).context("the sample's checks")?;
    let mut tx = db.begin().await?;
    let (Some(ci), Some(project)) = (
        store::user::by_username(&mut tx, CI).await?,
        store::project::by_linkname(&mut tx, LINKNAME).await?,
    ) else {
        return Ok(());
    };
    for check in &checks {
        put_check(&mut tx, project.id, ci.id, check).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Has a maintainer promise to review a series.
async fn promise(db: &Db) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    let (Some(user), Some(project)) = (
        store::user::by_username(&mut tx, REVIEWER).await?,
        store::project::by_linkname(&mut tx, LINKNAME).await?,
    ) else {
        return Ok(());
    };
    let mails = [MessageId::new(REVIEWED)];
    let found = store::series::by_references(&mut tx, project.id, &mails).await?;
    if let Some(claim) = found.into_iter().find(|claim| claim.distance == 0) {
        let (subject, now) = (Subject::Series(claim.series.id), Timestamp::now());
        let ends = now.plus_minutes(review::USUAL * 24 * 60);
        store::review::insert(&mut tx, subject, user.id, now, ends).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn put_check(
    conn: &mut Conn,
    project: ProjectId,
    user: UserId,
    sample: &SampleCheck,
) -> anyhow::Result<()> {
    let Some(state) = CheckState::from_word(&sample.state) else {
        bail!("the sample's checks: '{}' is no result", sample.state);
    };
    let check = fixture::SampleCheck {
        msgid: &MessageId::new(&sample.message_id),
        state,
        context: &sample.context,
        target_url: &sample.url,
        description: &sample.description,
    };
    fixture::check(conn, project, user, &check).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_sound() {
        let mails = Splitter::new(MAILS, MAILS.len()).filter(Result::is_ok);
        assert_eq!(mails.count(), 159);
        let checks: Vec<SampleCheck> = serde_json::from_str(CHECKS).expect("JSON");
        assert!(!checks.is_empty());
        assert!(crate::domain::project::faults(&tidepool()).is_empty());
    }
}
