//! Comments, of patches and of cover letters: moved to what they really answer, deleted with the tags they brought.

use maud::{Markup, html};

use super::{
    super::{error::Result, form::Form, guard::View},
    access::Access,
    model::{
        Acted, Action, By, Column, Common, Field, Filter, Kind, LINE, Model, Noun, On, PLAIN,
        SHOWN, Show,
    },
    work::Work,
};
use crate::store::admin::lookup;
use crate::{
    domain::{CommentId, CoverId, PatchId, comment::Parent, permission::Deed},
    store::{
        self, Conn,
        admin::{self, Key, Table, mend},
        audit,
    },
};

const COLUMNS: &[Column] = &[
    Column::text("Answers", ""),
    Column::text("Submitter", "t.submitter_id"),
    Column::new("Date", Show::Moment, "t.date"),
    Column::new("Addressed", Show::Yes, "t.addressed"),
];

const FILTERS: &[Filter] = &[
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
];

const ACTIONS: &[Action] = &[Action {
    name: "move",
    label: "Move",
    deed: Deed::Change,
    on: On::Each,
    fields: &[
        Field {
            name: "patch",
            label: "To the patch",
            hint: "Its number or message id.",
            kind: Kind::Row(&lookup::PATCH),
            required: false,
            ..LINE
        },
        Field {
            name: "cover",
            label: "Or to the cover letter",
            hint: "Its number or message id.",
            kind: Kind::Row(&lookup::COVER),
            required: false,
            ..LINE
        },
    ],
}];

const SUBMITTER: Field = Field {
    name: "submitter_id",
    label: "Submitter",
    hint: "The number or the address of a person.",
    kind: Kind::Row(&lookup::PERSON),
    ..LINE
};
const ADDRESSED: Field = Field {
    name: "addressed",
    label: "Addressed",
    hint: "Whether what it asks for is done; unset if it asks for nothing.",
    kind: Kind::Maybe,
    required: false,
    ..LINE
};
const DATE: Field = Field {
    name: "date",
    label: "Date",
    kind: Kind::Moment,
    ..SHOWN
};
const MSGID: Field = Field {
    name: "msgid",
    label: "Message id",
    ..SHOWN
};

/// Comments of patches.
pub static OF_PATCHES: Model = Model {
    name: "patchcomment",
    one: "Patch comment",
    many: "Patch comments",
    table: &Table {
        base: "comment",
        kind: Key::Number,
        key: "t.id",
        label: "(SELECT 'Re: ' || p.name FROM patch p WHERE p.id = t.patch_id)",
        columns: "p.name, CASE WHEN coalesce(pe.name, '') = '' THEN pe.email ELSE pe.name END, t.date, t.addressed",
        joins: " JOIN patch p ON p.id = t.patch_id JOIN person pe ON pe.id = t.submitter_id",
        only: " AND t.patch_id IS NOT NULL",
        words: &[
            ("t.patch_id IN (SELECT id FROM patch WHERE name_key", ")"),
            ("t.submitter_id IN (SELECT id FROM person WHERE key", ")"),
        ],
        order: "t.id",
    },
    columns: COLUMNS,
    filters: FILTERS,
    fields: &[
        Field {
            name: "patch_id",
            label: "Patch",
            kind: Kind::Row(&lookup::PATCH),
            ..SHOWN
        },
        SUBMITTER,
        ADDRESSED,
        DATE,
        MSGID,
    ],
    deeds: &[Deed::View, Deed::Change, Deed::Delete],
    actions: ACTIONS,
    noun: &Comments,
    ..PLAIN
};

/// Comments of cover letters.
pub static OF_COVERS: Model = Model {
    name: "covercomment",
    one: "Cover comment",
    many: "Cover comments",
    table: &Table {
        base: "comment",
        kind: Key::Number,
        key: "t.id",
        label: "(SELECT 'Re: ' || o.name FROM cover o WHERE o.id = t.cover_id)",
        columns: "o.name, CASE WHEN coalesce(pe.name, '') = '' THEN pe.email ELSE pe.name END, t.date, t.addressed",
        joins: " JOIN cover o ON o.id = t.cover_id JOIN person pe ON pe.id = t.submitter_id",
        only: " AND t.cover_id IS NOT NULL",
        words: &[
            ("t.cover_id IN (SELECT id FROM cover WHERE lower(name)", ")"),
            ("t.submitter_id IN (SELECT id FROM person WHERE key", ")"),
        ],
        order: "t.id",
    },
    columns: COLUMNS,
    filters: FILTERS,
    fields: &[
        Field {
            name: "cover_id",
            label: "Cover letter",
            kind: Kind::Row(&lookup::COVER),
            ..SHOWN
        },
        SUBMITTER,
        ADDRESSED,
        DATE,
        MSGID,
    ],
    deeds: &[Deed::View, Deed::Change, Deed::Delete],
    actions: ACTIONS,
    noun: &Comments,
    ..PLAIN
};

struct Comments;

fn number(id: &str) -> CommentId {
    CommentId(id.parse().unwrap_or_default())
}

#[rocket::async_trait]
impl Noun for Comments {
    async fn more(&self, conn: &mut Conn, _: &View<'_>, _: &Access, id: &str) -> Result<Markup> {
        let text = store::comment::text(conn, number(id))
            .await?
            .unwrap_or_default();
        let cut: String = text.chars().take(20_000).collect();
        Ok(html! { details.more { summary { "Message" } pre.folded tabindex="0" { (cut) } } })
    }

    async fn act(
        &self,
        work: &mut Work<'_>,
        action: &str,
        ids: &[String],
        form: &Form<'_>,
    ) -> Result<Acted> {
        if action != "move" {
            return Common.act(work, action, ids, form).await;
        }
        let patch = match form.text("patch") {
            "" => None,
            text => admin::find(&mut work.tx, &lookup::PATCH, text).await?,
        };
        let cover = match form.text("cover") {
            "" => None,
            text => admin::find(&mut work.tx, &lookup::COVER, text).await?,
        };
        let parent = match (patch, cover) {
            (Some(patch), None) => Parent::Patch(PatchId(patch)),
            (None, Some(cover)) => Parent::Cover(CoverId(cover)),
            _ => {
                return Ok(Acted::Refused(
                    "Name one patch or one cover letter that there is.".into(),
                ));
            }
        };
        for id in ids {
            let label = work.label(id).await?;
            if store::comment::is_with(&mut work.tx, number(id), parent).await? {
                return Ok(Acted::Refused(
                    "It has that comment already. Nothing was moved.".into(),
                ));
            }
            mend::move_comment(&mut work.tx, number(id), parent).await?;
            let to = match parent {
                Parent::Patch(patch) => format!("patch {patch}"),
                Parent::Cover(cover) => format!("cover letter {cover}"),
            };
            let change = audit::Change::new("Answers", &label, to);
            work.log(audit::Action::Changed, id, &label, &[change])
                .await?;
        }
        Ok(Acted::Done(format!(
            "{} moved.",
            work.model.counted(ids.len())
        )))
    }

    async fn remove(&self, work: &mut Work<'_>, id: &str) -> Result<()> {
        store::comment::delete(&mut work.tx, number(id)).await?;
        Ok(())
    }

    async fn address(&self, _: &mut Conn, view: &View<'_>, id: &str) -> Result<Option<String>> {
        Ok(Some(view.links().comment(number(id))))
    }
}
