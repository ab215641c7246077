//! The index of texts: written with the mails, kept by every change, made anew as it was.

use patchwork::{
    domain::{CommentId, PatchId, ProjectId, comment::Parent},
    store::{
        self, Db, Kind,
        search::{self, Column, Expr},
        sql,
    },
};

use crate::{
    support::program::Program,
    web::seed::{self, Patch},
};

/// Indexes all that is there.
pub async fn indexed(db: &Db) {
    let mut tx = db.begin().await.expect("a transaction");
    search::begin_anew(&mut tx).await.expect("a beginning");
    while search::step(&mut tx).await.expect("a step") {}
    tx.commit().await.expect("a commit");
}

/// What the index holds: word, mail, column or weight, place.
async fn held(db: &Db) -> Vec<(String, i64, String)> {
    let mut tx = db.begin().await.expect("a transaction");
    let text = match db.kind() {
        Kind::Sqlite => {
            sql("CREATE VIRTUAL TABLE temp.held USING fts5vocab(main, search_index, instance)")
                .run(&mut tx)
                .await
                .expect("a table");
            "SELECT term, doc, col || ' ' || offset FROM temp.held ORDER BY doc, term, col, offset"
        }
        Kind::Postgres => {
            "SELECT w.lexeme, d.id, array_to_string(w.positions, ',') || array_to_string(w.weights, '')
               FROM search_doc d, unnest(d.words) w ORDER BY d.id, w.lexeme"
        }
    };
    sql(text).all(&mut tx).await.expect("rows")
}

/// How many mails have a word somewhere.
async fn found(db: &Db, text: &str) -> usize {
    let expr = Expr::text(Column::All, "", text).expect("a word");
    let mut conn = db.reader().await.expect("a connection");
    let found = search::hits(&mut conn, expr, search::First::Newest(None), 100).await;
    found.expect("mails").len()
}

on_both! {
    async fn an_index_made_anew_is_the_same(fresh: Fresh) {
        let program = Program::default();
        program.run(&["demo", "--no-serve", "-v0", "--database", &fresh.url]).ok();
        let before = held(&fresh.db).await;
        assert!(before.len() > 1000, "{}", before.len());
        let waiting = search::is_waiting(&mut fresh.db.reader().await.expect("a connection")).await;
        assert!(!waiting.expect("an answer"), "something was not indexed");
        indexed(&fresh.db).await;
        let after = held(&fresh.db).await;
        assert_eq!(before.len(), after.len());
        for (one, other) in before.iter().zip(&after) {
            assert_eq!(one, other);
        }
        let docs = "SELECT d.id, coalesce(d.patch_id, 0) FROM search_doc d ORDER BY d.id";
        let docs: Vec<(i64, i64)> = sql(docs).all(&mut fresh.db.reader().await.expect("a connection")).await.expect("rows");
        let mails = "SELECT (SELECT count(*) FROM patch) + (SELECT count(*) FROM cover) + (SELECT count(*) FROM comment)";
        let (mails,): (i64,) = sql(mails).one(&mut fresh.db.reader().await.expect("a connection")).await.expect("a count");
        assert_eq!(docs.len() as i64, mails);
    }
}

on_both! {
    async fn every_change_reaches_the_index(db: Db) {
        let (one, two) = (seed::project(&db, "one").await, seed::project(&db, "two").await);
        let patch = seed::patch(&db, Patch { project: one, name: "pelican", ..Patch::default() }).await;
        let comment = seed::comment(&db, Some(patch), None, "<c@h>", "heron").await;
        indexed(&db).await;
        assert_eq!((found(&db, "pelican").await, found(&db, "heron").await), (1, 1));

        let mut tx = db.begin().await.expect("a transaction");
        store::admin::mend::rename_patch(&mut tx, PatchId(patch), "stork").await.expect("a name");
        store::comment::edit(&mut tx, CommentId(comment), "crane").await.expect("a text");
        tx.commit().await.expect("a commit");
        for (word, count) in [("pelican", 0), ("stork", 1), ("heron", 0), ("crane", 1)] {
            assert_eq!(found(&db, word).await, count, "{word}");
        }

        let mut tx = db.begin().await.expect("a transaction");
        store::admin::mend::move_patches(&mut tx, &[PatchId(patch)], ProjectId(two)).await.expect("a move");
        tx.commit().await.expect("a commit");
        let mut conn = db.reader().await.expect("a connection");
        for (project, count) in [(one, 0), (two, 2)] {
            let of = Expr::projects(&[ProjectId(project)]);
            assert_eq!(search::hits(&mut conn, of, search::First::Newest(None), 9).await.expect("mails").len(), count);
        }
        drop(conn);

        // Whatever writes a patch: a trigger tells, and who works on jobs indexes it.
        let mut tx = db.begin().await.expect("a transaction");
        sql("UPDATE patch SET date = $1").bind(seed::day(300)).run(&mut tx).await.expect("a date");
        sql("UPDATE patch_body SET content = 'ibis'").run(&mut tx).await.expect("a text");
        tx.commit().await.expect("a commit");
        patchwork::ingest::job::work(&db, &patchwork::ingest::Options::default(), None).await.expect("work");
        assert_eq!((found(&db, "ibis").await, found(&db, "stork").await), (1, 1));

        let mut tx = db.begin().await.expect("a transaction");
        store::admin::mend::move_comment(&mut tx, CommentId(comment), Parent::Patch(PatchId(patch))).await.expect("a move");
        store::admin::mend::delete_patches(&mut tx, &[PatchId(patch)]).await.expect("no patch");
        tx.commit().await.expect("a commit");
        assert_eq!((found(&db, "stork").await, found(&db, "crane").await), (0, 0));
        let mut conn = db.reader().await.expect("a connection");
        let (rows,): (i64,) = sql("SELECT (SELECT count(*) FROM search_doc) + (SELECT count(*) FROM search_wait)").one(&mut conn).await.expect("a count");
        assert_eq!(rows, 0);
    }
}

