//! What has happened since a page was drawn: the page asks now and then, and offers to load it (`ux.md B4`).
//!
//! A page does not say when it was drawn: it would never be the same twice, and no browser could keep it. Its script says how many seconds
//! that is ago, and goes on with the moment it is told in return.

use rocket::{Route, http::ContentType};
use serde::Serialize;

use super::{
    Db, Error,
    comment::number,
    error::Result,
    guard::{Pairs, View},
    listing::{Ground, Listing, Place},
    query::Query,
};
use crate::{
    domain::{CoverId, PatchId, SeriesId, Timestamp, event::Category},
    store::{self, event::About},
};

/// Of more news only so many are told.
const MOST: i64 = 100;
/// What happened longer ago is no news: whoever left a page open that long loads it anew anyway.
const LONGEST: i64 = 7 * 24 * 60 * 60;

/// Returns the routes of news.
pub fn routes() -> Vec<Route> {
    rocket::routes![of_list, of_patch, of_cover, of_series]
}

/// What a script is told.
#[derive(Serialize)]
struct News {
    /// From when on it is news, in microseconds: to be sent as `told` next time.
    since: i64,
    /// How many.
    count: i64,
    /// What to show; nothing without news.
    text: String,
}

impl News {
    fn told(since: Timestamp, count: i64, what: &str) -> (ContentType, String) {
        let shown = match count {
            MOST.. => format!("{MOST} or more"),
            count => count.to_string(),
        };
        let text = match count {
            0 => String::new(),
            _ => format!("{shown} {what}"),
        };
        let news = News {
            since: since.0,
            count,
            text,
        };
        let json = serde_json::to_string(&news).unwrap_or_default();
        (ContentType::JSON, json)
    }
}

#[rocket::get("/news/list/<linkname>")]
async fn of_list(
    linkname: &str,
    view: View<'_>,
    pairs: Pairs,
    mut db: Db<'_>,
) -> Result<(ContentType, String)> {
    let since = since(&pairs, Timestamp::now());
    let project = store::project::by_linkname(&mut db, linkname)
        .await?
        .ok_or_else(Error::no_project)?;
    let vocabulary = store::state::vocabulary(&mut db).await?;
    let ground = Ground {
        place: Place::Project(project.id),
        reader: view.user().map(|user| user.id),
    };
    let listing = Listing::of(&Query::read(&pairs.0), ground, &vocabulary);
    let (filter, states) = (&listing.filter, &vocabulary.states);
    let count = store::patch::find::arrived(&mut db, filter, states, since, MOST).await?;
    let what = if count == 1 {
        "new patch"
    } else {
        "new patches"
    };
    Ok(News::told(since, count, what))
}

#[rocket::get("/news/patch/<id>")]
async fn of_patch(
    id: &str,
    view: View<'_>,
    pairs: Pairs,
    db: Db<'_>,
) -> Result<(ContentType, String)> {
    of_thing(About::Patch(PatchId(number(id)?)), view, pairs, db).await
}

#[rocket::get("/news/cover/<id>")]
async fn of_cover(
    id: &str,
    view: View<'_>,
    pairs: Pairs,
    db: Db<'_>,
) -> Result<(ContentType, String)> {
    of_thing(About::Cover(CoverId(number(id)?)), view, pairs, db).await
}

#[rocket::get("/news/series/<id>")]
async fn of_series(
    id: &str,
    view: View<'_>,
    pairs: Pairs,
    db: Db<'_>,
) -> Result<(ContentType, String)> {
    of_thing(About::Series(SeriesId(number(id)?)), view, pairs, db).await
}

async fn of_thing(
    about: About,
    view: View<'_>,
    pairs: Pairs,
    mut db: Db<'_>,
) -> Result<(ContentType, String)> {
    let since = since(&pairs, Timestamp::now());
    let reader = view.user().map(|user| user.id);
    let happened = store::event::news(&mut db, about, since, reader).await?;
    let (count, what) = summed(&happened);
    Ok(News::told(since, count, what))
}

/// Counts what readers care for, and says what it is, in one word where it is all of one kind.
fn summed(happened: &[(String, i64)]) -> (i64, &'static str) {
    let (mut patches, mut replies, mut changes) = (0, 0, 0);
    for (word, count) in happened {
        match Category::from_word(word) {
            Some(Category::PatchCreated | Category::CoverCreated) => patches += count,
            Some(Category::PatchCommentCreated | Category::CoverCommentCreated) => replies += count,
            // Whatever completes a series or a patch is told by itself.
            None
            | Some(
                Category::PatchCompleted | Category::SeriesCompleted | Category::SeriesCreated,
            ) => {}
            Some(
                Category::PatchStateChanged
                | Category::PatchDelegated
                | Category::PatchRelationChanged
                | Category::CheckCreated,
            ) => changes += count,
        }
    }
    let what = match (patches, replies, changes) {
        (1, 0, 0) => "new mail",
        (_, 0, 0) => "new mails",
        (0, 1, 0) => "new reply",
        (0, _, 0) => "new replies",
        (0, 0, 1) => "change",
        (0, 0, _) => "changes",
        _ => "new replies and changes",
    };
    ((patches + replies + changes).min(MOST), what)
}

/// Returns from when on something is news: a moment that was told before, else so many seconds ago.
fn since(pairs: &Pairs, now: Timestamp) -> Timestamp {
    let number = |key| pairs.last(key).and_then(|text| text.parse::<i64>().ok());
    let oldest = now.0 - LONGEST * 1_000_000;
    let ago = |age: i64| now.0 - age.clamp(0, LONGEST) * 1_000_000;
    let since = number("told").or_else(|| number("age").map(ago));
    Timestamp(since.unwrap_or(now.0).clamp(oldest, now.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_called_what_they_are() {
        let of = |words: &[(&str, i64)]| {
            let happened: Vec<(String, i64)> = words
                .iter()
                .map(|(word, count)| ((*word).to_owned(), *count))
                .collect();
            summed(&happened)
        };
        assert_eq!(of(&[]), (0, "new mails"));
        assert_eq!(of(&[("patch-comment-created", 1)]), (1, "new reply"));
        assert_eq!(
            of(&[("patch-comment-created", 1), ("cover-comment-created", 2)]),
            (3, "new replies")
        );
        assert_eq!(
            of(&[("patch-state-changed", 1), ("check-created", 1)]),
            (2, "changes")
        );
        assert_eq!(
            of(&[("patch-created", 2), ("series-completed", 1)]),
            (2, "new mails")
        );
        assert_eq!(
            of(&[("patch-created", 90), ("check-created", 90)]),
            (100, "new replies and changes")
        );
    }

    #[test]
    fn a_page_says_how_old_it_is() {
        let now = Timestamp(1_700_000_000_000_000);
        let of = |query: &[(&str, &str)]| {
            let pairs = query.iter();
            let pairs = pairs.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            now.0 - since(&Pairs(pairs.collect()), now).0
        };
        assert_eq!(of(&[("age", "60")]), 60_000_000);
        assert_eq!(
            of(&[("told", "1699999999000000"), ("age", "60")]),
            1_000_000
        );
        assert_eq!(of(&[("age", "-5")]), 0);
        assert_eq!(of(&[("told", "9999999999999999999")]), 0);
        assert_eq!(of(&[("told", "0")]), LONGEST * 1_000_000);
        assert_eq!(of(&[]), 0);
    }
}
