//! Pages of a list: which numbers are offered (`web.md §6.3`).

use std::collections::BTreeSet;

use maud::{Markup, html};

/// Returns the numbers to offer; `None` stands for an ellipsis.
pub fn numbers(current: i64, last: i64) -> Vec<Option<i64>> {
    let mut wanted: BTreeSet<i64> =
        [1, 2, last - 1, last, current - 1, current, current + 1].into();
    if current <= 3 {
        wanted.extend([3, 4]);
    }
    if current >= last - 2 {
        wanted.extend([last - 3, last - 2]);
    }
    let mut out = Vec::new();
    let mut before = 0;
    for number in wanted
        .into_iter()
        .filter(|number| (1..=last).contains(number))
    {
        match number - before {
            1 => {}
            // A gap of one number takes no more room than the ellipsis.
            2 => out.push(Some(number - 1)),
            _ => out.push(None),
        }
        out.push(Some(number));
        before = number;
    }
    out
}

/// Draws the pager. One page needs none.
pub fn pager(current: i64, last: i64, href: impl Fn(i64) -> String) -> Markup {
    if last <= 1 {
        return html! {};
    }
    html! {
        nav.pager aria-label="Pages" hx-boost="true" {
            @if current > 1 { a rel="prev" href=(href(current - 1)) { "‹ Previous" } }
            @for number in numbers(current, last) {
                @match number {
                    Some(number) if number == current => a aria-current="page" aria-label={ "Page " (number) } href=(href(number)) { (number) },
                    Some(number) => a aria-label={ "Page " (number) } href=(href(number)) { (number) },
                    None => span aria-hidden="true" { "…" },
                }
            }
            @if current < last { a rel="next" href=(href(current + 1)) { "Next ›" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(current: i64, last: i64) -> String {
        let shown = numbers(current, last)
            .into_iter()
            .map(|number| match number {
                Some(number) if number == current => format!("[{number}]"),
                Some(number) => number.to_string(),
                None => "…".into(),
            });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn of_ten_pages_each_shows_its_neighbours_and_both_ends() {
        let expected = [
            "[1] 2 3 4 … 9 10",
            "1 [2] 3 4 … 9 10",
            "1 2 [3] 4 … 9 10",
            "1 2 3 [4] 5 … 9 10",
            "1 2 3 4 [5] 6 … 9 10",
            "1 2 … 5 [6] 7 8 9 10",
            "1 2 … 6 [7] 8 9 10",
            "1 2 … 7 [8] 9 10",
            "1 2 … 7 8 [9] 10",
            "1 2 … 7 8 9 [10]",
        ];
        for (page, expected) in (1..).zip(expected) {
            assert_eq!(drawn(page, 10), expected);
        }
    }

    #[test]
    fn few_pages_are_all_shown() {
        assert_eq!(drawn(2, 3), "1 [2] 3");
        assert_eq!(drawn(1, 2), "[1] 2");
        assert!(pager(1, 1, |_| String::new()).into_string().is_empty());
    }
}
