//! `patchwork check`: looks for mistakes in the settings and the database.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::Args;

use super::{Common, Outcome, block_on, database, deploy, output, serve};
use crate::{
    config::{Loaded, Settings},
    domain::{
        pattern,
        site::{SAMPLE_DOMAIN, is_at},
        state,
    },
    ingest::spool,
    notify,
    store::{self, Conn, Db, migrate::Status},
};

/// Look for mistakes in the settings and the database
#[derive(Debug, Args)]
#[command(after_help = "\
Prints what it finds; exits 1 if something has to be repaired.

Example:
  patchwork check && systemctl restart patchwork
  patchwork check --deploy --url https://patchwork.example.com/")]
pub(super) struct Check {
    /// Ask the site from outside, too, and see what its front server lets through
    #[arg(long)]
    deploy: bool,
    /// Where the site is asked [default: site.url]
    #[arg(long, value_name = "URL", requires = "deploy")]
    url: Option<String>,
    /// Certificates to trust in place of the public ones, for --url
    #[arg(long, value_name = "FILE", requires = "deploy")]
    cacert: Option<PathBuf>,
}

/// Something found.
pub(super) enum Finding {
    /// It was looked at and is well.
    Fine(String),
    /// It has to be repaired.
    Error(String),
    /// It may be wanted.
    Warning(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Fine(text) => write!(f, "ok: {text}"),
            Finding::Error(text) => write!(f, "error: {text}"),
            Finding::Warning(text) => write!(f, "warning: {text}"),
        }
    }
}

use Finding::{Error, Warning};

impl Check {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let mut findings = settings(&loaded);
        findings.extend(block_on(async {
            Ok(database_findings(&loaded.settings)
                .await
                .unwrap_or_else(|error| vec![Error(output::sentence(&error))]))
        })?);
        if self.deploy {
            findings.extend(self.outside(&loaded.settings));
        }
        let errors = findings
            .iter()
            .filter(|finding| matches!(finding, Error(_)))
            .count();
        for finding in &findings {
            output::say(&finding.to_string())?;
        }
        if findings.is_empty() && !common.is_quiet() {
            output::say("No mistakes found.")?;
        }
        Ok(match errors {
            0 => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        })
    }
}

impl Check {
    fn outside(&self, settings: &Settings) -> Vec<Finding> {
        let url = self.url.clone().or_else(|| settings.site_url());
        let Some(url) = url else {
            return vec![Warning(
                "the site was not asked from outside: name its address by --url, or set site.url"
                    .to_owned(),
            )];
        };
        let asked = deploy::findings(settings, &url, self.cacert.as_deref());
        block_on(asked).unwrap_or_else(|error| vec![Error(output::sentence(&error))])
    }
}

fn settings(loaded: &Loaded) -> Vec<Finding> {
    let mut findings: Vec<Finding> = loaded
        .entries()
        .into_iter()
        .filter(|entry| is_variable(&entry.value))
        .map(|entry| {
            Error(format!(
                "{} is '{}': a settings file knows no shell variables, write the value itself",
                entry.key, entry.value
            ))
        })
        .collect();
    let settings = &loaded.settings;
    if let Err(error) = notify::Mailer::new(&settings.mail) {
        findings.push(Error(error.to_string()));
    }
    if let Err(error) = serve::trusted(settings) {
        findings.push(Error(output::sentence(&error)));
    }
    if settings.mail.from.contains("@patchwork.example.com") {
        findings.push(Warning(
            "mail.from is an address at example.com; mail from it will be refused".to_owned(),
        ));
    }
    if settings.site.secret_key.is_empty() {
        findings.push(Warning(
            "site.secret_key is empty; `patchwork secret-key` prints a value for it".to_owned(),
        ));
    }
    if let Some(folder) = settings.spool()
        && let Err(error) = spool::try_writing(folder)
    {
        let (spool, folder) = (folder, folder.display());
        findings.push(match error.kind() {
            io::ErrorKind::NotFound if spool.parent().is_some_and(Path::exists) => Warning(format!(
                "mail.intake.spool: {folder} is not there; make it for the user who delivers mail: \
                 install -d -o USER -m 750 {folder}"
            )),
            _ => Error(format!(
                "mail.intake.spool: {folder} cannot be written: {error}"
            )),
        });
    }
    if std::env::var_os("DJANGO_SETTINGS_MODULE").is_some() {
        findings.push(Warning(
            "DJANGO_SETTINGS_MODULE is ignored; name the settings file by --config or PATCHWORK_CONFIG"
                .to_owned(),
        ));
    }
    findings
}

