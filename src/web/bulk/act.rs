//! What a form asks to be done with patches, and the doing of it: read, allowed patch by patch, one transaction, told.

use std::collections::HashSet;

use super::{NO_CHANGE, patches, ticked};
use crate::{
    auth::session::Session,
    domain::{
        BundleId, Patch, PatchId, ProjectId, StateId, Timestamp, UserId, bundle,
        change::{Actor, PatchChange},
        id::MAX_CHARS,
        notice::Notice,
        undo,
    },
    store::{self, Tx, patch::search::Brief, state::Vocabulary},
    web::{error::Result, field::Faults, form::Form, guard::View, parts},
};

/// The most notices of single patches; further ones are counted.
const MOST_TOLD: usize = 100;

/// What is to be done.
enum Task {
    Update(PatchChange),
    Create(String),
    Add(BundleId),
    Remove(BundleId),
}

/// Reads what is to be done; what is wrong is noted by field.
fn task(form: &Form, vocabulary: &Vocabulary, faults: &mut Faults) -> Option<Task> {
    // Compatibility: release 3.2.1 called it bundle_name.
    let name = form.get("name").or_else(|| form.get("bundle_name"));
    let name = name.unwrap_or_default();
    // Enter in the field of the name sends whichever button comes first.
    let action = match name {
        "" => form.text("action").to_lowercase(),
        _ => "create".to_owned(),
    };
    match action.as_str() {
        // Compatibility: what release 3.2.1 called them on the page of a patch.
        "create" | "createbundle" => match bundle::fault(name) {
            None => return Some(Task::Create(name.to_owned())),
            Some(fault) => faults.add("name", fault),
        },
        "add" | "addtobundle" => match bundle_id(form, "bundle_id") {
            Some(id) => return Some(Task::Add(id)),
            None => faults.add("bundle_id", "Choose a bundle."),
        },
        "remove" => match bundle_id(form, "removed_bundle_id") {
            Some(id) => return Some(Task::Remove(id)),
            None => faults.add("bundle_id", "Choose a bundle."),
        },
        "update" => {
            let change = change(form, vocabulary, faults);
            return faults.is_empty().then_some(Task::Update(change));
        }
        _ => faults.add("", "Choose what is to be done."),
    }
    None
}

fn bundle_id(form: &Form, name: &str) -> Option<BundleId> {
    form.get(name)?.parse().ok().map(BundleId)
}

/// Reads new values. A field that is missing, or says so, leaves its value as it is.
fn change(form: &Form, vocabulary: &Vocabulary, faults: &mut Faults) -> PatchChange {
    let given = |name| form.get(name).filter(|value| *value != NO_CHANGE);
    let mut change = PatchChange::default();
    if let Some(value) = given("state") {
        change.state = state(value, vocabulary);
        faults.check(change.state.is_some(), "state", "There is no such state.");
    }
    match given("delegate") {
        None => {}
        Some("") => change.delegate = Some(None),
        Some(value) => match value.parse() {
            Ok(id) => change.delegate = Some(Some(UserId(id))),
            Err(_) => faults.add("delegate", NO_DELEGATE),
        },
    }
    match given("archived").map(str::to_lowercase).as_deref() {
        None => {}
        Some("true") => change.archived = Some(true),
        Some("false") => change.archived = Some(false),
        Some(_) => faults.add("archived", "Archived is True or False."),
    }
    // What is left empty stays: nobody takes the commits of many patches away by one form.
    if let Some(commit) = given("commit_ref").filter(|commit| !commit.is_empty()) {
        change.commit_ref = commit_ref(commit, faults);
    }
    change
}

/// Reads the id of a commit; empty for none.
pub fn commit_ref(text: &str, faults: &mut Faults) -> Option<Option<String>> {
    let fits = text.chars().count() <= MAX_CHARS && !text.contains(char::is_control);
    faults.check(
        fits,
        "commit_ref",
        "A commit id has 255 characters at most, and no control characters.",
    );
    fits.then(|| (!text.is_empty()).then(|| text.to_owned()))
}

