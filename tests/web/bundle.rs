//! Bundles as mailboxes: whose they are, and in which order.

use patchwork::{
    auth,
    domain::{BundleId, PatchId, ProjectId, Timestamp, UserId},
    store::{self, Db, sql, token::NewToken},
};

use super::{
    browser::Browser,
    people::{World, browser, bundles, world},
    seed::{self, Patch, get, get_with},
};

/// Makes two patches, and a bundle of the user `ann` with the second one first.
async fn bundle(db: &Db, name: &str, public: bool) -> BundleId {
    let project = seed::project(db, "one").await;
    let of = |name, msgid| Patch {
        project,
        name,
        msgid,
        ..Patch::default()
    };
    let mut ids = seed::patches(db, &[of("first", "<1@h>"), of("second", "<2@h>")]).await;
    ids.reverse();
    let ids: Vec<PatchId> = ids.into_iter().map(PatchId).collect();
    let owner = UserId(seed::user(db, "ann", None).await);
    let mut tx = db.begin().await.expect("a transaction");
    let project = ProjectId(project);
    let bundle = store::bundle::insert(&mut tx, owner, project, name, public)
        .await
        .expect("a bundle");
    store::bundle::append(&mut tx, bundle, &ids)
        .await
        .expect("its patches");
    tx.commit().await.expect("a commit");
    bundle
}

