//! `patchwork backup` and `restore`: from each engine into each, nothing lost.

use std::io::Write;

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
