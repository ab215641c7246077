//! `patchwork settings`.

use serde_json::Value;

use crate::support::program::Program;

#[test]
fn values_stand_in_columns_with_their_sources() {
    let program = Program::default().with("FORCE_HTTPS_LINKS", "true");
    program.file("site.toml", "[server]\nport = 81\n");
    let table = program
        .run(&[
            "settings",
            "--config",
            "site.toml",
            "--set",
            "log.level=info",
        ])
        .ok();
    let mut lines = table.lines();
    let head = lines.next().expect("a head");
    let (value, from) = (head.find("VALUE"), head.find("FROM"));
    let row = |key: &str| {
        table
            .lines()
            .find(|line| line.starts_with(key))
            .expect("a row")
    };
    assert_eq!(row("server.port").find("81"), value);
    assert_eq!(row("server.port").find("site.toml"), from);
    assert_eq!(
        row("site.force_https").find("environment variable FORCE_HTTPS_LINKS"),
        from
    );
    assert_eq!(row("log.level").find("--set"), from);
    assert_eq!(row("web.items_per_page").find("default"), from);
    assert_eq!(
        program
            .run(&[
                "settings",
                "show",
                "--config",
                "site.toml",
                "--set",
                "log.level=info"
            ])
            .ok(),
        table
    );
}

#[test]
fn json_says_the_same() {
    let program = Program::default().with("DATABASE_URL", "postgres://u:geheim@h/n");
    let text = program.run(&["settings", "--json"]).ok();
    assert!(!text.contains("geheim"));
    let list: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let entry = list
        .iter()
        .find(|entry| entry["key"] == "database.url")
        .expect("the address");
    assert_eq!(entry["value"], "postgres://u:********@h/n");
    assert_eq!(entry["source"], "environment variable DATABASE_URL");
}

#[test]
fn mistakes_are_told_without_secrets() {
    let program = Program::default().with("SECRET_KEY", "short");
    let err = program.run(&["settings"]).fails(
        1,
        &["site.secret_key must be at least 32 characters long; `patchwork secret-key` prints"],
    );
    assert!(!err.contains("short") && !err.contains(", not"), "{err}");
    let program = Program::default().with("DATABASE_URL", "postgres//nobody:s3cr3t@h/n");
    for command in ["settings", "check", "migrate"] {
        let ended = program.run(&[command]);
        assert!(!format!("{ended:?}").contains("s3cr3t"), "{ended:?}");
    }
}

#[test]
fn names_without_effect_are_one_warning() {
    let program = Program::default();
    program.file(
        "site.toml",
        "DEBUG = false\nCACHES = 'x'\nALLOWED_HOSTS = ['a.example.org', '.b.example.org']\n",
    );
    let ended = program.run(&["settings", "--config", "site.toml"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
    assert!(ended.err.contains("CACHES, DEBUG"), "{ended:?}");
    assert!(
        ended.out.contains("a.example.org, .b.example.org"),
        "{ended:?}"
    );
    let mta = program.parsemail(&["--config", "site.toml", "--mta"], "");
    assert!(!mta.err.contains("DEBUG"), "{mta:?}");
}

#[test]
fn the_file_may_be_named_by_a_variable() {
    let program = Program::default();
    let file = program.file("other.toml", "[log]\nformat = 'json'\n");
    let program = program.with("PATCHWORK_CONFIG", &file.display().to_string());
    let table = program.run(&["settings"]).ok();
    assert!(table.lines().any(|line| line.starts_with("log.format")
        && line.contains("json")
        && line.ends_with("other.toml")));
}
