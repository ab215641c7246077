//! What a list's filter means in SQL, and where a database had better start to look.

use super::super::{
    Kind, Sql, containing,
    search::{self, Expr},
};
use super::extent::Start;
use crate::domain::{
    StateId,
    filter::{Archive, Delegate, Except, PatchFilter, States, Submitter},
    search::{Term, What},
    state::State,
};

/// Returns whether what is put away is looked for; `None` for both.
pub(super) fn archived(archive: Archive) -> Option<bool> {
    match archive {
        Archive::No => Some(false),
        Archive::Yes => Some(true),
        Archive::Both => None,
    }
}

/// Returns the states to look for; `None` for any.
pub(super) fn state_ids(wanted: &States, states: &[State]) -> Option<Vec<StateId>> {
    match wanted {
        States::Any => None,
        States::Among(ids) => Some(ids.clone()),
        States::ActionRequired => Some(
            states
                .iter()
                .filter(|state| state.action_required)
                .map(|state| state.id)
                .collect(),
        ),
    }
}

/// Appends what a patch has to be, as a condition; `states` and `shelf` stand for those of the filter, `None` for any.
pub(super) fn conditions(
    query: &mut Sql,
    kind: Kind,
    filter: &PatchFilter,
    states: Option<&[StateId]>,
    archived: Option<bool>,
    start: Start,
) {
    query.push("TRUE");
    // SQLite keeps no count of how rare a value is. A plus keeps it from starting at this column's index.
    let (project, shelf, state) = match (kind, start.is_elsewhere()) {
        (Kind::Sqlite, true) => (
            " AND +p.project_id",
            " AND +p.archived = ",
            " AND +p.state_id IN ",
        ),
        _ => (
            " AND p.project_id",
            " AND p.archived = ",
            " AND p.state_id IN ",
        ),
    };
    if let Some(id) = filter.project {
        query.push(project).push(" = ").arg(id);
    }
    if !filter.among.is_empty() {
        query
            .push(project)
            .push(" IN ")
            .list(filter.among.iter().copied());
    }
    if let Some(bundle) = filter.bundle {
        query
            .push(" AND p.id IN (SELECT patch_id FROM bundle_patch WHERE bundle_id = ")
            .arg(bundle)
            .push(")");
    }
    if let Some(archived) = archived {
        query.push(shelf).arg(archived);
    }
    if let Some(states) = states {
        query.push(state).list(states.iter().copied());
    }
    if let Some(series) = filter.series {
        query.push(" AND p.series_id = ").arg(series);
    }
    let sender = Sender::of(kind, start);
    people(query, filter, sender);
    exceptions(query, &filter.except, sender);
    words(query, kind, filter, start);
    if let Some(since) = filter.since {
        query.push(" AND p.date >= ").arg(since);
    }
    if let Some(before) = filter.before {
        query.push(" AND p.date < ").arg(before);
    }
    counted(query, filter, start);
    for (without, term) in &filter.said {
        said(query, kind, *without, term);
    }
}

/// Appends what a term of a search asks of a patch, its mail or its comments.
fn said(query: &mut Sql, kind: Kind, without: bool, term: &Term) {
    query.push(if without { " AND NOT (" } else { " AND (" });
    match (term.what, Expr::of_words(term)) {
        (What::Has(having), _) => search::of_patch(query, &search::of_having(having)),
        (What::Message, _) => {
            query.push("p.msgid IN ");
            query.list(&search::message_ids(&term.text));
        }
        (_, Some(expr)) => search::among(query, kind.into(), ["p.id", "patch_id"], &expr),
        // Nothing is asked: every text has it.
        (_, None) => {
            query.push(if without { "FALSE" } else { "TRUE" });
        }
    }
    query.push(")");
}

fn words(query: &mut Sql, kind: Kind, filter: &PatchFilter, start: Start) {
    if let (Kind::Sqlite, Start::Words, Some(asked)) = (kind, start, matching(&filter.words)) {
        query.push(" AND patch_words MATCH ").arg(asked);
    }
    for word in &filter.words {
        query
            .push(" AND p.name_key LIKE ")
            .arg(containing(word))
            .push(" ESCAPE '\\'");
    }
    for word in &filter.without {
        query
            .push(" AND p.name_key NOT LIKE ")
            .arg(containing(word))
            .push(" ESCAPE '\\'");
    }
}

/// Returns what the index of names is asked for; `None` if the words are too short for it.
pub(super) fn matching(words: &[String]) -> Option<String> {
    let long = words.iter().filter(|word| is_indexed(word));
    let quoted = long.map(|word| format!("\"{}\"", word.to_lowercase().replace('"', "\"\"")));
    let asked = quoted.collect::<Vec<_>>().join(" ");
    (!asked.is_empty()).then_some(asked)
}

/// The index of names knows parts of three letters.
fn is_indexed(word: &str) -> bool {
    word.to_lowercase().chars().count() >= 3
}

