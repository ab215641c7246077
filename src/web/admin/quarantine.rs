//! Mails that could not be taken in: looked at, tried again, dropped.

use maud::Markup;

use super::{
    super::{error::Result, form::Form, guard::View},
    access::Access,
    model::{
        Acted, Action, Column, Common, Field, Kind, LINE, Model, Noun, On, PLAIN, Part, SHOWN, Show,
    },
    work::Work,
};
use crate::store::admin::lookup;
use crate::{
    domain::{ListId, MailId, Project, ProjectId, QuarantineId, Timestamp, permission::Deed},
    ingest::{self, Outcome},
    store::{
        self, Conn, Db,
        admin::{self, Key, Table},
    },
    web::error::Error,
};

/// The project a mail is for, whatever list it names.
pub const ASSIGNED: Field = Field {
    name: "project",
    label: "Project",
    kind: Kind::Row(&lookup::PROJECT),
    required: false,
    ..LINE
};

/// Returns the list of the project that was chosen.
pub async fn assigned(
    work: &mut Work<'_>,
    form: &Form<'_>,
) -> Result<std::result::Result<Project, Acted>> {
    let id = admin::find(&mut work.tx, &lookup::PROJECT, form.text("project")).await?;
    let project = match id {
        Some(id) => store::project::by_id(&mut work.tx, ProjectId(id)).await?,
        None => None,
    };
    Ok(project.ok_or_else(|| Acted::Refused("Choose a project.".into())))
}

/// The kind of things.
pub static MODEL: Model = Model {
    name: "quarantine",
    one: "Mail in quarantine",
    many: "Quarantine",
    part: Part::System,
    table: &Table {
        base: "quarantine",
        kind: Key::Number,
        key: "t.id",
        label: "'#' || t.id || ' ' || t.msgid",
        columns: "'#' || t.id || ' ' || t.msgid, t.received, pr.linkname, t.kind || ': ' || t.reason, t.tries, t.size",
        joins: " LEFT JOIN project pr ON pr.id = t.project_id",
        only: "",
        words: &[
            ("lower(t.msgid)", ""),
            ("lower(t.reason)", ""),
            ("t.kind", ""),
        ],
        order: "t.id",
    },
    columns: &[
        Column::text("Mail", ""),
        Column::new("Received", Show::Moment, "t.received"),
        Column::text("Project", ""),
        Column::text("Reason", "t.kind"),
        Column::new("Tries", Show::Number, "t.tries"),
        Column::new("Bytes", Show::Number, "t.size"),
    ],
    fields: &[
        Field {
            name: "msgid",
            label: "Message id",
            ..SHOWN
        },
        Field {
            name: "received",
            label: "Received",
            kind: Kind::Moment,
            ..SHOWN
        },
        Field {
            name: "project_id",
            label: "Project",
            kind: Kind::Row(&lookup::PROJECT),
            ..SHOWN
        },
        Field {
            name: "kind",
            label: "Kind of trouble",
            ..SHOWN
        },
        Field {
            name: "reason",
            label: "Reason",
            ..SHOWN
        },
        Field {
            name: "tries",
            label: "Tries",
            ..SHOWN
        },
        Field {
            name: "last_try",
            label: "Last try",
            kind: Kind::Moment,
            ..SHOWN
        },
    ],
    deeds: &[Deed::View, Deed::Delete],
    actions: &[
        Action {
            name: "retry",
            label: "Try again",
            deed: Deed::Change,
            on: On::Each,
            fields: &[],
        },
        Action {
            name: "assign",
            label: "Try again for a project",
            deed: Deed::Change,
            on: On::Each,
            fields: &[ASSIGNED],
        },
    ],
    about: "Mails that exceed a limit, or over which the program failed. After an update or with a larger limit they can be tried again.",
    noun: &Quarantine,
    ..PLAIN
};

struct Quarantine;

#[rocket::async_trait]
impl Noun for Quarantine {
    async fn more(&self, conn: &mut Conn, _: &View<'_>, _: &Access, id: &str) -> Result<Markup> {
        let raw = store::quarantine::bytes(conn, number(id)).await?;
        Ok(super::mail::drawn(&raw))
    }

