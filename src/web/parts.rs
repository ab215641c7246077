//! What several pages draw: people, moments, states, checks, tags, and the table of patches.

use std::{borrow::Cow, collections::HashMap};

use maud::{Markup, html};

use super::{
    bulk::{self, Bar},
    clock, group,
    guard::View,
    link, odd,
};
use crate::{
    domain::{
        PatchId, PersonId, Timestamp,
        attention::{Attention, Turn},
        check::{CheckCounts, CheckState},
        person,
        project::Project,
        series,
        tag::Tag,
    },
    store::{
        patch::{
            attention,
            list::{Marks, Row},
        },
        state::Vocabulary,
    },
};

/// How many characters of a name lists show.
const NAME_CHARS: usize = 100;

/// Returns what pages call a patch or a cover; what cannot be seen in its name is named.
pub fn named(name: &str) -> Cow<'_, str> {
    match name.trim() {
        "" => Cow::Borrowed("[no subject]"),
        _ => odd::shown(name),
    }
}

/// Returns a name without the bracket group that the list in hand makes superfluous.
pub fn title(name: &str) -> &str {
    let rest = name.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    match rest.map(|(_, title)| title.trim_start()) {
        Some(title) if !title.is_empty() => title,
        _ => name,
    }
}

/// Returns a text cut for a list, and the whole of it when something was cut away.
pub fn cut(text: &str) -> (&str, Option<&str>) {
    match text.char_indices().nth(NAME_CHARS) {
        Some((end, _)) => (&text[..end], Some(text)),
        None => (text, None),
    }
}

/// A moment to the minute, in the zone of who is looking.
pub fn moment(at: Timestamp) -> Markup {
    html! { time datetime=(at.iso()) { (clock::moment(at)) } }
}

/// A day.
pub fn day(at: Timestamp) -> Markup {
    html! { time { (clock::day(at)) } }
}

/// After how many days something has waited too long.
const TOO_LONG: i64 = 14;

