//! Webhooks of projects, and the log of what was sent to them.

use maud::{Markup, html};

use super::{
    super::{error::Result, field::Faults, form::Form, guard::View, parts},
    access::Access,
    draft::Draft,
    model::{
        Acted, Action, By, Column, Common, Edit, Fate, Field, Filter, Kind, LINE, Loss, Model,
        Noun, On, PLAIN, Part, SHOWN, Show, TICK,
    },
    work::Work,
};
use crate::{
    auth,
    domain::{
        ProjectId, WebhookId,
        permission::Deed,
        webhook::{self, SECRET},
    },
    notify,
    store::{
        self, Conn,
        admin::{self, Key, Table, lookup},
    },
    web::error::Error,
};

/// Webhooks.
pub static MODEL: Model = Model {
    name: "webhook",
    one: "Webhook",
    many: "Webhooks",
    part: Part::Setup,
    table: &Table {
        base: "webhook",
        kind: Key::Number,
        key: "t.id",
        label: "t.url",
        columns: "t.url, pr.linkname, t.categories, t.active,
            (SELECT max(d.delivered) FROM webhook_delivery d WHERE d.webhook_id = t.id) AS delivered, t.failures, t.rests_until",
        joins: " JOIN project pr ON pr.id = t.project_id",
        only: "",
        words: &[("lower(t.url)", "")],
        order: "t.id",
    },
    columns: &[
        Column::text("Address", "t.url"),
        Column::text("Project", ""),
        Column::text("Events", ""),
        Column::new("On", Show::Yes, "t.active"),
        Column::new("Last delivery", Show::Moment, ""),
        Column::new("Failures in a row", Show::Number, "t.failures"),
        Column::new("Rests until", Show::Moment, "t.rests_until"),
    ],
    filters: &[
        Filter {
            key: "project",
            label: "Project",
            by: By::Row(&lookup::PROJECT, " AND t.project_id = ", ""),
        },
        Filter {
            key: "active",
            label: "On",
            by: By::Yes(" AND t.active = "),
        },
    ],
    fields: &[
        Field {
            name: "project_id",
            label: "Project",
            kind: Kind::Row(&lookup::PROJECT),
            edit: Edit::Once,
            ..LINE
        },
        Field {
            name: "url",
            label: "Address",
            hint: "Where events are sent by POST: https://ci.example.org/hook.",
            kind: Kind::Line(2000),
            ..LINE
        },
        Field {
            name: "categories",
            label: "Events",
            hint: "Words with blanks between them, such as patch-completed series-completed; none for all. A list is in the manual of the API.",
            kind: Kind::Line(500),
            required: false,
            ..LINE
        },
        Field {
            name: "secret",
            label: "Secret",
            hint: "What deliveries are signed with. Left empty, one is made, or the one there is stays.",
            kind: Kind::Secret,
            required: false,
            ..LINE
        },
        Field {
            name: "active",
            label: "Send events",
            initial: "1",
            ..TICK
        },
    ],
    losses: &[Loss {
        what: "Deliveries",
        fate: Fate::Go,
        count: "SELECT count(*) FROM webhook_delivery WHERE webhook_id = ",
    }],
    actions: &[Action {
        name: "test",
        label: "Send a test event",
        deed: Deed::Change,
        on: On::Each,
        fields: &[],
    }],
    about: "Events of a project, sent by HTTP as they happen, signed, and tried again for about four days. After failures a webhook rests for a while.",
    noun: &Webhooks,
    ..PLAIN
};

struct Webhooks;

