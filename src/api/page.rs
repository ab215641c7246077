//! Pages of lists: by number, as clients know them, and by the entry before, which holds while entries come and go
//! (`rest.md §6`).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{
    answer::Reply,
    error::{Problem, Result},
    json::Json,
    request::Cx,
};
use crate::store::window::{After, Part, Window};

/// Which page of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    number: Number,
    size: i64,
    after: Option<After>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Nth(i64),
    Last,
    /// Nobody counts: it is the one behind an entry.
    Behind,
}

impl Page {
    /// Reads it off the query.
    ///
    /// # Errors
    /// When there is no such page in any list.
    pub fn asked(cx: &Cx<'_>) -> Result<Page> {
        let after = match cx.query.last("after") {
            None => None,
            Some(text) => Some(entry(text).ok_or(Problem::NoPage)?),
        };
        let number = match cx.query.last("page") {
            None if after.is_some() => Number::Behind,
            None => Number::Nth(1),
            Some("last") => Number::Last,
            Some(text) => match text.trim().parse() {
                Ok(number @ 1..) => Number::Nth(number),
                _ => return Err(Problem::NoPage),
            },
        };
        let limits = &cx.site.options;
        let size = cx.query.last("per_page").and_then(number_of);
        let size = size.unwrap_or(limits.per_page);
        Ok(Page {
            number,
            size: size.min(limits.max_per_page),
            after,
        })
    }

    /// Says whether whoever asks goes on behind an entry and does not count pages.
    pub fn is_behind(&self) -> bool {
        self.number == Number::Behind
    }

    /// Says whether it is the last page, whichever number it has.
    pub fn is_last(&self) -> bool {
        self.number == Number::Last
    }

    /// Returns its place in a list that is too long to be counted. Not for the last page.
    pub fn within_many(self) -> Place {
        let is_behind = self.is_behind();
        Place {
            number: match self.number {
                Number::Nth(number) => number,
                Number::Last | Number::Behind => 1,
            },
            pages: None,
            total: None,
            size: self.size,
            after: self.after,
            is_behind,
        }
    }

    /// Finds its place in a list of so many entries.
    ///
    /// # Errors
    /// When the list is not that long.
    pub fn within(self, total: i64) -> Result<Place> {
        let pages = total.div_euclid(self.size) + i64::from(total % self.size > 0);
        let pages = pages.max(1);
        let number = match self.number {
            Number::Last => pages,
            Number::Nth(number) => number,
            Number::Behind => 1,
        };
        // Behind an entry there may be fewer than the number says, and that is no mistake.
        if self.after.is_none() && number > pages {
            return Err(Problem::NoPage);
        }
        Ok(Place {
            number,
            pages: Some(pages),
            total: Some(total),
            size: self.size,
            is_behind: self.is_behind(),
            after: self.after,
        })
    }
}

/// Reads how many entries a page is to have; a number beyond all bounds is one all the same.
fn number_of(text: &str) -> Option<i64> {
    let text = text.trim();
    super::query::number(text.strip_prefix('+').unwrap_or(text)).filter(|size| *size > 0)
}

/// Reads the place of an entry: as [`cursor`] writes it, or its id alone.
fn entry(text: &str) -> Option<After> {
    if let Some(id) = super::query::number(text) {
        return Some(After {
            keys: Vec::new(),
            id,
        });
    }
    let json = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let mut keys: Vec<serde_json::Value> = serde_json::from_slice(&json).ok()?;
    let id = keys.pop()?.as_i64()?;
    Some(After { keys, id })
}

/// Writes the place of an entry for the next question: with what it was sorted by, for that may change.
fn cursor(after: After) -> String {
    if after.keys.is_empty() {
        return after.id.to_string();
    }
    let mut keys = after.keys;
    keys.push(after.id.into());
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::Value::from(keys).to_string())
}

/// A page's place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    number: i64,
    /// Unknown in a list that is too long.
    pages: Option<i64>,
    total: Option<i64>,
    size: i64,
    after: Option<After>,
    is_behind: bool,
}

impl Place {
    /// Returns what to ask the database for.
    pub fn window(&self) -> Window {
        Window {
            limit: self.size,
            offset: (self.number - 1).saturating_mul(self.size),
            after: self.after.clone(),
        }
    }

    /// Sees that there is something on a page of which that was not known before.
    ///
    /// # Errors
    /// When it is behind the last one.
    pub fn is_there<T>(&self, found: &Part<T>) -> Result<()> {
        let is_behind_all = self.pages.is_none() && self.after.is_none() && found.rows.is_empty();
        match is_behind_all && self.number > 1 {
            true => Err(Problem::NoPage),
            false => Ok(()),
        }
    }

    /// Answers with the entries that were found; `next` is the place of the last one if there are more.
    pub fn answer<T>(
        &self,
        cx: &Cx<'_>,
        found: Vec<T>,
        next: Option<After>,
        mut one: impl FnMut(&mut Json, &T),
    ) -> Reply {
        let mut json = Json::default();
        json.list(&found, |json, item| one(json, item));
        Reply {
            link: Some(self.link(cx, next)),
            total: self.total,
            ..Reply::ok(json.into_string())
        }
    }

    /// Returns the header `Link`. Compatibility: `next` stands first, and clients cut at commas (`rest.md §6`).
    fn link(&self, cx: &Cx<'_>, next: Option<After>) -> String {
        let at = |page: Option<String>, after: Option<After>| {
            let changes = [("page", page), ("after", after.map(cursor))];
            cx.here(&cx.query.with(&changes))
        };
        let page = |number: Option<i64>, after| at(number.map(|it| it.to_string()), after);
        let mut links = Vec::with_capacity(4);
        if next.is_some() {
            let number = (!self.is_behind).then_some(self.number + 1);
            links.push((page(number, next), "next"));
        }
        if self.number > 1 {
            let before = Some(self.number - 1).filter(|number| *number > 1);
            links.push((page(before, None), "prev"));
        }
        links.push((page(Some(1), None), "first"));
        links.push(match self.pages {
            Some(pages) => (page(Some(pages), None), "last"),
            None => (at(Some("last".to_owned()), None), "last"),
        });
        let links = links
            .iter()
            .map(|(url, rel)| format!("<{url}>; rel=\"{rel}\""));
        links.collect::<Vec<_>>().join(", ")
    }
}

/// Answers a list in which nothing can be found.
///
/// # Errors
/// When another page than the first is asked for.
pub fn empty(cx: &Cx<'_>) -> Result<Reply> {
    let place = Page::asked(cx)?.within(0)?;
    Ok(place.answer(cx, Vec::<()>::new(), None, |_, ()| {}))
}
