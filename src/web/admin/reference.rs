//! Message ids that lead to series: of use when a late mail joined the wrong one. The form of a series forgets them.

use super::model::{By, Column, Field, Filter, Kind, Model, PLAIN, SHOWN, Show};
use crate::store::admin::lookup;
use crate::{
    domain::permission::Deed,
    store::admin::{Key, Table},
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "seriesreference",
    one: "Series reference",
    many: "Series references",
    table: &Table {
        base: "series_reference",
        kind: Key::Text,
        key: "(t.series_id || ' ' || t.msgid)",
        label: "t.msgid",
        columns: "t.msgid, pr.linkname, coalesce(s.name, 'Untitled series') || ' #' || s.id, t.distance",
        joins: " JOIN project pr ON pr.id = t.project_id JOIN series s ON s.id = t.series_id",
        only: "",
        words: &[("lower(t.msgid)", "")],
        order: "t.series_id",
    },
    columns: &[
        Column::new("Message id", Show::Code, "t.msgid"),
        Column::text("Project", "t.project_id"),
        Column::text("Series", "t.series_id"),
        Column::new("Distance", Show::Number, "t.distance"),
    ],
    filters: &[
        Filter {
            key: "project",
            label: "Project",
            by: By::Row(&lookup::PROJECT, " AND t.project_id = ", ""),
        },
        Filter {
            key: "series",
            label: "Series",
            by: By::Row(&lookup::SERIES, " AND t.series_id = ", ""),
        },
    ],
    fields: &[
        Field {
            name: "msgid",
            label: "Message id",
            ..SHOWN
        },
        Field {
            name: "series_id",
            label: "Series",
            kind: Kind::Row(&lookup::SERIES),
            ..SHOWN
        },
        Field {
            name: "distance",
            label: "Distance",
            hint: "0: it is part of the series.",
            ..SHOWN
        },
    ],
    deeds: &[Deed::View, Deed::Delete],
    ..PLAIN
};
