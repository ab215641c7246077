//! A hot standby, by real streaming replication: asked as long as it is not too far behind, and left alone when it is.

use std::time::{Duration, Instant};

use patchwork::store::{self, Conn, Db, Pool, sql, stamp::Watch};

use crate::support::{
    database::block_on,
    folder,
    postgres::{self, Cluster},
    skip,
};

const LAG: Duration = Duration::from_secs(2);

fn open(cluster: &Cluster) -> Db {
    let options = store::Options {
        timeout: Duration::from_secs(2),
        ..store::Options::default()
    };
    Db::open(&cluster.url(), &options).expect("an address")
}

async fn is_standby(conn: &mut Conn) -> bool {
    let found = sql("SELECT pg_is_in_recovery()").one(conn).await;
    let (is_standby,): (bool,) = found.expect("an answer");
    is_standby
}

/// Says who answers visitors now, asked as a page asks.
async fn is_late(pool: &Pool) -> bool {
    let mut conn = pool.lend(true).await.expect("a connection");
    is_standby(&mut conn).await
}

/// Waits until visitors are answered by the standby, or until they are not.
async fn until(pool: &Pool, wanted: bool, when: &str) {
    let begun = Instant::now();
    while pool.is_standby_asked() != Some(wanted) {
        assert!(begun.elapsed() < Duration::from_secs(60), "{when}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn write(db: &Db, value: &str) {
    let mut tx = db.begin().await.expect("a transaction");
    sql("UPDATE site SET name = $1")
        .bind(value)
        .run(&mut tx)
        .await
        .expect(value);
    tx.commit().await.expect("a commit");
}

async fn read(pool: &Pool) -> String {
    let mut conn = pool.lend(true).await.expect("a connection");
    let found = sql("SELECT name FROM site").one(&mut conn).await;
    let (name,): (String,) = found.expect("a row");
    name
}

async fn run(db: &Db, statement: &'static str) {
    let mut conn = db.reader().await.expect("a connection");
    sql(statement).run(&mut conn).await.expect(statement);
}

#[test]
fn visitors_are_answered_by_a_standby_that_keeps_up() {
    if let Err(why) = postgres::server() {
        return skip("a standby", why);
    }
    // Where the end of the run looks for servers.
    let main = Cluster::start(&folder().join("main"), "fsync = off\n").expect("a server");
    let standby = Cluster::standby_of(&main, &folder().join("standby")).expect("a standby");
    block_on(story(&main, &standby));
    for cluster in [&standby, &main] {
        cluster
            .run("pg_ctl", &["-m", "immediate", "stop"])
            .expect("an end");
    }
}

/// Transactions that overlap: whichever ends, whoever reads from the standby is not told that nothing has changed.
async fn overlapping(db: &Db, pool: &Pool) {
    let watch = Watch::default();
    let mut open = Vec::new();
    for name in ["a", "b", "c"] {
        let mut tx = db.begin().await.expect("a transaction");
        let insert = sql("INSERT INTO throttle (key, began, count) VALUES ($1, now(), 1)");
        insert
            .bind(name.as_bytes().to_vec())
            .run(&mut tx)
            .await
            .expect(name);
        open.push(tx);
    }
    let mut stamps = vec![watch.stamp(pool.or_standby()).await.expect("a stamp")];
    for (count, tx) in [(1_i64, open.pop()), (2, open.pop()), (3, open.pop())] {
        tx.expect("one of three").commit().await.expect("a commit");
        until_rows(pool, count).await;
        stamps.push(watch.stamp(pool.or_standby()).await.expect("a stamp"));
    }
    let kept = stamps.len();
    stamps.dedup();
    assert_eq!(stamps.len(), kept, "{stamps:?}");
}

async fn until_rows(pool: &Pool, count: i64) {
    let begun = Instant::now();
    loop {
        let mut conn = pool.or_standby().reader().await.expect("a connection");
        let (found,): (i64,) = sql("SELECT count(*) FROM throttle")
            .one(&mut conn)
            .await
            .expect("a count");
        if found == count {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{found} rows");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn story(main: &Cluster, standby: &Cluster) {
    let (db, copy) = (open(main), open(standby));
    store::migrate::run(&db).await.expect("a migrated database");
    let pool = Pool::from(db.clone()).with_standby(copy.clone(), LAG);
    until(&pool, true, "it keeps up").await;
    overlapping(&db, &pool).await;
    assert!(is_late(&pool).await);
    assert!(!is_standby(&mut pool.lend(false).await.expect("a connection")).await);

    run(&copy, "SELECT pg_wal_replay_pause()").await;
    write(&db, "written meanwhile").await;
    until(&pool, false, "it is behind").await;
    assert_eq!(read(&pool).await, "written meanwhile");
    run(&copy, "SELECT pg_wal_replay_resume()").await;
    until(&pool, true, "it has caught up").await;
    assert_eq!(
        (read(&pool).await.as_str(), is_late(&pool).await),
        ("written meanwhile", true)
    );

    // It goes: whoever asks next is answered all the same.
    standby
        .run("pg_ctl", &["-m", "immediate", "-w", "stop"])
        .expect("an end");
    assert!(!is_late(&pool).await);
    standby.resume().expect("a start");
    until(&pool, true, "it is back").await;

    // The database goes: visitors read on, nobody else does.
    main.run("pg_ctl", &["-m", "immediate", "-w", "stop"])
        .expect("an end");
    assert_eq!(read(&pool).await, "written meanwhile");
    assert!(pool.lend(false).await.is_err());
    tokio::time::sleep(3 * LAG).await;
    assert_eq!(pool.is_standby_asked(), Some(true));
    main.resume().expect("a start");
    assert!(!is_standby(&mut pool.lend(false).await.expect("a connection")).await);

    // It becomes a database of its own, and the two part.
    standby
        .run("pg_ctl", &["-w", "promote"])
        .expect("a promotion");
    until(&pool, false, "it is no standby").await;
    assert!(!is_late(&pool).await);
    rocket_db_pools::Pool::close(&pool).await;
}
