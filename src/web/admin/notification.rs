//! State changes that wait to be told to submitters.

use super::{
    super::{error::Result, form::Form, letter},
    model::{
        Acted, Action, Column, Common, Field, Kind, Model, Noun, On, PLAIN, Part, SHOWN, Show,
    },
    work::Work,
};
use crate::{
    domain::{PatchId, permission::Deed},
    notify::digest::{self, Site},
    store::{
        self,
        admin::{Key, Table, lookup},
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "patchchangenotification",
    one: "Waiting notification",
    many: "Waiting notifications",
    part: Part::System,
    table: &Table {
        base: "patch_change_notification",
        kind: Key::Number,
        key: "t.patch_id",
        label: "(SELECT p.name FROM patch p WHERE p.id = t.patch_id)",
        columns: "p.name, st.name, is_now.name, t.last_modified",
        joins: " JOIN patch p ON p.id = t.patch_id JOIN state st ON st.id = t.orig_state_id JOIN state is_now ON is_now.id = p.state_id",
        only: "",
        words: &[("t.patch_id IN (SELECT id FROM patch WHERE name_key", ")")],
        order: "t.last_modified",
    },
    columns: &[
        Column::text("Patch", ""),
        Column::text("State its submitter knows", "t.orig_state_id"),
        Column::text("State it has", ""),
        Column::new("Last changed", Show::Moment, "t.last_modified"),
    ],
    fields: &[
        Field {
            name: "patch_id",
            label: "Patch",
            kind: Kind::Row(&lookup::PATCH),
            ..SHOWN
        },
        Field {
            name: "orig_state_id",
            label: "State its submitter knows",
            kind: Kind::Row(&lookup::STATE),
            ..SHOWN
        },
        Field {
            name: "last_modified",
            label: "Last changed",
            kind: Kind::Moment,
            ..SHOWN
        },
    ],
    deeds: &[Deed::View, Deed::Delete],
    actions: &[Action {
        name: "send",
        label: "Send now",
        deed: Deed::Change,
        on: On::Each,
        fields: &[],
    }],
    noun: &Notifications,
    about: "Told by patchwork cron when all changes of a submitter have rested. “Send now” tells the submitters of the chosen ones all that waits for them. What is deleted here is not told.",
    ..PLAIN
};

struct Notifications;

#[rocket::async_trait]
impl Noun for Notifications {
    async fn act(
        &self,
        work: &mut Work<'_>,
        action: &str,
        ids: &[String],
        form: &Form<'_>,
    ) -> Result<Acted> {
        if action != "send" {
            return Common.act(work, action, ids, form).await;
        }
        let site = Site {
            url: letter::site(work.view, &mut work.tx).await?,
            sender: work.view.options().notification_from.clone(),
            delay: 0,
        };
        let mut told = 0;
        for id in ids {
            let patch = PatchId(id.parse().unwrap_or_default());
            let Some(patch) = store::patch::by_id(&mut work.tx, patch).await? else {
                continue;
            };
            // What was told with another one of the same submitter waits no more.
            let (by, now) = (patch.submitter_id, work.access.now);
            let count = digest::at_once(&mut work.tx, &site, by, now).await?;
            if count > 0 {
                let change = store::audit::Change::new("Told at once", "", count.to_string());
                let action = store::audit::Action::Changed;
                work.log(action, id, &patch.name, &[change]).await?;
            }
            told += count;
        }
        work.has_mails = told > 0;
        Ok(Acted::Done(format!(
            "{} were told, but to those who opted out.",
            MODEL.counted(told)
        )))
    }
}
