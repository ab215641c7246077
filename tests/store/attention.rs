//! Whose turn patches are, from what is stored; promises to review; what a dashboard reads.

use patchwork::{
    domain::{
        CommentId, EventId, PatchId, SeriesId, StateId, Timestamp, UserId,
        change::{Actor, PatchChange},
        review::Subject,
    },
    store::{self, Db, patch::attention, sql},
};

use crate::web::seed::{self, Patch};

const ANN: &str = "ann@example.org";
const BOB: &str = "bob@example.org";

/// A moment long after everything here was written.
const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

async fn run(db: &Db, query: patchwork::store::Sql) {
    let mut tx = db.begin().await.expect("a transaction");
    query.run(&mut tx).await.expect("a row");
    tx.commit().await.expect("a commit");
}

/// Adds a patch of Ann's; what is said of it asks for nothing.
async fn patch(db: &Db, project: i64, msgid: &str, series: Option<(i64, i64)>) -> i64 {
    let patch = Patch {
        project,
        msgid,
        series,
        ..Patch::default()
    };
    seed::patch(db, patch).await
}

async fn said(db: &Db, patch: Option<i64>, cover: Option<i64>, from: &str, day: i64, text: &str) {
    let msgid = format!("<{patch:?}-{cover:?}-{from}-{day}@h>");
    let query = sql(
        "INSERT INTO comment (patch_id, cover_id, submitter_id, date, msgid, content) \
         SELECT $1, $2, id, $3, $4, $5 FROM person WHERE email = $6",
    );
    let query = query
        .bind(patch.map(PatchId))
        .bind(cover.map(patchwork::domain::CoverId))
        .bind(seed::day(day))
        .bind(msgid.as_str())
        .bind(text)
        .bind(from);
    run(db, query).await;
}

async fn person(db: &Db, email: &str, account: Option<i64>) {
    let query = sql("INSERT INTO person (email, key, account_id) VALUES ($1, $2, $3)");
    run(db, query.bind(email).bind(email).bind(account.map(UserId))).await;
}

async fn promise(db: &Db, subject: Subject, user: i64, made: Timestamp, ends: Timestamp) -> bool {
    let mut tx = db.begin().await.expect("a transaction");
    let kept = store::review::insert(&mut tx, subject, UserId(user), made, ends).await;
    tx.commit().await.expect("a commit");
    kept.expect("a promise")
}

async fn turns(db: &Db, ids: &[i64]) -> Vec<(&'static str, &'static str)> {
    let ids: Vec<PatchId> = ids.iter().copied().map(PatchId).collect();
    let mut conn = db.reader().await.expect("a reader");
    let words = store::state::vocabulary(&mut conn).await.expect("words");
    let rows = store::patch::list::rows(&mut conn, &ids)
        .await
        .expect("rows");
    let marks = store::patch::list::marks(&mut conn, &rows, NOW)
        .await
        .expect("marks");
    let none = store::patch::list::Marks::default();
    for id in ids {
        let alone = store::patch::list::marks_of(&mut conn, id, NOW).await;
        assert_eq!(marks.get(&id).unwrap_or(&none), &alone.expect("marks"));
    }
    let of = |row| {
        let row: &store::patch::list::Row = row;
        let found = attention::of(row, marks.get(&row.id).unwrap_or(&none), &words);
        (found.turn.word(), found.reason)
    };
    rows.iter().map(of).collect()
}

