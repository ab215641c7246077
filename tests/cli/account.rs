//! `patchwork createuser`, `createsuperuser` and `token`.

use patchwork::{
    auth,
    domain::Timestamp,
    store::{self, sql},
};

use crate::support::program::Program;

fn with_password(url: &str) -> Program {
    Program::on(url).with("PATCHWORK_PASSWORD", "low tide")
}

on_both! {
    async fn a_user_maintains_projects_and_owns_what_they_sent(fresh: Fresh) {
        let mut tx = fresh.db.begin().await.expect("a transaction");
        sql("INSERT INTO person (email, key) VALUES ('Mara@Example.org', 'x')").run(&mut tx).await.expect("a person");
        tx.commit().await.expect("a commit");
        let program = with_password(&fresh.url);
        program.run(&["loaddata", "default_projects"]).ok();
        let told = program.run(&["createuser", "mara", "--email", "mara@example.org", "--maintainer", "example"]).ok();
        assert_eq!(told, "Made the user mara.\n");
        let mut conn = fresh.db.reader().await.expect("a reader");
        let user = store::user::by_username(&mut conn, "mara").await.expect("an answer").expect("a user");
        assert!(user.is_active && !user.is_superuser && !user.is_staff);
        assert!(user.password.starts_with("$argon2id$"), "{}", user.password);
        assert!(Timestamp::now().0 - user.date_joined.0 < 60_000_000);
        let (owned,): (i64,) = sql("SELECT count(*) FROM person WHERE account_id = $1").bind(user.id).one(&mut conn).await.expect("a count");
        let (maintained,): (i64,) = sql("SELECT count(*) FROM maintainer WHERE account_id = $1").bind(user.id).one(&mut conn).await.expect("a count");
        assert_eq!((owned, maintained), (1, 1));
    }
}

on_both! {
    async fn users_that_cannot_be_are_refused(fresh: Fresh) {
        let program = with_password(&fresh.url);
        let make = |name: &str, email: &str| program.run(&["createuser", name, "--email", email]);
        make("mara", "mara@example.org").ok();
        make("mara", "other@example.org").fails(1, &["'mara' is taken"]);
        make("a b", "a@b").fails(1, &["'a b'"]);
        make("tobias", "nobody").fails(1, &["'nobody' is no mail address"]);
        program
            .run(&["createuser", "tobias", "--email", "a@b", "--maintainer", "nothing"])
            .fails(1, &["there is no project 'nothing'"]);
        let mut conn = fresh.db.reader().await.expect("a reader");
        assert!(store::user::by_username(&mut conn, "tobias").await.expect("an answer").is_none());
        Program::on(&fresh.url).run(&["createuser", "tobias", "--email", "a@b"]).fails(1, &["PATCHWORK_PASSWORD"]);
        Program::on(&fresh.url)
            .with("PATCHWORK_PASSWORD", "short")
            .run(&["createuser", "tobias", "--email", "a@b"])
            .fails(1, &["8 characters"]);
    }
}

on_both! {
    async fn a_superuser_is_made_without_questions(fresh: Fresh) {
        let program = with_password(&fresh.url);
        let told = program.run(&["createsuperuser", "--noinput", "--username", "admin", "--email", "admin@example.org"]).ok();
        assert_eq!(told, "Made the superuser admin.\n");
        // Scripts of old export these.
        let old = Program::on(&fresh.url)
            .with("DJANGO_SUPERUSER_USERNAME", "root")
            .with("DJANGO_SUPERUSER_EMAIL", "root@example.org")
            .with("DJANGO_SUPERUSER_PASSWORD", "low tide");
        old.run(&["createsuperuser", "--no-input"]).ok();
        old.run(&["createsuperuser", "--noinput"]).fails(1, &["'root' is taken"]);
        program.run(&["createsuperuser", "--noinput", "--username", "x"]).fails(1, &["--email is missing"]);
        program.run(&["createsuperuser", "--noinput", "--username", "x", "--email", "x"]).fails(1, &["no mail address"]);
        let mut conn = fresh.db.reader().await.expect("a reader");
        for name in ["admin", "root"] {
            let user = store::user::by_username(&mut conn, name).await.expect("an answer").expect("a user");
            assert!(user.is_superuser && user.is_staff);
        }
    }
}

