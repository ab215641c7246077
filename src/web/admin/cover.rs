//! Cover letters.

use super::{
    super::{error::Result, guard::View},
    model::{By, Column, Fate, Field, Filter, Kind, LINE, Loss, Model, Noun, PLAIN, SHOWN, Show},
    work::Work,
};
use crate::store::admin::lookup;
use crate::{
    domain::{CoverId, permission::Deed},
    store::{
        self, Conn,
        admin::{Key, Table, mend},
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "cover",
    one: "Cover letter",
    many: "Cover letters",
    table: &Table {
        base: "cover",
        kind: Key::Number,
        key: "t.id",
        label: "t.name",
        columns: "t.name, CASE WHEN coalesce(pe.name, '') = '' THEN pe.email ELSE pe.name END, pr.linkname, t.date",
        joins: " JOIN person pe ON pe.id = t.submitter_id JOIN project pr ON pr.id = t.project_id",
        only: "",
        words: &[
            ("lower(t.name)", ""),
            ("t.submitter_id IN (SELECT id FROM person WHERE key", ")"),
        ],
        order: "t.id",
    },
    columns: &[
        Column::text("Name", "lower(t.name)"),
        Column::text("Submitter", "t.submitter_id"),
        Column::text("Project", "t.project_id"),
        Column::new("Date", Show::Moment, "t.date"),
    ],
    filters: &[
        Filter {
            key: "project",
            label: "Project",
            by: By::Row(&lookup::PROJECT, " AND t.project_id = ", ""),
        },
        Filter {
            key: "submitter",
            label: "Submitter",
            by: By::Row(&lookup::PERSON, " AND t.submitter_id = ", ""),
        },
        Filter {
            key: "date",
            label: "Date",
            by: By::Date(" AND t.date >= ", " AND t.date < "),
        },
    ],
    fields: &[
        Field {
            name: "name",
            label: "Name",
            ..LINE
        },
        Field {
            name: "submitter_id",
            label: "Submitter",
            hint: "The number or the address of a person.",
            kind: Kind::Row(&lookup::PERSON),
            ..LINE
        },
        Field {
            name: "project_id",
            label: "Project",
            kind: Kind::Row(&lookup::PROJECT),
            ..SHOWN
        },
        Field {
            name: "date",
            label: "Date",
            kind: Kind::Moment,
            ..LINE
        },
        Field {
            name: "msgid",
            label: "Message id",
            ..SHOWN
        },
    ],
    losses: &[
        Loss {
            what: "Comments",
            fate: Fate::Go,
            count: "SELECT count(*) FROM comment WHERE cover_id = ",
        },
        Loss {
            what: "Events",
            fate: Fate::Go,
            count: "SELECT count(*) FROM event WHERE cover_id = ",
        },
        Loss {
            what: "Series",
            fate: Fate::Stay("stay, without a cover letter; their patches, too"),
            count: "SELECT count(*) FROM series WHERE cover_id = ",
        },
    ],
    deeds: &[Deed::View, Deed::Change, Deed::Delete],
    noun: &Covers,
    ..PLAIN
};

struct Covers;

fn number(id: &str) -> CoverId {
    CoverId(id.parse().unwrap_or_default())
}

#[rocket::async_trait]
impl Noun for Covers {
    async fn remove(&self, work: &mut Work<'_>, id: &str) -> Result<()> {
        Ok(mend::delete_cover(&mut work.tx, number(id)).await?)
    }

    async fn address(&self, conn: &mut Conn, view: &View<'_>, id: &str) -> Result<Option<String>> {
        let place = store::submission::cover(conn, number(id)).await?;
        Ok(place.map(|place| view.links().cover(&place.linkname, &place.msgid)))
    }
}
