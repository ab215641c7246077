//! Bundles as mailboxes: whose they are, and in which order.

use patchwork::{
    auth,
    domain::{BundleId, PatchId, ProjectId, Timestamp, UserId},
    store::{self, Db, sql, token::NewToken},
};

use super::seed::{self, Patch, get, get_with};

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
