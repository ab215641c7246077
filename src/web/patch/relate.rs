//! What belongs together with a patch (`domain.md §3`): shown to all, put together by maintainers.

use std::collections::HashMap;

use super::{edit::fault, *};
use crate::{
    auth::session::Session,
    domain::{
        Patch, PatchId, ProjectId, RelationId, Timestamp, change::Actor, notice::Notice,
        permission::Rights,
    },
    store::{
        Tx,
        patch::search::{self, Brief},
    },
    web::{bulk, field::Faults, form::Form, jump},
};

/// The most patches that one form names.
const MOST: usize = 100;

/// Says whether a form is about what belongs together.
pub(super) fn is_asked(form: &Form) -> bool {
    matches!(form.text("action"), "relate" | "unrelate")
}

/// Relates the patch to those that a form names, or takes it out of its relation: by the same way as scripts.
pub(super) async fn change(session: &Session, form: &Form<'_>, page: &Page) -> Result<Faults> {
    let rights = &session.caller.rights;
    let now = Timestamp::now();
    let by = Actor {
        user: Some(session.caller.user.id),
        at: now,
    };
    let mut faults = Faults::default();
    let mut tx = form.begin().await?;
    let patch = store::patch::by_id(&mut tx, page.detail.patch.id).await?;
    let patch = patch.ok_or_else(Error::missing)?;
    let told = match form.text("action") {
        "unrelate" => {
            allow(&mut tx, rights, &patch, &[]).await?;
            store::relation::leave(&mut tx, patch.id, &by).await?;
            Notice::done("This patch is related to nothing any more.")
        }
        _ => {
            let others = named(&mut tx, form.text("related"), &patch, &mut faults).await?;
            if !faults.is_empty() {
                return Ok(faults);
            }
            allow(&mut tx, rights, &patch, &others).await?;
            let ids: Vec<PatchId> = others.iter().map(|brief| brief.id).collect();
            if store::relation::extend(&mut tx, patch.id, &ids, &by)
                .await?
                .is_err()
            {
                faults.add("related", CONFLICT);
                return Ok(faults);
            }
            Notice::done(format!("Related to {}.", bulk::patches(ids.len())))
        }
    };
    session.tell(&mut tx, vec![told], now).await?;
    tx.commit().await?;
    Ok(faults)
}

const CONFLICT: &str =
    "These patches are related to different others already. Take them out of there first.";
const FOREIGN: &str = "Patches are related by those who maintain all of their projects.";

/// Sees that the reader maintains the projects of all who are concerned.
async fn allow(tx: &mut Tx, rights: &Rights, patch: &Patch, others: &[Brief]) -> Result<()> {
    let relations: Vec<RelationId> = patch.related_id.into_iter().collect();
    let now = search::related(tx, &relations).await?;
    let involved = now.iter().chain(others).map(|brief| brief.project_id);
    let mut involved = involved.chain([patch.project_id]);
    match involved.all(|project| rights.maintains(project)) {
        true => Ok(()),
        false => Err(Error::Forbidden(FOREIGN)),
    }
}

/// Returns the patches that somebody names by numbers, message ids or addresses.
async fn named(tx: &mut Tx, text: &str, patch: &Patch, faults: &mut Faults) -> Result<Vec<Brief>> {
    let words = text.split(|c: char| c.is_whitespace() || c == ',');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    faults.check(
        words.len() <= MOST,
        "related",
        "Name no more than 100 patches at once.",
    );
    let mut found = Vec::new();
    for word in words.into_iter().take(MOST) {
        match known(tx, word, patch.project_id).await? {
            Some(brief) if brief.id != patch.id => found.push(brief),
            Some(_) => {}
            None => faults.add("related", format!("There is no patch “{word}”.")),
        }
    }
    let is_some = !found.is_empty() || !faults.is_empty();
    faults.check(
        is_some,
        "related",
        "Name another patch by its id, message id or address.",
    );
    Ok(found)
}

/// Returns the patch that a word means: the project's own, if others have one of that message id, too.
async fn known(tx: &mut Tx, word: &str, project: ProjectId) -> Result<Option<Brief>> {
    let mut found = match (word.parse(), jump::message_ids(word)) {
        (Ok(id), _) => search::briefs(tx, &[PatchId(id)]).await?,
        (Err(_), Some(ids)) => search::by_message_ids(tx, &ids).await?,
        (Err(_), None) => Vec::new(),
    };
    found.sort_by_key(|brief| brief.project_id != project);
    Ok(found.into_iter().next())
}

/// Draws what belongs together with the patch, by project, and the form that changes it.
pub(super) fn drawn(view: &View, page: &Page) -> Markup {
    let others = page
        .related
        .iter()
        .filter(|related| related.id != page.detail.patch.id);
    let mut by_project: Vec<(&str, Vec<&Related>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for related in others {
        let at = *places.entry(&related.linkname).or_insert_with(|| {
            by_project.push((&related.project_name, Vec::new()));
            by_project.len() - 1
        });
        by_project[at].1.push(related);
    }
    by_project.sort_by_key(|(_, related)| related[0].project_id != page.project.id);
    html! {
        @for (name, related) in &by_project {
            @let here = related[0].project_id == page.project.id;
            details.members open[here] {
                summary {
                    @if here { "Related" } @else { "Related in " (name) }
                    span.n { (related.len()) }
                }
                ul { @for related in related { li {
                    a href=(view.links().patch(&related.linkname, &related.msgid)) { (parts::named(&related.name)) }
                    span.vh { ", " } small { (related.state_name) " · " (parts::day(related.date)) }
                } } }
            }
        }
        @if let Some(editing) = page.editing.as_ref().filter(|editing| editing.is_maintainer) { (self::form(view, page, editing)) }
    }
}

fn form(view: &View, page: &Page, editing: &Editing) -> Markup {
    let address = page.address(view);
    let wrong = editing.wrong("related");
    html! {
        details.members.bundling open[wrong.is_some()] {
            summary { "Relate to other patches" }
            form method="post" action=(address) hx-post=(address) aria-label="Relate this patch to others" {
                (view.csrf())
                div {
                    input name="related" value=(editing.entered("related").unwrap_or_default()) placeholder="Id, message id or address"
                        aria-label="Other patches" spellcheck="false" autocapitalize="none" aria-invalid=[wrong]
                        aria-describedby=[wrong.map(|_| "related-error")];
                    button type="submit" name="action" value="relate" { "Relate" }
                }
                (fault(editing, "related"))
                @if page.detail.patch.related_id.is_some() {
                    div { button type="submit" name="action" value="unrelate" { "Take this patch out" } }
                }
            }
        }
    }
}