/// Says whether a text looks like `$NAME` or `${NAME}`.
fn is_variable(text: &str) -> bool {
    let name = text
        .strip_prefix('$')
        .map(|rest| rest.trim_start_matches('{').trim_end_matches('}'));
    name.is_some_and(|name| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
    })
}

async fn database_findings(settings: &Settings) -> anyhow::Result<Vec<Finding>> {
    database::is_there(settings)?;
    let db = database::open(settings).await?;
    let mut conn = database::reader(&db, settings).await?;
    let encoding = store::health::encoding(&mut conn).await?;
    if encoding.replace('-', "") != "UTF8" {
        return Ok(vec![Error(format!(
            "the database keeps text as {encoding}; it must be UTF8"
        ))]);
    }
    match store::migrate::status(&mut conn).await? {
        Status::Current => {
            db.try_writing()
                .await
                .with_context(|| database::named(settings))?;
            let mut findings = rows(&mut conn, settings).await?;
            findings.extend(standby(settings).await);
            Ok(findings)
        }
        Status::Behind(missing) => Ok(vec![Error(format!(
            "the database lacks {missing} migrations: run `patchwork migrate`"
        ))]),
        Status::Ahead => Err(store::migrate::ahead().into()),
    }
}

/// Looks at the standby, if one is named. Without it the site goes on.
async fn standby(settings: &Settings) -> Option<Finding> {
    let url = settings.database.replica_url.as_str();
    let limit = Duration::from_secs(settings.database.connect_timeout);
    if url.is_empty() {
        return None;
    }
    let looked = async {
        Db::probe(url, limit).await?;
        let db = Db::open(
            url,
            &store::Options {
                timeout: limit,
                ..store::Options::default()
            },
        )?;
        store::standby::is_standby(&db).await
    };
    match looked.await {
        Ok(true) => None,
        Ok(false) => Some(Error(
            "database.replica_url is no standby: it takes writes itself".to_owned(),
        )),
        Err(error) => Some(Warning(format!(
            "database.replica_url: {error}; until it answers, the database answers everybody"
        ))),
    }
}

async fn rows(conn: &mut Conn, settings: &Settings) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    if state::initial(&store::state::all(conn).await?).is_none() {
        findings.push(Error(
            "no state has ordering 0, so no patch can be stored: run `patchwork loaddata default_states`"
                .to_owned(),
        ));
    }
    for (owner, text) in store::health::patterns(conn).await? {
        if let Err(fault) = pattern::compile(&text) {
            findings.push(Error(format!(
                "{owner}: '{text}' is no regular expression: {fault}"
            )));
        }
    }
    if store::project::all(conn).await?.is_empty() {
        findings.push(Warning(
            "there is no project yet: `patchwork createproject` makes one".to_owned(),
        ));
    }
    let aside = store::quarantine::count(conn).await?;
    if aside > 0 {
        findings.push(Warning(format!(
            "{aside} mails are in quarantine: see `patchwork quarantine list`"
        )));
    }
    let domain = store::health::site_domain(conn).await?;
    let known = domain.as_deref().filter(|domain| *domain != SAMPLE_DOMAIN);
    if let (Some(url), Some(domain)) = (settings.site_url(), known)
        && !is_at(&url, domain)
    {
        findings.push(Warning(format!(
            "site.url is {url}, but the site's domain in the database is {domain}: links follow site.url"
        )));
    }
    if settings.site.url.is_empty() && domain.is_none_or(|domain| domain == SAMPLE_DOMAIN) {
        findings.push(Warning(
            "the site's address is not set: links in mails will be wrong until site.url is, or `patchwork admin site set --domain HOST` was run"
                .to_owned(),
        ));
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_variables_are_recognised() {
        assert!(is_variable("$PW_DB_NAME") && is_variable("${HOST}"));
        assert!(!is_variable("$argon2id$") && !is_variable("a$B") && !is_variable("$"));
    }
}
