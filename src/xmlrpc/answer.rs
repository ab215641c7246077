//! Answers, written piece by piece: a list of every patch there is never stands in memory as a whole.

use std::vec;

use super::{
    call, check,
    codec::{self, ARRAY, Call, Value},
    fault::Fault,
    patch, person,
    session::Session,
};
use crate::{
    domain::{CheckId, PatchId, PersonId},
    store::{self, Conn},
};

/// How many rows are read and written together.
const PAGE: usize = 1000;

/// How many bytes go out together, about; a shorter answer is sent with its length.
const PIECE: usize = 1 << 20;

/// What a method gives.
pub enum Answer {
    /// A value.
    Value(Value),
    /// Rows, of which only the ids are known yet.
    List(List),
    /// What these calls give.
    Calls(Vec<Value>),
}

/// Rows to be read when their turn comes.
pub enum List {
    /// People.
    People(vec::IntoIter<PersonId>),
    /// Patches.
    Patches(vec::IntoIter<PatchId>),
    /// Checks.
    Checks(vec::IntoIter<CheckId>),
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        Answer::Value(value)
    }
}

impl From<Vec<PersonId>> for Answer {
    fn from(ids: Vec<PersonId>) -> Self {
        Answer::List(List::People(ids.into_iter()))
    }
}

impl From<Vec<PatchId>> for Answer {
    fn from(ids: Vec<PatchId>) -> Self {
        Answer::List(List::Patches(ids.into_iter()))
    }
}

impl From<Vec<CheckId>> for Answer {
    fn from(ids: Vec<CheckId>) -> Self {
        Answer::List(List::Checks(ids.into_iter()))
    }
}

impl List {
    fn is_empty(&self) -> bool {
        match self {
            List::People(ids) => ids.len() == 0,
            List::Patches(ids) => ids.len() == 0,
            List::Checks(ids) => ids.len() == 0,
        }
    }

    /// Reads the next rows.
    async fn page(&mut self, conn: &mut Conn) -> store::Result<Vec<Value>> {
        match self {
            List::People(ids) => person::records(conn, &next(ids)).await,
            List::Patches(ids) => patch::records(conn, &next(ids)).await,
            List::Checks(ids) => check::records(conn, &next(ids)).await,
        }
    }
}

fn next<T>(ids: &mut vec::IntoIter<T>) -> Vec<T> {
    ids.take(PAGE).collect()
}

/// What still has to be done for an answer.
enum Step {
    Write(String),
    Read(List),
    Call(Value),
}

/// An answer on its way out.
pub struct Body {
    session: Session,
    /// The next one last.
    steps: Vec<Step>,
}

impl Body {
    /// Begins the answer to a call.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn of(mut session: Session, call: Call) -> Result<Self, Fault> {
        let answer = call::make(&mut session, call).await?;
        let mut body = Body {
            session,
            steps: Vec::new(),
        };
        body.push(codec::RESPONSE, answer);
        Ok(body)
    }

    fn push(&mut self, (before, behind): (&str, &str), answer: Answer) {
        self.write(behind);
        match answer {
            Answer::Value(value) => self.write_value(&value),
            Answer::List(list) => {
                self.write(ARRAY.1);
                if !list.is_empty() {
                    self.steps.push(Step::Read(list));
                }
                self.write(ARRAY.0);
            }
            Answer::Calls(calls) => {
                self.write(ARRAY.1);
                self.steps.extend(calls.into_iter().rev().map(Step::Call));
                self.write(ARRAY.0);
            }
        }
        self.write(before);
    }

    fn write(&mut self, text: &str) {
        self.steps.push(Step::Write(text.to_owned()));
    }

    fn write_value(&mut self, value: &Value) {
        let mut text = String::new();
        codec::push_value(&mut text, value);
        self.steps.push(Step::Write(text));
    }

    /// Says whether there is nothing left.
    pub fn is_done(&self) -> bool {
        self.steps.is_empty()
    }

    /// Returns the next piece; an empty one when there is nothing left.
    ///
    /// # Errors
    /// When the database is away. What follows then would make no XML.
    pub async fn piece(&mut self) -> store::Result<String> {
        let mut piece = String::new();
        while let Some(step) = self.steps.pop() {
            match step {
                Step::Write(text) => piece.push_str(&text),
                later if piece.len() >= PIECE => {
                    self.steps.push(later);
                    break;
                }
                Step::Call(call) => self.call(call).await,
                Step::Read(list) => self.read(list, &mut piece).await.inspect_err(|error| {
                    tracing::error!("the answer to an XML-RPC call broke off: {error}");
                })?,
            }
        }
        Ok(piece)
    }

    async fn read(&mut self, mut list: List, piece: &mut String) -> store::Result<()> {
        let mut conn = self.session.db.reader().await?;
        for row in list.page(&mut conn).await? {
            codec::push_value(piece, &row);
            piece.push('\n');
        }
        if !list.is_empty() {
            self.steps.push(Step::Read(list));
        }
        Ok(())
    }

    /// Makes one of several calls: what it gives is alone in an array, a fault stands by itself.
    async fn call(&mut self, entry: Value) {
        self.write("\n");
        let answer = match call::entry(entry) {
            Ok(call) => call::make(&mut self.session, call).await,
            Err(fault) => Err(fault),
        };
        match answer {
            Ok(answer) => self.push((ARRAY.0, "\n</data></array></value>"), answer),
            Err(fault) => self.write_value(&fault.value()),
        }
    }
}

/// Writes a fault as the whole answer.
pub fn fault(fault: &Fault) -> String {
    let mut text = codec::FAULT.0.to_owned();
    codec::push_value(&mut text, &fault.value());
    text.push_str(codec::FAULT.1);
    text
}
