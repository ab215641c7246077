//! Names that lead on: addresses of merged people, linknames that projects had before.

use super::model::{Column, Field, Kind, Model, PLAIN, Part, SHOWN, Show};
use crate::store::admin::lookup;
use crate::{
    domain::permission::Deed,
    store::admin::{Key, Table},
};

/// Addresses of people that were merged.
pub static OF_PEOPLE: Model = Model {
    name: "personalias",
    one: "Other address",
    many: "Other addresses",
    part: Part::People,
    table: &Table {
        base: "person_alias",
        kind: Key::Text,
        key: "t.email",
        label: "t.email",
        columns: "t.email, CASE WHEN coalesce(pe.name, '') = '' THEN pe.email ELSE pe.name END",
        joins: " JOIN person pe ON pe.id = t.person_id",
        only: "",
        words: &[
            ("t.email", ""),
            ("t.person_id IN (SELECT id FROM person WHERE key", ")"),
        ],
        order: "t.email",
    },
    columns: &[
        Column::text("Address", "t.email"),
        Column::text("Leads to", "t.person_id"),
    ],
    fields: &[
        Field {
            name: "email",
            label: "Address",
            ..SHOWN
        },
        Field {
            name: "person_id",
            label: "Leads to",
            kind: Kind::Row(&lookup::PERSON),
            ..SHOWN
        },
    ],
    deeds: &[Deed::View, Deed::Delete],
    about: "Addresses of people that were merged into others. Without the entry, the next mail from one makes a new person.",
    ..PLAIN
};

/// Linknames that projects had before.
pub static OF_PROJECTS: Model = Model {
    name: "projectalias",
    one: "Old linkname",
    many: "Old linknames",
    part: Part::Setup,
    table: &Table {
        base: "project_alias",
        kind: Key::Text,
        key: "t.linkname",
        label: "t.linkname",
        columns: "t.linkname, pr.linkname",
        joins: " JOIN project pr ON pr.id = t.project_id",
        only: "",
        words: &[("lower(t.linkname)", "")],
        order: "t.linkname",
    },
    columns: &[
        Column::new("Linkname", Show::Code, "t.linkname"),
        Column::new("Leads to", Show::Code, "t.project_id"),
    ],
    fields: &[
        Field {
            name: "linkname",
            label: "Linkname",
            ..SHOWN
        },
        Field {
            name: "project_id",
            label: "Leads to",
            kind: Kind::Row(&lookup::PROJECT),
            ..SHOWN
        },
    ],
    deeds: &[Deed::View, Deed::Delete],
    about: "Linknames that projects had before: their pages lead on to the new one.",
    ..PLAIN
};
