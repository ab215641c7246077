//! Accounts: what they may do, what is theirs, and how they end.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{
    super::{
        error::{Error, Result},
        field::{self, Faults},
        form::Form,
        guard::View,
    },
    access::Access,
    address,
    draft::Draft,
    matrix,
    model::{
        Acted, Action, By, Column, Common, Edit, Fate, Field, Filter, Kind, LINE, Loss, Model,
        Noun, On, PLAIN, Part, SHOWN, Show, TICK, Unique,
    },
    work::Work,
};
use crate::store::admin::lookup;
use crate::{
    auth,
    domain::{PersonId, UserId, permission::Deed, user},
    store::{
        self, Conn,
        admin::{Key, Table, member, mend},
        audit::{self, Change},
        permission::{self, Holder},
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    app: "auth",
    name: "user",
    one: "User",
    many: "Users",
    part: Part::People,
    table: &Table {
        base: "account",
        kind: Key::Number,
        key: "t.id",
        label: "t.username",
        columns: "t.username, t.email, t.first_name, t.last_name, t.is_staff, t.is_active, t.last_login",
        joins: "",
        only: "",
        words: &[
            ("lower(t.username)", ""),
            ("lower(t.email)", ""),
            ("lower(t.first_name)", ""),
            ("lower(t.last_name)", ""),
        ],
        order: "t.id",
    },
    columns: &[
        Column::text("Login name", "t.username"),
        Column::text("Address", "t.email"),
        Column::text("First name", "t.first_name"),
        Column::text("Last name", "t.last_name"),
        Column::new("Staff", Show::Yes, "t.is_staff"),
        Column::new("Active", Show::Yes, "t.is_active"),
        Column::new("Last login", Show::Moment, "t.last_login"),
    ],
    filters: &[
        Filter {
            key: "staff",
            label: "Staff",
            by: By::Yes(" AND t.is_staff = "),
        },
        Filter {
            key: "superuser",
            label: "Superuser",
            by: By::Yes(" AND t.is_superuser = "),
        },
        Filter {
            key: "active",
            label: "Active",
            by: By::Yes(" AND t.is_active = "),
        },
        Filter {
            key: "group",
            label: "Group",
            by: By::Row(
                &lookup::GROUP,
                " AND t.id IN (SELECT account_id FROM group_member WHERE group_id = ",
                ")",
            ),
        },
        Filter {
            key: "project",
            label: "Maintainer of",
            by: By::Row(
                &lookup::PROJECT,
                " AND t.id IN (SELECT account_id FROM maintainer WHERE project_id = ",
                ")",
            ),
        },
        Filter {
            key: "seen",
            label: "Logged in",
            by: By::Choice(&[
                ("ever", "ever", " AND t.last_login IS NOT NULL"),
                ("never", "never", " AND t.last_login IS NULL"),
            ]),
        },
    ],
    fields: &[
        Field {
            name: "username",
            label: "Login name",
            hint: "Letters, digits and @ . + - _",
            kind: Kind::Line(150),
            ..LINE
        },
        Field {
            name: "password_new",
            label: "Password",
            hint: "Eight characters or more.",
            kind: Kind::Secret,
            edit: Edit::Once,
            ..LINE
        },
        Field {
            name: "password_again",
            label: "Password once more",
            kind: Kind::Secret,
            edit: Edit::Once,
            ..LINE
        },
        Field {
            name: "email",
            label: "Address",
            kind: Kind::Email(254),
            required: false,
            ..LINE
        },
        Field {
            name: "first_name",
            label: "First name",
            kind: Kind::Line(150),
            required: false,
            ..LINE
        },
        Field {
            name: "last_name",
            label: "Last name",
            kind: Kind::Line(150),
            required: false,
            ..LINE
        },
        Field {
            name: "is_active",
            label: "May log in",
            hint: "Take this away instead of deleting the account.",
            initial: "1",
            ..TICK
        },
        Field {
            name: "is_staff",
            label: "Staff",
            hint: "May enter this console. That gives no rights on patches: make it a maintainer of a project for that.",
            ..TICK
        },
        Field {
            name: "is_superuser",
            label: "Superuser",
            hint: "May do everything in this console.",
            ..TICK
        },
        Field {
            name: "items_per_page",
            label: "Rows a page",
            kind: Kind::Number(1, 1000),
            initial: "100",
            ..LINE
        },
        Field {
            name: "show_ids",
            label: "Show ids in lists",
            ..TICK
        },
        Field {
            name: "send_email",
            label: "Send mail of what it did itself",
            ..TICK
        },
        Field {
            name: "date_joined",
            label: "Made",
            kind: Kind::Moment,
            ..SHOWN
        },
        Field {
            name: "last_login",
            label: "Last login",
            kind: Kind::Moment,
            ..SHOWN
        },
    ],
    unique: &[Unique {
        fields: &["username"],
        fault: "There is an account of this name.",
    }],
    losses: &[
        Loss {
            what: "Bundles",
            fate: Fate::Go,
            count: "SELECT count(*) FROM bundle WHERE owner_id = ",
        },
        Loss {
            what: "Delegation rules",
            fate: Fate::Go,
            count: "SELECT count(*) FROM delegation_rule WHERE account_id = ",
        },
        Loss {
            what: "Tokens",
            fate: Fate::Go,
            count: "SELECT count(*) FROM token WHERE account_id = ",
        },
        Loss {
            what: "Patches on its desk",
            fate: Fate::Stay("stay, on nobody's desk"),
            count: "SELECT count(*) FROM patch WHERE delegate_id = ",
        },
        Loss {
            what: "People",
            fate: Fate::Stay("stay, of no account"),
            count: "SELECT count(*) FROM person WHERE account_id = ",
        },
        Loss {
            what: "Checks",
            fate: Fate::Stay("stay, of the account deleted-user"),
            count: "SELECT count(*) FROM patch_check WHERE account_id = ",
        },
        Loss {
            what: "Events it caused",
            fate: Fate::Stay("stay, of nobody"),
            count: "SELECT count(*) FROM event WHERE actor_id = ",
        },
    ],
    actions: &[
        Action {
            name: "deactivate",
            label: "Deactivate",
            deed: Deed::Change,
            on: On::Each,
            fields: &[],
        },
        Action {
            name: "activate",
            label: "Activate",
            deed: Deed::Change,
            on: On::Each,
            fields: &[],
        },
        Action {
            name: "end-sessions",
            label: "End all sessions",
            deed: Deed::Change,
            on: On::Each,
            fields: &[],
        },
        Action {
            name: "maintain",
            label: "Make maintainer",
            deed: Deed::Change,
            on: On::Each,
            fields: &[Field {
                name: "project",
                label: "Project",
                kind: Kind::Row(&lookup::PROJECT),
                required: false,
                ..LINE
            }],
        },
        Action {
            name: "unmaintain",
            label: "No maintainer any more",
            deed: Deed::Change,
            on: On::Own,
            fields: &[],
        },
        Action {
            name: "unlink",
            label: "Unlink",
            deed: Deed::Change,
            on: On::Own,
            fields: &[],
        },
        Action {
            name: "password",
            label: "Set password",
            deed: Deed::Change,
            on: On::Own,
            fields: &[],
        },
        Action {
            name: "rights",
            label: "Save rights",
            deed: Deed::Change,
            on: On::Own,
            fields: &[],
        },
        Action {
            name: "revoke",
            label: "Revoke",
            deed: Deed::Change,
            on: On::Own,
            fields: &[],
        },
    ],
    is_grave: true,
    noun: &Users,
    ..PLAIN
};

struct Users;

fn number(id: &str) -> UserId {
    UserId(id.parse().unwrap_or_default())
}

const LAST: &str = "This is the last superuser who can log in; make another one first.";
const OWN: &str = "Nobody takes the own rights away: ask another superuser.";
const ABOVE: &str = "Only superusers change accounts of superusers, and who is staff.";

/// Says what is wrong with a new password.
fn judged_password(first: &str, second: &str) -> Option<&'static str> {
    match () {
        () if first.chars().count() < auth::MIN_PASSWORD => {
            Some("A password has eight characters or more.")
        }
        () if first != second => Some("The two passwords differ."),
        () => None,
    }
}

