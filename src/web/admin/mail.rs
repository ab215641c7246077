//! Received mails, and what became of each.

use maud::{Markup, html};

use super::{
    super::{error::Result, form::Form, guard::View},
    access::Access,
    model::{
        Acted, Action, By, Column, Common, Field, Filter, Kind, Model, Noun, On, PLAIN, Part,
        SHOWN, Show,
    },
    quarantine,
    work::Work,
};
use crate::store::admin::lookup;
use crate::{
    domain::{MailId, permission::Deed},
    mail::header::Block,
    store::{
        self, Conn,
        admin::{Key, Table},
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "mail",
    one: "Received mail",
    many: "Received mails",
    part: Part::System,
    table: &Table {
        base: "mail",
        kind: Key::Number,
        key: "t.id",
        label: "t.msgid",
        columns: "t.msgid, t.received, pr.linkname, t.outcome, coalesce(p.name, o.name), t.size",
        joins: " LEFT JOIN project pr ON pr.id = t.project_id LEFT JOIN comment c ON c.id = t.comment_id
            LEFT JOIN patch p ON p.id = coalesce(t.patch_id, c.patch_id) LEFT JOIN cover o ON o.id = coalesce(t.cover_id, c.cover_id)",
        only: "",
        words: &[("lower(t.msgid)", ""), ("t.outcome", "")],
        order: "t.id",
    },
    columns: &[
        Column::new("Message id", Show::Code, ""),
        Column::new("Received", Show::Moment, "t.id"),
        Column::text("Project", ""),
        Column::text("Became", ""),
        Column::text("Shown at", ""),
        Column::new("Bytes", Show::Number, ""),
    ],
    filters: &[
        Filter { key: "project", label: "Project", by: By::Row(&lookup::PROJECT, " AND t.project_id = ", "") },
        Filter { key: "outcome", label: "Became", by: By::Choice(&[
            ("patch", "a patch", " AND t.outcome = 'patch'"),
            ("cover", "a cover letter", " AND t.outcome = 'cover'"),
            ("comment", "a comment", " AND t.outcome = 'comment'"),
            ("nothing", "nothing", " AND t.outcome NOT IN ('patch', 'cover', 'comment')"),
        ]) },
        Filter { key: "date", label: "Received", by: By::Date(" AND t.received >= ", " AND t.received < ") },
    ],
    fields: &[
        Field { name: "msgid", label: "Message id", ..SHOWN },
        Field { name: "received", label: "Received", kind: Kind::Moment, ..SHOWN },
        Field { name: "project_id", label: "Project", kind: Kind::Row(&lookup::PROJECT), ..SHOWN },
        Field { name: "outcome", label: "Became", ..SHOWN },
        Field { name: "patch_id", label: "Patch", kind: Kind::Row(&lookup::PATCH), ..SHOWN },
        Field { name: "cover_id", label: "Cover letter", kind: Kind::Row(&lookup::COVER), ..SHOWN },
        Field { name: "comment_id", label: "Comment", ..SHOWN },
        Field { name: "size", label: "Bytes", ..SHOWN },
    ],
    deeds: &[Deed::View, Deed::Delete],
    actions: &[
        Action { name: "again", label: "Read again", deed: Deed::Change, on: On::Each, fields: &[] },
        Action { name: "assign", label: "Read again for a project", deed: Deed::Change, on: On::Each, fields: &[quarantine::ASSIGNED] },
    ],
    about: "Every mail is kept as it came. What became nothing can be read again, after a project was made for its list, or for a project that is chosen here.",
    noun: &Mails,
    ..PLAIN
};

struct Mails;

fn number(id: &str) -> MailId {
    MailId(id.parse().unwrap_or_default())
}

/// Draws the headers of a mail and the beginning of what follows.
pub fn drawn(raw: &[u8]) -> Markup {
    let text = String::from_utf8_lossy(raw);
    let body = text
        .split_once("\n\n")
        .or_else(|| text.split_once("\r\n\r\n"));
    let body: String = body
        .map_or("", |(_, body)| body)
        .chars()
        .take(20_000)
        .collect();
    html! {
        details.more open { summary { "Headers" } pre.folded tabindex="0" { (Block::split(raw).stored()) } }
        details.more { summary { "What follows" } pre.folded tabindex="0" { (body) } }
    }
}

#[rocket::async_trait]
impl Noun for Mails {
    async fn more(&self, conn: &mut Conn, _: &View<'_>, _: &Access, id: &str) -> Result<Markup> {
        let raw = store::mail::raw(conn, number(id)).await?;
        Ok(raw.map_or_else(Markup::default, |raw| drawn(&raw)))
    }

    async fn act(
        &self,
        work: &mut Work<'_>,
        action: &str,
        ids: &[String],
        form: &Form<'_>,
    ) -> Result<Acted> {
        let list = match action {
            "again" => String::new(),
            "assign" => match quarantine::assigned(work, form).await? {
                Ok(project) => project.list_id.to_string(),
                Err(refused) => return Ok(refused),
            },
            _ => return Common.act(work, action, ids, form).await,
        };
        // The log first: what is delivered has a transaction of its own, and SQLite has one writer.
        let mut mails = Vec::new();
        for id in ids {
            if !store::mail::is_unshown(&mut work.tx, number(id)).await? {
                return Ok(Acted::Refused(
                    "Only mails that became nothing are read again here; a patch has it on its own page.".into(),
                ));
            }
            if let Some(raw) = store::mail::raw(&mut work.tx, number(id)).await? {
                work.changed(id, "Read again", "", &list).await?;
                mails.push((number(id), raw));
            }
        }
        Ok(Acted::After(Box::new(move |db, options| {
            Box::pin(async move { quarantine::redelivered(&db, mails, list, options).await })
        })))
    }

    async fn obstacle(
        &self,
        conn: &mut Conn,
        _: &Access,
        ids: &[String],
    ) -> Result<Option<String>> {
        for id in ids {
            if !store::mail::is_unshown(conn, number(id)).await? {
                return Ok(Some(
                    "A mail that is shown stays: it is what its patch, cover letter or comment came from.".into(),
                ));
            }
        }
        Ok(None)
    }
}
