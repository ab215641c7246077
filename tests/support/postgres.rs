//! One throw-away PostgreSQL for the whole program, or the server that `PATCHWORK_TEST_POSTGRES` names.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use patchwork::store::{self, Db};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::{database::block_on, folder};

const TEMPLATE: &str = "patchwork_template";

/// A server with a migrated template.
pub struct Server {
    /// The address up to the database's name.
    base: String,
    /// What follows the name.
    query: String,
    template: String,
    can_copy_files: bool,
}

/// Returns the server, or why there is none.
pub fn server() -> Result<&'static Server, &'static str> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    SERVER
        .get_or_init(Server::start)
        .as_ref()
        .map_err(String::as_str)
}

/// Returns the address of a fresh, migrated database, for programs that are no tests.
#[allow(dead_code)] // for the benchmarks
pub fn database_url(name: &str) -> Result<String, &'static str> {
    let server = server()?;
    server.remove(name);
    Ok(server.create(name))
}

/// Stops the server now, not with the program.
#[allow(dead_code)] // for the benchmarks
pub fn stop() {
    super::finish();
}

impl Server {
    fn start() -> Result<Server, String> {
        let given = std::env::var("PATCHWORK_TEST_POSTGRES").ok();
        let url = match given {
            Some(url) => url,
            None => Cluster::start(&folder().join("pg"), QUICK)?.url(),
        };
        let (rest, query) = match url.split_once('?') {
            Some((rest, query)) => (rest, format!("?{query}")),
            None => (url.as_str(), String::new()),
        };
        let slash = rest
            .rfind('/')
            .filter(|at| *at > "postgres://".len())
            .ok_or(
                "PATCHWORK_TEST_POSTGRES names no database; write postgres://USER@HOST/postgres",
            )?;
        let mut server = Server {
            base: rest[..=slash].to_owned(),
            query,
            template: format!("{TEMPLATE}_{}", std::process::id()),
            can_copy_files: false,
        };
        let version = block_on(async {
            let mut conn = connect(&url).await?;
            sqlx::query("SELECT current_setting('server_version_num')::int")
                .fetch_one(&mut conn)
                .await?
                .try_get::<i32, _>(0)
        });
        let version = version.map_err(|error| format!("no PostgreSQL to test with: {error}"))?;
        server.can_copy_files = version >= 150_000;
        server.make_template();
        Ok(server)
    }

    fn make_template(&self) {
        self.administer(&format!(
            "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'",
            self.template
        ));
        let url = self.url(&self.template);
        block_on(async {
            let db = Db::open(&url, &store::Options::default()).expect("an address");
            store::migrate::run(&db).await.expect("a migrated template");
            db.close().await;
        });
    }

    /// Makes a copy of the template and returns its address.
    pub fn create(&self, name: &str) -> String {
        // Copying files is quicker than the log for databases as small as ours.
        let strategy = match self.can_copy_files {
            true => " STRATEGY file_copy",
            false => "",
        };
        self.administer(&format!(
            "CREATE DATABASE {name} TEMPLATE {}{strategy}",
            self.template
        ));
        self.url(name)
    }

    /// Makes an empty database and returns its address.
    pub fn create_empty(&self, name: &str) -> String {
        self.administer(&format!(
            "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"
        ));
        self.url(name)
    }

    /// Removes a database.
    pub fn remove(&self, name: &str) {
        self.administer(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
    }

    fn url(&self, name: &str) -> String {
        format!("{}{name}{}", self.base, self.query)
    }

    fn administer(&self, text: &str) {
        let url = self.url("postgres");
        block_on(async {
            let mut conn = connect(&url).await.expect("the server's own database");
            sqlx::query(AssertSqlSafe(text.to_owned()))
                .execute(&mut conn)
                .await
                .unwrap_or_else(|error| panic!("{text}: {error}"));
            conn.close().await.expect("a goodbye");
        });
    }
}

async fn connect(url: &str) -> sqlx::Result<PgConnection> {
    PgConnection::connect(url).await
}

/// Settings of a server whose data nobody will miss.
const QUICK: &str =
    "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\nmax_connections = 200\n";

/// A server of our own. The watchdog of the run stops it.
pub struct Cluster {
    home: PathBuf,
    programs: PathBuf,
    user: Option<(u32, u32)>,
}

impl Cluster {
    /// Makes a cluster in a folder and starts its server.
    pub fn start(home: &Path, settings: &str) -> Result<Cluster, String> {
        let programs =
            programs().ok_or("PostgreSQL is not installed (apt-get install postgresql)")?;
        let user = user()?;
        fs::create_dir_all(home).map_err(|error| error.to_string())?;
        if let Some((uid, gid)) = user {
            chown(home, Some(uid), Some(gid)).map_err(|error| error.to_string())?;
        }
        let cluster = Cluster {
            home: home.to_owned(),
            programs,
            user,
        };
        cluster.run(
            "initdb",
            &[
                "-U",
                "postgres",
                "-A",
                "trust",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ],
        )?;
        cluster.set(settings)?;
        cluster.resume()?;
        Ok(cluster)
    }

