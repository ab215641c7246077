//! Lists of patches: every filter in every order gives what looking at all patches one by one gives, whichever way is taken.

use patchwork::{
    domain::{
        PatchId, PersonId, ProjectId, SeriesId, StateId, TagId, Timestamp, UserId,
        check::CheckState,
        filter::{Archive, Delegate, Order, OrderKey, PatchFilter, States, Submitter},
    },
    store::{
        Conn, Db, Kind,
        patch::{self, find::Stretch},
        sql, state, tally,
    },
};

/// More than are fetched and sorted (`extent.rs`), so that every way is taken.
const MANY: i64 = 4_000;

/// More than are looked through whatever is asked.
const LONG: i64 = 24_000;

/// What a filter and an order look at.
#[derive(sqlx::FromRow)]
struct Seen {
    id: i64,
    project_id: i64,
    state_id: i64,
    ordering: i64,
    archived: bool,
    date: Timestamp,
    name_key: String,
    submitter_id: i64,
    submitter: String,
    delegate_id: Option<i64>,
    delegate: Option<String>,
    series_id: Option<i64>,
    number: Option<i64>,
    is_open: bool,
    is_failed: bool,
    is_tagged: bool,
}

async fn run(conn: &mut Conn, text: &'static str) {
    sql(text).run(conn).await.expect("rows");
}

