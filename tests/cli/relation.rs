//! `patchwork replacerelations`.

use patchwork::store::{Db, sql};

use crate::support::program::Program;

/// Patches 1 to 8.
fn ready(url: &str) -> Program {
    let program = Program::on(url);
    program.make_dev();
    let mails: String = (1..=8)
        .map(|number| {
            format!(
                "From x@example.com Tue Mar  5 06:07:08 2024\nFrom: ann@example.com\nSubject: [PATCH] {number}\n\
                 Message-Id: <p{number}@example.com>\nList-Id: <dev.example.org>\n\n\
                 --- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b{number}\n\n"
            )
        })
        .collect();
    program.run_with(&["parsearchive", "-", "-v0"], mails).ok();
    program
}

async fn relations(db: &Db) -> Vec<String> {
    let mut conn = db.reader().await.expect("a reader");
    let rows: Vec<(i64, i64)> = sql("SELECT r.id, p.id FROM patch_relation r LEFT JOIN patch p ON p.related_id = r.id ORDER BY r.id, p.id")
        .all(&mut conn)
        .await
        .expect("relations");
    let mut told: Vec<(i64, String)> = Vec::new();
    for (relation, patch) in rows {
        match told.last_mut() {
            Some((last, patches)) if *last == relation => patches.push_str(&format!(" {patch}")),
            _ => told.push((relation, patch.to_string())),
        }
    }
    told.into_iter().map(|(_, patches)| patches).collect()
}

on_both! {
    async fn eight_patches_in_lines_of_3_3_2_are_3_relations(fresh: Fresh) {
        let program = ready(&fresh.url);
        program.file("a", "1 2 3\n4\t5  6\n\n7 8");
        assert_eq!(program.run(&["replacerelations", "a"]).ok(), "Ingested 3 relations\n");
        assert_eq!(relations(&fresh.db).await, ["1 2 3", "4 5 6", "7 8"]);
        program.file("b", "1 2 3\r\n4 5 6\n7 8\n1001 1002\n8 1003\n");
        assert_eq!(program.run(&["replacerelations", "b"]).ok(), "Ingested 3 relations\n");
        assert_eq!(relations(&fresh.db).await, ["1 2 3", "4 5 6", "7 8"]);
        let mut conn = fresh.db.reader().await.expect("a reader");
        let (told,): (i64,) = sql("SELECT count(*) FROM event WHERE category = 'patch-relation-changed'").one(&mut conn).await.expect("a count");
        assert_eq!(told, 0, "no event tells of it");
    }
}

on_both! {
    async fn the_last_line_naming_a_patch_wins(fresh: Fresh) {
        let program = ready(&fresh.url);
        program.file("a", "1 2\n2 3 2\n4 5 6\n6 7\n");
        assert_eq!(program.run(&["replacerelations", "a"]).ok(), "Ingested 3 relations\n");
        assert_eq!(relations(&fresh.db).await, ["2 3", "4 5", "6 7"]);
        program.file("none", "");
        assert_eq!(program.run(&["replacerelations", "none"]).ok(), "Ingested 0 relations\n");
        assert_eq!(relations(&fresh.db).await, Vec::<String>::new());
    }
}

on_both! {
    async fn a_mistake_in_the_file_changes_nothing(fresh: Fresh) {
        let program = ready(&fresh.url);
        program.file("a", "1 2\n");
        program.run(&["replacerelations", "a"]).ok();
        program.file("b", "3 4\n\n5 x 6\n-7 8\n");
        program.run(&["replacerelations", "b"]).fails(1, &["b was not used: line 3: 'x' is no patch id; line 4: '-7' is"]);
        program.file("c", "x\n".repeat(8));
        program.run(&["replacerelations", "c"]).fails(1, &["line 5: ", "; and 3 more"]);
        assert_eq!(relations(&fresh.db).await, ["1 2"]);
    }
}

on_both! {
    async fn a_bad_path_is_1(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        program.run(&["replacerelations", "missing"]).fails(1, &["cannot read missing", "No such file"]);
        program.run(&["replacerelations", "."]).fails(1, &["cannot read ."]);
    }
}
