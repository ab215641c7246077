//! Accounts: what they may do, what is theirs, and how they end.

mod act;
mod part;

use maud::{Markup, html};

use super::{
    super::{
        error::{Error, Result},
        field::Faults,
        form::Form,
        guard::View,
    },
    access::Access,
    address,
    draft::Draft,
    model::{
        Acted, Action, By, Column, Common, Edit, Fate, Field, Filter, Kind, LINE, Loss, Model,
        Noun, On, PLAIN, Part, SHOWN, Show, TICK, Unique,
    },
    work::Work,
};
use crate::store::admin::lookup;
use crate::{
    auth,
    domain::{UserId, permission::Deed, user},
    store::{
        self, Conn,
        admin::{Key, Table, member, mend},
        audit,
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
            what: "Saved filters",
            fate: Fate::Go,
            count: "SELECT count(*) FROM saved_filter WHERE account_id = ",
        },
        Loss {
            what: "Promises to review something",
            fate: Fate::Go,
            count: "SELECT count(*) FROM review_claim WHERE account_id = ",
        },
        Loss {
            what: "Delegation rules",
            fate: Fate::Go,
            count: "SELECT count(*) FROM delegation_rule WHERE account_id = ",
        },
        Loss {
            what: "Projects it maintains",
            fate: Fate::Stay("stay, with a maintainer less"),
            count: "SELECT count(*) FROM maintainer WHERE account_id = ",
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
            name: "mail-reset",
            label: "Mail a link to choose a new password",
            deed: Deed::Change,
            on: On::Each,
            fields: &[],
        },
        Action {
            name: "mail-confirmation",
            label: "Mail the confirmation once more",
            deed: Deed::Change,
            on: On::Each,
            fields: &[],
        },
        Action {
            name: "end-second-factor",
            label: "End the second factor",
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

/// Says what is wrong with a new password of an account with these names and addresses.
fn judged_password(first: &str, second: &str, own: &[&str]) -> Option<&'static str> {
    let differs = (first != second).then_some("The two passwords differ.");
    auth::weakness(first, own).or(differs)
}

async fn hashed(password: &str) -> Result<String> {
    auth::hashed(password).await.map_err(|_| Error::Unlucky)
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
            let given = (draft.get("password_new"), draft.get("password_again"));
            if let Some(fault) = judged_password(given.0, given.1, &[name, draft.get("email")]) {
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
        let belongings = part::belongings(conn, view, access, user, &action, may_change).await?;
        let rights = part::rights(conn, view, access, user, &action).await?;
        Ok(html! {
            (belongings)
            @if may_change { (part::password(view, access, &action)) }
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
                    act::switch(work, id, true).await?;
                }
                Ok(Acted::Done(format!(
                    "{} may log in.",
                    MODEL.counted(ids.len())
                )))
            }
            "deactivate" => act::deactivate(work, ids).await,
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
            "mail-reset" => act::mail_reset(work, ids).await,
            "mail-confirmation" => act::mail_confirmation(work, ids).await,
            "end-second-factor" => {
                let mut ended = 0;
                for id in ids {
                    if store::second_factor::end(&mut work.tx, number(id)).await? {
                        work.changed(id, "Second factor", "on", "ended").await?;
                        ended += 1;
                    }
                }
                Ok(match ended {
                    0 => Acted::Refused("There is no second factor to end.".into()),
                    1 => Acted::Done(
                        "The second factor has ended: the password is enough to log in now.".into(),
                    ),
                    _ => Acted::Done(format!(
                        "{ended} second factors have ended: the passwords are enough to log in now."
                    )),
                })
            }
            "maintain" => act::maintain(work, ids, form).await,
            _ => match ids {
                [id] => act::act_on(work, action, id, form).await,
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
