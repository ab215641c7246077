//! `patchwork rehash`, `retag` and `relink`: all patches or some, a page at a time.

use std::{
    fs,
    io::Read,
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use patchwork::store::{Db, sql};

use crate::support::program::{Program, ended};

/// The sample list; more patches than a page.
fn ready(url: &str) -> Program {
    let program = Program::default();
    program
        .run(&["demo", "--no-serve", "-v0", "--database", url])
        .ok();
    Program::on(url)
}

async fn run(db: &Db, text: &'static str) {
    let mut tx = db.begin().await.expect("a transaction");
    sql(text).run(&mut tx).await.expect(text);
    tx.commit().await.expect("a commit");
}

/// Waits until an interrupt is more than the end of a process, and then until its work has begun.
fn until_interruptible(child: &Child) {
    let status = format!("/proc/{}/status", child.id());
    let is_caught = || {
        let status = fs::read_to_string(&status).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        caught.is_some_and(|mask| mask & 0b10 != 0)
    };
    for _ in 0..300 {
        if is_caught() {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    thread::sleep(Duration::from_millis(500));
}

fn dump(program: &Program, table: &str) -> String {
    program.run(&["dumpdata", table]).ok()
}

on_both! {
    async fn hashes_are_computed_anew(fresh: Fresh) {
        let program = ready(&fresh.url);
        let right = dump(&program, "patch");
        run(&fresh.db, "UPDATE patch SET hash = '0000000000000000000000000000000000000000'").await;
        assert_eq!(program.run(&["rehash", "1", "999999", "2", "1"]).ok(), "done\n");
        let some = dump(&program, "patch");
        let wrong = some.lines().filter(|line| line.contains("\"0000000000000000000000000000000000000000\"")).count();
        assert_eq!(wrong, some.lines().count() - 2);
        assert_eq!(program.run(&["rehash"]).ok(), "done\n");
        assert_eq!(dump(&program, "patch"), right);
        assert_eq!(program.run(&["rehash", "-v0"]).ok(), "");
        run(&fresh.db, "UPDATE patch_body SET diff = NULL").await;
        program.run(&["rehash"]).ok();
        assert!(dump(&program, "patch").lines().all(|line| line.contains("\"hash\":null")));
    }
}

on_both! {
    async fn tags_are_counted_anew(fresh: Fresh) {
        let program = ready(&fresh.url);
        let right = dump(&program, "patch_tag");
        assert!(right.lines().count() > 10, "{right}");
        run(&fresh.db, "DELETE FROM patch_tag WHERE tag_id = 1").await;
        run(&fresh.db, "UPDATE patch_tag SET count = count + 1").await;
        run(&fresh.db, "INSERT INTO patch_tag (patch_id, tag_id, count) SELECT id, 1, 7 FROM patch").await;
        let wrong = dump(&program, "patch_tag");
        assert_eq!(program.run(&["retag", "999999"]).ok(), "done\n");
        assert_eq!(dump(&program, "patch_tag"), wrong);
        assert_eq!(program.run(&["retag", "1"]).ok(), "done\n");
        assert_ne!(dump(&program, "patch_tag"), wrong);
        run(&fresh.db, "UPDATE project SET use_tags = FALSE").await;
        let kept = dump(&program, "patch_tag");
        program.run(&["retag"]).ok();
        assert_eq!(dump(&program, "patch_tag"), kept, "projects that count no tags are left alone");
        run(&fresh.db, "UPDATE project SET use_tags = TRUE").await;
        program.run(&["retag"]).ok();
        assert_eq!(dump(&program, "patch_tag"), right);
    }
}

async fn links(db: &Db) -> Vec<(i64, i64, String)> {
    let mut conn = db.reader().await.expect("a connection");
    sql("SELECT series_id, earlier_id, reason FROM revision_link ORDER BY series_id")
        .all(&mut conn)
        .await
        .expect("links")
}

on_both! {
    async fn revisions_are_found_anew(fresh: Fresh) {
        let program = ready(&fresh.url);
        let right = links(&fresh.db).await;
        assert!(right.len() > 2, "{right:?}");
        let signs = dump(&program, "revision_sign");
        run(&fresh.db, "DELETE FROM revision_link").await;
        run(&fresh.db, "DELETE FROM revision_sign").await;
        assert_eq!(program.run(&["relink", "--after", "999999"]).ok(), "done\n");
        assert_eq!(links(&fresh.db).await, []);
        assert_eq!(program.run(&["relink"]).ok(), "done\n");
        assert_eq!(links(&fresh.db).await, right);
        assert_eq!(dump(&program, "revision_sign"), signs);
        run(&fresh.db, "UPDATE revision_link SET earlier_id = NULL, reason = 'none'").await;
        program.run(&["relink"]).ok();
        let mut conn = fresh.db.reader().await.expect("a connection");
        let by_hand: Vec<(String,)> = sql("SELECT DISTINCT reason FROM revision_link").all(&mut conn).await.expect("links");
        assert_eq!(by_hand, [("none".to_owned(),)], "what was decided by hand stays");
    }
}

on_both! {
    async fn interrupted_work_is_130_and_may_be_started_again(fresh: Fresh) {
        let program = ready(&fresh.url);
        let right = dump(&program, "patch");
        run(&fresh.db, "UPDATE patch SET hash = NULL").await;
        // Somebody who writes makes the work wait where it can be interrupted.
        let mut blocker = fresh.db.begin().await.expect("a transaction");
        sql("UPDATE patch SET archived = archived").run(&mut blocker).await.expect("a lock");
        let child = program.command(&["rehash"]).stderr(Stdio::piped()).spawn().expect("the program");
        until_interruptible(&child);
        let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(kill.expect("kill").success());
        let mut child = child;
        let mut out = String::new();
        child.stdout.take().expect("standard output").read_to_string(&mut out).expect("an end");
        let ended = ended(child);
        assert_eq!((ended.code, out.as_str(), ended.err.as_str()), (Some(130), "", ""), "{ended:?}");
        blocker.commit().await.expect("a commit");
        program.run(&["rehash"]).ok();
        assert_eq!(dump(&program, "patch"), right);
    }
}
