//! How somebody wants pages to be (`web.md §12`): colours, layout of diffs, time zone, filters of lists, single keys.

use maud::{Markup, html};
use rocket::Route;

use super::{
    answer::Answer,
    error::Result,
    field::{self, Faults, Field},
    form::Form,
    guard::View,
    profile::{self, Section},
    query::Query,
};
use crate::domain::{
    time::Zone,
    user::{Display, User},
};

/// The most characters of filters.
const MOST_FILTERS: usize = 1000;

const THEMES: [(&str, &str); 3] = [
    ("", "As the system has it"),
    ("light", "Light"),
    ("dark", "Dark"),
];
const DIFFS: [(&str, &str); 3] = [
    ("", "As last chosen"),
    ("unified", "Unified: one column"),
    ("split", "Split: side by side"),
];

/// Returns the routes of display settings.
pub fn routes() -> Vec<Route> {
    rocket::routes![page, save]
}

#[rocket::get("/user/display")]
fn page(view: View<'_>) -> Result<Answer> {
    let display = &view.logged_in()?.caller.user.display;
    Ok(Answer::Page(section(&view, display, &Faults::default())))
}

#[rocket::post("/user/display", data = "<form>")]
async fn save(view: View<'_>, form: Form<'_>) -> Result<Answer> {
    let session = view.logged_in()?;
    let mut faults = Faults::default();
    let display = entered(&form, &mut faults);
    if !faults.is_empty() {
        return Ok(Answer::Invalid(section(&view, &display, &faults)));
    }
    let changed = User {
        display,
        ..session.caller.user.clone()
    };
    profile::keep(session, &form, &changed).await?;
    view.renew_display(&changed.display);
    Ok(Answer::Done(
        view.links().user_page(Section::Display.path()),
    ))
}

/// Reads what the form wants, and notes what is wrong with it.
fn entered(form: &Form, faults: &mut Faults) -> Display {
    let mut chosen = |name: &'static str, choices: &[(&str, &str)]| {
        let value = form.text(name);
        let is_one = choices.iter().any(|(word, _)| *word == value);
        faults.check(is_one, name, "Choose one of these.");
        value.to_owned()
    };
    let (theme, diff_view) = (chosen("theme", &THEMES), chosen("diff_view", &DIFFS));
    let time_zone = match form.text("time_zone") {
        "UTC" => "",
        name => name,
    };
    let is_zone = time_zone.is_empty() || Zone::named(time_zone).is_some();
    faults.check(
        is_zone,
        "time_zone",
        "There is no time zone of this name. Try the nearest large city.",
    );
    let given = form.text("list_filters");
    let list_filters = filters(given);
    match &list_filters {
        None => faults.add(
            "list_filters",
            "There are no filters in this. Copy the address of a list.",
        ),
        Some(text) => faults.check(
            text.len() <= MOST_FILTERS,
            "list_filters",
            "These are too long.",
        ),
    }
    Display {
        theme,
        diff_view,
        list_filters: list_filters.unwrap_or_else(|| given.to_owned()),
        time_zone: time_zone.to_owned(),
        single_keys: form.is_ticked("single_keys"),
    }
}

/// Returns the filters in an address of a list, or in what follows its question mark. Of a page of it, the page goes.
fn filters(given: &str) -> Option<String> {
    if given.is_empty() {
        return Some(String::new());
    }
    let query = given.rsplit_once('?').map_or(given, |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let known = Query::read(&pairs).without("page").without("series");
    let href = known.href();
    let text = href.trim_start_matches('?');
    text.contains('=').then(|| text.to_owned())
}

fn section(view: &View, display: &Display, faults: &Faults) -> Markup {
    let zone = Field {
        required: false,
        list: "zones",
        hint: "Such as Europe/Berlin; empty for UTC. Times on pages are written in it.",
        ..Field::new("time_zone", "Time zone", &display.time_zone)
    };
    let filters = Field {
        required: false,
        hint: "For lists that are opened without any: choose them in a list and copy its address here. Empty: what needs action.",
        ..Field::new("list_filters", "Filters of lists", &display.list_filters)
    };
    let main = html! {
        section #display {
            h2 { "Display" }
            p.muted { "How many patches a page lists, and whether with their numbers, is set in the " a href=(view.links().user()) { "profile" } "." }
            form.entries method="post" action=(view.links().user_page(Section::Display.path())) {
                (view.csrf())
                (choice("theme", "Colours", &THEMES, &display.theme, faults))
                (choice("diff_view", "Diffs", &DIFFS, &display.diff_view, faults))
                (zone.drawn(faults))
                datalist #zones { @for name in Zone::names() { option value=(name) {} } }
                (filters.drawn(faults))
                p.ticks { (field::tick("single_keys", "Single keys do something; ? tells what", display.single_keys)) }
                button.primary type="submit" { "Save" }
            }
        }
    };
    profile::framed(view, Section::Display, main)
}

/// Draws a choice of a few.
fn choice(
    name: &'static str,
    label: &str,
    choices: &[(&str, &str)],
    chosen: &str,
    faults: &Faults,
) -> Markup {
    let (id, error) = (format!("id_{name}"), format!("{name}-error"));
    let wrong = faults.of(name);
    html! {
        div.entry {
            label for=(id) { (label) }
            select id=(id) name=(name) aria-describedby=[(!wrong.is_empty()).then_some(error.as_str())] {
                @for (value, text) in choices {
                    option value=(value) selected[*value == chosen] { (text) }
                }
            }
            @if !wrong.is_empty() { p.wrong id=(error) { (wrong.join(" ")) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::filters;

    #[test]
    fn filters_are_taken_from_addresses() {
        for (given, expected) in [
            ("", Some("")),
            ("delegate=me", Some("delegate=me")),
            ("?delegate=me&page=3", Some("delegate=me")),
            (
                "https://pw.example.org/project/tides/list/?delegate=me&unknown=1#p2",
                Some("delegate=me"),
            ),
            ("https://pw.example.org/project/tides/list/", None),
            ("nonsense", None),
        ] {
            assert_eq!(filters(given).as_deref(), expected, "{given}");
        }
    }
}