async fn hashed(password: &str) -> Result<String> {
    let password = password.to_owned();
    let hashed = rocket::tokio::task::spawn_blocking(move || auth::hash_password(&password)).await;
    match hashed {
        Ok(Ok(hash)) => Ok(hash),
        _ => Err(Error::Unlucky),
    }
}

/// Says why the one who asks may not touch an account, if so: what staff were given does not reach above themselves.
async fn untouchable(conn: &mut Conn, access: &Access, id: UserId) -> Result<Option<&'static str>> {
    let user = store::user::by_id(conn, id)
        .await?
        .ok_or_else(Error::missing)?;
    let is_above = user.is_superuser || (user.is_staff && user.id != access.user.id);
    Ok((is_above && !access.console.everything).then_some(ABOVE))
}

#[rocket::async_trait]
impl Noun for Users {
    async fn check(
        &self,
        work: &mut Work<'_>,
        draft: &Draft,
        id: Option<&str>,
        faults: &mut Faults,
    ) -> Result<()> {
        let name = draft.get("username");
        faults.check(
            user::is_username(name),
            "username",
            "Only letters, digits and @ . + - _ are taken.",
        );
        let everything = work.access.console.everything;
        let Some(id) = id.map(number) else {
            if let Some(fault) =
                judged_password(draft.get("password_new"), draft.get("password_again"))
            {
                faults.add("password_new", fault);
            }
            let is_high = draft.is_ticked("is_staff") || draft.is_ticked("is_superuser");
            faults.check(everything || !is_high, "is_staff", ABOVE);
            return Ok(());
        };
        if let Some(fault) = untouchable(&mut work.tx, work.access, id).await? {
            faults.add("", fault);
        }
        let before = store::user::by_id(&mut work.tx, id)
            .await?
            .ok_or_else(Error::missing)?;
        let (staff, superuser) = (draft.is_ticked("is_staff"), draft.is_ticked("is_superuser"));
        let is_same = (staff, superuser) == (before.is_staff, before.is_superuser);
        faults.check(everything || is_same, "is_staff", ABOVE);
        let active = draft.is_ticked("is_active");
        if id == work.access.user.id {
            faults.check(superuser || !before.is_superuser, "is_superuser", OWN);
            faults.check(staff, "is_staff", OWN);
            faults.check(active, "is_active", "Nobody deactivates the own account.");
        }
        let was_one = before.is_superuser && before.is_staff && before.is_active;
        if was_one
            && !(active && staff && superuser)
            && member::other_superusers(&mut work.tx, id).await? == 0
        {
            faults.add("is_active", LAST);
        }
        Ok(())
    }

