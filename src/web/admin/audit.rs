//! The log of administration: read, searched, never edited.

use maud::Markup;

use super::{
    super::{error::Result, guard::View},
    access::Access,
    history,
    model::{By, Column, Field, Filter, Kind, Model, Noun, PLAIN, Part, SHOWN, Show},
};
use crate::{
    domain::permission::Deed,
    store::{
        Conn,
        admin::{self, Key, Table},
        audit,
    },
};

const WORDS: &[&str] = &["", "added", "changed", "deleted"];

/// The kind of things.
pub static MODEL: Model = Model {
    name: "audit",
    one: "Entry of the log",
    many: "Log of administration",
    part: Part::System,
    table: &Table {
        base: "audit",
        kind: Key::Number,
        key: "t.id",
        label: "t.model || ' ' || t.object",
        columns: "t.object, t.date, t.username, t.action, t.model, t.object_id, t.changes",
        joins: "",
        only: "",
        words: &[
            ("lower(t.object)", ""),
            ("lower(t.username)", ""),
            ("t.model", ""),
            ("lower(t.changes)", ""),
        ],
        order: "t.id",
    },
    columns: &[
        Column::text("Object", ""),
        Column::new("When", Show::Moment, "t.id"),
        Column::text("Who", "t.username"),
        Column::new("What", Show::Word(WORDS), ""),
        Column::new("Kind", Show::Code, "t.model"),
        Column::text("Number", ""),
        Column::text("Changes", ""),
    ],
    filters: &[
        Filter {
            key: "user",
            label: "Who",
            by: By::Text(" AND lower(t.username) = ", ""),
        },
        Filter {
            key: "model",
            label: "Kind",
            by: By::Text(" AND t.model = ", ""),
        },
        Filter {
            key: "action",
            label: "What",
            by: By::Choice(&[
                ("added", "added", " AND t.action = 1"),
                ("changed", "changed", " AND t.action = 2"),
                ("deleted", "deleted", " AND t.action = 3"),
            ]),
        },
        Filter {
            key: "date",
            label: "When",
            by: By::Date(" AND t.date >= ", " AND t.date < "),
        },
    ],
    fields: &[
        Field {
            name: "date",
            label: "When",
            kind: Kind::Moment,
            ..SHOWN
        },
        Field {
            name: "username",
            label: "Who",
            ..SHOWN
        },
        Field {
            name: "address",
            label: "From",
            ..SHOWN
        },
        Field {
            name: "action",
            label: "What",
            kind: Kind::Word(WORDS),
            ..SHOWN
        },
        Field {
            name: "model",
            label: "Kind",
            ..SHOWN
        },
        Field {
            name: "object_id",
            label: "Number",
            ..SHOWN
        },
        Field {
            name: "object",
            label: "Object",
            ..SHOWN
        },
    ],
    deeds: &[Deed::View],
    noun: &Log,
    ..PLAIN
};

struct Log;

#[rocket::async_trait]
impl Noun for Log {
    async fn more(&self, conn: &mut Conn, _: &View<'_>, _: &Access, id: &str) -> Result<Markup> {
        let Some(key) = MODEL.table.id(id) else {
            return Ok(Markup::default());
        };
        let row = admin::read(conn, MODEL.table, &["changes"], key, false).await?;
        let text = row.map(|row| row.get(1).text()).unwrap_or_default();
        Ok(history::changes(&audit::read(&text)))
    }
}
