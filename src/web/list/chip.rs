//! The conditions of a list as chips: each says what it holds back, and takes itself away.

use super::*;

/// A filter in effect, and the list without it.
pub(super) struct Chip {
    text: String,
    drop: Option<Query>,
    warning: bool,
}

pub(super) fn drawn(view: &View, chip: &Chip) -> Markup {
    let has_own = view
        .user()
        .is_some_and(|user| !user.display.list_filters.is_empty());
    let address = |query: &Query| match query.href() {
        // The bare address would bring the own filters back.
        bare if bare == "./" && has_own => "?".to_owned(),
        href => href,
    };
    html! {
        li.chip.warning[chip.warning] {
            (chip.text)
            @if let Some(query) = &chip.drop {
                " " a href=(address(query)) aria-label={ "Drop filter: " (chip.text) } title="Drop this filter" { "×" }
            }
        }
    }
}

pub(super) fn chips(list: &List) -> Vec<Chip> {
    let query = &list.query;
    let mut chips = Vec::new();
    let mut chip = |text: String, drop: Query| {
        chips.push(Chip {
            text,
            drop: Some(drop),
            warning: false,
        })
    };
    let refused = |key: &str| list.unmatched.iter().any(|(k, _)| *k == key);
    if list.listing.filter.series.is_some() {
        chip(
            format!("Series: {}", series_name(list)),
            query.without("series"),
        );
    }
    match &list.listing.filter.states {
        States::Any => {}
        // What waits cannot be widened.
        States::ActionRequired if !has_desks(list) => {}
        States::ActionRequired => chip("Action required".into(), query.with("state", "*")),
        States::Among(_) if query.get("state") == Some(ACTION_REQUIRED) => {
            chip("Action required".into(), query.with("state", "*"));
        }
        States::Among(ids) if query.get("state").is_some() => {
            for value in query.all("state") {
                let named = list
                    .vocabulary
                    .states
                    .iter()
                    .find(|state| value == state.id.to_string() || state.is_called(value));
                let Some(state) = named else { continue };
                let rest = if ids.len() > 1 {
                    query.without_value("state", value)
                } else {
                    query.with("state", "*")
                };
                chip(format!("State: {}", state.name), rest);
            }
        }
        States::Among(_) => {}
    }
    match query.get("archive") {
        Some("true") if list.listing.filter.archive == Archive::Yes => {
            chip("Archived".into(), query.with("archive", "both"))
        }
        Some("both") => {}
        _ if list.listing.filter.archive == Archive::Both => {}
        _ if matches!(list.place, Place::Todo(_)) => {}
        _ => chip("Not archived".into(), query.with("archive", "both")),
    }
    if query.get("submitter").is_some() && !refused("submitter") {
        chip(
            format!("Submitter: {}", submitter_name(list)),
            query.without("submitter"),
        );
    }
    if has_desks(list) && query.get("delegate").is_some() && !refused("delegate") {
        chip(
            format!("Delegate: {}", delegate_name(list)),
            query.without("delegate"),
        );
    }
    for (key, label) in [
        ("q", "Text"),
        ("since", "Since"),
        ("before", "Before"),
        ("checks", "Checks"),
        ("tag", "Tag"),
    ] {
        if let Some(value) = query.get(key).filter(|_| !refused(key) || key == "q") {
            chip(format!("{label}: {value}"), query.without(key));
        }
    }
    if list.listing.filter.unaddressed {
        chip("Open comments".into(), query.without("comments"));
    }
    for (key, why) in &list.unmatched {
        chips.push(Chip {
            text: why.clone(),
            drop: Some(query.without(key)),
            warning: true,
        });
    }
    chips
}

fn series_name(list: &List) -> String {
    let Some(id) = list.listing.filter.series else {
        return String::new();
    };
    match list.rows.first() {
        Some(row) => series::shown(row.series_name.as_deref(), id),
        None => format!("#{id}"),
    }
}

fn submitter_name(list: &List) -> String {
    match &list.listing.filter.submitter {
        Some(Submitter::Person(id)) => match list.rows.iter().find(|row| row.submitter_id == *id) {
            Some(row) => {
                person::shown(row.submitter_name.as_deref(), &row.submitter_email).to_owned()
            }
            None => format!("#{id}"),
        },
        Some(Submitter::Account(_)) => "me".into(),
        Some(Submitter::Matching(text)) => text.clone(),
        None => String::new(),
    }
}

fn delegate_name(list: &List) -> String {
    match &list.listing.filter.delegate {
        Some(Delegate::Nobody) => "nobody".into(),
        Some(Delegate::User(_)) if query_says_me(list) => "me".into(),
        Some(Delegate::User(id)) => match list.desks.iter().find(|desk| desk.id == *id) {
            Some(desk) => desk.username.clone(),
            None => format!("#{id}"),
        },
        Some(Delegate::Matching(text)) => text.clone(),
        None => String::new(),
    }
}

fn query_says_me(list: &List) -> bool {
    let given = list.query.get("delegate");
    given.is_some_and(|who| who.eq_ignore_ascii_case("me"))
}

/// Says whether the list can be narrowed to a desk.
fn has_desks(list: &List) -> bool {
    matches!(list.place, Place::Project(_))
}