    async fn insert(&self, work: &mut Work<'_>, draft: &Draft) -> Result<String> {
        let hash = hashed(draft.get("password_new")).await?;
        let now = work.access.now;
        work.insert(
            draft,
            vec![("password", hash.into()), ("date_joined", now.into())],
        )
        .await
    }

    async fn update(
        &self,
        work: &mut Work<'_>,
        id: &str,
        draft: &Draft,
        before: &Draft,
    ) -> Result<()> {
        Common.update(work, id, draft, before).await?;
        if draft.differs(before, "is_active") && !draft.is_ticked("is_active") {
            store::session::end_others(&mut work.tx, number(id), &[]).await?;
        }
        Ok(())
    }

    async fn more(
        &self,
        conn: &mut Conn,
        view: &View<'_>,
        access: &Access,
        id: &str,
    ) -> Result<Markup> {
        let action = address(view, &MODEL, id, "do");
        let user = number(id);
        let may_change =
            access.may(&MODEL, Deed::Change) && untouchable(conn, access, user).await?.is_none();
        let belongings = belongings(conn, view, access, user, &action, may_change).await?;
        let rights = rights(conn, view, access, user, &action).await?;
        Ok(html! {
            (belongings)
            @if may_change { (password(view, access, &action)) }
            (rights)
        })
    }