#[rocket::async_trait]
impl Noun for Webhooks {
    async fn check(
        &self,
        _: &mut Work<'_>,
        draft: &Draft,
        _: Option<&str>,
        faults: &mut Faults,
    ) -> Result<()> {
        faults.check(
            webhook::is_target(draft.get("url")),
            "url",
            "This has to look like https://host/path, without a name or password before the host.",
        );
        if let Err(word) = webhook::categories(draft.get("categories")) {
            faults.add("categories", format!("“{word}” is no kind of event."));
        }
        let secret = draft.get("secret");
        faults.check(
            secret.is_empty() || SECRET.contains(&secret.chars().count()),
            "secret",
            "A secret has 16 to 200 characters.",
        );
        Ok(())
    }

    async fn insert(&self, work: &mut Work<'_>, draft: &Draft) -> Result<String> {
        let secret = match draft.get("secret") {
            "" => auth::signing_secret().map_err(|_| Error::Unlucky)?,
            entered => entered.to_owned(),
        };
        let new = store::webhook::NewWebhook {
            project: ProjectId(draft.int("project_id").unwrap_or_default()),
            url: draft.get("url"),
            secret: &secret,
            categories: &webhook::categories(draft.get("categories")).unwrap_or_default(),
            created: work.access.now,
        };
        let id = store::webhook::insert(&mut work.tx, &new).await?;
        store::webhook::switch(&mut work.tx, id, draft.is_ticked("active")).await?;
        Ok(id.to_string())
    }

    async fn update(
        &self,
        work: &mut Work<'_>,
        id: &str,
        draft: &Draft,
        before: &Draft,
    ) -> Result<()> {
        if draft.differs(before, "active") {
            store::webhook::switch(&mut work.tx, number(id), draft.is_ticked("active")).await?;
        }
        let mut values = draft.values(Some(before));
        if draft.differs(before, "secret") {
            values.push(("secret", draft.get("secret").into()));
        }
        work.update(id, values).await
    }

