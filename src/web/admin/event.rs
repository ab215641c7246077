//! Events: what happened, to be read.

use maud::Markup;

use super::{
    super::{error::Result, form::Form, guard::View},
    access::Access,
    list,
    model::{
        Acted, Action, By, Column, Common, Field, Filter, Kind, LINE, Model, Noun, On, PLAIN, Part,
        SHOWN, Show,
    },
    work::Work,
};
use crate::{
    domain::permission::Deed,
    ingest::job::Kind as Job,
    store::{
        Conn,
        admin::{Key, Table, lookup},
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "event",
    one: "Event",
    many: "Events",
    part: Part::System,
    table: &Table {
        base: "event",
        kind: Key::Number,
        key: "t.id",
        label: "t.category || ' #' || t.id",
        columns: "t.category, t.date, pr.linkname, a.username, p.name, s.name",
        joins: " JOIN project pr ON pr.id = t.project_id LEFT JOIN account a ON a.id = t.actor_id
            LEFT JOIN patch p ON p.id = t.patch_id LEFT JOIN series s ON s.id = t.series_id",
        only: "",
        words: &[
            ("t.category", ""),
            ("t.patch_id IN (SELECT id FROM patch WHERE name_key", ")"),
        ],
        order: "t.id",
    },
    columns: &[
        Column::text("Category", "t.category"),
        Column::new("Date", Show::Moment, "t.date"),
        Column::text("Project", ""),
        Column::text("Actor", ""),
        Column::text("Patch", ""),
        Column::text("Series", ""),
    ],
    filters: &[
        Filter {
            key: "project",
            label: "Project",
            by: By::Row(&lookup::PROJECT, " AND t.project_id = ", ""),
        },
        Filter {
            key: "category",
            label: "Category",
            by: By::Text(" AND t.category = ", ""),
        },
        Filter {
            key: "actor",
            label: "Actor",
            by: By::Row(&lookup::USER, " AND t.actor_id = ", ""),
        },
        Filter {
            key: "date",
            label: "Date",
            by: By::Date(" AND t.date >= ", " AND t.date < "),
        },
    ],
    fields: &[
        Field {
            name: "category",
            label: "Category",
            ..SHOWN
        },
        Field {
            name: "date",
            label: "Date",
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
            name: "actor_id",
            label: "Actor",
            kind: Kind::Row(&lookup::USER),
            ..SHOWN
        },
        Field {
            name: "patch_id",
            label: "Patch",
            kind: Kind::Row(&lookup::PATCH),
            ..SHOWN
        },
        Field {
            name: "series_id",
            label: "Series",
            kind: Kind::Row(&lookup::SERIES),
            ..SHOWN
        },
        Field {
            name: "cover_id",
            label: "Cover letter",
            kind: Kind::Row(&lookup::COVER),
            ..SHOWN
        },
        Field {
            name: "previous_state_id",
            label: "State before",
            kind: Kind::Row(&lookup::STATE),
            ..SHOWN
        },
        Field {
            name: "current_state_id",
            label: "State after",
            kind: Kind::Row(&lookup::STATE),
            ..SHOWN
        },
        Field {
            name: "previous_delegate_id",
            label: "Delegate before",
            kind: Kind::Row(&lookup::USER),
            ..SHOWN
        },
        Field {
            name: "current_delegate_id",
            label: "Delegate after",
            kind: Kind::Row(&lookup::USER),
            ..SHOWN
        },
    ],
    deeds: &[Deed::View],
    actions: &[Action {
        name: "prune",
        label: "Delete old events",
        deed: Deed::Delete,
        on: On::All,
        fields: &[Field {
            name: "days",
            label: "Older than so many days",
            hint: "Scripts and feeds do not see them any more. It is done in the background.",
            kind: Kind::Number(1, 36500),
            initial: "730",
            ..LINE
        }],
    }],
    noun: &Events,
    ..PLAIN
};

struct Events;

#[rocket::async_trait]
impl Noun for Events {
    async fn above(&self, conn: &mut Conn, view: &View<'_>, access: &Access) -> Result<Markup> {
        if !access.holds(&MODEL, Deed::Delete) {
            return Ok(Markup::default());
        }
        list::fold(conn, view, &MODEL, "Delete old events").await
    }

    async fn act(
        &self,
        work: &mut Work<'_>,
        action: &str,
        ids: &[String],
        form: &Form<'_>,
    ) -> Result<Acted> {
        if action != "prune" {
            return Common.act(work, action, ids, form).await;
        }
        super::job::begin(work, Job::Prune, form.text("days")).await
    }
}