/// How long ago something was written; a warning when that is too long.
pub fn age(since: Timestamp, now: Timestamp) -> Markup {
    let days = (now.0 - since.0).max(0) / 86_400_000_000;
    let text = match days {
        0 => "today".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let day = clock::day(since);
    html! {
        @if days > TOO_LONG {
            span.check.warn title={ "waits since " (day) } { (text) }
        } @else {
            span title=(day) { (text) }
        }
    }
}

/// Somebody who sent something; leads to what they sent.
pub fn submitter(
    view: &View,
    project: &Project,
    id: PersonId,
    name: Option<&str>,
    email: &str,
) -> Markup {
    let address = view.links().person(&project.linkname, id);
    html! { a href=(address) title=(email) { (odd::shown(person::shown(name, email))) } }
}

/// A state: a word in a chip; an outline when somebody has to act.
pub fn state(name: &str, action_required: bool) -> Markup {
    html! { span.state.todo[action_required] { (name) } }
}

/// Returns class and word of a result; the class draws a symbol beside its colour.
pub fn result(state: CheckState) -> (&'static str, &'static str) {
    match state {
        CheckState::Success => ("ok", "passed"),
        CheckState::Warning => ("warn", "with warnings"),
        CheckState::Fail => ("bad", "failed"),
        CheckState::Pending => ("wait", "pending"),
    }
}

/// Whose turn it is, for a row: a word, drawn as what the patch waits for, and on demand why; nothing where nobody has to act.
pub fn turn(attention: Attention, is_told: bool) -> Markup {
    html! {
        @if attention.turn != Turn::Nobody { i title=[is_told.then_some(attention.reason)] { (attention.turn.word()) } }
    }
}

/// Whose turn it is, and why, among the facts of a page.
pub fn waits(attention: Option<Attention>) -> Markup {
    html! {
        @if let Some(attention) = attention.filter(|attention| attention.turn != Turn::Nobody) {
            span.waits { "waits for the " strong { (attention.turn.word()) } ": " (attention.reason) }
        }
    }
}

/// Effective checks, counted: a symbol, a number and a hidden word (the style sheet hides `i` there) for each result there is.
pub fn checks(counts: &CheckCounts) -> Markup {
    html! {
        @for state in CheckState::ALL {
            @let count = counts.of(state);
            @if count > 0 {
                @let (class, word) = result(state);
                span.check.(class) { (count) i { " " (word) " " } }
            }
        }
    }
}

/// The tags of a patch in the narrow form of lists: `1/2/-`; `None` where there is none.
pub fn tag_cell(tags: &[&Tag], marks: &Marks) -> Option<Markup> {
    let counted = tags
        .iter()
        .filter_map(|tag| Some(format!("{} {}", marks.tags.get(&tag.id)?, tag.name)));
    let title = counted.collect::<Vec<_>>().join(", ");
    let drawn = html! {
        span title=(title) {
            @for (at, tag) in tags.iter().enumerate() {
                @if at > 0 { "/" }
                @match marks.tags.get(&tag.id) { Some(count) => (count), None => "-" }
            }
        }
    };
    (!title.is_empty()).then_some(drawn)
}

/// The head of the column of tags: `A/R/T`.
pub fn tag_head(vocabulary: &Vocabulary) -> Markup {
    let abbreviations: Vec<&str> = vocabulary
        .columns()
        .map(|tag| tag.abbrev.as_str())
        .collect();
    let names: Vec<&str> = vocabulary.columns().map(|tag| tag.name.as_str()).collect();
    html! { abbr title=(names.join(", ")) { (abbreviations.join("/")) } }
}

/// The tags of one thing in full: `Reviewed-by 2`.
pub fn tags(known: &[Tag], counts: &HashMap<crate::domain::TagId, i64>) -> Markup {
    html! {
        @for tag in known {
            @if let Some(count) = counts.get(&tag.id) {
                span.tag title={ (count) " " (tag.name) } { (tag.name) " " b { (count) } }
            }
        }
    }
}

/// A button that copies a text; without scripts there is none, the text is beside it.
pub fn copy(text: &str, what: &str) -> Markup {
    html! { button.copy type="button" data-copy=(text) hidden aria-label={ "Copy " (what) } { "Copy" } }
}

/// A button that copies a text, or a key that does.
pub fn copy_by_key(text: &str, what: &str, key: &str) -> Markup {
    html! {
        button.copy type="button" data-copy=(text) data-key=(key) hidden aria-label={ "Copy " (what) } { "Copy" }
    }
}

/// A column of the table of patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The place in the reader's own bundle, and what moves it.
    Place,
    /// The number, with what copies it.
    Id,
    /// The place in the series.
    Number,
    /// The name.
    Name,
    /// The project.
    Project,
    /// How long it waits.
    Age,
    /// The series.
    Series,
    /// Counted trailers.
    Tags,
    /// Counted checks.
    Checks,
    /// When it was written.
    Date,
    /// Who sent it.
    Submitter,
    /// On whose desk it lies.
    Delegate,
    /// Where it stands.
    State,
}

impl Column {
    /// Returns the key of `order=` that sorts by it.
    pub fn order_key(self) -> Option<&'static str> {
        match self {
            Column::Name => Some("name"),
            Column::Date => Some("date"),
            Column::Submitter => Some("submitter"),
            Column::Delegate => Some("delegate"),
            Column::State => Some("state"),
            Column::Place
            | Column::Id
            | Column::Number
            | Column::Project
            | Column::Age
            | Column::Series
            | Column::Tags
            | Column::Checks => None,
        }
    }

    /// Returns what its head says.
    pub fn label(self) -> &'static str {
        match self {
            Column::Place => "Place",
            Column::Id => "ID",
            Column::Number => "#",
            Column::Project => "Project",
            Column::Age => "Age",
            Column::Name => "Patch",
            Column::Series => "Series",
            Column::Tags => "Tags",
            Column::Checks => "Checks",
            Column::Date => "Date",
            Column::Submitter => "Submitter",
            Column::Delegate => "Delegate",
            Column::State => "State",
        }
    }

    /// Returns its class.
    pub fn class(self) -> &'static str {
        match self {
            Column::Place => "c-place",
            Column::Id => "c-id",
            Column::Number => "c-no",
            Column::Project => "c-project",
            Column::Age => "c-age",
            Column::Name => "c-name",
            Column::Series => "c-series",
            Column::Tags => "c-tags",
            Column::Checks => "c-checks",
            Column::Date => "c-date",
            Column::Submitter => "c-who",
            Column::Delegate => "c-desk",
            Column::State => "c-state",
        }
    }
}

