//! A fresh, migrated database of either engine for each test.

use std::{
    fs,
    future::Future,
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use patchwork::store::{self, Db};

use super::{folder, fresh_folder, postgres, skip};

/// A database of one test.
pub struct Fresh {
    /// The database.
    pub db: Db,
    /// Its address.
    pub url: String,
}

/// Runs a test on SQLite.
pub fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Fresh) -> F) {
    run(sqlite_url(), test);
}

/// Runs a test on PostgreSQL, or says that there is none.
pub fn on_postgres<F: Future<Output = ()>>(test: impl FnOnce(Fresh) -> F) {
    let Some(server) = postgres_server() else {
        return;
    };
    let name = name();
    let _removed = Removed(&name);
    run(server.create(&name), test);
}

/// Returns the server, if there is one; says so if not.
pub fn postgres_server() -> Option<&'static postgres::Server> {
    match postgres::server() {
        Ok(server) => Some(server),
        Err(why) => {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            skip(&test, why);
            None
        }
    }
}

/// Returns a name for a database that no other test has.
pub fn name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("patchwork_test_{}_{number}", std::process::id())
}

/// Removes a database of the server at the end of its test, passed or not.
pub struct Removed<'a>(pub &'a str);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        if let Ok(server) = postgres::server() {
            server.remove(self.0);
        }
    }
}

/// Returns the address of a fresh copy of a migrated file.
pub fn sqlite_url() -> String {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    let template = TEMPLATE.get_or_init(|| {
        let file = folder().join("template.db");
        block_on(async {
            let url = format!("sqlite:{}", file.display());
            let db = Db::open(&url, &store::Options::default()).expect("an address");
            store::migrate::run(&db).await.expect("a migrated template");
            db.close().await;
        });
        file
    });
    let file = fresh_folder().join("patchwork.db");
    fs::copy(template, &file).expect("a copy of the template");
    format!("sqlite:{}", file.display())
}

fn run<F: Future<Output = ()>>(url: String, test: impl FnOnce(Fresh) -> F) {
    block_on(async {
        let db = Db::open(&url, &store::Options::default()).expect("an address");
        test(Fresh {
            db: db.clone(),
            url,
        })
        .await;
        db.close().await;
    });
}

/// Runs what waits for a database.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(work)
}

/// Runs what needs more than one thread, as the programs do.
pub fn multi_threaded<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(work)
}
