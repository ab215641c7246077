//! Delegation rules of a project: edited, tested, applied to patches that nobody has; by staff and by maintainers.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{
    super::{error::Result, form::Form, guard::View},
    model::Acted,
    work::Work,
};
use crate::{
    domain::{PatchId, ProjectId, UserId, change::PatchChange},
    ingest, mail,
    store::{
        self, Conn,
        admin::member::{self, Candidate, MAX_PATH, Rule, said},
        audit::Change,
    },
};

/// How many empty rows there are to fill in.
const EMPTY: usize = 3;
/// How many undelegated patches are looked at, and changed at once.
const MOST: i64 = 2000;

/// Draws the rules of a project, to be edited and tested.
pub async fn section(
    conn: &mut Conn,
    view: &View<'_>,
    project: ProjectId,
    action: &str,
    may_change: bool,
    may_apply: bool,
) -> Result<Markup> {
    let rules = member::rules(conn, project).await?;
    let candidates = member::candidates(conn, project).await?;
    Ok(html! {
        section.more {
            h2 #rules { "Delegation rules" }
            p.hint { "Who gets new patches. A rule is a shell pattern for file names; * takes slashes, too. Rules of a higher "
                "priority are asked first, then in the order of their paths. A patch is given to somebody only if the rules "
                "give all its files to the same account." }
            form.rules method="post" action=(action) {
                (view.csrf())
                input type="hidden" name="rules_version" value=(version(&rules));
                table.things {
                    caption.vh { "Delegation rules" }
                    thead { tr { th scope="col" { "Path" } th scope="col" { "Account" } th scope="col" { "Priority" } th.gone scope="col" { "Delete" } } }
                    tbody {
                        @for (at, rule) in rules.iter().enumerate() { (row(at, Some(rule), &candidates, may_change)) }
                        @if may_change {
                            @for at in rules.len()..rules.len() + EMPTY { (row(at, None, &candidates, true)) }
                        }
                    }
                }
                @if may_change {
                    div.saving {
                        button.primary type="submit" name="action" value="rules" { "Save rules" }
                        @if may_apply { button type="submit" name="action" value="reapply" { "Apply the stored rules to patches that nobody has" } }
                    }
                }
            }
            form.actions method="post" action=(action) {
                (view.csrf())
                div.act {
                    div.entry {
                        label for="id_files" { "Who would get these?" }
                        textarea #id_files name="files" rows="3" aria-describedby="files-hint" {}
                        p.hint #files-hint { "Names of files, one a line, or the number of a patch." }
                    }
                    button type="submit" name="action" value="test-rules" { "Test the stored rules" }
                }
            }
        }
    })
}

fn row(at: usize, rule: Option<&Rule>, candidates: &[Candidate], may_change: bool) -> Markup {
    let path = rule.map_or("", |rule| rule.path.as_str());
    let user = rule.map(|rule| rule.account_id);
    let known = user.is_none_or(|user| candidates.iter().any(|one| one.id == user));
    html! {
        tr {
            td data-head="Path" { input name={ "path-" (at) } value=(path) maxlength=(MAX_PATH) disabled[!may_change] aria-label={ "Path of rule " (at + 1) } autocapitalize="none"; }
            td data-head="Account" {
                select name={ "user-" (at) } disabled[!may_change] aria-label={ "Account of rule " (at + 1) } {
                    option value="" { "-" }
                    @if let Some(user) = user.filter(|_| !known) { option value=(user) selected { "#" (user) } }
                    @for one in candidates {
                        option value=(one.id) selected[user == Some(one.id)] { (one.username) @if !one.maintains { " (no maintainer)" } }
                    }
                }
            }
            td data-head="Priority" { input.short type="number" name={ "priority-" (at) } value=(rule.map_or(0, |rule| rule.priority)) disabled[!may_change] aria-label={ "Priority of rule " (at + 1) }; }
            td.gone data-head="Delete" { @if rule.is_some() && may_change { input type="checkbox" name={ "gone-" (at) } value="1" aria-label={ "Delete rule " (at + 1) }; } }
        }
    }
}

