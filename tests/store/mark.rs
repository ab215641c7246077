//! What is noted with a patch of its checks and comments: whatever is added, changed and deleted, it is what a look at all of them gives.

use std::collections::BTreeMap;

use patchwork::{
    domain::{
        CommentId, PatchId, Timestamp, UserId,
        check::{CheckState, NewCheck},
    },
    ingest::{self, Outcome},
    store::{self, Conn, Db, admin::mend, comment, sql},
};

/// A check that counts: the newest of its reporter and context.
#[derive(sqlx::FromRow)]
struct Effective {
    patch_id: i64,
    account_id: i64,
    context: String,
    state: i64,
}

async fn run(conn: &mut Conn, text: &'static str) {
    sql(text).run(conn).await.expect(text);
}

async fn fill(conn: &mut Conn) {
    run(conn, "INSERT INTO project (linkname, name, list_id, list_email) VALUES ('one', 'one', 'one.example.org', 'one@example.org')").await;
    run(conn, "INSERT INTO person (email, name, key) VALUES ('ann@example.org', 'Ann', 'ann ann@example.org')").await;
    for name in ["ci", "bot"] {
        let account = sql(
            "INSERT INTO account (username, email, password, date_joined) VALUES ($1, '', '!', $2)",
        );
        let account = account.bind(name).bind(Timestamp::from_seconds(0));
        account.run(conn).await.expect("an account");
    }
    for number in 1..=4 {
        let patch = sql(
            "INSERT INTO patch (project_id, submitter_id, state_id, date, msgid, name, name_key) VALUES (1, 1, 1, $1, $2, 'x', 'x')",
        );
        let patch = patch
            .bind(Timestamp::from_seconds(number))
            .bind(format!("<{number}@example.org>"));
        patch.run(conn).await.expect("a patch");
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as i64 % sides
    }

    /// Whether what a comment asks for is done.
    fn mark(&mut self) -> Option<bool> {
        [None, Some(false), Some(true)][self.roll(3) as usize]
    }
}

async fn step(conn: &mut Conn, dice: &mut Dice, number: i64) {
    let patch = 1 + dice.roll(4);
    let at = Timestamp::from_seconds(dice.roll(50));
    match dice.roll(8) {
        0..=2 => {
            let check = sql("INSERT INTO patch_check (patch_id, account_id, date, state, context) VALUES ($1, $2, $3, $4, $5)")
                .bind(patch)
                .bind(1 + dice.roll(2))
                .bind(at)
                .bind(dice.roll(4))
                .bind(["build", "style"][dice.roll(2) as usize]);
            check.run(conn).await.expect("a check");
        }
        3 => {
            let change = sql("UPDATE patch_check SET state = $1 WHERE patch_id = $2");
            change
                .bind(dice.roll(4))
                .bind(patch)
                .run(conn)
                .await
                .expect("other results");
        }
        4 => {
            let deletion = sql("DELETE FROM patch_check WHERE id % 3 = $1");
            deletion
                .bind(dice.roll(3))
                .run(conn)
                .await
                .expect("fewer checks");
        }
        5 => {
            let comment = sql("INSERT INTO comment (patch_id, submitter_id, addressed, date, msgid) VALUES ($1, 1, $2, $3, $4)")
                .bind(patch)
                .bind(dice.mark())
                .bind(at)
                .bind(format!("<c{number}@example.org>"));
            comment.run(conn).await.expect("a comment");
        }
        6 => {
            let change = sql("UPDATE comment SET addressed = $1, patch_id = $2 WHERE id % 4 = $3")
                .bind(dice.mark())
                .bind(patch)
                .bind(dice.roll(4));
            change.run(conn).await.expect("other comments");
        }
        _ => {
            let deletion = sql("DELETE FROM comment WHERE id % 5 = $1");
            deletion
                .bind(dice.roll(5))
                .run(conn)
                .await
                .expect("fewer comments");
        }
    }
}

/// Returns what a look at all checks gives: the worst of those that count, in the order fail, warning, pending, success.
async fn combined(conn: &mut Conn) -> BTreeMap<i64, i64> {
    let checks: Vec<Effective> =
        sql("SELECT patch_id, account_id, context, state FROM patch_check ORDER BY date, id")
            .all(conn)
            .await
            .expect("checks");
    let mut newest = BTreeMap::new();
    for check in checks {
        newest.insert(
            (check.patch_id, check.account_id, check.context),
            check.state,
        );
    }
    let badness = |state: i64| [1, 0, 2, 3].iter().position(|other| *other == state);
    let mut worst: BTreeMap<i64, i64> = BTreeMap::new();
    for ((patch, ..), state) in newest {
        let known = worst.entry(patch).or_insert(state);
        if badness(state) > badness(*known) {
            *known = state;
        }
    }
    worst
}

