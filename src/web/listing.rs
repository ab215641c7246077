//! What the query string of a list means in a project: which patches, how sorted, and what means nothing here
//! (`web.md §6.1`).

use super::query::{ACTION_REQUIRED, Query};
use crate::{
    domain::{
        BundleId, PersonId, ProjectId, SeriesId, StateId, Timestamp, UserId,
        check::CheckState,
        filter::{Archive, Delegate, Order, OrderKey, PatchFilter, States, Submitter},
        search::{self, Having, Place as At, Standing, Term, What},
    },
    store::{self, state::Vocabulary},
};

/// Which patches a page lists, whatever its query says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Those of a project.
    Project(ProjectId),
    /// Those of a bundle: all of them, in its order, unless the query says otherwise.
    Bundle(BundleId),
    /// Those of a project that wait for who reads it.
    Todo(ProjectId),
}

/// Where a query is asked, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    /// What the page lists.
    pub place: Place,
    /// Who reads it, if somebody is logged in.
    pub reader: Option<UserId>,
}

/// What a query means.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Which patches.
    pub filter: PatchFilter,
    /// How sorted.
    pub order: Order,
    /// Which page, from 1.
    pub page: i64,
    reader: Option<UserId>,
    /// Keys whose value means nothing here, and why.
    pub unknown: Vec<(&'static str, String)>,
}

