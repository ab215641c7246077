//! Tokens of scripts: made for an account and shown once, revoked; nobody can read one later.

use super::{
    super::{error::Result, form::Form},
    access::Access,
    draft::Draft,
    model::{
        Acted, Action, By, Column, Common, Edit, Field, Filter, Kind, LINE, Model, Noun, On, PLAIN,
        Part, SHOWN, Show,
    },
    work::Work,
};
use crate::store::admin::lookup;
use crate::{
    auth,
    domain::permission::{Deed, Scope},
    store::{
        self, Conn,
        admin::{self, Key, Table},
        audit,
    },
    web::error::Error,
};
use maud::{Markup, html};

const SCOPES: &[(&str, &str)] = &[
    ("read", "read"),
    ("checks", "read and report checks"),
    ("write", "everything its owner may do"),
];

/// The kind of things.
pub static MODEL: Model = Model {
    app: "authtoken",
    name: "token",
    one: "Token",
    many: "Tokens",
    part: Part::People,
    table: &Table {
        base: "token",
        kind: Key::Number,
        key: "t.id",
        label: "(SELECT a.username || ' #' || t.id FROM account a WHERE a.id = t.account_id)",
        columns: "a.username || ' #' || t.id, t.name, t.scope, t.created, t.expires, t.last_used",
        joins: " JOIN account a ON a.id = t.account_id",
        only: "",
        words: &[
            ("lower(t.name)", ""),
            (
                "t.account_id IN (SELECT id FROM account WHERE lower(username)",
                ")",
            ),
        ],
        order: "t.id",
    },
    columns: &[
        Column::text("Token", "t.account_id"),
        Column::text("Name", "t.name"),
        Column::text("May", "t.scope"),
        Column::new("Made", Show::Moment, "t.created"),
        Column::new("Expires", Show::Moment, "t.expires"),
        Column::new("Last used", Show::Moment, "t.last_used"),
    ],
    filters: &[
        Filter {
            key: "user",
            label: "Account",
            by: By::Row(&lookup::USER, " AND t.account_id = ", ""),
        },
        Filter {
            key: "created",
            label: "Made in",
            by: By::Date(" AND t.created >= ", " AND t.created < "),
        },
    ],
    fields: &[
        Field {
            name: "account_id",
            label: "Account",
            kind: Kind::Row(&lookup::USER),
            edit: Edit::Once,
            ..LINE
        },
        Field {
            name: "name",
            label: "Name",
            hint: "What it is for.",
            kind: Kind::Line(100),
            required: false,
            edit: Edit::Once,
            ..LINE
        },
        Field {
            name: "scope",
            label: "May",
            kind: Kind::Choice(SCOPES),
            edit: Edit::Once,
            initial: "write",
            ..LINE
        },
        Field {
            name: "created",
            label: "Made",
            kind: Kind::Moment,
            ..SHOWN
        },
        Field {
            name: "expires",
            label: "Expires",
            kind: Kind::Moment,
            ..SHOWN
        },
        Field {
            name: "last_used",
            label: "Last used",
            kind: Kind::Moment,
            ..SHOWN
        },
    ],
    deeds: &[Deed::View, Deed::Delete],
    actions: &[Action {
        name: "make",
        label: "Make a token",
        deed: Deed::Add,
        on: On::All,
        fields: &[
            Field {
                name: "account_id",
                label: "Account",
                kind: Kind::Row(&lookup::USER),
                ..LINE
            },
            Field {
                name: "name",
                label: "What it is for",
                kind: Kind::Line(100),
                required: false,
                ..LINE
            },
            Field {
                name: "scope",
                label: "May",
                kind: Kind::Choice(SCOPES),
                initial: "write",
                ..LINE
            },
        ],
    }],
    is_grave: true,
    noun: &Tokens,
    ..PLAIN
};

struct Tokens;

#[rocket::async_trait]
impl Noun for Tokens {
    async fn above(
        &self,
        conn: &mut Conn,
        view: &super::View<'_>,
        access: &Access,
    ) -> Result<Markup> {
        if !access.holds(&MODEL, Deed::Add) {
            return Ok(Markup::default());
        }
        let offer = super::list::offer(conn, view, &MODEL.actions[0]).await?;
        Ok(html! {
            form.actions method="post" action=(view.links().admin(&MODEL.path())) {
                (view.csrf())
                (offer)
                (access.password_field(true, &super::super::field::Faults::default()))
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
        if action != "make" {
            return Common.act(work, action, ids, form).await;
        }
        let user = admin::find(&mut work.tx, &lookup::USER, form.text("account_id")).await?;
        let Some(user) = user.map(crate::domain::UserId) else {
            return Ok(Acted::Refused("Choose an account.".into()));
        };
        let owner = store::user::by_id(&mut work.tx, user)
            .await?
            .ok_or_else(Error::missing)?;
        let is_above = owner.is_superuser || owner.is_staff;
        if is_above && !work.access.console.everything && user != work.access.user.id {
            return Ok(Acted::Refused(
                "Only superusers make tokens for staff.".into(),
            ));
        }
        let Some(scope) = Scope::from_word(form.text("scope")) else {
            return Ok(Acted::Refused("Choose what it may do.".into()));
        };
        let name: String = form.text("name").chars().take(100).collect();
        let token = auth::new_token().map_err(|_| Error::Unlucky)?;
        let new = store::token::NewToken {
            user,
            key_hash: &token.hash,
            name: &name,
            scope: scope.word(),
            created: work.access.now,
            expires: None,
        };
        store::token::insert(&mut work.tx, &new).await?;
        let kept = store::token::of(&mut work.tx, user).await?;
        let id = kept
            .last()
            .map(|kept| kept.id)
            .unwrap_or_default()
            .to_string();
        let change = audit::Change::new("May", "", scope.word());
        let label = format!("{} #{id}", owner.username);
        work.log(audit::Action::Added, &id, &label, &[change])
            .await?;
        let back = work.view.links().admin(&MODEL.path());
        Ok(Acted::Page(html! {
            header.heading { h1 { "A token of " (owner.username) } }
            p.about { "This is the only time it is shown. Keep it as you would keep a password." }
            div.command { code #token { (token.key) } (super::super::parts::copy(&token.key, "the token")) }
            p { a.button href=(back) { "Back to the list" } }
        }))
    }

    async fn insert(&self, _: &mut Work<'_>, _: &Draft) -> Result<String> {
        Err(Error::missing())
    }
}
