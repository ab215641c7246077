//! The form above a list: every filter, plain fields that work without scripts.

use super::*;

/// When the form asks by itself: at once for a choice, after a pause while somebody types.
const TRIGGER: &str = "submit, change from:.pick, input changed delay:150ms from:#f-q";

/// The filter form. It works alone; htmx only swaps what was found, so that nobody is interrupted while typing.
pub(super) fn form(view: &View, list: &List) -> Markup {
    let query = &list.query;
    let value = |key| query.get(key).unwrap_or_default();
    let more = ["series", "since", "before", "checks", "tag", "comments"];
    let address = &list.address;
    let suggest = view.links().submitters(&list.project.linkname);
    html! {
        form.filters role="search" aria-label="Filter patches" action=(address) hx-get=(address) hx-target="#results"
            hx-swap="outerHTML" hx-sync="this:replace" hx-trigger=(TRIGGER) {
            @if let Some(view) = query.get("view") { input type="hidden" name="view" value=(view); }
            (field("q", "Search", html! {
                input #f-q type="search" name="q" value=(value("q")) placeholder="Name, from:, file:, -not, message id" data-key="/";
            }))
            (field("state", "State", states(list)))
            (field("submitter", "Submitter", html! {
                input #f-submitter name="submitter" value=(value("submitter")) placeholder="Name or address"
                    list="people" autocomplete="off" data-suggest=(suggest);
                datalist #people {}
            }))
            @match list.place {
                Place::Project(_) => {
                    (field("delegate", "Delegate", delegates(view, list)))
                    (field("archive", "Archived", select("archive", value("archive"), &[("", "No"), ("true", "Yes"), ("both", "Both")])))
                },
                Place::Bundle(_) => (field("archive", "Archived", select("archive", value("archive"), &[("", "Both"), ("no", "No"), ("true", "Yes")]))),
                Place::Todo(_) => {},
            }
            details.more open[more.iter().any(|key| query.get(key).is_some())] {
                summary { "More filters" }
                div {
                    (field("series", "Series", html! {
                        input #f-series name="series" value=(value("series")) inputmode="numeric" placeholder="Number";
                    }))
                    (field("since", "Since", html! { input #f-since name="since" value=(value("since")) placeholder="2024-03-05"; }))
                    (field("before", "Before", html! { input #f-before name="before" value=(value("before")) placeholder="2024-03-05"; }))
                    (field("checks", "Checks", select("checks", value("checks"), &[
                        ("", "Any"), ("fail", "Failed"), ("warning", "Warnings"), ("success", "Passed"),
                        ("pending", "Pending"), ("none", "None"),
                    ])))
                    (field("tag", "Tag", tags(list)))
                    (field("comments", "Comments", select("comments", value("comments"), &[
                        ("", "Any"), ("unaddressed", "Open ones"),
                    ])))
                }
            }
            (field("order", "Sort", select("order", value("order"), &[
                ("", "Usual"), ("-date", "Newest first"), ("date", "Oldest first"), ("name", "Name"), ("-name", "Name, Z–A"),
                ("state", "State"), ("-state", "State, last first"), ("submitter", "Submitter"),
                ("-submitter", "Submitter, Z–A"), ("delegate", "Delegate"), ("-delegate", "Delegate, Z–A"),
            ])))
            button type="submit" { "Filter" }
        }
    }
}

fn field(name: &str, label: &str, input: Markup) -> Markup {
    html! {
        div.field.{ "f-" (name) }.pick[name != "q"] { label for={ "f-" (name) } { (label) } (input) }
    }
}

fn select(name: &str, current: &str, options: &[(&str, &str)]) -> Markup {
    html! {
        select id={ "f-" (name) } name=(name) {
            @for (value, label) in options {
                option value=(value) selected[*value == current] { (label) }
            }
        }
    }
}

fn states(list: &List) -> Markup {
    let current = list.query.get("state");
    // Without a state a series is shown whole, so that "action required" needs a name there.
    let (any, action) = match list.listing.is_whole() {
        true => ("", ACTION_REQUIRED),
        false => ("*", ""),
    };
    let waits = matches!(list.place, Place::Todo(_));
    html! {
        select #f-state name="state" {
            @if !waits { option value=(any) selected[current == Some("*")] { "Any" } }
            option value=(action) selected[current.unwrap_or_default() == action] { "Action required" }
            @for state in list.vocabulary.states.iter().filter(|state| !waits || state.action_required) {
                @let id = state.id.to_string();
                option value=(id) selected[current.is_some_and(|current| current == id || state.is_called(current))] {
                    (state.name)
                }
            }
        }
    }
}

fn delegates(view: &View, list: &List) -> Markup {
    let current = list.query.get("delegate").unwrap_or_default();
    let is_me = view.user().is_some() && current.eq_ignore_ascii_case("me");
    let known = is_me
        || list
            .desks
            .iter()
            .any(|desk| desk.id.to_string() == current || desk.username == current);
    html! {
        select #f-delegate name="delegate" {
            option value="" selected[current.is_empty()] { "Anyone" }
            option value="Nobody" selected[current.eq_ignore_ascii_case("nobody")] { "Nobody" }
            @if view.user().is_some() { option value="me" selected[is_me] { "Me" } }
            @if !current.is_empty() && !known && !current.eq_ignore_ascii_case("nobody") {
                option value=(current) selected { (current) }
            }
            @for desk in &list.desks {
                @let id = desk.id.to_string();
                option value=(id) selected[current == id || current == desk.username] { (desk.username) }
            }
        }
    }
}

fn tags(list: &List) -> Markup {
    let current = list.query.get("tag").unwrap_or_default();
    html! {
        select #f-tag name="tag" {
            option value="" { "Any" }
            @if current.contains(':') { option value=(current) selected { (current) } }
            @for tag in &list.vocabulary.tags {
                option value=(tag.abbrev) selected[current == tag.abbrev || current == tag.name] { (tag.name) }
            }
        }
    }
}
