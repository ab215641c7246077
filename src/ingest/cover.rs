//! Delivers a cover letter (`mail.md §11.2`).

use super::{
    Outcome,
    delivery::{Delivery, Mail},
    depends, series,
};
use crate::{
    domain::{PersonId, comment::Parent, event::Event, series::name_after_cover},
    mail,
    store::{self, Result, cover::NewCover, series::Candidate},
};

/// Stores a cover letter and opens its series, or one that has been waiting for it.
pub async fn deliver(d: &mut Delivery<'_>, mail: &Mail<'_>) -> Result<Outcome> {
    let (message, project) = (mail.message, mail.project);
    if d.knows_submission(&message.id, |parent| matches!(parent, Parent::Cover(_))) {
        return Ok(Outcome::Duplicate(message.id.clone()));
    }
    let submitter = d.submitter(&mail.author).await?;
    let new = NewCover {
        project: project.id,
        submitter,
        date: message.date_or(d.now),
        msgid: &message.id,
        name: &mail.heading.name,
        headers: &message.headers,
        content: &message.content.message,
    };
    let id = store::cover::insert(d.tx, &new).await?;
    d.learn(&message.id, Parent::Cover(id), false);
    d.tell([Event::cover_created(project.id, id, d.now)]);
    let opened = match waiting_series(d, mail, submitter).await? {
        Some(waiting) => waiting,
        None => begin(d, mail, submitter).await?,
    };
    if opened.cover_id.is_none() {
        let first = store::series::patch_name(d.tx, opened.id, 1).await?;
        let name = name_after_cover(opened.name.as_deref(), first.as_deref(), &mail.heading.name);
        store::series::set_cover(d.tx, opened.id, id, &name).await?;
    }
    depends::record(d, mail, opened.cover_id.is_none().then_some(opened.id)).await?;
    Ok(Outcome::Cover(id))
}

/// Returns the series that has been waiting for this cover: announced by an earlier mail, or complete
/// with its patches but for a cover that nothing refers to.
async fn waiting_series(
    d: &mut Delivery<'_>,
    mail: &Mail<'_>,
    submitter: PersonId,
) -> Result<Option<Candidate>> {
    let own = std::slice::from_ref(&mail.message.id);
    let announced = store::series::by_references(d.tx, mail.project.id, own, 0).await?;
    if let Some(series) = announced.into_iter().next() {
        return Ok(Some(series));
    }
    if !mail.message.references.is_empty() {
        return Ok(None);
    }
    let total = mail.heading.place.map_or(0, |place| i64::from(place.total));
    let wanted = series::new_series(d, mail, submitter, total);
    for series in series::by_markers(d, &wanted, 0).await? {
        if series.cover_id.is_none()
            && !is_lone(d, &series).await?
            && !store::series::expects_others(d.tx, series.id).await?
        {
            store::series::insert_references(d.tx, mail.project.id, series.id, own).await?;
            return Ok(Some(series));
        }
    }
    Ok(None)
}

/// Says whether a series is a patch without a number: that one stands alone, no cover opens it.
async fn is_lone(d: &mut Delivery<'_>, series: &Candidate) -> Result<bool> {
    if series.total != 1 {
        return Ok(false);
    }
    let first = store::series::patch_name(d.tx, series.id, 1).await?;
    Ok(first.is_some_and(|name| mail::subject::heading(&name, &[]).place.is_none()))
}

/// Begins a series. Only the cover's own id leads to it: what it answers is of another series.
async fn begin(d: &mut Delivery<'_>, mail: &Mail<'_>, submitter: PersonId) -> Result<Candidate> {
    let total = mail.heading.place.map_or(0, |place| i64::from(place.total));
    let new = series::new_series(d, mail, submitter, total);
    let id = store::series::insert(d.tx, &new).await?;
    let own = std::slice::from_ref(&mail.message.id);
    store::series::insert_references(d.tx, mail.project.id, id, own).await?;
    d.tell([Event::series_created(mail.project.id, id, d.now)]);
    Ok(Candidate {
        msgid: None,
        id,
        name: None,
        version: new.version,
        total,
        date: new.date,
        cover_id: None,
        taken: false,
    })
}
