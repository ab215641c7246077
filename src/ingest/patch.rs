//! Delivers a patch (`mail.md §11.1`).

use super::{
    Outcome, delegate,
    delivery::{Delivery, Mail},
    depends, revision,
    series::{self, Place},
};
use crate::{
    domain::{
        PatchBody, PatchId, PersonId,
        comment::Parent,
        event::{Event, Joining, after_joining},
        revision::minor,
        series::name_after_patch,
    },
    mail,
    store::{Result, patch::NewPatch},
};

/// Stores a patch, its place in a series, and what follows from it.
pub async fn deliver(d: &mut Delivery<'_>, mail: &Mail<'_>) -> Result<Outcome> {
    let (message, project) = (mail.message, mail.project.id);
    let is_patch = |parent| matches!(parent, Parent::Patch(_));
    if d.ledger(project).knows_submission(&message.id, is_patch) {
        return Ok(Outcome::Duplicate(message.id.clone()));
    }
    let submitter = d.submitter(&mail.author);
    let delegate = delegate::of(d, mail).await?;
    let place = series::place_of(d, mail, submitter).await?;
    let id = d.pending.next_patch();
    d.pending.patches.push(NewPatch {
        id,
        project,
        submitter,
        state: d.rulebook.state(message.hints.state.as_deref()),
        delegate,
        place: place.joined().map(|number| (place.series, number)),
        date: message.date_or(d.now),
        msgid: message.id.clone(),
        name: mail.heading.name.clone(),
        hash: message.content.diff.as_deref().map(mail::diff_hash),
        pull_url: message.content.pull_url.clone(),
    });
    d.pending.bodies.push((id, body(mail)));
    d.ledger(project)
        .learn(&message.id, Parent::Patch(id), false);
    d.count_tags(&mail.project, id, &message.content.message);
    d.tell([Event::patch_created(project, id, d.now)]);
    join(d, mail, &place, id, submitter);
    depends::record(d, mail, Some(place.series)).await?;
    revision::record(d, mail, place.series);
    Ok(Outcome::Patch(id))
}

fn body(mail: &Mail<'_>) -> PatchBody {
    PatchBody {
        headers: mail.message.headers.clone(),
        content: Some(mail.message.content.message.clone()),
        diff: mail.message.content.diff.clone(),
    }
}

/// Names the series and tells of its beginning and completion.
fn join(d: &mut Delivery<'_>, mail: &Mail<'_>, place: &Place, patch: PatchId, submitter: PersonId) {
    let (project, now) = (mail.project.id, d.now);
    if place.is_new {
        d.tell([Event::series_created(project, place.series, d.now)]);
    }
    let (Some(number), Some(open)) = (place.joined(), d.ledger(project).series(place.series))
    else {
        return;
    };
    // A series without a cover is what its first patch says, whichever came first.
    let is_first =
        open.series.cover_id.is_none() && open.members.keys().all(|other| number < *other);
    if is_first && !place.is_new {
        open.series.date = mail.message.date_or(now);
        open.series.submitter_id = submitter;
        open.series.version = i64::from(mail.heading.version);
        open.series.minor = minor(&mail.heading.name);
        open.is_changed = true;
    }
    open.members.insert(number, patch);
    if number == 1 {
        open.first = Some(mail.heading.name.clone());
    }
    let name = name_after_patch(open.series.name.as_deref(), number, &mail.heading.name);
    if name.is_some() && name != open.series.name {
        open.series.name = name;
        open.is_changed = true;
    }
    let joining = Joining {
        series: place.series,
        total: open.series.total,
        members: open
            .members
            .iter()
            .map(|(number, id)| (*number, *id))
            .collect(),
        number,
    };
    d.tell(after_joining(&joining, project, d.now));
}