    async fn act(
        &self,
        work: &mut Work<'_>,
        action: &str,
        ids: &[String],
        form: &Form<'_>,
    ) -> Result<Acted> {
        for id in ids {
            if let Some(fault) = untouchable(&mut work.tx, work.access, number(id)).await? {
                return Ok(Acted::Refused(fault.into()));
            }
        }
        match action {
            "activate" => {
                for id in ids {
                    switch(work, id, true).await?;
                }
                Ok(Acted::Done(format!(
                    "{} may log in.",
                    MODEL.counted(ids.len())
                )))
            }
            "deactivate" => deactivate(work, ids).await,
            "end-sessions" => {
                for id in ids {
                    let keep = work
                        .view
                        .session()
                        .map(|session| session.key_hash.clone())
                        .unwrap_or_default();
                    store::session::end_others(&mut work.tx, number(id), &keep).await?;
                    work.changed(id, "Sessions", "", "ended").await?;
                }
                Ok(Acted::Done(
                    "All sessions have ended, but for this one.".into(),
                ))
            }
            "maintain" => maintain(work, ids, form).await,
            _ => match ids {
                [id] => act_on(work, action, id, form).await,
                _ => Common.act(work, action, ids, form).await,
            },
        }
    }

    async fn obstacle(
        &self,
        conn: &mut Conn,
        access: &Access,
        ids: &[String],
    ) -> Result<Option<String>> {
        for id in ids {
            if number(id) == access.user.id {
                return Ok(Some("Nobody deletes the own account.".into()));
            }
            if let Some(fault) = untouchable(conn, access, number(id)).await? {
                return Ok(Some(fault.into()));
            }
            let user = store::user::by_id(conn, number(id)).await?;
            if user.is_some_and(|user| user.username == mend::NOBODY) {
                return Ok(Some(
                    "This account has the checks of deleted accounts.".into(),
                ));
            }
        }
        Ok(None)
    }

    async fn farewell(&self, conn: &mut Conn, ids: &[String]) -> Result<Markup> {
        let mut bundles = Vec::new();
        for id in ids {
            bundles.extend(store::bundle::names_of(conn, number(id)).await?);
        }
        Ok(html! {
            @if !bundles.is_empty() {
                p { "These bundles go:" }
                ul.plain { @for bundle in bundles { li { (bundle) } } }
            }
        })
    }

    async fn delete(
        &self,
        work: &mut Work<'_>,
        ids: &[String],
        _: &Form<'_>,
    ) -> Result<Option<String>> {
        for id in ids {
            if member::other_superusers(&mut work.tx, number(id)).await? == 0 {
                return Ok(Some(LAST.into()));
            }
            let (label, by) = (work.label(id).await?, work.actor());
            mend::delete_user(&mut work.tx, number(id), &by).await?;
            work.log(audit::Action::Deleted, id, &label, &[]).await?;
        }
        Ok(None)
    }
}

async fn switch(work: &mut Work<'_>, id: &str, is_active: bool) -> Result<()> {
    work.update(id, vec![("is_active", is_active.into())])
        .await?;
    let said = |yes: bool| if yes { "yes" } else { "no" };
    work.changed(id, "May log in", said(!is_active), said(is_active))
        .await
}

async fn deactivate(work: &mut Work<'_>, ids: &[String]) -> Result<Acted> {
    for id in ids {
        if number(id) == work.access.user.id {
            let others = member::other_superusers(&mut work.tx, number(id)).await?;
            let why = if others == 0 {
                LAST
            } else {
                "Nobody deactivates the own account."
            };
            return Ok(Acted::Refused(why.into()));
        }
        switch(work, id, false).await?;
        store::session::end_others(&mut work.tx, number(id), &[]).await?;
    }
    Ok(Acted::Done(format!(
        "{} may not log in any more.",
        MODEL.counted(ids.len())
    )))
}