    async fn more(
        &self,
        conn: &mut Conn,
        view: &View<'_>,
        access: &Access,
        id: &str,
    ) -> Result<Markup> {
        let deliveries = format!("{}?webhook={id}", view.links().admin(&DELIVERIES.path()));
        let secret = match access.may(&MODEL, Deed::Change) {
            true => store::webhook::by_id(conn, number(id)).await?,
            false => None,
        };
        Ok(html! {
            p { a.button href=(deliveries) { "What was sent" } }
            @if let Some(hook) = secret {
                details.more {
                    summary { "The secret" }
                    div.command { code #secret { (hook.secret) } (parts::copy(&hook.secret, "the secret")) }
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
        if action != "test" {
            return Common.act(work, action, ids, form).await;
        }
        for id in ids {
            let now = work.access.now;
            let hook = store::webhook::by_id(&mut work.tx, number(id)).await?;
            let hook = hook.ok_or_else(Error::missing)?;
            if !hook.is_active {
                let why = format!("{} is off: switch it on first.", hook.url);
                return Ok(Acted::Refused(why));
            }
            store::webhook::insert_delivery(
                &mut work.tx,
                number(id),
                &notify::webhook::test(),
                now,
            )
            .await?;
            work.changed(id, "Test event", "", "sent").await?;
        }
        Ok(Acted::Done(
            "A test event is on its way. “What was sent” tells what came of it.".into(),
        ))
    }
}

fn number(id: &str) -> WebhookId {
    WebhookId(id.parse().unwrap_or_default())
}

/// What was sent to webhooks, and waits for that.
pub static DELIVERIES: Model = Model {
    name: "webhookdelivery",
    one: "Delivery",
    many: "Deliveries",
    part: Part::System,
    table: &Table {
        base: "webhook_delivery",
        kind: Key::Number,
        key: "t.id",
        label: "t.category || ' #' || t.event_id",
        columns: "t.category || ' #' || t.event_id, w.url, t.created, t.delivered, t.tries, t.next_try, t.status, t.took",
        joins: " JOIN webhook w ON w.id = t.webhook_id",
        only: "",
        words: &[
            ("t.category", ""),
            ("lower(t.answer)", ""),
            (
                "t.webhook_id IN (SELECT id FROM webhook WHERE lower(url)",
                ")",
            ),
        ],
        order: "t.id",
    },
    columns: &[
        Column::text("Event", "t.event_id"),
        Column::text("Webhook", ""),
        Column::new("Queued", Show::Moment, "t.created"),
        Column::new("Delivered", Show::Moment, "t.delivered"),
        Column::new("Tries", Show::Number, "t.tries"),
        Column::new("Next try", Show::Moment, "t.next_try"),
        Column::new("Status", Show::Number, "t.status"),
        Column::new("Milliseconds", Show::Number, "t.took"),
    ],
    filters: &[
        Filter {
            key: "webhook",
            label: "Webhook",
            by: By::Row(&lookup::WEBHOOK, " AND t.webhook_id = ", ""),
        },
        Filter {
            key: "state",
            label: "What became of it",
            by: By::Choice(&[
                ("delivered", "delivered", " AND t.delivered IS NOT NULL"),
                ("waiting", "waiting", " AND t.next_try IS NOT NULL"),
                (
                    "given-up",
                    "given up",
                    " AND t.next_try IS NULL AND t.delivered IS NULL",
                ),
            ]),
        },
        Filter {
            key: "created",
            label: "Queued in",
            by: By::Date(" AND t.created >= ", " AND t.created < "),
        },
    ],
    fields: &[
        Field {
            name: "webhook_id",
            label: "Webhook",
            kind: Kind::Row(&lookup::WEBHOOK),
            ..SHOWN
        },
        Field {
            name: "category",
            label: "Event",
            ..SHOWN
        },
        Field {
            name: "created",
            label: "Queued",
            kind: Kind::Moment,
            ..SHOWN
        },
        Field {
            name: "delivered",
            label: "Delivered",
            kind: Kind::Moment,
            ..SHOWN
        },
        Field {
            name: "tries",
            label: "Tries",
            ..SHOWN
        },
        Field {
            name: "next_try",
            label: "Next try",
            kind: Kind::Moment,
            ..SHOWN
        },
        Field {
            name: "status",
            label: "Status of the last answer",
            ..SHOWN
        },
        Field {
            name: "answer",
            label: "What was answered, or went wrong",
            ..SHOWN
        },
        Field {
            name: "took",
            label: "Milliseconds",
            ..SHOWN
        },
    ],
    deeds: &[Deed::View, Deed::Delete],
    actions: &[Action {
        name: "again",
        label: "Send again",
        deed: Deed::Change,
        on: On::Each,
        fields: &[],
    }],
    about: "Those that are done are kept for as many days as the setting webhooks.keep_days says.",
    noun: &Deliveries,
    ..PLAIN
};

struct Deliveries;

#[rocket::async_trait]
impl Noun for Deliveries {
    async fn more(&self, conn: &mut Conn, _: &View<'_>, _: &Access, id: &str) -> Result<Markup> {
        let Some(key) = DELIVERIES.table.id(id) else {
            return Ok(Markup::default());
        };
        let row = admin::read(conn, DELIVERIES.table, &["body"], key, false).await?;
        let text = row.map(|row| row.get(1).text()).unwrap_or_default();
        Ok(
            html! { details.more open { summary { "What is sent" } pre.folded tabindex="0" { (text) } } },
        )
    }

    async fn act(
        &self,
        work: &mut Work<'_>,
        action: &str,
        ids: &[String],
        form: &Form<'_>,
    ) -> Result<Acted> {
        if action != "again" {
            return Common.act(work, action, ids, form).await;
        }
        for id in ids {
            let values = vec![("next_try", work.access.now.into()), ("tries", 0i64.into())];
            work.update(id, values).await?;
            work.changed(id, "Next try", "", "at once").await?;
        }
        Ok(Acted::Done(format!(
            "{} due now; a webhook that rests is told afterwards.",
            DELIVERIES.counted(ids.len())
        )))
    }
}
