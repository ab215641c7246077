//! `patchwork grants`; that the rights are enough and no more, the deployment test proves.

use std::{fs, path::Path};

use patchwork::store::{Kind, dump, sql};

use crate::support::{database, program::Program};

#[test]
fn the_sample_is_what_is_printed() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("lib/sql/grant-all.postgres.sql");
    let printed = Program::default().run(&["grants", "--psql"]).ok();
    if std::env::var_os("PATCHWORK_WRITE").is_some() {
        fs::write(&sample, &printed).expect("the sample");
    }
    assert!(
        fs::read_to_string(&sample).expect("the sample") == printed,
        "the sample is old: PATCHWORK_WRITE=1 cargo test --test main the_sample_is_what_is_printed"
    );
}

/// In a database that nobody has added a table to that is not spoken of.
#[test]
fn every_table_and_sequence_is_spoken_of() {
    let printed = Program::default()
        .run(&["grants", "--web", "a-b", "--mail", "c\"d"])
        .ok();
    assert!(
        printed.contains("TO \"a-b\", \"c\"\"d\";") && !printed.contains('\\'),
        "{printed}"
    );
    database::on_postgres(|fresh| async move {
        let mut conn = fresh.db.reader().await.expect("a reader");
        assert_eq!(conn.kind(), Kind::Postgres);
        let sequences: Vec<(String,)> =
            sql("SELECT sequencename::text FROM pg_sequences WHERE schemaname = current_schema()")
                .all(&mut conn)
                .await
                .expect("sequences");
        assert!(sequences.len() > 10);
        for (name,) in sequences {
            assert!(
                printed.contains(&format!("ON SEQUENCE {name} TO \"a-b\";")),
                "{name}"
            );
        }
        for (table, _) in dump::schema(&mut conn).await.expect("a schema") {
            assert!(
                printed.contains(&format!("ON {table} TO \"a-b\";")),
                "{table}"
            );
        }
    });
}

/// The mail's role would take from the site's what it may not do itself.
#[test]
fn the_mail_has_a_role_of_its_own() {
    for roles in [
        ["--web", "pw", "--mail", "pw"],
        ["--owner", "nobody", "--mail", "nobody"],
    ] {
        let arguments = [&["grants"], &roles[..]].concat();
        Program::default()
            .run(&arguments)
            .fails(1, &["must be one of its own"]);
    }
}
