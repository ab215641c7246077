//! Changing the patches of a table (`web.md §6.5`): the boxes beside the rows, the bar below, and what they send.

mod act;

use std::collections::HashSet;

use maud::{Markup, html};
use sha2::{Digest, Sha256};

use super::{
    Db,
    error::Result,
    field::Faults,
    form::Form,
    guard::View,
    parts::{cut, named, title},
};
use crate::{
    auth::{self, csrf},
    domain::{BundleId, PatchId, ProjectId, UserId},
    store::{self, state::Vocabulary},
};

pub use act::{
    Asked, Desks, NO_DELEGATE, apply, carry_out, commit_ref, new_bundle, receive, state,
};

/// The most patches that are changed at once.
pub const MOST: i64 = 5000;
/// What fields say that leave something as it is.
const NO_CHANGE: &str = "*";

/// What changes the patches of a page's tables: what is offered, what was entered, what is wrong with it.
pub struct Bar {
    delegates: Vec<(UserId, String)>,
    bundles: Vec<(BundleId, String)>,
    me: UserId,
    /// Whether the reader may name the commit that a patch became.
    names_commits: bool,
    /// The reader's own bundle, when it is what the table shows.
    pub bundle: Option<BundleId>,
    /// Whether all boxes are ticked to begin with.
    whole: bool,
    /// Whether the page has several tables, and a patch may stand in two of them.
    several: bool,
    entered: Option<Vec<(String, String)>>,
    faults: Faults,
}

impl Bar {
    /// Reads what can be offered to whoever looks; nothing for those who are not logged in.
    pub async fn load(
        db: &mut Db<'_>,
        view: &View<'_>,
        projects: &[ProjectId],
    ) -> Result<Option<Bar>> {
        let Some(caller) = view.caller() else {
            return Ok(None);
        };
        let user = &caller.user;
        let maintainers = store::project::maintainers(db, projects).await?;
        let mut delegates: Vec<(UserId, String)> = maintainers
            .into_iter()
            .map(|(id, name, _)| (id, name))
            .collect();
        delegates.dedup();
        Ok(Some(Bar {
            delegates,
            bundles: store::bundle::names(db, user.id).await?,
            me: user.id,
            names_commits: projects
                .iter()
                .any(|project| caller.rights.maintains(*project)),
            bundle: None,
            whole: false,
            several: false,
            entered: None,
            faults: Faults::default(),
        }))
    }

    /// Has all boxes ticked to begin with.
    pub fn all_ticked(mut self) -> Bar {
        self.whole = true;
        self
    }

    /// Is for a page with several tables: what names a box there is not an id, which the page may have once only.
    pub fn of_several_tables(mut self) -> Bar {
        self.several = true;
        self
    }

    /// Returns the id of the name of a row: it names the box, so that names are not sent twice.
    pub fn name_id(&self, id: PatchId) -> Option<String> {
        (!self.several).then(|| format!("n{id}"))
    }

    /// Shows what was sent once more, and what is wrong with it.
    pub fn refuse(&mut self, form: &Form, faults: Faults) {
        self.entered = Some(form.pairs().to_vec());
        self.faults = faults;
    }