fn version(rules: &[Rule]) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(said(rules).as_bytes());
    digest[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Reads rules as they were sent.
fn sent(form: &Form<'_>) -> std::result::Result<Vec<Rule>, String> {
    let mut rules = Vec::new();
    let mut paths = BTreeSet::new();
    let rows = form
        .pairs()
        .iter()
        .filter_map(|(name, path)| Some((name.strip_prefix("path-")?, path.trim())));
    for (at, path) in rows {
        let field = |name: &str| form.get(&format!("{name}-{at}"));
        if path.is_empty() || field("gone").is_some() {
            continue;
        }
        if path.chars().count() > MAX_PATH {
            return Err(format!(
                "The path “{path}” is longer than {MAX_PATH} characters."
            ));
        }
        if !paths.insert(path.to_owned()) {
            return Err(format!("There are two rules for “{path}”."));
        }
        let user = field("user").unwrap_or_default();
        let Ok(user) = user.parse().map(UserId) else {
            return Err(format!("The rule for “{path}” has no account."));
        };
        let priority = field("priority").unwrap_or_default();
        let priority = if priority.is_empty() {
            Ok(0)
        } else {
            priority.parse()
        };
        let Ok(priority) = priority else {
            return Err(format!("The priority of “{path}” is no number."));
        };
        rules.push(Rule {
            path: path.to_owned(),
            account_id: user,
            priority,
        });
    }
    rules.sort_by(|a, b| (b.priority, &a.path).cmp(&(a.priority, &b.path)));
    Ok(rules)
}

/// What became of rules that were sent.
pub enum Saved {
    /// They are stored; this was changed, and this is to be told.
    Done(Change, String),
    /// They are not, because of this.
    Refused(String),
}

/// Stores rules as they were sent.
pub async fn store(tx: &mut store::Tx, project: ProjectId, form: &Form<'_>) -> Result<Saved> {
    store::project::lock(tx, project).await?;
    let before = member::rules(tx, project).await?;
    let seen = form.text("rules_version");
    if !seen.is_empty() && seen != version(&before) {
        return Ok(Saved::Refused(
            "Somebody else has changed the rules meanwhile; look at them once more. Nothing was saved.".into(),
        ));
    }
    let rules = match sent(form) {
        Ok(rules) => rules,
        Err(fault) => return Ok(Saved::Refused(format!("{fault} Nothing was saved."))),
    };
    let mut strangers = BTreeSet::new();
    let candidates = member::candidates(tx, project).await?;
    for rule in &rules {
        if store::user::by_id(tx, rule.account_id).await?.is_none() {
            return Ok(Saved::Refused(format!(
                "The rule for “{}” has no account.",
                rule.path
            )));
        }
        if let Some(one) = candidates
            .iter()
            .find(|one| one.id == rule.account_id && !one.maintains)
        {
            strangers.insert(one.username.clone());
        }
    }
    member::set_rules(tx, project, &rules).await?;
    let text = match strangers.is_empty() {
        true => "The rules were saved.".to_owned(),
        false => format!(
            "The rules were saved. They give patches to accounts that do not maintain the project: {}.",
            strangers.into_iter().collect::<Vec<_>>().join(", ")
        ),
    };
    Ok(Saved::Done(
        Change::new("Delegation rules", said(&before), said(&rules)),
        text,
    ))
}

/// Stores rules in the console.
pub async fn save(
    work: &mut Work<'_>,
    id: &str,
    project: ProjectId,
    form: &Form<'_>,
) -> Result<Acted> {
    match store(&mut work.tx, project, form).await? {
        Saved::Refused(why) => Ok(Acted::Refused(why)),
        Saved::Done(change, text) => {
            work.changed(id, &change.field, &change.before, &change.after)
                .await?;
            Ok(Acted::Done(text))
        }
    }
}

/// Says whom the rules give files to.
pub async fn test(conn: &mut Conn, project: ProjectId, form: &Form<'_>) -> Result<Acted> {
    let given = form.text("files");
    let files: Vec<String> = match given.parse().map(PatchId) {
        Ok(patch) => {
            let Some(diff) = diff_of(conn, patch).await? else {
                return Ok(Acted::Refused(format!(
                    "There is no patch {patch} with a diff."
                )));
            };
            mail::files::files(&diff).into_iter().collect()
        }
        Err(_) => given
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect(),
    };
    if files.is_empty() {
        return Ok(Acted::Refused("Name at least one file.".into()));
    }
    let rules = store::delegation::rules(conn, project).await?;
    let mut parts = Vec::new();
    for file in files.iter().take(20) {
        let fires = ingest::rule_of(&rules, file);
        parts.push(match fires {
            Some(rule) => format!(
                "{file}: {} → {}",
                rule.path,
                name(conn, rule.account_id).await?
            ),
            None => format!("{file}: no rule"),
        });
    }
    let verdict = match ingest::delegate_of(&rules, files) {
        Some(user) => format!("The patch would go to {}.", name(conn, user).await?),
        None => "The patch would go to nobody.".to_owned(),
    };
    Ok(Acted::Done(format!("{verdict} ({})", parts.join("; "))))
}

async fn diff_of(conn: &mut Conn, patch: PatchId) -> Result<Option<String>> {
    let found = store::patch::walk::diffs(conn, PatchId(patch.0 - 1), &[patch]).await?;
    Ok(found.into_iter().next().and_then(|found| found.diff))
}

async fn name(conn: &mut Conn, user: UserId) -> Result<String> {
    let user = store::user::by_id(conn, user).await?;
    Ok(user.map_or_else(|| "nobody".to_owned(), |user| user.username))
}

/// Gives open patches that lie on nobody's desk to whom the rules say.
pub async fn reapply(work: &mut Work<'_>, id: &str, project: ProjectId) -> Result<Acted> {
    let rules = store::delegation::rules(&mut work.tx, project).await?;
    let idle = store::delegation::idle(&mut work.tx, project, MOST).await?;
    let mut count = 0;
    for (patch, diff) in idle {
        let Some(user) = ingest::delegate_of(&rules, mail::files::files(&diff)) else {
            continue;
        };
        let change = PatchChange {
            delegate: Some(Some(user)),
            ..PatchChange::default()
        };
        let by = work.actor();
        store::patch::change::apply(&mut work.tx, &[patch], &change, &by).await?;
        count += 1;
    }
    if count > 0 {
        work.changed(
            id,
            "Delegation rules applied",
            "",
            &format!("{count} patches"),
        )
        .await?;
    }
    Ok(Acted::Done(format!(
        "{count} patches were given to somebody."
    )))
}
