//! What readers do with one patch (`web.md §7.2`): its state, desk and shelf, for those who may; their bundles, for all
//! who are logged in.

use super::*;
use crate::{
    auth::session::Session,
    domain::{
        BundleId, Patch, Timestamp, UserId, change::PatchChange, notice::Notice, permission::Rights,
    },
    web::{
        bulk::{self, Asked as Wanted, Desks},
        field::{self, Faults},
        form::Form,
    },
};

/// What the reader can do, what was entered, and what is wrong with it.
pub(super) struct Editing {
    user: UserId,
    /// Whether the patch may be changed.
    pub(super) may_edit: bool,
    pub(super) is_maintainer: bool,
    delegates: Vec<(UserId, String)>,
    bundles: Vec<(BundleId, String)>,
    entered: Option<Vec<(String, String)>>,
    faults: Faults,
}

impl Editing {
    /// Reads what can be offered to whoever looks; nothing for those who are not logged in.
    pub(super) async fn load(
        db: &mut Db<'_>,
        view: &View<'_>,
        detail: &Detail,
    ) -> Result<Option<Editing>> {
        let Some(caller) = view.caller() else {
            return Ok(None);
        };
        let patch = &detail.patch;
        let maintainers = store::project::maintainers(db, &[patch.project_id]).await?;
        let mut delegates: Vec<(UserId, String)> = maintainers
            .into_iter()
            .map(|(id, name, _)| (id, name))
            .collect();
        if let (Some(id), Some(name)) = (patch.delegate_id, &detail.delegate)
            && !delegates.iter().any(|(other, _)| *other == id)
        {
            delegates.push((id, name.clone()));
        }
        Ok(Some(Editing {
            user: caller.user.id,
            may_edit: caller.rights.may_edit(patch),
            is_maintainer: caller.rights.maintains(patch.project_id),
            delegates,
            bundles: store::bundle::names(db, caller.user.id).await?,
            entered: None,
            faults: Faults::default(),
        }))
    }

    pub(super) fn entered(&self, name: &str) -> Option<&str> {
        let mut pairs = self.entered.iter().flatten().rev();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn wrong(&self, name: &str) -> Option<&'static str> {
        (!self.faults.of(name).is_empty()).then_some("true")
    }
}

#[rocket::post("/project/<linkname>/patch/<_..>", data = "<form>")]
pub(super) async fn change(
    linkname: &str,
    tail: Tail<'_>,
    view: View<'_>,
    mut db: Db<'_>,
    form: Form<'_>,
) -> Result<Answer> {
    let project = store::project::by_linkname(&mut db, linkname)
        .await?
        .ok_or_else(Error::no_project)?;
    let asked = Asked::read(tail.0);
    let found = store::patch::detail_by_message_id(&mut db, project.id, &asked.ids()).await?;
    let Some((Action::Page, detail)) = asked.choose(found, |detail| &detail.patch.msgid) else {
        return Err(Error::missing());
    };
    let session = view.logged_in()?;
    let mut page = Page::load(&mut db, &view, project, detail).await?;
    drop(db);
    let faults = if is_update(&form) {
        update(session, &form, &page).await?
    } else if relate::is_asked(&form) {
        relate::change(session, &form, &page).await?
    } else {
        let wanted = Wanted {
            session,
            form: &form,
            vocabulary: &page.vocabulary,
            patches: vec![page.detail.patch.id],
            project: Some(page.project.id),
        };
        bulk::carry_out(&wanted).await?
    };
    if faults.is_empty() {
        return Ok(Answer::Done(page.address(&view)));
    }
    if let Some(editing) = &mut page.editing {
        editing.entered = Some(form.pairs().to_vec());
        editing.faults = faults;
    }
    if view.fragment == Some(PANEL) {
        return Ok(Answer::Invalid(side(&view, &page, page.place().as_ref())));
    }
    let diff = page.detail.body.diff.as_deref().unwrap_or_default();
    let files = mail::outline(diff);
    Ok(Answer::Invalid(whole(&view, &page, &files, None)))
}

/// Says whether a form is about the patch itself, not about bundles.
fn is_update(form: &Form) -> bool {
    match form.text("action").to_lowercase().as_str() {
        "update" => true,
        // Compatibility: release 3.2.1 sent no action with it.
        "" => form.get("state").is_some(),
        _ => false,
    }
}

