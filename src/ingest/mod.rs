//! Message to stored submission: which project, what kind, which series; then deliver.
//!
//! [`receive`] takes one mail, [`archive::load`] a whole archive; both go through [`intake`] to [`deliver_all`], so
//! an archive gives the same rows as its mails one by one. What needs no database (reading, compressing)
//! happens in [`Parcel::open`], before any lock is taken.

pub mod archive;
mod classify;
mod comment;
mod cover;
mod delegate;
mod delivery;
mod depends;
pub mod evidence;
pub mod guard;
pub mod handover;
pub mod intake;
pub mod job;
mod late;
mod ledger;
pub mod lmtp;
pub mod maildir;
mod patch;
mod pending;
mod people;
mod project;
pub mod reread;
pub mod revision;
mod rulebook;
mod series;
pub mod spool;
pub mod taker;

use std::rc::Rc;

use crate::{
    domain::{
        CommentId, CoverId, ListId, MessageId, PatchId, Project, ProjectId, QuarantineId,
        Timestamp, search::words::Texts,
    },
    mail::{self, Message},
    store::{
        self, Db,
        mail::{Became, Packed},
    },
};
use classify::Kind;
pub use delegate::{by_rules as delegate_of, fires as rule_of};
use delivery::{Delivery, Mail};
use ledger::Digest;
pub use project::by_subject as project_of;
use rulebook::Rulebook;

/// No mail server passes on more, in bytes; what does is not a mail, and must not fill the memory.
pub const MOST_BYTES: u64 = 256 << 20;

/// What a site decides about its intake.
#[derive(Clone, Debug)]
pub struct Options {
    /// The largest mail that is taken, in bytes.
    pub max_bytes: usize,
    /// Hosts whose links are ours: `Depends-on` may name a series by its address here.
    pub hosts: Vec<String>,
    /// Whether the words of mails are left to be indexed afterwards.
    pub search_later: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            max_bytes: 16 << 20,
            hosts: Vec::new(),
            search_later: false,
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
    /// Set aside whole: it exceeds a limit, or a defect of ours is in its way.
    Quarantined {
        /// Under which id.
        id: QuarantineId,
        /// Why.
        reason: String,
    },
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

    /// Returns what a [word](Why::word) stands for.
    fn of(word: &str) -> Option<Why> {
        let all = [Why::Hint, Why::NoProject, Why::Empty, Why::UnknownParent];
        all.into_iter().find(|why| why.word() == word)
    }
}

/// A mail that has been read and packed: all that can be done without a database.
#[derive(Debug)]
pub struct Parcel {
    message: Result<Message, mail::Invalid>,
    /// What a mail that cannot be used calls itself.
    msgid: Option<MessageId>,
    packed: Packed,
    /// The words of its texts, for the index.
    texts: Option<Texts>,
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
            texts: match options.search_later {
                true => None,
                false => message.as_ref().ok().map(texts),
            },
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
        label(msgid)
    }
}

/// Cuts what a mail says into words, as what it probably is.
fn texts(message: &Message) -> Texts {
    let content = &message.content;
    let diff = content.diff.as_deref().unwrap_or_default();
    let is_reply = message.is_reply || diff.is_empty() && content.pull_url.is_none();
    Texts::cut(&content.message, is_reply, diff)
}

/// What a mail is called in reports.
fn label(msgid: Option<&MessageId>) -> String {
    msgid.map_or_else(
        || "a mail without a usable Message-Id".to_owned(),
        MessageId::to_string,
    )
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
    match intake::open(raw, options) {
        Ok(parcel) => {
            let mut outcomes = intake::deliver(db, &[parcel], list, options, now).await?;
            Ok(outcomes.remove(0))
        }
        Err(unfit) => intake::set_aside(db, &unfit, list, now).await,
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
    let texts = parcels.iter().map(|parcel| parcel.texts.as_ref());
    let ids = d.finish(outcomes.iter().zip(texts)).await?;
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
        Judged::Deliverable(mail) => {
            let outcome = deliver_mail(d, mail, &parcel.packed.digest).await?;
            (Some(mail.project.id), outcome)
        }
    };
    match (became(&outcome), &outcome) {
        (Some(became), _) => d.keep(project, msgid, became, &parcel.packed),
        (None, Outcome::Duplicate(msgid)) => {
            if let Some(project) = project {
                d.suspect(project, msgid, &parcel.packed);
            }
        }
        (None, _) => {}
    }
    if let Judged::Deliverable(mail) = judged {
        late::settle(d, &mail.project).await?;
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
        Outcome::Duplicate(_) | Outcome::Quarantined { .. } => return None,
    })
}

async fn deliver_mail(
    d: &mut Delivery<'_>,
    mail: &Mail<'_>,
    digest: &Digest,
) -> store::Result<Outcome> {
    match classify::kind(d, mail).await? {
        Kind::Patch => patch::deliver(d, mail).await,
        Kind::Cover => cover::deliver(d, mail).await,
        Kind::Reply => Ok(comment::deliver(d, mail, digest)),
    }
}
