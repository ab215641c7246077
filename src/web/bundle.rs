//! A user's bundle as a mailbox (`rest.md §10`).

use rocket::Route;

use super::{Db, Error, answer::Answer, download::File, error::Result, guard::Sender};
use crate::{
    domain::PatchId,
    store::{self, bundle::Bundle},
};

/// Returns the routes of bundles.
pub fn routes() -> Vec<Route> {
    rocket::routes![mbox]
}

#[rocket::get("/bundle/<username>/<name>/mbox")]
async fn mbox(username: &str, name: &str, sender: Sender<'_>, mut db: Db<'_>) -> Result<Answer> {
    let bundle = visible(&mut db, username, name, &sender).await?;
    let project = store::project::by_id(&mut db, bundle.project_id)
        .await?
        .ok_or_else(Error::missing)?;
    let details = store::patch::details_of_bundle(&mut db, bundle.id).await?;
    let ids: Vec<PatchId> = details.iter().map(|detail| detail.patch.id).collect();
    let replies = store::patch::replies(&mut db, &ids).await?;
    let file = File::bundle(&project, &details, &replies, &bundle);
    Ok(Answer::File(file))
}

/// Returns a bundle; a private one is there for its owner only.
async fn visible(
    db: &mut Db<'_>,
    username: &str,
    name: &str,
    sender: &Sender<'_>,
) -> Result<Bundle> {
    let bundle = store::bundle::by_name(db, username, name)
        .await?
        .ok_or_else(Error::missing)?;
    if bundle.public {
        return Ok(bundle);
    }
    match sender.caller(db).await? {
        Some(caller) if caller.user.id == bundle.owner_id => Ok(bundle),
        _ => Err(Error::missing()),
    }
}
