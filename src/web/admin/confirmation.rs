//! Confirmations that were mailed: registrations, linked addresses, opting out and in.

use super::model::{By, Column, Field, Filter, Kind, Model, PLAIN, Part, SHOWN, Show};
use crate::store::admin::lookup;
use crate::{
    domain::permission::Deed,
    store::admin::{Key, Table},
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "emailconfirmation",
    one: "Confirmation",
    many: "Confirmations",
    part: Part::People,
    table: &Table {
        base: "email_confirmation",
        kind: Key::Number,
        key: "t.id",
        label: "t.type || ' of ' || t.email",
        columns: "t.email, t.type, a.username, t.date, t.active",
        joins: " LEFT JOIN account a ON a.id = t.account_id",
        only: "",
        words: &[("lower(t.email)", ""), ("t.type", "")],
        order: "t.id",
    },
    columns: &[
        Column::text("Address", "lower(t.email)"),
        Column::text("Kind", "t.type"),
        Column::text("Account", "t.account_id"),
        Column::new("Mailed", Show::Moment, "t.date"),
        Column::new("Open", Show::Yes, "t.active"),
    ],
    filters: &[Filter {
        key: "active",
        label: "Open",
        by: By::Yes(" AND t.active = "),
    }],
    fields: &[
        Field {
            name: "email",
            label: "Address",
            ..SHOWN
        },
        Field {
            name: "type",
            label: "Kind",
            ..SHOWN
        },
        Field {
            name: "account_id",
            label: "Account",
            kind: Kind::Row(&lookup::USER),
            ..SHOWN
        },
        Field {
            name: "date",
            label: "Mailed",
            kind: Kind::Moment,
            ..SHOWN
        },
        Field {
            name: "active",
            label: "Open",
            kind: Kind::Tick,
            ..SHOWN
        },
    ],
    deeds: &[Deed::View, Deed::Delete],
    about: "The keys themselves are kept as digests only.",
    ..PLAIN
};