/// Returns headers of somebody who is logged in: with a token, and with a browser's session.
async fn logins(db: &Db, username: &str) -> [(&'static str, String); 2] {
    let mut tx = db.begin().await.expect("a transaction");
    let user = store::user::by_username(&mut tx, username)
        .await
        .expect("a look")
        .expect("a user");
    let token = auth::new_token().expect("a token");
    let (created, expires) = (Timestamp(0), Timestamp::now().plus_minutes(5));
    let new = NewToken {
        user: user.id,
        key_hash: &token.hash,
        name: "",
        scope: "read",
        created,
        expires: None,
    };
    store::token::insert(&mut tx, &new).await.expect("a token");
    sql("INSERT INTO session (key_hash, account_id, created, expires) VALUES ($1, $2, $3, $4)")
        .bind(auth::token_hash(username))
        .bind(user.id)
        .bind(created)
        .bind(expires)
        .run(&mut tx)
        .await
        .expect("a session");
    tx.commit().await.expect("a commit");
    [
        ("Authorization", format!("Token {}", token.key)),
        ("Cookie", format!("sessionid={username}")),
    ]
}

pub async fn a_public_bundle_is_a_mailbox_for_everybody(db: &Db) {
    let id = bundle(db, "to do: (now)", true).await;
    let site = seed::site(db, |_| {}).await;
    let path = "/bundle/ann/to%20do:%20%28now%29/mbox/";
    let seen = get(&site, path).await;
    assert_eq!(seen.status, 200);
    assert_eq!(seen.header("Content-Type"), "text/plain; charset=utf-8");
    let file = format!("attachment; filename=bundle-{id}-to-do-now.mbox");
    assert_eq!(seen.header("Content-Disposition"), file);
    let lines = seen.body.lines();
    let ids: Vec<_> = lines
        .filter_map(|line| line.strip_prefix("X-Patchwork-Id: "))
        .collect();
    assert_eq!(ids, ["2", "1"]);
    assert!(seen.statements() <= 5, "{}", seen.statements());
    let wrong = get_with(&site, path, &[("Authorization", "Token wrong")]).await;
    assert_eq!(wrong.status, 200);
    for missing in ["/bundle/ann/other/mbox/", "/bundle/bob/to%20do/mbox/"] {
        assert_eq!(get(&site, missing).await.status, 404, "{missing}");
    }
}

pub async fn a_private_bundle_is_there_for_its_owner(db: &Db) {
    bundle(db, "mine", false).await;
    seed::user(db, "bob", None).await;
    let site = seed::site(db, |_| {}).await;
    let path = "/bundle/ann/mine/mbox/";
    assert_eq!(get(&site, path).await.status, 404);
    for (who, status) in [("ann", 200), ("bob", 404)] {
        for (name, value) in logins(db, who).await {
            let seen = get_with(&site, path, &[(name, &value)]).await;
            assert_eq!(seen.status, status, "{who} by {name}");
            if status == 200 {
                assert!(seen.header("Cache-Control").starts_with("private"));
                assert_eq!(seen.header("Vary"), "Cookie, Authorization");
                let known = ("If-None-Match", seen.header("ETag"));
                let again = get_with(&site, path, &[(name, &value), known]).await;
                assert_eq!((again.status, again.body.as_str()), (304, ""));
                assert!(again.header("Cache-Control").starts_with("private"));
                assert_eq!(get_with(&site, path, &[known]).await.status, 404);
            }
        }
    }
    let mut tx = db.begin().await.expect("a transaction");
    sql("UPDATE account SET password = $1")
        .bind(auth::hash_password("low tide").expect("a hash"))
        .run(&mut tx)
        .await
        .expect("a password");
    tx.commit().await.expect("a commit");
    // The password of each, as clients send it.
    for (basic, status) in [
        ("Basic YW5uOmxvdyB0aWRl", 200),
        ("Basic Ym9iOmxvdyB0aWRl", 404),
    ] {
        let seen = get_with(&site, path, &[("Authorization", basic)]).await;
        assert_eq!(seen.status, status, "{basic}");
    }
    for wrong in [
        "Token wrong",
        "Token",
        "Basic ???",
        "Basic YW5uOng=",
        "Negotiate x",
    ] {
        let seen = get_with(&site, path, &[("Authorization", wrong)]).await;
        assert_eq!(seen.status, 404, "{wrong}");
    }
}

pub async fn pwclient_gets_its_settings(db: &Db) {
    seed::project(db, "one").await;
    seed::user(db, "ann", None).await;
    let both = seed::site(db, |options| {
        (options.rest_api, options.xmlrpc) = (true, true);
    })
    .await;
    let path = "/project/one/pwclientrc/";
    let host = ("Host", "pw.example.org:99");
    let seen = get_with(&both, path, &[host]).await;
    assert_eq!(
        seen.header("Content-Disposition"),
        "attachment; filename=.pwclientrc"
    );
    let settings = "[one]\nbackend = rest\nurl = http://pw.example.org:99/api/\n";
    assert!(seen.body.ends_with(settings), "{}", seen.body);
    assert!(
        seen.body.contains("#[options]\n#default = one\n"),
        "{}",
        seen.body
    );
    let [_, (cookie, value)] = logins(db, "ann").await;
    let own = get_with(&both, path, &[host, (cookie, &value)]).await;
    let login = format!("{settings}username = ann\npassword = <your password>\n");
    assert!(own.body.ends_with(&login), "{}", own.body);
    let old = seed::site(db, |options| {
        options.xmlrpc = true;
        options.base = "/pw".into();
        options.site_url = Some("https://pw.example.org".into());
    })
    .await;
    let seen = get(&old, "/pw/project/one/pwclientrc/").await;
    let settings = "backend = xmlrpc\nurl = https://pw.example.org/pw/xmlrpc/\n";
    assert!(seen.body.ends_with(settings), "{}", seen.body);
    let neither = seed::site(db, |_| {}).await;
    assert_eq!(get(&neither, path).await.status, 404);
    assert_eq!(get(&both, "/project/two/pwclientrc/").await.status, 404);
}

/// Makes a bundle of the user `user` with five patches of project one and one of project two, and returns them.
async fn six(db: &Db, world: &World, public: bool) -> Vec<i64> {
    let names = ["p1", "p2", "p3", "p4", "p5"];
    let of = |name| Patch {
        project: world.one,
        name,
        msgid: name,
        state: if name == "p3" { 3 } else { 1 },
        ..Patch::default()
    };
    let mut ids = seed::patches(db, &names.map(of)).await;
    ids.push(world.foreign);
    let patches: Vec<PatchId> = ids.iter().copied().map(PatchId).collect();
    let (owner, project) = (UserId(world.user), ProjectId(world.one));
    let mut tx = db.begin().await.expect("a transaction");
    let bundle = store::bundle::insert(&mut tx, owner, project, "six", public)
        .await
        .expect("a bundle");
    store::bundle::append(&mut tx, bundle, &patches)
        .await
        .expect("its patches");
    tx.commit().await.expect("a commit");
    ids
}

const SIX: &str = "/bundle/user/six/";
const NAMES: &str = "td.c-name a";
const NOTICES: &str = "#notices p";

pub async fn a_bundle_is_shown_whole_and_in_order(db: &Db) {
    let world = world(db).await;
    let ids = six(db, &world, true).await;
    let site = seed::site(db, |_| {}).await;
    let anon = get(&site, SIX).await;
    assert_eq!(anon.status, 200);
    assert_eq!(anon.texts("h1"), ["six"]);
    assert_eq!(anon.texts(NAMES), ["p1", "p2", "p3", "p4", "p5", "gamma"]);
    // A patch of another project is linked to where it is.
    let links = anon.values(NAMES, "href");
    assert_eq!(links[0], "/project/one/patch/p1/");
    assert_eq!(links[5], "/project/two/patch/3@h/");
    assert_eq!(get(&site, &links[5]).await.status, 200);
    assert!(anon.texts("#settings, form.bulk, .ordering").is_empty());
    let found = |path: &'static str| {
        let site = &site;
        async move { get(site, path).await.texts(NAMES) }
    };
    assert_eq!(found("/bundle/user/six/?state=3").await, ["p3"]);
    assert_eq!(found("/bundle/user/six/?q=p4&order=name").await, ["p4"]);
    assert_eq!(found("/bundle/user/six/?order=-name").await[0], "p5");
    let owner = Browser::of(&site, db, world.user).await;
    let page = owner.get(SIX).await;
    assert_eq!(
        page.values("input[name=neworder]", "value"),
        ids.iter().map(i64::to_string).collect::<Vec<_>>()
    );
    assert_eq!(page.texts(".danger-zone a"), ["Delete …"]);
    // The places are not what other orders show.
    assert!(
        owner
            .get("/bundle/user/six/?order=name")
            .await
            .texts(".ordering")
            .is_empty()
    );
    assert_eq!((anon.statements(), page.statements()), (6, 12));
    assert_eq!(get(&site, "/bundle/user/seven/").await.status, 404);
    let number = bundle_id(db).await;
    let seen = get(&site, &format!("/user/bundle/{number}/")).await;
    assert_eq!((seen.status, seen.header("Location")), (302, SIX));
    let seen = get(&site, &format!("/user/bundle/{number}/mbox/")).await;
    assert_eq!(
        (seen.status, seen.header("Location")),
        (302, "/bundle/user/six/mbox/")
    );
}

