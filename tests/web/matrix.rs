//! Who may write what: every address that takes forms, tried by everybody. Who may not leaves the database as it was,
//! byte by byte; an address without a row here fails.

use std::collections::BTreeSet;

use patchwork::{
    auth,
    domain::{BundleId, PatchId, ProjectId, Timestamp, UserId, review::Subject},
    store::{
        self, Db,
        dump::{Options, Place, TABLES},
        sql,
    },
};
use rocket::{http::Method, local::asynchronous::Client};

use super::{
    admin,
    browser::Browser,
    letters,
    people::{World, browser, world},
    second_factor,
    seed::{self, Seen},
    unsubscribe,
};

const PASSWORD: &str = "low-tide-at-noon";
/// The password after it was changed.
const CHANGED: &str = "spring tide at dawn";

/// Who tries, in the order of the letters of a row. A clerk is staff with permissions for states.
const ROLES: [&str; 8] = [
    "anonymous",
    "user",
    "submitter",
    "delegate",
    "maintainer",
    "staff",
    "superuser",
    "clerk",
];

/// An address that takes forms, a form for it, and what becomes of it by who sends it:
///
/// - `L` sent to the login,
/// - `F` forbidden,
/// - `N` told that there is nothing,
/// - `G` gone,
/// - `I` refused as invalid,
/// - `P` answered by a page,
/// - `S` taken, but nothing has changed,
/// - `D` done: something has changed,
/// - `E` done, with sessions only.
struct Row {
    route: &'static str,
    path: String,
    form: Vec<(&'static str, String)>,
    fates: &'static str,
}

/// What there is to write to: the world of people, and things of the user's and of the submitter's.
struct Things {
    world: World,
    clerk: i64,
    series: i64,
    on_patch: i64,
    on_cover: i64,
    public: BundleId,
    private: BundleId,
    undo: String,
    confirm: String,
    person: i64,
    token: i64,
    session: String,
    filter: i64,
    claim: i64,
    decision: String,
}

async fn bundle(db: &Db, world: &World, name: &str, public: bool) -> BundleId {
    let mut tx = db.begin().await.expect("a transaction");
    let (owner, project) = (UserId(world.user), ProjectId(world.one));
    let bundle = store::bundle::insert(&mut tx, owner, project, name, public)
        .await
        .expect("a bundle");
    let patches = [PatchId(world.patch), PatchId(world.other)];
    store::bundle::append(&mut tx, bundle, &patches)
        .await
        .expect("patches");
    tx.commit().await.expect("a commit");
    bundle
}

/// Has somebody promise to review a patch.
async fn claimed(db: &Db, user: i64, patch: i64) -> i64 {
    let now = Timestamp::now();
    let mut tx = db.begin().await.expect("a transaction");
    let (subject, ends) = (Subject::Patch(PatchId(patch)), now.plus_minutes(60));
    store::review::insert(&mut tx, subject, UserId(user), now, ends)
        .await
        .expect("a promise");
    tx.commit().await.expect("a commit");
    letters::count(db, "SELECT id FROM review_claim").await
}

async fn things(db: &Db, site: &Client) -> Things {
    let world = world(db).await;
    let clerk = admin::staff(
        db,
        "clerk",
        &[
            "patchwork.view_state",
            "patchwork.add_state",
            "patchwork.change_state",
            "patchwork.delete_state",
        ],
    )
    .await;
    let hash = auth::hash_password(PASSWORD).expect("a hash");
    admin::run(db, sql("UPDATE account SET password = $1").bind(hash)).await;
    let cover = seed::cover(db, world.one, "<0@h>", "[0/1] letter").await;
    let series = seed::series(db, world.one, "letter", 1, Some(cover)).await;
    let on_patch = seed::comment(db, Some(world.patch), None, "<c1@h>", "do this").await;
    let on_cover = seed::comment(db, None, Some(cover), "<c2@h>", "and that").await;
    let public = bundle(db, &world, "open", true).await;
    let private = bundle(db, &world, "own", false).await;
    letters::run(
        db,
        "INSERT INTO person (email, name, key, account_id) SELECT 'second@example.org', 'U', 'u', id FROM account WHERE username = 'user'",
    )
    .await;
    let person = "SELECT id FROM person WHERE email = 'second@example.org'";
    let person = letters::count(db, person).await;
    let user = Browser::of(site, db, world.user).await;
    Browser::of(site, db, world.user).await;
    let page = user.get("/user/tokens/").await;
    let session = page
        .values("#sessions td input[name=session]", "value")
        .remove(0);
    user.submit("/user/generate-token/", &[]).await;
    let token = letters::count(db, "SELECT id FROM token").await;
    user.submit("/user/link/", &[("email", "third@example.org")])
        .await;
    let confirm = letters::last(db).await.path("http://example.com/confirm/");
    let mara = Browser::of(site, db, world.mara).await;
    let tick = format!("patch_id:{}", world.other);
    let change = [(tick.as_str(), "on"), ("action", "update"), ("state", "2")];
    let page = mara.submit("/project/one/list/", &change).await;
    let undo = page.values("#notices form", "action").remove(0);
    second_factor::equip(db, world.user).await;
    unsubscribe::mailed(db).await;
    admin::recount(db).await;
    let mut tx = db.begin().await.expect("a transaction");
    store::saved::insert(
        &mut tx,
        ProjectId(world.one),
        None,
        "open",
        "state=1",
        seed::day(1),
    )
    .await
    .expect("a filter");
    tx.commit().await.expect("a commit");
    let filter = letters::count(db, "SELECT id FROM saved_filter").await;
    let claim = claimed(db, world.user, world.foreign).await;
    let decision = letters::count(
        db,
        "SELECT max(id) FROM event WHERE category = 'patch-state-changed'",
    )
    .await;
    Things {
        world,
        clerk,
        series,
        on_patch,
        on_cover,
        public,
        private,
        undo,
        confirm,
        person,
        token,
        session,
        filter,
        claim,
        decision: decision.to_string(),
    }
}

impl Things {
    fn somebody(&self, role: usize) -> Option<i64> {
        match role {
            7 => Some(self.clerk),
            role => self.world.everybody()[role].1,
        }
    }

