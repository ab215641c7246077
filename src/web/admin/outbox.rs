//! Mails that wait to leave, and those that could not.

use maud::{Markup, html};

use super::{
    super::{error::Result, form::Form, guard::View, letter},
    access::Access,
    model::{
        Acted, Action, By, Column, Common, Field, Filter, Kind, Model, Noun, On, PLAIN, Part,
        SHOWN, Show,
    },
    work::Work,
};
use crate::{
    domain::{permission::Deed, person},
    notify,
    store::{
        Conn,
        admin::{self, Key, Table},
        audit,
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "outbox",
    one: "Outgoing mail",
    many: "Outgoing mails",
    part: Part::System,
    table: &Table {
        base: "outbox",
        kind: Key::Number,
        key: "t.id",
        label: "t.subject || ' (to ' || t.recipient || ')'",
        columns: "t.subject, t.recipient, t.created, t.tries, t.next_try, t.failed, t.last_error",
        joins: "",
        only: "",
        words: &[
            ("lower(t.subject)", ""),
            ("lower(t.recipient)", ""),
            ("lower(t.last_error)", ""),
        ],
        order: "t.id",
    },
    columns: &[
        Column::text("Subject", "t.subject"),
        Column::text("To", "lower(t.recipient)"),
        Column::new("Written", Show::Moment, "t.created"),
        Column::new("Tries", Show::Number, "t.tries"),
        Column::new("Next try", Show::Moment, "t.next_try"),
        Column::new("Given up", Show::Yes, "t.failed"),
        Column::text("Last error", ""),
    ],
    filters: &[Filter {
        key: "failed",
        label: "Given up",
        by: By::Yes(" AND t.failed = "),
    }],
    fields: &[
        Field {
            name: "subject",
            label: "Subject",
            ..SHOWN
        },
        Field {
            name: "sender",
            label: "From",
            ..SHOWN
        },
        Field {
            name: "recipient",
            label: "To",
            ..SHOWN
        },
        Field {
            name: "created",
            label: "Written",
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
            name: "failed",
            label: "Given up",
            kind: Kind::Tick,
            ..SHOWN
        },
        Field {
            name: "last_error",
            label: "Last error",
            ..SHOWN
        },
    ],
    deeds: &[Deed::View, Deed::Delete],
    actions: &[
        Action {
            name: "retry",
            label: "Send soon",
            deed: Deed::Change,
            on: On::Each,
            fields: &[],
        },
        Action {
            name: "test-mail",
            label: "Send a test mail",
            deed: Deed::Change,
            on: On::All,
            fields: &[],
        },
    ],
    about: "Sent by the server, or by patchwork cron. What was given up after many tries stays until somebody looks at it.",
    noun: &Outbox,
    ..PLAIN
};

struct Outbox;

#[rocket::async_trait]
impl Noun for Outbox {
    async fn more(
        &self,
        conn: &mut Conn,
        _: &View<'_>,
        access: &Access,
        id: &str,
    ) -> Result<Markup> {
        // Mails hold keys that confirm things: only who may do everything reads them.
        if !access.console.everything {
            return Ok(Markup::default());
        }
        let Some(key) = MODEL.table.id(id) else {
            return Ok(Markup::default());
        };
        let row = admin::read(conn, MODEL.table, &["content"], key, false).await?;
        let text = row.map(|row| row.get(1).text()).unwrap_or_default();
        Ok(html! { details.more { summary { "Text" } pre.folded tabindex="0" { (text) } } })
    }

    async fn above(&self, _: &mut Conn, view: &View<'_>, access: &Access) -> Result<Markup> {
        Ok(html! { @if access.holds(&MODEL, Deed::Change) { (test_form(view, access)) } })
    }

    async fn act(
        &self,
        work: &mut Work<'_>,
        action: &str,
        ids: &[String],
        form: &Form<'_>,
    ) -> Result<Acted> {
        if action == "test-mail" {
            return test_mail(work, form.text("to")).await;
        }
        if action != "retry" {
            return Common.act(work, action, ids, form).await;
        }
        for id in ids {
            let now = work.access.now;
            let values = vec![
                ("failed", false.into()),
                ("tries", 0i64.into()),
                ("next_try", now.into()),
            ];
            work.update(id, values).await?;
            work.changed(id, "Next try", "", "at once").await?;
        }
        work.has_mails = true;
        Ok(Acted::Done(format!(
            "{} due now.",
            MODEL.counted(ids.len())
        )))
    }
}

/// Draws the form that sends a test mail; to oneself unless another address is entered.
pub fn test_form(view: &View, access: &Access) -> Markup {
    html! {
        form.actions method="post" action=(view.links().admin(&MODEL.path())) {
            (view.csrf())
            div.act {
                div.entry {
                    label for="id_to" { "A test mail to" }
                    input #id_to type="email" name="to" value=(access.user.email) required autocomplete="email";
                }
                button type="submit" name="action" value="test-mail" { "Send a test mail" }
            }
        }
    }
}

/// Puts a mail into the outbox: it goes the way all others go.
async fn test_mail(work: &mut Work<'_>, to: &str) -> Result<Acted> {
    if !person::is_email(to) || to.chars().count() > 200 {
        return Ok(Acted::Refused(format!("“{to}” is no mail address.")));
    }
    let site = letter::site(work.view, &mut work.tx).await?;
    let text = notify::letter::test(&site, &work.access.user.username);
    letter::send(work.view, &mut work.tx, to, &text, work.access.now).await?;
    let change = audit::Change::new("Test mail", "", to);
    work.log(audit::Action::Added, "", to, &[change]).await?;
    work.has_mails = true;
    Ok(Acted::Done(format!(
        "A test mail to {to} is on its way. If it cannot leave, it stays in this list with the reason."
    )))
}
