//! Loads an archive: reading ahead on other cores, delivering in order, many mails a transaction.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt, future, stream};
use tokio::{sync::mpsc, task};

use super::{
    Options, Outcome, Parcel,
    guard::contained,
    intake::{self, Unfit},
};
use crate::{
    domain::{ListId, Timestamp},
    store::{self, Conn, Db},
};

/// How many mails, and how many bytes of them, go into one transaction.
const BATCH_MAILS: usize = 512;
const BATCH_BYTES: usize = 4 << 20;

/// What became of an archive's mails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many mails there were.
    pub processed: u64,
    /// How many became cover letters.
    pub covers: u64,
    /// How many became patches.
    pub patches: u64,
    /// How many became comments.
    pub comments: u64,
    /// How many were known.
    pub duplicates: u64,
    /// How many have nothing to show, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// How many could not be used.
    pub errors: u64,
    /// How many were set aside.
    pub quarantined: u64,
}

impl Summary {
    /// Returns how many have nothing to show.
    pub fn dropped(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// Returns how many are shown that were not known before.
    pub fn added(&self) -> u64 {
        self.covers + self.patches + self.comments
    }

    /// Counts what another load brought.
    pub fn add(&mut self, other: &Summary) {
        self.processed += other.processed;
        self.covers += other.covers;
        self.patches += other.patches;
        self.comments += other.comments;
        self.duplicates += other.duplicates;
        self.errors += other.errors;
        self.quarantined += other.quarantined;
        for (why, count) in &other.dropped {
            *self.dropped.entry(why).or_default() += count;
        }
    }

    fn count(&mut self, outcome: &Outcome) {
        self.processed += 1;
        match outcome {
            Outcome::Patch(_) => self.patches += 1,
            Outcome::Cover(_) => self.covers += 1,
            Outcome::Comment(_) => self.comments += 1,
            Outcome::Duplicate(_) => self.duplicates += 1,
            Outcome::Ignored(why) => *self.dropped.entry(why.word()).or_default() += 1,
            Outcome::Invalid(_) => self.errors += 1,
            Outcome::Quarantined { .. } => self.quarantined += 1,
        }
    }

    fn fail(&mut self) {
        self.processed += 1;
        self.errors += 1;
    }
}

/// A mail of an archive, or why it could not be read.
pub type Item = Result<Vec<u8>, String>;

/// Where a load stands.
#[derive(Clone, Debug)]
pub struct Progress<'a> {
    /// What became of the mails so far.
    pub summary: &'a Summary,
    /// Mails of the last step that could not be used: what they are called, and why.
    pub trouble: &'a [(String, String)],
}

/// Loads mails in order. `watch` is called after each transaction; when it says `false`, loading ends there.
///
/// A mail that cannot be taken in is set aside and reported, and the rest goes on; a database that is away ends it.
///
/// # Errors
/// When the database is away; what was delivered before stays.
pub async fn load(
    db: &Db,
    mails: impl Iterator<Item = Item> + Send + 'static,
    list: Option<&ListId>,
    options: &Options,
    mut watch: impl FnMut(Progress<'_>) -> bool,
) -> store::Result<Summary> {
    let options = Arc::new(options.clone());
    let opened = stream::unfold(batches(mails), |mut batches| async {
        Some((batches.recv().await?, batches))
    })
    .map(|batch| open(batch, options.clone()))
    .buffered(cores());
    let mut opened = std::pin::pin!(opened);
    let mut summary = Summary::default();
    let mut beside = Beside::NotYet;
    let delivered = async {
        while let Some(batch) = opened.next().await {
            if summary.processed > 0 {
                beside.begin(db).await;
            }
            let mut trouble = Vec::new();
            let delivered = deliver(db, batch, list, &options, &mut summary, &mut trouble);
            let (delivered, ()) = future::join(delivered, beside.tend()).await;
            delivered?;
            let progress = Progress {
                summary: &summary,
                trouble: &trouble,
            };
            if !watch(progress) {
                break;
            }
        }
        Ok(())
    }
    .await;
    beside.end().await;
    delivered.map(|()| summary)
}

/// What is done beside the deliveries, on a connection of its own.
enum Beside {
    NotYet,
    On(Conn),
    NoMore,
}

impl Beside {
    /// Takes a connection; where there is none for it, nothing is done beside.
    async fn begin(&mut self, db: &Db) {
        if let Beside::NotYet = self {
            let conn = db.one_more().await;
            *self = conn.map_or(Beside::NoMore, Beside::On);
        }
    }

    /// Has the database put in its place what it has of the mails before, while the next ones are delivered.
    async fn tend(&mut self) {
        if let Beside::On(conn) = self
            && let Err(error) = store::bulk::tend(conn).await
        {
            tracing::debug!("nothing is done beside the load any more: {error}");
            *self = Beside::NoMore;
        }
    }

    /// SQLite puts everything into its file when the last connection is closed.
    async fn end(self) {
        if let Beside::On(conn) = self {
            conn.close().await;
        }
    }
}

/// How many batches are made ready ahead of the delivery, which is one: so the order stays that of the archive.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2))
}