on_both! {
    async fn replies_say_whose_turn_it_is(db: Db) {
        let project = seed::project(&db, "one").await;
        let ann = seed::user(&db, "ann", None).await;
        let mut ids = Vec::new();
        for n in 0..7 {
            ids.push(patch(&db, project, &format!("<{n}@h>"), None).await);
        }
        person(&db, BOB, None).await;
        person(&db, "ann@example.com", Some(ann)).await;
        run(&db, sql("UPDATE person SET account_id = $1 WHERE email = 'ann@example.org'").bind(UserId(ann))).await;
        said(&db, Some(ids[1]), None, BOB, 5, "Why?\n").await;
        said(&db, Some(ids[2]), None, BOB, 5, "Fine.\n\nReviewed-by: Bob <bob@example.org>\n").await;
        said(&db, Some(ids[3]), None, BOB, 5, "> Reviewed-by: Cyd <cyd@example.org>\n\nReally?\n").await;
        said(&db, Some(ids[4]), None, BOB, 5, "Why?\n").await;
        said(&db, Some(ids[4]), None, ANN, 6, "Because.\n").await;
        // The same writer, by another address.
        said(&db, Some(ids[5]), None, BOB, 5, "Why?\n").await;
        said(&db, Some(ids[5]), None, "ann@example.com", 6, "Because.\n").await;
        said(&db, Some(ids[6]), None, ANN, 4, "Ping.\n").await;
        said(&db, Some(ids[6]), None, BOB, 5, "ACKED-BY: Bob\n").await;
        let unanswered = ("author", "the last reply is not answered");
        let new = ("reviewer", "nobody has reviewed it");
        let reviewed = ("maintainer", "reviewed, not decided");
        let expected = [new, unanswered, reviewed, unanswered, new, new, reviewed];
        assert_eq!(turns(&db, &ids).await, expected);
        seed::comment(&db, Some(ids[0]), None, "<asks@h>", "do this").await;
        assert_eq!(turns(&db, &ids[..1]).await, [("author", "a comment asks for action")]);
    }
}

on_both! {
    async fn checks_tags_desks_and_states_say_whose_turn_it_is(db: Db) {
        let project = seed::project(&db, "one").await;
        let mara = seed::user(&db, "mara", Some(project)).await;
        let mut ids = Vec::new();
        for n in 0..5 {
            ids.push(patch(&db, project, &format!("<{n}@h>"), None).await);
        }
        seed::check(&db, ids[0], mara, 1, 1, "build").await;
        seed::check(&db, ids[0], mara, 2, 3, "build").await;
        seed::check(&db, ids[1], mara, 1, 3, "build").await;
        seed::check(&db, ids[1], mara, 2, 1, "build").await;
        let tag = |patch: i64, tag: i64| {
            sql("INSERT INTO patch_tag (patch_id, tag_id, count) VALUES ($1, $2, 1)").bind(patch).bind(tag)
        };
        run(&db, tag(ids[2], 2)).await;
        // A test is no review.
        run(&db, tag(ids[1], 3)).await;
        run(&db, sql("UPDATE patch SET delegate_id = $1 WHERE id = $2").bind(mara).bind(ids[3])).await;
        run(&db, sql("UPDATE patch SET state_id = 3 WHERE id = $1").bind(ids[4])).await;
        let expected = [
            ("author", "a check fails"),
            ("reviewer", "nobody has reviewed it"),
            ("maintainer", "reviewed, not decided"),
            ("maintainer", "on the delegate's desk"),
            ("nobody", "decided"),
        ];
        assert_eq!(turns(&db, &ids).await, expected);
        run(&db, sql("UPDATE patch SET state_id = 7 WHERE id = $1").bind(ids[3])).await;
        run(&db, sql("UPDATE patch SET archived = TRUE WHERE id = $1").bind(ids[0])).await;
        let expected = [("nobody", "put away"), ("author", "changes were requested")];
        assert_eq!(turns(&db, &[ids[0], ids[3]]).await, expected);
    }
}

