//! Old and short addresses: numbers of patches, covers, comments and series lead to where these are shown. And the one
//! thing that is done to a comment: marking it as addressed (`web.md §7.3`).

use rocket::Route;

use super::{
    Db, Error, answer::Answer, download::File, error::Result, form::Form, guard::View, thread::Mark,
};
use crate::{
    domain::{
        CommentId, CoverId, PatchId, Timestamp, comment::Parent, notice::Notice, permission::Rights,
    },
    store::{
        self, Tx,
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
        mark,
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

/// Marks what a comment asks for as done, as open, or as never asked for.
#[rocket::post("/comment/<id>", data = "<form>")]
async fn mark(id: &str, view: View<'_>, mut db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let id = CommentId(number(id)?);
    let place = submission::comment(&mut db, id).await?;
    let address = address(&view, &place.ok_or_else(Error::missing)?, "");
    let session = view.logged_in()?;
    drop(db);
    let now = Timestamp::now();
    let mut tx = form.begin().await?;
    let may = may_mark(&mut tx, &session.caller.rights, id).await?;
    let addressed = match (form.text("addressed").to_lowercase().as_str(), may) {
        (_, Mark::No) => return Err(Error::Forbidden(NOT_YOURS)),
        ("true", _) => Some(true),
        ("false", _) => Some(false),
        ("", Mark::AndClear) => None,
        ("", _) => return Err(Error::Forbidden("Only maintainers may clear a mark.")),
        _ => {
            let told = Notice::failed("A comment is either addressed or not: true or false.");
            session.tell(&mut tx, vec![told], now).await?;
            tx.commit().await?;
            return Ok(Answer::Done(address));
        }
    };
    store::comment::set_addressed(&mut tx, id, addressed).await?;
    let told = Notice::done("1 comment updated.");
    session.tell(&mut tx, vec![told], now).await?;
    tx.commit().await?;
    Ok(Answer::Done(address))
}

const NOT_YOURS: &str =
    "A comment can be marked by who wrote it, and by those who may change what it answers.";

async fn may_mark(tx: &mut Tx, rights: &Rights, id: CommentId) -> Result<Mark> {
    let origin = store::comment::origin(tx, id).await?;
    let (author, parent) = origin.ok_or_else(Error::missing)?;
    let (may, project) = match parent {
        Parent::Patch(id) => {
            let patch = store::patch::by_id(tx, id).await?;
            let patch = patch.ok_or_else(Error::missing)?;
            (rights.may_address(author, &patch), patch.project_id)
        }
        Parent::Cover(id) => {
            let cover = store::cover::by_id(tx, id).await?;
            let cover = cover.ok_or_else(Error::missing)?;
            let project = cover.project_id;
            let may = rights.may_address_cover(author, cover.submitter_id, project);
            (may, project)
        }
    };
    Ok(match may {
        _ if rights.maintains(project) => Mark::AndClear,
        true => Mark::Yes,
        false => Mark::No,
    })
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
