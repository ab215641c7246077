//! What stands around a delivery: patience when others write too, and a mail that cannot be taken in is set
//! aside, alone, so that the rest goes on.

use std::time::Duration;

use super::{
    Options, Outcome, Parcel, deliver_all,
    guard::{Panicked, contained, contained_async},
};
use crate::{
    domain::{ListId, MessageId, Timestamp},
    mail,
    store::{
        self, Db, Error,
        mail::Packed,
        patience::patiently,
        quarantine::{self, NewEntry},
    },
};

/// For how long a delivery is tried when others write at the same time: a mail server waits, and gives up after a
/// while.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much of a mail that cannot be read is looked at for its name, in bytes.
const HEAD: usize = 1 << 20;

/// How many characters of a reason are kept.
const REASON: usize = 1000;

/// Why a mail is set aside, in the words of the quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It exceeds a limit.
    Limit,
    /// Reading or delivering it panicked.
    Panic,
    /// The database refuses what it holds.
    Refused,
}

impl Trouble {
    /// Returns the word under which it is kept.
    pub fn word(self) -> &'static str {
        match self {
            Trouble::Limit => "limit",
            Trouble::Panic => "panic",
            Trouble::Refused => "refused",
        }
    }
}

/// A mail that cannot be delivered, through no fault of the database.
#[derive(Debug)]
pub struct Unfit {
    msgid: Option<MessageId>,
    named: Vec<ListId>,
    packed: Packed,
    trouble: Trouble,
    reason: String,
}

impl Unfit {
    /// Takes the raw mail; what it calls itself is read if that can be done.
    pub fn new(raw: &[u8], trouble: Trouble, reason: &str) -> Unfit {
        let head = &raw[..raw.len().min(HEAD)];
        Unfit {
            msgid: contained(|| mail::label(head)).ok().flatten(),
            named: contained(|| mail::lists(head)).unwrap_or_default(),
            packed: store::mail::pack(raw),
            trouble,
            reason: reason.to_owned(),
        }
    }

    /// A parcel turned out to be unfit only when it was delivered.
    fn of(parcel: &Parcel, trouble: Trouble, reason: String) -> Unfit {
        let message = parcel.message.as_ref().ok();
        Unfit {
            msgid: message.map(|it| it.id.clone()).or(parcel.msgid.clone()),
            named: message.map_or_else(Vec::new, |it| it.list_ids.clone()),
            packed: parcel.packed.clone(),
            trouble,
            reason,
        }
    }

    /// Returns what to call the mail in a report.
    pub fn label(&self) -> String {
        super::label(self.msgid.as_ref())
    }
}

/// Reads and packs a mail; whatever is in it, this ends.
///
/// # Errors
/// When it exceeds a limit or reading it panics: it is to be [set aside](set_aside).
pub fn open(raw: &[u8], options: &Options) -> Result<Parcel, Box<Unfit>> {
    let parcel = contained(|| Parcel::open(raw, options))
        .map_err(|Panicked(reason)| Box::new(Unfit::new(raw, Trouble::Panic, &reason)))?;
    match &parcel.message {
        Err(limit) if limit.is_limit() => Err(Box::new(Unfit::new(
            raw,
            Trouble::Limit,
            &limit.to_string(),
        ))),
        _ => Ok(parcel),
    }
}

/// Sets a mail aside; when this returns, it is safe.
///
/// # Errors
/// When the database is away.
pub async fn set_aside(
    db: &Db,
    unfit: &Unfit,
    list: Option<&ListId>,
    now: Timestamp,
) -> store::Result<Outcome> {
    let reason: String = unfit.reason.chars().take(REASON).collect();
    let new = NewEntry {
        list,
        named: &unfit.named,
        msgid: unfit.msgid.as_ref(),
        kind: unfit.trouble.word(),
        reason: &reason,
        packed: &unfit.packed,
    };
    let mut tx = db.begin().await?;
    let id = quarantine::insert(&mut tx, &new, now).await?;
    tx.commit().await?;
    Ok(Outcome::Quarantined { id, reason })
}

/// Delivers mails in order: all at once, or, if one of them cannot be delivered, one by one, and that one is
/// set aside.
///
/// # Errors
/// When the database is away; what was delivered before stays.
pub async fn deliver(
    db: &Db,
    parcels: &[Parcel],
    list: Option<&ListId>,
    options: &Options,
    now: Timestamp,
) -> store::Result<Vec<Outcome>> {
    let (trouble, reason) = match attempt(db, parcels, list, options, now).await? {
        Ok(outcomes) => return Ok(outcomes),
        Err(why) => why,
    };
    if let [parcel] = parcels {
        let unfit = Unfit::of(parcel, trouble, reason);
        return Ok(vec![set_aside(db, &unfit, list, now).await?]);
    }
    tracing::warn!("delivering {} mails one by one: {reason}", parcels.len());
    let mut outcomes = Vec::with_capacity(parcels.len());
    for parcel in parcels {
        let alone = std::slice::from_ref(parcel);
        outcomes.extend(Box::pin(deliver(db, alone, list, options, now)).await?);
    }
    Ok(outcomes)
}

/// Delivers all or nothing. The inner error is about the mails, the outer one about the database.
async fn attempt(
    db: &Db,
    parcels: &[Parcel],
    list: Option<&ListId>,
    options: &Options,
    now: Timestamp,
) -> store::Result<Result<Vec<Outcome>, (Trouble, String)>> {
    let is_worth_it = |error: &Error| error.is_contention() || error.is_duplicate();
    let work = patiently(PATIENCE, is_worth_it, || {
        deliver_all(db, parcels, list, options, now)
    });
    match contained_async(work).await {
        Ok(Err(error)) if error.is_refusal() => Ok(Err((Trouble::Refused, error.to_string()))),
        Ok(done) => done.map(Ok),
        Err(Panicked(reason)) => Ok(Err((Trouble::Panic, reason))),
    }
}