    /// Changes the state of the first patch as lists do.
    fn bulk(&self, state: &str) -> Vec<(&'static str, String)> {
        let tick: &'static str = format!("patch_id:{}", self.world.patch).leak();
        fields(&[
            (tick, "on"),
            ("form", "patch-list-form"),
            ("action", "update"),
            ("state", state),
        ])
    }

    /// All rows. Each leaves what the others need, so that one may try them all, one after the other.
    fn rows(&self) -> Vec<Row> {
        [
            self.tables(),
            self.patches(),
            self.bundles(),
            self.accounts(),
            self.visitors(),
            self.console(),
            self.leaving(),
        ]
        .concat()
        .into_iter()
        .map(|(route, path, form, fates)| Row {
            route,
            path,
            form,
            fates,
        })
        .collect()
    }

    fn tables(&self) -> Vec<Written> {
        let series = format!("/project/one/series/{}/", self.series);
        vec![
            row(
                "/project/<linkname>/list",
                "/project/one/list/",
                self.bulk("3"),
                "LSDDDSSS",
            ),
            row(
                "/project/<linkname>/series/<id>",
                &series,
                self.bulk("4"),
                "LSDDDSSS",
            ),
            row(
                "/project/<linkname>/cover/<_..>",
                "/project/one/cover/0@h/",
                self.bulk("5"),
                "LSDDDSSS",
            ),
            row("/user/todo", "/user/todo/", self.bulk("6"), "LSDDDSSS"),
            row(
                "/user/todo/<linkname>",
                "/user/todo/one/",
                self.bulk("7"),
                "LSDDDSSS",
            ),
            row(
                "/bundle/<username>/<name>",
                "/bundle/user/open/",
                self.bulk("8"),
                "LSDDDSSS",
            ),
            row(
                "/project/<linkname>/list",
                "/project/one/list/",
                fields(&[("action", "create"), ("name", "from a list")]),
                "LDDDDDDD",
            ),
            row(
                "/project/<linkname>/filter",
                "/project/one/filter/",
                fields(&[("name", "mine"), ("query", "state=1")]),
                "LDDDDDDD",
            ),
            row(
                "/project/<linkname>/filter",
                "/project/one/filter/",
                fields(&[("name", "ours"), ("query", "state=1"), ("whose", "project")]),
                "LFFFDFFF",
            ),
            row(
                "/project/<linkname>/filter/<id>",
                &format!("/project/one/filter/{}/", self.filter),
                Vec::new(),
                "LFFFDFFF",
            ),
            row(
                "/project/<linkname>/list",
                "/project/one/list/",
                fields(&[
                    (format!("patch_id:{}", self.world.foreign).leak(), "on"),
                    ("action", "add"),
                    ("bundle_id", &self.public.to_string()),
                ]),
                "LDIIIIII",
            ),
        ]
    }

