//! Taking a change of patches back: for its user only, once, and only where nobody has changed more since.

use rocket::Route;

use super::{Db, Error, answer::Answer, bulk, error::Result, form::Form, guard::View};
use crate::{
    domain::{
        Patch, PatchId, Timestamp,
        change::{Actor, PatchChange},
        link,
        notice::Notice,
        permission::Rights,
        undo::{self, Step},
    },
    store::{self, Tx},
};

/// Returns the routes of undoing.
pub fn routes() -> Vec<Route> {
    rocket::routes![back]
}

#[rocket::post("/undo/<id>", data = "<form>")]
async fn back(id: &str, view: View<'_>, db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let session = view.logged_in()?;
    drop(db);
    let id: i64 = id.parse().map_err(|_| Error::missing())?;
    let now = Timestamp::now();
    let user = session.caller.user.id;
    let mut tx = form.begin().await?;
    let kept = store::undo::take(&mut tx, id, user, now.plus_minutes(-undo::MINUTES)).await?;
    let told = match kept {
        None => Notice::failed("It is too late to undo that, or it is undone already."),
        Some(data) => {
            let by = Actor {
                user: Some(user),
                at: now,
            };
            let steps: Vec<Step> = serde_json::from_str(&data).unwrap_or_default();
            let patches: Vec<PatchId> = steps.iter().map(Step::patch).collect();
            let mut mine = store::patch::change::lock(&mut tx, &patches).await?;
            mine.retain(|patch| session.caller.rights.may_edit(patch));
            let rights = &session.caller.rights;
            let undone = take_back(&mut tx, &steps, &mine, rights, &by).await?;
            told(undone, steps.len())
        }
    };
    session.tell(&mut tx, vec![told], now).await?;
    tx.commit().await?;
    let next = form.get("next").filter(|next| link::is_own_path(next));
    Ok(Answer::Done(
        next.map_or_else(|| view.links().home(), str::to_owned),
    ))
}

/// Gives patches back what they had, and returns how many there were. Those with the same change go together.
async fn take_back(
    tx: &mut Tx,
    steps: &[Step],
    now: &[Patch],
    rights: &Rights,
    by: &Actor,
) -> Result<usize> {
    let mut groups: Vec<(PatchChange, Vec<PatchId>)> = Vec::new();
    for patch in now {
        let Some(step) = steps.iter().find(|step| step.patch() == patch.id) else {
            continue;
        };
        let mut change = step.back(patch);
        // Who may no longer name commits does not get one back either.
        if !rights.maintains(patch.project_id) {
            change.commit_ref = None;
        }
        if change == PatchChange::default() {
            continue;
        }
        match groups.iter_mut().find(|(other, _)| *other == change) {
            Some((_, ids)) => ids.push(patch.id),
            None => groups.push((change, vec![patch.id])),
        }
    }
    let mut undone = 0;
    for (change, ids) in groups {
        store::patch::change::apply(tx, &ids, &change, by).await?;
        undone += ids.len();
    }
    Ok(undone)
}

fn told(undone: usize, of: usize) -> Notice {
    match undone {
        0 => Notice::failed("Nothing was undone: the patches have been changed since."),
        undone if undone < of => Notice::done(format!(
            "{} of {of} undone; the others have been changed since.",
            bulk::patches(undone)
        )),
        undone => Notice::done(format!("{} as before.", bulk::patches(undone))),
    }
}
