//! `patchwork ingest`: reads what is new in an archive that grows.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, atomic::AtomicU64},
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use indicatif::ProgressBar;

use super::{
    Common, Outcome,
    archive::Archive,
    block_on, database, long, parsearchive,
    parsemail::{intake, list_id},
    public_inbox::{Entry, Repository, Unread, repositories},
};
use crate::{
    config::Settings,
    domain::{ListId, Timestamp},
    ingest::{self, archive::Summary},
    store::{self, Db},
};

/// After how many mails is remembered how far a repository was read.
const STEP: usize = 4096;

/// Read what is new in an archive that grows
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  patchwork ingest public-inbox /srv/lore/tidepool
  patchwork ingest public-inbox --from start /srv/lore/tidepool")]
pub(super) struct Ingest {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, Subcommand)]
enum Source {
    /// Read the git repositories of public-inbox, both formats
    #[command(after_help = "\
What was read is remembered by commit for each repository, so the next run goes on from there; Ctrl-C does no harm. \
Commits that take mails away are passed over. An archive that was rewritten is read from its start; what is stored is \
left out. A mail that git cannot read ends the run, with 1, and the next one begins with it. The repository's own \
settings run no programs. `git` has to be installed, and has to trust the folder's owner.

Examples:
  patchwork ingest public-inbox /srv/lore/tidepool
  patchwork ingest public-inbox --list-id dev.tidepool.example.org tidepool.git
  patchwork ingest public-inbox --search-later /srv/lore/tidepool
  patchwork ingest public-inbox --from 1f7a2c9 /srv/lore/tidepool
  git -C /srv/lore/tidepool/git/0.git fetch &&
      patchwork ingest public-inbox /srv/lore/tidepool")]
    PublicInbox(PublicInbox),
}

#[derive(Debug, Args)]
struct PublicInbox {
    /// The list the mails came from, whatever their headers say
    #[arg(long, value_name = "ID")]
    list_id: Option<String>,
    /// Go on after this commit, whatever is remembered; `start` for everything
    #[arg(long, value_name = "COMMIT")]
    from: Option<String>,
    /// Load faster: leave it to the background to index these mails for the search
    #[arg(long)]
    search_later: bool,
    /// The archive: a folder with git/0.git, or a git repository
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Ingest {
    pub(super) fn run(self, common: &Common) -> Outcome {
        match self.source {
            Source::PublicInbox(args) => args.run(common),
        }
    }
}

impl PublicInbox {
    fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let settings = &loaded.settings;
        let repositories = self.repositories()?;
        let list = self.list_id.as_deref().map(list_id);
        let mut total = Summary::default();
        let options = ingest::Options {
            search_later: self.search_later,
            ..intake(settings)
        };
        let is_interrupted = block_on(async {
            let db = database::ready(settings).await?;
            let mut load = Load {
                db: &db,
                settings,
                options: &options,
                list: list.as_ref(),
                total: &mut total,
            };
            let done = load.all(&repositories, common).await;
            db.close().await;
            done
        })?;
        parsearchive::tell(common, &total, self.search_later)?;
        Ok(match is_interrupted {
            true => ExitCode::from(long::INTERRUPTED),
            false => ExitCode::SUCCESS,
        })
    }

    /// Returns the repositories, each with where to go on if that was said.
    fn repositories(&self) -> anyhow::Result<Vec<(Repository, Option<Begin>)>> {
        let all = repositories(&self.folder)?;
        let wanted = match self.from.as_deref() {
            None => return Ok(all.into_iter().map(|one| (one, None)).collect()),
            Some("start") => {
                return Ok(all
                    .into_iter()
                    .map(|one| (one, Some(Begin::Start)))
                    .collect());
            }
            Some(wanted) => wanted,
        };
        let found = all
            .iter()
            .enumerate()
            .find_map(|(place, one)| Some((place, one.commit(wanted)?)));
        let Some((place, commit)) = found else {
            bail!("there is no commit {wanted} in {}", self.folder.display());
        };
        // Later epochs follow whole.
        Ok(all
            .into_iter()
            .skip(place)
            .enumerate()
            .map(|(number, one)| match number {
                0 => (one, Some(Begin::After(commit.clone()))),
                _ => (one, Some(Begin::Start)),
            })
            .collect())
    }
}

