//! Jobs: long work in the background, how far it is, and what it told.

use maud::{Markup, html};

use super::{
    super::{error::Result, field::Faults, form::Form, guard::View},
    access::Access,
    draft::Draft,
    model::{
        Acted, Action, By, Column, Common, Edit, Field, Filter, Kind, LINE, Model, Noun, On, PLAIN,
        Part, SHOWN, Show,
    },
    work::Work,
};
use crate::{
    domain::permission::Deed,
    ingest::job::Kind as Job,
    store::{
        self, Conn,
        admin::{self, Key, Table, lookup},
        audit,
    },
};

/// The kind of things.
pub static MODEL: Model = Model {
    name: "job",
    one: "Job",
    many: "Jobs",
    part: Part::System,
    table: &Table {
        base: "job",
        kind: Key::Number,
        key: "t.id",
        label: "t.kind || ' #' || t.id",
        columns: "t.kind || ' #' || t.id, t.status, t.position || ' / ' || t.goal, t.changed, a.username, t.created, t.finished",
        joins: " LEFT JOIN account a ON a.id = t.account_id",
        only: "",
        words: &[("t.kind", ""), ("t.status", ""), ("lower(t.log)", "")],
        order: "t.id",
    },
    columns: &[
        Column::text("Job", "t.kind"),
        Column::text("Status", "t.status"),
        Column::text("Up to number", ""),
        Column::new("Changes", Show::Number, ""),
        Column::text("Asked for by", "t.account_id"),
        Column::new("Asked for", Show::Moment, "t.created"),
        Column::new("Ended", Show::Moment, "t.finished"),
    ],
    filters: &[Filter {
        key: "status",
        label: "Status",
        by: By::Choice(&[
            (
                "open",
                "not ended",
                " AND t.status IN ('waiting', 'running')",
            ),
            ("done", "done", " AND t.status = 'done'"),
            ("failed", "failed", " AND t.status = 'failed'"),
            ("stopped", "stopped", " AND t.status = 'stopped'"),
        ]),
    }],
    fields: &[
        Field {
            name: "kind",
            label: "What is to be done",
            kind: Kind::Choice(&[
                ("retag", "Count the tags of all patches anew"),
                ("rehash", "Hash all diffs anew"),
                ("reparse", "Read the mails of all patches again"),
                ("prune", "Delete old events"),
                ("rules", "Apply the delegation rules of a project"),
                ("relink", "Find out which series are revisions of which"),
                ("reindex", "Index all mails for the search anew"),
            ]),
            edit: Edit::Once,
            ..LINE
        },
        Field {
            name: "argument",
            label: "With what",
            hint: "Events: older than so many days. Rules: the name of the project in addresses. Else empty.",
            kind: Kind::Line(255),
            required: false,
            edit: Edit::Once,
            ..LINE
        },
        Field {
            name: "status",
            label: "Status",
            ..SHOWN
        },
        Field {
            name: "created",
            label: "Asked for",
            kind: Kind::Moment,
            ..SHOWN
        },
        Field {
            name: "finished",
            label: "Ended",
            kind: Kind::Moment,
            ..SHOWN
        },
    ],
    deeds: &[Deed::View, Deed::Add, Deed::Delete],
    actions: &[
        Action {
            name: "stop",
            label: "Stop",
            deed: Deed::Change,
            on: On::Each,
            fields: &[],
        },
        Action {
            name: "resume",
            label: "Go on",
            deed: Deed::Change,
            on: On::Each,
            fields: &[],
        },
    ],
    about: "Long work goes on in the background, in the server or else with patchwork cron. What ends in the middle goes on where it was.",
    noun: &Jobs,
    ..PLAIN
};

struct Jobs;

