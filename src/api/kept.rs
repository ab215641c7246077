//! Answers that were made and may be wanted again: while nothing is written, what is asked twice is not made a third time.
//!
//! Dashboards and robots ask for the same few addresses all day. An answer is kept from the second time on, so that a
//! reader who walks through everything leaves only tags here; all are dropped as soon as the database changes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rocket::http::Status;

use super::answer::Reply;

/// How many bytes of answers are kept at most.
const MOST_BYTES: usize = 16 << 20;
/// How many addresses are remembered at most.
const MOST_ADDRESSES: usize = 4096;

/// The answers made from one state of the database.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Answers>);

#[derive(Debug, Default)]
struct Answers {
    stamp: String,
    /// By what names a question.
    by_question: HashMap<u64, Answer>,
    bytes: usize,
}

/// An answer that was made: its tag, and what it was if it was asked for again.
#[derive(Debug)]
struct Answer {
    tag: Option<String>,
    whole: Option<Arc<Reply>>,
}

impl Kept {
    /// Returns the answer to a question, if it was made from the state of the database with this stamp.
    pub fn find(&self, stamp: &str, question: u64) -> Option<Arc<Reply>> {
        self.made(stamp, question, |answer| answer.whole.clone())
    }

    /// Returns the tag of the answer to a question, if one was made from the state of the database with this stamp.
    pub fn tag(&self, stamp: &str, question: u64) -> Option<String> {
        self.made(stamp, question, |answer| answer.tag.clone())
    }

    fn made<T>(&self, stamp: &str, question: u64, take: fn(&Answer) -> Option<T>) -> Option<T> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match answers.stamp == stamp {
            true => take(answers.by_question.get(&question)?),
            false => None,
        }
    }

    /// Keeps the tag of an answer, and the answer if it is asked for at least the second time.
    pub fn keep(&self, stamp: &str, question: u64, reply: &Reply) {
        if reply.status != Status::Ok {
            return;
        }
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = &mut *answers;
        if answers.stamp != stamp || answers.by_question.len() >= MOST_ADDRESSES {
            *answers = Answers {
                stamp: stamp.to_owned(),
                ..Answers::default()
            };
        }
        let bytes = reply.json.len();
        match answers.by_question.get_mut(&question) {
            None => {
                let tag = reply.tag.clone();
                let whole = None;
                answers.by_question.insert(question, Answer { tag, whole });
            }
            Some(answer) if answer.whole.is_none() && answers.bytes + bytes <= MOST_BYTES => {
                answer.whole = Some(Arc::new(reply.clone()));
                answers.bytes += bytes;
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_twice_is_kept_until_something_is_written() {
        let kept = Kept::default();
        let reply = Reply {
            tag: Some("t".into()),
            ..Reply::ok("[1]".into())
        };
        kept.keep("a", 7, &reply);
        assert!(kept.find("a", 7).is_none(), "asked once");
        assert_eq!(kept.tag("a", 7), reply.tag);
        assert!(kept.tag("a", 8).is_none() && kept.tag("b", 7).is_none());
        kept.keep("a", 7, &reply);
        assert_eq!(
            kept.find("a", 7).map(|it| it.json.clone()),
            Some("[1]".into())
        );
        assert!(kept.find("a", 8).is_none() && kept.find("b", 7).is_none());
        kept.keep("b", 7, &reply);
        assert!(kept.find("a", 7).is_none(), "the database has changed");
    }

    #[test]
    fn not_more_is_kept_than_there_is_room_for() {
        let kept = Kept::default();
        let reply = Reply::ok("x".repeat(MOST_BYTES / 2));
        for question in [1, 1, 2, 2, 3, 3] {
            kept.keep("a", question, &reply);
        }
        let found: Vec<bool> = (1..4).map(|it| kept.find("a", it).is_some()).collect();
        assert_eq!(found, [true, true, false]);
    }

    #[test]
    fn only_good_answers_are_kept() {
        let kept = Kept::default();
        for _ in 0..3 {
            kept.keep("a", 1, &Reply::gone());
        }
        assert!(kept.find("a", 1).is_none());
    }
}
