//! Confirmations that were mailed: registrations, linked addresses, opting out and in.

use super::{
    super::{
        address, confirmation,
        error::{Error, Result},
        form::Form,
        letter, password, registration,
    },
    model::{
        Acted, Action, By, Column, Common, Field, Filter, Kind, Model, Noun, On, PLAIN, Part,
        SHOWN, Show,
    },
    work::Work,
};
use crate::{
    domain::{confirmation::Kind as Purpose, permission::Deed, user::User},
    notify,
    store::{
        self,
        admin::{Key, Table, lookup},
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "emailconfirmation",
    one: "Confirmation",
    many: "Confirmations",
    part: Part::People,
    table: &Table {
        base: "email_confirmation",
        kind: Key::Number,
        key: "t.id",
        label: "t.type || ' of ' || t.email",
        columns: "t.email, CASE t.type WHEN 'userperson' THEN 'another address' WHEN 'primary' THEN 'primary address' WHEN 'reset' THEN 'new password'
            WHEN 'optout' THEN 'no more mail' WHEN 'optin' THEN 'mail again' ELSE t.type END, a.username, t.date, t.active",
        joins: " LEFT JOIN account a ON a.id = t.account_id",
        only: "",
        words: &[("lower(t.email)", ""), ("t.type", "")],
        order: "t.id",
    },
    columns: &[
        Column::text("Address", "lower(t.email)"),
        Column::text("Kind", "t.type"),
        Column::text("Account", "t.account_id"),
        Column::new("Mailed", Show::Moment, "t.date"),
        Column::new("Open", Show::Yes, "t.active"),
    ],
    filters: &[Filter {
        key: "active",
        label: "Open",
        by: By::Yes(" AND t.active = "),
    }],
    fields: &[
        Field {
            name: "email",
            label: "Address",
            ..SHOWN
        },
        Field {
            name: "type",
            label: "Kind",
            ..SHOWN
        },
        Field {
            name: "account_id",
            label: "Account",
            kind: Kind::Row(&lookup::USER),
            ..SHOWN
        },
        Field {
            name: "date",
            label: "Mailed",
            kind: Kind::Moment,
            ..SHOWN
        },
        Field {
            name: "active",
            label: "Open",
            kind: Kind::Tick,
            ..SHOWN
        },
    ],
    deeds: &[Deed::View, Deed::Delete],
    actions: &[Action {
        name: "resend",
        label: "Mail it once more",
        deed: Deed::Change,
        on: On::Each,
        fields: &[],
    }],
    noun: &Confirmations,
    about: "The keys themselves are kept as digests only: a mail that is sent once more has a new one, and the old one stops to work.",
    ..PLAIN
};

struct Confirmations;

#[rocket::async_trait]
impl Noun for Confirmations {
    async fn act(
        &self,
        work: &mut Work<'_>,
        action: &str,
        ids: &[String],
        form: &Form<'_>,
    ) -> Result<Acted> {
        if action != "resend" {
            return Common.act(work, action, ids, form).await;
        }
        let mut sent = 0;
        for id in ids {
            let label = work.label(id).await?;
            let number = id.parse().unwrap_or_default();
            let kept = store::confirmation::by_id(&mut work.tx, number).await?;
            let kept = kept.ok_or_else(Error::missing)?;
            if !kept.active || !again(work, &kept).await? {
                return Ok(Acted::Refused(format!(
                    "“{label}” waits for no answer any more. Nothing was mailed."
                )));
            }
            let change = store::audit::Change::new("Mailed", "", "once more");
            let action = store::audit::Action::Changed;
            work.log(action, id, &label, &[change]).await?;
            sent += 1;
        }
        work.has_mails = true;
        Ok(Acted::Done(format!(
            "{} mailed once more, with new keys.",
            MODEL.counted(sent)
        )))
    }
}

/// Writes the mail of a confirmation anew. Says whether there is still somebody to ask.
async fn again(work: &mut Work<'_>, kept: &store::confirmation::Kept) -> Result<bool> {
    let (view, now) = (work.view, work.access.now);
    let tx = &mut work.tx;
    let Some(kind) = Purpose::from_word(&kept.kind) else {
        return Ok(false);
    };
    let user: Option<User> = match kept.user {
        Some(user) => store::user::by_id(tx, user).await?,
        None => None,
    };
    let site = letter::site(view, tx).await?;
    match (kind, user) {
        (Purpose::Registration, Some(user)) => {
            registration::confirm(view, tx, (user.id, &user.username, &kept.email), now).await?;
        }
        (Purpose::Reset, Some(user)) if password::can_reset(&user) => {
            password::write(view, tx, &site, &user, now).await?;
        }
        (Purpose::Address | Purpose::Primary, Some(user)) => {
            address::ask(view, tx, kind, (&user, &kept.email), now).await?;
        }
        (Purpose::OptOut | Purpose::OptIn, _) => {
            let key = confirmation::ask(tx, kind, &kept.email, None, now).await?;
            let (link, days) = (
                format!("{site}/confirm/{key}/"),
                view.options().confirmation_days,
            );
            let text = match kind {
                Purpose::OptOut => notify::letter::optout(&site, &kept.email, &link, days),
                _ => notify::letter::optin(&site, &kept.email, &link, days),
            };
            letter::send(view, tx, &kept.email, &text, now).await?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}