    /// Makes a hot standby of another cluster in a folder and starts it: what is written there comes here, by streaming.
    #[allow(dead_code)] // the benchmarks stand on this file too
    pub fn standby_of(main: &Cluster, home: &Path) -> Result<Cluster, String> {
        fs::create_dir_all(home).map_err(|error| error.to_string())?;
        if let Some((uid, gid)) = main.user {
            chown(home, Some(uid), Some(gid)).map_err(|error| error.to_string())?;
        }
        let cluster = Cluster {
            home: home.to_owned(),
            programs: main.programs.clone(),
            user: main.user,
        };
        let socket = main.home.display().to_string();
        let arguments = [
            "-h",
            &socket,
            "-U",
            "postgres",
            "-R",
            "-c",
            "fast",
            "--no-sync",
        ];
        cluster.run("pg_basebackup", &arguments)?;
        cluster.set("")?;
        cluster.resume()?;
        Ok(cluster)
    }

    /// Adds settings to the server's own; the last of a name counts.
    fn set(&self, settings: &str) -> Result<(), String> {
        let settings = format!(
            "listen_addresses = ''\nunix_socket_directories = '{}'\n{settings}",
            self.home.display()
        );
        let file = self.home.join("data/postgresql.conf");
        let old = fs::read_to_string(&file).map_err(|error| error.to_string())?;
        fs::write(&file, old + &settings).map_err(|error| error.to_string())
    }

    /// Starts the server again.
    pub fn resume(&self) -> Result<(), String> {
        // Its output must not hold our pipes open, so it goes to a file of its own.
        let log = self.home.join("log");
        let log = log.to_str().ok_or("a folder name that is not UTF-8")?;
        self.run("pg_ctl", &["-l", log, "-w", "-t", "60", "start"])
    }

    /// Runs one of the server's programs on it.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        let mut command = Command::new(self.programs.join(program));
        command
            .arg("-D")
            .arg(self.home.join("data"))
            .args(arguments)
            .current_dir(&self.home)
            .env("HOME", &self.home);
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        let output = command
            .output()
            .map_err(|error| format!("{program}: {error}"))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(format!(
                "{program} failed: {}{}",
                String::from_utf8_lossy(&output.stderr),
                fs::read_to_string(self.home.join("log")).unwrap_or_default()
            )),
        }
    }

    /// Returns the process of the server, if it runs.
    #[allow(dead_code)] // the benchmarks stand on this file too
    pub fn pid(&self) -> Option<u32> {
        let file = fs::read_to_string(self.home.join("data/postmaster.pid")).ok()?;
        file.lines().next()?.parse().ok()
    }

    /// Returns the address of the server's own database.
    pub fn url(&self) -> String {
        let socket = self.home.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{socket}/postgres")
    }
}

/// Debian keeps the server's programs off the path.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, path)| path.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop().map(|(_, path)| path)
}

/// Returns who runs the server: it refuses to run as root.
fn user() -> Result<Option<(u32, u32)>, String> {
    let is_root = fs::metadata("/proc/self")
        .map(|about| std::os::unix::fs::MetadataExt::uid(&about) == 0)
        .unwrap_or(false);
    if !is_root {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    let line = users
        .lines()
        .find(|line| line.starts_with("postgres:"))
        .ok_or("there is no user postgres to run the server")?;
    let mut fields = line.split(':').skip(2);
    let mut number = || fields.next()?.parse().ok();
    match (number(), number()) {
        (Some(uid), Some(gid)) => Ok(Some((uid, gid))),
        _ => Err("the user postgres has no number".to_owned()),
    }
}
