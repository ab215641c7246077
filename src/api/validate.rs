//! Answers that still hold (`rest.md §3.1`): a reader who has one is told so, mostly without it being made again.
//!
//! A tag has two parts. The first stands for what an answer is made from: the state of the database, the address, who
//! asks; it is compared before anything is read. The second stands for the answer: it may come out the same although
//! something else was written.

use std::hash::{DefaultHasher, Hash, Hasher};

use rocket::Request;

use super::{answer::Form, request::Cx};
use crate::store::{Result, stamp::Watch};

/// What tags are made of.
pub struct Validator {
    watch: Watch,
    /// Another process, or this one started anew, may count from another number.
    process: u32,
}

impl Default for Validator {
    fn default() -> Self {
        Validator {
            watch: Watch::default(),
            // Without a random number, answers are made once more than needed.
            process: getrandom::u32().unwrap_or_else(|_| std::process::id()),
        }
    }
}

/// The part of a tag that is known before an answer is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun(String);

impl Validator {
    /// Begins the tag of an answer, before anything is read for it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn begin(&self, cx: &Cx<'_>, request: &Request<'_>, form: Form) -> Result<Begun> {
        let stamp = self.watch.stamp(cx.db).await?;
        let host = request.host().map(ToString::to_string);
        let who = cx.caller.as_ref().map(|caller| caller.user.id);
        let state = hash(&(
            self.process,
            stamp,
            request.uri().to_string(),
            host,
            who,
            form,
        ));
        Ok(Begun(format!("{state:016x}")))
    }
}

impl Begun {
    /// Returns the tag of an answer that was made from the same, if the reader has one.
    pub fn known(&self, request: &Request<'_>) -> Option<String> {
        let known = tags(request).find(|tag| tag.starts_with(&self.0))?;
        Some(format!("W/\"{known}\""))
    }

    /// Returns the tag of an answer, and whether the reader has that answer.
    pub fn end(&self, request: &Request<'_>, body: &str) -> (String, bool) {
        let body = format!("{:016x}", hash(&body));
        let is_known = tags(request).any(|tag| tag.ends_with(&body));
        (format!("W/\"{}{body}\"", self.0), is_known)
    }
}

/// Returns the tags that a reader has.
fn tags<'r>(request: &'r Request<'_>) -> impl Iterator<Item = &'r str> {
    let header = request.headers().get("If-None-Match");
    let tags = header.flat_map(|header| header.split(','));
    tags.map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'))
        .filter(|tag| tag.len() == 32)
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