async fn maintain(work: &mut Work<'_>, ids: &[String], form: &Form<'_>) -> Result<Acted> {
    let project =
        crate::store::admin::find(&mut work.tx, &lookup::PROJECT, form.text("project")).await?;
    let Some(project) = project.map(crate::domain::ProjectId) else {
        return Ok(Acted::Refused("Choose a project.".into()));
    };
    let stored = store::project::by_id(&mut work.tx, project)
        .await?
        .ok_or_else(Error::missing)?;
    for id in ids {
        store::user::add_maintainer(&mut work.tx, number(id), project).await?;
        work.changed(id, "Maintainer of", "", &stored.linkname)
            .await?;
    }
    Ok(Acted::Done(format!(
        "{} maintain {} now.",
        MODEL.counted(ids.len()),
        stored.linkname
    )))
}

async fn act_on(work: &mut Work<'_>, action: &str, id: &str, form: &Form<'_>) -> Result<Acted> {
    let user = number(id);
    match action {
        "unmaintain" => {
            let name = form.text("project");
            let Some(project) = store::project::by_linkname(&mut work.tx, name).await? else {
                return Ok(Acted::Refused("There is no such project.".into()));
            };
            member::remove_maintainer(&mut work.tx, user, project.id).await?;
            work.changed(id, "Maintainer of", name, "").await?;
            Ok(Acted::Done(format!(
                "It does not maintain {name} any more."
            )))
        }
        "unlink" => {
            let person = PersonId(form.text("person").parse().unwrap_or_default());
            let known = store::person::by_id(&mut work.tx, person).await?;
            let Some(known) = known.filter(|known| known.user_id == Some(user)) else {
                return Ok(Acted::Refused("That person is not this account's.".into()));
            };
            member::link(&mut work.tx, person, None).await?;
            work.changed(id, "People", &known.email, "").await?;
            Ok(Acted::Done(format!(
                "{} is not this account's any more.",
                known.email
            )))
        }
        "password" => {
            let given = form.raw("password_new").unwrap_or_default();
            if let Some(fault) =
                judged_password(given, form.raw("password_again").unwrap_or_default())
            {
                return Ok(Acted::Refused(fault.into()));
            }
            let hash = hashed(given).await?;
            store::user::set_password(&mut work.tx, user, &hash).await?;
            work.changed(id, "Password", "", "set anew").await?;
            Ok(Acted::Done(
                "The password was set; all sessions of the account have ended.".into(),
            ))
        }
        "revoke" => {
            let token = form.text("token").parse().unwrap_or_default();
            store::token::delete(&mut work.tx, user, token).await?;
            work.changed(id, "Tokens", &format!("#{token}"), "").await?;
            Ok(Acted::Done("The token works no more.".into()))
        }
        "rights" => save_rights(work, id, user, form).await,
        _ => Common.act(work, action, &[id.to_owned()], form).await,
    }
}

async fn belongings(
    conn: &mut Conn,
    view: &View<'_>,
    access: &Access,
    user: UserId,
    action: &str,
    may_change: bool,
) -> Result<Markup> {
    let people = member::people(conn, user).await?;
    let projects = member::maintained(conn, user).await?;
    let tokens = store::token::of(conn, user).await?;
    let sessions = store::session::of_user(conn, user, access.now).await?;
    let button = |label: &str, name: &str, value: &str, act: &str| {
        html! {
            @if may_change && !access.is_stale {
                (field::button(view, action, label, &[(name, value), ("action", act)]))
            }
        }
    };
    Ok(html! {
        section.more {
            h2 { "What is its own" }
            dl.wide {
                dt { "Maintains" }
                dd { @if projects.is_empty() { span.none { "nothing" } }
                    @for (_, linkname) in &projects { (linkname) " " (button("Remove", "project", linkname, "unmaintain")) " " } }
                dt { "Addresses" }
                dd { @if people.is_empty() { span.none { "none" } }
                    @for (person, email) in &people { (email) " " (button("Unlink", "person", &person.to_string(), "unlink")) " " } }
                dt { "Tokens" }
                dd { @if tokens.is_empty() { span.none { "none" } }
                    @for token in &tokens { "#" (token.id) " " (token.name) " (" (token.scope) ") " (button("Revoke", "token", &token.id.to_string(), "revoke")) " " } }
                dt { "Sessions" }
                dd { (sessions.len()) }
            }
            @if may_change && access.is_stale { p.hint { "To take something away here, log in once more: you did more than an hour ago." } }
        }
    })
}

