//! Threads in any order and by many at once: the same patches, series, comments and events as one by one in order.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    thread,
};

use patchwork::{
    domain::{ListId, MessageId},
    ingest::{self, evidence},
    mail::{self, mbox},
    store::{Db, Kind},
};

use super::{scene, stage};
use crate::{
    corpus,
    support::{
        Random,
        database::{self, Fresh},
        graph::{self, Graph},
        tally,
    },
};

const WORKERS: usize = 16;
const LIST: &str = "dev.lists.example.org";

/// The mails of a thread in the order of the archive.
type Thread = Vec<Vec<u8>>;

/// Puts mails together that name each other, at any distance.
fn threads(mails: impl IntoIterator<Item = Vec<u8>>) -> Vec<Thread> {
    let mut of: HashMap<MessageId, usize> = HashMap::new();
    let mut threads: BTreeMap<usize, Vec<(usize, Vec<u8>)>> = BTreeMap::new();
    for (number, raw) in mails.into_iter().enumerate() {
        let Ok(message) = mail::read(&raw) else {
            continue;
        };
        let ids: Vec<MessageId> = std::iter::once(message.id)
            .chain(message.references)
            .collect();
        let mut found: Vec<usize> = ids.iter().filter_map(|id| of.get(id).copied()).collect();
        found.sort_unstable();
        found.dedup();
        let home = found.first().copied().unwrap_or(number);
        for other in found.into_iter().skip(1) {
            let moved = threads.remove(&other).unwrap_or_default();
            threads.entry(home).or_default().extend(moved);
            of.values_mut()
                .filter(|thread| **thread == other)
                .for_each(|thread| *thread = home);
        }
        of.extend(ids.into_iter().map(|id| (id, home)));
        threads.entry(home).or_default().push((number, raw));
    }
    let in_order = |mut thread: Vec<(usize, Vec<u8>)>| {
        thread.sort_by_key(|(number, _)| *number);
        thread.into_iter().map(|(_, raw)| raw).collect()
    };
    threads.into_values().map(in_order).collect()
}

/// Leaves out mails under an id that another mail had before: which of them has it depends on who comes first.
fn with_ids_of_their_own(mails: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut seen: HashMap<Option<MessageId>, Vec<u8>> = HashMap::new();
    let mut is_own = |raw: &Vec<u8>| {
        let first = seen.entry(mail::label(raw)).or_insert_with(|| raw.clone());
        evidence::is_same(first, raw)
    };
    let (own, others): (Vec<_>, Vec<_>) = mails.into_iter().partition(&mut is_own);
    if !others.is_empty() {
        println!("{} mails share the id of another mail", others.len());
    }
    own
}

/// Says whether a thread holds patches that belong together.
fn is_series(thread: &Thread) -> bool {
    let numbered = thread.iter().filter(|raw| {
        mail::read(raw)
            .is_ok_and(|message| !message.is_reply && message.heading("").place.is_some())
    });
    numbered.count() >= 2
}

/// Delivers as one process does that was started for each mail.
async fn deliver(db: &Db, raw: &[u8]) {
    let list = ListId::new(LIST);
    // Later than every mail: what seems to come from the future is taken to be from now.
    let now = scene::BEGIN.plus_minutes(60 * 24 * 365 * 20);
    ingest::receive(db, raw, Some(&list), &scene::options(), now)
        .await
        .expect("a database that takes all mails");
}

async fn graph(db: &Db) -> Graph {
    let mut conn = db.reader().await.expect("a connection");
    graph::read(&mut conn).await
}

/// What the mails become in order, by one.
async fn in_order(url: &str, mails: &[Vec<u8>]) -> Graph {
    let db = stage::open_again(url);
    stage::clear(&db).await;
    for raw in mails {
        deliver(&db, raw).await;
    }
    let graph = graph(&db).await;
    db.close().await;
    graph
}

/// What they become shuffled, by many at once, each with connections of its own.
async fn shuffled(url: &str, mails: &[Vec<u8>], seed: u64) -> Graph {
    let db = stage::open_again(url);
    stage::clear(&db).await;
    let mut mails = mails.to_vec();
    Random::new(seed).shuffle(&mut mails);
    let mails = Arc::new(Mutex::new(mails));
    let worker = || {
        let (url, mails) = (url.to_owned(), mails.clone());
        thread::spawn(move || {
            database::block_on(async {
                let db = stage::open_again(&url);
                loop {
                    let Some(raw) = mails.lock().expect("the mails").pop() else {
                        break;
                    };
                    deliver(&db, &raw).await;
                }
                db.close().await;
            });
        })
    };
    let workers: Vec<_> = (0..WORKERS).map(|_| worker()).collect();
    for worker in workers {
        worker.join().expect("a worker that ends well");
    }
    tally::is_right(&db).await;
    let graph = graph(&db).await;
    db.close().await;
    graph
}