async fn update(session: &Session, form: &Form<'_>, page: &Page) -> Result<Faults> {
    let rights = &session.caller.rights;
    if !rights.may_edit(&page.detail.patch) {
        return Err(Error::Forbidden(NOT_YOURS));
    }
    let mut faults = Faults::default();
    let change = values(form, rights, page, &mut faults);
    if !faults.is_empty() {
        return Ok(faults);
    }
    let now = Timestamp::now();
    let mut tx = form.begin().await?;
    let before = store::patch::change::lock(&mut tx, &[page.detail.patch.id]).await?;
    let mut change = change;
    for patch in &before {
        leave_untouched(&mut change, form, patch, &page.vocabulary, &mut faults);
    }
    if !faults.is_empty() {
        return Ok(faults);
    }
    let desks = Desks::read(&mut tx, &before).await?;
    // Somebody may have changed it since it was read.
    if !before.iter().all(|patch| rights.may_edit(patch)) {
        return Err(Error::Forbidden(NOT_YOURS));
    }
    let wanted = change.delegate.flatten();
    let fits = |patch: &Patch| wanted.is_none_or(|user| desks.may_have(user, patch));
    if !before.iter().all(fits) {
        faults.add("delegate", bulk::NO_DELEGATE);
        return Ok(faults);
    }
    let (_, undo) = bulk::apply(&mut tx, session, &before, &change, now).await?;
    let told = match undo {
        Some(id) => Notice::done("Patch updated.").with_undo(id),
        None => Notice::done("Nothing was changed."),
    };
    session.tell(&mut tx, vec![told], now).await?;
    tx.commit().await?;
    Ok(faults)
}

const NOT_YOURS: &str =
    "Only maintainers of the project, the patch's delegate and its submitter may change it.";

fn values(form: &Form, rights: &Rights, page: &Page, faults: &mut Faults) -> PatchChange {
    let mut change = PatchChange {
        state: bulk::state(form.text("state"), &page.vocabulary),
        // A box that is not ticked is not sent.
        archived: Some(form.is_ticked("archived")),
        ..PatchChange::default()
    };
    faults.check(change.state.is_some(), "state", "Choose a state.");
    match form.get("delegate").map(|text| (text, text.parse())) {
        None => {}
        Some(("", _)) => change.delegate = Some(None),
        Some((_, Ok(id))) => change.delegate = Some(Some(UserId(id))),
        Some((_, Err(_))) => faults.add("delegate", bulk::NO_DELEGATE),
    }
    if let Some(commit) = form.get("commit_ref")
        && rights.maintains(page.project.id)
    {
        change.commit_ref = bulk::commit_ref(commit, faults);
    }
    change
}

/// What stood in the form when it was drawn, by the name of its field.
fn shown(patch: &Patch) -> [(&'static str, String); 4] {
    let desk = patch.delegate_id.map(|user| user.to_string());
    [
        ("was_state", patch.state_id.to_string()),
        ("was_delegate", desk.unwrap_or_default()),
        ("was_archived", patch.archived.to_string()),
        (
            "was_commit_ref",
            patch.commit_ref.clone().unwrap_or_default(),
        ),
    ]
}

/// Takes out of a change what the form only repeats: somebody else may have changed that since it was drawn. Where both have
/// changed the same, it is asked for once more, with what stands there now.
///
/// Compatibility: scripts do not say what they saw; for them every field counts.
fn leave_untouched(
    change: &mut PatchChange,
    form: &Form<'_>,
    now: &Patch,
    vocabulary: &Vocabulary,
    faults: &mut Faults,
) {
    let state = change.state.map(|id| id.to_string());
    let desk = change
        .delegate
        .map(|user| user.map(|id| id.to_string()).unwrap_or_default());
    let archived = change.archived.map(|archived| archived.to_string());
    let commit = change.commit_ref.clone().map(Option::unwrap_or_default);
    let wanted = [state, desk, archived, commit];
    for ((name, now), wanted) in shown(now).into_iter().zip(wanted) {
        let (Some(was), Some(wanted)) = (form.get(name), wanted) else {
            continue;
        };
        let field = name.trim_start_matches("was_");
        match (was == wanted, was == now || wanted == now) {
            (true, _) => forget(change, field),
            (false, true) => {}
            (false, false) => faults.add(field_of(field), meanwhile(field, &now, vocabulary)),
        }
    }
}

fn forget(change: &mut PatchChange, field: &str) {
    match field {
        "state" => change.state = None,
        "delegate" => change.delegate = None,
        "archived" => change.archived = None,
        _ => change.commit_ref = None,
    }
}

/// A box has no place for what is wrong with it.
fn field_of(field: &str) -> &'static str {
    match field {
        "delegate" => "delegate",
        "commit_ref" => "commit_ref",
        _ => "state",
    }
}

fn meanwhile(field: &str, now: &str, vocabulary: &Vocabulary) -> String {
    let state = vocabulary
        .states
        .iter()
        .find(|state| state.id.to_string() == now);
    match (field, state, now) {
        ("state", Some(state), _) => format!(
            "Meanwhile somebody has set it to {}. Choose again.",
            state.name
        ),
        ("archived", _, "true") => {
            "Meanwhile somebody has archived the patch. Choose again.".into()
        }
        ("archived", _, _) => {
            "Meanwhile somebody has taken the patch out of the archive. Choose again.".into()
        }
        ("commit_ref", _, "") => "Meanwhile somebody has removed it. Choose again.".into(),
        ("commit_ref", _, now) => format!("Meanwhile somebody has entered {now}. Choose again."),
        _ => "Meanwhile somebody has delegated the patch to somebody else. Choose again.".into(),
    }
}

