//! What a maintainer takes along with a series: the trailers people gave, shown before anything is applied; the ways to
//! answer, and to tell that it was applied.

use super::*;
use crate::{
    domain::MessageId,
    mail::trailer::{self, Said},
    store::comment::Heard,
    web::reply::{self, Applied, Letter},
};

/// Trailers given in reply, and the texts needed to know that.
#[derive(Default)]
pub(super) struct Collected {
    heard: Vec<Heard>,
    given: Vec<Given>,
    /// What the first patch says, where there is no cover letter to answer.
    first: Option<String>,
}

/// A trailer that was given.
struct Given {
    line: String,
    /// The address that the trailer names.
    address: String,
    /// Its reply's place among what was heard.
    heard: usize,
    /// The places of the patches that gain it; none where they have it already.
    onto: Vec<usize>,
}

impl Collected {
    /// Reads what was said of a series, and which of its patches gain what.
    pub(super) async fn load(
        db: &mut Db<'_>,
        series: SeriesId,
        cover: Option<&Cover>,
        rows: &[Row],
    ) -> Result<Collected> {
        let cover_id = cover.map(|cover| cover.id);
        let heard = store::comment::heard(db, series, cover_id).await?;
        let wanted = match (heard.is_empty(), cover) {
            (false, _) => rows,
            (true, None) => rows.get(..1).unwrap_or_default(),
            (true, Some(_)) => &[],
        };
        let ids: Vec<PatchId> = wanted.iter().map(|row| row.id).collect();
        let mut messages: HashMap<PatchId, String> = match ids.is_empty() {
            true => HashMap::new(),
            false => store::patch::messages(db, &ids)
                .await?
                .into_iter()
                .collect(),
        };
        Ok(Collected {
            given: given(rows, &messages, &heard),
            first: rows.first().and_then(|row| messages.remove(&row.id)),
            heard,
        })
    }

    fn is_from_cover(&self, given: &Given) -> bool {
        self.heard[given.heard].patch_id.is_none()
    }

    /// Says whether patches gain something from the replies to the cover letter.
    pub(super) fn covers(&self) -> bool {
        let mut given = self.given.iter();
        given.any(|one| !one.onto.is_empty() && self.is_from_cover(one))
    }

    /// Counts what the patches gain from the replies to the cover letter, by tag.
    pub(super) fn tags_of_cover(&self, counter: &Counter) -> HashMap<TagId, i64> {
        let mut sum = HashMap::new();
        for one in self.given.iter().filter(|one| self.is_from_cover(one)) {
            for (tag, count) in counter.count(&one.line) {
                *sum.entry(tag).or_insert(0) += count * one.onto.len() as i64;
            }
        }
        sum
    }
}

fn given(rows: &[Row], messages: &HashMap<PatchId, String>, heard: &[Heard]) -> Vec<Given> {
    let text = |row: &Row| messages.get(&row.id).map_or("", String::as_str);
    let texts: Vec<&str> = rows.iter().map(text).collect();
    let said = heard.iter().map(|one| Said {
        // A patch that is not shown gains nothing that could be shown.
        about: one.patch_id.map(|id| place(rows, id)),
        text: &one.content,
    });
    let said: Vec<Said> = said.collect();
    let collected = trailer::collect(&texts, &said).into_iter();
    let own = collected.map(|one| Given {
        address: one.address(),
        line: one.line.to_owned(),
        heard: one.said,
        onto: one.onto,
    });
    own.collect()
}

/// Returns a patch's place among those shown; behind the last for none of them.
fn place(rows: &[Row], id: PatchId) -> usize {
    let place = rows.iter().position(|row| row.id == id);
    place.unwrap_or(rows.len())
}

