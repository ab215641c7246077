//! `patchwork backup` and `restore`: from each engine into each, nothing lost.

use std::io::Write;

use sha2::Digest;

use crate::support::{database, program::Program};

const PART: &[&str] = &["dumpdata", "--secrets"];

/// Everything but what the backup itself writes.
fn dump(url: &str) -> Vec<String> {
    let out = Program::on(url).run(PART).ok();
    let is_kept = |line: &&str| !line.starts_with("{\"table\":\"pulse\"");
    out.lines().filter(is_kept).map(str::to_owned).collect()
}

fn unpacked(file: &std::path::Path) -> Vec<String> {
    let bytes = zstd::decode_all(std::fs::File::open(file).expect("a file")).expect("zstd");
    let text = String::from_utf8(bytes).expect("UTF-8");
    let is_row = |line: &&str| line.starts_with("{\"table\"") && !line.contains("\"pulse\"");
    text.lines().filter(is_row).map(str::to_owned).collect()
}

#[test]
fn a_backup_comes_back_on_either_engine() {
    let server = database::postgres_server();
    let names = [database::name(), database::name(), database::name()];
    let _removed: Vec<_> = names.iter().map(|name| database::Removed(name)).collect();
    let postgres = |name: &String| server.map(|server| server.create(name));
    let sources = [Some(database::sqlite_url()), postgres(&names[0])];
    let targets = [
        [Some(database::sqlite_url()), postgres(&names[1])],
        [Some(database::sqlite_url()), postgres(&names[2])],
    ];
    for (source, targets) in sources.iter().flatten().zip(targets) {
        let program = Program::default();
        program
            .run(&["demo", "--no-serve", "-v0", "--database", source])
            .ok();
        let program = Program::on(source).with("PATCHWORK_PASSWORD", "long enough");
        program
            .run(&["createuser", "zoë", "--email", "zoe@example.org", "-v0"])
            .ok();
        program.run(&["token", "zoë"]).ok();
        let file = program.folder.join("site.zst");
        let file = file.to_str().expect("a path");
        let said = program.run(&["backup", file]).ok();
        assert!(
            said.starts_with("Wrote ") && said.contains("site.zst"),
            "{said}"
        );
        assert_eq!(
            std::fs::read_dir(&program.folder)
                .expect("a folder")
                .count(),
            1,
            "something was left"
        );
        let before = dump(source);
        assert!(before.len() > 100);
        for target in targets.iter().flatten() {
            let other = Program::on(target);
            let said = other.run(&["restore", file]).ok();
            assert!(said.starts_with("Restored "), "{said}");
            let after = dump(target);
            for (a, b) in before.iter().zip(&after) {
                assert_eq!(a, b);
            }
            assert_eq!(before.len(), after.len());
            // Whole mails, too.
            let again = other.folder.join("again.zst");
            other
                .run(&["backup", again.to_str().expect("a path"), "-v0"])
                .ok();
            assert_eq!(unpacked(file.as_ref()), unpacked(&again));
            // New ids go on after the old ones.
            other.make_dev();
            other
                .with("PATCHWORK_PASSWORD", "long enough")
                .run(&["createuser", "new", "--email", "new@example.org", "-v0"])
                .ok();
            Program::on(target)
                .run(&["restore", file])
                .fails(1, &["the database is not empty"]);
        }
    }
}

#[test]
fn what_is_no_whole_backup_is_refused_before_anything_is_written() {
    let program = Program::on(&database::sqlite_url());
    program.run(&["backup", "good.zst", "-v0"]).ok();
    let good = std::fs::read(program.folder.join("good.zst")).expect("a file");
    let text = zstd::decode_all(&*good).expect("zstd");
    let text = String::from_utf8(text).expect("UTF-8");
    let pack = |text: &str| {
        let mut out = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
        out.write_all(text.as_bytes()).expect("memory");
        out.finish().expect("memory")
    };
    let short = text.lines().rev().skip(1).map(str::to_owned);
    let short: Vec<String> = short.collect::<Vec<_>>().into_iter().rev().collect();
    for (name, bytes, why) in [
        ("text", b"hello\n".to_vec(), "no backup"),
        ("cut.zst", good[..good.len() / 2].to_vec(), "damaged"),
        ("short.zst", pack(&short.join("\n")), "not complete"),
        (
            "other.zst",
            pack(&text.replace("Acked-by", "Asked-by")),
            "another",
        ),
        (
            "new.zst",
            pack(&text.replace("\"patchwork_backup\":1", "\"patchwork_backup\":99")),
            "form 99",
        ),
    ] {
        program.file(name, bytes);
        program.run(&["restore", name]).fails(1, &[name, why]);
    }
    assert!(
        program
            .run(&["restore", "good.zst"])
            .ok()
            .starts_with("Restored")
    );
}

fn packed(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 1).expect("memory")
}

