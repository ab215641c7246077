//! Answers that still hold (`rest.md §3.1`): a reader who has one is told so, mostly without it being made again.
//!
//! A tag stands for an answer and nothing else, so that every process of a site gives the same one. Which tag the answer to a
//! question has is remembered until something is written: as long as that is not, nothing need be read. Otherwise the
//! answer is made again, and may come out the same although something else was written.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use rocket::Request;
use sha2::{Digest, Sha256};

use super::{
    answer::{Form, Reply},
    kept::Kept,
    request::Cx,
};
use crate::{
    auth::hex,
    store::{Result, stamp::Watch},
};

/// What tags are made of.
#[derive(Default)]
pub struct Validator {
    watch: Watch,
    kept: Kept,
    hasher: RandomState,
}

/// What is known of an answer before it is made.
pub struct Begun<'a> {
    validator: &'a Validator,
    stamp: String,
    /// What is asked, from where, by whom, and in which form.
    asked: String,
    /// Names what is asked within this process.
    question: u64,
}

impl Validator {
    /// Begins the tag of an answer, before anything is read for it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn begin(&self, cx: &Cx<'_>, request: &Request<'_>, form: Form) -> Result<Begun<'_>> {
        let stamp = self.watch.stamp(cx.db).await?;
        let who = cx.caller.as_ref().map_or(0, |caller| caller.user.id.0);
        let asked = format!("{} {} {who} {form:?}", cx.origin(), request.uri());
        let question = self.hasher.hash_one(&asked);
        Ok(Begun {
            validator: self,
            stamp,
            asked,
            question,
        })
    }
}

impl Begun<'_> {
    /// Returns the tag of the answer, if the reader has it and nothing was written since it was made.
    pub fn known(&self, request: &Request<'_>) -> Option<String> {
        let tag = self.validator.kept.tag(&self.stamp, self.question)?;
        has(request, &tag).then_some(tag)
    }

    /// Returns the answer if it was made before.
    pub fn kept(&self) -> Option<Reply> {
        let kept = self.validator.kept.find(&self.stamp, self.question);
        kept.map(Arc::unwrap_or_clone)
    }

    /// Ends an answer: with its tag, and without its body for those who have it. The page around an answer is more than
    /// the answer, and gets its tag like every page. What is only for now has no tag, and is made anew.
    pub fn end(&self, request: &Request<'_>, reply: Reply, form: Form) -> Reply {
        if form == Form::Html || reply.is_passing {
            return Reply { tag: None, ..reply };
        }
        let reply = match reply.tag {
            Some(_) => reply,
            None => self.tagged(reply),
        };
        match reply.tag {
            Some(tag) if has(request, &tag) => Reply::unchanged(tag),
            tag => Reply { tag, ..reply },
        }
    }

    /// Gives a new answer its tag, and keeps it for others.
    fn tagged(&self, reply: Reply) -> Reply {
        let tag = Some(tag(&self.asked, &reply));
        let reply = Reply { tag, ..reply };
        self.validator.kept.keep(&self.stamp, self.question, &reply);
        reply
    }
}

/// Returns whether a reader has the answer with this tag.
fn has(request: &Request<'_>, tag: &str) -> bool {
    let tag = tag.trim_start_matches("W/");
    let header = request.headers().get("If-None-Match");
    let mut tags = header.flat_map(|header| header.split(','));
    tags.any(|known| known.trim().trim_start_matches("W/") == tag)
}

/// Stands for all that an answer says, also of the rest of its list: whoever has it goes on from there.
fn tag(asked: &str, reply: &Reply) -> String {
    let rest = format!("{asked}\n{:?} {:?}\n", reply.link, reply.total);
    let digest = Sha256::new().chain_update(rest).chain_update(&reply.json);
    let digest = digest.finalize();
    format!("W/\"{}\"", hex(&digest[..16]))
}
