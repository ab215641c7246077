//! Addresses that want no mail from this site.

use super::{
    super::error::Result,
    draft::Draft,
    model::{Column, Edit, Field, Kind, LINE, Model, Noun, PLAIN, Part, Unique},
    work::Work,
};
use crate::{
    domain::{permission::Deed, person::optout_key},
    store::{
        self,
        admin::{Key, Table},
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "emailoptout",
    one: "Opt-out",
    many: "Opt-outs",
    part: Part::People,
    table: &Table {
        base: "email_optout",
        kind: Key::Text,
        key: "t.email",
        label: "t.email",
        columns: "t.email",
        joins: "",
        only: "",
        words: &[("t.email", "")],
        order: "t.email",
    },
    columns: &[Column::text("Address", "t.email")],
    fields: &[Field {
        name: "email",
        label: "Address",
        kind: Kind::Email(200),
        edit: Edit::Once,
        ..LINE
    }],
    unique: &[Unique {
        fields: &["email"],
        fault: "This address is on the list already.",
    }],
    deeds: &[Deed::View, Deed::Add, Deed::Delete],
    about: "These addresses get no mail from this site.",
    noun: &Optouts,
    ..PLAIN
};

struct Optouts;

#[rocket::async_trait]
impl Noun for Optouts {
    async fn insert(&self, work: &mut Work<'_>, draft: &Draft) -> Result<String> {
        store::optout::insert(&mut work.tx, draft.get("email")).await?;
        Ok(optout_key(draft.get("email")))
    }
}
