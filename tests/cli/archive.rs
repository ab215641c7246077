//! `patchwork parsearchive`: forms of archives, the summary, interruption.

use std::{fs, io::Write, process::Stdio, thread, time::Duration};

use flate2::{Compression, write::GzEncoder};

use patchwork::{
    ingest::{self, job},
    store::{Db, Options, search, sql},
};

use crate::support::{
    graph::{self, Graph},
    program::{Program, ended},
};

const SAMPLE: &[u8] = include_bytes!("../../lib/sample/tidepool.mbox");

const SUMMARY: &str = "Processed 159 messages -->\n    15 cover letters\n    73 patches\n    68 comments\n     1 duplicates\n     \
    2 dropped\n     0 errors\nTotal: 156 new entries\n";

const AGAIN: &str = "Processed 159 messages -->\n     0 cover letters\n     0 patches\n     0 comments\n   157 duplicates\n     \
    2 dropped\n     0 errors\nTotal: 0 new entries\n";

const TIDEPOOL: &[&str] = &[
    "createproject",
    "tidepool",
    "--name",
    "Tidepool",
    "--list-id",
    "tidepool.lists.example.org",
    "--list-email",
    "tidepool@lists.example.org",
    "-v0",
];

fn ready() -> Program {
    let program = Program::default();
    program.run(&["migrate", "-v0"]).ok();
    program.run(TIDEPOOL).ok();
    program
}

on_both! {
    async fn an_archive_is_loaded_once(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        program.run(TIDEPOOL).ok();
        program.file("sample", SAMPLE);
        assert_eq!(program.run(&["parsearchive", "sample"]).ok(), SUMMARY);
        assert_eq!(program.run(&["parsearchive", "sample"]).ok(), AGAIN);
        assert_eq!(program.run(&["parsearchive", "sample", "-v0"]).ok(), "");
    }
}

on_both! {
    async fn a_load_that_was_killed_goes_on(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        program.run(TIDEPOOL).ok();
        program.file("sample", SAMPLE);
        // Each time a little later: before the first commit, in the middle, near the end.
        for turn in 0..12 {
            let mut child = program.command(&["parsearchive", "sample"]).spawn().expect("the program");
            thread::sleep(Duration::from_millis(40 * turn));
            let _ = child.kill();
            let _ = child.wait();
        }
        let told = program.run(&["parsearchive", "sample"]).ok();
        assert!(told.starts_with("Processed 159 messages") && told.contains("     0 errors"), "{told}");
        let found = graph(&fresh.db).await;
        let whole = ready();
        whole.file("sample", SAMPLE);
        assert_eq!(whole.run(&["parsearchive", "sample"]).ok(), SUMMARY);
        let url = format!("sqlite:{}", whole.folder.join("patchwork.db").display());
        let db = Db::open(&url, &Options::default()).expect("an address");
        let expected = graph(&db).await;
        db.close().await;
        assert_eq!(graph::difference(&expected, &found, 20), Vec::<String>::new());
    }
}

on_both! {
    async fn the_index_may_be_made_later(fresh: Fresh) {
        let program = Program::on(&fresh.url);
        program.run(TIDEPOOL).ok();
        program.file("sample", SAMPLE);
        let loaded = program.run(&["parsearchive", "--search-later", "sample"]);
        assert_eq!((loaded.code, &*loaded.out), (Some(0), SUMMARY), "{loaded:?}");
        assert!(loaded.err.contains("`patchwork reindex` at once"), "{loaded:?}");
        let indexed = async || {
            let mut conn = fresh.db.reader().await.expect("a connection");
            let docs: (i64,) = sql("SELECT count(*) FROM search_doc").one(&mut conn).await.expect("a count");
            (docs.0, search::waiting(&mut conn).await.expect("a number"))
        };
        assert_eq!(indexed().await, (0, 156));
        // Whoever works on jobs indexes them.
        job::work(&fresh.db, &ingest::Options::default(), None).await.expect("work");
        assert_eq!(indexed().await, (156, 0));
        // Or who does not want to wait for that.
        let mut tx = fresh.db.begin().await.expect("a transaction");
        sql("INSERT INTO search_wait (kind, id) SELECT 0, id FROM patch").run(&mut tx).await.expect("rows");
        tx.commit().await.expect("a commit");
        assert_eq!(indexed().await, (156, 73));
        assert_eq!(program.run(&["reindex"]).ok(), "done\n");
        assert_eq!(indexed().await, (156, 0));
        // Nothing new is nothing to be indexed.
        assert_eq!(program.run(&["parsearchive", "--search-later", "sample"]).ok(), AGAIN);
        assert_eq!(indexed().await, (156, 0));
        // What comes afterwards is indexed at once.
        let mail = "From: Zoe <zoe@example.org>\nSubject: [PATCH] pelican\nMessage-Id: <z@example.org>\n\
                    List-Id: <tidepool.lists.example.org>\n\nWhy.\n---\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n";
        program.parsemail(&[], mail).ok();
        assert_eq!(indexed().await, (157, 0));
    }
}

