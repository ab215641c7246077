//! What a series needs, as its mails say with `Depends-on:` (`mail.md §14`).

use super::delivery::{Delivery, Mail};
use crate::{
    domain::{CoverId, MessageId, PatchId, ProjectId, SeriesId, comment::Parent},
    mail::{Dependency, DependencyTarget as Target, DependencyUrl},
    store::{self, Result},
};

/// Records what a mail says its series needs.
pub async fn record(d: &mut Delivery<'_>, mail: &Mail<'_>, series: Option<SeriesId>) -> Result<()> {
    let Some(series) = series else {
        return Ok(());
    };
    for dependency in &mail.message.dependencies {
        let needed = resolve(d, mail, dependency).await?;
        if let Some(needed) = needed.filter(|needed| *needed != series) {
            d.pending.dependencies.push((series, needed));
        }
    }
    Ok(())
}

/// Returns the series a dependency names. Only series of this project count, and only our own links.
async fn resolve(
    d: &mut Delivery<'_>,
    mail: &Mail<'_>,
    dependency: &Dependency,
) -> Result<Option<SeriesId>> {
    let project = mail.project.id;
    let page = match dependency {
        Dependency::MessageId(msgid) => return of_submission(d, project, msgid).await,
        Dependency::Url(page) => page,
    };
    if !is_own(page, &d.options.hosts) {
        return Ok(None);
    }
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

fn is_own(page: &DependencyUrl, hosts: &[String]) -> bool {
    hosts.iter().any(|own| own.eq_ignore_ascii_case(&page.host))
}

/// Says whether a dependency calls a row of ours by its number.
pub fn names_a_row(dependency: &Dependency, hosts: &[String]) -> bool {
    let Dependency::Url(page) = dependency else {
        return false;
    };
    let by_number = matches!(
        page.target,
        Target::PatchId(_) | Target::CoverId(_) | Target::Series(_)
    );
    by_number && is_own(page, hosts)
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