/// A backup of these lines, with a last line that fits them.
fn backup(lines: &[&str], rows: &str) -> Vec<u8> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let digest = sha2::Sha256::digest(text.as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    packed(&format!(
        "{text}{{\"rows\":{rows},\"sha256\":\"{digest}\"}}\n"
    ))
}

on_both! {
    async fn crafted_backups_are_refused(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        program.run(&["backup", "good.zst", "-v0"]).ok();
        let good = zstd::decode_all(&*std::fs::read(program.folder.join("good.zst")).expect("a file"));
        let good = String::from_utf8(good.expect("zstd")).expect("UTF-8");
        let head = good.lines().next().expect("a head");
        let mut value: serde_json::Value = serde_json::from_str(head).expect("JSON");
        let mut with = |last_ids: serde_json::Value| {
            value["last_ids"] = last_ids;
            value.to_string()
        };
        let state = r#"{"table":"state","id":5,"name":"New","slug":"new","ordering":0,"action_required":true}"#;
        let one = r#"{"state":1}"#;
        let none = with(serde_json::json!({}));
        let escape = none.replace("\"version\":\"", "\"version\":\"\\u001b[2J").replace("\"migration\":", "\"migration\":9");
        for (name, file, why) in [
            ("empty.zst", backup(&[&none], r#"{"patch":12345}"#), "counts 12345 rows of 'patch' and holds 0"),
            ("more.zst", backup(&[&none, state], "{}"), "counts 0 rows of 'state' and holds 1"),
            ("stop.zst", backup(&[&none, state, r#"{"id":1}"#, state], one), "stop.zst is damaged: line 3: it names no table"),
            ("bad.zst", backup(&[&none, "not json"], "{}"), "bad.zst is damaged: line 2"),
            ("other.zst", backup(&[&none, r#"{"table":"sqlite_master","id":1}"#], "{}"), "no table 'sqlite_master'"),
            ("large.zst", backup(&[&with(serde_json::json!({"patch": i64::MAX}))], "{}"), "too few ids"),
            ("small.zst", backup(&[&with(serde_json::json!({"state": 4})), state], one), "a row with 5"),
            ("tag.zst", backup(&[&with(serde_json::json!({"patch_tag": 7}))], "{}"), "'patch_tag', which has no ids"),
            ("table.zst", backup(&[&with(serde_json::json!({"state; drop": 7}))], "{}"), "'state; drop', which has no ids"),
            ("escape.zst", backup(&[&escape, state], one), "patchwork \u{fffd}[2J"),
        ] {
            program.file(name, file);
            let told = program.run(&["restore", name]).fails(1, &[why]);
            assert!(!told.contains('\u{1b}'), "{told:?}");
        }
        program.run(&["restore", "."]).fails(1, &[". is no regular file"]);
        // Nothing of them stayed.
        assert!(program.run(&["restore", "good.zst"]).ok().starts_with("Restored"));
    }
}

#[test]
fn only_files_are_replaced() {
    let program = Program::on(&database::sqlite_url());
    let there = program.file("there", "old");
    std::os::unix::fs::symlink(&there, program.folder.join("link")).expect("a link");
    let made = std::process::Command::new("mkfifo")
        .arg(program.folder.join("pipe"))
        .status();
    assert!(made.expect("mkfifo").success());
    for name in ["link", "pipe", ".", "/dev/null"] {
        program
            .run(&["backup", name])
            .fails(1, &[name, "no regular file"]);
    }
    assert_eq!(std::fs::read(&there).expect("a file"), b"old");
    for name in ["-", "/dev/stdout"] {
        let output = program.command(&["backup", name]).output().expect("a run");
        assert!(output.status.success(), "{output:?}");
        assert_eq!(output.stderr, b"");
        let text = zstd::decode_all(&*output.stdout).expect("zstd");
        assert!(text.starts_with(b"{\"patchwork_backup\""));
    }
    program.run(&["backup", "there", "-v0"]).ok();
    assert!(
        std::fs::read(&there)
            .expect("a file")
            .starts_with(&[0x28, 0xb5])
    );
}

#[test]
fn a_backup_that_has_no_room_leaves_nothing() {
    let url = database::sqlite_url();
    let program = Program::on(&url);
    program
        .run(&["demo", "--no-serve", "-v0", "--database", &url])
        .ok();
    let path = env!("CARGO_BIN_EXE_patchwork");
    let mut command = program.command_at(std::path::Path::new("/bin/sh"), &[]);
    // More than the database needs to be read, less than the backup has.
    command.args(["-c", &format!("ulimit -f 70; exec {path} backup site.zst")]);
    let ended = crate::support::program::ended(command.spawn().expect("a shell"));
    ended.fails(1, &["cannot write site.zst", "too large"]);
    let left = std::fs::read_dir(&program.folder)
        .expect("a folder")
        .count();
    assert_eq!(left, 0);
}