    fn entered(&self, name: &str) -> Option<&str> {
        let mut pairs = self.entered.iter().flatten().rev();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Draws the box of a row with this name.
    pub fn tick(&self, id: PatchId, name: &str) -> Markup {
        let field = format!("{PATCH}{id}");
        let ticked = match self.entered {
            Some(_) => self.entered(&field).is_some(),
            None => self.whole,
        };
        let by = self.name_id(id);
        let name = by
            .is_none()
            .then(|| format!("Select {}", cut(title(&named(name))).0));
        html! { input type="checkbox" name=(field) aria-labelledby=[by] aria-label=[name] checked[ticked]; }
    }

    /// Returns the own bundle to offer first: the one whose name was entered for a new one.
    fn chosen_bundle(&self) -> Option<BundleId> {
        let name = self.entered("name").map(str::trim).unwrap_or_default();
        let same = self.bundles.iter().find(|(_, own)| own == name);
        let given = self.entered("bundle_id").and_then(|id| id.parse().ok());
        same.map(|(id, _)| *id).or(given.map(BundleId))
    }
}

/// The prefix of the boxes' names.
const PATCH: &str = "patch_id:";

/// A table of patches with what can be done to them.
pub struct Place<'a> {
    /// Where the form is sent: the page it is on.
    pub address: &'a str,
    /// The project of the page.
    pub project: ProjectId,
    /// States to choose from.
    pub vocabulary: &'a Vocabulary,
    /// How many patches the filter finds, when the table shows only some of them.
    pub matches: Option<String>,
    /// Whether the answer can be put in place of the list.
    pub htmx: bool,
}

/// Draws tables of patches with the bar that changes them; without a bar only the tables.
pub fn form(view: &View, place: &Place, bar: Option<&Bar>, tables: Markup) -> Markup {
    let Some(bar) = bar else {
        return tables;
    };
    html! {
        form.bulk.keep[!bar.faults.is_empty()] method="post" action=(place.address)
            hx-post=[place.htmx.then_some(place.address)] hx-target=[place.htmx.then_some("#list")] {
            (view.csrf())
            input type="hidden" name="form" value="patch-list-form";
            input type="hidden" name="project" value=(place.project);
            (tables)
            div.act role="group" aria-label="Change the selected patches" {
                (problems(bar))
                p.picked {
                    output aria-live="polite" hidden {}
                    button.clear type="button" hidden { "Clear" }
                    @if let Some(matches) = &place.matches {
                        label.tick { input type="checkbox" name="all" value="matches"; " " (matches) " the filter finds" }
                    }
                }
                (values(bar, place.vocabulary))
                (bundles(bar))
            }
        }
    }
}

fn problems(bar: &Bar) -> Markup {
    let wrong: Vec<&str> = [
        "",
        "state",
        "delegate",
        "archived",
        "commit_ref",
        "bundle_id",
        "name",
    ]
    .iter()
    .flat_map(|field| bar.faults.of(field))
    .collect();
    html! {
        @if !wrong.is_empty() {
            div.problems #wrong role="alert" { @for what in wrong { p { (what) } } }
        }
    }
}

/// The mark of a field that something is wrong with.
fn invalid(bar: &Bar, field: &str) -> Option<&'static str> {
    (!bar.faults.of(field).is_empty()).then_some("true")
}

fn choice(bar: &Bar, name: &str, label: &str, key: &str, options: &[(String, &str)]) -> Markup {
    let current = bar.entered(name).unwrap_or(NO_CHANGE);
    let wrong = invalid(bar, name);
    html! {
        label.opt { span { (label) }
            select name=(name) data-key=(key) aria-invalid=[wrong] aria-describedby=[wrong.map(|_| "wrong")] {
                @for (value, text) in options {
                    option value=(value) selected[value == current] data-me[key == "d" && *value == bar.me.to_string()] { (text) }
                }
            }
        }
    }
}

fn values(bar: &Bar, vocabulary: &Vocabulary) -> Markup {
    let same = || (NO_CHANGE.to_owned(), "No change");
    let states = vocabulary.states.iter();
    let states = states.map(|state| (state.id.to_string(), state.name.as_str()));
    let states: Vec<_> = std::iter::once(same()).chain(states).collect();
    let users = bar.delegates.iter();
    let users = users.map(|(id, name)| (id.to_string(), name.as_str()));
    let delegates = [same(), (String::new(), "Nobody")];
    let delegates: Vec<_> = delegates.into_iter().chain(users).collect();
    let archived = [
        same(),
        ("True".to_owned(), "Archived"),
        ("False".to_owned(), "Not archived"),
    ];
    html! {
        div.set {
            (choice(bar, "state", "State", "s", &states))
            (choice(bar, "delegate", "Delegate", "d", &delegates))
            (choice(bar, "archived", "Archive", "e", &archived))
            @if bar.names_commits { (commit(bar)) }
            button.primary type="submit" name="action" value="update" { "Update" }
        }
    }
}