async fn bundle_id(db: &Db) -> i64 {
    let mut conn = db.reader().await.expect("a reader");
    let (id,) = sql("SELECT max(id) FROM bundle")
        .one(&mut conn)
        .await
        .expect("a bundle");
    id
}

async fn is_public(db: &Db) -> bool {
    let mut conn = db.reader().await.expect("a reader");
    let (public,) = sql("SELECT public FROM bundle")
        .one(&mut conn)
        .await
        .expect("a bundle");
    public
}

pub async fn a_private_page_is_there_for_its_owner(db: &Db) {
    let world = world(db).await;
    six(db, &world, false).await;
    let site = seed::site(db, |_| {}).await;
    let number = format!("/user/bundle/{}/", bundle_id(db).await);
    for (who, user, _) in world.everybody() {
        let browser = browser(&site, db, user).await;
        let (page, moved) = match user == Some(world.user) {
            true => (200, 302),
            false => (404, 404),
        };
        for path in [SIX, "/bundle/user/six/mbox/"] {
            assert_eq!(browser.get(path).await.status, page, "{who} {path}");
        }
        assert_eq!(browser.get(&number).await.status, moved, "{who}");
        assert_eq!(
            browser.get(&format!("{number}mbox/")).await.status,
            moved,
            "{who}"
        );
        let seen = browser
            .post(SIX, &[("form", "bundle"), ("action", "update")])
            .await;
        assert_eq!(seen.status, if page == 200 { 303 } else { 404 }, "{who}");
    }
}