/// A table of patches.
pub struct Table<'a> {
    /// States and tags.
    pub vocabulary: &'a Vocabulary,
    /// The rows.
    pub rows: &'a [Row],
    /// What is counted of them.
    pub marks: &'a HashMap<PatchId, Marks>,
    /// What is shown of them.
    pub columns: &'a [Column],
    /// What the table is, for those who cannot see it.
    pub caption: &'a str,
    /// Whether patches of a series stand together below a line for it.
    pub grouped: bool,
    /// What changes them, if the reader may try.
    pub bar: Option<&'a Bar>,
    /// Where each stands in the reader's own bundle, when that can be changed.
    pub places: Option<&'a HashMap<PatchId, usize>>,
    /// What stands above some rows, such as the series they begin.
    pub heads: Option<&'a HashMap<PatchId, Markup>>,
}

/// Draws a table of patches; `head` draws what the head of a column holds.
pub fn table(
    view: &View,
    table: &Table,
    head: impl Fn(Column) -> (Option<&'static str>, Markup),
) -> Markup {
    let tags: Vec<&Tag> = table.vocabulary.columns().collect();
    let none = Marks::default();
    let groups = match table.grouped {
        true => group::groups(table.rows),
        false => vec![group::Group {
            series: None,
            rows: table.rows.iter().collect(),
        }],
    };
    html! {
        table.patches {
            caption.vh { (table.caption) }
            thead { tr {
                @if table.bar.is_some() { th.c-box scope="col" { (bulk::head()) span.vh { "Selected" } } }
                @for column in table.columns {
                    @let (sort, content) = head(*column);
                    th.(column.class()) scope="col" aria-sort=[sort] { (content) }
                }
            } }
            @for group in groups {
                tbody class=[group.series.map(|_| "group")] {
                    @if let Some(id) = group.series {
                        tr.whole {
                            @if table.bar.is_some() { td.c-box { (bulk::series_box()) } }
                            @for column in table.columns {
                                (drawn(*column, group::cell(view, table, &group, id, *column)))
                            }
                        }
                    }
                    @for row in &group.rows {
                        @if let Some(head) = table.heads.and_then(|heads| heads.get(&row.id)) {
                            tr.group { th colspan=(table.columns.len() + usize::from(table.bar.is_some())) scope="rowgroup" { (head) } }
                        }
                        tr id={ "patch-row:" (row.id) } data-patch-id=(row.id) {
                            @if let Some(bar) = table.bar { td.c-box { (bar.tick(row.id, &row.name)) } }
                            @let marks = table.marks.get(&row.id).unwrap_or(&none);
                            @for column in table.columns {
                                (drawn(*column, cell(view, table, row, marks, &tags, *column, group.series.is_some())))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Draws a cell, or a dash where there is nothing to show. Lists have some thousand of them, so each byte counts.
fn drawn(column: Column, content: Option<Markup>) -> Markup {
    html! {
        @match content {
            Some(content) => td.(column.class()) { (content) },
            None => td.(column.class()).none { "-" },
        }
    }
}

/// Draws what a cell holds; `None` where there is nothing to show.
fn cell(
    view: &View,
    table: &Table,
    row: &Row,
    marks: &Marks,
    tags: &[&Tag],
    column: Column,
    is_member: bool,
) -> Option<Markup> {
    Some(match column {
        Column::Place => place_cell(table, row),
        Column::Id => html! { (row.id) " " (copy(&row.id.to_string(), "the number")) },
        Column::Project => html! { a href=(view.links().list(&row.linkname)) { (row.linkname) } },
        Column::Age => age(row.date, Timestamp::now()),
        Column::Number => html! { @if let Some(number) = row.number { (number) } },
        Column::Name => {
            // The widest rows of all would be too heavy with a reason in each.
            let is_told = !table.columns.contains(&Column::Series);
            html! {
                // Of a member, the line of its series says it.
                @if !is_member { (turn(attention::of(row, marks, table.vocabulary), is_told)) }
                (name_cell(view, table, row, marks, is_member))
            }
        }
        Column::Series => return series_cell(row),
        Column::Tags => return tag_cell(tags, marks),
        Column::Checks => return check_cell(&marks.checks),
        Column::Date => html! { (row.date.day()) },
        Column::Submitter => submitter_cell(view, row),
        Column::Delegate => {
            let name = row.delegate.as_ref()?;
            html! { (name) }
        }
        Column::State => match table.vocabulary.state(row.state_id) {
            Some(found) => html! {
                (state(&found.name, found.action_required))
                @if row.archived { " " span.state { "archived" } }
            },
            None => html! {},
        },
    })
}

/// Effective checks, counted; `None` where there is none.
pub fn check_cell(counts: &CheckCounts) -> Option<Markup> {
    (*counts != CheckCounts::default()).then(|| checks(counts))
}

/// Who sent a patch; leads to the list of theirs.
pub fn submitter_cell(view: &View, row: &Row) -> Markup {
    let name = person::shown(row.submitter_name.as_deref(), &row.submitter_email);
    let list = view.links().list(&row.linkname);
    // On that list the query alone leads there.
    let list = if view.is_at(&list) { "" } else { &list };
    html! { a href={ (list) "?submitter=" (row.submitter_id) } { (odd::shown(name)) } }
}

fn name_cell(view: &View, table: &Table, row: &Row, marks: &Marks, is_member: bool) -> Markup {
    // Beside a column of numbers, the bracket group says nothing new.
    let numbered = table.columns.contains(&Column::Number);
    let name = match (is_member, numbered) {
        (true, _) => group::member_name(row),
        (false, true) => title(&row.name).to_owned(),
        (false, false) => row.name.clone(),
    };
    let name = named(&name);
    let (shown, whole) = cut(&name);
    html! {
        @if marks.unaddressed > 0 {
            span.open title="comments that ask for action" { (marks.unaddressed) " open" }
        }
        a id=[table.bar.and_then(|bar| bar.name_id(row.id))] href=(view.links().patch(&row.linkname, &row.msgid)) title=[whole] {
            (shown) @if whole.is_some() { "…" }
        }
    }
}

/// The place of a row in a bundle, with what moves it: buttons, a number, and the list that a script puts in order.
/// All of it belongs to a form elsewhere on the page, because the table is in one of its own.
fn place_cell(table: &Table, row: &Row) -> Markup {
    let Some(place) = table.places.and_then(|places| places.get(&row.id)) else {
        return html! {};
    };
    let name = named(&row.name);
    let name = cut(title(&name)).0;
    html! {
        input type="hidden" form=(ORDER_FORM) name="neworder" value=(row.id);
        input form=(ORDER_FORM) name={ "place:" (row.id) ":" (place) } value=(place) inputmode="numeric" size="3" aria-label={ "Place of " (name) };
        button type="submit" form=(ORDER_FORM) name="up" value=(row.id) aria-label={ "Move up: " (name) } { "↑" }
        button type="submit" form=(ORDER_FORM) name="down" value=(row.id) aria-label={ "Move down: " (name) } { "↓" }
    }
}

/// The id of the form that puts a bundle in order.
pub const ORDER_FORM: &str = "order";

/// The series of a row, by an address relative to the list.
fn series_cell(row: &Row) -> Option<Markup> {
    let id = row.series_id?;
    let name = series::shown(row.series_name.as_deref(), id);
    let name = odd::shown(&name);
    // The column shows some twenty characters; the rest of a long name would only be sent.
    let short: String = name.chars().take(30).collect();
    Some(html! { a href={ "?series=" (id) } title=[(short != name).then_some(&name)] { (short) } })
}

/// An address from mail or settings as a link, if its scheme is harmless; else as text.
pub fn outside(url: &str, text: &str) -> Markup {
    html! {
        @if link::is_safe(url) { a href=(url) rel="nofollow noopener" { (text) } } @else { (text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_lose_their_brackets() {
        assert_eq!(title("[v2,1/3] net: x"), "net: x");
        assert_eq!(title("[1/3]"), "[1/3]");
        assert_eq!(title("plain"), "plain");
    }
}
