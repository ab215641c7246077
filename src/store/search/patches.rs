//! A query asked of patches, as scripts ask it: of a patch's name, of what it is, of its mail and its comments.
//!
//! Each term is a condition of its own on the patch: `comment:a comment:b` finds a patch with two comments.

use super::{
    Expr, Ground, Of, among, message_ids, of_having, of_patch,
    read::{self, of_standing},
};
use crate::{
    domain::{
        MessageId, PersonId, ProjectId, Timestamp,
        filter::Delegate,
        search::{Fault, Node, Place, Query, Standing, Term, What},
    },
    store::{Kind, Sql, containing},
};

/// A condition on a patch.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// All of these hold.
    All(Vec<Asked>),
    /// One of these holds.
    Any(Vec<Asked>),
    /// This does not hold.
    Not(Box<Asked>),
    /// The name contains this, ignoring case.
    Name(String),
    /// The name or the address of who sent it contains this, ignoring case.
    Submitter(String),
    /// One of these people sent it.
    People(Vec<PersonId>),
    /// Something that is true of it.
    Is(Of),
    /// It has one of these message ids.
    Message(Vec<MessageId>),
    /// It is of this project.
    Project(ProjectId),
    /// It was written at this moment or later.
    Since(Timestamp),
    /// It was written before.
    Before(Timestamp),
    /// Its mail or one of its comments has these words.
    Words(Expr),
}

impl Asked {
    /// Returns what a query asks of patches.
    ///
    /// # Errors
    /// What in it means nothing.
    pub fn of(query: &Query, ground: &Ground) -> Result<Asked, Fault> {
        match &query.root {
            Some(root) => of_node(root, ground),
            None => Ok(Asked::All(Vec::new())),
        }
    }
}

fn of_node(node: &Node, ground: &Ground) -> Result<Asked, Fault> {
    let many = |parts: &[Node]| {
        let parts = parts.iter().map(|part| of_node(part, ground));
        parts.collect::<Result<Vec<Asked>, Fault>>()
    };
    Ok(match node {
        Node::All(parts) => Asked::All(many(parts)?),
        Node::Any(parts) => Asked::Any(many(parts)?),
        Node::Not(inner) => Asked::Not(Box::new(of_node(inner, ground)?)),
        Node::Term(term) => of_term(term, ground)?,
    })
}

fn of_term(term: &Term, ground: &Ground) -> Result<Asked, Fault> {
    let text = &term.text;
    let fault = |why: String| Fault::new(term.at.clone(), why);
    let is_me = text.eq_ignore_ascii_case("me");
    let me = || read::me(term, ground);
    Ok(match term.what {
        What::Text(Place::Any | Place::Subject) => Asked::Name(text.clone()),
        What::From if is_me => {
            me()?;
            Asked::People(ground.own.to_vec())
        }
        What::From => Asked::Submitter(text.clone()),
        What::Delegate if is_me => Asked::Is(Of::Desk(Delegate::User(me()?))),
        What::Delegate => Asked::Is(Of::Desk(Delegate::read(text))),
        What::State => match read::state(text, ground.states) {
            Some(state) => Asked::Is(Of::States(vec![state])),
            None => return Err(fault(format!("There is no state “{text}”."))),
        },
        What::Is(Standing::Patch) => Asked::All(Vec::new()),
        What::Is(Standing::Cover | Standing::Comment) => Asked::Any(Vec::new()),
        What::Is(standing) => match of_standing(standing, ground.states) {
            Expr::Patch(of) => Asked::Is(of),
            expr => Asked::Words(expr),
        },
        What::Has(having) => Asked::Is(of_having(having)),
        What::After(moment) => Asked::Since(moment),
        What::Before(moment) => Asked::Before(moment),
        What::Message => Asked::Message(message_ids(text)),
        What::Project => Asked::Project(read::project(term, ground)?),
        What::Text(_) | What::By(_) => match Expr::of_words(term) {
            Some(expr) => Asked::Words(expr),
            // A text without words is everywhere.
            None => Asked::All(Vec::new()),
        },
    })
}

/// Appends the condition on the patch `p`.
pub fn push(query: &mut Sql, kind: Kind, asked: &Asked) {
    match asked {
        Asked::All(parts) => many(query, kind, parts, "TRUE", " AND "),
        Asked::Any(parts) => many(query, kind, parts, "FALSE", " OR "),
        Asked::Not(inner) => {
            query.push("NOT coalesce(");
            push(query, kind, inner);
            query.push(", FALSE)");
        }
        Asked::Name(text) => {
            query.push("p.name_key LIKE ").arg(containing(text));
            query.push(" ESCAPE '\\'");
        }
        Asked::Submitter(text) => {
            query.push("p.submitter_id IN (SELECT id FROM person WHERE key LIKE ");
            query.arg(containing(text)).push(" ESCAPE '\\')");
        }
        Asked::People(people) => {
            query
                .push("p.submitter_id IN ")
                .list(people.iter().copied());
        }
        Asked::Is(of) => of_patch(query, of),
        Asked::Message(ids) => {
            query.push("p.msgid IN ").list(ids);
        }
        Asked::Project(id) => {
            query.push("p.project_id = ").arg(*id);
        }
        Asked::Since(moment) => {
            query.push("p.date >= ").arg(*moment);
        }
        Asked::Before(moment) => {
            query.push("p.date < ").arg(*moment);
        }
        Asked::Words(expr) => among(query, kind, "p.id", expr),
    }
}

fn many(query: &mut Sql, kind: Kind, parts: &[Asked], none: &'static str, between: &'static str) {
    query.push("(");
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            query.push(between);
        }
        push(query, kind, part);
    }
    if parts.is_empty() {
        query.push(none);
    }
    query.push(")");
}