/// What is said of a delegate who maintains nothing here.
pub const NO_DELEGATE: &str = "Patches can be delegated to maintainers of their project only.";

/// Returns the state that a field of a form names.
pub fn state(text: &str, vocabulary: &Vocabulary) -> Option<StateId> {
    let id = StateId(text.parse().ok()?);
    vocabulary.state(id).map(|state| state.id)
}

/// What was sent, by whom, about which patches.
pub struct Asked<'a> {
    /// Who.
    pub session: &'a Session,
    /// What was sent.
    pub form: &'a Form<'a>,
    /// All states.
    pub vocabulary: &'a Vocabulary,
    /// The patches, in the order of the page.
    pub patches: Vec<PatchId>,
    /// The project of a new bundle, if the page has one.
    pub project: Option<ProjectId>,
}

/// Does what a form of a page asks to be done with the patches ticked, in the name of who is logged in.
pub async fn receive(
    view: &View<'_>,
    form: &Form<'_>,
    vocabulary: &Vocabulary,
    project: Option<ProjectId>,
) -> Result<Faults> {
    let asked = Asked {
        session: view.logged_in()?,
        form,
        vocabulary,
        patches: ticked(form),
        project,
    };
    carry_out(&asked).await
}

/// Does what was asked, all in one transaction, and keeps the notices for the next page; or returns what is wrong.
pub async fn carry_out(asked: &Asked<'_>) -> Result<Faults> {
    let mut faults = Faults::default();
    let Some(task) = task(asked.form, asked.vocabulary, &mut faults) else {
        return Ok(faults);
    };
    let needs_patches = !matches!(task, Task::Create(_));
    if needs_patches && asked.patches.is_empty() {
        faults.add("", "No patches are selected.");
        return Ok(faults);
    }
    let now = Timestamp::now();
    let mut tx = asked.form.begin().await?;
    let told = match task {
        Task::Update(change) => update(&mut tx, asked, &change, now, &mut faults).await?,
        Task::Create(name) => create(&mut tx, asked, &name, &mut faults).await?,
        Task::Add(id) => add(&mut tx, asked, id, &mut faults).await?,
        Task::Remove(id) => remove(&mut tx, asked, id, &mut faults).await?,
    };
    if faults.is_empty() {
        asked.session.tell(&mut tx, told, now).await?;
        tx.commit().await?;
    }
    Ok(faults)
}

async fn update(
    tx: &mut Tx,
    asked: &Asked<'_>,
    change: &PatchChange,
    now: Timestamp,
    faults: &mut Faults,
) -> Result<Vec<Notice>> {
    let before = store::patch::change::lock(tx, &asked.patches).await?;
    let desks = Desks::read(tx, &before).await?;
    let wanted = change.delegate.flatten();
    let fits = |patch: &Patch| wanted.is_none_or(|user| desks.may_have(user, patch));
    if !before.is_empty() && !before.iter().any(fits) {
        faults.add("delegate", NO_DELEGATE);
        return Ok(Vec::new());
    }
    let rights = &asked.session.caller.rights;
    let (mine, foreign): (Vec<Patch>, Vec<Patch>) =
        before.into_iter().partition(|patch| rights.may_edit(patch));
    let (mine, unfit): (Vec<Patch>, Vec<Patch>) = mine.into_iter().partition(fits);
    let may_name =
        |patch: &Patch| change.commit_ref.is_none() || rights.maintains(patch.project_id);
    let (mine, unnamed): (Vec<Patch>, Vec<Patch>) = mine.into_iter().partition(may_name);
    let (count, undo) = apply(tx, asked.session, &mine, change, now).await?;
    let mut told = vec![updated(count, undo)];
    let refused = |why: &str, patches: Vec<Patch>| {
        let names: Vec<String> = patches.into_iter().map(|patch| patch.name).collect();
        each(&names, |name| Notice::failed(format!("{why}: {name}")))
    };
    told.extend(refused("You have no permission to change", foreign));
    told.extend(refused(NO_DELEGATE.trim_end_matches('.'), unfit));
    told.extend(refused("Only maintainers may name the commit of", unnamed));
    Ok(told)
}