    fn patches(&self) -> Vec<Written> {
        let patch = "/project/<linkname>/patch/<_..>";
        let comment = |id: i64| format!("/comment/{id}/");
        let (public, addressed) = (self.public.to_string(), fields(&[("addressed", "true")]));
        vec![
            row(
                patch,
                "/project/one/patch/1@h/",
                fields(&[("action", "update"), ("state", "2"), ("archived", "on")]),
                "LFDDDFFF",
            ),
            row(
                patch,
                "/project/one/patch/1@h/",
                fields(&[("action", "create"), ("name", "from a patch")]),
                "LDDDDDDD",
            ),
            row(
                patch,
                "/project/two/patch/3@h/",
                fields(&[("action", "add"), ("bundle_id", &public)]),
                // The one whose bundle it is has added it above.
                "LSIIIIII",
            ),
            row(
                patch,
                "/project/two/patch/3@h/",
                fields(&[("state", "3")]),
                "LFFFFFFF",
            ),
            row(
                "/comment/<id>",
                &comment(self.on_patch),
                addressed.clone(),
                "LFDDDFFF",
            ),
            row(
                "/comment/<id>",
                &comment(self.on_cover),
                addressed,
                "LFDFDFFF",
            ),
            row(
                "/comment/<id>",
                &comment(self.on_patch),
                fields(&[("addressed", "")]),
                "LFFFDFFF",
            ),
            row(
                "/undecide",
                "/undecide/",
                fields(&[("event", &self.decision)]),
                "LSSSDSSS",
            ),
            row("/undo/<id>", &self.undo, Vec::new(), "LSSSDSSS"),
            row(
                "/user/replies-seen",
                "/user/replies-seen/",
                fields(&[("newest", &self.on_patch.to_string())]),
                "LDDDDDDD",
            ),
            row(
                "/review/patch/<id>",
                &format!("/review/patch/{}/", self.world.patch),
                fields(&[("days", "3")]),
                // Archived above by those who may.
                "LDFSSDDD",
            ),
            row(
                "/review/series/<id>",
                &format!("/review/series/{}/", self.series),
                fields(&[("days", "3")]),
                // There is nothing in it.
                "LSFSSSSS",
            ),
            // In a project that none of them maintains.
            row(
                "/review/end/<id>",
                &format!("/review/end/{}/", self.claim),
                Vec::new(),
                "LDFFFFFF",
            ),
        ]
    }

