//! The language of searches: words, "phrases", operators, `-not`, `OR`, brackets; what is wrong with one, and where.
//!
//! Whoever searches parses with [`Query::parse`] and asks the tree. A query writes itself so that it is read as the same.

pub mod words;

use std::{fmt, ops::Range};

use super::Timestamp;

/// No query is longer, in bytes.
const MOST_BYTES: usize = 2000;
/// No query has more terms.
const MOST_TERMS: usize = 40;
/// No brackets are nested deeper.
const MOST_DEPTH: usize = 16;

/// What is searched; nothing at all is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The condition.
    pub root: Option<Node>,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// All of these hold.
    All(Vec<Node>),
    /// One of these holds.
    Any(Vec<Node>),
    /// This does not hold.
    Not(Box<Node>),
    /// One term.
    Term(Term),
}

/// A word, a phrase, or an operator with its value.
#[derive(Clone, Debug)]
pub struct Term {
    /// Where it stands, in bytes; a minus before it is not part of it.
    pub at: Range<usize>,
    /// What is asked for.
    pub what: What,
    /// The text, or the operator's value.
    pub text: String,
    /// Whether it stood in quotation marks.
    pub is_quoted: bool,
}

/// Where it stands does not matter.
impl PartialEq for Term {
    fn eq(&self, other: &Term) -> bool {
        (self.what, &self.text, self.is_quoted) == (other.what, &other.text, other.is_quoted)
    }
}

impl Eq for Term {}

/// What a term asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A text, somewhere.
    Text(Place),
    /// Who wrote it.
    From,
    /// The state of the patch.
    State,
    /// Who has the patch on the desk.
    Delegate,
    /// Who is named in a trailer.
    By(Trailer),
    /// How the patch stands, or what kind of mail it is.
    Is(Standing),
    /// What the patch has.
    Has(Having),
    /// Written at this moment or later.
    After(Timestamp),
    /// Written before.
    Before(Timestamp),
    /// The message id.
    Message,
    /// The project.
    Project,
}

/// Where a text is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Wherever it may stand.
    Any,
    /// In the subject of a patch or a cover letter.
    Subject,
    /// In the message of a patch or a cover letter.
    Body,
    /// In what a diff changes.
    Diff,
    /// In the names of the files a diff touches.
    File,
    /// In a comment.
    Comment,
}

/// A trailer by which people respond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trailer {
    /// `Reviewed-by`.
    Reviewed,
    /// `Acked-by`.
    Acked,
    /// `Tested-by`.
    Tested,
}

impl Trailer {
    /// All of them.
    pub const ALL: [Trailer; 3] = [Trailer::Reviewed, Trailer::Acked, Trailer::Tested];

    /// Returns its name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Trailer::Reviewed => "reviewed-by",
            Trailer::Acked => "acked-by",
            Trailer::Tested => "tested-by",
        }
    }
}

/// How a patch stands, or what kind of mail something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Somebody has to act on it.
    Open,
    /// Nobody has to.
    Closed,
    /// It is put away.
    Archived,
    /// A patch.
    Patch,
    /// A cover letter.
    Cover,
    /// A comment.
    Comment,
}

/// What a patch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Having {
    /// A check that failed.
    ChecksFail,
    /// No checks at all.
    ChecksNone,
    /// Comments.
    Comments,
    /// Comments that ask for action.
    OpenComments,
}

const STANDINGS: [(&str, Standing); 6] = [
    ("open", Standing::Open),
    ("closed", Standing::Closed),
    ("archived", Standing::Archived),
    ("patch", Standing::Patch),
    ("cover", Standing::Cover),
    ("comment", Standing::Comment),
];

const HAVINGS: [(&str, Having); 4] = [
    ("checks-fail", Having::ChecksFail),
    ("checks-none", Having::ChecksNone),
    ("comments", Having::Comments),
    ("open-comments", Having::OpenComments),
];

