//! Message to stored submission: which project, what kind, which series; then deliver.
//!
//! [`receive`] takes one mail, [`archive::load`] a whole archive; both end in [`deliver_all`], so an
//! archive gives the same rows as its mails one by one. What needs no database (reading, compressing)
//! happens in [`Parcel::open`], before any lock is taken.

pub mod archive;
mod classify;
mod comment;
mod cover;
mod delegate;
mod delivery;
mod depends;
mod ledger;
mod patch;
mod pending;
mod people;
mod project;
mod rulebook;
mod series;

use std::rc::Rc;

use crate::{
    domain::{CommentId, CoverId, ListId, MessageId, PatchId, Project, ProjectId, Timestamp},
    mail::{self, Message},
    store::{
        self, Db,
        mail::{Became, Packed},
    },
};
use classify::Kind;
use delivery::{Delivery, Mail};
use rulebook::Rulebook;

/// What a site decides about its intake.
#[derive(Clone, Debug)]
pub struct Options {
    /// The largest mail that is taken, in bytes.
    pub max_bytes: usize,
    /// Hosts whose links are ours: `Depends-on` may name a series by its address here.
    pub hosts: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            max_bytes: 16 << 20,
            hosts: Vec::new(),
        }
    }
}

/// What became of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Stored as a patch.
    Patch(PatchId),
    /// Stored as a cover letter.
    Cover(CoverId),
    /// Stored as a comment.
    Comment(CommentId),
    /// Stored before as the same kind of thing.
    Duplicate(MessageId),
    /// Kept, but nothing to show.
    Ignored(Why),
    /// Not a mail we can use.
    Invalid(String),
}

/// Why nothing is shown of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its sender asked for it with `X-Patchwork-Hint: ignore`.
    Hint,
    /// No project has its list.
    NoProject,
    /// It has no text.
    Empty,
    /// It answers nothing we know.
    UnknownParent,
}

impl Why {
    /// Returns the word under which the mail is kept.
    pub fn word(self) -> &'static str {
        match self {
            Why::Hint => "hint",
            Why::NoProject => "no-project",
            Why::Empty => "empty",
            Why::UnknownParent => "unknown-parent",
        }
    }
}

/// A mail that has been read and packed: all that can be done without a database.
#[derive(Debug)]
pub struct Parcel {
    message: Result<Message, mail::Invalid>,
    /// What a mail that cannot be used calls itself.
    msgid: Option<MessageId>,
    packed: Packed,
}

impl Parcel {
    /// Reads and packs a mail.
    pub fn open(raw: &[u8], options: &Options) -> Parcel {
        let limits = mail::Limits {
            bytes: options.max_bytes,
            ..mail::Limits::default()
        };
        let message = mail::read_within(raw, &limits);
        let msgid = message.is_err().then(|| mail::label(raw)).flatten();
        Parcel {
            message,
            msgid,
            packed: store::mail::pack(raw),
        }
    }

    /// Says whether the mail depends on a row of ours that it calls by its number.
    fn names_rows(&self, hosts: &[String]) -> bool {
        let message = self.message.as_ref().ok();
        let mut dependencies = message
            .into_iter()
            .flat_map(|message| &message.dependencies);
        dependencies.any(|dependency| depends::names_a_row(dependency, hosts))
    }

    /// Returns what to call the mail in a report.
    pub fn label(&self) -> String {
        let msgid = self
            .message
            .as_ref()
            .map(|message| &message.id)
            .ok()
            .or(self.msgid.as_ref());
        msgid.map_or_else(
            || "a mail without a usable Message-Id".to_owned(),
            MessageId::to_string,
        )
    }
}

/// Receives one mail.
///
/// # Errors
/// When the database is away or refuses; nothing of the mail is stored then.
pub async fn receive(
    db: &Db,
    raw: &[u8],
    list: Option<&ListId>,
    options: &Options,
    now: Timestamp,
) -> store::Result<Outcome> {
    let parcels = [Parcel::open(raw, options)];
    let mut outcomes = deliver_with_patience(db, &parcels, list, options, now).await?;
    Ok(outcomes.remove(0))
}

/// How often a delivery is tried when others write at the same time.
const TRIES: u32 = 10;

/// Delivers, again when somebody else got in the way.
async fn deliver_with_patience(
    db: &Db,
    parcels: &[Parcel],
    list: Option<&ListId>,
    options: &Options,
    now: Timestamp,
) -> store::Result<Vec<Outcome>> {
    let mut tries = 1;
    loop {
        match deliver_all(db, parcels, list, options, now).await {
            Err(error) if tries < TRIES && (error.is_contention() || error.is_duplicate()) => {
                tries += 1;
                // Spread by process, so that two that met once do not meet again at once.
                let pause = 5 * u64::from(tries) + u64::from(std::process::id() % 7);
                tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
            }
            other => return other,
        }
    }
}

/// Delivers mails in order in one transaction: all of them, or on an error none.
async fn deliver_all(
    db: &Db,
    parcels: &[Parcel],
    list: Option<&ListId>,
    options: &Options,
    now: Timestamp,
) -> store::Result<Vec<Outcome>> {
    let mut tx = db.begin().await?;
    let mut rulebook = Rulebook::load(&mut tx).await?;
    let mut outcomes = Vec::with_capacity(parcels.len());
    // Who names a row by its number, needs all rows before to have theirs.
    let parts = parcels.chunk_by(|_, next| !next.names_rows(&options.hosts));
    for part in parts {
        let d = Delivery::new(&mut tx, &mut rulebook, options, now);
        outcomes.extend(deliver_part(d, part, list).await?);
    }
    tx.commit().await?;
    Ok(outcomes)
}

