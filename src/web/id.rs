//! Message ids in addresses: every spelling that was ever linked to leads to the object (`web.md §1.2`).

use crate::domain::MessageId;

/// What is wanted of a patch or a cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Its page.
    Page,
    /// Its diff.
    Raw,
    /// A mailbox that `git am` takes.
    Mbox,
    /// The mail as it was received.
    Mail,
}

impl Action {
    /// Returns what follows the message id in the address.
    pub fn path(self) -> &'static str {
        match self {
            Action::Page => "",
            Action::Raw => "raw/",
            Action::Mbox => "mbox/",
            Action::Mail => "mail/",
        }
    }
}

/// What an address may mean, the likeliest first.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked {
    choices: Vec<(Action, MessageId)>,
    /// The id without the angle brackets it was pasted with, if it was.
    pub stripped: Option<(MessageId, Action)>,
}

impl Asked {
    /// Reads the part of an address after `/patch/` or `/cover/`, undecoded.
    pub fn read(tail: &str) -> Asked {
        let tail = tail.strip_suffix('/').unwrap_or(tail);
        let mut choices = Vec::new();
        let mut stripped = None;
        // The longer id goes first: an action is one only if nothing has it in its id.
        let readings = std::iter::once((Action::Page, tail)).chain(action(tail));
        for (action, raw) in readings {
            let once = decoded(raw);
            let bare = once.trim_matches(['<', '>']);
            if bare.len() != once.len() {
                stripped = Some((MessageId::from_url(bare), action));
            }
            choices.push((action, MessageId::from_url(bare)));
            if let Some(twice) = slashes(bare) {
                choices.push((action, MessageId::from_url(&twice)));
            }
        }
        // Some mailers send ids without brackets, or with one of them.
        let damaged: Vec<_> = choices
            .iter()
            .flat_map(|(action, id)| {
                let bare = id.bare();
                [bare.to_owned(), format!("<{bare}"), format!("{bare}>")]
                    .map(|id| (*action, MessageId::new(&id)))
            })
            .collect();
        choices.extend(damaged);
        Asked { choices, stripped }
    }

    /// Returns the ids to look for.
    pub fn ids(&self) -> Vec<MessageId> {
        self.choices.iter().map(|(_, id)| id.clone()).collect()
    }

    /// Returns the likeliest of what was found, and what is wanted of it.
    pub fn choose<T>(&self, found: Vec<T>, id: impl Fn(&T) -> &MessageId) -> Option<(Action, T)> {
        let (_, action, at) = found
            .iter()
            .enumerate()
            .filter_map(|(at, item)| {
                let rank = self
                    .choices
                    .iter()
                    .position(|(_, wanted)| wanted == id(item))?;
                Some((rank, self.choices[rank].0, at))
            })
            .min_by_key(|(rank, ..)| *rank)?;
        found.into_iter().nth(at).map(|item| (action, item))
    }

    /// Returns the id as it was most likely meant.
    pub fn likely(&self) -> &MessageId {
        let asked = self
            .choices
            .iter()
            .find(|(action, _)| *action != Action::Page);
        &asked.unwrap_or(&self.choices[0]).1
    }
}

fn action(tail: &str) -> Option<(Action, &str)> {
    [Action::Raw, Action::Mbox, Action::Mail]
        .into_iter()
        .find_map(|action| {
            let id = tail
                .strip_suffix(action.path().trim_end_matches('/'))?
                .strip_suffix('/')?;
            Some((action, id))
        })
}

/// Turns `%2F` into slashes, if there are any: our own links carry them encoded twice.
fn slashes(id: &str) -> Option<String> {
    let twice = id.replace("%2F", "/").replace("%2f", "/");
    (twice != id).then_some(twice)
}

fn decoded(raw: &str) -> String {
    rocket::http::RawStr::new(raw)
        .percent_decode_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(tail: &str, stored: &[&str]) -> Option<(Action, String)> {
        let found = stored.iter().map(|id| MessageId::new(id)).collect();
        let (action, id) = Asked::read(tail).choose(found, |id| id)?;
        Some((action, id.as_str().to_owned()))
    }

    #[test]
    fn three_spellings_of_a_slash_find_the_same() {
        let stored = ["<a/b@h>"];
        for tail in ["a/b@h/", "a%2Fb@h/", "a%2fb@h/", "a%252Fb@h/", "a%252Fb@h"] {
            assert_eq!(
                first(tail, &stored),
                Some((Action::Page, "<a/b@h>".into())),
                "{tail}"
            );
        }
        for tail in ["a/b@h/mbox/", "a%2Fb@h/mbox/", "a%252Fb@h/mbox/"] {
            assert_eq!(
                first(tail, &stored),
                Some((Action::Mbox, "<a/b@h>".into())),
                "{tail}"
            );
        }
    }

    #[test]
    fn an_id_that_ends_like_an_action_wins() {
        assert_eq!(
            first("a@h/raw/", &["<a@h>", "<a@h/raw>"]),
            Some((Action::Page, "<a@h/raw>".into()))
        );
        assert_eq!(
            first("a@h/raw/", &["<a@h>"]),
            Some((Action::Raw, "<a@h>".into()))
        );
    }

    #[test]
    fn a_percent_sign_is_decoded_once() {
        assert_eq!(
            first("a%2541@h/", &["<a%41@h>"]),
            Some((Action::Page, "<a%41@h>".into()))
        );
        assert_eq!(first("a%2541@h/", &["<aA@h>"]), None);
    }

    #[test]
    fn pasted_brackets_are_stripped() {
        let asked = Asked::read("%3Ca@h%3E/");
        assert_eq!(
            asked.stripped,
            Some((MessageId::new("<a@h>"), Action::Page))
        );
        assert_eq!(Asked::read("a@h/").stripped, None);
        assert_eq!(first("a@h/", &["a@h"]), Some((Action::Page, "a@h".into())));
    }
}
