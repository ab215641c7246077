//! Bundles of users.

use maud::{Markup, html};

use super::{
    super::{error::Result, guard::View, parts},
    access::Access,
    address,
    model::{
        By, Column, Fate, Field, Filter, Kind, LINE, Loss, Model, Noun, PLAIN, Show, TICK, Unique,
    },
};
use crate::store::admin::lookup;
use crate::{
    domain::BundleId,
    store::{
        self, Conn,
        admin::{Key, Table},
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "bundle",
    one: "Bundle",
    many: "Bundles",
    table: &Table {
        base: "bundle",
        kind: Key::Number,
        key: "t.id",
        label: "t.name",
        columns: "t.name, a.username, pr.linkname, t.public, (SELECT count(*) FROM bundle_patch b WHERE b.bundle_id = t.id)",
        joins: " JOIN account a ON a.id = t.owner_id JOIN project pr ON pr.id = t.project_id",
        only: "",
        words: &[
            ("lower(t.name)", ""),
            (
                "t.owner_id IN (SELECT id FROM account WHERE lower(username)",
                ")",
            ),
        ],
        order: "t.id",
    },
    columns: &[
        Column::text("Name", "lower(t.name)"),
        Column::text("Owner", "t.owner_id"),
        Column::text("Project", "t.project_id"),
        Column::new("Public", Show::Yes, "t.public"),
        Column::new("Patches", Show::Number, ""),
    ],
    filters: &[
        Filter {
            key: "public",
            label: "Public",
            by: By::Yes(" AND t.public = "),
        },
        Filter {
            key: "project",
            label: "Project",
            by: By::Row(&lookup::PROJECT, " AND t.project_id = ", ""),
        },
        Filter {
            key: "owner",
            label: "Owner",
            by: By::Row(&lookup::USER, " AND t.owner_id = ", ""),
        },
    ],
    fields: &[
        Field {
            name: "name",
            label: "Name",
            kind: Kind::Line(50),
            ..LINE
        },
        Field {
            name: "owner_id",
            label: "Owner",
            kind: Kind::Row(&lookup::USER),
            ..LINE
        },
        Field {
            name: "project_id",
            label: "Project",
            kind: Kind::Row(&lookup::PROJECT),
            ..LINE
        },
        Field {
            name: "public",
            label: "Everybody may see it",
            ..TICK
        },
    ],
    unique: &[Unique {
        fields: &["name", "owner_id"],
        fault: "The owner has a bundle of this name.",
    }],
    losses: &[Loss {
        what: "Patches",
        fate: Fate::Stay("stay"),
        count: "SELECT count(*) FROM bundle_patch WHERE bundle_id = ",
    }],
    noun: &Bundles,
    ..PLAIN
};

struct Bundles;

#[rocket::async_trait]
impl Noun for Bundles {
    async fn more(&self, conn: &mut Conn, view: &View<'_>, _: &Access, id: &str) -> Result<Markup> {
        let bundle = BundleId(id.parse().unwrap_or_default());
        let ids = store::bundle::patches(conn, bundle).await?;
        let briefs = store::patch::search::briefs(conn, &ids).await?;
        let in_order = ids
            .iter()
            .filter_map(|id| briefs.iter().find(|brief| brief.id == *id));
        Ok(html! {
            section.more {
                h2 { "Patches" }
                @if ids.is_empty() { p.muted { "None." } }
                ol.members { @for brief in in_order {
                    li { a href=(address(view, &super::patch::MODEL, &brief.id.to_string(), "change")) { (parts::named(&brief.name)) } }
                } }
            }
        })
    }
}