    fn bundles(&self) -> Vec<Written> {
        let page = "/bundle/<username>/<name>";
        let (one, last) = (self.world.one.to_string(), self.world.other.to_string());
        let first = self.world.patch.to_string();
        let create = |name| {
            fields(&[
                ("form_name", "createbundleform"),
                ("name", name),
                ("project", &one),
            ])
        };
        let delete = |bundle: BundleId| {
            let id = bundle.to_string();
            fields(&[("form_name", "deletebundleform"), ("bundle_id", &id)])
        };
        let settings = |name| {
            fields(&[
                ("form", "bundle"),
                ("action", "update"),
                ("name", name),
                ("description", "changed"),
            ])
        };
        let order = fields(&[
            ("form", "reorder-form"),
            ("neworder", &last),
            ("neworder", &first),
        ]);
        vec![
            row(page, "/bundle/user/open/", order, "LDNNNNNN"),
            row(page, "/bundle/user/open/", settings("open"), "LDNNNNNN"),
            // That there is a private one is told to nobody.
            row(page, "/bundle/user/own/", settings("own"), "NDNNNNNN"),
            row("/user/bundles", "/user/bundles/", create("a"), "LDDDDDDD"),
            row(
                "/project/<linkname>/bundles",
                "/project/one/bundles/",
                create("b"),
                "LDDDDDDD",
            ),
            row(
                "/user/bundles",
                "/user/bundles/",
                delete(self.private),
                "LDNNNNNN",
            ),
            row(
                "/project/<linkname>/bundles",
                "/project/one/bundles/",
                delete(self.public),
                // Made private above by its owner.
                "LDNNNNNN",
            ),
        ]
    }

    fn accounts(&self) -> Vec<Written> {
        let unlink = format!("/user/unlink/{}/", self.person);
        let (token, session) = (self.token.to_string(), self.session.as_str());
        vec![
            row(
                "/user",
                "/user/",
                fields(&[("items_per_page", "7"), ("first_name", "A")]),
                "LDDDDDDD",
            ),
            row(
                "/user/link",
                "/user/link/",
                fields(&[("email", "new@example.org")]),
                "LDDDDDDD",
            ),
            row("/confirm/<key>", &self.confirm, Vec::new(), "LDFFFFFF"),
            row("/user/unlink/<id>", &unlink, Vec::new(), "LDNNNNNN"),
            row(
                "/user/revoke-token",
                "/user/revoke-token/",
                fields(&[("id", &token)]),
                "LDNNNNNN",
            ),
            row(
                "/user/generate-token",
                "/user/generate-token/",
                Vec::new(),
                "LDDDDDDD",
            ),
            row(
                "/user/sessions/end",
                "/user/sessions/end/",
                fields(&[("session", session)]),
                "LENNNNNN",
            ),
            row(
                "/user/addresses",
                "/user/addresses/",
                fields(&[("new_email", "other@example.org"), ("password", PASSWORD)]),
                "LDDDDDDD",
            ),
            row(
                "/user/display",
                "/user/display/",
                fields(&[("theme", "dark"), ("time_zone", "Europe/Berlin")]),
                "LDDDDDDD",
            ),
            // The user has one, the others no code to begin with.
            row(
                "/user/second-factor",
                "/user/second-factor/",
                fields(&[
                    ("secret", &"A".repeat(32)),
                    ("code", "x"),
                    ("password", PASSWORD),
                ]),
                "LSIIIIII",
            ),
            row(
                "/user/second-factor/codes",
                "/user/second-factor/codes/",
                // Without a code of the device.
                fields(&[("password", PASSWORD)]),
                "LISSSSSS",
            ),
            row(
                "/user/second-factor/end",
                "/user/second-factor/end/",
                fields(&[("password", PASSWORD)]),
                "LISSSSSS",
            ),
        ]
    }