/// All operators, without the colon.
pub const OPERATORS: [&str; 17] = [
    "from",
    "subject",
    "body",
    "file",
    "diff",
    "comment",
    "state",
    "delegate",
    "reviewed-by",
    "acked-by",
    "tested-by",
    "is",
    "has",
    "after",
    "before",
    "msgid",
    "project",
];

/// What is wrong with a query, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The part that is wrong, in bytes.
    pub at: Range<usize>,
    /// What is wrong with it: a sentence.
    pub why: String,
}

impl Fault {
    /// Says what is wrong with a part.
    pub fn new(at: Range<usize>, why: impl Into<String>) -> Fault {
        let why = why.into();
        Fault { at, why }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// What is wrong with it first.
    pub fn parse(text: &str) -> Result<Query, Fault> {
        if text.len() > MOST_BYTES {
            let at = text.floor_char_boundary(MOST_BYTES)..text.len();
            return Err(Fault::new(at, "The search is too long."));
        }
        let mut reader = Reader {
            text,
            at: 0,
            terms: 0,
            open: Vec::new(),
        };
        let root = reader.alternatives()?;
        Ok(Query { root })
    }

    /// Returns what has to hold together, each with whether it must not; `None` if there is more to it than that.
    pub fn flat(&self) -> Option<Vec<(bool, &Term)>> {
        let parts = match &self.root {
            None => return Some(Vec::new()),
            Some(Node::All(parts)) => parts.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Node::Term(term) => flat.push((false, term)),
                Node::Not(inner) => match &**inner {
                    Node::Term(term) => flat.push((true, term)),
                    _ => return None,
                },
                Node::All(_) | Node::Any(_) => return None,
            }
        }
        Some(flat)
    }

    /// Returns all its terms, in order.
    pub fn terms(&self) -> Vec<&Term> {
        let mut terms = Vec::new();
        if let Some(root) = &self.root {
            root.collect(&mut terms);
        }
        terms
    }
}

impl Node {
    fn collect<'a>(&'a self, terms: &mut Vec<&'a Term>) {
        match self {
            Node::All(parts) | Node::Any(parts) => {
                parts.iter().for_each(|part| part.collect(terms));
            }
            Node::Not(inner) => inner.collect(terms),
            Node::Term(term) => terms.push(term),
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.as_ref().map_or(Ok(()), |root| root.fmt(f))
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Any(parts) => joined(f, parts, " OR "),
            Node::All(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    let space = if index == 0 { "" } else { " " };
                    match part {
                        Node::Any(_) => write!(f, "{space}({part})")?,
                        _ => write!(f, "{space}{part}")?,
                    }
                }
                Ok(())
            }
            Node::Not(inner) => match &**inner {
                Node::Term(term) => write!(f, "-{term}"),
                other => write!(f, "-({other})"),
            },
            Node::Term(term) => term.fmt(f),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Node], between: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        let between = if index == 0 { "" } else { between };
        write!(f, "{between}{part}")?;
    }
    Ok(())
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operator) = self.what.operator() {
            write!(f, "{operator}:")?;
        }
        match self.is_quoted {
            true => write!(f, "\"{}\"", self.text),
            false => f.write_str(&self.text),
        }
    }
}

impl What {
    /// Returns the operator that asks for it; a text anywhere has none.
    pub fn operator(self) -> Option<&'static str> {
        Some(match self {
            What::Text(Place::Any) => return None,
            What::Text(Place::Subject) => "subject",
            What::Text(Place::Body) => "body",
            What::Text(Place::Diff) => "diff",
            What::Text(Place::File) => "file",
            What::Text(Place::Comment) => "comment",
            What::From => "from",
            What::State => "state",
            What::Delegate => "delegate",
            What::By(trailer) => trailer.name(),
            What::Is(_) => "is",
            What::Has(_) => "has",
            What::After(_) => "after",
            What::Before(_) => "before",
            What::Message => "msgid",
            What::Project => "project",
        })
    }

    /// Reads an operator's value; `None`: there is no such operator.
    fn read(operator: &str, value: &str) -> Option<Result<What, String>> {
        Some(Ok(match operator {
            "subject" => What::Text(Place::Subject),
            "body" => What::Text(Place::Body),
            "diff" => What::Text(Place::Diff),
            "file" => What::Text(Place::File),
            "comment" => What::Text(Place::Comment),
            "from" => What::From,
            "state" => What::State,
            "delegate" => What::Delegate,
            "is" => return Some(choice("is", &STANDINGS, value).map(What::Is)),
            "has" => return Some(choice("has", &HAVINGS, value).map(What::Has)),
            "after" => return Some(day(value).map(What::After)),
            "before" => return Some(day(value).map(What::Before)),
            "msgid" => What::Message,
            "project" => What::Project,
            _ => What::By(
                Trailer::ALL
                    .into_iter()
                    .find(|one| one.name() == operator)?,
            ),
        }))
    }
}

