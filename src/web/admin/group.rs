//! Groups: permissions that several accounts have together; two that most sites want are ready to be made.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{
    super::{
        error::Result,
        field::{self, Faults},
        form::Form,
        guard::View,
    },
    access::Access,
    address,
    draft::Draft,
    matrix,
    model::{
        Acted, Action, Column, Common, Fate, Field, Kind, LINE, Loss, Model, Noun, On, PLAIN, Part,
        Show, Unique,
    },
    work::Work,
};
use crate::{
    domain::permission::{Deed, name},
    store::{
        self, Conn,
        admin::{self, Key, Table},
        audit,
        permission::{self, Holder},
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    app: "auth",
    name: "group",
    one: "Group",
    many: "Groups",
    part: Part::People,
    table: &Table {
        base: "account_group",
        kind: Key::Number,
        key: "t.id",
        label: "t.name",
        columns: "t.name, (SELECT count(*) FROM group_member m WHERE m.group_id = t.id), (SELECT count(*) FROM group_permission p WHERE p.group_id = t.id)",
        joins: "",
        only: "",
        words: &[("lower(t.name)", "")],
        order: "t.id",
    },
    columns: &[
        Column::text("Name", "t.name"),
        Column::new("Members", Show::Number, ""),
        Column::new("Permissions", Show::Number, ""),
    ],
    fields: &[Field {
        name: "name",
        label: "Name",
        kind: Kind::Line(150),
        ..LINE
    }],
    unique: &[Unique {
        fields: &["name"],
        fault: "There is a group of this name.",
    }],
    losses: &[Loss {
        what: "Members",
        fate: Fate::Stay("stay, without its permissions"),
        count: "SELECT count(*) FROM group_member WHERE group_id = ",
    }],
    actions: &[
        Action {
            name: "preset",
            label: "Make",
            deed: Deed::Add,
            on: On::All,
            fields: &[],
        },
        Action {
            name: "permissions",
            label: "Save permissions",
            deed: Deed::Change,
            on: On::Own,
            fields: &[],
        },
        Action {
            name: "add-member",
            label: "Add",
            deed: Deed::Change,
            on: On::Own,
            fields: &[],
        },
        Action {
            name: "remove-member",
            label: "Remove",
            deed: Deed::Change,
            on: On::Own,
            fields: &[],
        },
    ],
    is_grave: true,
    noun: &Groups,
    ..PLAIN
};

struct Groups;

fn number(id: &str) -> i64 {
    id.parse().unwrap_or_default()
}

/// The groups that are ready to be made.
const PRESETS: [&str; 2] = ["List admins", "CI operators"];

fn preset(group: &str) -> Vec<String> {
    let all = |models: &[&str], deeds: &[Deed]| -> Vec<String> {
        let pairs = models
            .iter()
            .flat_map(|model| deeds.iter().map(move |deed| (model, deed)));
        pairs
            .map(|(model, deed)| name("patchwork", *deed, model))
            .collect()
    };
    match group {
        "List admins" => [
            all(
                &[
                    "person",
                    "patch",
                    "cover",
                    "patchcomment",
                    "covercomment",
                    "series",
                    "seriesreference",
                ],
                &[Deed::View, Deed::Change, Deed::Delete],
            ),
            all(&["state", "tag", "project"], &[Deed::View]),
        ]
        .concat(),
        "CI operators" => all(&["check"], &Deed::ALL),
        _ => Vec::new(),
    }
}

#[rocket::async_trait]
impl Noun for Groups {
    async fn check(
        &self,
        work: &mut Work<'_>,
        _: &Draft,
        _: Option<&str>,
        faults: &mut Faults,
    ) -> Result<()> {
        faults.check(
            work.access.console.everything,
            "",
            "Only superusers change groups.",
        );
        Ok(())
    }

    async fn above(&self, conn: &mut Conn, view: &View<'_>, access: &Access) -> Result<Markup> {
        let known = permission::groups(conn).await?;
        let action = view.links().admin(&MODEL.path());
        Ok(html! {
            @if access.console.everything && !access.is_stale {
                div.deeds {
                    @for preset in PRESETS {
                        @if known.iter().all(|(_, name)| name != preset) {
                            (field::button(view, &action, &format!("Make the group “{preset}”"), &[("action", "preset"), ("preset", preset)]))
                        }
                    }
                }
            }
        })
    }

    async fn more(
        &self,
        conn: &mut Conn,
        view: &View<'_>,
        access: &Access,
        id: &str,
    ) -> Result<Markup> {
        let action = address(view, &MODEL, id, "do");
        let held: BTreeSet<String> = permission::held(conn, Holder::Group(number(id)))
            .await?
            .into_iter()
            .collect();
        let members = permission::members(conn, number(id)).await?;
        let may_change = access.console.everything;
        Ok(html! {
            section.more {
                h2 { "Members" }
                @if members.is_empty() { p.muted { "None yet." } }
                ul.members { @for (_, username) in &members {
                    li { span { (username) } @if may_change && !access.is_stale { (field::button(view, &action, "Remove", &[("user", username), ("action", "remove-member")])) } }
                } }
                @if may_change {
                    form.actions method="post" action=(action) {
                        (view.csrf())
                        div.act {
                            div.entry { label for="id_user" { "Login name" } input #id_user name="user" autocapitalize="none" required; }
                            (access.password_field(true, &Faults::default()))
                            button type="submit" name="action" value="add-member" { "Add a member" }
                        }
                    }
                }
            }
            section.more {
                h2 { "Permissions" }
                form.entries.wide method="post" action=(action) {
                    (view.csrf())
                    (matrix::drawn(&held, may_change))
                    @if may_change {
                        (access.password_field(true, &Faults::default()))
                        button type="submit" name="action" value="permissions" { "Save permissions" }
                    }
                }
            }
        })
    }

    async fn act(
        &self,
        work: &mut Work<'_>,
        action: &str,
        ids: &[String],
        form: &Form<'_>,
    ) -> Result<Acted> {
        if !work.access.console.everything {
            return Ok(Acted::Refused("Only superusers change groups.".into()));
        }
        if action == "preset" {
            return make(work, form.text("preset")).await;
        }
        let (id, group) = (ids[0].as_str(), number(&ids[0]));
        match action {
            "permissions" => {
                let before = permission::held(&mut work.tx, Holder::Group(group)).await?;
                let names = matrix::sent(form);
                permission::set(&mut work.tx, Holder::Group(group), &names).await?;
                work.changed(id, "Permissions", &before.join(" "), &names.join(" "))
                    .await?;
                Ok(Acted::Done("The permissions were saved.".into()))
            }
            "add-member" | "remove-member" => {
                let name = form.text("user");
                let Some(user) = store::user::by_username(&mut work.tx, name).await? else {
                    return Ok(Acted::Refused(format!("There is no account “{name}”.")));
                };
                if action == "add-member" {
                    permission::add_member(&mut work.tx, group, user.id.0).await?;
                    work.changed(id, "Members", "", name).await?;
                    return Ok(Acted::Done(format!("{name} is a member now.")));
                }
                permission::remove_member(&mut work.tx, group, user.id.0).await?;
                work.changed(id, "Members", name, "").await?;
                Ok(Acted::Done(format!("{name} is no member any more.")))
            }
            _ => Common.act(work, action, ids, form).await,
        }
    }

    async fn obstacle(
        &self,
        _: &mut Conn,
        access: &Access,
        _: &[String],
    ) -> Result<Option<String>> {
        Ok((!access.console.everything).then(|| "Only superusers change groups.".to_owned()))
    }
}

async fn make(work: &mut Work<'_>, group: &str) -> Result<Acted> {
    let names = preset(group);
    if names.is_empty() {
        return Ok(Acted::Refused("There is no such group to be made.".into()));
    }
    if admin::clash(
        &mut work.tx,
        MODEL.table,
        vec![("name", group.into())],
        None,
    )
    .await?
    {
        return Ok(Acted::Refused(format!("There is a group “{group}”.")));
    }
    let id = admin::insert(&mut work.tx, MODEL.table.base, vec![("name", group.into())]).await?;
    permission::set(&mut work.tx, Holder::Group(id), &names).await?;
    let change = audit::Change::new("Permissions", "", names.join(" "));
    work.log(audit::Action::Added, &id.to_string(), group, &[change])
        .await?;
    Ok(Acted::Done(format!("The group “{group}” was made.")))
}
