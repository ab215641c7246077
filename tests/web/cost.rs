//! What pages cost: how many statements each kind takes, for visitors and for a maintainer, however much there is.

use patchwork::store::{Db, Kind};
use rocket::local::asynchronous::Client;

use super::{
    people::browser,
    seed::{self, Patch},
    weight,
};

/// Addresses, and how many statements each takes for a visitor and for a maintainer, who costs three more to know
/// (session, rights, what waits) and two for what the bar below a table offers. `None` where another page is shown; a page
/// that asks nothing itself tells of no statements.
const COSTS: [(&str, [Option<u32>; 2]); 39] = [
    ("/", [Some(1), Some(4)]),
    ("/?q=deferred", [Some(1), Some(4)]),
    ("/project/one/", [Some(6), Some(9)]),
    ("/project/one/list/", [Some(8), Some(13)]),
    ("/project/one/list/?view=flat", [Some(8), Some(13)]),
    (
        "/project/one/list/?page=2&order=-submitter",
        [Some(8), Some(13)],
    ),
    ("/project/one/list/?q=pa", [Some(8), Some(13)]),
    (
        "/project/one/list/?q=-from:bob&checks=none",
        [Some(8), Some(13)],
    ),
    (
        "/project/one/list/?comments=unaddressed",
        [Some(8), Some(13)],
    ),
    (
        "/project/one/list/?submitter=nobody-at-all",
        [Some(7), Some(12)],
    ),
    ("/project/one/list/?format=atom", [Some(8), Some(13)]),
    ("/project/one/feed.atom", [Some(8), Some(13)]),
    ("/project/one/patch/first@h/", [Some(9), Some(14)]),
    ("/project/one/patch/first@h/raw/", [Some(2), Some(5)]),
    ("/project/one/patch/first@h/mbox/", [Some(3), Some(6)]),
    ("/project/one/cover/1@h/", [Some(9), Some(14)]),
    ("/project/one/series/1/", [Some(10), Some(16)]),
    ("/series/1/mbox/", [Some(4), Some(7)]),
    ("/project/one/people/1/", [Some(7), Some(10)]),
    ("/bundle/mara/all/", [Some(6), Some(12)]),
    ("/bundle/mara/all/mbox/", [Some(4), Some(7)]),
    ("/project/one/bundles/", [None, Some(5)]),
    ("/user/bundles/", [None, Some(5)]),
    ("/user/todo/?all=1", [None, Some(16)]),
    ("/user/todo/one/", [None, Some(11)]),
    ("/user/", [None, Some(6)]),
    ("/user/addresses/", [None, Some(6)]),
    ("/user/display/", [None, Some(0)]),
    ("/user/tokens/", [None, Some(4)]),
    ("/user/account/", [None, Some(0)]),
    ("/user/second-factor/", [None, Some(3)]),
    ("/user/link/", [None, Some(0)]),
    ("/user/login/", [Some(0), None]),
    ("/project/one/filter/?q=x", [None, Some(5)]),
    ("/search/", [Some(1), Some(4)]),
    ("/search/help/", [Some(0), Some(0)]),
    ("/search/?q=pa+state:new", [Some(4), Some(8)]),
    ("/submitter/?q=ann", [Some(1), Some(4)]),
    ("/delegate/?q=mar&project=one", [Some(2), Some(5)]),
];

pub async fn pages_cost_the_same_however_much_there_is(db: &Db) {
    let project = seed::project(db, "one").await;
    seed::project(db, "two").await;
    let mara = seed::user(db, "mara", Some(project)).await;
    let cover = seed::cover(db, project, "<1@h>", "[0/1] few").await;
    let series = seed::series(db, project, "few", 1, Some(cover)).await;
    let first = Patch {
        project,
        msgid: "<first@h>",
        delegate: Some(mara),
        series: Some((series, 1)),
        ..Patch::default()
    };
    let first = seed::patch(db, first).await;
    seed::comment(db, Some(first), None, "<why@h>", "Why?\n").await;
    let site = seed::site(db, |_| {}).await;
    costs(db, &site, mara, "with a patch").await;
    weight::queue(db, project, mara).await;
    costs(db, &site, mara, "with a hundred").await;
}

async fn costs(db: &Db, site: &Client, mara: i64, when: &str) {
    let mut wrong = Vec::new();
    for (at, user) in [None, Some(mara)].into_iter().enumerate() {
        let browser = browser(site, db, user).await;
        for (path, costs) in COSTS {
            let page = browser.get(path).await;
            let found = (page.status == 200).then(|| page.statements());
            // What is not there yet, or leads elsewhere.
            // PostgreSQL is asked first how rare the words are.
            let more = u32::from(path.contains("/search/?q=") && db.kind() == Kind::Postgres);
            let expected = found.and(costs[at]).map(|cost| cost + more);
            if found != expected {
                wrong.push(format!(
                    "{path} {when}, {user:?}: {found:?}, not {expected:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