/// Returns what a job works with as it is kept, or what is wrong with what was entered.
async fn argument(
    conn: &mut Conn,
    kind: Job,
    entered: &str,
) -> Result<std::result::Result<String, &'static str>> {
    Ok(match kind {
        Job::Prune => match entered.parse::<i64>() {
            Ok(days) if (1..=36_500).contains(&days) => Ok(days.to_string()),
            _ => Err("Say how many days, from 1 to 36500."),
        },
        Job::Rules => match admin::find(conn, &lookup::PROJECT, entered).await? {
            Some(project) => Ok(project.to_string()),
            None => Err("There is no such project."),
        },
        _ if entered.is_empty() => Ok(String::new()),
        _ => Err("This job needs nothing more: leave it empty."),
    })
}

/// Asks for a job on behalf of a page.
pub async fn begin(work: &mut Work<'_>, kind: Job, entered: &str) -> Result<Acted> {
    let argument = match argument(&mut work.tx, kind, entered).await? {
        Ok(argument) => argument,
        Err(fault) => return Ok(Acted::Refused(fault.into())),
    };
    let (user, now) = (Some(work.access.user.id), work.access.now);
    let id = store::job::insert(&mut work.tx, kind.word(), &argument, user, now).await?;
    let change = audit::Change::new("Job", "", format!("{} {argument}", kind.word()));
    let label = format!("{} #{id}", kind.word());
    work.log(audit::Action::Changed, "", &label, &[change])
        .await?;
    Ok(Acted::Done(format!(
        "Job #{id} does it in the background: see Jobs."
    )))
}

#[rocket::async_trait]
impl Noun for Jobs {
    async fn check(
        &self,
        work: &mut Work<'_>,
        draft: &Draft,
        _: Option<&str>,
        faults: &mut Faults,
    ) -> Result<()> {
        if let Some(kind) = Job::from_word(draft.get("kind"))
            && let Err(fault) = argument(&mut work.tx, kind, draft.get("argument")).await?
        {
            faults.add("argument", fault);
        }
        Ok(())
    }

    async fn insert(&self, work: &mut Work<'_>, draft: &Draft) -> Result<String> {
        let kind = Job::from_word(draft.get("kind")).unwrap_or(Job::Retag);
        let argument = argument(&mut work.tx, kind, draft.get("argument")).await?;
        let argument = argument.unwrap_or_default();
        let (user, now) = (Some(work.access.user.id), work.access.now);
        let id = store::job::insert(&mut work.tx, kind.word(), &argument, user, now).await?;
        Ok(id.to_string())
    }

    async fn more(&self, conn: &mut Conn, _: &View<'_>, _: &Access, id: &str) -> Result<Markup> {
        let number = id.parse().unwrap_or_default();
        let Some((status, position, goal, log)) = store::job::progress(conn, number).await? else {
            return Ok(Markup::default());
        };
        let is_open = matches!(status.as_str(), "waiting" | "running");
        Ok(html! {
            section.more {
                h2 { "How far it is" }
                @if is_open { p.hint { "Load the page again to see more." } }
                p { progress max=(goal.max(1)) value=(position) aria-label="How far it is" {} " " (position) " of " (goal) }
            }
            section.more {
                h2 { "What it told" }
                @if log.is_empty() { p.muted { "Nothing." } }
                @else { pre.folded tabindex="0" { (log) } }
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
        let mut count = 0;
        for id in ids {
            let number = id.parse().unwrap_or_default();
            let now = work.access.now;
            let (is_done, to) = match action {
                "stop" => (
                    store::job::stop(&mut work.tx, number, now).await?,
                    "stopped",
                ),
                "resume" => (store::job::resume(&mut work.tx, number).await?, "waiting"),
                _ => return Common.act(work, action, ids, form).await,
            };
            if is_done {
                work.changed(id, "Status", "", to).await?;
                count += 1;
            }
        }
        Ok(match (count, action) {
            (0, "stop") => Acted::Refused("It has ended already.".into()),
            (0, _) => Acted::Refused("Only what was stopped or failed can go on.".into()),
            (_, "stop") => Acted::Done(format!("{} stopped.", MODEL.counted(count))),
            _ => Acted::Done(format!("{} will go on.", MODEL.counted(count))),
        })
    }
}