pub async fn an_owner_changes_a_bundle(db: &Db) {
    let world = world(db).await;
    six(db, &world, false).await;
    let site = seed::site(db, |_| {}).await;
    let owner = Browser::of(&site, db, world.user).await;
    let settings = |rest: &[(&'static str, &'static str)]| {
        let mut all = vec![("form", "bundle"), ("action", "update")];
        all.extend_from_slice(rest);
        all
    };
    // Without an action nothing happens.
    owner
        .submit(
            SIX,
            &[("form", "bundle"), ("name", "other"), ("public", "on")],
        )
        .await;
    assert_eq!(bundles(db, world.user).await[0].0, "six");
    let page = owner
        .submit(
            SIX,
            &settings(&[
                ("name", "six"),
                ("public", "on"),
                ("description", "for <b>you</b>"),
            ]),
        )
        .await;
    assert_eq!(page.texts(NOTICES), ["Bundle updated."]);
    assert_eq!(page.texts(".description"), ["for <b>you</b>"]);
    assert!(is_public(db).await);
    owner.submit(SIX, &settings(&[("name", "six")])).await;
    assert!(!is_public(db).await);
    let long = "x".repeat(51);
    owner
        .submit(
            "/user/bundles/",
            &[
                ("form_name", "createbundleform"),
                ("name", "seven"),
                ("project", &world.one.to_string()),
            ],
        )
        .await;
    for (name, why) in [
        ("", "A bundle needs a name."),
        ("a/b", "The name of a bundle cannot hold a slash."),
        (
            long.as_str(),
            "The name of a bundle has 50 characters at most.",
        ),
        ("seven", "You have another bundle of that name."),
    ] {
        let page = owner
            .post(
                SIX,
                &[("form", "bundle"), ("action", "update"), ("name", name)],
            )
            .await;
        assert_eq!(page.status, 422, "{name}");
        assert_eq!(page.texts("#name-error"), [why]);
        assert_eq!(page.values("#id_name", "value"), [name]);
    }
    let seen = owner.post(SIX, &settings(&[("name", "six (2)?")])).await;
    assert_eq!(
        (seen.status, seen.header("Location")),
        (303, "/bundle/user/six%20%282%29%3F/")
    );
    let page = owner.get(seen.header("Location")).await;
    assert_eq!(
        (page.status, page.texts("h1")),
        (200, vec!["six (2)?".to_owned()])
    );
    let seen = owner
        .post(
            seen.header("Location"),
            &[("form", "bundle"), ("action", "delete")],
        )
        .await;
    assert_eq!((seen.status, seen.header("Location")), (303, "/user/"));
    assert_eq!(bundles(db, world.user).await.len(), 1);
}

pub async fn nobody_else_changes_a_bundle(db: &Db) {
    let world = world(db).await;
    let ids = six(db, &world, true).await;
    let site = seed::site(db, |_| {}).await;
    let number = bundle_id(db).await.to_string();
    let (first, last) = (ids[0].to_string(), ids[4].to_string());
    for (who, user, _) in world.everybody() {
        if user == Some(world.user) {
            continue;
        }
        let browser = browser(&site, db, user).await;
        let page = browser.get(SIX).await;
        assert_eq!(page.status, 200);
        assert!(
            page.texts("#settings, .ordering, button[value=remove]")
                .is_empty(),
            "{who}"
        );
        let tries: [(&str, &[(&str, &str)]); 5] = [
            (
                SIX,
                &[("form", "bundle"), ("action", "update"), ("name", "mine")],
            ),
            (SIX, &[("form", "bundle"), ("action", "delete")]),
            (
                SIX,
                &[
                    ("form", "reorder-form"),
                    ("neworder", &last),
                    ("neworder", &first),
                ],
            ),
            (
                "/user/bundles/",
                &[("form_name", "deletebundleform"), ("bundle_id", &number)],
            ),
            (
                "/project/one/bundles/",
                &[("form_name", "deletebundleform"), ("bundle_id", &number)],
            ),
        ];
        for (path, sent) in tries {
            let seen = browser.post(path, sent).await;
            assert_eq!(
                seen.status,
                if user.is_some() { 404 } else { 302 },
                "{who} {sent:?}"
            );
        }
        assert_eq!(
            bundles(db, world.user).await,
            [("six".to_owned(), ids.clone())],
            "{who}"
        );
        assert!(is_public(db).await);
    }
    // But their own permissions count for the patches in it.
    let mara = Browser::of(&site, db, world.mara).await;
    let patch = format!("patch_id:{}", ids[0]);
    let sent = [
        (patch.as_str(), "on"),
        ("form", "patch-list-form"),
        ("action", "update"),
        ("state", "3"),
    ];
    let page = mara.submit(SIX, &sent).await;
    assert_eq!(page.texts(NOTICES), ["1 patch updated."]);
}