    /// What takes no account, and the way out.
    fn visitors(&self) -> Vec<Written> {
        let email = |email| fields(&[("email", email)]);
        vec![
            row("/mail", "/mail/", email("x@example.org"), "PPPPPPPP"),
            row(
                "/mail/optout",
                "/mail/optout/",
                email("x@example.org"),
                "DDDDDDDD",
            ),
            // The key is the proof, whoever has it.
            row(
                "/mail/unsubscribe/<key>",
                &format!("/mail/unsubscribe/{}/", unsubscribe::KEY),
                Vec::new(),
                "PPPPPPPP",
            ),
            // Only those who left come back.
            row(
                "/mail/optin",
                "/mail/optin/",
                email("y@example.org"),
                "IIIIIIII",
            ),
            row(
                "/register",
                "/register/",
                fields(&[
                    ("username", "new"),
                    ("email", "new1@example.org"),
                    ("password", PASSWORD),
                ]),
                "DDDDDDDD",
            ),
            row(
                "/user/password-reset",
                "/user/password-reset/",
                email("staff@example.org"),
                "DDDDDDDD",
            ),
            row(
                "/user/password-reset/<uid>/<token>",
                "/user/password-reset/MQ/set-password/",
                fields(&[("new_password1", PASSWORD), ("new_password2", PASSWORD)]),
                "GGGGGGGG",
            ),
            row(
                "/user/login",
                "/user/login/",
                fields(&[("username", "user"), ("password", "wrong")]),
                "IIIIIIII",
            ),
            // Without a password before it, a code leads to the login.
            row(
                "/user/login/code",
                "/user/login/code/",
                fields(&[("code", "000000")]),
                "SSSSSSSS",
            ),
            row("/user/logout", "/user/logout/", Vec::new(), "EEEEEEEE"),
        ]
    }

    fn console(&self) -> Vec<Written> {
        let state = fields(&[
            ("name", "Parked"),
            ("slug", "parked"),
            ("ordering", "77"),
            ("color", "#ffffff"),
        ]);
        let confirmed = fields(&[("action", "delete"), ("id", "9"), ("confirmed", "1")]);
        vec![
            row(
                "/project/<linkname>/settings",
                "/project/one/settings/",
                fields(&[("action", "addresses"), ("web_url", "https://h.example/")]),
                "LFFFDFFF",
            ),
            row(
                "/admin/<app>/<name>/<id>",
                "/admin/patchwork/state/add/",
                state,
                "LFFFFFDD",
            ),
            row(
                "/admin/<app>/<name>/<id>",
                "/admin/patchwork/project/add/",
                fields(&[
                    ("linkname", "new"),
                    ("name", "New"),
                    ("list_id", "new.example.org"),
                    ("list_email", "new@example.org"),
                ]),
                "LFFFFFDF",
            ),
            row(
                "/admin/<app>/<name>/<id>/<page>",
                "/admin/patchwork/state/10/delete/",
                fields(&[("confirmed", "1")]),
                "LFFFFFDD",
            ),
            row(
                "/admin/<app>/<name>/<id>/<page>",
                "/admin/patchwork/tag/1/delete/",
                fields(&[("confirmed", "1")]),
                "LFFFFFDF",
            ),
            row(
                "/admin/<app>/<name>/<id>/<page>",
                "/admin/patchwork/tag/2/change/",
                Vec::new(),
                "LFFFFFIF",
            ),
            row(
                "/admin/<app>/<name>/<id>/<page>",
                "/admin/patchwork/project/1/do/",
                Vec::new(),
                "LFFFFFSF",
            ),
            row(
                "/admin/<app>/<name>",
                "/admin/patchwork/state/",
                confirmed,
                "LFFFFFDD",
            ),
        ]
    }