fn password(view: &View, access: &Access, action: &str) -> Markup {
    let none = Faults::default();
    html! {
        section.more {
            h2 { "Password" }
            form.entries.thing method="post" action=(action) {
                (view.csrf())
                (field::Field::password("password_new", "New password", "new-password").drawn(&none))
                (field::Field::password("password_again", "New password once more", "new-password").drawn(&none))
                (access.password_field(true, &none))
                button type="submit" name="action" value="password" { "Set password" }
            }
        }
    }
}

async fn rights(
    conn: &mut Conn,
    view: &View<'_>,
    access: &Access,
    user: UserId,
    action: &str,
) -> Result<Markup> {
    let held: BTreeSet<String> = permission::held(conn, Holder::Account(user.0))
        .await?
        .into_iter()
        .collect();
    let groups = permission::groups(conn).await?;
    let own = permission::groups_of(conn, user.0).await?;
    let may_change = access.console.everything;
    Ok(html! {
        section.more {
            h2 { "Rights in this console" }
            p.hint { "They count for staff only. Superusers need none." }
            form.entries.wide method="post" action=(action) {
                (view.csrf())
                @if !groups.is_empty() {
                    fieldset.ticks {
                        legend { "Groups" }
                        @for (id, name) in groups {
                            label.tick { input type="checkbox" name="group" value=(id) checked[own.contains(&id)] disabled[!may_change]; " " (name) }
                        }
                    }
                }
                (matrix::drawn(&held, may_change))
                @if may_change {
                    (access.password_field(true, &Faults::default()))
                    button type="submit" name="action" value="rights" { "Save rights" }
                } @else { p.hint { "Only superusers change these." } }
            }
        }
    })
}

async fn save_rights(
    work: &mut Work<'_>,
    id: &str,
    user: UserId,
    form: &Form<'_>,
) -> Result<Acted> {
    if !work.access.console.everything {
        return Ok(Acted::Refused("Only superusers change rights.".into()));
    }
    let before = permission::held(&mut work.tx, Holder::Account(user.0)).await?;
    let names = matrix::sent(form);
    permission::set(&mut work.tx, Holder::Account(user.0), &names).await?;
    let known: Vec<i64> = permission::groups(&mut work.tx)
        .await?
        .iter()
        .map(|(id, _)| *id)
        .collect();
    let groups_before = permission::groups_of(&mut work.tx, user.0).await?;
    let mut groups: Vec<i64> = form.all("group").filter_map(|id| id.parse().ok()).collect();
    groups.retain(|id| known.contains(id));
    groups.sort_unstable();
    permission::set_groups(&mut work.tx, user.0, &groups).await?;
    let said = |groups: &[i64]| {
        groups
            .iter()
            .map(|id| format!("#{id}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let changes: Vec<Change> = [
        Change::new("Permissions", before.join(" "), names.join(" ")),
        Change::new("Groups", said(&groups_before), said(&groups)),
    ]
    .into_iter()
    .filter(|change| change.before != change.after)
    .collect();
    let label = work.label(id).await?;
    work.log(audit::Action::Changed, id, &label, &changes)
        .await?;
    Ok(Acted::Done("The rights were saved.".into()))
}
