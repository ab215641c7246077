//! A query asked of patches, cover letters, series and events, as scripts ask it: of the name, of what it is, of its mail and its
//! comments.
//!
//! Each term is a condition of its own: `comment:a comment:b` finds a patch with two comments. A series has what its cover letter
//! or one of its patches has, a cover letter stands as a patch of its series does, and of an event is asked what it is about.

use super::{
    Expr, Ground, Kind as Mail, Of, among, message_ids, of_having, of_patch,
    read::{self, of_standing},
};
use crate::{
    domain::{
        MessageId, PersonId, ProjectId, Timestamp,
        filter::Delegate,
        search::{Fault, Node, Place, Query, Standing, Term, What},
    },
    store::{Kind, Sql, containing, window::contains},
};

/// A condition on a [`Thing`].
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
    /// It is such a mail, or one is what it is about.
    Mail(Mail),
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
    /// Returns what a query asks.
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
        What::Is(Standing::Patch) => Asked::Mail(Mail::Patch),
        What::Is(Standing::Cover) => Asked::Mail(Mail::Cover),
        What::Is(Standing::Comment) => Asked::Mail(Mail::Comment),
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

/// Who is asked.
#[derive(Clone, Copy, Debug)]
pub struct Engine<'a> {
    /// Which database.
    pub kind: Kind,
    /// The numbers of the only mails that are looked at; all that the index has where there are none.
    pub only: Option<&'a [i64]>,
}

impl From<Kind> for Engine<'_> {
    fn from(kind: Kind) -> Self {
        Engine { kind, only: None }
    }
}

/// What is searched, and what statements call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// The patch `p`.
    Patch,
    /// The cover letter `o`.
    Cover,
    /// The series `s`.
    Series,
    /// The event `e`.
    Event,
}

/// Appends the condition that something is what is asked for.
pub fn push(query: &mut Sql, engine: Engine<'_>, thing: Thing, asked: &Asked) {
    let mut many = |parts: &[Asked], none: &'static str, between: &'static str| {
        query.push("(");
        for (index, part) in parts.iter().enumerate() {
            query.push(if index > 0 { between } else { "" });
            push(query, engine, thing, part);
        }
        query.push(if parts.is_empty() { none } else { "" });
        query.push(")");
    };
    match (asked, thing) {
        (Asked::All(parts), _) => many(parts, "TRUE", " AND "),
        (Asked::Any(parts), _) => many(parts, "FALSE", " OR "),
        (Asked::Not(inner), _) => {
            query.push("NOT coalesce(");
            push(query, engine, thing, inner);
            query.push(", FALSE)");
        }
        (_, Thing::Patch) => patch(query, engine, asked),
        (_, Thing::Cover) => cover(query, engine, asked),
        (_, Thing::Series) => series(query, engine, asked),
        (_, Thing::Event) => event(query, engine, asked),
    }
}

/// Appends the same behind other conditions, where something is asked.
pub fn also(query: &mut Sql, kind: Kind, thing: Thing, asked: Option<&Asked>) {
    if let Some(asked) = asked {
        query.push(" AND ");
        push(query, kind.into(), thing, asked);
    }
}

fn patch(query: &mut Sql, engine: Engine<'_>, asked: &Asked) {
    match asked {
        Asked::Name(text) => {
            query.push("p.name_key LIKE ").arg(containing(text));
            query.push(" ESCAPE '\\'");
        }
        Asked::Is(of) => of_patch(query, of),
        _ => mail(query, engine, &PATCH, asked),
    }
}

fn cover(query: &mut Sql, engine: Engine<'_>, asked: &Asked) {
    match asked {
        Asked::Name(text) => {
            query.push("lower(o.name)");
            contains(query, engine.kind, text);
        }
        Asked::Is(of) if on_cover(query, "o.id", of) => {}
        Asked::Is(of) => {
            query.push("EXISTS (SELECT 1 FROM series s JOIN patch p ON p.series_id = s.id WHERE s.cover_id = o.id AND ");
            of_patch(query, of);
            query.push(")");
        }
        _ => mail(query, engine, &COVER, asked),
    }
}