on_both! {
    async fn an_interrupted_index_goes_on(fresh: Fresh) {
        let db = &fresh.db;
        let project = seed::project(db, "one").await;
        let ids: Vec<String> = (0..250).map(|number| format!("<{number}@h>")).collect();
        let patches: Vec<Patch> = ids.iter().map(|msgid| Patch { project, msgid, name: "gull", ..Patch::default() }).collect();
        seed::patches(db, &patches).await;
        let mut tx = db.begin().await.expect("a transaction");
        search::begin_anew(&mut tx).await.expect("a beginning");
        assert!(search::step(&mut tx).await.expect("a step"));
        tx.commit().await.expect("a commit");
        let left = search::left(&mut db.reader().await.expect("a connection")).await.expect("a number");
        assert_eq!(left, 150);
        assert_eq!(Program::on(&fresh.url).run(&["reindex"]).ok(), "done\n");
        assert_eq!(found(db, "gull").await, 100);
        let left = search::left(&mut db.reader().await.expect("a connection")).await.expect("a number");
        let rows: (i64,) = sql("SELECT count(*) FROM search_doc").one(&mut db.reader().await.expect("a connection")).await.expect("a count");
        assert_eq!((left, rows), (0, (250,)));
        // Asked for as a job, it is made anew.
        let mut tx = db.begin().await.expect("a transaction");
        sql("DELETE FROM search_doc").run(&mut tx).await.expect("nothing");
        store::job::insert(&mut tx, "reindex", "", None, seed::day(1)).await.expect("a job");
        tx.commit().await.expect("a commit");
        patchwork::ingest::job::work(db, &patchwork::ingest::Options::default(), None).await.expect("work");
        assert_eq!(found(db, "gull").await, 100);
    }
}

on_both! {
    async fn no_mail_is_too_much_for_the_index(db: Db) {
        let project = seed::project(&db, "one").await;
        let long: String = (0..20_000).map(|number| format!("+{number:ß>32}\n")).collect();
        let many: String = (0..20_000).map(|number| format!("+++ b/{number:x>62}\n")).collect();
        let odd = "+\u{1}\u{200b}İ\u{301} ' \\ : & | ! ( ) <-> * \"\n";
        for (msgid, diff) in [("<a@h>", &*long), ("<b@h>", &*many), ("<c@h>", odd)] {
            seed::patch(&db, Patch { project, msgid, diff: Some(diff), content: "shearwater", ..Patch::default() }).await;
        }
        indexed(&db).await;
        assert_eq!(found(&db, "shearwater").await, 3);
        assert_eq!(found(&db, &format!("{:ß>32}", 7)).await, 1);
        assert_eq!(found(&db, &format!("{:x>62}", 7)).await, 1);
    }
}

on_both! {
    async fn beside_a_load_words_are_sorted_in(fresh: Fresh) {
        let db = &fresh.db;
        let project = seed::project(db, "one").await;
        let ids: Vec<String> = (0..250).map(|number| format!("<{number}@h>")).collect();
        let patches: Vec<Patch> = ids.iter().map(|msgid| Patch { project, msgid, name: msgid, ..Patch::default() }).collect();
        seed::patches(db, &patches).await;
        indexed(db).await;
        let file = fresh.url.strip_prefix("sqlite:").map(|path| path.split('?').next().unwrap_or(path).to_owned());
        let size = || file.as_ref().map_or(0, |file| std::fs::metadata(file).expect("a file").len());
        let before = size();
        let mut conn = db.kept_reader().await.expect("a connection");
        store::bulk::tend(&mut conn).await.expect("some time");
        match db.kind() {
            Kind::Sqlite => assert!(size() > before, "{before}"),
            Kind::Postgres => {
                let again = sql("SELECT gin_clean_pending_list('search_words'::regclass)");
                let pages: (i64,) = again.one(&mut conn).await.expect("pages");
                assert_eq!(pages, (0,));
            }
        }
        // Nobody has to have anything to do.
        store::bulk::tend(&mut conn).await.expect("some time");
    }
}