pub async fn a_bundle_is_put_in_order(db: &Db) {
    let world = world(db).await;
    let ids = six(db, &world, false).await;
    let site = seed::site(db, |_| {}).await;
    let owner = Browser::of(&site, db, world.user).await;
    let texts: Vec<String> = ids.iter().map(i64::to_string).collect();
    let numbers = async || {
        let order = bundles(db, world.user).await.remove(0).1;
        let at = |id: &i64| ids.iter().position(|known| known == id).expect("a patch") + 1;
        order.iter().map(at).collect::<Vec<_>>()
    };
    let sent = |form: &'static str, order: &[usize]| {
        let mut sent = vec![("form".to_owned(), form.to_owned())];
        if let Some(first) = order.first() {
            sent.push(("order_start".to_owned(), texts[first - 1].clone()));
        }
        sent.extend(
            order
                .iter()
                .map(|at| ("neworder".to_owned(), texts[at - 1].clone())),
        );
        sent
    };
    let cases: [(&str, &[usize], &str, [usize; 6]); 4] = [
        (SIX, &[6, 5, 4, 3, 2, 1], "reorder-form", [6, 5, 4, 3, 2, 1]),
        (SIX, &[1, 2, 3, 4, 5, 6], "reorderform", [1, 2, 3, 4, 5, 6]),
        // The middle ones only.
        (SIX, &[4, 2, 3], "reorder-form", [1, 4, 2, 3, 5, 6]),
        // What a filter shows.
        (
            "/bundle/user/six/?state=1",
            &[6, 1],
            "reorder-form",
            [6, 4, 2, 3, 5, 1],
        ),
    ];
    for (path, order, form, expected) in cases {
        let sent = sent(form, order);
        let sent: Vec<(&str, &str)> = sent.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let page = owner.submit(path, &sent).await;
        assert_eq!(page.texts(NOTICES), ["Order saved."]);
        assert_eq!(numbers().await, expected, "{order:?}");
    }
    let mut conn = db.reader().await.expect("a reader");
    let places: Vec<(i64,)> = sql("SELECT position FROM bundle_patch ORDER BY position")
        .all(&mut conn)
        .await
        .expect("places");
    drop(conn);
    assert_eq!(places, (1..=6).map(|place| (place,)).collect::<Vec<_>>());
    // One step up, as the button of a row that a filter shows sends it.
    let step = [
        ("form", "reorder-form"),
        ("neworder", &texts[5]),
        ("neworder", &texts[0]),
        ("up", &texts[0]),
    ];
    owner.submit(SIX, &step).await;
    assert_eq!(numbers().await, [1, 4, 2, 3, 5, 6]);
    // A number that was changed, and one that was not.
    let (moved, same) = (format!("place:{}:2", ids[3]), format!("place:{}:4", ids[2]));
    let step = [
        ("form", "reorder-form"),
        (moved.as_str(), "4"),
        (same.as_str(), "4"),
    ];
    owner.submit(SIX, &step).await;
    assert_eq!(numbers().await, [1, 2, 3, 4, 5, 6]);
    let foreign = world.patch.to_string();
    for sent in [
        [("form", "reorder-form"), ("neworder", foreign.as_str())],
        [("form", "reorder-form"), ("order_start", foreign.as_str())],
        [("form", "reorder-form"), ("neworder", "x")],
    ] {
        assert_eq!(owner.post(SIX, &sent).await.status, 404);
    }
    assert_eq!(numbers().await, [1, 2, 3, 4, 5, 6]);
    // Taking one out leaves the others in order.
    let (tick, number) = (
        format!("patch_id:{}", ids[2]),
        bundle_id(db).await.to_string(),
    );
    let remove = [
        (tick.as_str(), "on"),
        ("action", "remove"),
        ("removed_bundle_id", number.as_str()),
    ];
    let page = owner.submit(SIX, &remove).await;
    assert_eq!(page.texts(NOTICES), ["“p3” removed from bundle “six”."]);
    assert_eq!(page.texts(NAMES), ["p1", "p2", "p4", "p5", "gamma"]);
}

