//! Checks: what CI reported. Old ones of a kind can be deleted together.

use maud::Markup;

use super::{
    super::{error::Result, field::Faults, form::Form, guard::View},
    access::Access,
    draft::Draft,
    list,
    model::{
        Acted, Action, By, Column, Common, Edit, Field, Filter, Kind, LINE, Model, Noun, On, PLAIN,
        SHOWN, Show,
    },
    work::Work,
};
use crate::store::admin::lookup;
use crate::{
    domain::{
        PatchId, UserId,
        check::{CheckState, Fault, NewCheck},
        permission::Deed,
    },
    store::{
        self, Conn,
        admin::{Key, Table, mend},
        audit,
    },
    web::error::Error,
};

const STATES: &[&str] = &["pending", "success", "warning", "fail"];
/// How many checks are deleted at once.
const MOST: i64 = 5000;

/// The kind of things.
pub static MODEL: Model = Model {
    name: "check",
    one: "Check",
    many: "Checks",
    table: &Table {
        base: "patch_check",
        kind: Key::Number,
        key: "t.id",
        label: "(SELECT t.context || ': ' || p.name FROM patch p WHERE p.id = t.patch_id)",
        columns: "p.name, a.username, t.state, t.context, t.date, t.target_url",
        joins: " JOIN patch p ON p.id = t.patch_id JOIN account a ON a.id = t.account_id",
        only: "",
        words: &[
            ("lower(t.context)", ""),
            ("t.patch_id IN (SELECT id FROM patch WHERE name_key", ")"),
            (
                "t.account_id IN (SELECT id FROM account WHERE lower(username)",
                ")",
            ),
        ],
        order: "t.id",
    },
    columns: &[
        Column::text("Patch", "t.patch_id"),
        Column::text("Account", "t.account_id"),
        Column::new("State", Show::Word(STATES), "t.state"),
        Column::text("Context", "t.context"),
        Column::new("Date", Show::Moment, "t.date"),
        Column::text("Address", ""),
    ],
    filters: &[
        Filter {
            key: "state",
            label: "State",
            by: By::Choice(&[
                ("pending", "pending", " AND t.state = 0"),
                ("success", "success", " AND t.state = 1"),
                ("warning", "warning", " AND t.state = 2"),
                ("fail", "fail", " AND t.state = 3"),
            ]),
        },
        Filter {
            key: "user",
            label: "Account",
            by: By::Row(&lookup::USER, " AND t.account_id = ", ""),
        },
        Filter {
            key: "context",
            label: "Context",
            by: By::Text(" AND lower(t.context) = ", ""),
        },
        Filter {
            key: "project",
            label: "Project",
            by: By::Row(
                &lookup::PROJECT,
                " AND t.patch_id IN (SELECT id FROM patch WHERE project_id = ",
                ")",
            ),
        },
        Filter {
            key: "date",
            label: "Date",
            by: By::Date(" AND t.date >= ", " AND t.date < "),
        },
    ],
    fields: &[
        Field {
            name: "patch_id",
            label: "Patch",
            hint: "Its number or message id.",
            kind: Kind::Row(&lookup::PATCH),
            edit: Edit::Once,
            ..LINE
        },
        Field {
            name: "account_id",
            label: "Account",
            kind: Kind::Row(&lookup::USER),
            edit: Edit::Once,
            ..LINE
        },
        Field {
            name: "state",
            label: "State",
            kind: Kind::Word(STATES),
            ..LINE
        },
        Field {
            name: "context",
            label: "Context",
            kind: Kind::Slug(255),
            initial: "default",
            ..LINE
        },
        Field {
            name: "target_url",
            label: "Address of the report",
            kind: Kind::Url(200),
            required: false,
            nullable: true,
            ..LINE
        },
        Field {
            name: "description",
            label: "Description",
            kind: Kind::Line(1000),
            required: false,
            nullable: true,
            ..LINE
        },
        Field {
            name: "date",
            label: "Date",
            kind: Kind::Moment,
            ..SHOWN
        },
    ],
    actions: &[Action {
        name: "expire",
        label: "Delete old checks",
        deed: Deed::Delete,
        on: On::All,
        fields: &[
            Field {
                name: "old_context",
                label: "Context",
                ..LINE
            },
            Field {
                name: "days",
                label: "Older than so many days",
                kind: Kind::Number(0, 36500),
                initial: "365",
                ..LINE
            },
        ],
    }],
    noun: &Checks,
    ..PLAIN
};

struct Checks;

#[rocket::async_trait]
impl Noun for Checks {
    async fn check(
        &self,
        _: &mut Work<'_>,
        draft: &Draft,
        _: Option<&str>,
        faults: &mut Faults,
    ) -> Result<()> {
        for fault in entered(draft).err().into_iter().flatten() {
            let field = match fault {
                Fault::Context(_) => "context",
                Fault::TargetUrl(_) => "target_url",
            };
            faults.add(field, fault.to_string());
        }
        Ok(())
    }

    async fn insert(&self, work: &mut Work<'_>, draft: &Draft) -> Result<String> {
        let new = entered(draft).map_err(|_| Error::missing())?;
        let id = store::check::insert(&mut work.tx, &new, work.access.now).await?;
        Ok(id.to_string())
    }

    async fn above(&self, conn: &mut Conn, view: &View<'_>, access: &Access) -> Result<Markup> {
        if !access.may(&MODEL, Deed::Delete) {
            return Ok(Markup::default());
        }
        list::fold(conn, view, &MODEL, "Delete old checks").await
    }

    async fn act(
        &self,
        work: &mut Work<'_>,
        action: &str,
        ids: &[String],
        form: &Form<'_>,
    ) -> Result<Acted> {
        if action != "expire" {
            return Common.act(work, action, ids, form).await;
        }
        let context = form.text("old_context");
        let Ok(days) = form.text("days").parse::<i64>() else {
            return Ok(Acted::Refused("Say how many days.".into()));
        };
        let before = work
            .access
            .now
            .plus_minutes(-days.clamp(0, 36_500) * 24 * 60);
        let old = mend::old_checks(&mut work.tx, context, before, MOST).await?;
        mend::delete_checks(&mut work.tx, &old).await?;
        if !old.is_empty() {
            let change = audit::Change::new(
                "Checks",
                format!("{} older than {days} days", old.len()),
                "",
            );
            work.log(audit::Action::Deleted, "", context, &[change])
                .await?;
        }
        let more = if old.len() as i64 == MOST {
            " There may be more: do it once more."
        } else {
            ""
        };
        Ok(Acted::Done(format!(
            "{} were deleted.{more}",
            MODEL.counted(old.len())
        )))
    }

    async fn remove(&self, work: &mut Work<'_>, id: &str) -> Result<()> {
        Ok(mend::delete_checks(&mut work.tx, &[id.parse().unwrap_or_default()]).await?)
    }
}

/// Returns what was entered as a check, or what is wrong with it.
fn entered(draft: &Draft) -> std::result::Result<NewCheck, Vec<Fault>> {
    let state = CheckState::from_number(draft.int("state").unwrap_or_default());
    let some = |name: &str| Some(draft.get(name)).filter(|text| !text.is_empty());
    NewCheck::new(
        PatchId(draft.int("patch_id").unwrap_or_default()),
        UserId(draft.int("account_id").unwrap_or_default()),
        state.unwrap_or(CheckState::Pending),
        some("context"),
        some("target_url"),
        some("description"),
    )
}