/// Shuffles threads together, with each of the seeds.
async fn compare(fresh: &Fresh, mails: &[Vec<u8>], seeds: &[u64]) -> Vec<String> {
    let expected = in_order(&fresh.url, mails).await;
    let mut trouble = Vec::new();
    for seed in seeds {
        let found = shuffled(&fresh.url, mails, *seed).await;
        let difference = graph::difference(&expected, &found, 40);
        if !difference.is_empty() {
            trouble.push(format!("seed {seed}:\n  {}", difference.join("\n  ")));
        }
    }
    trouble
}

fn sample() -> Vec<Vec<u8>> {
    mbox::Splitter::new(
        &include_bytes!("../../lib/sample/tidepool.mbox")[..],
        16 << 20,
    )
    .map(|mail| mail.expect("a mail"))
    .collect()
}

/// A series nobody wrote: cover, patches, replies; `number` makes it one of many.
fn made_up(number: usize) -> Thread {
    let total = 2 + number % 4;
    let version = if number.is_multiple_of(3) { " v2" } else { "" };
    let from = format!("Author {number} <author{number}@example.com>");
    let id = |place: usize| format!("s{number}.{place}");
    let one = |place: usize| {
        let subject = format!("[PATCH{version} {place}/{total}] part {place} of {number}");
        let mut mail = serde_json::json!({"id": id(place), "subject": subject, "from": from});
        if place > 0 {
            mail["reply"] = serde_json::json!([id(0)]);
        }
        mail
    };
    let mut mails: Vec<_> = (0..=total).map(one).collect();
    for place in 0..=total {
        mails.push(serde_json::json!({
            "id": format!("r{number}.{place}"), "subject": format!("Re: part {place} of {number}"),
            "reply": [id(place)], "body": "Fine.\nReviewed-by: Rae <rae@example.com>\n",
        }));
    }
    let mails = mails.iter().enumerate();
    mails
        .map(|(at, mail)| scene::compose(mail, (number * 3600 + at) as i64))
        .collect()
}

on_both! {
    async fn made_up_series_and_the_sample_list_in_any_order(fresh: Fresh) {
        stage::open(&fresh.url).await.close().await;
        let mut mails: Vec<Vec<u8>> = (0..12).flat_map(made_up).collect();
        mails.extend(sample());
        let trouble = compare(&fresh, &mails, &[1, 2]).await;
        assert!(trouble.is_empty(), "\n{}", trouble.join("\n"));
    }
}

on_both! {
    async fn series_of_the_corpus_in_any_order(fresh: Fresh) {
        let Some(archives) = corpus::given("series of the corpus in any order") else { return };
        stage::open(&fresh.url).await.close().await;
        let mut trouble = Vec::new();
        let mut count = 0;
        for archive in archives {
            let mut mails: Vec<_> = corpus::mails(&archive).flatten().collect();
            mails = with_ids_of_their_own(mails);
            let all = threads(mails);
            let series: Vec<_> = all.into_iter().filter(is_series).take(PER_ARCHIVE).collect();
            count += series.len();
            // Threads of one archive go together: whoever wrote several of them must not mix them up.
            for (part, some) in series.chunks(TOGETHER).enumerate() {
                let mails = some.concat();
                let found = compare(&fresh, &mails, &[part as u64, part as u64 + 1000]).await;
                let name = archive.file_name().unwrap_or_default().display().to_string();
                trouble.extend(found.into_iter().map(|what| format!("{name}, part {part}, {what}")));
            }
        }
        println!("{count} series on {:?}, {} parts differ", kind(&fresh), trouble.len());
        assert!(count >= 200, "only {count} series");
        assert!(trouble.is_empty(), "\n{}", trouble.join("\n"));
    }
}

const PER_ARCHIVE: usize = 60;
const TOGETHER: usize = 20;

fn kind(fresh: &Fresh) -> Kind {
    fresh.db.kind()
}