/// Patches in two projects, of people and on desks whose names are not in the order of their ids.
async fn fill(db: &Db, many: i64) {
    let mut tx = db.begin().await.expect("a transaction");
    let moment = match db.kind() {
        Kind::Sqlite => "1700000000000000 + (i * 7919 % 3000) * 1000000",
        Kind::Postgres => "to_timestamp(1700000000 + i * 7919 % 3000)",
    };
    run(&mut tx, "INSERT INTO project (linkname, name, list_id, list_email) VALUES ('one', 'one', 'one.example.org', 'one@example.org'), ('two', 'two', 'two.example.org', 'two@example.org')").await;
    run(&mut tx, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) INSERT INTO person (email, name, key) SELECT 'p' || i || '@example.org', NULL, ((i * 17) % 40) || ' p' || i || '@example.org' FROM n").await;
    for desk in ["Zoe", "ann", "Bob", "émile"] {
        let joined = sql(
            "INSERT INTO account (username, email, password, date_joined) VALUES ($1, '', '!', $2)",
        );
        let joined = joined.bind(desk).bind(Timestamp::from_seconds(0));
        joined.run(&mut tx).await.expect("an account");
    }
    run(
        &mut tx,
        "UPDATE person SET account_id = 2 WHERE id IN (3, 4)",
    )
    .await;
    let series = sql(
        "INSERT INTO series (project_id, submitter_id, name, date, version, total) VALUES (1, 1, 'set', $1, 1, 3)",
    );
    series
        .bind(Timestamp::from_seconds(0))
        .run(&mut tx)
        .await
        .expect("a series");
    let mut patches =
        sql("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ");
    patches.arg(many).push(") INSERT INTO patch (project_id, submitter_id, state_id, delegate_id, series_id, number, archived, date, msgid, name, name_key)
        SELECT CASE WHEN i % 40 = 0 THEN 2 ELSE 1 END, 1 + (i * 31) % 40, 1 + (i * 13) % 9,
               CASE WHEN i % 3 = 0 THEN 1 + (i / 3) % 4 END, CASE WHEN i <= 3 THEN 1 END, CASE WHEN i <= 3 THEN 4 - i END, i % 7 = 0, ");
    patches.push(moment).push(", '<' || i || '@example.org>', 'Name ' || i, 'thing ' || ((i * 37) % 500) || CASE WHEN i % 900 = 1 THEN ' \"rare\" %' ELSE '' END FROM n");
    patches.run(&mut tx).await.expect("patches");
    let mut comments = sql("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO comment (patch_id, submitter_id, addressed, date, msgid)
        SELECT i * 3, 1, CASE WHEN i % 20 = 0 THEN FALSE WHEN i % 3 = 0 THEN TRUE END, ");
    comments
        .push(moment)
        .push(", '<c' || i || '@example.org>' FROM n");
    comments.run(&mut tx).await.expect("comments");
    let mut checks = sql("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO patch_check (patch_id, account_id, date, state, context)
        SELECT i * 2, 1, ");
    checks
        .push(moment)
        .push(", CASE WHEN i % 10 = 0 THEN 3 ELSE 1 END, 'build' FROM n");
    checks.run(&mut tx).await.expect("checks");
    if many == LONG {
        // More than are fetched and sorted, here too.
        const MANY_MARKS: &str =
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4500) ";
        let mut comments = sql(MANY_MARKS);
        comments.push("INSERT INTO comment (patch_id, submitter_id, addressed, date, msgid) SELECT i * 4, 1, FALSE, ");
        comments
            .push(moment)
            .push(", '<d' || i || '@example.org>' FROM n");
        comments.run(&mut tx).await.expect("comments");
        let mut checks = sql(MANY_MARKS);
        checks.push("INSERT INTO patch_check (patch_id, account_id, date, state, context) SELECT i * 5, 1, ");
        checks.push(moment).push(", 3, 'style' FROM n");
        checks.run(&mut tx).await.expect("checks");
    }
    run(&mut tx, "INSERT INTO patch_tag (patch_id, tag_id, count) SELECT id, 2, 1 FROM patch WHERE id % 50 = 0").await;
    tally::recount(&mut tx).await.expect("counts");
    tx.commit().await.expect("a commit");
}

async fn all(conn: &mut Conn) -> Vec<Seen> {
    sql("SELECT p.id, p.project_id, p.state_id, st.ordering, p.archived, p.date, p.name_key, p.submitter_id, pe.key AS submitter,
                p.delegate_id, d.username AS delegate, p.series_id, p.number,
                EXISTS (SELECT 1 FROM comment c WHERE c.patch_id = p.id AND c.addressed = FALSE) AS is_open,
                EXISTS (SELECT 1 FROM patch_check c WHERE c.patch_id = p.id AND c.state = 3) AS is_failed,
                EXISTS (SELECT 1 FROM patch_tag t WHERE t.patch_id = p.id) AS is_tagged
           FROM patch p JOIN state st ON st.id = p.state_id JOIN person pe ON pe.id = p.submitter_id LEFT JOIN account d ON d.id = p.delegate_id")
        .all(conn).await.expect("patches")
}

/// What a filter asks, and how somebody who looks at each patch would decide.
type Case = (&'static str, PatchFilter, fn(&Seen) -> bool);

fn cases() -> Vec<Case> {
    let any = || PatchFilter {
        project: Some(ProjectId(1)),
        states: States::Any,
        archive: Archive::Both,
        ..PatchFilter::default()
    };
    let usual = || PatchFilter {
        project: Some(ProjectId(1)),
        ..PatchFilter::default()
    };
    fn is_usual(p: &Seen) -> bool {
        !p.archived && p.state_id <= 2
    }
    vec![
        ("usual", usual(), is_usual),
        ("all", any(), |_| true),
        (
            "put away",
            PatchFilter {
                archive: Archive::Yes,
                ..any()
            },
            |p| p.archived,
        ),
        (
            "two states",
            PatchFilter {
                states: States::Among(vec![StateId(5), StateId(3)]),
                ..any()
            },
            |p| [3, 5].contains(&p.state_id),
        ),
        (
            "no state",
            PatchFilter {
                states: States::Among(vec![]),
                ..any()
            },
            |_| false,
        ),
        (
            "nobody's",
            PatchFilter {
                delegate: Some(Delegate::Nobody),
                ..any()
            },
            |p| p.delegate_id.is_none(),
        ),
        (
            "a desk",
            PatchFilter {
                delegate: Some(Delegate::User(UserId(3))),
                ..any()
            },
            |p| p.delegate_id == Some(3),
        ),
        (
            "desks by name",
            PatchFilter {
                delegate: Some(Delegate::Matching("o".into())),
                ..any()
            },
            |p| [Some(1), Some(3)].contains(&p.delegate_id),
        ),
        (
            "a desk, usual",
            PatchFilter {
                delegate: Some(Delegate::User(UserId(1))),
                ..usual()
            },
            |p| is_usual(p) && p.delegate_id == Some(1),
        ),
        (
            "a person",
            PatchFilter {
                submitter: Some(Submitter::Person(PersonId(3))),
                ..any()
            },
            |p| [3, 4].contains(&p.submitter_id),
        ),
        (
            "people by name",
            PatchFilter {
                submitter: Some(Submitter::Matching("P1".into())),
                ..any()
            },
            |p| p.submitter.contains("p1"),
        ),
        (
            "people by name, usual",
            PatchFilter {
                submitter: Some(Submitter::Matching("P1".into())),
                ..usual()
            },
            |p| is_usual(p) && p.submitter.contains("p1"),
        ),
        (
            "everybody by name",
            PatchFilter {
                submitter: Some(Submitter::Matching("example".into())),
                ..any()
            },
            |_| true,
        ),
        (
            "a series",
            PatchFilter {
                series: Some(SeriesId(1)),
                ..any()
            },
            |p| p.series_id == Some(1),
        ),
        (
            "frequent word",
            PatchFilter {
                words: vec!["Thing".into()],
                ..any()
            },
            |_| true,
        ),
        (
            "rare word",
            PatchFilter {
                words: vec!["\"Rare\" %".into()],
                ..any()
            },
            |p| p.name_key.contains("rare"),
        ),
        (
            "both words",
            PatchFilter {
                words: vec!["hing 1".into(), "rare".into()],
                ..any()
            },
            |p| p.name_key.contains("rare") && p.name_key.contains("hing 1"),
        ),
        (
            "short word",
            PatchFilter {
                words: vec!["g1".into()],
                ..any()
            },
            |p| p.name_key.contains("g1"),
        ),
        (
            "word found nowhere",
            PatchFilter {
                words: vec!["nowhere".into()],
                ..any()
            },
            |_| false,
        ),
        (
            "without a word",
            PatchFilter {
                without: vec!["rare".into()],
                ..any()
            },
            |p| !p.name_key.contains("rare"),
        ),
        (
            "open comments",
            PatchFilter {
                unaddressed: true,
                ..any()
            },
            |p| p.is_open,
        ),
        (
            "failed",
            PatchFilter {
                checks: Some(Some(CheckState::Fail)),
                ..any()
            },
            |p| p.is_failed,
        ),
        (
            "tagged",
            PatchFilter {
                tag: Some((TagId(2), 1)),
                ..any()
            },
            |p| p.is_tagged,
        ),
    ]
}

/// The order of `web.md §6.2`, by comparing.
fn ordered(mut seen: Vec<&Seen>, order: Order) -> Vec<i64> {
    let direction = |ordering: std::cmp::Ordering, descending: bool| match descending {
        true => ordering.reverse(),
        false => ordering,
    };
    seen.sort_by(|a, b| {
        let desk = |p: &Seen| p.delegate.as_ref().map(|name| name.to_lowercase());
        let (last, by) = match order.key {
            OrderKey::Date => ((false, false), a.date.cmp(&b.date)),
            OrderKey::Name => ((false, false), a.name_key.cmp(&b.name_key)),
            OrderKey::State => ((false, false), a.ordering.cmp(&b.ordering)),
            OrderKey::Submitter => ((false, false), a.submitter.cmp(&b.submitter)),
            OrderKey::Delegate => (
                (desk(a).is_none(), desk(b).is_none()),
                desk(a).cmp(&desk(b)),
            ),
            OrderKey::Number => (
                (a.number.is_none(), b.number.is_none()),
                a.number.cmp(&b.number),
            ),
            OrderKey::Place => unreachable!("of bundles only"),
        };
        let ties = match order.key {
            OrderKey::Date | OrderKey::Number => order.descending,
            _ => !order.descending,
        };
        last.0
            .cmp(&last.1)
            .then(direction(by, order.descending))
            .then(direction((a.date, a.id).cmp(&(b.date, b.id)), ties))
    });
    seen.into_iter().map(|p| p.id).collect()
}

on_both! {
    async fn every_filter_in_every_order_finds_the_same(db: Db) {
        fill(&db, MANY).await;
        let mut conn = db.reader().await.expect("a reader");
        let states = state::vocabulary(&mut conn).await.expect("states").states;
        let seen = all(&mut conn).await;
        let keys = [OrderKey::Date, OrderKey::Name, OrderKey::State, OrderKey::Submitter, OrderKey::Delegate, OrderKey::Number];
        for (name, filter, is_asked) in cases() {
            let wanted: Vec<&Seen> = seen.iter().filter(|p| p.project_id == 1 && is_asked(p)).collect();
            for (key, descending) in keys.into_iter().flat_map(|key| [(key, false), (key, true)]) {
                let order = Order { key, descending };
                let expected = ordered(wanted.clone(), order);
                for offset in [0, 1, 100, expected.len() / 2, expected.len().saturating_sub(5), expected.len()] {
                    let stretch = Stretch { limit: 7, offset: offset as i64 };
                    let (extent, rows) = patch::list::stretch(&mut conn, &filter, order, &states, stretch).await.expect(name);
                    match extent.more {
                        true => assert!(extent.total < wanted.len() as i64, "{name}"),
                        false => assert_eq!(extent.total, wanted.len() as i64, "{name}"),
                    }
                    let ids: Vec<i64> = rows.iter().map(|row| row.id.0).collect();
                    // Behind the last page is the last page.
                    let offset = if offset < expected.len() { offset } else { expected.len().saturating_sub(1) / 7 * 7 };
                    let expected: Vec<i64> = expected.iter().copied().skip(offset).take(7).collect();
                    assert_eq!(ids, expected, "{name}, {order:?}, from {offset}");
                }
            }
            let mut every: Vec<PatchId> = wanted.iter().map(|p| PatchId(p.id)).collect();
            every.sort();
            let ids = patch::find::all(&mut conn, &filter, &states, MANY).await.expect(name);
            assert_eq!(ids, every, "{name}");
        }
    }

}

on_both! {
    async fn long_lists_are_read_along_their_dates(db: Db) {
        fill(&db, LONG).await;
        let mut conn = db.reader().await.expect("a reader");
        let states = state::vocabulary(&mut conn).await.expect("states").states;
        let seen = all(&mut conn).await;
        for (name, filter, is_asked) in cases() {
            let wanted: Vec<&Seen> = seen.iter().filter(|p| p.project_id == 1 && is_asked(p)).collect();
            let keys = [OrderKey::Date, OrderKey::Delegate];
            for (key, descending) in keys.into_iter().flat_map(|key| [(key, false), (key, true)]) {
                let order = Order { key, descending };
                let stretch = Stretch { limit: 20, offset: 3 };
                let (_, rows) = patch::list::stretch(&mut conn, &filter, order, &states, stretch).await.expect(name);
                let ids: Vec<i64> = rows.iter().map(|row| row.id.0).collect();
                // Behind the last page is the last page.
                let offset = if wanted.len() > 3 { 3 } else { 0 };
                let expected: Vec<i64> = ordered(wanted.clone(), order).into_iter().skip(offset).take(20).collect();
                assert_eq!(ids, expected, "{name}, {order:?}");
            }
        }
    }
}
