//! Delivers a patch (`mail.md §11.1`).

use super::{
    Outcome, delegate,
    delivery::{Delivery, Mail},
    depends,
    series::{self, Place},
};
use crate::{
    domain::{
        PatchBody, PatchId,
        comment::Parent,
        event::{Event, Joining, after_joining},
        series::name_after_patch,
    },
    mail,
    store::{self, Result, patch::NewPatch},
};

/// Stores a patch, its place in a series, and what follows from it.
pub async fn deliver(d: &mut Delivery<'_>, mail: &Mail<'_>) -> Result<Outcome> {
    let (message, project) = (mail.message, mail.project);
    if d.knows_submission(&message.id, |parent| matches!(parent, Parent::Patch(_))) {
        return Ok(Outcome::Duplicate(message.id.clone()));
    }
    let submitter = d.submitter(&mail.author).await?;
    let delegate = delegate::of(d, mail).await?;
    let place = series::place_of(d, mail, submitter).await?;
    let hash = message.content.diff.as_deref().map(mail::diff_hash);
    let new = NewPatch {
        project: project.id,
        submitter,
        state: d.rulebook.state(message.hints.state.as_deref()),
        delegate,
        place: place.joined().map(|number| (place.series, number)),
        date: message.date_or(d.now),
        msgid: &message.id,
        name: &mail.heading.name,
        hash: hash.as_ref(),
        pull_url: message.content.pull_url.as_deref(),
    };
    let id = store::patch::insert(d.tx, &new).await?;
    d.learn(&message.id, Parent::Patch(id), false);
    d.body(id, body(mail));
    d.count_tags(project, id, &message.content.message);
    d.tell([Event::patch_created(project.id, id, d.now)]);
    join(d, mail, &place, id).await?;
    depends::record(d, mail, Some(place.series)).await?;
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
async fn join(d: &mut Delivery<'_>, mail: &Mail<'_>, place: &Place, patch: PatchId) -> Result<()> {
    let project = mail.project.id;
    if place.is_new {
        d.tell([Event::series_created(project, place.series, d.now)]);
    }
    let Some(number) = place.joined() else {
        return Ok(());
    };
    let name = name_after_patch(place.name.as_deref(), number, &mail.heading.name);
    if let Some(name) = name.filter(|name| place.name.as_ref() != Some(name)) {
        store::series::set_name(d.tx, place.series, &name).await?;
    }
    let joining = Joining {
        series: place.series,
        total: place.total,
        members: members(d, place, number, patch).await?,
        number,
    };
    d.tell(after_joining(&joining, project, d.now));
    Ok(())
}

async fn members(
    d: &mut Delivery<'_>,
    place: &Place,
    number: i64,
    patch: PatchId,
) -> Result<Vec<(i64, PatchId)>> {
    if place.is_new {
        return Ok(vec![(number, patch)]);
    }
    store::series::members(d.tx, place.series).await
}