on_both! {
    async fn a_token_is_printed_alone_and_kept_as_its_hash(fresh: Fresh) {
        let program = with_password(&fresh.url);
        program.run(&["createuser", "mara", "--email", "mara@example.org"]).ok();
        let token = program.run(&["token", "mara", "--name", "ci", "--scope", "checks", "--expires", "2"]).ok();
        let token = token.strip_suffix('\n').expect("one line");
        assert!(token.len() == 40 && token.chars().all(|c| c.is_ascii_hexdigit()), "{token}");
        let mut conn = fresh.db.reader().await.expect("a reader");
        let (hash, name, scope, created, expires): (Vec<u8>, String, String, Timestamp, Timestamp) =
            sql("SELECT key_hash, name, scope, created, expires FROM token").one(&mut conn).await.expect("a token");
        assert_eq!(hash, auth::token_hash(token));
        assert_eq!((name.as_str(), scope.as_str()), ("ci", "checks"));
        assert_eq!(expires.0 - created.0, 2 * 86_400 * 1_000_000);
        assert_ne!(program.run(&["token", "mara"]).ok().trim(), token);
        let listed = program.run(&["token", "mara", "--list"]).ok();
        let lines: Vec<&str> = listed.lines().collect();
        assert!(lines.len() == 2 && lines[0].starts_with("1     checks ") && lines[0].ends_with(" ci"), "{listed}");
        assert!(!listed.contains(token), "a token is shown once");
        let other = program.run(&["token", "mara", "--name", "ci", "--regenerate"]).ok();
        assert_ne!(other.trim(), token);
        let listed = program.run(&["token", "mara", "--list"]).ok();
        // It can do no more than the one in whose place it is, and no longer.
        let replaced = listed.lines().find(|line| line.ends_with(" ci")).expect("a line");
        assert_eq!(replaced.split_whitespace().nth(1), Some("checks"), "{listed}");
        let (again,): (Timestamp,) = sql("SELECT expires FROM token WHERE name = 'ci'").one(&mut conn).await.expect("an end");
        assert_eq!(again, expires);
        program.run(&["token", "mara", "--name", "ci", "--regenerate", "--scope", "read", "--expires", "9"]).ok();
        let (scope, later): (String, Timestamp) =
            sql("SELECT scope, expires FROM token WHERE name = 'ci'").one(&mut conn).await.expect("a token");
        assert!(scope == "read" && later > expires, "{scope}");
        let mut tx = fresh.db.begin().await.expect("a transaction");
        sql("UPDATE token SET expires = created WHERE name = 'ci'").run(&mut tx).await.expect("an end");
        tx.commit().await.expect("a commit");
        program.run(&["token", "mara", "--name", "ci", "--regenerate"]).fails(1, &["has expired", "--expires"]);
        program.run(&["token", "mara", "--name", "ci", "--regenerate", "--expires", "1"]).ok();
        let listed = program.run(&["token", "mara", "--list"]).ok();
        assert!(listed.lines().count() == 2 && listed.contains(" read ") && listed.contains("write"), "{listed}");
        program.run(&["token", "mara", "--name", "new", "--regenerate"]).ok();
        let listed = program.run(&["token", "mara", "--list"]).ok();
        let made = listed.lines().find(|line| line.ends_with(" new")).expect("a line");
        assert_eq!(made.split_whitespace().nth(1), Some("write"), "{listed}");
        let number = made.split_whitespace().next().expect("a number");
        assert_eq!(program.run(&["token", "mara", "--revoke", number]).ok(), "");
        program.run(&["token", "mara", "--revoke", number]).fails(1, &[&format!("mara has no token {number}"), "--list"]);
        program.run(&["token", "mara", "--list", "--regenerate"]).code.filter(|code| *code == 2).expect("a wrong call");
        program.run(&["token", "nobody"]).fails(1, &["there is no user 'nobody'"]);
    }
}

on_both! {
    async fn a_password_is_changed_and_browsers_are_logged_out(fresh: Fresh) {
        let program = with_password(&fresh.url);
        program.run(&["createuser", "mara", "--email", "mara@example.org"]).ok();
        let mut tx = fresh.db.begin().await.expect("a transaction");
        sql("INSERT INTO session (key_hash, account_id, created, expires) SELECT $1, id, date_joined, date_joined FROM account")
            .bind(vec![1_u8; 32])
            .run(&mut tx)
            .await
            .expect("a session");
        tx.commit().await.expect("a commit");
        let kept = async || {
            let mut conn = fresh.db.reader().await.expect("a reader");
            store::user::by_username(&mut conn, "mara").await.expect("an answer").expect("a user").password
        };
        let first = kept().await;
        assert_eq!(program.run(&["changepassword", "mara"]).ok(), "Changed the password of mara.\n");
        let second = kept().await;
        let bare = Program::on(&fresh.url);
        assert_eq!(bare.run_with(&["changepassword", "mara", "-v0"], "high tide \u{e9}\nno more\n").ok(), "");
        let third = kept().await;
        assert!(first != second && second != third);
        let hash = argon2::password_hash::phc::PasswordHash::new(&third).expect("a hash");
        let verified = argon2::PasswordVerifier::verify_password(&argon2::Argon2::default(), "high tide \u{e9}".as_bytes(), &hash);
        assert!(verified.is_ok(), "{verified:?}");
        let mut conn = fresh.db.reader().await.expect("a reader");
        let (sessions,): (i64,) = sql("SELECT count(*) FROM session").one(&mut conn).await.expect("a count");
        assert_eq!(sessions, 0);
        bare.run_with(&["changepassword", "mara"], "short\n").fails(1, &["8 characters"]);
        bare.run(&["changepassword", "mara"]).fails(1, &["PATCHWORK_PASSWORD"]);
        bare.run(&["changepassword"]).fails(1, &["name the user"]);
        program.with("USER", "nobody").run(&["changepassword"]).fails(1, &["there is no user 'nobody'"]);
        assert_eq!(kept().await, third);
    }
}