fn choice<T: Copy>(operator: &str, choices: &[(&str, T)], value: &str) -> Result<T, String> {
    let is = |(word, _): &&(&str, T)| word.eq_ignore_ascii_case(value);
    match choices.iter().find(is) {
        Some((_, found)) => Ok(*found),
        None => {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let words = words.join(", ");
            Err(format!("After “{operator}:” stands one of {words}."))
        }
    }
}

fn day(value: &str) -> Result<Timestamp, String> {
    Timestamp::of_day(value).ok_or_else(|| format!("“{value}” is no date like 2024-03-05."))
}

/// Returns the operator that was probably meant.
fn nearest(operator: &str) -> Option<&'static str> {
    let most = if operator.len() > 4 { 2 } else { 1 };
    let near = OPERATORS
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, operator), *known));
    near.filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, known)| known)
}

/// Reads a query from left to right.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    terms: usize,
    /// Where the brackets stand that are open.
    open: Vec<usize>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes a word of the language if it stands here, alone.
    fn takes(&mut self, word: &str) -> bool {
        let Some(after) = self.rest().strip_prefix(word) else {
            return false;
        };
        let closes = !self.open.is_empty() && after.starts_with(')');
        let ends = after.is_empty() || after.starts_with(char::is_whitespace) || closes;
        if ends {
            self.at += word.len();
        }
        ends
    }

    fn alternatives(&mut self) -> Result<Option<Node>, Fault> {
        let mut parts = Vec::new();
        loop {
            parts.extend(self.together()?);
            self.skip_blanks();
            if !self.takes("OR") {
                break;
            }
        }
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Node::Any(inner) => flat.extend(inner),
                part => flat.push(part),
            }
        }
        Ok(one_or(flat, Node::Any))
    }

    fn together(&mut self) -> Result<Option<Node>, Fault> {
        let mut parts = Vec::new();
        loop {
            self.skip_blanks();
            if self.takes("AND") {
                continue;
            }
            let before = self.at;
            let is_end = self.rest().is_empty() || self.takes("OR");
            self.at = before;
            if is_end || !self.open.is_empty() && self.rest().starts_with(')') {
                break;
            }
            match self.one()? {
                Some(Node::All(inner)) => parts.extend(inner),
                other => parts.extend(other),
            }
        }
        Ok(one_or(parts, Node::All))
    }

    fn one(&mut self) -> Result<Option<Node>, Fault> {
        let after_minus = self.rest().strip_prefix('-');
        let without = after_minus
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(char::is_whitespace));
        if without {
            self.at += 1;
        }
        let found = match self.rest().starts_with('(') {
            true => self.group()?,
            false => self.term()?.map(Node::Term),
        };
        Ok(match (found, without) {
            (Some(node), true) => Some(Node::Not(Box::new(node))),
            (found, _) => found,
        })
    }

    fn group(&mut self) -> Result<Option<Node>, Fault> {
        let begin = self.at;
        if self.open.len() == MOST_DEPTH {
            let why = "There are too many brackets within brackets.";
            return Err(Fault::new(begin..begin + 1, why));
        }
        self.open.push(begin);
        self.at += 1;
        let inner = self.alternatives()?;
        self.skip_blanks();
        if !self.rest().starts_with(')') {
            let why = "This bracket is opened and never closed.";
            return Err(Fault::new(begin..begin + 1, why));
        }
        self.at += 1;
        self.open.pop();
        Ok(inner)
    }

    fn term(&mut self) -> Result<Option<Term>, Fault> {
        let begin = self.at;
        if let Some((text, end)) = self.quoted(begin) {
            self.at = end;
            return self.made(begin, What::Text(Place::Any), text, true);
        }
        let end = self.end_of_word(begin);
        let word = &self.text[begin..end];
        let Some((operator, value)) = word.split_once(':') else {
            let text = word.to_owned();
            self.at = end;
            return self.made(begin, What::Text(Place::Any), text, false);
        };
        let (lower, after) = (operator.to_ascii_lowercase(), begin + operator.len() + 1);
        let (value, end, is_quoted) = match self.quoted(after) {
            Some((value, end)) => (value, end, true),
            None => (value.to_owned(), end, false),
        };
        let is_known = OPERATORS.contains(&lower.as_str());
        if !is_known
            && !value.is_empty()
            && let Some(meant) = nearest(&lower)
        {
            let why = format!(
                "There is no “{operator}:”. Is “{meant}:” meant? Else put the word in quotation marks."
            );
            return Err(Fault::new(begin..end, why));
        }
        if !is_known || value.is_empty() {
            // Subjects begin like this: `net: fix`, `std::vector`.
            let text = word.to_owned();
            self.at = begin + word.len();
            return self.made(begin, What::Text(Place::Any), text, false);
        }
        self.at = end;
        match What::read(&lower, &value) {
            Some(Ok(what)) => self.made(begin, what, value, is_quoted),
            Some(Err(why)) => Err(Fault::new(begin..end, why)),
            None => Ok(None),
        }
    }

    fn made(
        &mut self,
        begin: usize,
        what: What,
        text: String,
        is_quoted: bool,
    ) -> Result<Option<Term>, Fault> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        self.terms += 1;
        let at = begin..self.at;
        if self.terms > MOST_TERMS {
            let why = format!("A search has at most {MOST_TERMS} words.");
            return Err(Fault::new(at, why));
        }
        Ok(Some(Term {
            at,
            what,
            text,
            is_quoted,
        }))
    }

    /// Returns what is in quotation marks from here, and where it ends; without a second mark all of the rest.
    fn quoted(&self, begin: usize) -> Option<(String, usize)> {
        let inner = self.text[begin..].strip_prefix('"')?;
        Some(match inner.find('"') {
            Some(length) => (inner[..length].to_owned(), begin + length + 2),
            None => (inner.to_owned(), self.text.len()),
        })
    }

    /// Returns where a word ends: at a blank, or at a bracket that closes one before it.
    fn end_of_word(&self, begin: usize) -> usize {
        let mut inner = 0_usize;
        for (index, c) in self.text[begin..].char_indices() {
            match c {
                c if c.is_whitespace() => return begin + index,
                '(' => inner += 1,
                ')' if inner > 0 => inner -= 1,
                ')' if !self.open.is_empty() => return begin + index,
                _ => {}
            }
        }
        self.text.len()
    }
}

