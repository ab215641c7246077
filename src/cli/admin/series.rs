//! `patchwork admin series`: which revision of a series follows which, put right as on its page.

use anyhow::bail;
use clap::{ArgGroup, Subcommand};
use serde_json::{Value, json};

use super::Desk;
use crate::{
    domain::{
        Series, SeriesId,
        change::Actor,
        person,
        revision::{Reason, series_in},
        series,
    },
    ingest,
    store::{
        self,
        audit::{Action, Change},
        revision::{Link, Revision},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Revisions {
    /// Say which series is the revision before another, or that there is none
    #[command(
        override_usage = "patchwork admin series follow <SERIES> <EARLIER|--none>",
        group(ArgGroup::new("before").args(["earlier", "none"]).required(true))
    )]
    Follow {
        /// Its number, or the address of its page
        #[arg(value_parser = number)]
        series: SeriesId,
        /// The one before
        #[arg(value_parser = number)]
        earlier: Option<SeriesId>,
        /// There is none before
        #[arg(long)]
        none: bool,
    },
    /// Forget what somebody said, and find the revision before by what the mails say
    Find {
        /// Its number, or the address of its page
        #[arg(value_parser = number)]
        series: SeriesId,
    },
    /// List all revisions of a series, and why they are taken for that
    Show {
        /// Its number, or the address of its page
        #[arg(value_parser = number)]
        series: SeriesId,
    },
}

fn number(text: &str) -> Result<SeriesId, String> {
    series_in(text).ok_or_else(|| "neither the number of a series nor its address".to_owned())
}

impl Revisions {
    pub(super) async fn run(self, desk: &mut Desk<'_>) -> anyhow::Result<()> {
        match self {
            Revisions::Follow {
                series, earlier, ..
            } => follow(desk, series, earlier).await,
            Revisions::Find { series } => find(desk, series).await,
            Revisions::Show { series } => show(desk, series).await,
        }
    }
}

async fn follow(
    desk: &mut Desk<'_>,
    id: SeriesId,
    earlier: Option<SeriesId>,
) -> anyhow::Result<()> {
    let series = locked(desk, id).await?;
    let before = link(desk, id).await?;
    let is_said = |link: &Link| link.reason.is_by_hand() && link.earlier == earlier;
    if before.as_ref().is_some_and(is_said) {
        desk.tell(
            format!("{} already.", follows(id, earlier)),
            object(id, before.as_ref()),
        );
        return Ok(());
    }
    let by = Actor {
        user: None,
        at: desk.now,
    };
    let unfit = ingest::revision::follow(&mut desk.tx, &series, earlier, &by).await?;
    if let Some((earlier, unfit)) = earlier.zip(unfit) {
        bail!("series {earlier} cannot be before {id}: {}", unfit.told());
    }
    changed(desk, &series, before).await
}

async fn find(desk: &mut Desk<'_>, id: SeriesId) -> anyhow::Result<()> {
    let series = locked(desk, id).await?;
    let before = link(desk, id).await?;
    ingest::revision::find(&mut desk.tx, id, desk.now).await?;
    changed(desk, &series, before).await
}

/// Tells what is before a series now; the log, if that is news.
async fn changed(desk: &mut Desk<'_>, series: &Series, before: Option<Link>) -> anyhow::Result<()> {
    let after = link(desk, series.id).await?;
    if before != after {
        let change = Change::new(
            "Revision before",
            said(before.as_ref()),
            said(after.as_ref()),
        );
        let name = series::shown(series.name.as_deref(), series.id);
        let thing = ("patchwork.series", series.id, name.as_str());
        desk.log(Action::Changed, thing, &[change]).await?;
    }
    let earlier = after.as_ref().and_then(|link| link.earlier);
    let why = after
        .as_ref()
        .map(|link| format!(" ({})", link.reason.told()));
    let line = format!(
        "{}{}.",
        follows(series.id, earlier),
        why.unwrap_or_default()
    );
    desk.tell(line, object(series.id, after.as_ref()));
    Ok(())
}

async fn show(desk: &mut Desk<'_>, id: SeriesId) -> anyhow::Result<()> {
    let chain = store::revision::chain(&mut desk.tx, id).await?;
    if chain.is_empty() {
        bail!("there is no series {id}");
    }
    for revision in &chain {
        desk.list(line(revision), row(revision));
    }
    Ok(())
}

fn line(revision: &Revision) -> String {
    let sender = person::shown(
        revision.submitter_name.as_deref(),
        &revision.submitter_email,
    );
    let mut line = format!(
        "{:<6} {:>6} {} {sender}: {}",
        revision.label(),
        revision.id.0,
        revision.date.day(),
        series::shown(revision.name.as_deref(), revision.id)
    );
    if let Some(reason) = revision.reason() {
        line.push_str(&format!(" ({})", reason.told()));
    }
    if revision.claimed {
        line.push_str(" (claimed)");
    }
    line
}

fn row(revision: &Revision) -> Value {
    json!({
        "series": revision.id.0,
        "label": revision.label(),
        "name": revision.name,
        "date": revision.date.iso(),
        "submitter": revision.submitter_email,
        "previous": revision.earlier_id.map(|id| id.0),
        "reason": revision.reason().map(Reason::word),
        "claimed": revision.claimed,
    })
}

/// Returns a series for a change, while nobody else changes what is in its project.
async fn locked(desk: &mut Desk<'_>, id: SeriesId) -> anyhow::Result<Series> {
    let Some(sent) = store::series::by_id(&mut desk.tx, id).await? else {
        bail!("there is no series {id}");
    };
    store::project::lock(&mut desk.tx, sent.series.project_id).await?;
    Ok(sent.series)
}

async fn link(desk: &mut Desk<'_>, id: SeriesId) -> anyhow::Result<Option<Link>> {
    let mut links = store::revision::links(&mut desk.tx, &[id]).await?;
    Ok(links.pop())
}

fn follows(id: SeriesId, earlier: Option<SeriesId>) -> String {
    match earlier {
        Some(earlier) => format!("Series {id} follows {earlier}"),
        None => format!("Series {id} follows no other one"),
    }
}

/// Returns a link as the log has it.
fn said(link: Option<&Link>) -> String {
    let said = link.map(|link| match link.earlier {
        Some(id) => format!("{id} ({})", link.reason.word()),
        None => link.reason.word().to_owned(),
    });
    said.unwrap_or_default()
}

fn object(id: SeriesId, link: Option<&Link>) -> Value {
    json!({
        "series": id.0,
        "previous": link.and_then(|link| link.earlier).map(|id| id.0),
        "reason": link.map(|link| link.reason.word()),
        "claimed": link.is_some_and(|link| link.claimed),
    })
}