/// How it is found out whether a patch is from somebody whose name has a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sender {
    /// Everybody with such a name is looked up first.
    Known,
    /// Who sent a patch is looked up when it is its turn: SQLite would look up everybody for each shelf of a merge.
    Probed,
}

impl Sender {
    fn of(kind: Kind, start: Start) -> Sender {
        match (kind, start) {
            (Kind::Postgres, _) | (_, Start::Shelves | Start::Submitter) => Sender::Known,
            _ => Sender::Probed,
        }
    }

    fn push(self, query: &mut Sql, without: bool, text: &str) {
        query
            .push(match (self, without) {
                (Sender::Known, false) => " AND p.submitter_id IN (SELECT id FROM person w WHERE ",
                (Sender::Known, true) => {
                    " AND p.submitter_id NOT IN (SELECT id FROM person w WHERE "
                }
                (Sender::Probed, false) => {
                    " AND EXISTS (SELECT 1 FROM person w WHERE w.id = p.submitter_id AND "
                }
                (Sender::Probed, true) => {
                    " AND NOT EXISTS (SELECT 1 FROM person w WHERE w.id = p.submitter_id AND "
                }
            })
            .push("w.key LIKE ")
            .arg(containing(text))
            .push(" ESCAPE '\\')");
    }
}

fn people(query: &mut Sql, filter: &PatchFilter, sender: Sender) {
    match &filter.submitter {
        None => {}
        Some(Submitter::Person(id)) => {
            query
                .push(" AND p.submitter_id IN (SELECT id FROM person WHERE id = ")
                .arg(*id);
            query
                .push(" OR account_id = (SELECT account_id FROM person WHERE id = ")
                .arg(*id)
                .push("))");
        }
        Some(Submitter::Account(id)) => {
            query.push(" AND p.submitter_id IN (SELECT id FROM person WHERE account_id = ");
            query.arg(*id).push(")");
        }
        Some(Submitter::Matching(text)) => sender.push(query, false, text),
    }
    match &filter.delegate {
        None => {}
        Some(Delegate::Nobody) => {
            query.push(" AND p.delegate_id IS NULL");
        }
        Some(Delegate::User(id)) => {
            query.push(" AND p.delegate_id = ").arg(*id);
        }
        Some(Delegate::Matching(text)) => {
            query.push(" AND p.delegate_id IN (SELECT id FROM account WHERE lower(username) LIKE ");
            query.arg(containing(text)).push(" ESCAPE '\\')");
        }
    }
}

/// Leaves out whose, on whose desk, in which states. A patch on nobody's desk is on none of those named.
fn exceptions(query: &mut Sql, except: &Except, sender: Sender) {
    for text in &except.submitters {
        sender.push(query, true, text);
    }
    for account in &except.accounts {
        query.push(" AND p.submitter_id NOT IN (SELECT id FROM person WHERE account_id = ");
        query.arg(*account).push(")");
    }
    for delegate in &except.delegates {
        match delegate {
            Delegate::Nobody => {
                query.push(" AND p.delegate_id IS NOT NULL");
            }
            Delegate::User(id) => {
                query.push(" AND (p.delegate_id IS NULL OR p.delegate_id <> ");
                query.arg(*id).push(")");
            }
            Delegate::Matching(text) => {
                query.push(" AND (p.delegate_id IS NULL OR p.delegate_id NOT IN ");
                query.push("(SELECT id FROM account WHERE lower(username) LIKE ");
                query.arg(containing(text)).push(" ESCAPE '\\'))");
            }
        }
    }
    if !except.states.is_empty() {
        query
            .push(" AND p.state_id NOT IN ")
            .list(except.states.iter().copied());
    }
}

fn counted(query: &mut Sql, filter: &PatchFilter, start: Start) {
    match filter.checks {
        None => {}
        Some(None) => {
            query.push(" AND p.check_state IS NULL");
        }
        Some(Some(state)) => {
            query.push(" AND p.check_state = ").arg(state as i64);
        }
    }
    if let Some((tag, least)) = filter.tag {
        query.push(match start {
            Start::Tag => " AND p.id IN (SELECT t.patch_id FROM patch_tag t WHERE t.tag_id = ",
            _ => " AND EXISTS (SELECT 1 FROM patch_tag t WHERE t.patch_id = p.id AND t.tag_id = ",
        });
        query.arg(tag).push(" AND t.count >= ").arg(least).push(")");
    }
    if filter.unaddressed {
        query.push(" AND p.unaddressed IS TRUE");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_names_is_asked_for_words_it_knows() {
        let asked = |words: &[&str]| {
            matching(
                &words
                    .iter()
                    .map(|word| (*word).to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            asked(&["Fix", "of", "say \"x\""]).as_deref(),
            Some("\"fix\" \"say \"\"x\"\"\"")
        );
        assert_eq!(asked(&["of"]), None);
        assert_eq!(asked(&["äöü"]).as_deref(), Some("\"äöü\""));
    }
}
