//! Pages of lists: by number, as clients know them, and by the entry before, which holds while entries come and go
//! (`rest.md §6`).

use super::{
    answer::Reply,
    error::{Problem, Result},
    json::Json,
    request::Cx,
};
use crate::store::window::Window;

/// Which page of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    number: Number,
    size: i64,
    after: Option<i64>,
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
            Some(text) => Some(super::query::number(text).ok_or(Problem::NoPage)?),
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
        let size = cx
            .query
            .last("per_page")
            .and_then(|text| text.trim().parse().ok());
        let limits = &cx.site.options;
        Ok(Page {
            number,
            size: match size {
                Some(size @ 1..) => i64::min(size, limits.max_per_page),
                _ => limits.per_page.min(limits.max_per_page),
            },
            after,
        })
    }

    /// Says whether whoever asks goes on behind an entry and does not count pages.
    pub fn is_behind(&self) -> bool {
        self.number == Number::Behind
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
            pages,
            total,
            size: self.size,
            after: self.after,
            is_behind: self.is_behind(),
        })
    }
}

/// A page's place in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    number: i64,
    pages: i64,
    total: i64,
    size: i64,
    after: Option<i64>,
    is_behind: bool,
}

impl Place {
    /// Returns what to ask the database for: an entry more than the page shows tells that there is a next one.
    pub fn window(&self) -> Window {
        Window {
            limit: self.size + 1,
            offset: (self.number - 1).saturating_mul(self.size),
            after: self.after,
        }
    }

    /// Answers with the entries that were found.
    pub fn answer<T>(
        &self,
        cx: &Cx<'_>,
        mut found: Vec<T>,
        id: impl Fn(&T) -> i64,
        mut one: impl FnMut(&mut Json, &T),
    ) -> Reply {
        let is_more = found.len() as i64 > self.size;
        found.truncate(self.size as usize);
        let next = found.last().filter(|_| is_more).map(id);
        let mut json = Json::default();
        json.list(&found, |json, item| one(json, item));
        Reply {
            link: Some(self.link(cx, next)),
            total: Some(self.total),
            ..Reply::ok(json.into_string())
        }
    }

    /// Returns the header `Link`. Compatibility: `next` stands first, and clients cut at commas (`rest.md §6`).
    fn link(&self, cx: &Cx<'_>, next: Option<i64>) -> String {
        let page = |number: Option<i64>, after: Option<i64>| {
            let text = |number: i64| number.to_string();
            let changes = [("page", number.map(text)), ("after", after.map(text))];
            cx.here(&cx.query.with(&changes))
        };
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
        links.push((page(Some(self.pages), None), "last"));
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
    Ok(place.answer(cx, Vec::<()>::new(), |()| 0, |_, ()| {}))
}
