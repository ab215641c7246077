//! Accounts, tokens, sessions.

use patchwork::{
    domain::{Timestamp, confirmation::Kind},
    store::{Db, sql},
};

use super::{
    super::{browser::Browser, letters, second_factor, seed},
    counts_are_right, number, resend, run, staff, superuser, texts, world,
};

pub async fn users_are_added_and_changed(db: &Db) {
    let root = superuser(db, "root").await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, root).await;
    let path = "/admin/auth/user/add/";
    let right = [
        ("username", "mara"),
        ("password_new", "low tide at noon"),
        ("password_again", "low tide at noon"),
        ("email", "mara@example.org"),
    ];
    for (field, value, wrong) in [
        ("username", "a b", "username"),
        ("username", "root", "username"),
        ("password_new", "short", "password_new"),
        ("password_new", "password1", "password_new"),
        ("password_again", "high tide at noon", "password_new"),
        ("email", "mara", "email"),
    ] {
        let seen = resend(&browser, path, &[&right[..], &[(field, value)]].concat()).await;
        assert_eq!(seen.status, 422, "{field}={value}");
        assert_eq!(seen.values("[aria-invalid]", "name"), [wrong]);
        assert!(
            !seen.body.contains("low tide"),
            "passwords are not sent back"
        );
    }
    assert_eq!(resend(&browser, path, &right).await.status, 303);
    assert_eq!(number(db, "SELECT count(*) FROM account WHERE username = 'mara' AND is_active AND password LIKE '$argon2id$%'").await, 1);
    let id = number(db, "SELECT id FROM account WHERE username = 'mara'").await;
    let log = texts(db, "SELECT changes FROM audit").await.join("");
    assert!(!log.contains("tide"), "{log}");
    let form = browser.get(&format!("/admin/auth/user/{id}/change/")).await;
    assert!(!form.body.contains("argon2"), "nobody sees the hash");
    let rights = [
        ("action", "rights"),
        ("permission", "patchwork.view_patch"),
        ("permission", "nonsense.x"),
    ];
    browser
        .submit(&format!("/admin/auth/user/{id}/do/"), &rights)
        .await;
    assert_eq!(
        texts(db, "SELECT permission FROM account_permission").await,
        ["patchwork.view_patch"]
    );
    let matrix = browser.get(&format!("/admin/auth/user/{id}/change/")).await;
    assert_eq!(
        matrix.values(".matrix input[checked]", "value"),
        ["patchwork.view_patch"]
    );
    assert!(!matrix.body.contains("contenttype"));
}

pub async fn the_last_superuser_stays(db: &Db) {
    let root = superuser(db, "root").await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, root).await;
    let path = format!("/admin/auth/user/{root}");
    for field in ["is_active", "is_staff", "is_superuser"] {
        let seen = resend(&browser, &format!("{path}/change/"), &[(field, "")]).await;
        assert_eq!(seen.status, 422, "{field}");
    }
    let seen = browser
        .submit(&format!("{path}/do/"), &[("action", "deactivate")])
        .await;
    assert!(seen.texts(".notice.failed p")[0].contains("last superuser"));
    let seen = browser
        .post(&format!("{path}/delete/"), &[("confirmed", "1")])
        .await;
    assert_eq!(seen.status, 422);
    assert_eq!(
        number(
            db,
            "SELECT count(*) FROM account WHERE is_superuser AND is_active AND is_staff"
        )
        .await,
        1
    );
    // With another one there, the first may go.
    let other = superuser(db, "other").await;
    let other = Browser::of(&site, db, other).await;
    let seen = other
        .submit(&format!("{path}/do/"), &[("action", "deactivate")])
        .await;
    assert_eq!(seen.texts(".notice p"), ["1 user may not log in any more."]);
    assert_eq!(
        browser.get("/admin/").await.status,
        302,
        "logged out at once"
    );
}