on_both! {
    async fn a_series_says_whose_turn_its_patches_are(db: Db) {
        let project = seed::project(&db, "one").await;
        let cover = seed::cover(&db, project, "<c@h>", "[0/2] both").await;
        let whole = seed::series(&db, project, "both", 2, Some(cover)).await;
        let broken = seed::series(&db, project, "broken", 2, None).await;
        let ids = [
            patch(&db, project, "<1@h>", Some((whole, 1))).await,
            patch(&db, project, "<2@h>", Some((whole, 2))).await,
            patch(&db, project, "<3@h>", Some((broken, 1))).await,
        ];
        person(&db, BOB, None).await;
        let new = ("reviewer", "nobody has reviewed it");
        let missing = ("author", "patches of the series are missing");
        assert_eq!(turns(&db, &ids).await, [new, new, missing]);
        // One that sends some patches again was never to have all of them.
        let minor = |minor: i64| sql("UPDATE series SET minor = $1 WHERE id = $2").bind(minor).bind(broken);
        run(&db, minor(1)).await;
        assert_eq!(turns(&db, &ids[2..]).await, [new]);
        run(&db, minor(0)).await;
        said(&db, None, Some(cover), BOB, 5, "What for?\n").await;
        said(&db, Some(ids[1]), None, ANN, 6, "For this.\n").await;
        let unanswered = ("author", "the last reply is not answered");
        assert_eq!(turns(&db, &ids).await, [unanswered, new, missing]);
        let next = seed::series(&db, project, "both", 2, None).await;
        let link = |claimed: bool, series: i64, earlier: i64| {
            sql("INSERT INTO revision_link (series_id, earlier_id, reason, claimed, date) VALUES ($1, $2, 'title', $3, $4)")
                .bind(series).bind(earlier).bind(claimed).bind(NOW)
        };
        // What somebody else only claims replaces nothing.
        run(&db, link(true, next, whole)).await;
        assert_eq!(turns(&db, &ids[..1]).await, [unanswered]);
        run(&db, sql("UPDATE revision_link SET claimed = FALSE WHERE series_id = $1").bind(next)).await;
        let replaced = ("nobody", "a newer revision is there");
        assert_eq!(turns(&db, &ids[..2]).await, [replaced; 2]);
        // v1.1 replaces what it sends again, and one patch no series of two.
        patch(&db, project, "<4@h>", Some((next, 2))).await;
        run(&db, sql("UPDATE series SET minor = 1 WHERE id = $1").bind(next)).await;
        assert_eq!(turns(&db, &ids[..2]).await, [unanswered, replaced]);
        run(&db, sql("UPDATE series SET minor = 0, total = 1 WHERE id = $1").bind(next)).await;
        assert_eq!(turns(&db, &ids[..2]).await, [unanswered, new]);
    }
}

on_both! {
    async fn a_promise_holds_until_it_ends(db: Db) {
        let project = seed::project(&db, "one").await;
        let mara = seed::user(&db, "mara", Some(project)).await;
        let desk = seed::user(&db, "desk", None).await;
        let series = seed::series(&db, project, "one", 1, None).await;
        let ids = [
            patch(&db, project, "<1@h>", Some((series, 1))).await,
            patch(&db, project, "<2@h>", None).await,
        ];
        let (before, later) = (NOW.plus_minutes(-60), NOW.plus_minutes(60));
        let (first, second) = (Subject::Series(SeriesId(series)), Subject::Patch(PatchId(ids[1])));
        let new = ("reviewer", "nobody has reviewed it");
        let promised = ("reviewer", "a review is promised");
        assert!(promise(&db, second, desk, before.plus_minutes(-60), before).await);
        assert_eq!(turns(&db, &ids).await, [new, new]);
        assert!(promise(&db, second, mara, before, later).await);
        assert!(promise(&db, first, mara, before, later).await);
        assert_eq!(turns(&db, &ids).await, [promised, promised]);
        // Anew is in place of the one before.
        assert!(promise(&db, second, mara, NOW, later.plus_minutes(9)).await);
        let mut conn = db.reader().await.expect("a reader");
        let known = store::review::of_patch(&mut conn, PatchId(ids[1]), None, NOW).await.expect("promises");
        let known: Vec<_> = known.iter().map(|claim| (claim.username.as_str(), claim.ends)).collect();
        assert_eq!(known, [("mara", later.plus_minutes(9))]);
        let whole = store::review::of_patch(&mut conn, PatchId(ids[0]), Some(SeriesId(series)), NOW).await;
        assert_eq!(whole.expect("promises").len(), 1);
        let of_series = store::review::of_series(&mut conn, SeriesId(series), NOW).await.expect("promises");
        let (claim, of) = store::review::by_id(&mut conn, of_series[0].id).await.expect("a look").expect("a promise");
        assert_eq!((claim.user_id, of.0), (UserId(mara), project));
        let mine = store::review::patches(&mut conn, UserId(mara), NOW, 9).await.expect("patches");
        assert_eq!(mine, [PatchId(ids[0]), PatchId(ids[1])]);
        drop(conn);
        run(&db, sql("UPDATE patch SET state_id = 3 WHERE id = $1").bind(ids[0])).await;
        let mut tx = db.begin().await.expect("a transaction");
        let mine = store::review::patches(&mut tx, UserId(mara), NOW, 9).await.expect("patches");
        assert_eq!(mine, [PatchId(ids[1])]);
        let open = store::review::subject(&mut tx, first).await.expect("a look").map(|(_, open)| open);
        assert_eq!(open, Some(false));
        assert_eq!(store::review::expire(&mut tx, NOW).await.expect("a delete"), 1);
        assert_eq!(store::review::expire(&mut tx, later).await.expect("a delete"), 1);
        tx.commit().await.expect("a commit");
    }
}

