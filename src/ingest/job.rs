//! Long work in the background (`admin.md §4`, jobs): what is known of all patches is found out anew, a page at a time.
//!
//! Each step is a transaction that also says how far the job is, so it can end at any moment and go on anywhere: the
//! server runs [`serve`], `patchwork cron` runs [`work`], and the claim in the database keeps them apart.

use std::time::{Duration, Instant};

use tokio::time;

use super::{Options, delegate_of, reread, revision};
use crate::{
    domain::{
        PatchId, ProjectId, SeriesId, Timestamp,
        change::{Actor, PatchChange},
        tag::Counter,
    },
    mail::{self, diff_hash},
    store::{
        self, Db, Tx,
        job::{self, Claimed},
        patch::walk,
    },
};

/// How often the database is asked for a job.
const PAUSE: Duration = Duration::from_secs(5);

/// How many events are deleted in a step.
const EVENTS: i64 = 500;

/// What can be done in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Count the tags of all patches.
    Retag,
    /// Hash all diffs.
    Rehash,
    /// Read the mails of all patches again.
    Reparse,
    /// Delete events older than so many days.
    Prune,
    /// Apply a project's delegation rules to open patches that nobody has.
    Rules,
    /// Find out which series are revisions of which.
    Relink,
    /// Index all mails.
    Reindex,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 7] = [
        Kind::Retag,
        Kind::Rehash,
        Kind::Reparse,
        Kind::Prune,
        Kind::Rules,
        Kind::Relink,
        Kind::Reindex,
    ];

    /// Returns the word under which it is kept.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Retag => "retag",
            Kind::Rehash => "rehash",
            Kind::Reparse => "reparse",
            Kind::Prune => "prune",
            Kind::Rules => "rules",
            Kind::Relink => "relink",
            Kind::Reindex => "reindex",
        }
    }

    /// Returns the kind that is kept under a word.
    pub fn from_word(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Works on jobs while the site is served, for ever.
pub async fn serve(db: Db, options: Options) {
    loop {
        if let Err(error) = work(&db, &options, None).await {
            tracing::error!("a job could not go on: {error}");
        }
        time::sleep(PAUSE).await;
    }
}

/// Works on all jobs that nobody works on, or for so long. What is not finished then waits for the next one.
///
/// # Errors
/// When the database is away.
pub async fn work(db: &Db, options: &Options, limit: Option<Duration>) -> store::Result<()> {
    let begun = Instant::now();
    let is_over = || limit.is_some_and(|limit| begun.elapsed() >= limit);
    settle(db, is_over).await?;
    while !is_over() && job::is_waiting(&mut db.reader().await?, Timestamp::now()).await? {
        let mut tx = db.begin().await?;
        let claimed = job::claim(&mut tx, Timestamp::now()).await?;
        tx.commit().await?;
        let Some(mut claimed) = claimed else {
            return Ok(());
        };
        loop {
            if is_over() {
                let mut tx = db.begin().await?;
                job::let_go(&mut tx, &claimed).await?;
                return tx.commit().await;
            }
            if !step(db, options, &mut claimed).await? {
                break;
            }
        }
    }
    Ok(())
}

/// Does one step. Says whether there is more to do.
async fn step(db: &Db, options: &Options, claimed: &mut Claimed) -> store::Result<bool> {
    let mut after = claimed.clone();
    let tries =
        store::patience::patiently(Duration::from_secs(60), store::Error::is_contention, || {
            one(db, options, claimed.clone())
        });
    match tries.await {
        Ok(Step::More(moved)) => {
            *claimed = *moved;
            Ok(true)
        }
        Ok(Step::Ended | Step::Lost) => Ok(false),
        Err(error) => {
            after.log.push_str(&format!("after {}: ", after.position));
            let mut tx = db.begin().await?;
            job::end(&mut tx, &after, Some(&error.to_string()), Timestamp::now()).await?;
            tx.commit().await?;
            Ok(false)
        }
    }
}

/// How a step ended.
enum Step {
    /// There is more to do.
    More(Box<Claimed>),
    /// That was all.
    Ended,
    /// The job was stopped, or somebody else has it.
    Lost,
}

async fn one(db: &Db, options: &Options, mut job: Claimed) -> store::Result<Step> {
    let mut tx = db.begin().await?;
    let Some(kind) = Kind::from_word(&job.kind) else {
        job::end(
            &mut tx,
            &job,
            Some("There is no such job."),
            Timestamp::now(),
        )
        .await?;
        tx.commit().await?;
        return Ok(Step::Ended);
    };
    let before = job.position;
    let goal = match kind {
        Kind::Prune => store::event::last_id(&mut tx).await?,
        Kind::Relink => store::revision::last_series(&mut tx).await?.0,
        Kind::Reindex => job.position + store::search::left(&mut tx).await?,
        _ => walk::last_id(&mut tx).await?.0,
    };
    let reached = match kind {
        Kind::Retag => retag(&mut tx, &mut job).await?,
        Kind::Rehash => rehash(&mut tx, &mut job).await?,
        Kind::Reparse => reparse(&mut tx, &mut job, options).await?,
        Kind::Prune => prune(&mut tx, &mut job).await?,
        Kind::Rules => rules(&mut tx, &mut job).await?,
        Kind::Relink => {
            let after = SeriesId(job.position);
            let last = revision::relink(&mut tx, after, Timestamp::now()).await?;
            last.map(|id| id.0)
        }
        Kind::Reindex => reindex(&mut tx, &mut job).await?,
    };
    let now = Timestamp::now();
    let is_ours = match reached {
        Some(position) => {
            job.position = position.max(before);
            job::moved(&mut tx, &job, goal, now).await?
        }
        None => {
            job.position = goal.max(before);
            job::moved(&mut tx, &job, goal, now).await?
                && job::end(&mut tx, &job, None, now).await?
        }
    };
    if !is_ours {
        // Dropped, the step is undone.
        return Ok(Step::Lost);
    }
    tx.commit().await?;
    Ok(match reached {
        Some(_) => Step::More(Box::new(job)),
        None => Step::Ended,
    })
}

async fn retag(tx: &mut Tx, job: &mut Claimed) -> store::Result<Option<i64>> {
    let ids = walk::ids(tx, PatchId(job.position), &[]).await?;
    if !ids.is_empty() {
        let counter = Counter::new(&store::tag::all(tx).await?);
        store::tag::recount(tx, &counter, &ids).await?;
        job.changed += ids.len() as i64;
    }
    Ok(ids.last().map(|id| id.0))
}

async fn rehash(tx: &mut Tx, job: &mut Claimed) -> store::Result<Option<i64>> {
    let patches = walk::diffs(tx, PatchId(job.position), &[]).await?;
    for patch in &patches {
        let right = patch.diff.as_deref().map(diff_hash);
        if patch.hash != right {
            walk::set_hash(tx, patch.id, right.as_ref()).await?;
            told(job, &format!("patch {}: hashed anew", patch.id));
        }
    }
    Ok(patches.last().map(|patch| patch.id.0))
}

async fn reparse(tx: &mut Tx, job: &mut Claimed, options: &Options) -> store::Result<Option<i64>> {
    let ids = walk::ids(tx, PatchId(job.position), &[]).await?;
    for id in &ids {
        let differences = match reread::of(tx, *id, options).await? {
            Ok(reread) => {
                let differences = reread.differences();
                reread::apply(tx, &reread).await?;
                differences
            }
            Err(reread::Unread::NoMail) => continue,
            Err(reread::Unread::Unfit(why)) => {
                told(job, &format!("patch {id}: {why}"));
                continue;
            }
        };
        if !differences.is_empty() {
            let fields: Vec<&str> = differences.iter().map(|one| one.field).collect();
            told(job, &format!("patch {id}: {}", fields.join(", ")));
        }
    }
    Ok(ids.last().map(|id| id.0))
}

async fn prune(tx: &mut Tx, job: &mut Claimed) -> store::Result<Option<i64>> {
    let days: i64 = job.argument.parse().unwrap_or(i64::from(u16::MAX));
    let before = Timestamp::now().plus_minutes(-days * 24 * 60);
    let (last, count) = store::event::prune(tx, before, EVENTS).await?;
    job.changed += count;
    Ok(last.map(|id| id.0))
}

/// Gives open patches that nobody has to whom the rules say, a page by id.
async fn rules(tx: &mut Tx, job: &mut Claimed) -> store::Result<Option<i64>> {
    let project = ProjectId(job.argument.parse().unwrap_or_default());
    let rules = store::delegation::rules(tx, project).await?;
    let idle = store::delegation::idle_after(tx, project, PatchId(job.position)).await?;
    let by = Actor {
        user: job.user,
        at: Timestamp::now(),
    };
    for (patch, diff) in &idle {
        let Some(user) = delegate_of(&rules, mail::files::files(diff)) else {
            continue;
        };
        let change = PatchChange {
            delegate: Some(Some(user)),
            ..PatchChange::default()
        };
        store::patch::change::apply(tx, &[*patch], &change, &by).await?;
        job.changed += 1;
    }
    Ok(idle.last().map(|(patch, _)| patch.0))
}

/// Goes on indexing what was there before there was an index. Its own state says how far that is: who asks when all is
/// indexed has it done anew.
async fn reindex(tx: &mut Tx, job: &mut Claimed) -> store::Result<Option<i64>> {
    let before = store::search::left(tx).await?;
    if before == 0 && job.position == 0 {
        store::search::begin_anew(tx).await?;
        // Nothing to index is nothing to do.
        let all = store::search::left(tx).await?;
        return Ok((all > 0).then_some(1));
    }
    if !store::search::step(tx).await? {
        return Ok(None);
    }
    let done = before - store::search::left(tx).await?;
    job.changed += done;
    Ok(Some(job.position + done))
}

/// After how many steps of [`settle`] jobs have their turn: a long archive may have been left to it.
const STEPS: usize = 200;

/// Indexes mails whose texts have changed, or that are new, and which nobody has indexed.
///
/// # Errors
/// When the database is away or refuses.
async fn settle(db: &Db, is_over: impl Fn() -> bool) -> store::Result<()> {
    if !store::search::is_waiting(&mut db.reader().await?).await? {
        return Ok(());
    }
    for _ in 0..STEPS {
        if is_over() || settle_some(db).await? == 0 {
            break;
        }
    }
    Ok(())
}

/// Indexes some of those mails, in a transaction of its own. Returns how many.
///
/// # Errors
/// When the database is away or refuses.
pub async fn settle_some(db: &Db) -> store::Result<usize> {
    let minute = Duration::from_secs(60);
    store::patience::patiently(minute, store::Error::is_contention, || async {
        let mut tx = db.begin().await?;
        let settled = store::search::settle(&mut tx).await?;
        tx.commit().await?;
        Ok(settled)
    })
    .await
}

fn told(job: &mut Claimed, line: &str) {
    job.changed += 1;
    job.log.push_str(line);
    job.log.push('\n');
}