async fn deliver_part(
    mut d: Delivery<'_>,
    parcels: &[Parcel],
    list: Option<&ListId>,
) -> store::Result<Vec<Outcome>> {
    let judged = judge_all(&mut d, parcels, list).await?;
    let mut outcomes = Vec::with_capacity(parcels.len());
    for (parcel, judged) in parcels.iter().zip(&judged) {
        outcomes.push(deliver(&mut d, parcel, judged).await?);
    }
    let ids = d.finish().await?;
    let real = outcomes.into_iter().map(|outcome| ids.outcome(outcome));
    Ok(real.collect())
}

/// What a mail is before anything is known of others.
enum Judged<'a> {
    /// A mail for a project.
    Deliverable(Mail<'a>),
    /// Nothing to show; the project is known unless it was not asked for.
    Nothing(Option<ProjectId>, Outcome),
}

/// Judges the mails of a delivery and learns all that they will ask for.
async fn judge_all<'a>(
    d: &mut Delivery<'_>,
    parcels: &'a [Parcel],
    list: Option<&ListId>,
) -> store::Result<Vec<Judged<'a>>> {
    let mut judged = Vec::with_capacity(parcels.len());
    for parcel in parcels {
        judged.push(match &parcel.message {
            Ok(message) => judge(d, message, list).await?,
            Err(reason) => Judged::Nothing(None, Outcome::Invalid(reason.to_string())),
        });
    }
    let mails: Vec<&Mail<'_>> = judged
        .iter()
        .filter_map(|judged| match judged {
            Judged::Deliverable(mail) => Some(mail),
            Judged::Nothing(..) => None,
        })
        .collect();
    d.learn(&mails).await?;
    Ok(judged)
}

async fn judge<'a>(
    d: &mut Delivery<'_>,
    message: &'a Message,
    list: Option<&ListId>,
) -> store::Result<Judged<'a>> {
    if message.hints.ignore {
        return Ok(Judged::Nothing(None, Outcome::Ignored(Why::Hint)));
    }
    Ok(match project::of(d, message, list).await? {
        Some(project) => judge_for(message, &project),
        None => Judged::Nothing(None, Outcome::Ignored(Why::NoProject)),
    })
}

fn judge_for<'a>(message: &'a Message, project: &Rc<Project>) -> Judged<'a> {
    let nothing = |outcome| Judged::Nothing(Some(project.id), outcome);
    if message.content.is_empty() {
        return nothing(Outcome::Ignored(Why::Empty));
    }
    match message.author(&project.list_email) {
        Err(error) => nothing(Outcome::Invalid(error.to_string())),
        Ok(author) => Judged::Deliverable(Mail {
            message,
            author,
            heading: message.heading(&project.linkname),
            project: project.clone(),
        }),
    }
}

async fn deliver(
    d: &mut Delivery<'_>,
    parcel: &Parcel,
    judged: &Judged<'_>,
) -> store::Result<Outcome> {
    let msgid = parcel.message.as_ref().map(|message| &message.id);
    let msgid = msgid.ok().or(parcel.msgid.as_ref());
    let (project, outcome) = match judged {
        Judged::Nothing(project, outcome) => (*project, outcome.clone()),
        Judged::Deliverable(mail) => (Some(mail.project.id), deliver_mail(d, mail).await?),
    };
    if let Some(became) = became(&outcome) {
        d.keep(project, msgid, became, &parcel.packed);
    }
    if let Judged::Deliverable(mail) = judged {
        if outcome == Outcome::Ignored(Why::UnknownParent) {
            d.wait(mail, &parcel.packed);
        }
        hang_found(d, &mail.project).await?;
    }
    Ok(outcome)
}

/// Returns what a mail is kept as; a duplicate is kept already.
fn became(outcome: &Outcome) -> Option<Became> {
    Some(match outcome {
        Outcome::Patch(id) => Became::Patch(*id),
        Outcome::Cover(id) => Became::Cover(*id),
        Outcome::Comment(id) => Became::Comment(*id),
        Outcome::Ignored(why) => Became::Nothing(why.word()),
        Outcome::Invalid(_) => Became::Nothing("invalid"),
        Outcome::Duplicate(_) => return None,
    })
}

async fn deliver_mail(d: &mut Delivery<'_>, mail: &Mail<'_>) -> store::Result<Outcome> {
    match classify::kind(d, mail).await? {
        Kind::Patch => patch::deliver(d, mail).await,
        Kind::Cover => cover::deliver(d, mail).await,
        Kind::Reply => Ok(comment::deliver(d, mail)),
    }
}

/// Shows the replies that have been waiting for the mail just delivered, and those that waited for them.
async fn hang_found(d: &mut Delivery<'_>, project: &Rc<Project>) -> store::Result<()> {
    while let Some(digest) = d.ledger(project.id).next_found() {
        let Some(raw) = d.waiting(project.id, &digest).await? else {
            continue;
        };
        d.end_wait(project.id, &digest);
        let Ok(message) = mail::read(&raw) else {
            continue;
        };
        let Judged::Deliverable(reply) = judge_for(&message, project) else {
            continue;
        };
        d.learn(&[&reply]).await?;
        if let Outcome::Comment(id) = deliver_mail(d, &reply).await? {
            d.became_comment(project.id, digest, id);
        }
    }
    Ok(())
}
