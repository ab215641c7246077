//! Answers that still hold (`rest.md §3.1`): a reader who has one is told so, mostly without it being made again.
//!
//! A tag has two parts. The first stands for what an answer is made from: the state of the database, the address, who
//! asks; it is compared before anything is read. The second stands for the answer: it may come out the same although
//! something else was written.

use std::{
    hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState},
    sync::Arc,
};

use rocket::Request;

use super::{
    answer::{Form, Reply},
    kept::Kept,
    request::Cx,
};
use crate::store::{Result, stamp::Watch};

/// What tags are made of.
#[derive(Default)]
pub struct Validator {
    watch: Watch,
    kept: Kept,
    /// Random: another process, or this one started anew, may count the states of the database from another number.
    hasher: RandomState,
}

/// What is known of an answer before it is made.
pub struct Begun<'a> {
    validator: &'a Validator,
    stamp: String,
    /// Names what is asked, by whom, and the state of the database: the first part of the tag.
    question: u64,
}

impl Validator {
    /// Begins the tag of an answer, before anything is read for it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn begin(&self, cx: &Cx<'_>, request: &Request<'_>, form: Form) -> Result<Begun<'_>> {
        let stamp = self.watch.stamp(cx.db).await?;
        let who = cx.caller.as_ref().map(|caller| caller.user.id);
        let asked = (&stamp, request.uri().to_string(), cx.origin(), who, form);
        let question = self.hasher.hash_one(asked);
        Ok(Begun {
            validator: self,
            stamp,
            question,
        })
    }
}

impl Begun<'_> {
    /// Returns the tag of an answer that was made from the same, if the reader has one.
    pub fn known(&self, request: &Request<'_>) -> Option<String> {
        let begin = format!("{:016x}", self.question);
        let known = tags(request).find(|tag| tag.starts_with(&begin))?;
        Some(format!("W/\"{known}\""))
    }

    /// Returns the answer if it was made before.
    pub fn kept(&self) -> Option<Reply> {
        let kept = self.validator.kept.find(&self.stamp, self.question);
        kept.map(Arc::unwrap_or_clone)
    }

    /// Ends an answer: with its tag, and without its body for those who have it.
    pub fn end(&self, request: &Request<'_>, reply: Reply, form: Form) -> Reply {
        let reply = match reply.tag {
            Some(_) => reply,
            None => self.tagged(reply),
        };
        let is_known = |tag: &String| {
            let body = tag.trim_end_matches('"');
            tags(request).any(|known| body.ends_with(&known[16..]))
        };
        match reply.tag {
            Some(tag) if form != Form::Html && is_known(&tag) => Reply::unchanged(tag),
            tag => Reply { tag, ..reply },
        }
    }

    /// Gives a new answer its tag, and keeps it for others.
    fn tagged(&self, reply: Reply) -> Reply {
        let answer = answer_hash(&reply);
        let tag = Some(format!("W/\"{:016x}{answer:016x}\"", self.question));
        let reply = Reply { tag, ..reply };
        self.validator.kept.keep(&self.stamp, self.question, &reply);
        reply
    }
}

/// Returns the tags that a reader has.
fn tags<'r>(request: &'r Request<'_>) -> impl Iterator<Item = &'r str> {
    let header = request.headers().get("If-None-Match");
    let tags = header.flat_map(|header| header.split(','));
    tags.map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'))
        .filter(|tag| tag.len() == 32 && tag.is_ascii())
}

/// Stands for all that an answer says, also of the rest of its list: whoever has it goes on from there. The same in
/// every process.
fn answer_hash(reply: &Reply) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&reply.json, &reply.link, reply.total).hash(&mut hasher);
    hasher.finish()
}
