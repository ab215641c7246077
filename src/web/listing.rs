//! What the query string of a list means in a project: which patches, how sorted, and what means nothing here
//! (`web.md §6.1`).

use super::query::{ACTION_REQUIRED, Query};
use crate::{
    domain::{
        PersonId, ProjectId, SeriesId, StateId, Timestamp, UserId,
        check::CheckState,
        filter::{Archive, Delegate, Order, OrderKey, PatchFilter, States, Submitter},
    },
    store::state::Vocabulary,
};

/// What a query means.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Which patches.
    pub filter: PatchFilter,
    /// How sorted.
    pub order: Order,
    /// Which page, from 1.
    pub page: i64,
    /// Keys whose value means nothing here, and why.
    pub unknown: Vec<(&'static str, String)>,
}

impl Listing {
    /// Works out what a query means in a project.
    pub fn of(query: &Query, project: ProjectId, vocabulary: &Vocabulary) -> Listing {
        let mut listing = Listing {
            filter: PatchFilter {
                project: Some(project),
                ..PatchFilter::default()
            },
            order: order(query),
            page: query
                .get("page")
                .and_then(|page| page.parse().ok())
                .unwrap_or(1)
                .max(1),
            unknown: Vec::new(),
        };
        listing.take_series(query);
        listing.take_people(query);
        listing.take_states(query, vocabulary);
        listing.take_dates(query);
        listing.take_counted(query, vocabulary);
        listing.take_words(query, vocabulary);
        listing
    }

    fn refuse(&mut self, key: &'static str, why: String) {
        self.unknown.push((key, why));
    }

    fn take_series(&mut self, query: &Query) {
        match query.get("series").map(|id| (id, id.parse())) {
            None => {}
            Some((_, Ok(id))) => self.filter.series = Some(SeriesId(id)),
            Some((text, Err(_))) => self.refuse("series", format!("“{text}” is no series number")),
        }
        if query.is_series() {
            self.filter.states = States::Any;
            self.filter.archive = Archive::Both;
        }
    }

    fn take_people(&mut self, query: &Query) {
        let submitter = query
            .get("submitter")
            .filter(|who| !self.is_me("submitter", who));
        self.filter.submitter = submitter.map(|text| match text.parse() {
            Ok(id) => Submitter::Person(PersonId(id)),
            Err(_) => Submitter::Matching(text.to_owned()),
        });
        let delegate = query
            .get("delegate")
            .filter(|who| !self.is_me("delegate", who));
        self.filter.delegate = delegate.map(desk);
    }

    /// Says whether somebody asks for their own patches, and refuses: nobody is known here yet.
    fn is_me(&mut self, key: &'static str, who: &str) -> bool {
        let me = who.eq_ignore_ascii_case("me");
        if me {
            self.refuse(key, format!("“{who}” needs an account"));
        }
        me
    }

    fn take_states(&mut self, query: &Query, vocabulary: &Vocabulary) {
        let mut ids: Vec<StateId> = Vec::new();
        for value in query.all("state") {
            match value {
                "*" => self.filter.states = States::Any,
                ACTION_REQUIRED => {
                    ids.extend(
                        vocabulary
                            .states
                            .iter()
                            .filter(|state| state.action_required)
                            .map(|state| state.id),
                    );
                }
                _ => match state(value, vocabulary) {
                    Some(id) => ids.push(id),
                    None => self.refuse("state", format!("there is no state “{value}”")),
                },
            }
        }
        if !ids.is_empty() && self.filter.states != States::Any {
            self.filter.states = States::Among(ids);
        }
        match query.get("archive") {
            Some("true") => self.filter.archive = Archive::Yes,
            Some("both") => self.filter.archive = Archive::Both,
            _ => {}
        }
    }

    fn take_dates(&mut self, query: &Query) {
        for key in ["since", "before"] {
            let Some(text) = query.get(key) else { continue };
            match moment(text) {
                Some(moment) if key == "since" => self.filter.since = Some(moment),
                Some(moment) => self.filter.before = Some(moment),
                None => self.refuse(key, format!("“{text}” is no date like 2024-03-05")),
            }
        }
    }

    fn take_counted(&mut self, query: &Query, vocabulary: &Vocabulary) {
        match query.get("checks") {
            None => {}
            Some("none") => self.filter.checks = Some(None),
            Some(word) => match CheckState::from_word(word) {
                Some(state) => self.filter.checks = Some(Some(state)),
                None => self.refuse("checks", format!("checks are never “{word}”")),
            },
        }
        if let Some(text) = query.get("tag") {
            let (name, least) = text.split_once(':').unwrap_or((text, "1"));
            let known = vocabulary.tags.iter().find(|tag| {
                tag.abbrev.eq_ignore_ascii_case(name) || tag.name.eq_ignore_ascii_case(name)
            });
            match (known, least.parse::<i64>()) {
                (Some(tag), Ok(least)) => self.filter.tag = Some((tag.id, least.max(1))),
                _ => self.refuse("tag", format!("there is no tag “{text}”")),
            }
        }
        self.filter.unaddressed = query.get("comments") == Some("unaddressed");
    }