async fn graph(db: &Db) -> Graph {
    let mut conn = db.reader().await.expect("a connection");
    graph::read(&mut conn).await
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

#[test]
fn packed_archives_are_told_by_their_bytes() {
    let program = ready();
    program.file("plain", SAMPLE);
    assert_eq!(program.run(&["parsearchive", "plain"]).ok(), SUMMARY);
    // Archives grow by appending packed parts.
    let (first, second) = SAMPLE.split_at(100_000);
    let packed = [
        ("a.mbox", gz(SAMPLE)),
        ("b.gz", [gz(first), gz(second)].concat()),
        ("c", xz(SAMPLE)),
        ("d.gz", [xz(first), xz(second)].concat()),
        ("e.zst", zstd::encode_all(SAMPLE, 1).expect("memory")),
    ];
    for (name, bytes) in packed {
        program.file(name, &bytes);
        assert_eq!(program.run(&["parsearchive", name]).ok(), AGAIN, "{name}");
        assert_eq!(
            program.run_with(&["parsearchive", "-"], &bytes).ok(),
            AGAIN,
            "{name} on standard input"
        );
    }
    let bzip2 = program.file("f.bz2", b"BZh91AY&SY\x00\x00");
    program
        .run(&["parsearchive", &bzip2.display().to_string()])
        .fails(1, &["bunzip2"]);
}

#[test]
fn a_maildir_is_an_archive_in_order_of_arrival() {
    let program = ready();
    let folder = program.folder.join("Maildir");
    for name in ["cur", "new", "tmp"] {
        fs::create_dir_all(folder.join(name)).expect("a folder");
    }
    let mails = mails();
    for (number, mail) in mails.iter().enumerate() {
        // Half of them read, and names that do not sort by text.
        let path = match number % 2 {
            0 => folder.join(format!("cur/{}.M1P2.host:2,S", 999_999_950 + number)),
            _ => folder.join(format!("new/{}.M1P2.host", 999_999_950 + number)),
        };
        fs::write(path, mail).expect("a mail");
    }
    fs::write(folder.join("tmp/1.x"), "not yet").expect("a mail");
    assert_eq!(program.run(&["parsearchive", "Maildir"]).ok(), SUMMARY);
    let empty = program.folder.join("empty");
    fs::create_dir(empty).expect("a folder");
    program
        .run(&["parsearchive", "empty"])
        .fails(1, &["no Maildir"]);
}

fn mails() -> Vec<Vec<u8>> {
    patchwork::mail::mbox::Splitter::new(SAMPLE, SAMPLE.len())
        .map(|mail| mail.expect("a mail"))
        .collect()
}

#[test]
fn what_cannot_be_read_is_said_in_one_sentence() {
    let program = ready();
    program
        .run(&["parsearchive", "missing"])
        .fails(1, &["missing", "No such file"]);
    let told = program.run_with(&["parsearchive", "-"], "").ok();
    assert!(
        told.starts_with("Processed 0 messages -->\n") && told.ends_with("Total: 0 new entries\n"),
        "{told}"
    );
    let other = program.run_with(
        &["parsearchive", "-", "--list-id", "elsewhere.example.org"],
        SAMPLE,
    );
    assert!(other.out.contains("   159 dropped\n"), "{other:?}");
}

#[test]
fn a_broken_archive_gives_what_it_has() {
    let program = ready();
    let mut packed = xz(SAMPLE);
    packed.truncate(packed.len() / 2);
    program.file("half.xz", packed);
    let ended = program.run(&["parsearchive", "half.xz"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let processed = ended.out.split(' ').nth(1).expect("a count");
    let early = format!("the archive ends early after {processed} mails: ");
    assert!(ended.err.contains(&early), "{ended:?}");
    assert!(ended.out.contains("     0 errors\n"), "{ended:?}");
}

#[test]
fn an_interrupted_load_tells_how_far_it_came() {
    let program = ready();
    let mut child = program
        .command(&["parsearchive", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut stdin = child.stdin.take().expect("standard input");
    stdin.write_all(SAMPLE).expect("most of it");
    // The first mails are in when the first transaction is through.
    thread::sleep(Duration::from_millis(1500));
    let kill = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill");
    assert!(kill.success());
    let ended = ended(child);
    drop(stdin);
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(
        ended.out.starts_with("Processed ") && ended.out.contains(" new entries\n"),
        "{ended:?}"
    );
}