/// What is wrong with a field.
pub(super) fn fault(editing: &Editing, name: &str) -> Markup {
    let wrong = editing.faults.of(name);
    html! {
        @if !wrong.is_empty() { p.wrong id={ (name) "-error" } { (wrong.join(" ")) } }
    }
}

/// The form of those who may change the patch.
pub(super) fn editor(view: &View, page: &Page, editing: &Editing) -> Markup {
    let (patch, address) = (&page.detail.patch, page.address(view));
    let state = editing.entered("state").map(str::to_owned);
    let state = state.unwrap_or_else(|| patch.state_id.to_string());
    let delegate = editing.entered("delegate").map(str::to_owned);
    let delegate = delegate.unwrap_or_else(|| {
        patch
            .delegate_id
            .map(|id| id.to_string())
            .unwrap_or_default()
    });
    let archived = match editing.entered {
        Some(_) => editing.entered("archived").is_some(),
        None => patch.archived,
    };
    let commit = editing
        .entered("commit_ref")
        .or(patch.commit_ref.as_deref())
        .unwrap_or_default();
    let described = |name: &str| editing.wrong(name).map(|_| format!("{name}-error"));
    let me = editing.delegates.iter().any(|(id, _)| *id == editing.user);
    html! {
        form.editor method="post" action=(address) hx-post=(address) aria-label="Change this patch" {
            (view.csrf())
            input type="hidden" name="action" value="update";
            @for (name, value) in shown(patch) { input type="hidden" name=(name) value=(value); }
            label for="id_state" { "State" }
            div { select #id_state name="state" data-key="s" aria-invalid=[editing.wrong("state")] aria-describedby=[described("state")] {
                @for known in &page.vocabulary.states {
                    @let id = known.id.to_string();
                    option value=(id) selected[id == state] { (known.name) }
                }
            } (fault(editing, "state")) }
            label for="id_delegate" { "Delegate" }
            div { select #id_delegate name="delegate" data-key="d" aria-invalid=[editing.wrong("delegate")] aria-describedby=[described("delegate")] {
                option value="" { "Nobody" }
                @for (id, name) in &editing.delegates {
                    @let id = id.to_string();
                    option value=(id) selected[id == delegate] { (name) }
                }
            } (fault(editing, "delegate")) }
            @if editing.is_maintainer {
                label for="id_commit_ref" { "Commit" }
                div { input #id_commit_ref name="commit_ref" value=(commit) maxlength="255" spellcheck="false"
                    aria-invalid=[editing.wrong("commit_ref")] aria-describedby=[described("commit_ref")];
                    (fault(editing, "commit_ref")) }
            }
            div.last {
                label.tick { input type="checkbox" name="archived" value="True" data-key="e" checked[archived]; " Archived" }
                button.primary #update type="submit" { "Update" }
                // The last value sent counts: this one, not the menu's.
                @if me && patch.delegate_id != Some(editing.user) {
                    button type="submit" name="delegate" value=(editing.user) data-key="m" { "Delegate to me" }
                }
            }
        }
    }
}

/// The form that puts the patch into a bundle of the reader's.
pub(super) fn bundles(view: &View, page: &Page, editing: &Editing) -> Markup {
    let address = page.address(view);
    let wrong = ["name", "bundle_id", ""];
    let wrong = wrong.iter().any(|name| editing.wrong(name).is_some());
    let name = editing.entered("name").unwrap_or_default();
    let chosen = editing.entered("bundle_id").unwrap_or_default();
    let described = |name: &str| editing.wrong(name).map(|_| format!("{name}-error"));
    html! {
        details.members.bundling open[wrong] {
            summary data-key="b" { "Add to a bundle" }
            form method="post" action=(address) hx-post=(address) aria-label="Add this patch to a bundle" {
                (view.csrf())
                (field::problems(&editing.faults))
                @if !editing.bundles.is_empty() {
                    div {
                        select name="bundle_id" aria-label="Bundle" aria-invalid=[editing.wrong("bundle_id")] aria-describedby=[described("bundle_id")] {
                            @for (id, name) in &editing.bundles {
                                option value=(id) selected[id.to_string() == chosen || *name == name_entered(editing)] { (name) }
                            }
                        }
                        button type="submit" name="action" value="add" { "Add" }
                    }
                    (fault(editing, "bundle_id"))
                }
                div {
                    input name="name" value=(name) maxlength="50" placeholder="New bundle" aria-label="Name of a new bundle"
                        aria-invalid=[editing.wrong("name")] aria-describedby=[described("name")];
                    button type="submit" name="action" value="create" { "Create" }
                }
                (fault(editing, "name"))
            }
        }
    }
}

fn name_entered(editing: &Editing) -> &str {
    editing.entered("name").map(str::trim).unwrap_or_default()
}
