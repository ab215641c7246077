//! What tests stand on: a folder that goes away with the program, databases of both engines, the real program.

pub mod database;
#[allow(dead_code)] // the benchmarks stand on this file too
pub mod graph;
pub mod postgres;
pub mod program;
#[allow(dead_code)] // the benchmarks stand on this file too
pub mod tally;

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, OnceLock},
};

/// Makes two tests of one: `name::sqlite` and `name::postgres`, each with a fresh, migrated database.
///
/// The argument is a [`patchwork::store::Db`], or a [`database::Fresh`] where the test needs the address too.
#[allow(unused_macros)] // the benchmarks stand on this file too
macro_rules! on_both {
    ($(#[$meta:meta])* async fn $name:ident($db:ident: Db) $body:block) => {
        on_both!($(#[$meta])* async fn $name(fresh: Fresh) {
            let $db = fresh.db.clone();
            $body
        });
    };
    ($(#[$meta:meta])* async fn $name:ident($fresh:ident: Fresh) $body:block) => {
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn the_test($fresh: $crate::support::database::Fresh) $body

            #[test]
            fn sqlite() {
                $crate::support::database::on_sqlite(the_test);
            }

            #[test]
            fn postgres() {
                $crate::support::database::on_postgres(the_test);
            }
        }
    };
}

/// The folder of this run, and who removes it.
struct Run {
    folder: PathBuf,
    /// Its standard input is the thread it hangs by: that closes when this program ends, however it ends.
    watchdog: Mutex<Option<Child>>,
}

/// Waits for the end of the test program, stops the database server it may have left, removes the folder.
/// Rust drops no statics, and a killed program drops nothing at all; a child that waits for a pipe to close
/// sees every kind of end.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
for file in "$1"/*/data/postmaster.pid; do
    [ -f "$file" ] || continue
    pid=$(head -n 1 "$file")
    kill -QUIT "$pid"
    n=0
    while kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
done
for disk in "$1"/disk-*; do
    [ -d "$disk" ] && umount -l "$disk" 2>/dev/null
done
rm -rf "$1"
"#;

/// Returns the folder of this run; it goes away with the program.
pub fn folder() -> &'static Path {
    &run().folder
}

fn run() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| {
        let folder = tempfile::Builder::new()
            .prefix("pw-test.")
            .tempdir()
            .expect("a folder for the tests")
            .keep();
        // The database server runs as a user of its own, who has to get in.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("permissions");
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .process_group(0)
            .spawn()
            .expect("a watchdog");
        Run {
            folder,
            watchdog: Mutex::new(Some(watchdog)),
        }
    })
}

/// Ends what the program's end would end: the database server goes, the folder too.
pub fn finish() {
    let watchdog = run().watchdog.lock().expect("nobody panics with it").take();
    if let Some(mut watchdog) = watchdog {
        drop(watchdog.stdin.take());
        let _ = watchdog.wait();
    }
}

/// Returns a port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Returns the names of what is in a folder.
#[allow(dead_code)] // the benchmarks stand on this file too
pub fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect()
}

/// Returns an empty folder for one test.
pub fn fresh_folder() -> PathBuf {
    tempfile::Builder::new()
        .prefix("t")
        .tempdir_in(folder())
        .expect("a folder for a test")
        .keep()
}

/// Says that a test did not run, and why: on the spot and in the list that `make test` prints at its end.
pub fn skip(what: &str, why: &str) {
    eprintln!("skipped: {what}: {why}");
    if let Some(list) = std::env::var_os("PATCHWORK_TEST_SKIPPED") {
        let list = fs::OpenOptions::new().create(true).append(true).open(list);
        if let Ok(mut list) = list {
            let _ = writeln!(list, "{what}: {why}");
        }
    }
}

/// Numbers that look random and are the same for the same seed (xorshift).
pub struct Random(u64);

#[allow(dead_code)] // the benchmarks stand on this file too
impl Random {
    /// Begins with a seed.
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(2).wrapping_add(88_172_645_463_325_253))
    }

    /// Returns the next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Returns a number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Shuffles.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
