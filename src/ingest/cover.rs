//! Delivers a cover letter (`mail.md §11.2`).

use super::{
    Outcome,
    delivery::{Delivery, Mail},
    depends,
    ledger::Ledger,
    revision, series,
};
use crate::{
    domain::{
        MessageId, ProjectId, Series, SeriesId, comment::Parent, event::Event,
        series::name_after_cover,
    },
    mail,
    store::{self, Result, cover::NewCover},
};

/// Stores a cover letter and opens its series, or one that has been waiting for it.
pub async fn deliver(d: &mut Delivery<'_>, mail: &Mail<'_>) -> Result<Outcome> {
    let (message, project) = (mail.message, mail.project.id);
    let is_cover = |parent| matches!(parent, Parent::Cover(_));
    if d.ledger(project).knows_submission(&message.id, is_cover) {
        return Ok(Outcome::Duplicate(message.id.clone()));
    }
    let submitter = d.submitter(&mail.author);
    let id = d.pending.next_cover();
    d.pending.covers.push(NewCover {
        id,
        project,
        submitter,
        date: message.date_or(d.now),
        msgid: message.id.clone(),
        name: mail.heading.name.clone(),
        headers: message.headers.clone(),
        content: message.content.message.clone(),
    });
    d.ledger(project)
        .learn(&message.id, Parent::Cover(id), false);
    d.tell([Event::cover_created(project, id, d.now)]);
    let wanted = series::new_series(d, mail, submitter, total(mail));
    let series = match waiting_series(d, mail, &wanted).await? {
        Some(waiting) => waiting,
        None => begin(d, mail, wanted.clone()),
    };
    d.announce(project, series, std::slice::from_ref(&message.id));
    let mut opened = None;
    if let Some(open) = d
        .ledger(project)
        .series(series)
        .filter(|open| open.series.cover_id.is_none())
    {
        let (name, first) = (open.series.name.as_deref(), open.first.as_deref());
        open.series.name = Some(name_after_cover(name, first, &mail.heading.name));
        open.series.cover_id = Some(id);
        // A series is what its cover says, whichever of its mails came first.
        (open.series.date, open.series.version) = (wanted.date, wanted.version);
        open.series.minor = wanted.minor;
        open.series.submitter_id = submitter;
        open.is_changed = true;
        opened = Some(series);
    }
    depends::record(d, mail, opened).await?;
    if let Some(series) = opened {
        revision::record(d, mail, series);
    }
    Ok(Outcome::Cover(id))
}

/// Returns the series that has been waiting for this cover: announced by an earlier mail, or complete
/// with its patches but for a cover that nothing refers to.
async fn waiting_series(
    d: &mut Delivery<'_>,
    mail: &Mail<'_>,
    wanted: &Series,
) -> Result<Option<SeriesId>> {
    let project = mail.project.id;
    if let Some(announced) = announced_series(d.ledger(project), &mail.message.id, wanted) {
        return Ok(Some(announced));
    }
    if !mail.message.references.is_empty() {
        return Ok(None);
    }
    for id in series::by_markers(d, wanted).await? {
        if lacks_a_cover(d, project, id) && !expects_others(d, project, id).await? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Returns the nearest series that a cover was announced for and that fits it: one without a cover, if there is.
fn announced_series(ledger: &Ledger, msgid: &MessageId, wanted: &Series) -> Option<SeriesId> {
    let claims = ledger.claims(msgid).map(|(_, open)| &open.series);
    let fitting: Vec<&Series> = claims.filter(|one| series::fits(one, wanted)).collect();
    let open = fitting.iter().find(|one| one.cover_id.is_none());
    open.or(fitting.first()).map(|one| one.id)
}

fn total(mail: &Mail<'_>) -> i64 {
    mail.heading.place.map_or(0, |place| i64::from(place.total))
}

/// Says whether a cover may still open a series. A patch without a number stands alone, no cover opens it.
fn lacks_a_cover(d: &mut Delivery<'_>, project: ProjectId, id: SeriesId) -> bool {
    let Some(open) = d.ledger(project).series(id) else {
        return false;
    };
    let is_numbered = |name: &String| mail::subject::heading(name, &[]).place.is_some();
    let is_lone =
        open.series.total == 1 && open.first.as_ref().is_some_and(|name| !is_numbered(name));
    open.series.cover_id.is_none() && !is_lone
}

/// Says whether mails other than the series' own patches were announced for it: then a cover that
/// refers to nothing is not its cover.
async fn expects_others(d: &mut Delivery<'_>, project: ProjectId, id: SeriesId) -> Result<bool> {
    let mut announced: Vec<MessageId> = match id.0 > 0 {
        true => store::series::announced(d.tx, id).await?,
        false => Vec::new(),
    };
    let ledger = d.ledger(project);
    if let Some(open) = ledger.series(id) {
        announced.extend_from_slice(&open.announced);
    }
    let is_patch = |id| ledger.knows_submission(id, |parent| matches!(parent, Parent::Patch(_)));
    Ok(!announced.iter().all(is_patch))
}

/// Begins a series. Only the cover's own id leads to it: what it answers is of another series.
fn begin(d: &mut Delivery<'_>, mail: &Mail<'_>, new: Series) -> SeriesId {
    let id = d.begin_series(new);
    d.tell([Event::series_created(mail.project.id, id, d.now)]);
    id
}
