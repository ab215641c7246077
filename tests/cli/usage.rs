//! Arguments, help, exit codes, closed pipes: what holds for all commands.

use std::{io::Read, process::Stdio};

use crate::support::program::Program;

const COMMANDS: &[&str] = &[
    "serve",
    "fastcgi",
    "cgi",
    "migrate",
    "check",
    "settings",
    "secret-key",
    "loaddata",
    "createsuperuser",
    "createuser",
    "createproject",
    "token",
    "admin",
    "dumpdata",
    "parsemail",
    "parsearchive",
    "lmtp",
    "watch",
    "ingest",
    "changepassword",
    "cron",
    "dumparchive",
    "hash",
    "rehash",
    "relink",
    "reindex",
    "retag",
    "replacerelations",
    "quarantine",
    "sendtestemail",
    "demo",
];

#[test]
fn every_command_has_help_with_an_example() {
    let program = Program::default();
    let all = program.run(&["--help"]).ok();
    for command in COMMANDS {
        assert!(
            all.contains(&format!("\n  {command} ")),
            "{command} is not in {all}"
        );
        let help = program.run(&[command, "--help"]).ok();
        let (_, examples) = help
            .split_once("Example")
            .unwrap_or_else(|| panic!("{command}: {help}"));
        for line in examples.lines() {
            assert!(line.chars().count() <= 78, "{command}: {line}");
        }
        assert!(
            !help.contains('\u{1b}'),
            "colours off a terminal: {command}"
        );
    }
    assert_eq!(
        program.run(&["--version"]).ok(),
        format!("patchwork {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(
        program.parsemail(&["--version"], "").ok(),
        format!("patchwork-parsemail {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn the_small_program_helps_with_itself() {
    let help = Program::default().parsemail(&["--help"], "").ok();
    for part in [
        "  patchwork-parsemail < mail\n",
        "\"|/usr/local/bin/patchwork-parsemail --mta\"",
    ] {
        assert!(help.contains(part), "{part:?} is not in {help}");
    }
    assert!(!help.contains("patchwork parsemail"), "{help}");
}

#[test]
fn wrong_usage_is_2() {
    let program = Program::default();
    for arguments in [
        &["frobnicate"][..],
        &["migrate", "--frobnicate"],
        &["loaddata"],
        &["token", "mara", "--scope", "everything"],
        &["token", "mara", "--expires", "0"],
        &["createproject", "x"],
        &["settings", "--set", "nothing"],
        &["migrate", "-v", "9"],
        &["migrate", "--plan", "--check"],
        &["parsearchive"],
        &["rehash", "seven"],
        &["relink", "--after", "x"],
        &["retag", "1.5"],
        &["replacerelations"],
        &["hash", "file"],
        &["cron", "now"],
    ] {
        let ended = program.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(
            ended.out.is_empty() && ended.err.contains("error:"),
            "{ended:?}"
        );
    }
}

#[test]
fn settings_that_cannot_be_read_end_every_command() {
    let program = Program::default();
    for arguments in [
        &["migrate"][..],
        &["check"],
        &["settings"],
        &["loaddata", "default_tags"],
        &["token", "x"],
        &["dumpdata"],
        &["serve"],
        &["fastcgi"],
        // `cgi` answers as well: tests/cli/serve.rs.
        &["demo", "--no-serve"],
        &["sendtestemail", "a@b"],
        &["parsearchive", "-"],
        &["cron"],
        &["dumparchive"],
        &["rehash"],
        &["relink"],
        &["reindex"],
        &["retag"],
        &["replacerelations", "x"],
        &["changepassword", "x"],
        &["quarantine", "list"],
    ] {
        let mut all = vec!["--config", "/not/there.toml"];
        all.extend(arguments);
        program.run(&all).fails(1, &["/not/there.toml"]);
    }
}

#[test]
fn a_database_that_is_not_there_is_not_made_by_accident() {
    let program = Program::default();
    for arguments in [
        &["loaddata", "default_tags"][..],
        &["token", "x"],
        &["dumpdata"],
        &["parsearchive", "-"],
        &["migrate", "--check"],
        &["cron"],
        &["dumparchive"],
        &["rehash"],
        &["relink"],
        &["reindex"],
        &["retag"],
        &["changepassword", "x"],
    ] {
        program
            .run(arguments)
            .fails(1, &["there is no database", "patchwork migrate"]);
    }
    assert!(!program.folder.join("patchwork.db").exists());
    program
        .run(&["migrate", "--database", "sqlite:no/such/folder/x.db"])
        .fails(1, &["no/such/folder is not there"]);
    program
        .run(&["migrate", "--database", "mysql://h/n"])
        .fails(1, &["MySQL"]);
    program
        .run(&["migrate", "--database", "oracle:x"])
        .fails(1, &["sqlite:FILE", "postgres://"]);
}

#[test]
fn a_server_that_is_away_is_named_without_its_password() {
    let program = Program::default();
    let arguments = [
        "migrate",
        "--database",
        "postgres://u:geheim@127.0.0.1:1/n",
        "--set",
        "database.connect_timeout=1",
    ];
    let err = program.run(&arguments).fails(
        1,
        &["postgres://u:********@127.0.0.1:1/n", "cannot be reached"],
    );
    assert!(!err.contains("geheim"), "{err}");
}

#[test]
fn a_reader_may_go_away() {
    let program = Program::default();
    program
        .run(&["demo", "--no-serve", "--directory", ".", "-v0"])
        .ok();
    let mut child = program
        .command(&["dumpdata", "--database", "sqlite:patchwork.db"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut out = child.stdout.take().expect("standard output");
    let mut first = [0; 100];
    out.read_exact(&mut first).expect("some of it");
    drop(out);
    let ended = crate::support::program::ended(child);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
}

#[test]
fn quiet_is_quiet() {
    let program = Program::default();
    assert_eq!(program.run(&["migrate", "-v0"]).ok(), "");
    assert_eq!(
        program.run(&["loaddata", "default_tags", "-v", "0"]).ok(),
        ""
    );
}

#[test]
fn a_secret_key_is_long_and_new() {
    let program = Program::default();
    let keys = [(); 2].map(|()| program.run(&["secret-key"]).ok());
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[0].trim().len(), 50);
    let line = format!("SECRET_KEY = \"{}\"\n", keys[0].trim());
    program.file("site.toml", line);
    program.run(&["settings", "--config", "site.toml"]).ok();
}

/// The page of commands names each that there is.
#[test]
fn every_command_is_on_its_page() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/management.md");
    let page = std::fs::read_to_string(page).expect("docs/management.md");
    let help = Program::default().run(&["--help"]).ok();
    let commands = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help");
    let mut count = 0;
    for name in commands {
        count += 1;
        assert!(page.contains(&format!("`{name}")), "{name}");
    }
    assert!(count > 20, "{help}");
}
