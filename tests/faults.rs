//! Bad days: the database stops, dies, fills up, is locked, takes no connections; `patchwork-parsemail` is killed.
//! A mail server keeps what was not taken and tries again. In the end every mail is there once, and everything is
//! as if the days had been good.
//!
//! `make faults` runs it with more than 2,000 mails and 200 kills for each engine; without PATCHWORK_FAULTS a short
//! one runs. FAULTS_SEED repeats a run's random choices; ARCHIVE names a list's archive to take the mails from.

mod mails;
mod queue;
mod site;

use patchwork::{
    domain::{ListId, Timestamp},
    ingest,
    store::Db,
};

use crate::support::{
    database, folder,
    graph::{self, Graph},
    skip,
};
use mails::Mail;
use queue::Plan;
use site::{Fault, Site};

/// The largest mail that the sites of these tests take, in bytes: some are larger.
const MAX_BYTES: usize = 100_000;

fn seed() -> u64 {
    let given = std::env::var("FAULTS_SEED").ok();
    given
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| std::process::id().into())
}

fn is_full() -> bool {
    std::env::var_os("PATCHWORK_FAULTS").is_some()
}

#[test]
fn nothing_is_lost_on_sqlite() {
    let disk = folder().join("disk-sqlite");
    match Site::sqlite(&disk) {
        Ok(site) => live_through(&site),
        Err(why) => skip("faults on SQLite", &why),
    }
}

#[test]
fn nothing_is_lost_on_postgres() {
    let disk = folder().join("disk-postgres");
    match Site::postgres(&disk) {
        Ok(site) => live_through(&site),
        Err(why) => skip("faults on PostgreSQL", &why),
    }
}

fn live_through(site: &Site) {
    let seed = seed();
    println!("FAULTS_SEED={seed}");
    let mails = mails::all(is_full());
    site.prepare(&mails::lists(&mails));
    let expected = database::block_on(calm(&database::sqlite_url(), &mails));
    let faults = site.faults(is_full());
    let plan = Plan {
        kills: if is_full() { 200 } else { 12 },
        seed,
        faults: &faults,
    };
    let tally = queue::deliver(site, &mails, &plan);
    println!("{} mails on {}: {tally}", mails.len(), site.name());
    assert_eq!(tally.bounced, Vec::<String>::new(), "seed {seed}");
    assert!(tally.kills >= plan.kills, "seed {seed}: {tally}");
    for fault in &faults {
        let seen = tally.later.get(fault.name()).copied().unwrap_or(0);
        assert!(seen > 0, "seed {seed}: nothing came while {}", fault.name());
    }
    site.empty_spool();
    let found = database::block_on(site.told());
    let lost = graph::difference(&expected.0, &found.0, 40);
    assert!(lost.is_empty(), "seed {seed}:\n{}", lost.join("\n"));
    println!("{}: nothing lost, nothing twice", site.name());
    let other = graph::difference(&expected.1, &found.1, 40);
    assert!(other.is_empty(), "seed {seed}:\n{}", other.join("\n"));
}

/// What the mails become on a good day: in order, one by one.
async fn calm(url: &str, mails: &[Mail]) -> (Graph, Graph) {
    let db = Db::open(url, &Default::default()).expect("an address");
    site::projects(&db, &mails::lists(mails)).await;
    let options = ingest::Options {
        max_bytes: MAX_BYTES,
        ..Default::default()
    };
    for mail in mails {
        let list = ListId::new(&mail.list);
        ingest::receive(&db, &mail.raw, Some(&list), &options, Timestamp::now())
            .await
            .expect("a database on a good day");
    }
    let told = told(&db).await;
    db.close().await;
    told
}

/// Which mails are there, and what they became.
async fn told(db: &Db) -> (Graph, Graph) {
    let mut conn = db.reader().await.expect("a connection");
    (
        graph::accounts(&mut conn).await,
        graph::read(&mut conn).await,
    )
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Fault::Stopped => "the server is stopped",
            Fault::Killed => "the server is killed",
            Fault::ReadOnly => "the database may only be read",
            Fault::Full => "the disk is full",
            Fault::Crowded => "there are no more connections",
            Fault::Locked => "somebody else writes",
        }
    }
}
