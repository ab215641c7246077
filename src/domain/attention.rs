//! Whose turn it is: who has to do something so that a patch goes on. Derived anew whenever it is shown, from what is
//! stored about the patch; nothing of it is kept.

use super::{State, Timestamp, state};

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Who sent it.
    Author,
    /// Whoever reviews it.
    Reviewer,
    /// Who decides on it.
    Maintainer,
    /// Nobody: it is decided, or something else took its place.
    Nobody,
}

impl Turn {
    /// Returns the word that pages show.
    pub fn word(self) -> &'static str {
        match self {
            Turn::Author => "author",
            Turn::Reviewer => "reviewer",
            Turn::Maintainer => "maintainer",
            Turn::Nobody => "nobody",
        }
    }
}

/// Whose turn it is, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attention {
    /// Who has to act.
    pub turn: Turn,
    /// A few words that say why.
    pub reason: &'static str,
}

/// What a state says of whose turn it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Somebody has to act.
    #[default]
    Open,
    /// The author is asked for something else.
    ChangesRequested,
    /// Nothing more is wanted.
    Decided,
}

impl Standing {
    /// Returns what a state says.
    pub fn of(state: &State) -> Standing {
        match state.slug.as_str() {
            state::CHANGES_REQUESTED => Standing::ChangesRequested,
            _ if state.action_required => Standing::Open,
            _ => Standing::Decided,
        }
    }
}

/// The newest reply, to the patch or to the cover letter of its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastWord {
    /// When it was written.
    pub at: Timestamp,
    /// Whether the author has it.
    pub is_authors: bool,
    /// Whether it gives the patch a review.
    pub approves: bool,
}

/// What of a patch says whose turn it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Where it stands.
    pub standing: Standing,
    /// Whether it is put away.
    pub is_archived: bool,
    /// Whether there is a newer revision of its series.
    pub is_replaced: bool,
    /// Whether patches of its series have not come.
    pub is_incomplete: bool,
    /// Whether a comment asks for action.
    pub is_asked: bool,
    /// Whether an effective check fails.
    pub fails: bool,
    /// The newest reply.
    pub last_word: Option<LastWord>,
    /// When the newest promise to review it was made that still holds.
    pub claimed: Option<Timestamp>,
    /// Whether somebody has reviewed or acknowledged it.
    pub is_approved: bool,
    /// Whether somebody has it on the desk.
    pub has_delegate: bool,
}

impl Facts {
    /// Says whether somebody else had the last word, asking rather than agreeing, and no review was promised since.
    fn is_unanswered(&self) -> bool {
        self.last_word.is_some_and(|word| {
            let is_promised = self.claimed.is_some_and(|claimed| claimed > word.at);
            !word.is_authors && !word.approves && !is_promised
        })
    }

    fn is_approved(&self) -> bool {
        let by_last = self
            .last_word
            .is_some_and(|word| word.approves && !word.is_authors);
        self.is_approved || by_last
    }
}

/// Returns whose turn it is. The first line that fits:
///
/// | what is known | whose turn |
/// |---|---|
/// | put away | nobody |
/// | decided | nobody |
/// | a newer revision is there | nobody |
/// | changes requested | author |
/// | patches of the series are missing | author |
/// | a comment asks for action | author |
/// | a check fails | author |
/// | the last reply is somebody else's and gives no review | author |
/// | somebody has promised a review, after that reply | reviewer |
/// | reviewed or acknowledged | maintainer |
/// | on somebody's desk | maintainer |
/// | anything else | reviewer |
pub fn of(facts: &Facts) -> Attention {
    let rules = [
        (facts.is_archived, Turn::Nobody, "put away"),
        (facts.standing == Standing::Decided, Turn::Nobody, "decided"),
        (facts.is_replaced, Turn::Nobody, "a newer revision is there"),
        (
            facts.standing == Standing::ChangesRequested,
            Turn::Author,
            "changes were requested",
        ),
        (
            facts.is_incomplete,
            Turn::Author,
            "patches of the series are missing",
        ),
        (facts.is_asked, Turn::Author, "a comment asks for action"),
        (facts.fails, Turn::Author, "a check fails"),
        (
            facts.is_unanswered(),
            Turn::Author,
            "the last reply is not answered",
        ),
        (
            facts.claimed.is_some(),
            Turn::Reviewer,
            "a review is promised",
        ),
        (
            facts.is_approved(),
            Turn::Maintainer,
            "reviewed, not decided",
        ),
        (
            facts.has_delegate,
            Turn::Maintainer,
            "on the delegate's desk",
        ),
    ];
    let found = rules.into_iter().find(|(fits, _, _)| *fits);
    let (_, turn, reason) = found.unwrap_or((true, Turn::Reviewer, "nobody has reviewed it"));
    Attention { turn, reason }
}