    async fn act(
        &self,
        work: &mut Work<'_>,
        action: &str,
        ids: &[String],
        form: &Form<'_>,
    ) -> Result<Acted> {
        let list = match action {
            "retry" => None,
            "assign" => match assigned(work, form).await? {
                Ok(project) => Some(project.list_id.to_string()),
                Err(refused) => return Ok(refused),
            },
            _ => return Common.act(work, action, ids, form).await,
        };
        // The log first: what is delivered has a transaction of its own, and SQLite has one writer.
        let mut entries = Vec::new();
        for id in ids {
            let Some(entry) = store::quarantine::by_id(&mut work.tx, number(id)).await? else {
                continue;
            };
            let raw = store::quarantine::bytes(&mut work.tx, entry.id).await?;
            work.changed(id, "Tried again", "", "yes").await?;
            entries.push((entry.id, list.clone().unwrap_or(entry.list_id), raw));
        }
        Ok(Acted::After(Box::new(move |db, options| {
            Box::pin(async move { retried(&db, entries, options).await })
        })))
    }

    async fn remove(&self, work: &mut Work<'_>, id: &str) -> Result<()> {
        store::quarantine::delete(&mut work.tx, number(id)).await?;
        Ok(())
    }
}

fn number(id: &str) -> QuarantineId {
    QuarantineId(id.parse().unwrap_or_default())
}

/// Delivers mails again, as `patchwork quarantine retry` does. Returns what is to be told.
async fn retried(
    db: &Db,
    entries: Vec<(QuarantineId, String, Vec<u8>)>,
    options: ingest::Options,
) -> Result<String> {
    let mut told = Vec::new();
    for (id, list, raw) in entries {
        let outcome = delivered(db.clone(), list, raw, options.clone()).await?;
        if !matches!(outcome, Outcome::Quarantined { .. }) {
            let mut tx = db.begin().await?;
            store::quarantine::delete(&mut tx, id).await?;
            tx.commit().await?;
        }
        told.push(format!("#{id}: {}", said(&outcome)));
    }
    Ok(told.join("; "))
}

/// Delivers kept mails again, for the list of a project; those that become something there are not kept twice.
pub async fn redelivered(
    db: &Db,
    mails: Vec<(MailId, Vec<u8>)>,
    list: String,
    options: ingest::Options,
) -> Result<String> {
    let mut told = Vec::new();
    for (id, raw) in mails {
        let outcome = delivered(db.clone(), list.clone(), raw, options.clone()).await?;
        let is_shown = matches!(
            outcome,
            Outcome::Patch(_) | Outcome::Cover(_) | Outcome::Comment(_) | Outcome::Duplicate(_)
        );
        if is_shown {
            let mut tx = db.begin().await?;
            store::mail::forget_unshown(&mut tx, id).await?;
            tx.commit().await?;
        }
        told.push(format!("#{id}: {}", said(&outcome)));
    }
    Ok(told.join("; "))
}

/// A delivery stays on one thread, so it gets one of its own.
async fn delivered(
    db: Db,
    list: String,
    raw: Vec<u8>,
    options: ingest::Options,
) -> Result<Outcome> {
    let handle = rocket::tokio::runtime::Handle::current();
    let work = move || {
        let list = Some(list.as_str())
            .filter(|list| !list.is_empty())
            .map(ListId::new);
        handle.block_on(ingest::receive(
            &db,
            &raw,
            list.as_ref(),
            &options,
            Timestamp::now(),
        ))
    };
    match rocket::tokio::task::spawn_blocking(work).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(Error::Unlucky),
    }
}

fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Patch(id) => format!("stored as patch {id}"),
        Outcome::Cover(id) => format!("stored as cover letter {id}"),
        Outcome::Comment(id) => format!("stored as comment {id}"),
        Outcome::Duplicate(_) => "stored before".to_owned(),
        Outcome::Ignored(why) => format!("nothing to store: {}", why.word()),
        Outcome::Invalid(reason) => format!("not a mail that can be used: {reason}"),
        Outcome::Quarantined { reason, .. } => format!("still in quarantine: {reason}"),
    }
}
