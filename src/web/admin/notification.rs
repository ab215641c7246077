//! State changes that wait to be told to submitters.

use super::model::{Column, Field, Kind, Model, PLAIN, Part, SHOWN, Show};
use crate::store::admin::lookup;
use crate::{
    domain::permission::Deed,
    store::admin::{Key, Table},
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "patchchangenotification",
    one: "Waiting notification",
    many: "Waiting notifications",
    part: Part::System,
    table: &Table {
        base: "patch_change_notification",
        kind: Key::Number,
        key: "t.patch_id",
        label: "(SELECT p.name FROM patch p WHERE p.id = t.patch_id)",
        columns: "p.name, st.name, is_now.name, t.last_modified",
        joins: " JOIN patch p ON p.id = t.patch_id JOIN state st ON st.id = t.orig_state_id JOIN state is_now ON is_now.id = p.state_id",
        only: "",
        words: &[("t.patch_id IN (SELECT id FROM patch WHERE name_key", ")")],
        order: "t.last_modified",
    },
    columns: &[
        Column::text("Patch", ""),
        Column::text("State its submitter knows", "t.orig_state_id"),
        Column::text("State it has", ""),
        Column::new("Last changed", Show::Moment, "t.last_modified"),
    ],
    fields: &[
        Field {
            name: "patch_id",
            label: "Patch",
            kind: Kind::Row(&lookup::PATCH),
            ..SHOWN
        },
        Field {
            name: "orig_state_id",
            label: "State its submitter knows",
            kind: Kind::Row(&lookup::STATE),
            ..SHOWN
        },
        Field {
            name: "last_modified",
            label: "Last changed",
            kind: Kind::Moment,
            ..SHOWN
        },
    ],
    deeds: &[Deed::View, Deed::Delete],
    about: "Told by `patchwork cron` when all changes of a submitter have rested. What is deleted here is not told.",
    ..PLAIN
};
