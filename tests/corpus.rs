//! Real archives into both databases: nothing fails, and both end with the same content.
//!
//! `PATCHWORK_CORPUS=FOLDER` names the archives (`*.mbox`, `.gz`, `.xz`, `.zst`). The project is the list that
//! most mails of an archive name. Prints what became of the mails. `PATCHWORK_CORPUS_EVERY=N` lets the tests
//! below `corpus/` look at each N-th mail only.

mod am;
mod base;
mod damage;
mod range_diff;
mod tree;

use std::{
    collections::HashMap,
    fs,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use patchwork::{
    domain::ListId,
    ingest::{self, archive::Summary},
    mail,
    store::{
        Db, Options,
        dump::{self, Place},
        migrate, sql,
    },
};

use crate::support::{database, skip};

#[test]
fn archives_load_alike_on_both_engines() {
    let Some(archives) = given("corpus") else {
        return;
    };
    let Some(server) = database::postgres_server() else {
        return;
    };
    let name = database::name();
    let _removed = database::Removed(&name);
    let urls = [database::sqlite_url(), server.create(&name)];
    database::multi_threaded(async {
        let dbs = urls.map(|url| Db::open(&url, &Options::default()).expect("an address"));
        for archive in archives {
            let list = list_of(&archive);
            let [a, b] = [
                load(&dbs[0], &archive, &list).await,
                load(&dbs[1], &archive, &list).await,
            ];
            assert_eq!(a, b, "{}", archive.display());
            println!(
                "{}\n    {a:?}",
                archive.file_name().unwrap_or_default().display()
            );
            let again = load(&dbs[0], &archive, &list).await;
            assert_eq!(
                (again.patches, again.covers, again.comments),
                (0, 0, 0),
                "loaded again"
            );
            load(&dbs[1], &archive, &list).await;
        }
        compare(&dbs[0], &dbs[1]).await;
        for db in &dbs {
            db.close().await;
        }
    });
}

/// Returns the archives that whoever runs the tests has, or says that a test is skipped.
pub fn given(test: &str) -> Option<Vec<PathBuf>> {
    match std::env::var("PATCHWORK_CORPUS") {
        Ok(folder) => Some(archives(Path::new(&folder))),
        Err(_) => {
            skip(test, "PATCHWORK_CORPUS names no folder of archives");
            None
        }
    }
}

/// Runs a test on each archive; says that it is skipped where there is none.
fn each_archive(test: &str, run: impl Fn(&Path)) {
    for archive in given(test).unwrap_or_default() {
        run(&archive);
    }
}

/// Each N-th mail of an archive, as `PATCHWORK_CORPUS_EVERY` wants it.
fn sampled(archive: &Path) -> Vec<Vec<u8>> {
    let every = std::env::var("PATCHWORK_CORPUS_EVERY").ok();
    let every = every.and_then(|every| every.parse().ok()).unwrap_or(1);
    mails(archive).flatten().step_by(every).collect()
}

fn archives(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("PATCHWORK_CORPUS is a folder");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let mut archives: Vec<PathBuf> = paths
        .filter(|path| path.to_string_lossy().contains(".mbox"))
        .collect();
    archives.sort();
    assert!(
        !archives.is_empty(),
        "{} holds no archive",
        folder.display()
    );
    archives
}

/// Returns the mails of an archive.
pub fn mails(archive: &Path) -> impl Iterator<Item = ingest::archive::Item> + Send + use<> {
    let file = fs::File::open(archive).expect("an archive");
    let input: Box<dyn Read + Send> = match archive.extension().and_then(|end| end.to_str()) {
        Some("xz") => Box::new(liblzma::read::XzDecoder::new(file)),
        Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Some("zst") => Box::new(zstd::Decoder::new(file).expect("a zstd archive")),
        _ => Box::new(file),
    };
    let splitter = mail::mbox::Splitter::new(BufReader::new(input), 16 << 20);
    splitter.map(|mail| mail.map_err(|broken| broken.to_string()))
}

/// The list that most of the mails name.
pub fn list_of(archive: &Path) -> ListId {
    let mut lists: HashMap<ListId, u32> = HashMap::new();
    for raw in mails(archive).flatten() {
        if let Some(list) = mail::read(&raw)
            .ok()
            .and_then(|message| message.list_ids.first().cloned())
        {
            *lists.entry(list).or_default() += 1;
        }
    }
    let most = lists.into_iter().max_by_key(|(_, count)| *count);
    most.expect("mails name their list").0
}

async fn load(db: &Db, archive: &Path, list: &ListId) -> Summary {
    migrate::run(db).await.expect("a migrated database");
    let mut tx = db.begin().await.expect("a transaction");
    let name = list.as_str().replace('.', "-");
    sql(
        "INSERT INTO project (linkname, name, list_id, list_email) SELECT $1, $1, $2, $3 \
         WHERE NOT EXISTS (SELECT 1 FROM project WHERE list_id = $2)",
    )
    .bind(name)
    .bind(list)
    .bind(list.as_str().replacen('.', "@", 1))
    .run(&mut tx)
    .await
    .expect("a project");
    tx.commit().await.expect("a commit");
    let watch = |progress: ingest::archive::Progress<'_>| {
        for (label, reason) in progress.trouble {
            println!("    {label}: {reason}");
        }
        true
    };
    let options = ingest::Options::default();
    ingest::archive::load(db, mails(archive), Some(list), &options, watch)
        .await
        .expect("an archive that loads")
}

async fn compare(a: &Db, b: &Db) {
    let options = dump::Options {
        stable: true,
        secrets: false,
        whole: false,
    };
    for table in dump::TABLES {
        let (mut conn_a, mut conn_b) = (
            a.reader().await.expect("a reader"),
            b.reader().await.expect("a reader"),
        );
        let (mut at_a, mut at_b) = (Place::default(), Place::default());
        let mut rows = 0;
        loop {
            let page_a = table
                .page(&mut conn_a, &mut at_a, options)
                .await
                .expect("rows");
            let page_b = table
                .page(&mut conn_b, &mut at_b, options)
                .await
                .expect("rows");
            if let Some((one, other)) = page_a.iter().zip(&page_b).find(|(one, other)| one != other)
            {
                panic!("{}: {one}\n{other}", table.name);
            }
            assert_eq!(page_a.len(), page_b.len(), "{}", table.name);
            if page_a.is_empty() {
                break;
            }
            rows += page_a.len();
        }
        println!("{:<28} {rows:>7} rows, the same", table.name);
    }
}