pub async fn a_deleted_user_leaves_everything_behind(db: &Db) {
    let world = world(db).await;
    let ann = seed::user(db, "ann", Some(world.project)).await;
    for statement in [
        "UPDATE patch SET delegate_id = $1",
        "UPDATE person SET account_id = $1 WHERE email = 'ann@example.org'",
        "UPDATE patch_check SET account_id = $1",
        "UPDATE bundle SET owner_id = $1",
        "INSERT INTO delegation_rule (project_id, account_id, path) SELECT id, $1, 'x' FROM project",
    ] {
        run(db, sql(statement).bind(ann)).await;
    }
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let path = format!("/admin/auth/user/{ann}/delete/");
    let page = browser.get(&path).await;
    assert!(
        page.texts("ul.plain li").contains(&"mine".to_owned()),
        "bundles are named"
    );
    let rows = page.texts(".things tbody tr");
    assert!(
        rows.iter()
            .any(|row| row.starts_with("Patches on its desk2")),
        "{rows:?}"
    );
    let done = browser.post(&path, &[("confirmed", "1")]).await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert_eq!(
        number(db, "SELECT count(*) FROM patch WHERE delegate_id IS NULL").await,
        2
    );
    assert_eq!(
        number(db, "SELECT count(*) FROM person WHERE account_id IS NULL").await,
        2
    );
    assert_eq!(number(db, "SELECT count(*) FROM bundle").await, 0);
    assert_eq!(number(db, "SELECT count(*) FROM delegation_rule").await, 0);
    let owner = "SELECT a.username FROM patch_check c JOIN account a ON a.id = c.account_id WHERE NOT a.is_active";
    assert_eq!(texts(db, owner).await, ["deleted-user"]);
    let told =
        "SELECT count(*) FROM event WHERE category = 'patch-delegated' AND actor_id IS NOT NULL";
    assert_eq!(number(db, told).await, 2);
    assert_eq!(
        number(
            db,
            "SELECT count(*) FROM audit WHERE action = 3 AND model = 'auth.user'"
        )
        .await,
        1
    );
    counts_are_right(db).await;
}

pub async fn people_are_unlinked_and_sessions_end(db: &Db) {
    let world = world(db).await;
    let ann = seed::user(db, "ann", Some(world.project)).await;
    run(
        db,
        sql("UPDATE person SET account_id = $1 WHERE email = 'ann@example.org'").bind(ann),
    )
    .await;
    let site = seed::site(db, |_| {}).await;
    let hers = Browser::of(&site, db, ann).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let act = format!("/admin/auth/user/{ann}/do/");
    let person = number(db, "SELECT id FROM person WHERE email = 'ann@example.org'")
        .await
        .to_string();
    browser
        .submit(&act, &[("action", "unlink"), ("person", &person)])
        .await;
    assert_eq!(
        number(
            db,
            "SELECT count(*) FROM person WHERE account_id IS NOT NULL"
        )
        .await,
        0
    );
    browser
        .submit(&act, &[("action", "unmaintain"), ("project", "tide")])
        .await;
    assert_eq!(number(db, "SELECT count(*) FROM maintainer").await, 0);
    browser
        .submit(&act, &[("action", "maintain"), ("project", "tide")])
        .await;
    assert_eq!(number(db, "SELECT count(*) FROM maintainer").await, 1);
    assert!(
        !hers
            .get("/project/tide/list/")
            .await
            .texts(".menu")
            .is_empty()
    );
    browser.submit(&act, &[("action", "end-sessions")]).await;
    assert!(
        hers.get("/project/tide/list/")
            .await
            .texts(".menu")
            .is_empty()
    );
    assert_eq!(browser.get("/admin/").await.status, 200);
    assert_eq!(number(db, "SELECT count(*) FROM audit").await, 4);
}

pub async fn tokens_are_shown_once(db: &Db) {
    let root = superuser(db, "root").await;
    let helper = staff(db, "helper", &["authtoken.view_token"]).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, root).await;
    let fields = [
        ("action", "make"),
        ("account_id", "helper"),
        ("name", "ci"),
        ("scope", "checks"),
    ];
    let made = browser.post("/admin/authtoken/token/", &fields).await;
    assert_eq!(made.status, 200);
    let key = made.texts("#token")[0].clone();
    assert_eq!(key.len(), 40);
    let kept = texts(db, "SELECT scope || ' ' || name FROM token").await;
    assert_eq!(kept, ["checks ci"]);
    for reader in [browser, Browser::of(&site, db, helper).await] {
        for path in [
            "/admin/authtoken/token/",
            "/admin/authtoken/token/1/change/",
            "/admin/authtoken/token/?format=csv",
        ] {
            let seen = reader.get(path).await;
            assert_eq!(seen.status, 200, "{path}");
            assert!(!seen.body.contains(&key), "{path}");
        }
    }
    let browser = Browser::of(&site, db, root).await;
    let done = browser
        .post("/admin/authtoken/token/1/delete/", &[("confirmed", "1")])
        .await;
    assert_eq!(done.status, 303);
    assert_eq!(number(db, "SELECT count(*) FROM token").await, 0);
    assert_eq!(number(db, "SELECT count(*) FROM audit").await, 2);
}