/// The commit that the patches became: empty leaves what each has.
fn commit(bar: &Bar) -> Markup {
    let wrong = invalid(bar, "commit_ref");
    html! {
        label.opt { span { "Commit" }
            input.commit name="commit_ref" value=(bar.entered("commit_ref").unwrap_or_default()) maxlength="255" placeholder="No change"
                spellcheck="false" autocapitalize="none" aria-invalid=[wrong] aria-describedby=[wrong.map(|_| "wrong")];
        }
    }
}

fn bundles(bar: &Bar) -> Markup {
    let open = ["name", "bundle_id"]
        .iter()
        .any(|field| invalid(bar, field).is_some());
    let (chosen, name) = (bar.chosen_bundle(), bar.entered("name").unwrap_or_default());
    let (wrong_bundle, wrong_name) = (invalid(bar, "bundle_id"), invalid(bar, "name"));
    html! {
        @if let Some(bundle) = bar.bundle {
            input type="hidden" name="removed_bundle_id" value=(bundle);
            button type="submit" name="action" value="remove" { "Remove from bundle" }
        }
        details.more-acts open[open] {
            summary data-key="b" { "Bundle" }
            div.set {
                @if !bar.bundles.is_empty() {
                    label.opt { span { "Bundle" }
                        select name="bundle_id" aria-invalid=[wrong_bundle] aria-describedby=[wrong_bundle.map(|_| "wrong")] {
                            @for (id, name) in &bar.bundles { option value=(id) selected[Some(*id) == chosen] { (name) } }
                        }
                    }
                    button type="submit" name="action" value="add" { "Add" }
                }
                label.opt { span { "New bundle" }
                    input name="name" value=(name) maxlength="50" placeholder="Name" aria-invalid=[wrong_name]
                        aria-describedby=[wrong_name.map(|_| "wrong")];
                }
                button type="submit" name="action" value="create" { "Create" }
            }
        }
    }
}

/// Draws the head and the cells of the boxes' column: a box for all of them needs a script.
pub fn head() -> Markup {
    html! { input.every type="checkbox" aria-label="Select all shown" hidden; }
}

/// Draws the box that ticks the patches of a series; without scripts there is none.
pub fn series_box() -> Markup {
    html! { input.series-box type="checkbox" aria-label="Select the series" hidden; }
}

/// Which patches somebody wants changed.
pub enum Chosen {
    /// These, in the order of the page.
    These(Vec<PatchId>),
    /// Everything the filter finds, which is so many, and what they are called together; it is asked once more before.
    All(i64, String),
}

/// Returns the patches whose boxes are ticked.
pub fn ticked(form: &Form) -> Vec<PatchId> {
    let mut seen = HashSet::new();
    let ticked = form.pairs().iter().filter(|(_, value)| !value.is_empty());
    ticked
        .filter_map(|(name, _)| name.strip_prefix(PATCH)?.parse().ok().map(PatchId))
        .filter(|id| seen.insert(*id))
        .collect()
}

/// Says whether everything the filter finds is meant.
pub fn wants_all(form: &Form) -> bool {
    form.get("all") == Some("matches")
}

/// Returns which patches are meant when everything is: `found` is what the filter finds now.
pub fn chosen(form: &Form, found: Vec<PatchId>) -> Chosen {
    let count = found.len() as i64;
    let mark = mark(&found);
    match form.get("confirmed") == Some(mark.as_str()) {
        true => Chosen::These(found),
        false => Chosen::All(count, mark),
    }
}