/// Who maintains the projects of some patches.
pub struct Desks(HashSet<(UserId, ProjectId)>);

impl Desks {
    /// Reads them.
    pub async fn read(tx: &mut Tx, patches: &[Patch]) -> Result<Desks> {
        let mut projects: Vec<ProjectId> = patches.iter().map(|patch| patch.project_id).collect();
        projects.sort_unstable();
        projects.dedup();
        let found = store::project::maintainers(tx, &projects).await?;
        Ok(Desks(
            found
                .into_iter()
                .map(|(user, _, project)| (user, project))
                .collect(),
        ))
    }

    /// Says whether a patch may lie on somebody's desk: a maintainer's, or where it lies already.
    pub fn may_have(&self, user: UserId, patch: &Patch) -> bool {
        patch.delegate_id == Some(user) || self.0.contains(&(user, patch.project_id))
    }
}

/// Makes a change, keeps what takes it back, and returns how many patches it really changed and the way back.
pub async fn apply(
    tx: &mut Tx,
    session: &Session,
    before: &[Patch],
    change: &PatchChange,
    now: Timestamp,
) -> Result<(usize, Option<i64>)> {
    if before.is_empty() {
        return Ok((0, None));
    }
    let user = session.caller.user.id;
    let by = Actor {
        user: Some(user),
        at: now,
    };
    let ids: Vec<PatchId> = before.iter().map(|patch| patch.id).collect();
    let after = store::patch::change::apply(tx, &ids, change, &by).await?;
    let steps = undo::steps(before, &after);
    if steps.is_empty() {
        return Ok((0, None));
    }
    let Ok(data) = serde_json::to_string(&steps) else {
        return Ok((steps.len(), None));
    };
    let id = store::undo::insert(tx, user, &data, now).await?;
    Ok((steps.len(), Some(id)))
}

fn updated(count: usize, undo: Option<i64>) -> Notice {
    let notice = match count {
        0 => Notice::done("No patches updated."),
        count => Notice::done(format!("{} updated.", patches(count))),
    };
    match undo {
        Some(id) => notice.with_undo(id),
        None => notice,
    }
}

/// Returns one notice for each name, and one for all that are too many.
fn each(names: &[String], notice: impl Fn(&str) -> Notice) -> Vec<Notice> {
    let told = names.iter().take(MOST_TOLD);
    let mut notices: Vec<Notice> = told.map(|name| notice(&parts::named(name))).collect();
    if names.len() > MOST_TOLD {
        let rest = patches(names.len() - MOST_TOLD);
        notices.push(notice(&format!("{rest} more")));
    }
    notices
}

/// Returns those of the patches that are there, in the order asked for.
async fn known(tx: &mut Tx, patches: &[PatchId]) -> Result<Vec<Brief>> {
    let mut found = store::patch::search::briefs(tx, patches).await?;
    found.sort_by_key(|brief| patches.iter().position(|id| *id == brief.id));
    Ok(found)
}

async fn create(
    tx: &mut Tx,
    asked: &Asked<'_>,
    name: &str,
    faults: &mut Faults,
) -> Result<Vec<Notice>> {
    let briefs = known(tx, &asked.patches).await?;
    let first = briefs.first().map(|brief| brief.project_id);
    let Some(project) = asked.project.or(first) else {
        faults.add("", "No patches are selected.");
        return Ok(Vec::new());
    };
    let owner = &asked.session.caller.user;
    if !new_bundle(tx, asked.session, project, name, faults).await? {
        return Ok(Vec::new());
    }
    let Some(bundle) = store::bundle::by_name(tx, &owner.username, name).await? else {
        return Ok(Vec::new());
    };
    let ids: Vec<PatchId> = briefs.iter().map(|brief| brief.id).collect();
    store::bundle::append(tx, bundle.id, &ids).await?;
    let count = patches(ids.len());
    Ok(vec![Notice::done(format!(
        "Bundle “{name}” created with {count}."
    ))])
}

