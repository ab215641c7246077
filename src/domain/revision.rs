//! Revisions: how a series knows the one before it.
//!
//! Which series follows which is found anew from what is known, whenever something is learned of one of them. So the order in which
//! mails come does not matter: the one before is the best of all that may be it, whichever came first.

use std::collections::HashSet;

use super::{PersonId, SeriesId, Timestamp, UserId};

/// A title seen again later than this is new work.
pub const WINDOW_DAYS: i64 = 200;

/// Clocks of those who send are wrong by up to so much.
pub const SLACK_DAYS: i64 = 1;

/// Minutes of a day.
pub const DAY: i64 = 24 * 60;

/// From here on titles are like each other: half of their words and more.
const LIKE: f64 = 0.6;

/// What they have in common behind the area that is named in front.
const HALF: f64 = 0.5;

/// The least that titles have in common if one mail answers the other.
const AKIN: f64 = 0.3;

/// What a mail may say of the revisions of its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sign {
    /// An id that all revisions share.
    ChangeId,
    /// A mail of the revision that it replaces.
    Supersedes,
    /// A mail of an earlier revision, such as `Link to v1:` names.
    Link,
    /// A mail that it answers.
    Reply,
}

impl Sign {
    /// Every sign.
    pub const ALL: [Sign; 4] = [Sign::ChangeId, Sign::Supersedes, Sign::Link, Sign::Reply];

    /// Returns the word under which it is stored.
    pub fn word(self) -> &'static str {
        match self {
            Sign::ChangeId => "change-id",
            Sign::Supersedes => "supersedes",
            Sign::Link => "link",
            Sign::Reply => "reply",
        }
    }
}

/// Why a series is taken for the one before another; the surest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The same person wrote something with a similar title, and a lower version.
    Similar,
    /// The same person wrote something with the same title, and a lower version.
    Title,
    /// It was answered.
    Reply,
    /// It was linked to.
    Link,
    /// It was said to be replaced.
    Supersedes,
    /// It has the same id.
    ChangeId,
    /// Somebody says so.
    Hand,
    /// Somebody says that there is none.
    None,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 8] = [
        Reason::Similar,
        Reason::Title,
        Reason::Reply,
        Reason::Link,
        Reason::Supersedes,
        Reason::ChangeId,
        Reason::Hand,
        Reason::None,
    ];

    /// Returns the word under which it is stored.
    pub fn word(self) -> &'static str {
        match self {
            Reason::Similar => "similar",
            Reason::Title => "title",
            Reason::Reply => "reply",
            Reason::Link => "link",
            Reason::Supersedes => "supersedes",
            Reason::ChangeId => "change-id",
            Reason::Hand => "hand",
            Reason::None => "none",
        }
    }

    /// Returns the reason that a stored word stands for.
    pub fn of(word: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.word() == word)
    }

    /// Says in words for people why.
    pub fn told(self) -> &'static str {
        match self {
            Reason::Similar => "similar title, same sender",
            Reason::Title => "same title and sender",
            Reason::Reply => "sent in reply to it",
            Reason::Link => "links to it",
            Reason::Supersedes => "says that it replaces it",
            Reason::ChangeId => "same change-id",
            Reason::Hand => "linked by hand",
            Reason::None => "taken away by hand",
        }
    }

    /// Says whether a person decided, whom nothing that is found may overrule.
    pub fn is_by_hand(self) -> bool {
        matches!(self, Reason::Hand | Reason::None)
    }
}

/// What is known of a series that may be a revision of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The series.
    pub id: SeriesId,
    /// The revision it calls itself.
    pub version: i64,
    /// The digits after the dot of v5.1, 0 for v5.
    pub minor: i64,
    /// When it was written.
    pub date: Timestamp,
    /// Who sent it.
    pub submitter: PersonId,
    /// Whose address that is.
    pub account: Option<UserId>,
    /// Its name.
    pub name: Option<String>,
}

impl Facts {
    fn is_of_same(&self, other: &Facts) -> bool {
        self.submitter == other.submitter
            || (self.account.is_some() && self.account == other.account)
    }

    fn title(&self) -> Vec<String> {
        title(self.name.as_deref().unwrap_or_default())
    }

    /// The title without the areas that it names in front.
    fn matter(&self) -> Vec<String> {
        let name = self.name.as_deref().unwrap_or_default();
        title(name.rsplit_once(": ").map_or(name, |(_, matter)| matter))
    }
}