on_both! {
    async fn nobody_promises_more_than_a_hundred_reviews(db: Db) {
        let project = seed::project(&db, "one").await;
        let mara = seed::user(&db, "mara", None).await;
        let later = NOW.plus_minutes(60);
        let texts: Vec<String> = (0..101).map(|n| format!("<{n}@h>")).collect();
        let all: Vec<Patch> = texts.iter().map(|msgid| Patch { project, msgid, ..Patch::default() }).collect();
        let ids = seed::patches(&db, &all).await;
        for id in &ids[..100] {
            assert!(promise(&db, Subject::Patch(PatchId(*id)), mara, NOW, later).await);
        }
        assert!(!promise(&db, Subject::Patch(PatchId(ids[100])), mara, NOW, later).await);
        assert!(promise(&db, Subject::Patch(PatchId(ids[0])), mara, NOW, later).await);
    }
}

on_both! {
    async fn replies_to_what_is_mine_are_new_until_seen(db: Db) {
        let project = seed::project(&db, "one").await;
        let ann = seed::user(&db, "ann", None).await;
        let cover = seed::cover(&db, project, "<c@h>", "[0/1] letter").await;
        let own = patch(&db, project, "<1@h>", None).await;
        let other = |msgid, delegate| Patch { project, msgid, delegate, from: ("Cyd", "cyd@example.org"), ..Patch::default() };
        let others = seed::patches(&db, &[other("<2@h>", Some(ann)), other("<3@h>", None), other("<4@h>", None)]).await;
        person(&db, BOB, None).await;
        run(&db, sql("UPDATE person SET account_id = $1 WHERE email = 'ann@example.org'").bind(ann)).await;
        said(&db, Some(own), None, BOB, 1, "to mine").await;
        said(&db, Some(own), None, ANN, 2, "by me").await;
        said(&db, None, Some(cover), BOB, 3, "to my letter").await;
        said(&db, Some(others[0]), None, BOB, 4, "on my desk").await;
        said(&db, Some(others[1]), None, ANN, 5, "by me, elsewhere").await;
        said(&db, Some(others[1]), None, BOB, 6, "to what I discuss").await;
        said(&db, Some(others[2]), None, BOB, 7, "to others").await;
        let mut tx = db.begin().await.expect("a transaction");
        let all = store::dashboard::replies(&mut tx, UserId(ann), None, 9).await.expect("replies");
        let texts: Vec<&str> = all.iter().map(|reply| reply.content.as_str()).collect();
        assert_eq!(texts, ["to what I discuss", "on my desk", "to my letter", "to mine"]);
        assert!(all[2].is_to_cover && all[2].name == "[0/1] letter" && !all[3].is_to_cover);
        let older = store::dashboard::replies(&mut tx, UserId(ann), Some(all[1].id), 1).await.expect("replies");
        assert_eq!(older[0].id, all[2].id);
        store::dashboard::see(&mut tx, UserId(ann), all[1].id).await.expect("an update");
        // Seen is seen, and what has not come cannot be.
        store::dashboard::see(&mut tx, UserId(ann), all[3].id).await.expect("an update");
        store::dashboard::see(&mut tx, UserId(ann), CommentId(1_000_000)).await.expect("an update");
        let new = store::dashboard::replies(&mut tx, UserId(ann), None, 9).await.expect("replies");
        assert_eq!(new.len(), 1);
        assert_eq!(new[0].id, all[0].id);
    }
}