/// Names a set of patches: who agrees to change them agrees to these, not to as many others.
fn mark(patches: &[PatchId]) -> String {
    let mut digest = Sha256::new();
    for patch in patches {
        digest.update(patch.0.to_le_bytes());
    }
    format!("{}-{}", patches.len(), &auth::hex(&digest.finalize())[..16])
}

/// Draws the question whether so many patches are to be changed, and how.
pub fn question(
    view: &View,
    place: &Place,
    bar: Option<&Bar>,
    form: &Form,
    count: i64,
    mark: &str,
) -> Markup {
    let kept = form
        .pairs()
        .iter()
        .filter(|(name, _)| name != csrf::FIELD && name != "confirmed" && !name.starts_with(PATCH));
    let (address, count_text) = (place.address, patches(count as usize));
    html! {
        div #list { div.narrow {
            h1 { "Change " (count_text) "?" }
            p { "The filter finds " (count_text) ", also on other pages of the list. This will be done to all of them:" }
            ul { @for what in intended(form, place.vocabulary, bar) { li { (what) } } }
            form.inline method="post" action=(address) hx-post=[place.htmx.then_some(address)] hx-target="#list" hx-swap="outerHTML" {
                (view.csrf())
                @for (name, value) in kept { input type="hidden" name=(name) value=(value); }
                input type="hidden" name="confirmed" value=(mark);
                p.ways {
                    button.primary type="submit" { "Change " (count_text) }
                    a.button href=(address) { "Cancel" }
                }
            }
        } }
    }
}

/// Says what a form asks for.
fn intended(form: &Form, vocabulary: &Vocabulary, bar: Option<&Bar>) -> Vec<String> {
    let named = |names: &[(i64, &String)], id: &str| {
        let found = names.iter().find(|(known, _)| known.to_string() == id);
        found.map_or_else(|| id.to_owned(), |(_, name)| (*name).clone())
    };
    let bundles: Vec<(i64, &String)> = bar.map_or_else(Vec::new, |bar| {
        bar.bundles.iter().map(|(id, name)| (id.0, name)).collect()
    });
    let users: Vec<(i64, &String)> = bar.map_or_else(Vec::new, |bar| {
        bar.delegates
            .iter()
            .map(|(id, name)| (id.0, name))
            .collect()
    });
    let (name, action) = (form.text("name"), form.text("action").to_lowercase());
    match (name, action.as_str()) {
        ("", "add") => {
            return vec![format!(
                "Added to bundle “{}”",
                named(&bundles, form.text("bundle_id"))
            )];
        }
        ("", "remove") => {
            let bundle = named(&bundles, form.text("removed_bundle_id"));
            return vec![format!("Removed from bundle “{bundle}”")];
        }
        ("", _) => {}
        (name, _) => return vec![format!("Put into the new bundle “{name}”")],
    }
    let given = |field| form.get(field).filter(|value| *value != NO_CHANGE);
    let mut told = Vec::new();
    if let Some(id) = given("state") {
        let state = state(id, vocabulary).and_then(|id| vocabulary.state(id));
        told.push(format!("State: {}", state.map_or(id, |state| &state.name)));
    }
    if let Some(id) = given("delegate") {
        let name = if id.is_empty() {
            "nobody".to_owned()
        } else {
            named(&users, id)
        };
        told.push(format!("Delegate: {name}"));
    }
    if let Some(archived) = given("archived") {
        let is = archived.eq_ignore_ascii_case("true");
        told.push(if is { "Archived" } else { "Not archived" }.to_owned());
    }
    if let Some(commit) = given("commit_ref").filter(|commit| !commit.is_empty()) {
        told.push(format!("Commit: {commit}"));
    }
    if told.is_empty() {
        told.push("Nothing".to_owned());
    }
    told
}

/// Returns a number of patches in words.
pub fn patches(count: usize) -> String {
    match count {
        1 => "1 patch".to_owned(),
        count => format!("{count} patches"),
    }
}
