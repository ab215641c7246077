//! Patches of a series put together, as the queue shows them (`ux.md B3`): a line for the series with what its patches
//! say in sum, and a fold around them.

use std::collections::HashMap;

use maud::{Markup, html};

use super::{
    guard::View,
    odd,
    parts::{self, Column, Table},
};
use crate::{
    domain::{
        SeriesId, StateId, TagId,
        check::{CheckCounts, CheckState},
        series,
    },
    store::patch::{
        attention,
        list::{Marks, Row},
    },
};

/// Patches that stand together in a list.
pub struct Group<'a> {
    /// The series, if several of its patches are here.
    pub series: Option<SeriesId>,
    /// The patches, in the order of the series.
    pub rows: Vec<&'a Row>,
}

/// Puts the patches of a series together at the place of the first of them.
pub fn groups(rows: &[Row]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<SeriesId, usize> = HashMap::new();
    for row in rows {
        let known = row.series_id.and_then(|id| places.get(&id).copied());
        match (known, row.series_id) {
            (Some(at), id) => {
                groups[at].rows.push(row);
                groups[at].series = id;
            }
            (None, id) => {
                places.extend(id.map(|id| (id, groups.len())));
                groups.push(Group {
                    series: None,
                    rows: vec![row],
                });
            }
        }
    }
    for group in &mut groups {
        group.rows.sort_by_key(|row| (row.number, row.id));
    }
    groups
}

/// Draws what one cell of the line that stands for a series holds; `None` where there is nothing to show.
pub fn cell(
    view: &View,
    table: &Table,
    group: &Group,
    id: SeriesId,
    column: Column,
) -> Option<Markup> {
    let first = group.rows[0];
    let marks = group.rows.iter().filter_map(|row| table.marks.get(&row.id));
    Some(match column {
        Column::Name => name(view, table, group, id),
        Column::Tags => {
            let tags: Vec<_> = table.vocabulary.columns().collect();
            let sum = Marks {
                tags: tag_sum(marks),
                ..Marks::default()
            };
            return parts::tag_cell(&tags, &sum);
        }
        Column::Checks => return parts::check_cell(&check_sum(marks)),
        Column::Date => {
            let newest = group.rows.iter().map(|row| row.date).max();
            html! { (newest.unwrap_or(first.date).day()) }
        }
        Column::Submitter => parts::submitter_cell(view, first),
        Column::Delegate => return same(group.rows.iter().map(|row| row.delegate.as_deref())),
        Column::State => states(table, group),
        Column::Id
        | Column::Number
        | Column::Series
        | Column::Place
        | Column::Project
        | Column::Age => html! {},
    })
}

fn name(view: &View, table: &Table, group: &Group, id: SeriesId) -> Markup {
    let first = group.rows[0];
    let name = series::shown(first.series_name.as_deref(), id);
    let total = first.series_total.unwrap_or_default();
    let here = i64::try_from(group.rows.len()).unwrap_or(total);
    let open: i64 = group
        .rows
        .iter()
        .filter_map(|row| table.marks.get(&row.id))
        .map(|marks| marks.unaddressed)
        .sum();
    html! {
        input.fold type="checkbox" aria-label={ "Show the patches of " (name) };
        @if let Some(attention) = attention::of_rows(group.rows.iter().copied(), table.marks, table.vocabulary) {
            (parts::turn(attention, true))
        }
        @if open > 0 { span.open title="comments that ask for action" { (open) " open" } }
        @if let Some(version) = first.series_version.filter(|version| *version > 1) {
            span.version { "v" (version) } " "
        }
        a href=(view.links().series(&first.linkname, id)) { (odd::shown(&name)) }
        " " span.n title={ (here) " of the " (total) " patches of the series are in this list" } {
            @if here == total { (total) " patches" } @else { (here) " of " (total) }
        }
    }
}

fn tag_sum<'a>(marks: impl Iterator<Item = &'a Marks>) -> HashMap<TagId, i64> {
    let mut sum = HashMap::new();
    for (tag, count) in marks.flat_map(|marks| &marks.tags) {
        *sum.entry(*tag).or_default() += count;
    }
    sum
}

fn check_sum<'a>(marks: impl Iterator<Item = &'a Marks>) -> CheckCounts {
    let mut sum = CheckCounts::default();
    for marks in marks {
        for state in CheckState::ALL {
            sum.add(state, marks.checks.of(state));
        }
    }
    sum
}

/// A name that all have, or that there are several; `None` where none has one.
fn same<'a>(names: impl Iterator<Item = Option<&'a str>>) -> Option<Markup> {
    let mut names: Vec<Option<&str>> = names.collect();
    names.dedup();
    match names.as_slice() {
        [Some(name)] => Some(html! { (name) }),
        [None] => None,
        _ => Some(html! { span.muted { "several" } }),
    }
}

/// In which states the patches are: the word where all are in one, else how many are in which.
fn states(table: &Table, group: &Group) -> Markup {
    let mut counts: Vec<(StateId, usize)> = Vec::new();
    for row in &group.rows {
        match counts.iter_mut().find(|(id, _)| *id == row.state_id) {
            Some((_, count)) => *count += 1,
            None => counts.push((row.state_id, 1)),
        }
    }
    let is_one = counts.len() == 1;
    html! {
        @for (id, count) in counts {
            @if let Some(state) = table.vocabulary.state(id) {
                @if is_one { (parts::state(&state.name, state.action_required)) }
                @else { span.state.todo[state.action_required] { (count) " " (state.name) } " " }
            }
        }
    }
}

/// Says how a patch is called in a table of groups: below the line of its series its place says more than its brackets.
pub fn member_name(row: &Row) -> String {
    let title = parts::title(&row.name);
    match (row.number, row.series_total) {
        (Some(number), Some(total)) => format!("{number}/{total} {title}"),
        _ => row.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{MessageId, PatchId, PersonId, ProjectId, Timestamp};
    use crate::store::patch::list::About;

    fn row(id: i64, series: Option<i64>, number: i64) -> Row {
        Row {
            id: PatchId(id),
            msgid: MessageId::new("<a@example.com>"),
            project_id: ProjectId(1),
            linkname: "x".to_owned(),
            name: format!("[{number}/3] net: x"),
            date: Timestamp(id),
            archived: false,
            state_id: StateId(1),
            number: Some(number),
            submitter_id: PersonId(1),
            submitter_name: None,
            submitter_email: String::new(),
            series_id: series.map(SeriesId),
            series_name: None,
            series_version: Some(1),
            series_total: Some(3),
            delegate_id: None,
            delegate: None,
            about: About::default(),
        }
    }

    #[test]
    fn patches_of_a_series_stand_together_in_its_order() {
        let rows = [
            row(9, Some(1), 3),
            row(8, None, 1),
            row(7, Some(1), 1),
            row(6, Some(2), 2),
        ];
        let groups = groups(&rows);
        let shown: Vec<(Option<SeriesId>, Vec<PatchId>)> = groups
            .iter()
            .map(|group| (group.series, group.rows.iter().map(|row| row.id).collect()))
            .collect();
        let expected = [
            (Some(SeriesId(1)), vec![PatchId(7), PatchId(9)]),
            (None, vec![PatchId(8)]),
            (None, vec![PatchId(6)]),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_member_is_called_by_its_place() {
        assert_eq!(member_name(&row(1, Some(1), 2)), "2/3 net: x");
    }
}