/// Draws what would be collected.
pub(super) fn drawn(view: &View, page: &Page) -> Markup {
    let (new, there): (Vec<&Given>, Vec<&Given>) = page
        .collected
        .given
        .iter()
        .partition(|one| !one.onto.is_empty());
    html! {
        @if !page.collected.given.is_empty() {
            section.trailers #trailers {
                header { h2 { "Trailers" span.n { (new.len()) } } }
                p.muted { (explained(page, new.len())) }
                @if !new.is_empty() { ul { @for one in &new { (line(view, page, one)) } } }
                @if !there.is_empty() {
                    details {
                        summary { (there.len()) " that the patches have already" }
                        ul { @for one in &there { (line(view, page, one)) } }
                    }
                }
            }
        }
    }
}

fn explained(page: &Page, new: usize) -> &'static str {
    match (new, page.collected.covers()) {
        (0, _) => "The patches have all that was given in replies.",
        (_, false) => "Given in replies; the mailbox of the series has them in place.",
        (_, true) => {
            "Given in replies. The mailbox of the series has those given to a patch in place; the line for git am takes those \
             given to the cover letter along, too."
        }
    }
}

fn line(view: &View, page: &Page, one: &Given) -> Markup {
    let heard = &page.collected.heard[one.heard];
    let name = heard.submitter_name.as_deref();
    let by = parts::submitter(
        view,
        &page.project,
        heard.submitter_id,
        name,
        &heard.submitter_email,
    );
    html! {
        li {
            code { (odd::shown(&one.line)) }
            p.muted {
                @if !one.onto.is_empty() { span { (onto(page, &one.onto)) } " " }
                a href=(view.links().comment(heard.id)) { @if page.collected.is_from_cover(one) { "given to the cover letter" } @else { "reply" } }
                " by " (by)
                @if !heard.submitter_email.eq_ignore_ascii_case(&one.address) {
                    " " span.label.todo { "from another address" }
                }
            }
        }
    }
}

/// Says which patches gain a trailer.
fn onto(page: &Page, places: &[usize]) -> String {
    let rows = &page.rows;
    if places.len() == rows.len() && places.len() > 1 {
        return format!("onto all {}", rows.len());
    }
    let number = |place: &usize| {
        let number = rows.get(*place).and_then(|row| row.number);
        number.map_or_else(|| "–".to_owned(), |number| number.to_string())
    };
    let shown: Vec<String> = places.iter().take(12).map(number).collect();
    let more = if places.len() > shown.len() {
        " …"
    } else {
        ""
    };
    format!("onto {}{more}", shown.join(", "))
}

/// Draws the ways to answer the series: its cover letter, or its first patch.
pub(super) fn answer(page: &Page) -> Markup {
    let letter = match (&page.cover, page.rows.first()) {
        (Some(cover), _) => Letter::of_cover(&page.project, cover),
        (None, Some(row)) => of_patch(page, row),
        (None, None) => return html! {},
    };
    let applied: Vec<Applied> = page
        .committed
        .iter()
        .map(|(number, name, commit)| Applied {
            place: number.map(|number| format!("{number}/{}", page.sent.series.total)),
            name: parts::title(name),
            commit: page
                .project
                .commit_url(commit)
                .unwrap_or_else(|| commit.clone()),
        })
        .collect();
    reply::of_series(&letter, &applied)
}

fn of_patch<'a>(page: &'a Page, row: &'a Row) -> Letter<'a> {
    Letter {
        project: &page.project,
        subject: &row.name,
        msgid: &row.msgid,
        author: row.submitter_name.as_deref(),
        email: &row.submitter_email,
        date: row.date,
        content: page.collected.first.as_deref().unwrap_or_default(),
    }
}

/// Draws lines for copying into a terminal: the mailbox with all trailers, and what b4 does.
pub(super) fn commands(view: &View, page: &Page, mbox: &str, msgid: &MessageId) -> Markup {
    let series = page.sent.series.id;
    match page.collected.covers() {
        true => thread::commands(view, &view.links().series_mbox_with_cover(series), msgid),
        false => thread::commands(view, mbox, msgid),
    }
}