/// What patches and cover letters have as mails.
struct Columns {
    kind: Mail,
    /// The id, and where the index has it.
    id: [&'static str; 2],
    msgid: &'static str,
    own: [&'static str; 3],
}

const PATCH: Columns = Columns {
    kind: Mail::Patch,
    id: ["p.id", "patch_id"],
    msgid: "p.msgid IN ",
    own: ["p.submitter_id", "p.project_id", "p.date"],
};

const COVER: Columns = Columns {
    kind: Mail::Cover,
    id: ["o.id", "cover_id"],
    msgid: "o.msgid IN ",
    own: ["o.submitter_id", "o.project_id", "o.date"],
};

fn mail(query: &mut Sql, engine: Engine<'_>, columns: &Columns, asked: &Asked) {
    match asked {
        Asked::Mail(kind) => yes(query, *kind == columns.kind),
        Asked::Message(ids) => {
            query.push(columns.msgid).list(ids);
        }
        Asked::Words(expr) => among(query, engine, columns.id, expr),
        _ => own(query, columns.own, asked),
    }
}

fn series(query: &mut Sql, engine: Engine<'_>, asked: &Asked) {
    match asked {
        Asked::Name(text) => {
            query.push("lower(s.name)");
            contains(query, engine.kind, text);
        }
        Asked::Is(of) => {
            query.push("(");
            if on_cover(query, "s.cover_id", of) {
                query.push(" OR ");
            }
            query.push("EXISTS (SELECT 1 FROM patch p WHERE p.series_id = s.id AND ");
            of_patch(query, of);
            query.push("))");
        }
        Asked::Mail(Mail::Patch) => {
            query.push("EXISTS (SELECT 1 FROM patch p WHERE p.series_id = s.id)");
        }
        Asked::Mail(Mail::Cover) => {
            query.push("s.cover_id IS NOT NULL");
        }
        Asked::Mail(Mail::Comment) => yes(query, false),
        Asked::Message(_) | Asked::Words(_) => {
            query.push(
                "(s.id IN (SELECT p.series_id FROM patch p WHERE p.series_id IS NOT NULL AND ",
            );
            patch(query, engine, asked);
            query.push(") OR s.cover_id IN (SELECT o.id FROM cover o WHERE ");
            cover(query, engine, asked);
            query.push("))");
        }
        _ => own(query, ["s.submitter_id", "s.project_id", "s.date"], asked),
    }
}

/// What tells of a patch is asked of it, else of the cover letter, else of the series. Each is asked of alone: PostgreSQL takes all
/// that fit at once where that is cheaper.
fn event(query: &mut Sql, engine: Engine<'_>, asked: &Asked) {
    match asked {
        Asked::Mail(mail) => {
            query.push(match mail {
                Mail::Patch => "e.patch_id IS NOT NULL",
                Mail::Cover => "e.cover_id IS NOT NULL",
                Mail::Comment => "e.comment_id IS NOT NULL",
            });
        }
        Asked::Project(_) | Asked::Since(_) | Asked::Before(_) => {
            own(query, ["", "e.project_id", "e.date"], asked);
        }
        _ => {
            query.push("(EXISTS (SELECT 1 FROM patch p WHERE p.id = e.patch_id AND ");
            patch(query, engine, asked);
            query.push(") OR e.patch_id IS NULL AND EXISTS (SELECT 1 FROM cover o WHERE o.id = e.cover_id AND ");
            cover(query, engine, asked);
            query.push(") OR e.patch_id IS NULL AND e.cover_id IS NULL AND EXISTS (SELECT 1 FROM series s WHERE s.id = e.series_id AND ");
            series(query, engine, asked);
            query.push("))");
        }
    }
}

/// Appends what is asked of columns that all things have: who sent it, the project, the date.
fn own(query: &mut Sql, [submitter, project, date]: [&'static str; 3], asked: &Asked) {
    match asked {
        Asked::Submitter(text) => query
            .push(submitter)
            .push(" IN (SELECT id FROM person WHERE key LIKE ")
            .arg(containing(text))
            .push(" ESCAPE '\\')"),
        Asked::People(people) => query
            .push(submitter)
            .push(" IN ")
            .list(people.iter().copied()),
        Asked::Project(id) => query.push(project).push(" = ").arg(*id),
        Asked::Since(moment) => query.push(date).push(" >= ").arg(*moment),
        Asked::Before(moment) => query.push(date).push(" < ").arg(*moment),
        _ => query.push("TRUE"),
    };
}

/// Appends what a cover letter can have of its own. Says whether it is such.
fn on_cover(query: &mut Sql, id: &'static str, of: &Of) -> bool {
    let more = match of {
        Of::Comments => "",
        Of::OpenComments => " AND c.addressed IS FALSE",
        _ => return false,
    };
    query
        .push("EXISTS (SELECT 1 FROM comment c WHERE c.cover_id = ")
        .push(id)
        .push(more)
        .push(")");
    true
}

fn yes(query: &mut Sql, yes: bool) {
    query.push(if yes { "TRUE" } else { "FALSE" });
}