async fn compare(conn: &mut Conn, after: &str) {
    let worst = combined(conn).await;
    let noted: Vec<(i64, Option<i64>, bool, bool)> = sql(
        "SELECT p.id, p.check_state, p.unaddressed,
                EXISTS (SELECT 1 FROM comment c WHERE c.patch_id = p.id AND c.addressed IS FALSE) FROM patch p",
    )
    .all(conn)
    .await
    .expect("patches");
    for (id, state, unaddressed, has_open) in noted {
        assert_eq!(state, worst.get(&id).copied(), "checks of {id} {after}");
        assert_eq!(unaddressed, has_open, "comments on {id} {after}");
    }
}

on_both! {
    async fn what_is_noted_is_what_is_there(db: Db) {
        let mut tx = db.begin().await.expect("a transaction");
        fill(&mut tx).await;
        let mut dice = Dice(7);
        for number in 0..400 {
            step(&mut tx, &mut dice, number).await;
            compare(&mut tx, &format!("after step {number}")).await;
        }
        run(&mut tx, "DELETE FROM patch WHERE id = 1").await;
        compare(&mut tx, "without one of them").await;
    }
}

on_both! {
    async fn two_reporters_at_once_are_both_heard(db: Db) {
        let mut tx = db.begin().await.expect("a transaction");
        fill(&mut tx).await;
        tx.commit().await.expect("a commit");
        let report = |account: i64, state: i64| {
            let db = &db;
            async move {
                let mut tx = db.begin().await.expect("a transaction");
                let check = sql("INSERT INTO patch_check (patch_id, account_id, date, state, context) VALUES (1, $1, $2, $3, 'x')");
                let check = check.bind(account).bind(Timestamp::from_seconds(1)).bind(state);
                check.run(&mut tx).await.expect("a check");
                // As long as the other one needs to come as far.
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                tx.commit().await.expect("a commit");
            }
        };
        tokio::join!(report(1, 3), report(2, 1));
        compare(&mut db.reader().await.expect("a reader"), "after both").await;
    }
}

/// How often each of those does so who do it at once.
const MANY: i64 = 60;

/// Replies that ask for action.
async fn ask(db: &Db) {
    for number in 0..MANY {
        let mail = format!(
            "From: Bo <bo@example.org>\nSubject: Re: [PATCH] x\nMessage-ID: <r{number}@example.org>\nIn-Reply-To: <1@example.org>\nList-Id: <one.example.org>\nX-Patchwork-Action-Required:\n\nwhy?\n"
        );
        let options = ingest::Options::default();
        let outcome = ingest::receive(db, mail.as_bytes(), None, &options, Timestamp::now()).await;
        assert!(matches!(outcome, Ok(Outcome::Comment(_))), "{outcome:?}");
    }
}

/// Checks that are reported.
async fn report(db: &Db) {
    for number in 0..MANY {
        let state = [CheckState::Success, CheckState::Fail][number as usize % 2];
        let check =
            NewCheck::new(PatchId(1), UserId(1), state, Some("x"), None, None).expect("a check");
        let mut tx = db.begin().await.expect("a transaction");
        store::check::insert(&mut tx, &check, Timestamp::now())
            .await
            .expect("a check is taken");
        tx.commit().await.expect("a commit");
    }
}

/// Comments that are marked, and checks that go.
async fn tidy(db: &Db) {
    for number in 1..=MANY {
        let mut tx = db.begin().await.expect("a transaction");
        let addressed = Some(number % 2 == 0);
        comment::set_addressed(&mut tx, CommentId(number), addressed)
            .await
            .expect("a mark");
        tx.commit().await.expect("a commit");
        let mut tx = db.begin().await.expect("a transaction");
        mend::delete_checks(&mut tx, &[number])
            .await
            .expect("a check goes");
        tx.commit().await.expect("a commit");
    }
}

on_both! {
    async fn nobody_waits_for_who_waits_for_him(db: Db) {
        let mut tx = db.begin().await.expect("a transaction");
        fill(&mut tx).await;
        tx.commit().await.expect("a commit");
        tokio::join!(ask(&db), report(&db), tidy(&db));
        compare(&mut db.reader().await.expect("a reader"), "after all").await;
    }
}
