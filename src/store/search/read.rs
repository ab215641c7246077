//! What the terms of a query mean to the index: states, people and projects by name.

use super::ask::{Column, Expr, Of};
use crate::{
    domain::{
        MessageId, PersonId, ProjectId, StateId, UserId,
        check::CheckState,
        filter::Delegate,
        search::{Fault, Having, Node, Place, Query, Standing, Term, What, words},
        state::State,
    },
    store::Conn,
};

/// What names in a query can mean, and who asks.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// All states.
    pub states: &'a [State],
    /// All projects by their names in URLs.
    pub projects: &'a [(ProjectId, String)],
    /// Who asks.
    pub reader: Option<UserId>,
    /// The people who are that user.
    pub own: &'a [PersonId],
}

impl Expr {
    /// Returns what a query asks; nothing asks nothing.
    ///
    /// # Errors
    /// What in it means nothing here.
    pub fn of(query: &Query, ground: &Ground) -> Result<Option<Expr>, Fault> {
        match &query.root {
            Some(root) => of_node(root, ground),
            None => Ok(None),
        }
    }

    /// Returns what a term asks of the words of a mail; `None` where it asks for nothing that has words.
    pub fn of_words(term: &Term) -> Option<Expr> {
        let found = |column, prefix| Expr::text(column, prefix, &term.text);
        let is_comment = || Expr::mark('k', super::Kind::Comment as i64);
        match term.what {
            What::Text(Place::Any) => found(Column::All, ""),
            What::Text(Place::Subject) => found(Column::Subject, ""),
            What::Text(Place::Body) => {
                let not = Expr::Not(Box::new(is_comment()));
                found(Column::Body, "").map(|text| Expr::All(vec![text, not]))
            }
            What::Text(Place::Diff) => found(Column::Diff, ""),
            What::Text(Place::File) => found(Column::Extra, "f="),
            What::Text(Place::Comment) => {
                found(Column::Body, "").map(|text| Expr::All(vec![text, is_comment()]))
            }
            What::By(trailer) => found(Column::Extra, words::prefix(trailer)).map(open),
            What::From => found(Column::Extra, "p=").map(open),
            _ => None,
        }
    }
}

/// Of names the beginning is enough.
fn open(expr: Expr) -> Expr {
    match expr {
        Expr::Words(column, words, _) => Expr::Words(column, words, true),
        other => other,
    }
}

fn of_node(node: &Node, ground: &Ground) -> Result<Option<Expr>, Fault> {
    let many = |parts: &[Node]| {
        let parts = parts.iter().map(|part| of_node(part, ground));
        let parts: Result<Vec<Option<Expr>>, Fault> = parts.collect();
        parts.map(|parts| parts.into_iter().flatten().collect::<Vec<Expr>>())
    };
    Ok(match node {
        Node::All(parts) => Some(many(parts)?)
            .filter(|parts| !parts.is_empty())
            .map(Expr::All),
        Node::Any(parts) => Some(many(parts)?)
            .filter(|parts| !parts.is_empty())
            .map(Expr::Any),
        Node::Not(inner) => of_node(inner, ground)?.map(|inner| Expr::Not(Box::new(inner))),
        Node::Term(term) => of_term(term, ground)?,
    })
}

fn of_term(term: &Term, ground: &Ground) -> Result<Option<Expr>, Fault> {
    let fault = |why: String| Fault::new(term.at.clone(), why);
    let me = || me(term, ground);
    let is_me = term.text.eq_ignore_ascii_case("me");
    Ok(match term.what {
        What::From if is_me => {
            me()?;
            Some(Expr::people(ground.own))
        }
        What::Text(_) | What::From | What::By(_) => Expr::of_words(term),
        What::State => {
            let state = state(&term.text, ground.states);
            let none = || fault(format!("There is no state “{}”.", term.text));
            Some(Expr::Patch(Of::States(vec![state.ok_or_else(none)?])))
        }
        What::Delegate if is_me => Some(Expr::Patch(Of::Desk(Delegate::User(me()?)))),
        What::Delegate => Some(Expr::Patch(Of::Desk(Delegate::read(&term.text)))),
        What::Is(standing) => Some(of_standing(standing, ground.states)),
        What::Has(having) => Some(Expr::Patch(of_having(having))),
        What::After(moment) => Some(Expr::Since(moment)),
        What::Before(moment) => Some(Expr::Before(moment)),
        What::Message => Some(Expr::Message(message_ids(&term.text))),
        What::Project => Some(Expr::projects(&[project(term, ground)?])),
    })
}

/// Returns the ids that a message id without or with brackets may mean.
pub fn message_ids(text: &str) -> Vec<MessageId> {
    let bare = text.trim_matches(['<', '>']);
    vec![MessageId::from_url(bare), MessageId::new(bare)]
}

/// Returns the state that a text names: by its number, its name, its slug.
pub fn state(text: &str, states: &[State]) -> Option<StateId> {
    let is = |state: &&State| text.parse() == Ok(state.id.0) || state.is_called(text);
    states.iter().find(is).map(|state| state.id)
}

/// Returns who asks, where a term says `me`.
pub(super) fn me(term: &Term, ground: &Ground) -> Result<UserId, Fault> {
    let none = || format!("“{}” needs an account.", term.text);
    ground
        .reader
        .ok_or_else(|| Fault::new(term.at.clone(), none()))
}

/// Returns the project that a term names.
pub(super) fn project(term: &Term, ground: &Ground) -> Result<ProjectId, Fault> {
    let is_asked = |(_, name): &&(ProjectId, String)| name.eq_ignore_ascii_case(&term.text);
    match ground.projects.iter().find(is_asked) {
        Some((id, _)) => Ok(*id),
        None => {
            let why = format!("There is no project “{}”.", term.text);
            Err(Fault::new(term.at.clone(), why))
        }
    }
}

pub(super) fn of_standing(standing: Standing, states: &[State]) -> Expr {
    let among = |open: bool| {
        let states = states.iter().filter(|state| state.action_required == open);
        Expr::Patch(Of::States(states.map(|state| state.id).collect()))
    };
    let kind = |kind: super::Kind| Expr::mark('k', kind as i64);
    match standing {
        Standing::Open => among(true),
        Standing::Closed => among(false),
        Standing::Archived => Expr::Patch(Of::Archived),
        Standing::Patch => kind(super::Kind::Patch),
        Standing::Cover => kind(super::Kind::Cover),
        Standing::Comment => kind(super::Kind::Comment),
    }
}

/// Returns what is asked of a patch that is to have something.
pub fn of_having(having: Having) -> Of {
    match having {
        Having::ChecksFail => Of::Check(CheckState::Fail),
        Having::ChecksNone => Of::NoChecks,
        Having::Comments => Of::Comments,
        Having::OpenComments => Of::OpenComments,
    }
}

/// Returns all projects by their names in URLs.
///
/// # Errors
/// When the database is away.
pub async fn projects(conn: &mut Conn) -> super::super::Result<Vec<(ProjectId, String)>> {
    let projects = super::super::project::all(conn).await?;
    let named = projects.into_iter();
    Ok(named
        .map(|project| (project.id, project.linkname))
        .collect())
}