pub async fn bundles_are_listed_made_and_deleted(db: &Db) {
    let world = world(db).await;
    six(db, &world, true).await;
    let site = seed::site(db, |_| {}).await;
    let anon = get(&site, "/user/bundles/").await;
    assert_eq!(
        (anon.status, anon.header("Location")),
        (302, "/user/login/?next=/user/bundles/")
    );
    assert_eq!(get(&site, "/project/one/bundles/").await.status, 302);
    assert_eq!(get(&site, "/project/none/bundles/").await.status, 404);
    let owner = Browser::of(&site, db, world.user).await;
    let page = owner.get("/user/bundles/").await;
    assert_eq!(page.values(".bundles tbody th a", "href"), [SIX]);
    assert_eq!(
        page.texts(".bundles td")[..3],
        ["The one project", "seen by everybody", "6 patches"]
    );
    assert!(
        owner
            .get("/project/two/bundles/")
            .await
            .texts(".bundles")
            .is_empty()
    );
    let (one, two) = (world.one.to_string(), world.two.to_string());
    let create = |name, project| {
        [
            ("form_name", "createbundleform"),
            ("name", name),
            ("project", project),
        ]
    };
    owner.submit("/user/bundles/", &create("seven", &two)).await;
    owner
        .submit("/project/one/bundles/", &create("eight", &two))
        .await;
    let page = owner.get("/project/one/bundles/").await;
    assert_eq!(page.texts(".bundles tbody th a"), ["eight", "six"]);
    for (sent, field) in [
        (create("", &one), "#name-error"),
        (create("x/y", &one), "#name-error"),
        (create("six", &one), "#name-error"),
        (create("nine", "99"), "#project-error"),
    ] {
        let page = owner.post("/user/bundles/", &sent).await;
        assert_eq!((page.status, page.texts(field).len()), (422, 1), "{sent:?}");
    }
    assert_eq!(bundles(db, world.user).await.len(), 3);
    let page = owner.get("/user/bundles/").await;
    let delete = page.values(".row-acts a:last-child", "href");
    let page = owner
        .get(&format!(
            "/user/bundles/{}",
            delete[1].rsplit('/').next().unwrap_or_default()
        ))
        .await;
    assert_eq!(page.texts("h1"), ["Delete bundle “seven”?"]);
    let id = page.values("input[name=bundle_id]", "value").remove(0);
    let sent = [
        ("form_name", "deletebundleform"),
        ("bundle_id", id.as_str()),
    ];
    let page = owner.submit("/user/bundles/", &sent).await;
    assert_eq!(
        page.texts(NOTICES),
        ["Bundle “seven” deleted. Its patches stay."]
    );
    assert_eq!(owner.post("/user/bundles/", &sent).await.status, 404);
}

pub async fn a_bundle_is_copied(db: &Db) {
    let world = world(db).await;
    let ids = six(db, &world, true).await;
    let site = seed::site(db, |_| {}).await;
    let (owner, reader) = (
        Browser::of(&site, db, world.user).await,
        Browser::of(&site, db, world.mara).await,
    );
    let (path, name) = (SIX, "six");
    assert!(get(&site, path).await.texts(".copying").is_empty());
    // Somebody else's can keep its name, the own cannot.
    assert_eq!(reader.get(path).await.values("#id_copy", "value"), [name]);
    assert_eq!(
        owner.get(path).await.values("#id_copy", "value"),
        [format!("{name} copy")]
    );
    let page = owner.post(path, &[("form", "copy"), ("copy", name)]).await;
    assert_eq!(page.status, 422);
    assert_eq!(
        page.texts("#copy-error"),
        ["You have a bundle of that name already."]
    );
    let page = reader
        .post(path, &[("form", "copy"), ("copy", "a/b")])
        .await;
    assert_eq!(
        (page.status, page.values("#id_copy", "value")),
        (422, vec!["a/b".to_owned()])
    );
    let page = reader
        .submit(path, &[("form", "copy"), ("copy", name)])
        .await;
    assert_eq!(page.texts(".heading .state"), ["private"]);
    let copies = bundles(db, world.mara).await;
    let original = bundles(db, world.user).await;
    assert_eq!(copies, original);
    assert_eq!(copies[0].1.len(), ids.len());
    assert_eq!(original.len(), 1);
}