/// Reads the number of a series: it alone, or an address that names it.
pub fn series_in(text: &str) -> Option<SeriesId> {
    let behind = |mark: &str| text.split_once(mark).map(|(_, rest)| rest);
    let rest = behind("/series/").or_else(|| behind("series="));
    let digits = rest.map_or(text, |rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit());
        &rest[..end.unwrap_or(rest.len())]
    });
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number).map(SeriesId)
}

/// Why a series cannot be the one before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// There is no such series.
    Unknown,
    /// It is in another project.
    Foreign,
    /// It is that series, or follows it.
    Circle,
}

impl Unfit {
    /// Says in words for people why.
    pub fn told(self) -> &'static str {
        match self {
            Unfit::Unknown => "There is no such series.",
            Unfit::Foreign => "That series is of another project.",
            Unfit::Circle => {
                "That series is this one or follows it: revisions cannot go round in a circle."
            }
        }
    }
}

/// A series that may be an earlier or later revision of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What ties them.
    pub tie: Tie,
    /// What is known of it.
    pub facts: Facts,
    /// What the patch is called that is named.
    pub named: Option<String>,
}

/// What ties a series to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tie {
    /// A sign of one of them.
    Sign(Sign),
    /// Nothing but their sender and their time.
    Sender,
}

/// The series before another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// The series.
    pub id: SeriesId,
    /// Why.
    pub reason: Reason,
    /// Whether somebody else than its sender claims it.
    pub claimed: bool,
}

/// Returns the series before `of` among those that may be it; the order in which they stand does not matter.
///
/// It has a lower version, the highest there is. Of its own sender's series comes before what another one claims, and what is only
/// called similarly comes last.
pub fn earlier(of: &Facts, candidates: &[Candidate]) -> Option<Earlier> {
    let rated = candidates.iter().filter_map(|candidate| {
        let (reason, claimed) = reason(of, candidate)?;
        let other = &candidate.facts;
        let rank = (
            !claimed,
            reason != Reason::Similar,
            // v6 follows v5, which v5.1 only mends; v5.1 follows v5.
            other.minor == 0,
            other.version,
            reason,
            other.date,
            other.id,
        );
        Some((rank, reason, claimed, other.id))
    });
    let (_, reason, claimed, id) = rated.max_by_key(|(rank, ..)| *rank)?;
    Some(Earlier {
        id,
        reason,
        claimed,
    })
}

/// Returns why `other` may be the series before `of`, and whether that is claimed by somebody else than its sender.
fn reason(of: &Facts, candidate: &Candidate) -> Option<(Reason, bool)> {
    let other = &candidate.facts;
    let is_lower = (other.version, other.minor) < (of.version, of.minor);
    if !is_lower || other.id == of.id || other.date > of.date.plus_minutes(SLACK_DAYS * DAY) {
        return None;
    }
    let is_recent = of.date <= other.date.plus_minutes(WINDOW_DAYS * DAY);
    let own = of.title();
    let named = title(candidate.named.as_deref().unwrap_or_default());
    let likeness = likeness(&own, &other.title()).max(likeness(&own, &named));
    let is_same = of.is_of_same(other);
    match candidate.tie {
        Tie::Sign(Sign::ChangeId) => Some((Reason::ChangeId, !is_same)),
        Tie::Sign(Sign::Supersedes) => Some((Reason::Supersedes, !is_same)),
        Tie::Sign(Sign::Link) if is_same || likeness >= LIKE => Some((Reason::Link, !is_same)),
        // Others answer in the same thread with things of their own.
        Tie::Sign(Sign::Reply) if is_same && (likeness >= AKIN || of.version == other.version) => {
            Some((Reason::Reply, false))
        }
        Tie::Sign(Sign::Reply) if likeness >= LIKE => Some((Reason::Reply, true)),
        Tie::Sender if is_same && is_recent && likeness >= 1.0 => Some((Reason::Title, false)),
        // Whatever somebody does in one area has the area in common.
        Tie::Sender
            if is_same
                && is_recent
                && likeness >= LIKE
                && self::likeness(&of.matter(), &other.matter()) >= HALF =>
        {
            Some((Reason::Similar, false))
        }
        Tie::Sign(_) | Tie::Sender => None,
    }
}

