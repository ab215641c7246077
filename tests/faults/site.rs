//! A site whose database can be made to fail: on a small disk of its own, SQLite or a server of its own.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use patchwork::store::{self, Db, sql};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};

use super::MAX_BYTES;
use crate::support::{database, graph::Graph, postgres::Cluster, program::Program, skip};

/// Something that goes wrong with a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server is stopped as for an update.
    Stopped,
    /// The server dies at once.
    Killed,
    /// Nothing can be written.
    ReadOnly,
    /// There is no room.
    Full,
    /// All connections are taken.
    Crowded,
    /// Another program holds the lock.
    Locked,
}

/// What is held while a fault lasts.
pub enum Held {
    /// Nothing.
    Nothing,
    /// Connections.
    Crowd(Vec<PgConnection>),
    /// A lock, until the other end is dropped.
    Lock(std::sync::mpsc::Sender<()>, thread::JoinHandle<()>),
}

/// A file system in memory, if we may have one.
struct Disk {
    folder: PathBuf,
    is_own: bool,
}

/// How much a disk holds, for mount and in bytes.
const ROOM: &str = "size=400m,mode=755";

impl Disk {
    fn new(folder: &Path) -> Result<Disk, String> {
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let mounted = is_root()
            && Command::new("mount")
                .args(["-t", "tmpfs", "-o", ROOM, "patchwork-faults"])
                .arg(folder)
                .output()
                .is_ok_and(|output| output.status.success());
        Ok(Disk {
            folder: folder.to_owned(),
            is_own: mounted,
        })
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }

    /// Leaves no room.
    fn fill(&self) {
        let done = Command::new("dd")
            .args(["if=/dev/zero", "bs=64k"])
            .arg(format!("of={}", self.ballast().display()))
            .output();
        done.expect("dd");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_own {
            let _ = Command::new("umount").arg("-l").arg(&self.folder).output();
        }
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0)
}

/// Whom files that are read-only stop: root is stopped by nothing.
const NOBODY: u32 = 65_534;

/// A site.
pub struct Site {
    program: Program,
    /// A copy that everybody may run.
    parsemail: PathBuf,
    url: String,
    spool: PathBuf,
    /// Below the disk: dropped, and so ended, before it.
    server: Option<Cluster>,
    disk: Disk,
}

impl Site {
    /// Makes a site on SQLite.
    pub fn sqlite(folder: &Path) -> Result<Site, String> {
        let disk = Disk::new(folder)?;
        let home = folder.join("site");
        fs::create_dir(&home).map_err(|error| error.to_string())?;
        let url = format!("sqlite:{}", home.join("patchwork.db").display());
        Ok(Site::new(url, None, disk))
    }

    /// Makes a site on a server of its own.
    pub fn postgres(folder: &Path) -> Result<Site, String> {
        let disk = Disk::new(folder)?;
        let settings = "max_connections = 12\nmin_wal_size = 32MB\nmax_wal_size = 64MB\nshared_buffers = 16MB\n";
        let server = Cluster::start(folder, settings)?;
        Ok(Site::new(server.url(), Some(server), disk))
    }