    /// What leaves nothing for the others.
    fn leaving(&self) -> Vec<Written> {
        vec![
            row(
                "/user/password-change",
                "/user/password-change/",
                fields(&[
                    ("old_password", PASSWORD),
                    ("new_password1", CHANGED),
                    ("new_password2", CHANGED),
                ]),
                "LDDDDDDD",
            ),
            // The last superuser stays.
            row(
                "/user/delete",
                "/user/delete/",
                fields(&[("password", CHANGED)]),
                "LDDDDDID",
            ),
        ]
    }
}

type Written = (
    &'static str,
    String,
    Vec<(&'static str, String)>,
    &'static str,
);

fn row(
    route: &'static str,
    path: &str,
    form: Vec<(&'static str, String)>,
    fates: &'static str,
) -> Written {
    (route, path.to_owned(), form, fates)
}

fn fields(fields: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let owned = fields
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    owned.collect()
}

/// Everything the database holds, but for sessions, which every visit moves on, and counts of tries.
async fn contents(db: &Db) -> Vec<String> {
    let mut conn = db.reader().await.expect("a reader");
    let mut lines = Vec::new();
    for table in TABLES {
        if matches!(table.name, "session" | "throttle") {
            continue;
        }
        let options = Options {
            stable: false,
            secrets: true,
            whole: false,
        };
        let mut place = Place::default();
        loop {
            let page = table.page(&mut conn, &mut place, options).await;
            let page = page.expect("rows");
            if page.is_empty() {
                break;
            }
            lines.extend(
                page.into_iter()
                    .map(|line| format!("{} {line}", table.name)),
            );
        }
    }
    lines
}

/// Returns the letter of what became of a form.
fn fate(seen: &Seen, changed: bool) -> char {
    let login = seen.header("Location").starts_with("/user/login/?next=/");
    match (seen.status, changed) {
        (302, false) if login => 'L',
        (403, false) => 'F',
        (404, false) => 'N',
        (410, false) => 'G',
        (422, false) => 'I',
        (200, _) => 'P',
        (303, true) => 'D',
        (303, false) => 'S',
        _ => '?',
    }
}

/// Has one of the roles try everything.
pub async fn tried(db: &Db, role: usize) {
    let site = seed::site(db, |options| options.rest_api = true).await;
    let things = things(db, &site).await;
    let rows = things.rows();
    let mut browsers = Vec::new();
    for _ in &rows {
        browsers.push(browser(&site, db, things.somebody(role)).await);
    }
    let (mut wrong, mut before) = (Vec::new(), contents(db).await);
    for (row, kept) in rows.iter().zip(&mut browsers) {
        // The new password has ended all sessions by then.
        if row.route == "/user/delete" {
            *kept = browser(&site, db, things.somebody(role)).await;
            before = contents(db).await;
        }
        assert_eq!(row.fates.len(), ROLES.len(), "{}", row.path);
        let form: Vec<(&str, &str)> = row
            .form
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let seen = kept.post(&row.path, &form).await;
        let after = contents(db).await;
        let expected = char::from(row.fates.as_bytes()[role]);
        let found = fate(&seen, before != after);
        before = after;
        if found != expected && (expected, found) != ('E', 'S') {
            let told = seen.texts("[role=alert], .wrong, h1").join("; ");
            wrong.push(format!(
                "{} {:?}: {found} instead of {expected}, {} {told}",
                row.path, row.form, seen.status
            ));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", ROLES[role], wrong.join("\n"));
}

/// No address that takes forms is left out.
pub async fn every_address_has_its_row(db: &Db) {
    let site = seed::site(db, |options| options.rest_api = true).await;
    let things = things(db, &site).await;
    let known: BTreeSet<String> = things
        .rows()
        .iter()
        .map(|row| row.route.to_owned())
        .collect();
    let routes: BTreeSet<String> = site
        .rocket()
        .routes()
        .filter(|route| route.method == Method::Post && route.rank < 50)
        .map(|route| route.uri.to_string())
        // No forms: mails by HTTP, whose sender is nobody of these (tests/web/inbound.rs).
        .filter(|uri| !uri.starts_with("/inbound/mail"))
        .collect();
    assert_eq!(known, routes);
}