    /// Understands the words of `q`: `"quoted words"`, `-not`, `from:`, `state:`, `delegate:`.
    fn take_words(&mut self, query: &Query, vocabulary: &Vocabulary) {
        for word in words(query.get("q").unwrap_or_default()) {
            let field = word.text.split_once(':').filter(|_| !word.quoted);
            match field.filter(|(_, value)| !value.is_empty()) {
                Some(("from", who)) => self.take_from(who, word.without),
                Some(("delegate", who)) => self.take_delegate(who, word.without),
                Some(("state", name)) => self.take_state(name, word.without, vocabulary),
                Some(("file", _)) => self.refuse("q", "file names cannot be searched yet".into()),
                _ if word.without => self.filter.without.push(word.text),
                _ => self.filter.words.push(word.text),
            }
        }
    }

    fn take_from(&mut self, who: &str, without: bool) {
        if self.is_me("q", who) {
            return;
        }
        if without {
            self.filter.except.submitters.push(who.to_owned());
        } else {
            self.filter.submitter = Some(Submitter::Matching(who.to_owned()));
        }
    }

    fn take_delegate(&mut self, who: &str, without: bool) {
        if self.is_me("q", who) {
            return;
        }
        if without {
            self.filter.except.delegates.push(desk(who));
        } else {
            self.filter.delegate = Some(desk(who));
        }
    }

    fn take_state(&mut self, name: &str, without: bool, vocabulary: &Vocabulary) {
        match state(name, vocabulary) {
            Some(id) if without => self.filter.except.states.push(id),
            Some(id) => self.filter.states = States::Among(vec![id]),
            None => self.refuse("q", format!("there is no state “{name}”")),
        }
    }
}

fn order(query: &Query) -> Order {
    let text = query.get("order").unwrap_or_default();
    let (name, descending) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let key = match name {
        "date" => OrderKey::Date,
        "name" => OrderKey::Name,
        "state" => OrderKey::State,
        "submitter" => OrderKey::Submitter,
        "delegate" => OrderKey::Delegate,
        _ if query.is_series() => {
            return Order {
                key: OrderKey::Number,
                descending: false,
            };
        }
        _ => return Order::default(),
    };
    Order { key, descending }
}

fn desk(text: &str) -> Delegate {
    match text.parse() {
        Ok(id) => Delegate::User(UserId(id)),
        Err(_) if text.eq_ignore_ascii_case("nobody") => Delegate::Nobody,
        Err(_) => Delegate::Matching(text.to_owned()),
    }
}

fn state(text: &str, vocabulary: &Vocabulary) -> Option<StateId> {
    let is = |state: &&crate::domain::state::State| {
        text.parse() == Ok(state.id.0) || state.is_called(text)
    };
    vocabulary.states.iter().find(is).map(|state| state.id)
}

/// Reads a day or a moment, in UTC, of the years that both engines know.
fn moment(text: &str) -> Option<Timestamp> {
    let moment = match text.parse::<jiff::Timestamp>() {
        Ok(moment) => moment,
        Err(_) => {
            let day: jiff::civil::Date = text.parse().ok()?;
            day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()
        }
    };
    let year = moment.to_zoned(jiff::tz::TimeZone::UTC).year();
    (1..=9999)
        .contains(&year)
        .then(|| Timestamp(moment.as_microsecond()))
}

#[derive(Debug, PartialEq, Eq)]
struct Word {
    text: String,
    quoted: bool,
    without: bool,
}