pub async fn sessions_are_ended(db: &Db) {
    let root = superuser(db, "root").await;
    let ann = seed::user(db, "ann", None).await;
    seed::any_patch(db, seed::project(db, "one").await).await;
    let site = seed::site(db, |_| {}).await;
    let hers = Browser::of(&site, db, ann).await;
    let browser = Browser::of(&site, db, root).await;
    let list = browser.get("/admin/sessions/session/?user=ann").await;
    let href = list.values(".things tbody th a", "href")[0].clone();
    let path = href
        .split('?')
        .next()
        .expect("a path")
        .replace("change", "delete");
    assert_eq!(browser.post(&path, &[("confirmed", "1")]).await.status, 303);
    assert!(
        hers.get("/project/one/list/")
            .await
            .texts(".menu")
            .is_empty()
    );
}

pub async fn people_with_mail_stay(db: &Db) {
    let world = world(db).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let ann = number(db, "SELECT id FROM person WHERE email = 'ann@example.org'").await;
    let path = format!("/admin/patchwork/person/{ann}");
    let seen = browser
        .post(&format!("{path}/delete/"), &[("confirmed", "1")])
        .await;
    assert_eq!(seen.status, 422);
    assert_eq!(number(db, "SELECT count(*) FROM person").await, 2);
    let twice = resend(
        &browser,
        &format!("{path}/change/"),
        &[("email", "BOB@example.org")],
    )
    .await;
    assert_eq!(twice.status, 422);
    let linked = resend(
        &browser,
        &format!("{path}/change/"),
        &[("name", "Änn"), ("account_id", "root")],
    )
    .await;
    assert_eq!(linked.status, 303);
    assert_eq!(
        texts(db, "SELECT key FROM person WHERE account_id IS NOT NULL").await,
        ["änn ann@example.org"]
    );
}

pub async fn links_are_mailed(db: &Db) {
    let world = world(db).await;
    let ann = seed::user(db, "ann", None).await;
    let late = seed::user(db, "late", None).await;
    run(
        db,
        sql("UPDATE account SET email = username || '@example.org' WHERE username IN ('ann', 'late')"),
    )
    .await;
    run(
        db,
        sql("UPDATE account SET is_active = FALSE, registration_pending = TRUE WHERE id = $1")
            .bind(late),
    )
    .await;
    let hash = patchwork::auth::hash_password("low-tide-at-noon").expect("a hash");
    run(db, sql("UPDATE account SET password = $1").bind(hash)).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, world.admin).await;
    let act = |id: i64| format!("/admin/auth/user/{id}/do/");
    for action in ["mail-reset", "mail-confirmation"] {
        for id in [ann, late] {
            browser.submit(&act(id), &[("action", action)]).await;
        }
    }
    let mails = "SELECT recipient || ' ' || subject FROM outbox ORDER BY id";
    let mails = texts(db, mails).await;
    assert_eq!(mails.len(), 2, "{mails:?}");
    assert!(mails[0].starts_with("ann@example.org"), "{mails:?}");
    assert!(mails[1].starts_with("late@example.org"), "{mails:?}");
    let before = texts(db, "SELECT key_digest FROM email_confirmation ORDER BY id").await;
    let id = number(
        db,
        "SELECT id FROM email_confirmation WHERE type = 'registration'",
    )
    .await;
    let path = format!("/admin/patchwork/emailconfirmation/{id}/do/");
    browser.submit(&path, &[("action", "resend")]).await;
    assert_eq!(number(db, "SELECT count(*) FROM outbox").await, 3);
    let after = texts(db, "SELECT key_digest FROM email_confirmation ORDER BY id").await;
    assert_eq!(after.len(), 2, "the old key is gone");
    assert_ne!(before, after);
}

/// Only who may change an account ends its second factor, and not that of somebody above.
pub async fn a_lost_second_factor_is_ended(db: &Db) {
    let root = superuser(db, "root").await;
    let helper = staff(db, "helper", &["auth.view_user", "auth.change_user"]).await;
    let looker = staff(db, "looker", &["auth.view_user"]).await;
    let ann = seed::user(db, "ann", None).await;
    second_factor::equip(db, root).await;
    second_factor::equip(db, ann).await;
    let site = seed::site(db, |_| {}).await;
    let left = || number(db, "SELECT count(*) FROM second_factor");
    let act = |id: i64| format!("/admin/auth/user/{id}/do/");
    let end = [("action", "end-second-factor")];
    let looker = Browser::of(&site, db, looker).await;
    assert_eq!(looker.post(&act(ann), &end).await.status, 403);
    let helper = Browser::of(&site, db, helper).await;
    let refused = helper.submit(&act(root), &end).await;
    assert!(refused.texts(".notice.failed p")[0].contains("superusers"));
    assert_eq!(left().await, 2);
    let done = helper.submit(&act(ann), &end).await;
    assert_eq!(
        done.texts(".notice p"),
        ["The second factor has ended: the password is enough to log in now."]
    );
    let has = "SELECT count(*) FROM account WHERE has_second_factor";
    assert_eq!((left().await, number(db, has).await), (1, 1));
    let log = texts(db, "SELECT changes FROM audit").await;
    assert!(
        log.len() == 1 && log[0].contains("Second factor"),
        "{log:?}"
    );
    let again = helper.submit(&act(ann), &end).await;
    assert_eq!(
        again.texts(".notice.failed p"),
        ["There is no second factor to end."]
    );
}