/// Returns the words of a title in lower case, without brackets in front and without signs between them.
pub fn title(name: &str) -> Vec<String> {
    let mut rest = name.trim_start();
    while let Some((_, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        rest = after.trim_start();
    }
    let words = rest.split(|c: char| !c.is_alphanumeric() && c != '_');
    let kept = words.filter(|word| !word.is_empty() && !is_version(word));
    kept.map(str::to_lowercase).collect()
}

/// Says whether a word is but a revision, as in `Rework (v2)`.
fn is_version(word: &str) -> bool {
    let digits = word.strip_prefix(['v', 'V']);
    digits.is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Returns how much two titles have in common: 1 if they have the same words, 0 if none. Titles of nothing have nothing in common.
pub fn likeness(one: &[String], other: &[String]) -> f64 {
    if one == other && !one.is_empty() {
        return 1.0;
    }
    let (one, other): (HashSet<&String>, HashSet<&String>) =
        (one.iter().collect(), other.iter().collect());
    let (common, all) = (one.intersection(&other).count(), one.len() + other.len());
    // The same words in another order are not quite the same.
    match all {
        0 => 0.0,
        _ => (2.0 * common as f64 / all as f64).min(0.99),
    }
}

/// A patch, as far as it takes to find it in another revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The digest of its diff.
    pub hash: Option<String>,
    /// Its name.
    pub name: String,
}

/// Pairs the patches of two revisions: first those with the same diff, then those with the same title, then those whose
/// titles are alike. Returns for each patch of `new` its place in `old`.
pub fn pair(old: &[Kept], new: &[Kept]) -> Vec<Option<usize>> {
    let mut pairs: Vec<Option<usize>> = vec![None; new.len()];
    let mut taken = vec![false; old.len()];
    let titles = |patches: &[Kept]| patches.iter().map(|it| title(&it.name)).collect::<Vec<_>>();
    let (old_titles, new_titles) = (titles(old), titles(new));
    let mut take = |is_pair: &dyn Fn(usize, usize) -> bool| {
        for (at, pair) in pairs.iter_mut().enumerate().filter(|(_, it)| it.is_none()) {
            if let Some(found) = (0..old.len()).find(|to| !taken[*to] && is_pair(at, *to)) {
                taken[found] = true;
                *pair = Some(found);
            }
        }
    };
    take(&|at, to| new[at].hash.is_some() && new[at].hash == old[to].hash);
    take(&|at, to| !new_titles[at].is_empty() && new_titles[at] == old_titles[to]);
    take(&|at, to| likeness(&new_titles[at], &old_titles[to]) >= LIKE);
    pairs
}

/// Returns what a revision calls itself: `v5`, `v5.1`.
pub fn label(version: i64, minor: i64) -> String {
    match minor {
        0 => format!("v{version}"),
        _ => format!("v{version}.{minor}"),
    }
}

/// Returns the digits after the dot that a kept prefix in front of a name states: 1 for `[v5.1,10/12] …`.
pub fn minor(name: &str) -> i64 {
    let group = name.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let prefixes = group.map_or("", |(group, _)| group).split(',');
    let mut minors = prefixes.filter_map(|prefix| {
        let (version, minor) = prefix.rsplit_once(['v', 'V'])?.1.split_once('.')?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        (is_number(version) && is_number(minor)).then(|| minor.parse().ok())?
    });
    minors.next().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(id: i64, version: i64, name: &str) -> Facts {
        Facts {
            id: SeriesId(id),
            version,
            minor: 0,
            date: Timestamp::from_seconds(1_700_000_000 + id * 86_400),
            submitter: PersonId(1),
            account: None,
            name: Some(name.to_owned()),
        }
    }

    fn found(of: &Facts, ties: &[(Tie, Facts)]) -> Option<(i64, Reason, bool)> {
        let candidate = |(tie, facts): &(Tie, Facts)| Candidate {
            tie: *tie,
            facts: facts.clone(),
            named: None,
        };
        let candidates: Vec<Candidate> = ties.iter().map(candidate).collect();
        let there = earlier(of, &candidates);
        let mut turned = candidates.clone();
        turned.reverse();
        assert_eq!(there, earlier(of, &turned), "the order does not matter");
        there.map(|it| (it.id.0, it.reason, it.claimed))
    }

    const REPLY: Tie = Tie::Sign(Sign::Reply);

    #[test]
    fn series_are_named_by_their_number_or_an_address() {
        for (text, expected) in [
            ("7", Some(7)),
            ("https://pw.example.org/project/x/series/7/", Some(7)),
            ("https://pw.example.org/api/1.5/series/7/", Some(7)),
            (
                "https://pw.example.org/project/x/list/?series=7&q=a",
                Some(7),
            ),
            ("/series/7#patches", Some(7)),
            ("+7", None),
            ("", None),
            ("find", None),
            ("https://pw.example.org/series/", None),
        ] {
            assert_eq!(series_in(text), expected.map(SeriesId), "{text}");
        }
    }

    #[test]
    fn the_highest_lower_version_is_the_one_before() {
        let (v1, v2, v3) = (
            facts(1, 1, "a b c"),
            facts(2, 2, "a b c"),
            facts(3, 3, "a b c"),
        );
        let all = [
            (REPLY, v1.clone()),
            (Tie::Sender, v2),
            (Tie::Sender, v3.clone()),
        ];
        assert_eq!(found(&v3, &all), Some((2, Reason::Title, false)));
        assert_eq!(found(&v1, &all), None);
    }

    #[test]
    fn signs_count_more_than_titles_that_are_alike() {
        let v3 = facts(3, 3, "net: fix the leak of buffers");
        let similar = facts(2, 2, "net: fix the leak of pages");
        let linked = facts(1, 1, "net: do not leak");
        let all = [
            (Tie::Sender, similar.clone()),
            (Tie::Sign(Sign::Link), linked),
        ];
        assert_eq!(found(&v3, &all), Some((1, Reason::Link, false)));
        assert_eq!(found(&v3, &all[..1]), Some((2, Reason::Similar, false)));
        for other in ["drm: other work", "net: fix the leak: of other things here"] {
            assert_eq!(found(&v3, &[(Tie::Sender, facts(2, 2, other))]), None);
        }
        let long_ago = facts(2 - WINDOW_DAYS, 2, "net: fix the leak of buffers");
        assert_eq!(found(&v3, &[(Tie::Sender, long_ago)]), None);
    }

    #[test]
    fn what_others_send_is_claimed_and_comes_last() {
        let own = facts(1, 1, "one two three");
        let mut strange = facts(3, 3, "one two three");
        strange.submitter = PersonId(9);
        let change = (Tie::Sign(Sign::ChangeId), own.clone());
        assert_eq!(
            found(&strange, std::slice::from_ref(&change)),
            Some((1, Reason::ChangeId, true))
        );
        let mut mine = facts(2, 2, "one two three");
        mine.submitter = PersonId(9);
        assert_eq!(
            found(&strange, &[change, (Tie::Sender, mine)]),
            Some((2, Reason::Title, false))
        );
        // An answer with other work is no revision.
        strange.name = Some("something else".into());
        assert_eq!(found(&strange, &[(REPLY, own.clone())]), None);
        // Two addresses of one account are one person.
        let mut home = own.clone();
        (home.account, strange.account) = (Some(UserId(7)), Some(UserId(7)));
        strange.name = Some("one two three, four".into());
        assert_eq!(
            found(&strange, &[(REPLY, home)]),
            Some((1, Reason::Reply, false))
        );
    }

    #[test]
    fn some_patches_sent_again_hang_on_their_revision() {
        let v5 = facts(5, 5, "a b c");
        let mut mended = facts(6, 5, "a b c");
        mended.minor = 1;
        let v6 = facts(7, 6, "a b c");
        let all = [
            (Tie::Sender, v5),
            (Tie::Sender, mended.clone()),
            (Tie::Sender, v6.clone()),
        ];
        assert_eq!(found(&mended, &all), Some((5, Reason::Title, false)));
        assert_eq!(found(&v6, &all), Some((5, Reason::Title, false)));
    }

    #[test]
    fn titles_are_compared_by_words() {
        let key = |name: &str| title(name).join(" ");
        assert_eq!(
            key("[v2,1/3] [RFC] Net/core: Fix it! (v2)"),
            "net core fix it"
        );
        assert_eq!(key(""), "");
        assert!(likeness(&title("fix it"), &title("it fix")) < 1.0);
        assert!(likeness(&title(""), &title("")) < LIKE);
    }

    #[test]
    fn minors_are_the_digits_after_the_dot() {
        let cases = [
            ("[v5.1,10/12] x", 1),
            ("[PATCHv2.10] x", 10),
            ("[v5,1/2] x", 0),
            ("[v5.1a] x", 0),
            ("v5.1", 0),
            ("[6.1,v2] x", 0),
        ];
        for (name, expected) in cases {
            assert_eq!(minor(name), expected, "{name}");
        }
    }

    #[test]
    fn patches_are_paired_by_diff_then_title() {
        let patch = |hash: &str, name: &str| Kept {
            hash: Some(hash.to_owned()),
            name: name.to_owned(),
        };
        let old = [
            patch("1", "[1/3] first"),
            patch("2", "[2/3] second one"),
            patch("3", "[3/3] third of them"),
        ];
        let new = [
            patch("9", "[v2,1/4] new"),
            patch("3", "[v2,2/4] renamed"),
            patch("8", "[v2,3/4] first"),
            patch("7", "[v2,4/4] the second one"),
        ];
        assert_eq!(pair(&old, &new), [None, Some(2), Some(0), Some(1)]);
    }
}