/// Splits a search at blanks; quotation marks hold words together.
fn words(text: &str) -> Vec<Word> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let without =
            rest.len() > 1 && rest.starts_with('-') && !rest[1..].starts_with(char::is_whitespace);
        let body = if without { &rest[1..] } else { rest };
        let (text, quoted, after) = match body.strip_prefix('"') {
            Some(inner) => {
                let end = inner.find('"').unwrap_or(inner.len());
                (
                    &inner[..end],
                    true,
                    inner.get(end + 1..).unwrap_or_default(),
                )
            }
            None => {
                let end = body.find(char::is_whitespace).unwrap_or(body.len());
                (&body[..end], false, &body[end..])
            }
        };
        if !text.is_empty() {
            out.push(Word {
                text: text.to_owned(),
                quoted,
                without,
            });
        }
        rest = after.trim_start();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{TagId, state::State, tag::Tag},
        web::query::tests::query,
    };

    fn vocabulary() -> Vocabulary {
        let state = |id, name: &str, slug: &str, action_required| State {
            id: StateId(id),
            name: name.into(),
            slug: slug.into(),
            ordering: id - 1,
            action_required,
        };
        Vocabulary {
            states: vec![
                state(1, "New", "new", true),
                state(2, "Under Review", "under-review", true),
                state(3, "Accepted", "accepted", false),
            ],
            tags: vec![Tag {
                id: TagId(2),
                name: "Reviewed-by".into(),
                pattern: String::new(),
                abbrev: "R".into(),
                show_column: true,
            }],
        }
    }

    fn listing(text: &str) -> Listing {
        Listing::of(&query(text), ProjectId(1), &vocabulary())
    }

    #[test]
    fn queries_mean_what_old_links_meant() {
        let filter = |change: fn(&mut PatchFilter)| {
            let mut filter = PatchFilter {
                project: Some(ProjectId(1)),
                ..PatchFilter::default()
            };
            change(&mut filter);
            filter
        };
        let cases: Vec<(&str, PatchFilter)> = vec![
            ("", filter(|_| {})),
            ("state=&archive=&submitter=&unknown=1", filter(|_| {})),
            ("state=*", filter(|f| f.states = States::Any)),
            (
                "state=3",
                filter(|f| f.states = States::Among(vec![StateId(3)])),
            ),
            (
                "state=under-review&state=new",
                filter(|f| f.states = States::Among(vec![StateId(2), StateId(1)])),
            ),
            ("state=99", filter(|_| {})),
            ("archive=true", filter(|f| f.archive = Archive::Yes)),
            ("archive=both&archive=no", filter(|_| {})),
            (
                "submitter=7",
                filter(|f| f.submitter = Some(Submitter::Person(PersonId(7)))),
            ),
            (
                "submitter= ann ",
                filter(|f| f.submitter = Some(Submitter::Matching("ann".into()))),
            ),
            (
                "delegate=Nobody",
                filter(|f| f.delegate = Some(Delegate::Nobody)),
            ),
            (
                "delegate=4",
                filter(|f| f.delegate = Some(Delegate::User(UserId(4)))),
            ),
            ("series=x", filter(|_| {})),
            (
                "series=5",
                filter(|f| {
                    (f.series, f.states, f.archive) =
                        (Some(SeriesId(5)), States::Any, Archive::Both)
                }),
            ),
            (
                "series=5&state=action-required",
                filter(|f| {
                    (f.series, f.states) = (
                        Some(SeriesId(5)),
                        States::Among(vec![StateId(1), StateId(2)]),
                    )
                }),
            ),
            ("checks=none", filter(|f| f.checks = Some(None))),
            (
                "checks=fail",
                filter(|f| f.checks = Some(Some(CheckState::Fail))),
            ),
            ("tag=r:2", filter(|f| f.tag = Some((TagId(2), 2)))),
            ("comments=unaddressed", filter(|f| f.unaddressed = true)),
            (
                "since=1970-01-02",
                filter(|f| f.since = Some(Timestamp(86_400_000_000))),
            ),
            (
                "before=1970-01-01T00:00:01Z",
                filter(|f| f.before = Some(Timestamp(1_000_000))),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(listing(text).filter, expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for text in [
            "state=99",
            "series=x",
            "checks=maybe",
            "tag=Z",
            "since=yesterday",
            "since=-009998-01-01",
            "before=-000001-12-31T00:00:00Z",
            "q=state:gone",
            "q=-state:gone",
            "q=file:Makefile",
            "q=-file:Makefile",
            "q=from:me",
            "q=-delegate:Me",
            "submitter=me",
            "delegate=me",
        ] {
            let listing = listing(text);
            assert_eq!(listing.unknown.len(), 1, "{text}");
            let said = PatchFilter {
                project: Some(ProjectId(1)),
                ..PatchFilter::default()
            };
            assert_eq!(listing.filter, said, "{text}");
        }
        assert!(listing("state=*&q=-x&order=z&page=foo").unknown.is_empty());
    }

    #[test]
    fn orders_and_pages_fall_back() {
        let order = |text| (listing(text).order.key, listing(text).order.descending);
        assert_eq!(order(""), (OrderKey::Date, true));
        assert_eq!(order("order=name"), (OrderKey::Name, false));
        assert_eq!(order("order=-delegate"), (OrderKey::Delegate, true));
        assert_eq!(order("order=size"), (OrderKey::Date, true));
        assert_eq!(order("series=5"), (OrderKey::Number, false));
        assert_eq!(order("series=5&order=date"), (OrderKey::Date, false));
        for (text, page) in [
            ("", 1),
            ("page=foo", 1),
            ("page=0", 1),
            ("page=-3", 1),
            ("page=7", 7),
        ] {
            assert_eq!(listing(text).page, page, "{text}");
        }
    }

    #[test]
    fn a_search_has_words_phrases_and_exceptions() {
        let filter = listing("q=net \"fix leak\" -rfc -\"to do\" from:ann state:new - x-y").filter;
        assert_eq!(filter.words, ["net", "fix leak", "-", "x-y"]);
        assert_eq!(filter.without, ["rfc", "to do"]);
        assert_eq!(filter.submitter, Some(Submitter::Matching("ann".into())));
        assert_eq!(filter.states, States::Among(vec![StateId(1)]));
        assert_eq!(
            words("\"open"),
            [Word {
                text: "open".into(),
                quoted: true,
                without: false
            }]
        );
    }

    #[test]
    fn a_search_leaves_out() {
        let except = listing("q=-from:ann -delegate:nobody -delegate:mar -state:new")
            .filter
            .except;
        assert_eq!(except.submitters, ["ann"]);
        assert_eq!(
            except.delegates,
            [Delegate::Nobody, Delegate::Matching("mar".into())]
        );
        assert_eq!(except.states, [StateId(1)]);
    }
}