/// Makes an empty bundle, unless its owner has one of that name.
pub async fn new_bundle(
    tx: &mut Tx,
    session: &Session,
    project: ProjectId,
    name: &str,
    faults: &mut Faults,
) -> Result<bool> {
    let owner = &session.caller.user;
    let is_taken = "You have a bundle of that name already. Choose it to add to it.";
    if store::bundle::by_name(tx, &owner.username, name)
        .await?
        .is_some()
    {
        faults.add("name", is_taken);
        return Ok(false);
    }
    match store::bundle::insert(tx, owner.id, project, name, false).await {
        Ok(_) => Ok(true),
        // Another page of the same user was quicker.
        Err(error) if error.is_duplicate() => {
            faults.add("name", is_taken);
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns the name of a bundle, if it belongs to who asks.
async fn own(
    tx: &mut Tx,
    asked: &Asked<'_>,
    id: BundleId,
    faults: &mut Faults,
) -> Result<Option<String>> {
    let bundle = store::bundle::by_id(tx, id).await?;
    let owner = asked.session.caller.user.id;
    let own = bundle.filter(|bundle| bundle.owner_id == owner);
    if own.is_none() {
        faults.add("bundle_id", "You have no permission to change that bundle.");
    }
    Ok(own.map(|bundle| bundle.name))
}

async fn add(
    tx: &mut Tx,
    asked: &Asked<'_>,
    id: BundleId,
    faults: &mut Faults,
) -> Result<Vec<Notice>> {
    let Some(name) = own(tx, asked, id, faults).await? else {
        return Ok(Vec::new());
    };
    let briefs = known(tx, &asked.patches).await?;
    let inside = store::bundle::locked(tx, id).await?;
    let (old, new): (Vec<Brief>, Vec<Brief>) = briefs
        .into_iter()
        .partition(|brief| inside.contains(&brief.id));
    let ids: Vec<PatchId> = new.iter().map(|brief| brief.id).collect();
    store::bundle::append(tx, id, &ids).await?;
    let mut told = Vec::new();
    if !new.is_empty() {
        told.push(Notice::done(format!(
            "{} added to bundle “{name}”.",
            few(&new)
        )));
    }
    let old: Vec<String> = old.into_iter().map(|brief| brief.name).collect();
    told.extend(each(&old, |patch| {
        Notice::failed(format!("Already in bundle “{name}”: {patch}"))
    }));
    Ok(told)
}

async fn remove(
    tx: &mut Tx,
    asked: &Asked<'_>,
    id: BundleId,
    faults: &mut Faults,
) -> Result<Vec<Notice>> {
    let Some(name) = own(tx, asked, id, faults).await? else {
        return Ok(Vec::new());
    };
    let inside = store::bundle::locked(tx, id).await?;
    let gone: Vec<Brief> = known(tx, &asked.patches)
        .await?
        .into_iter()
        .filter(|brief| inside.contains(&brief.id))
        .collect();
    let ids: Vec<PatchId> = gone.iter().map(|brief| brief.id).collect();
    store::bundle::remove(tx, id, &ids).await?;
    Ok(vec![Notice::done(format!(
        "{} removed from bundle “{name}”.",
        few(&gone)
    ))])
}

/// Returns a single patch's name, or how many there are.
fn few(briefs: &[Brief]) -> String {
    match briefs {
        [one] => format!("“{}”", parts::named(&one.name)),
        many => patches(many.len()),
    }
}
