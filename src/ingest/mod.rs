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
mod patch;
mod project;
mod rulebook;
mod series;

use std::collections::HashSet;

use crate::{
    domain::{CommentId, CoverId, ListId, MessageId, PatchId, Project, Timestamp},
    mail::{self, Message},
    store::{
        self, Db,
        mail::{Became, Packed},
    },
};
use classify::Kind;
use delivery::Delivery;
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
        let message = mail::read_within(raw, options.max_bytes);
        let msgid = message.is_err().then(|| mail::label(raw)).flatten();
        Parcel {
            message,
            msgid,
            packed: store::mail::pack(raw),
        }
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
    let messages = parcels
        .iter()
        .filter_map(|parcel| parcel.message.as_ref().ok());
    let mut delivery = Delivery::new(&mut tx, &mut rulebook, options, ids(messages), now);
    let mut outcomes = Vec::with_capacity(parcels.len());
    for parcel in parcels {
        outcomes.push(deliver(&mut delivery, parcel, list).await?);
    }
    delivery.finish().await?;
    tx.commit().await?;
    Ok(outcomes)
}

/// Every message id that these mails have or answer.
fn ids<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Vec<MessageId> {
    let of = |message: &'a Message| std::iter::once(&message.id).chain(&message.references);
    let distinct: HashSet<&MessageId> = messages.into_iter().flat_map(of).collect();
    distinct.into_iter().cloned().collect()
}

async fn deliver(
    d: &mut Delivery<'_>,
    parcel: &Parcel,
    list: Option<&ListId>,
) -> store::Result<Outcome> {
    let message = match &parcel.message {
        Ok(message) => message,
        Err(reason) => {
            d.keep(
                None,
                parcel.msgid.as_ref(),
                Became::Nothing("invalid"),
                &parcel.packed,
            )
            .await?;
            return Ok(Outcome::Invalid(reason.to_string()));
        }
    };
    let outcome = deliver_message(d, message, list).await?;
    let became = match &outcome {
        Outcome::Patch(id) => Became::Patch(*id),
        Outcome::Cover(id) => Became::Cover(*id),
        Outcome::Comment(id) => Became::Comment(*id),
        Outcome::Ignored(why) => Became::Nothing(why.word()),
        Outcome::Invalid(_) => Became::Nothing("invalid"),
        Outcome::Duplicate(_) => return Ok(outcome),
    };
    if outcome == Outcome::Ignored(Why::UnknownParent) {
        d.wait(message, &parcel.packed);
    }
    d.keep(d.project_id(), Some(&message.id), became, &parcel.packed)
        .await?;
    hang_found(d).await?;
    Ok(outcome)
}

/// Shows the replies that have been waiting for the mail just delivered, and those that waited for them.
async fn hang_found(d: &mut Delivery<'_>) -> store::Result<()> {
    while let Some(digest) = d.next_found() {
        let Some(project) = d.project() else { break };
        d.finish().await?;
        let waiting =
            store::mail::waiting(d.tx, project.id, &digest, Why::UnknownParent.word()).await?;
        let Some(Ok(message)) = waiting.as_deref().map(mail::read) else {
            continue;
        };
        // Its wait is over whatever it becomes: what is looked up next must not find it once more.
        store::awaited::delete(d.tx, project.id, &digest).await?;
        d.look_up(project.id, &ids([&message])).await?;
        if let Outcome::Comment(id) = deliver_to(d, &message, &project).await? {
            store::mail::became_comment(d.tx, project.id, &digest, id).await?;
        }
    }
    Ok(())
}

async fn deliver_message(
    d: &mut Delivery<'_>,
    message: &Message,
    list: Option<&ListId>,
) -> store::Result<Outcome> {
    d.leave_project();
    if message.hints.ignore {
        return Ok(Outcome::Ignored(Why::Hint));
    }
    let Some(project) = project::of(d, message, list).await? else {
        return Ok(Outcome::Ignored(Why::NoProject));
    };
    d.enter_project(&project).await?;
    deliver_to(d, message, &project).await
}

async fn deliver_to(
    d: &mut Delivery<'_>,
    message: &Message,
    project: &Project,
) -> store::Result<Outcome> {
    if message.content.is_empty() {
        return Ok(Outcome::Ignored(Why::Empty));
    }
    let author = match message.author(&project.list_email) {
        Ok(author) => author,
        Err(error) => return Ok(Outcome::Invalid(error.to_string())),
    };
    let heading = message.heading(&project.linkname);
    let mail = delivery::Mail {
        message,
        project,
        author,
        heading,
    };
    match classify::kind(d, &mail).await? {
        Kind::Patch => patch::deliver(d, &mail).await,
        Kind::Cover => cover::deliver(d, &mail).await,
        Kind::Reply => comment::deliver(d, &mail).await,
    }
}
