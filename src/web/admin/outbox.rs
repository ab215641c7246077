//! Mails that wait to leave, and those that could not.

use maud::{Markup, html};

use super::{
    super::{error::Result, form::Form, guard::View},
    access::Access,
    model::{
        Acted, Action, By, Column, Common, Field, Filter, Kind, Model, Noun, On, PLAIN, Part,
        SHOWN, Show,
    },
    work::Work,
};
use crate::{
    domain::permission::Deed,
    store::{
        Conn,
        admin::{self, Key, Table},
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "outbox",
    one: "Outgoing mail",
    many: "Outgoing mails",
    part: Part::System,
    table: &Table {
        base: "outbox",
        kind: Key::Number,
        key: "t.id",
        label: "t.subject || ' (to ' || t.recipient || ')'",
        columns: "t.subject, t.recipient, t.created, t.tries, t.next_try, t.failed, t.last_error",
        joins: "",
        only: "",
        words: &[
            ("lower(t.subject)", ""),
            ("lower(t.recipient)", ""),
            ("lower(t.last_error)", ""),
        ],
        order: "t.id",
    },
    columns: &[
        Column::text("Subject", "t.subject"),
        Column::text("To", "lower(t.recipient)"),
        Column::new("Written", Show::Moment, "t.created"),
        Column::new("Tries", Show::Number, "t.tries"),
        Column::new("Next try", Show::Moment, "t.next_try"),
        Column::new("Given up", Show::Yes, "t.failed"),
        Column::text("Last error", ""),
    ],
    filters: &[Filter {
        key: "failed",
        label: "Given up",
        by: By::Yes(" AND t.failed = "),
    }],
    fields: &[
        Field {
            name: "subject",
            label: "Subject",
            ..SHOWN
        },
        Field {
            name: "sender",
            label: "From",
            ..SHOWN
        },
        Field {
            name: "recipient",
            label: "To",
            ..SHOWN
        },
        Field {
            name: "created",
            label: "Written",
            kind: Kind::Moment,
            ..SHOWN
        },
        Field {
            name: "tries",
            label: "Tries",
            ..SHOWN
        },
        Field {
            name: "next_try",
            label: "Next try",
            kind: Kind::Moment,
            ..SHOWN
        },
        Field {
            name: "failed",
            label: "Given up",
            kind: Kind::Tick,
            ..SHOWN
        },
        Field {
            name: "last_error",
            label: "Last error",
            ..SHOWN
        },
    ],
    deeds: &[Deed::View, Deed::Delete],
    actions: &[Action {
        name: "retry",
        label: "Send soon",
        deed: Deed::Change,
        on: On::Each,
        fields: &[],
    }],
    about: "Sent by `patchwork cron`. What was given up after many tries stays until somebody looks at it.",
    noun: &Outbox,
    ..PLAIN
};

struct Outbox;

#[rocket::async_trait]
impl Noun for Outbox {
    async fn more(
        &self,
        conn: &mut Conn,
        _: &View<'_>,
        access: &Access,
        id: &str,
    ) -> Result<Markup> {
        // Mails hold keys that confirm things: only who may do everything reads them.
        if !access.console.everything {
            return Ok(Markup::default());
        }
        let Some(key) = MODEL.table.id(id) else {
            return Ok(Markup::default());
        };
        let row = admin::read(conn, MODEL.table, &["content"], key, false).await?;
        let text = row.map(|row| row.get(1).text()).unwrap_or_default();
        Ok(html! { details.more { summary { "Text" } pre.folded tabindex="0" { (text) } } })
    }

    async fn act(
        &self,
        work: &mut Work<'_>,
        action: &str,
        ids: &[String],
        form: &Form<'_>,
    ) -> Result<Acted> {
        if action != "retry" {
            return Common.act(work, action, ids, form).await;
        }
        for id in ids {
            let now = work.access.now;
            let values = vec![
                ("failed", false.into()),
                ("tries", 0i64.into()),
                ("next_try", now.into()),
            ];
            work.update(id, values).await?;
            work.changed(id, "Next try", "", "at once").await?;
        }
        Ok(Acted::Done(format!(
            "{} due with the next `patchwork cron`.",
            MODEL.counted(ids.len())
        )))
    }
}