on_both! {
    async fn decisions_are_told_while_they_stand(db: Db) {
        let project = seed::project(&db, "one").await;
        let mara = seed::user(&db, "mara", Some(project)).await;
        let ids = [
            PatchId(patch(&db, project, "<1@h>", None).await),
            PatchId(patch(&db, project, "<2@h>", None).await),
        ];
        let mut tx = db.begin().await.expect("a transaction");
        for (patches, state, user, minute) in [
            (&ids[..], 3, Some(mara), 1),
            (&ids[..1], 4, Some(mara), 2),
            (&ids[1..], 2, Some(mara), 3),
            (&ids[1..], 3, None, 4),
        ] {
            let change = PatchChange { state: Some(StateId(state)), ..PatchChange::default() };
            let by = Actor { user: user.map(UserId), at: NOW.plus_minutes(minute) };
            store::patch::change::apply(&mut tx, patches, &change, &by).await.expect("a change");
        }
        let since = |minute| NOW.plus_minutes(minute);
        let found = store::dashboard::decided(&mut tx, UserId(mara), since(0), 99).await.expect("decisions");
        // The second patch is as it was decided on first, but by somebody else.
        let told: Vec<_> = found.iter().map(|one| (one.patch_id, one.previous_state_id.0, one.current_state_id.0)).collect();
        assert_eq!(told, [(ids[0], 3, 4)]);
        let late = store::dashboard::decided(&mut tx, UserId(mara), since(2), 99).await.expect("decisions");
        assert!(late.is_empty());
        let events: Vec<EventId> = found.iter().map(|one| one.id).collect();
        let named = store::dashboard::decisions(&mut tx, UserId(mara), &events).await.expect("decisions");
        assert_eq!(named.len(), 1);
        let named = store::dashboard::decisions(&mut tx, UserId(mara + 1), &events).await.expect("decisions");
        assert!(named.is_empty());
    }
}

on_both! {
    /// Two clicks at the same moment make one promise.
    async fn a_promise_made_twice_at_once_is_one(db: Db) {
        let project = seed::project(&db, "one").await;
        let user = seed::user(&db, "ann", None).await;
        let subject = Subject::Patch(PatchId(patch(&db, project, "<1@h>", None).await));
        let mut first = db.begin().await.expect("a transaction");
        assert!(store::review::insert(&mut first, subject, UserId(user), seed::day(1), NOW).await.expect("a promise"));
        let other = tokio::spawn({
            let db = db.clone();
            async move { promise(&db, subject, user, seed::day(2), NOW).await }
        });
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        first.commit().await.expect("a commit");
        assert!(other.await.expect("no panic"));
        let mut conn = db.reader().await.expect("a reader");
        let rows: Vec<(Timestamp,)> = sql("SELECT made FROM review_claim").all(&mut conn).await.expect("promises");
        assert_eq!(rows, [(seed::day(2),)]);
    }
}
