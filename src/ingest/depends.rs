//! What a series needs, as its mails say with `Depends-on:` (`mail.md §14`).

use super::delivery::{Delivery, Mail};
use crate::{
    domain::{CoverId, MessageId, PatchId, ProjectId, SeriesId, comment::Parent},
    mail::{Dependency, DependencyTarget as Target},
    store::{
        self, Result,
        series::{Need, Unmet},
    },
};

/// How many places each mail of a series has for what it needs.
const PLACES: i64 = 1000;

/// Records what a mail says its series needs, and meets those who have been needing this mail.
pub async fn record(d: &mut Delivery<'_>, mail: &Mail<'_>, series: Option<SeriesId>) -> Result<()> {
    let Some(series) = series else {
        return Ok(());
    };
    meet(d, mail, series);
    let number = mail
        .heading
        .place
        .map_or(1, |place| i64::from(place.number));
    for (index, dependency) in (0..PLACES).zip(&mail.message.dependencies) {
        let position = number * PLACES + index;
        match resolve(d, mail, dependency).await? {
            Some(to) => need(
                d,
                Need {
                    from: series,
                    to,
                    position,
                },
            ),
            None => await_mail(d, mail, dependency, (series, position)),
        }
    }
    Ok(())
}

fn need(d: &mut Delivery<'_>, need: Need) {
    if need.from != need.to {
        d.pending.needs.push(need);
    }
}

/// Tells those who have been needing this mail which series it belongs to.
fn meet(d: &mut Delivery<'_>, mail: &Mail<'_>, series: SeriesId) {
    let (project, msgid) = (mail.project.id, &mail.message.id);
    let unmet = d.ledger(project).take_unmet(msgid);
    if unmet.is_empty() {
        return;
    }
    for one in unmet {
        need(
            d,
            Need {
                from: one.series_id,
                to: series,
                position: one.position,
            },
        );
    }
    let is_other = |(of, unmet): &(ProjectId, Unmet)| *of != project || unmet.msgid != *msgid;
    d.pending.unmet.retain(is_other);
    d.pending
        .met
        .entry(project)
        .or_default()
        .push(msgid.clone());
}

/// Remembers that a series needs a mail nobody has seen yet.
fn await_mail(
    d: &mut Delivery<'_>,
    mail: &Mail<'_>,
    dependency: &Dependency,
    (series_id, position): (SeriesId, i64),
) {
    let project = mail.project.id;
    let msgid = dependency.message_id();
    let Some(msgid) = msgid.filter(|_| is_own(dependency, &d.options.hosts)) else {
        return;
    };
    if d.ledger(project).knows_submission(msgid, |_| true) {
        return;
    }
    let unmet = Unmet {
        msgid: msgid.clone(),
        series_id,
        position,
    };
    d.ledger(project).add_unmet([unmet.clone()]);
    d.pending.unmet.push((project, unmet));
}

/// Returns the series a dependency names. Only series of this project count, and only our own links.
async fn resolve(
    d: &mut Delivery<'_>,
    mail: &Mail<'_>,
    dependency: &Dependency,
) -> Result<Option<SeriesId>> {
    let project = mail.project.id;
    if !is_own(dependency, &d.options.hosts) {
        return Ok(None);
    }
    let page = match dependency {
        Dependency::MessageId(msgid) => return of_submission(d, project, msgid).await,
        Dependency::Url(page) => page,
    };
    match &page.target {
        Target::Patch(msgid) | Target::Cover(msgid) => of_submission(d, project, msgid).await,
        Target::PatchId(id) => store::series::of_patch(d.tx, project, PatchId(*id)).await,
        Target::CoverId(id) => store::series::of_cover(d.tx, project, CoverId(*id)).await,
        Target::Series(id) => {
            let id = SeriesId(*id);
            Ok(store::series::is_of(d.tx, project, id).await?.then_some(id))
        }
    }
}

/// Says whether a dependency can be one of ours: a message id always, a link only to our own site.
fn is_own(dependency: &Dependency, hosts: &[String]) -> bool {
    match dependency {
        Dependency::MessageId(_) => true,
        Dependency::Url(page) => hosts.iter().any(|own| own.eq_ignore_ascii_case(&page.host)),
    }
}

/// Says whether a dependency calls a row of ours by its number.
pub fn names_a_row(dependency: &Dependency, hosts: &[String]) -> bool {
    dependency.message_id().is_none() && is_own(dependency, hosts)
}

/// Returns the series of the patch, else of the cover, with this message id.
async fn of_submission(
    d: &mut Delivery<'_>,
    project: ProjectId,
    msgid: &MessageId,
) -> Result<Option<SeriesId>> {
    let mut known = d.ledger(project).known(msgid).to_vec();
    known.retain(|known| !known.is_comment);
    known.sort_by_key(|known| matches!(known.parent, Parent::Cover(_)));
    for submission in known {
        let found = match submission.parent {
            Parent::Patch(id) => of_patch(d, project, id).await?,
            Parent::Cover(id) => of_cover(d, project, id).await?,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

async fn of_patch(
    d: &mut Delivery<'_>,
    project: ProjectId,
    id: PatchId,
) -> Result<Option<SeriesId>> {
    match d.ledger(project).series_of_patch(id) {
        None if id.0 > 0 => store::series::of_patch(d.tx, project, id).await,
        found => Ok(found),
    }
}

async fn of_cover(
    d: &mut Delivery<'_>,
    project: ProjectId,
    id: CoverId,
) -> Result<Option<SeriesId>> {
    match d.ledger(project).series_of_cover(id) {
        None if id.0 > 0 => store::series::of_cover(d.tx, project, id).await,
        found => Ok(found),
    }
}