    fn new(url: String, server: Option<Cluster>, disk: Disk) -> Site {
        let program = Program::on(&url)
            .with("PATCHWORK_DATABASE__CONNECT_TIMEOUT", "1")
            .with("PATCHWORK_MAIL__INTAKE__MAX_BYTES", &MAX_BYTES.to_string());
        let spool = program.folder.join("spool");
        fs::create_dir(&spool).expect("a spool");
        let parsemail = program.folder.join("parsemail");
        fs::copy(env!("CARGO_BIN_EXE_patchwork-parsemail"), &parsemail).expect("a copy");
        for path in [&program.folder, &parsemail] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
        }
        Site {
            program,
            parsemail,
            url,
            spool,
            server,
            disk,
        }
    }

    /// Returns what it runs on.
    pub fn name(&self) -> &'static str {
        match self.server {
            Some(_) => "PostgreSQL",
            None => "SQLite",
        }
    }

    /// Makes the database and a project for each list.
    pub fn prepare(&self, lists: &[String]) {
        self.program.run(&["migrate", "-v0"]).ok();
        database::block_on(async {
            let db = self.db();
            projects(&db, lists).await;
            db.close().await;
        });
        self.give_away();
    }

    /// SQLite's files belong to whom files can stop.
    fn give_away(&self) {
        if !is_root() || self.server.is_some() {
            return;
        }
        for path in self.files().iter().chain([&self.spool]) {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("an owner");
        }
    }

    /// The folder of SQLite's files, and the files.
    fn files(&self) -> Vec<PathBuf> {
        let home = self.disk.folder.join("site");
        let inside = fs::read_dir(&home).expect("a folder").flatten();
        let mut files: Vec<PathBuf> = inside.map(|file| file.path()).collect();
        files.push(home);
        files
    }

    fn db(&self) -> Db {
        Db::open(&self.url, &store::Options::default()).expect("an address")
    }

    /// How long a delivery usually takes; kills fall somewhere into it.
    pub fn usual_micros(&self) -> u64 {
        match self.server {
            Some(_) => 120_000,
            None => 80_000,
        }
    }

    /// Returns the program that a mail server starts.
    pub fn parsemail(&self, list: &str, is_spooled: bool) -> Command {
        let mut command = self
            .program
            .command_at(&self.parsemail, &["--mta", "--list-id", list]);
        if is_spooled {
            command.env("PATCHWORK_MAIL__INTAKE__SPOOL", &self.spool);
        }
        if is_root() && self.server.is_none() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Delivers what waits in the spool, with two at once.
    pub fn empty_spool(&self) {
        let waiting = fs::read_dir(&self.spool).expect("a spool").count();
        let setting = format!("mail.intake.spool={}", self.spool.display());
        let arguments = ["quarantine", "retry", "--spool", "--set", &setting, "-v0"];
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| self.program.run(&arguments).ok());
            }
        });
        self.program.run(&arguments).ok();
        let left = fs::read_dir(&self.spool).expect("a spool").flatten();
        let left = left.filter(|file| file.path().extension().is_some_and(|end| end == "mail"));
        assert_eq!(left.count(), 0, "mails stay in the spool");
        println!("{waiting} files had been in the spool");
    }

    /// Returns what the mails became.
    pub async fn told(&self) -> (Graph, Graph) {
        let db = self.db();
        let told = super::told(&db).await;
        db.close().await;
        told
    }

    /// Returns what can go wrong here.
    pub fn faults(&self, is_full: bool) -> Vec<Fault> {
        use Fault::{Crowded, Full, Killed, Locked, ReadOnly, Stopped};
        let mut faults = match (&self.server, is_full) {
            (Some(_), true) => vec![Stopped, Killed, ReadOnly, Full, Crowded, Killed, Stopped],
            (Some(_), false) => vec![Stopped, Killed, ReadOnly],
            (None, true) => vec![ReadOnly, Full, Locked, ReadOnly, Full],
            (None, false) => vec![ReadOnly, Full],
        };
        if !self.disk.is_own {
            skip("a full disk", "only root may mount a small one");
            faults.retain(|fault| *fault != Full);
        }
        faults
    }

    /// Lets something go wrong.
    pub fn begin(&self, fault: Fault) -> Held {
        match (&self.server, fault) {
            (server, Fault::Full) => {
                // Its journal has room inside for a while.
                if server.is_none() {
                    fold(&self.url);
                }
                self.disk.fill();
            }
            (None, Fault::ReadOnly) => self.permit(0o555, 0o444),
            (None, _) => return lock(&self.url),
            (Some(server), Fault::Stopped) => server
                .run("pg_ctl", &["-m", "fast", "-w", "stop"])
                .expect("a stop"),
            (Some(server), Fault::Killed) => kill(server),
            (Some(server), Fault::Crowded) => return Held::Crowd(crowd(server)),
            (Some(server), _) => administer(
                server,
                &[
                    "ALTER SYSTEM SET default_transaction_read_only = on",
                    "SELECT pg_reload_conf()",
                ],
            ),
        }
        Held::Nothing
    }

    /// Sets it right again.
    pub fn end(&self, fault: Fault, held: Held) {
        match held {
            Held::Nothing => {}
            Held::Crowd(crowd) => drop(crowd),
            Held::Lock(until, thread) => {
                drop(until);
                thread.join().expect("an end");
            }
        }
        match (&self.server, fault) {
            (_, Fault::Full) => fs::remove_file(self.disk.ballast()).expect("ballast"),
            (None, Fault::ReadOnly) => self.permit(0o755, 0o644),
            (Some(server), Fault::ReadOnly) => administer(
                server,
                &[
                    "SET default_transaction_read_only = off",
                    "ALTER SYSTEM RESET default_transaction_read_only",
                    "SELECT pg_reload_conf()",
                ],
            ),
            _ => {}
        }
        if let Some(server) = &self.server {
            revive(server);
        }
    }

    fn permit(&self, folder: u32, file: u32) {
        for path in self.files() {
            let mode = if path.is_dir() { folder } else { file };
            // Whoever closes the database last takes its journal away.
            let _ = fs::set_permissions(path, fs::Permissions::from_mode(mode));
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            let _ = server.run("pg_ctl", &["-m", "immediate", "-w", "stop"]);
        }
    }
}