/// Returns whose turn it is for patches that go together: whoever one of them waits for, the author before reviewers,
/// these before maintainers.
pub fn of_all(patches: impl IntoIterator<Item = Attention>) -> Option<Attention> {
    patches.into_iter().min_by_key(|attention| attention.turn)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Facts = Facts {
        standing: Standing::Open,
        is_archived: false,
        is_replaced: false,
        is_incomplete: false,
        is_asked: false,
        fails: false,
        last_word: None,
        claimed: None,
        is_approved: false,
        has_delegate: false,
    };

    fn word(at: i64, is_authors: bool, approves: bool) -> Option<LastWord> {
        Some(LastWord {
            at: Timestamp(at),
            is_authors,
            approves,
        })
    }

    #[test]
    #[rustfmt::skip]
    fn whose_turn_it_is_is_a_table() {
        use Turn::{Author, Maintainer, Nobody, Reviewer};
        let claimed = |at| Facts { claimed: Some(Timestamp(at)), ..PLAIN };
        let reviewed = Facts { is_approved: true, ..PLAIN };
        let cases = [
            ("new", PLAIN, Reviewer, "nobody has reviewed it"),
            ("put away", Facts { is_archived: true, is_asked: true, ..PLAIN }, Nobody, "put away"),
            ("decided, though asked", Facts { standing: Standing::Decided, is_asked: true, ..PLAIN }, Nobody, "decided"),
            ("replaced", Facts { is_replaced: true, fails: true, ..PLAIN }, Nobody, "a newer revision is there"),
            ("sent again after changes were requested", Facts { is_replaced: true, standing: Standing::ChangesRequested, ..PLAIN }, Nobody, "a newer revision is there"),
            ("changes requested", Facts { standing: Standing::ChangesRequested, has_delegate: true, ..PLAIN }, Author, "changes were requested"),
            ("incomplete", Facts { is_incomplete: true, is_approved: true, ..PLAIN }, Author, "patches of the series are missing"),
            ("asked", Facts { is_asked: true, is_approved: true, ..claimed(9) }, Author, "a comment asks for action"),
            ("failing", Facts { fails: true, ..reviewed }, Author, "a check fails"),
            ("asked by mail", Facts { last_word: word(5, false, false), has_delegate: true, ..PLAIN }, Author, "the last reply is not answered"),
            ("asked after a review", Facts { last_word: word(5, false, false), ..reviewed }, Author, "the last reply is not answered"),
            ("answered", Facts { last_word: word(5, true, false), ..PLAIN }, Reviewer, "nobody has reviewed it"),
            ("answered, on a desk", Facts { last_word: word(5, true, false), has_delegate: true, ..PLAIN }, Maintainer, "on the delegate's desk"),
            ("claimed", Facts { has_delegate: true, ..claimed(5) }, Reviewer, "a review is promised"),
            ("claimed after a reply", Facts { last_word: word(4, false, false), ..claimed(5) }, Reviewer, "a review is promised"),
            ("claimed, then asked", Facts { last_word: word(6, false, false), ..claimed(5) }, Author, "the last reply is not answered"),
            ("claimed, reviewed by another", Facts { is_approved: true, ..claimed(5) }, Reviewer, "a review is promised"),
            ("reviewed", reviewed, Maintainer, "reviewed, not decided"),
            ("reviewed in the last reply", Facts { last_word: word(5, false, true), ..PLAIN }, Maintainer, "reviewed, not decided"),
            ("approved by the author alone", Facts { last_word: word(5, true, true), ..PLAIN }, Reviewer, "nobody has reviewed it"),
            ("on a desk", Facts { has_delegate: true, ..PLAIN }, Maintainer, "on the delegate's desk"),
        ];
        for (what, facts, turn, reason) in cases {
            assert_eq!(of(&facts), Attention { turn, reason }, "{what}");
        }
    }

    #[test]
    fn patches_that_go_together_wait_for_whoever_is_first() {
        let with = |turn| Attention {
            turn,
            reason: "why",
        };
        let of_turns = |turns: &[Turn]| of_all(turns.iter().map(|turn| with(*turn)));
        assert_eq!(
            of_turns(&[Turn::Maintainer, Turn::Author, Turn::Nobody]),
            Some(with(Turn::Author))
        );
        assert_eq!(
            of_turns(&[Turn::Nobody, Turn::Reviewer]),
            Some(with(Turn::Reviewer))
        );
        assert_eq!(of_turns(&[]), None);
    }

    #[test]
    fn states_say_whether_somebody_has_to_act() {
        let state = |slug: &str, action_required| State {
            id: super::super::StateId(1),
            name: slug.to_owned(),
            slug: slug.to_owned(),
            ordering: 0,
            action_required,
        };
        for (slug, action_required, standing) in [
            ("new", true, Standing::Open),
            ("accepted", false, Standing::Decided),
            ("changes-requested", false, Standing::ChangesRequested),
            ("changes-requested", true, Standing::ChangesRequested),
        ] {
            assert_eq!(
                Standing::of(&state(slug, action_required)),
                standing,
                "{slug}"
            );
        }
    }
}
