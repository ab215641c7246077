//! Browsers that are logged in.

use super::model::{By, Column, Field, Filter, Kind, Model, PLAIN, Part, SHOWN, Show};
use crate::store::admin::lookup;
use crate::{
    domain::permission::Deed,
    store::admin::{Key, Table},
};

/// The kind of things.
pub static MODEL: Model = Model {
    app: "sessions",
    name: "session",
    one: "Session",
    many: "Sessions",
    part: Part::People,
    table: &Table {
        base: "session",
        kind: Key::Bytes,
        key: "t.key_hash",
        label: "coalesce((SELECT a.username FROM account a WHERE a.id = t.account_id), '-')",
        columns: "a.username, t.address, t.agent, t.created, t.seen, t.expires",
        joins: " LEFT JOIN account a ON a.id = t.account_id",
        only: "",
        words: &[
            (
                "t.account_id IN (SELECT id FROM account WHERE lower(username)",
                ")",
            ),
            ("lower(t.agent)", ""),
            ("t.address", ""),
        ],
        order: "t.created",
    },
    columns: &[
        Column::text("Account", "t.account_id"),
        Column::text("Address", "t.address"),
        Column::text("Browser", ""),
        Column::new("Began", Show::Moment, "t.created"),
        Column::new("Seen", Show::Moment, "t.seen"),
        Column::new("Ends", Show::Moment, "t.expires"),
    ],
    filters: &[Filter {
        key: "user",
        label: "Account",
        by: By::Row(&lookup::USER, " AND t.account_id = ", ""),
    }],
    fields: &[
        Field {
            name: "account_id",
            label: "Account",
            kind: Kind::Row(&lookup::USER),
            ..SHOWN
        },
        Field {
            name: "address",
            label: "Address",
            ..SHOWN
        },
        Field {
            name: "agent",
            label: "Browser",
            ..SHOWN
        },
        Field {
            name: "created",
            label: "Began",
            kind: Kind::Moment,
            ..SHOWN
        },
        Field {
            name: "seen",
            label: "Seen",
            kind: Kind::Moment,
            ..SHOWN
        },
        Field {
            name: "expires",
            label: "Ends",
            kind: Kind::Moment,
            ..SHOWN
        },
    ],
    deeds: &[Deed::View, Deed::Delete],
    about: "Deleting a session logs its browser out.",
    ..PLAIN
};