fn one_or(mut parts: Vec<Node>, many: fn(Vec<Node>) -> Node) -> Option<Node> {
    match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(many(parts)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        fn tree(node: &Node) -> String {
            let many = |name: &str, parts: &[Node]| {
                let parts: Vec<String> = parts.iter().map(tree).collect();
                format!("{name}({})", parts.join(", "))
            };
            match node {
                Node::All(parts) => many("all", parts),
                Node::Any(parts) => many("any", parts),
                Node::Not(inner) => format!("not({})", tree(inner)),
                Node::Term(term) => {
                    let mark = if term.is_quoted { "\"" } else { "" };
                    let operator = term.what.operator().map(|name| format!("{name}="));
                    format!("{}{mark}{}{mark}", operator.unwrap_or_default(), term.text)
                }
            }
        }
        match Query::parse(text) {
            Ok(query) => query.root.as_ref().map_or_else(String::new, tree),
            Err(fault) => format!("{}: {}", &text[fault.at], fault.why),
        }
    }

    #[test]
    fn queries_are_read_as_the_table_says() {
        for (text, expected) in [
            ("", ""),
            ("  ", ""),
            ("leak", "leak"),
            ("net \"fix leak\" -rfc", "all(net, \"fix leak\", not(rfc))"),
            (
                "-\"to do\" - x-y --z",
                "all(not(\"to do\"), -, x-y, not(-z))",
            ),
            ("\"open end", "\"open end\""),
            ("\"\" ()", ""),
            ("net: fix std::vector", "all(net:, fix, std::vector)"),
            ("from: ann", "all(from:, ann)"),
            (
                "From:ann -from:\"Ann Lee\"",
                "all(from=ann, not(from=\"Ann Lee\"))",
            ),
            ("5\" x\"y", "all(5\", x\"y)"),
            ("a OR b c", "any(a, all(b, c))"),
            ("(a OR b) AND -(c d)", "all(any(a, b), not(all(c, d)))"),
            ("((a))", "a"),
            ("a OR (b OR c)", "any(a, b, c)"),
            ("OR a OR", "a"),
            ("ORder android", "all(ORder, android)"),
            ("foo() (bar(x) baz)", "all(foo(), bar(x), baz)"),
            ("a) b", "all(a), b)"),
            ("is:open has:checks-fail", "all(is=open, has=checks-fail)"),
            ("after:2024-03-05", "after=2024-03-05"),
            ("reviewed-by:ann", "reviewed-by=ann"),
            ("file:drivers/net/x.c", "file=drivers/net/x.c"),
            (
                "is:shut",
                "is:shut: After “is:” stands one of open, closed, archived, patch, cover, comment.",
            ),
            (
                "x before:soon",
                "before:soon: “soon” is no date like 2024-03-05.",
            ),
            (
                "form:ann",
                "form:ann: There is no “form:”. Is “from:” meant? Else put the word in quotation marks.",
            ),
            (
                "x subjct:\"a b\"",
                "subjct:\"a b\": There is no “subjct:”. Is “subject:” meant? Else put the word in quotation marks.",
            ),
            ("a (b c", "(: This bracket is opened and never closed."),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn queries_are_bounded() {
        let fault = |text: String| Query::parse(&text).expect_err("a fault").why;
        assert_eq!(fault("x ".repeat(41)), "A search has at most 40 words.");
        assert_eq!(fault("ä".repeat(1001)), "The search is too long.");
        let nested = "There are too many brackets within brackets.";
        assert_eq!(fault("(".repeat(1900)), nested);
    }

    #[test]
    fn only_plain_queries_are_flat() {
        let flat = |text: &str| {
            let query = Query::parse(text).expect("a query");
            query.flat().map(|terms| terms.len())
        };
        assert_eq!(flat(""), Some(0));
        assert_eq!(flat("a -b from:c"), Some(3));
        assert_eq!(flat("-a"), Some(1));
        assert_eq!(flat("a OR b"), None);
        assert_eq!(flat("a -(b c)"), None);
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_so_that_it_is_read_again(
            text in "([a-c:\"() ä\\-]|from:|is:open|OR |AND |file:|after:2024-01-01){0,30}"
        ) {
            match Query::parse(&text) {
                Ok(query) => {
                    for term in query.terms() {
                        prop_assert!(text.get(term.at.clone()).is_some(), "{text:?} {term:?}");
                    }
                    let written = query.to_string();
                    prop_assert_eq!(Query::parse(&written), Ok(query), "{} {}", text, written);
                }
                Err(fault) => prop_assert!(text.get(fault.at).is_some_and(|part| !part.is_empty())),
            }
        }

        #[test]
        fn nothing_makes_it_panic(text in any::<String>()) {
            if let Err(fault) = Query::parse(&text) {
                prop_assert!(text.get(fault.at).is_some());
            }
        }
    }
}