/// Returns the last mail of which the whole commit was read.
fn last_read<'a>(part: &'a [Entry], unread: Option<&Entry>) -> Option<&'a Entry> {
    let Some(unread) = unread else {
        return part.last();
    };
    let place = part.iter().position(|entry| entry.commit == unread.commit);
    part[..place?].last()
}

/// Where to go on.
enum Begin {
    Start,
    After(String),
}

struct Load<'a> {
    db: &'a Db,
    settings: &'a Settings,
    options: &'a ingest::Options,
    list: Option<&'a ListId>,
    total: &'a mut Summary,
}

impl Load<'_> {
    /// Reads what is new in all repositories. Returns whether Ctrl-C ended it.
    async fn all(
        &mut self,
        repositories: &[(Repository, Option<Begin>)],
        common: &Common,
    ) -> anyhow::Result<bool> {
        for (repository, from) in repositories {
            if self.repository(repository, from.as_ref(), common).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads what is new in a repository. Returns whether Ctrl-C ended it.
    async fn repository(
        &mut self,
        repository: &Repository,
        from: Option<&Begin>,
        common: &Common,
    ) -> anyhow::Result<bool> {
        let name = repository.name();
        let after = match from {
            Some(Begin::Start) => None,
            Some(Begin::After(commit)) => Some(commit.clone()),
            None => self.remembered(repository, &name).await?,
        };
        let entries = repository.after(after.as_deref())?;
        let bar = long::bar(common, i64::try_from(entries.len()).unwrap_or_default());
        for part in entries.chunks(STEP) {
            let mails = repository.mails(part.to_vec())?;
            let unread = mails.unread.clone();
            if self.load(mails).await? {
                bar.finish_and_clear();
                return Ok(true);
            }
            // After its mails: a crash in between reads some of them again, and they are known.
            if let Some(last) = last_read(part, unread.get().map(|unread| &unread.entry)) {
                self.remember(&name, &last.commit).await?;
            }
            if let Some(Unread { entry, why }) = unread.get() {
                let Entry { commit, blob } = entry;
                bail!(
                    "git cannot read {blob} of commit {commit} in {name}: {why}; the next run goes on before it"
                );
            }
            bar.inc(part.len() as u64);
        }
        bar.finish_and_clear();
        Ok(false)
    }

    async fn remembered(
        &self,
        repository: &Repository,
        name: &str,
    ) -> anyhow::Result<Option<String>> {
        let mut conn = self.db.reader().await?;
        let commit = store::source::position(&mut conn, name).await?;
        let is_there = commit
            .as_deref()
            .is_none_or(|commit| repository.has(commit));
        if !is_there {
            tracing::warn!("{name} was rewritten; it is read from its start");
        }
        Ok(commit.filter(|_| is_there))
    }

    async fn remember(&self, name: &str, commit: &str) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        store::source::remember(&mut tx, name, commit, Timestamp::now()).await?;
        tx.commit()
            .await
            .with_context(|| database::named(self.settings))
    }

    async fn load(&mut self, mails: super::public_inbox::Mails) -> anyhow::Result<bool> {
        let archive = Archive {
            mails: Box::new(mails),
            size: None,
            read: Arc::new(AtomicU64::new(0)),
            end: Arc::default(),
        };
        let hidden = ProgressBar::hidden();
        let done = parsearchive::run(self.db, archive, self.list, self.options, &hidden).await;
        let (summary, is_interrupted) = done.with_context(|| database::named(self.settings))?;
        self.total.add(&summary);
        Ok(is_interrupted)
    }
}