/// Reads the archive on a thread of its own, never far ahead of the delivery.
fn batches(mails: impl Iterator<Item = Item> + Send + 'static) -> mpsc::Receiver<Vec<Item>> {
    let (send, receive) = mpsc::channel(1);
    task::spawn_blocking(move || {
        let mut mails = mails.peekable();
        let read = contained(|| {
            while mails.peek().is_some() {
                if send.blocking_send(batch(&mut mails)).is_err() {
                    return;
                }
            }
        });
        // A defect in reading must not look like the end of the archive.
        if let Err(panicked) = read {
            let _ = send.blocking_send(vec![Err(format!(
                "the archive cannot be read on: {panicked}"
            ))]);
        }
    });
    receive
}

fn batch(mails: &mut impl Iterator<Item = Item>) -> Vec<Item> {
    let (mut batch, mut bytes) = (Vec::with_capacity(BATCH_MAILS), 0);
    while batch.len() < BATCH_MAILS && bytes < BATCH_BYTES {
        let Some(mail) = mails.next() else { break };
        bytes += mail.as_ref().map_or(0, Vec::len);
        batch.push(mail);
    }
    batch
}

/// A mail made ready, or why the archive does not give it.
type Opened = Result<Result<Parcel, Box<Unfit>>, String>;

/// Reads and packs the mails of a batch on another core.
async fn open(batch: Vec<Item>, options: Arc<Options>) -> Vec<Opened> {
    let work = move || {
        let open = |raw: Item| Ok(intake::open(&raw?, &options));
        batch.into_iter().map(open).collect()
    };
    task::spawn_blocking(work)
        .await
        .expect("whatever a mail does is contained")
}

/// Delivers a batch; what cannot be delivered is set aside.
async fn deliver(
    db: &Db,
    batch: Vec<Opened>,
    list: Option<&ListId>,
    options: &Options,
    summary: &mut Summary,
    trouble: &mut Vec<(String, String)>,
) -> store::Result<()> {
    let now = Timestamp::now();
    let mut parcels = Vec::with_capacity(batch.len());
    for opened in batch {
        match opened {
            Ok(Ok(parcel)) => parcels.push(parcel),
            Ok(Err(unfit)) => {
                let outcome = intake::set_aside(db, &unfit, list, now).await?;
                report(unfit.label(), &outcome, summary, trouble);
            }
            Err(reason) => {
                summary.fail();
                trouble.push(("a mail of the archive".to_owned(), reason));
            }
        }
    }
    let outcomes = intake::deliver(db, &parcels, list, options, now).await?;
    for (parcel, outcome) in parcels.iter().zip(&outcomes) {
        report(parcel.label(), outcome, summary, trouble);
    }
    // To give back so many pieces of memory takes a while, in which the next mails can be delivered.
    task::spawn_blocking(move || drop(parcels));
    Ok(())
}

fn report(
    label: String,
    outcome: &Outcome,
    summary: &mut Summary,
    trouble: &mut Vec<(String, String)>,
) {
    summary.count(outcome);
    match outcome {
        Outcome::Invalid(reason) => trouble.push((label, reason.clone())),
        Outcome::Quarantined { id, reason } => {
            trouble.push((
                label,
                format!("set aside as {id} of the quarantine: {reason}"),
            ));
        }
        _ => {}
    }
}
