//! Old and short addresses: numbers of patches, covers, comments and series lead to where these are shown.

use rocket::Route;

use super::{Db, Error, answer::Answer, download::File, error::Result, guard::View};
use crate::{
    domain::{CommentId, CoverId, PatchId},
    store::{
        self,
        submission::{self, Kind, Place},
    },
};

/// Returns the routes of numbered addresses.
pub fn routes() -> Vec<Route> {
    rocket::routes![
        patch,
        patch_raw,
        patch_mbox,
        cover,
        cover_mbox,
        comment,
        comment_mail
    ]
}

#[rocket::get("/patch/<id>")]
async fn patch(id: &str, view: View<'_>, db: Db<'_>) -> Result<Answer> {
    patch_at(id, "", view, db).await
}

#[rocket::get("/patch/<id>/raw")]
async fn patch_raw(id: &str, view: View<'_>, db: Db<'_>) -> Result<Answer> {
    patch_at(id, "raw/", view, db).await
}

#[rocket::get("/patch/<id>/mbox")]
async fn patch_mbox(id: &str, view: View<'_>, db: Db<'_>) -> Result<Answer> {
    patch_at(id, "mbox/", view, db).await
}

async fn patch_at(id: &str, action: &str, view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let place = submission::patch(&mut db, PatchId(number(id)?)).await?;
    Ok(found(&view, place.ok_or_else(Error::missing)?, action))
}

#[rocket::get("/cover/<id>")]
async fn cover(id: &str, view: View<'_>, db: Db<'_>) -> Result<Answer> {
    cover_at(id, "", view, db).await
}

#[rocket::get("/cover/<id>/mbox")]
async fn cover_mbox(id: &str, view: View<'_>, db: Db<'_>) -> Result<Answer> {
    cover_at(id, "mbox/", view, db).await
}

async fn cover_at(id: &str, action: &str, view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let place = submission::cover(&mut db, CoverId(number(id)?)).await?;
    Ok(found(&view, place.ok_or_else(Error::missing)?, action))
}

#[rocket::get("/comment/<id>")]
async fn comment(id: &str, view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let place = submission::comment(&mut db, CommentId(number(id)?)).await?;
    Ok(found(&view, place.ok_or_else(Error::missing)?, ""))
}

#[rocket::get("/comment/<id>/mail")]
async fn comment_mail(id: &str, mut db: Db<'_>) -> Result<Answer> {
    let id = CommentId(number(id)?);
    let mail = store::mail::of_comment(&mut db, id)
        .await?
        .ok_or_else(Error::missing)?;
    Ok(Answer::File(File::mail(&format!("comment-{id}"), mail)))
}

fn found(view: &View, place: Place, action: &str) -> Answer {
    Answer::Found(address(view, &place, action))
}

/// Returns the address at which something is shown, with what is wanted of it.
pub fn address(view: &View, place: &Place, action: &str) -> String {
    let (links, linkname) = (view.links(), &place.linkname);
    match place.kind {
        Kind::Patch => links.patch(linkname, &place.msgid) + action,
        Kind::Cover => links.cover(linkname, &place.msgid) + action,
        Kind::PatchComment(id) => format!("{}#{id}", links.patch(linkname, &place.msgid)),
        Kind::CoverComment(id) => format!("{}#{id}", links.cover(linkname, &place.msgid)),
    }
}

/// Reads a number in an address.
pub fn number(text: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::missing())
}