/// Makes a project for each list.
pub async fn projects(db: &Db, lists: &[String]) {
    let mut tx = db.begin().await.expect("a transaction");
    for list in lists {
        sql("INSERT INTO project (linkname, name, list_id, list_email) VALUES ($1, $1, $2, $3)")
            .bind(list.replace('.', "-"))
            .bind(list)
            .bind(list.replacen('.', "@", 1))
            .run(&mut tx)
            .await
            .expect("a project");
    }
    tx.commit().await.expect("a commit");
}

/// Kills the server, and only what it started.
fn kill(server: &Cluster) {
    let pid = server.pid().expect("a server").to_string();
    let done = Command::new("kill").args(["-KILL", &pid]).status();
    assert!(done.expect("kill").success());
}

/// Starts the server until it stays: what it left behind may still be ending.
fn revive(server: &Cluster) {
    for _ in 0..200 {
        let is_up = database::block_on(async {
            let Ok(conn) = PgConnection::connect(&server.url()).await else {
                return false;
            };
            conn.close().await.is_ok()
        });
        if is_up {
            return;
        }
        let _ = server.resume();
        thread::sleep(Duration::from_millis(100));
    }
    panic!("the server does not come back");
}

/// Takes every connection there is.
fn crowd(server: &Cluster) -> Vec<PgConnection> {
    let mut crowd = Vec::new();
    database::block_on(async {
        // Deliveries come and go in between: what they leave is taken, too.
        for _ in 0..100 {
            match PgConnection::connect(&server.url()).await {
                Ok(conn) => crowd.push(conn),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    });
    crowd
}

fn administer(server: &Cluster, texts: &[&str]) {
    database::block_on(async {
        let mut conn = PgConnection::connect(&server.url())
            .await
            .expect("a connection");
        for text in texts {
            sqlx::query(AssertSqlSafe((*text).to_owned()))
                .execute(&mut conn)
                .await
                .expect("a setting");
        }
        conn.close().await.expect("a goodbye");
    });
}

/// Folds SQLite's journal into the file, leaving no room in it.
fn fold(url: &str) {
    database::block_on(async {
        let mut conn = SqliteConnection::connect(url).await.expect("a connection");
        for _ in 0..50 {
            let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .fetch_one(&mut conn)
                .await;
            if row.is_ok_and(|row| row.get::<i64, _>(0) == 0) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        conn.close().await.expect("a goodbye");
    });
}

/// Begins to write and does not end.
fn lock(url: &str) -> Held {
    let url = url.to_owned();
    let (until, end) = std::sync::mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        database::block_on(async {
            let db = Db::open(&url, &store::Options::default()).expect("an address");
            let tx = db.begin().await.expect("the lock");
            let _ = end.recv();
            drop(tx);
            db.close().await;
        });
    });
    Held::Lock(until, thread)
}