impl Listing {
    /// Works out what a query means where it is asked.
    pub fn of(query: &Query, ground: Ground, vocabulary: &Vocabulary) -> Listing {
        let mut listing = Listing {
            filter: start(ground.place),
            reader: ground.reader,
            order: order(query, ground.place),
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
        listing.keep_to(ground, vocabulary);
        listing
    }

    /// Sees that no filter shows more than the page is about.
    fn keep_to(&mut self, ground: Ground, vocabulary: &Vocabulary) {
        match (ground.place, ground.reader) {
            (Place::Project(_), _) => {}
            (Place::Bundle(_), _) => self.filter.delegate = None,
            (Place::Todo(_), reader) => {
                self.filter.delegate = Some(reader.map_or(Delegate::Nobody, Delegate::User));
                self.filter.archive = Archive::No;
                let waits = |id: &StateId| vocabulary.state(*id).is_some_and(|s| s.action_required);
                match &mut self.filter.states {
                    States::Among(ids) => ids.retain(waits),
                    states => *states = States::ActionRequired,
                }
            }
        }
    }

    /// Says whether all states are shown when the query names none.
    pub fn is_whole(&self) -> bool {
        self.filter.series.is_some() || self.filter.bundle.is_some()
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
        let submitter = query.get("submitter").map(|text| match text.parse() {
            Ok(id) => Some(Submitter::Person(PersonId(id))),
            Err(_) => self.submitter("submitter", text),
        });
        self.filter.submitter = submitter.flatten();
        let delegate = query.get("delegate");
        self.filter.delegate = delegate.and_then(|who| self.desk("delegate", who));
    }

    /// Returns whose patches are meant: `me` is who reads the page.
    fn submitter(&mut self, key: &'static str, who: &str) -> Option<Submitter> {
        if !is_me(who) {
            return Some(Submitter::Matching(who.to_owned()));
        }
        self.reader(key, who).map(Submitter::Account)
    }

    /// Returns on whose desk is meant.
    fn desk(&mut self, key: &'static str, who: &str) -> Option<Delegate> {
        if !is_me(who) {
            return Some(Delegate::read(who));
        }
        self.reader(key, who).map(Delegate::User)
    }

    fn reader(&mut self, key: &'static str, who: &str) -> Option<UserId> {
        if self.reader.is_none() {
            self.refuse(key, format!("“{who}” needs an account"));
        }
        self.reader
    }

    fn take_states(&mut self, query: &Query, vocabulary: &Vocabulary) {
        let mut ids: Vec<StateId> = Vec::new();
        let mut any = false;
        for value in query.all("state") {
            match value {
                "*" => any = true,
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
        match (any, ids.is_empty()) {
            (true, _) => self.filter.states = States::Any,
            (false, false) => self.filter.states = States::Among(ids),
            (false, true) => {}
        }
        match query.get("archive") {
            Some("true") => self.filter.archive = Archive::Yes,
            Some("both") => self.filter.archive = Archive::Both,
            Some("no" | "false") if self.filter.bundle.is_some() => {
                self.filter.archive = Archive::No;
            }
            _ => {}
        }
    }

    fn take_dates(&mut self, query: &Query) {
        for key in ["since", "before"] {
            let Some(text) = query.get(key) else { continue };
            match Timestamp::of_day(text) {
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

    /// Understands `q`, which is in the language of searches. Words without an operator are looked for in names.
    fn take_words(&mut self, query: &Query, vocabulary: &Vocabulary) {
        let asked = match search::Query::parse(query.get("q").unwrap_or_default()) {
            Ok(asked) => asked,
            Err(fault) => return self.refuse("q", fault.why),
        };
        let Some(terms) = asked.flat() else {
            let why = "OR and brackets are for the search over all projects";
            return self.refuse("q", why.into());
        };
        for (without, term) in terms {
            self.take_term(term, without, vocabulary);
        }
    }

    fn take_term(&mut self, term: &Term, without: bool, vocabulary: &Vocabulary) {
        let text = term.text.as_str();
        match term.what {
            What::Text(At::Any | At::Subject) if without => {
                self.filter.without.push(text.to_owned())
            }
            What::Text(At::Any | At::Subject) => self.filter.words.push(text.to_owned()),
            What::From => self.take_from(text, without),
            What::Delegate => self.take_delegate(text, without),
            What::State => self.take_state(text, without, vocabulary),
            What::Is(standing) => self.take_standing(standing, without, vocabulary),
            What::Has(Having::ChecksFail) if !without => {
                self.filter.checks = Some(Some(CheckState::Fail));
            }
            What::Has(Having::ChecksNone) if !without => self.filter.checks = Some(None),
            What::Has(Having::OpenComments) if !without => self.filter.unaddressed = true,
            What::After(moment) if !without => self.filter.since = Some(moment),
            What::Before(moment) if without => self.filter.since = Some(moment),
            What::After(moment) | What::Before(moment) => self.filter.before = Some(moment),
            What::Project => {
                let why = "“project:” is for the search over all projects";
                self.refuse("q", why.into());
            }
            What::Text(_) | What::By(_) | What::Has(_) | What::Message => {
                self.filter.said.push((without, term.clone()));
            }
        }
    }

    fn take_standing(&mut self, standing: Standing, without: bool, vocabulary: &Vocabulary) {
        let mut states = |open: bool| {
            let all = vocabulary.states.iter();
            let ids = all.filter(|state| state.action_required == open);
            self.filter.states = States::Among(ids.map(|state| state.id).collect());
        };
        match standing {
            Standing::Open => states(!without),
            Standing::Closed => states(without),
            Standing::Archived if without => self.filter.archive = Archive::No,
            Standing::Archived => self.filter.archive = Archive::Yes,
            Standing::Patch if !without => {}
            Standing::Cover | Standing::Comment if without => {}
            Standing::Patch | Standing::Cover | Standing::Comment => {
                self.refuse("q", "a list has patches only".into());
            }
        }
    }

    fn take_from(&mut self, who: &str, without: bool) {
        let submitter = self.submitter("q", who);
        match submitter {
            Some(Submitter::Account(id)) if without => self.filter.except.accounts.push(id),
            Some(_) if without => self.filter.except.submitters.push(who.to_owned()),
            Some(submitter) => self.filter.submitter = Some(submitter),
            None => {}
        }
    }

    fn take_delegate(&mut self, who: &str, without: bool) {
        match self.desk("q", who) {
            Some(desk) if without => self.filter.except.delegates.push(desk),
            Some(desk) => self.filter.delegate = Some(desk),
            None => {}
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

fn is_me(who: &str) -> bool {
    who.eq_ignore_ascii_case("me")
}

/// Returns what a page lists before its query is read.
fn start(place: Place) -> PatchFilter {
    match place {
        Place::Project(project) | Place::Todo(project) => PatchFilter {
            project: Some(project),
            ..PatchFilter::default()
        },
        Place::Bundle(bundle) => PatchFilter {
            bundle: Some(bundle),
            states: States::Any,
            archive: Archive::Both,
            ..PatchFilter::default()
        },
    }
}

fn order(query: &Query, place: Place) -> Order {
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
        _ if matches!(place, Place::Bundle(_)) => {
            return Order {
                key: OrderKey::Place,
                descending: false,
            };
        }
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

fn state(text: &str, vocabulary: &Vocabulary) -> Option<StateId> {
    store::search::state(text, &vocabulary.states)
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
        read(text, Place::Project(ProjectId(1)), None)
    }

    fn read(text: &str, place: Place, reader: Option<i64>) -> Listing {
        let reader = reader.map(UserId);
        Listing::of(&query(text), Ground { place, reader }, &vocabulary())
    }

    #[test]
    fn whoever_reads_it_is_me() {
        let place = Place::Project(ProjectId(1));
        let filter = |text| read(text, place, Some(7)).filter;
        let me = (
            Some(Submitter::Account(UserId(7))),
            Some(Delegate::User(UserId(7))),
        );
        for text in ["submitter=me&delegate=Me", "q=from:me delegate:me"] {
            assert_eq!(
                (filter(text).submitter, filter(text).delegate),
                me,
                "{text}"
            );
        }
        let except = filter("q=-from:me -delegate:me").except;
        assert_eq!(except.accounts, [UserId(7)]);
        assert_eq!(except.delegates, [Delegate::User(UserId(7))]);
    }

    #[test]
    fn what_waits_is_never_widened() {
        let filter = |text| read(text, Place::Todo(ProjectId(1)), Some(7)).filter;
        for (text, states) in [
            ("", States::ActionRequired),
            ("state=*&archive=both&delegate=4", States::ActionRequired),
            ("state=2&state=3", States::Among(vec![StateId(2)])),
            ("q=state:accepted", States::Among(vec![])),
        ] {
            let filter = filter(text);
            assert_eq!(filter.states, states, "{text}");
            assert_eq!(filter.archive, Archive::No, "{text}");
            assert_eq!(filter.delegate, Some(Delegate::User(UserId(7))), "{text}");
        }
    }

    #[test]
    fn a_bundle_is_shown_whole() {
        let read = |text| read(text, Place::Bundle(BundleId(3)), None);
        let all = read("delegate=4");
        assert_eq!(
            (all.filter.states, all.filter.archive),
            (States::Any, Archive::Both)
        );
        assert_eq!(
            (all.filter.bundle, all.filter.delegate),
            (Some(BundleId(3)), None)
        );
        assert_eq!(all.order.key, OrderKey::Place);
        assert_eq!(read("archive=no").filter.archive, Archive::No);
        assert_eq!(
            read("state=3").filter.states,
            States::Among(vec![StateId(3)])
        );
        assert_eq!(read("order=name").order.key, OrderKey::Name);
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
            "q=is:comment",
            "q=project:x",
            "q=a OR b",
            "q=form:ann",
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
    }

    #[test]
    fn a_search_asks_what_filters_ask() {
        let filter = |text| listing(text).filter;
        let among = |ids: &[i64]| States::Among(ids.iter().copied().map(StateId).collect());
        assert_eq!(filter("q=is:open").states, among(&[1, 2]));
        assert_eq!(filter("q=-is:open").states, among(&[3]));
        assert_eq!(filter("q=is:archived").archive, Archive::Yes);
        assert_eq!(filter("q=has:checks-none").checks, Some(None));
        assert!(filter("q=has:open-comments").unaddressed);
        let days = filter("q=after:1970-01-02 before:1970-01-03");
        assert_eq!(days.since, Some(Timestamp(86_400_000_000)));
        assert_eq!(days.before, Some(Timestamp(2 * 86_400_000_000)));
        let said = filter("q=file:a.c -diff:x -has:comments reviewed-by:ann").said;
        let said: Vec<String> = said
            .iter()
            .map(|(without, term)| format!("{without} {term}"))
            .collect();
        assert_eq!(
            said,
            [
                "false file:a.c",
                "true diff:x",
                "true has:comments",
                "false reviewed-by:ann"
            ]
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
