//! Dumps: every table and column, and the same text from both engines.

use std::collections::BTreeSet;

use patchwork::store::dump::{self, TABLES};

use crate::support::{database, program::Program};

on_both! {
    async fn every_column_is_known(db: Db) {
        let mut conn = db.reader().await.expect("a reader");
        let schema: BTreeSet<(String, String)> = dump::schema(&mut conn).await.expect("a schema").into_iter().collect();
        let known: BTreeSet<(String, String)> = TABLES
            .iter()
            .flat_map(|table| table.columns.iter().map(|column| (table.name.to_owned(), column.name.to_owned())))
            .collect();
        assert_eq!(schema.difference(&known).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "not dumped");
        assert_eq!(known.difference(&schema).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "not there");
    }
}

/// Two databases with the same list in them, one of each engine.
#[test]
fn both_engines_dump_the_same() {
    let Some(server) = database::postgres_server() else {
        return;
    };
    let name = database::name();
    let _removed = database::Removed(&name);
    let urls = [database::sqlite_url(), server.create(&name)];
    let dumps = urls.map(|url| {
        let program = Program::default();
        program
            .run(&["demo", "--no-serve", "-v0", "--database", &url])
            .ok();
        // Texts that sort differently by locale, and a moment with microseconds.
        let more = Program::on(&url).with("PATCHWORK_PASSWORD", "long enough");
        for user in ["Zoe", "émile", "_x", "a.b"] {
            more.run(&["createuser", user, "--email", "x@example.org", "-v0"])
                .ok();
        }
        more.run(&["token", "Zoe"]).ok();
        Program::on(&url).run(&["dumpdata", "--stable"]).ok()
    });
    let [sqlite, postgres] = &dumps;
    for (a, b) in sqlite.lines().zip(postgres.lines()) {
        assert_eq!(a, b);
    }
    assert_eq!(sqlite.len(), postgres.len());
    let tables: BTreeSet<&str> = sqlite
        .lines()
        .filter_map(|line| line.split('"').nth(3))
        .collect();
    for table in [
        "patch",
        "patch_body",
        "comment",
        "event",
        "mail",
        "token",
        "patch_check",
        "series_reference",
    ] {
        assert!(tables.contains(table), "nothing of {table} in the dump");
    }
}

on_both! {
    async fn secrets_are_shown_on_demand_only(fresh: Fresh) {
        let program = Program::on(&fresh.url).with("PATCHWORK_PASSWORD", "long enough");
        program.run(&["createuser", "mara", "--email", "mara@example.org"]).ok();
        let token = program.run(&["token", "mara"]).ok();
        let usual = program.run(&["dumpdata"]).ok();
        assert!(usual.contains("\"password\":null") && usual.contains("\"key_hash\":null"), "{usual}");
        assert!(usual.contains("\"date_joined\":\"20"), "{usual}");
        let stable = program.run(&["dumpdata", "--stable", "account", "token"]).ok();
        assert!(!stable.contains("date_joined") && !stable.contains("created"), "{stable}");
        let all = program.run(&["dumpdata", "--secrets"]).ok();
        assert!(all.contains("$argon2id$"), "{all}");
        for text in [usual, stable, all] {
            assert!(!text.contains(token.trim()), "the token itself is kept nowhere");
            for line in text.lines() {
                serde_json::from_str::<serde_json::Value>(line).expect("JSON");
            }
        }
    }
}
