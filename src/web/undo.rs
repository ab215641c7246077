//! Taking a change of patches back: for its user only, once, and only where nobody has changed more since.

use rocket::Route;

use super::{Db, Error, answer::Answer, bulk, error::Result, form::Form, guard::View};
use crate::{
    auth::session::Session,
    domain::{
        EventId, Patch, PatchId, Timestamp,
        change::{Actor, PatchChange},
        link,
        notice::Notice,
        permission::Rights,
        undo::{self, Step},
    },
    store::{self, Tx, dashboard::Decided},
};

/// Returns the routes of undoing.
pub fn routes() -> Vec<Route> {
    rocket::routes![back, undecide]
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
            let steps: Vec<Step> = serde_json::from_str(&data).unwrap_or_default();
            take_all_back(&mut tx, session, &steps, now).await?
        }
    };
    session.tell(&mut tx, vec![told], now).await?;
    tx.commit().await?;
    Ok(onward(&form, view.links().home()))
}

/// Gives patches back the states they had before decisions of the reader, as the events named tell of them: at any time, as long as
/// they still stand as decided.
#[rocket::post("/undecide", data = "<form>")]
async fn undecide(view: View<'_>, db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let session = view.logged_in()?;
    drop(db);
    let events = form.all("event").filter_map(|id| id.parse().ok());
    let events: Vec<EventId> = events.map(EventId).take(MOST).collect();
    let (now, user) = (Timestamp::now(), session.caller.user.id);
    let mut tx = form.begin().await?;
    let decided = store::dashboard::decisions(&mut tx, user, &events).await?;
    let step =
        |one: &Decided| Step::of_state(one.patch_id, one.previous_state_id, one.current_state_id);
    let steps: Vec<Step> = decided.iter().map(step).collect();
    let told = take_all_back(&mut tx, session, &steps, now).await?;
    session.tell(&mut tx, vec![told], now).await?;
    tx.commit().await?;
    Ok(onward(&form, view.links().user_page("todo/?all=1")))
}

/// More decisions are not taken back at once.
const MOST: usize = 1000;

/// Returns the page that a form names as the next one, or else another.
fn onward(form: &Form, otherwise: String) -> Answer {
    let next = form.get("next").filter(|next| link::is_own_path(next));
    Answer::Done(next.map_or(otherwise, str::to_owned))
}

/// Takes steps back as far as the user may change their patches, and says what came of it.
async fn take_all_back(
    tx: &mut Tx,
    session: &Session,
    steps: &[Step],
    now: Timestamp,
) -> Result<Notice> {
    let by = Actor {
        user: Some(session.caller.user.id),
        at: now,
    };
    let rights = &session.caller.rights;
    let patches: Vec<PatchId> = steps.iter().map(Step::patch).collect();
    let mut mine = store::patch::change::lock(tx, &patches).await?;
    mine.retain(|patch| rights.may_edit(patch));
    let undone = take_back(tx, steps, &mine, rights, &by).await?;
    Ok(told(undone, steps.len()))
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