pub async fn confirmations_of_all_kinds_are_listed(db: &Db) {
    let root = superuser(db, "root").await;
    let ann = seed::user(db, "ann", None).await;
    for kind in Kind::ALL {
        let statement = sql(
            "INSERT INTO email_confirmation (type, email, account_id, key_digest, date) VALUES ($1, 'x@example.org', $2, $3, $4)",
        );
        let digest = format!("{:0>40}", kind.word());
        run(
            db,
            statement
                .bind(kind.word())
                .bind(ann)
                .bind(digest)
                .bind(Timestamp::now()),
        )
        .await;
    }
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, root).await;
    let list = browser.get("/admin/patchwork/emailconfirmation/").await;
    let rows = list.texts(".things tbody tr").join(" ");
    for words in [
        "registration",
        "another address",
        "primary address",
        "new password",
        "no more mail",
        "mail again",
    ] {
        assert!(rows.contains(words), "{rows}");
    }
    let primary = number(
        db,
        "SELECT id FROM email_confirmation WHERE type = 'primary'",
    )
    .await;
    let act = format!("/admin/patchwork/emailconfirmation/{primary}/do/");
    let done = browser.submit(&act, &[("action", "resend")]).await;
    assert!(
        done.texts(".notice.failed p").is_empty(),
        "{:?}",
        done.texts(".notice p")
    );
    let mail = letters::last(db).await;
    assert_eq!(mail.recipient, "x@example.org");
    assert!(mail.content.contains("/confirm/"), "{mail:?}");
}

/// Patches are their submitters', so whoever may change people could make everybody's patches their own.
pub async fn nobody_links_people_to_themselves(db: &Db) {
    world(db).await;
    let permissions = [
        "patchwork.view_person",
        "patchwork.change_person",
        "patchwork.add_person",
    ];
    let sue = staff(db, "sue", &permissions).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, sue).await;
    let id = async |email: &'static str| {
        let mut conn = db.reader().await.expect("a reader");
        let (id,): (i64,) = sql("SELECT id FROM person WHERE email = $1")
            .bind(email)
            .one(&mut conn)
            .await
            .expect("a person");
        id
    };
    let (ann, bob) = (id("ann@example.org").await, id("bob@example.org").await);
    let change = |person: i64| format!("/admin/patchwork/person/{person}/change/");
    let own = [("account_id", "sue")];
    let seen = resend(&browser, &change(ann), &own).await;
    assert_eq!(seen.status, 422);
    assert_eq!(seen.values("[aria-invalid]", "name"), ["account_id"]);
    let new = [("account_id", "sue"), ("email", "new@example.org")];
    let seen = resend(&browser, "/admin/patchwork/person/add/", &new).await;
    assert_eq!(seen.status, 422);
    // What is one's own stays so, but takes no other address and nobody else's patches.
    run(
        db,
        sql("UPDATE person SET account_id = $1 WHERE id = $2")
            .bind(sue)
            .bind(ann),
    )
    .await;
    assert_eq!(
        resend(&browser, &change(ann), &[("name", "Sue")])
            .await
            .status,
        303
    );
    let moved = [("email", "mara@example.org")];
    assert_eq!(resend(&browser, &change(ann), &moved).await.status, 422);
    for (from, into) in [(ann, bob), (bob, ann)] {
        let into = into.to_string();
        let fields = [("action", "merge"), ("into", into.as_str())];
        let seen = browser
            .submit(&format!("/admin/patchwork/person/{from}/do/"), &fields)
            .await;
        assert!(seen.texts(".notice.failed p")[0].contains("Only superusers"));
    }
    assert_eq!(number(db, "SELECT count(*) FROM person").await, 2);
    // A superuser may.
    run(
        db,
        sql("UPDATE account SET is_superuser = TRUE WHERE id = $1").bind(sue),
    )
    .await;
    assert_eq!(resend(&browser, &change(bob), &own).await.status, 303);
}
