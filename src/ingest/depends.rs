//! What a series needs, as its mails say with `Depends-on:` (`mail.md §14`).

use super::delivery::{Delivery, Mail};
use crate::{
    domain::{CoverId, PatchId, SeriesId},
    mail::{Dependency, DependencyTarget as Target},
    store::{self, Result},
};

/// Records what a mail says its series needs.
pub async fn record(d: &mut Delivery<'_>, mail: &Mail<'_>, series: Option<SeriesId>) -> Result<()> {
    let Some(series) = series.filter(|_| !mail.message.dependencies.is_empty()) else {
        return Ok(());
    };
    let mut needed = Vec::new();
    for dependency in &mail.message.dependencies {
        needed.extend(resolve(d, mail, dependency).await?);
    }
    store::series::insert_dependencies(d.tx, series, &needed).await
}

/// Returns the series a dependency names. Only series of this project count, and only our own links.
async fn resolve(
    d: &mut Delivery<'_>,
    mail: &Mail<'_>,
    dependency: &Dependency,
) -> Result<Option<SeriesId>> {
    let project = mail.project.id;
    let page = match dependency {
        Dependency::MessageId(msgid) => {
            return store::series::of_submission(d.tx, project, msgid).await;
        }
        Dependency::Url(page) => page,
    };
    if !d
        .options
        .hosts
        .iter()
        .any(|own| own.eq_ignore_ascii_case(&page.host))
    {
        return Ok(None);
    }
    match &page.target {
        Target::Patch(msgid) | Target::Cover(msgid) => {
            store::series::of_submission(d.tx, project, msgid).await
        }
        Target::PatchId(id) => store::series::of_patch(d.tx, project, PatchId(*id)).await,
        Target::CoverId(id) => store::series::of_cover(d.tx, project, CoverId(*id)).await,
        Target::Series(id) => {
            let id = SeriesId(*id);
            Ok(store::series::is_of(d.tx, project, id).await?.then_some(id))
        }
    }
}
