//! All settings as plain structs: read once by the command line, handed down, no global.
//!
//! Layers, later ones win: built-in defaults, `Rocket.toml`, the site's file, the environment, the command
//! line ([`Sources`]). To add a setting: a field here with its default, its rule in `rule.rs` if not every
//! value will do, and its line in `Rocket.toml`; a test holds that file equal to the defaults.

mod address;
mod layer;
mod mask;
mod plain;
mod rocket;
mod rule;
mod sources;

use std::{
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

pub use mask::masked;
pub use sources::{Entry, Given, Loaded, Sources};

/// Where the site's own file is looked for when nobody names another.
pub const SITE_FILE: &str = "/etc/patchwork/patchwork.toml";

/// Where an installed site keeps its data.
pub const DATA_DIRECTORY: &str = "/var/lib/patchwork";

/// The most bytes of a mail that comes by HTTP, with all that is wrapped around it.
pub const INBOUND_BYTES: u64 = 32 << 20;

/// Why the settings cannot be used: one sentence that says what, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub(crate) String);

/// The result of reading settings.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every setting.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How requests come in.
    pub server: Server,
    /// What the site is called by the world.
    pub site: Site,
    /// Where everything is kept.
    pub database: Database,
    /// The pages.
    pub web: Web,
    /// What scripts and clients use.
    pub api: Api,
    /// Mail, in and out.
    pub mail: Mail,
    /// Mail that comes in by HTTP.
    pub inbound: Inbound,
    /// Events that go out by HTTP.
    pub webhooks: Webhooks,
    /// What the log says.
    pub log: Log,
}

/// How requests come in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The address to listen on.
    pub address: IpAddr,
    /// The port to listen on.
    pub port: u16,
    /// Threads that answer requests; 0 means one for each processor.
    pub workers: usize,
    /// The path under which the site lives, such as `/patchwork`; empty for the root.
    pub url_prefix: String,
    /// Addresses and networks of front servers that are believed when they name a client's address and scheme.
    pub trusted_proxies: String,
    /// The largest body of a request, in bytes.
    pub max_body: u64,
    /// Whether answers tell how long they took (`Server-Timing`).
    pub server_timing: bool,
    /// Whether answers are compressed; a front server usually does that better.
    pub gzip: bool,
    /// The folder into which `patchwork collectstatic` writes; empty: none.
    pub static_root: PathBuf,
    /// Who may read `/metrics`: empty for nobody, `local` for this machine, else the token that has to be shown.
    pub metrics: String,
}

impl Default for Server {
    fn default() -> Self {
        Server {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 8000,
            workers: 0,
            url_prefix: String::new(),
            trusted_proxies: "127.0.0.0/8, ::1".to_owned(),
            max_body: 8 << 20,
            server_timing: false,
            gzip: true,
            static_root: PathBuf::new(),
            metrics: String::new(),
        }
    }
}

/// What the site is called by the world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The address people reach the site at; empty: taken from each request.
    pub url: String,
    /// The names under which the site answers, separated by commas; empty: any.
    pub hosts: String,
    /// Whether every absolute link says https.
    pub force_https: bool,
    /// The key that signs what browsers and mails bring back.
    pub secret_key: String,
    /// Who looks after the site: `Name <address>`, with commas between them.
    pub admins: String,
    /// Whether pages keep to themselves who looks after the site.
    pub hide_admins: bool,
}

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite:FILE` or `postgres://USER@HOST/NAME`. After reading: complete, with password and whole path.
    pub url: String,
    /// `sqlite` or `postgres`, where the address is given in parts instead of `url`.
    pub engine: String,
    /// The server's name or address; empty: its socket on this machine.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// The name of the database, or of the file.
    pub name: String,
    /// The role to log in as.
    pub user: String,
    /// The role's password; also completes a `url` without one.
    pub password: String,
    /// Where relative file names start; empty: [`DATA_DIRECTORY`] if there is one, else the current directory.
    pub directory: PathBuf,
    /// How many connections at most.
    pub max_connections: u32,
    /// How many seconds to wait for one, and for another process's write.
    pub connect_timeout: u64,
    /// How many seconds one statement may take on a server; 0: as long as it wants.
    pub statement_timeout: u64,
    /// A hot standby from which visitors are answered, `postgres://USER@HOST/NAME`; empty: none.
    pub replica_url: String,
    /// How many seconds it may be behind; further behind it is not asked.
    pub replica_max_lag: u64,
}

impl Default for Database {
    fn default() -> Self {
        Database {
            url: "sqlite:patchwork.db".to_owned(),
            engine: String::new(),
            host: String::new(),
            port: 5432,
            name: String::new(),
            user: String::new(),
            password: String::new(),
            directory: PathBuf::new(),
            max_connections: 10,
            connect_timeout: 10,
            statement_timeout: 30,
            replica_url: String::new(),
            replica_max_lag: 5,
        }
    }
}

/// The pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// How many rows a list shows to somebody without an account.
    pub items_per_page: u32,
    /// Whether people may make themselves an account.
    pub registration: bool,
    /// Whether staff may administer only with a second factor.
    pub staff_second_factor: bool,
}

impl Default for Web {
    fn default() -> Self {
        Web {
            items_per_page: 100,
            registration: true,
            staff_second_factor: false,
        }
    }
}

/// What scripts and clients use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Whether the REST API is offered.
    pub rest: bool,
    /// Whether XML-RPC is offered, for old clients.
    pub xmlrpc: bool,
    /// How many entries a page of the REST API has.
    pub per_page: u32,
    /// How many entries clients may ask for.
    pub max_per_page: u32,
    /// How many streams of events are kept open at a time; 0: none, a stream ends with what there is.
    pub streams: u32,
}

impl Default for Api {
    fn default() -> Self {
        Api {
            rest: true,
            xmlrpc: false,
            per_page: 30,
            max_per_page: 250,
            streams: 1000,
        }
    }
}

/// Events that go out by HTTP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// Whether they may go to addresses that only this network knows.
    pub allow_private: bool,
    /// How many seconds a delivery may take.
    pub timeout: u64,
    /// How many days deliveries are kept that are done.
    pub keep_days: u32,
}

impl Default for Webhooks {
    fn default() -> Self {
        Webhooks {
            allow_private: false,
            timeout: 10,
            keep_days: 14,
        }
    }
}

/// Mail, in and out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The sender of what we write.
    pub from: String,
    /// The sender of notifications; empty: `from`.
    pub notification_from: String,
    /// How many minutes a changed state has to stay before its patch's submitter is told.
    pub notification_delay: u32,
    /// How many days a mailed confirmation may be answered.
    pub confirmation_validity: u32,
    /// How mail leaves.
    pub backend: Backend,
    /// The mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The name to log in with; empty: no login.
    pub user: String,
    /// The password to log in with.
    pub password: String,
    /// How the connection is protected.
    pub tls: Tls,
    /// A file of certificates that are believed beside those of public authorities; empty: none.
    pub ca: PathBuf,
    /// How many seconds the mail server may take for a mail.
    pub timeout: u64,
    /// The program of the `sendmail` backend.
    pub sendmail: String,
    /// The folder of the `file` backend.
    pub directory: PathBuf,
    /// Mail that comes in.
    pub intake: Intake,
}

impl Default for Mail {
    fn default() -> Self {
        Mail {
            from: "Patchwork <patchwork@patchwork.example.com>".to_owned(),
            notification_from: String::new(),
            notification_delay: 10,
            confirmation_validity: 7,
            backend: Backend::Smtp,
            host: "localhost".to_owned(),
            port: 25,
            user: String::new(),
            password: String::new(),
            tls: Tls::Auto,
            ca: PathBuf::new(),
            timeout: 30,
            sendmail: "/usr/sbin/sendmail".to_owned(),
            directory: PathBuf::from("mail"),
            intake: Intake::default(),
        }
    }
}

/// Mail that comes in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// The largest mail that is read, in bytes; what is longer is set aside.
    pub max_bytes: u64,
    /// The folder for mails that come while the database is away; empty: the mail server keeps them.
    pub spool: PathBuf,
    /// The socket file over which the server takes mails from `patchwork-parsemail`; empty: none.
    pub socket: PathBuf,
}

impl Default for Intake {
    fn default() -> Self {
        Intake {
            max_bytes: 16 << 20,
            spool: PathBuf::new(),
            socket: PathBuf::new(),
        }
    }
}

/// Mail that comes in by HTTP.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inbound {
    /// What those show who may hand mails in; empty: nobody may.
    pub secret: String,
    /// What Mailgun signs its requests with; empty: its signatures do not count.
    pub mailgun_key: String,
    /// The topics of Amazon SNS that may send, with commas between them.
    pub topics: String,
}

/// How mail leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Through a mail server.
    Smtp,
    /// Through a program on this machine.
    Sendmail,
    /// Into a folder, one file a mail.
    File,
    /// Onto standard output.
    Console,
    /// Nowhere.
    None,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// STARTTLS, unless the server is this machine.
    Auto,
    /// Not at all.
    None,
    /// By STARTTLS, or not sent.
    Starttls,
    /// From the first byte.
    Tls,
}

/// What the log says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// From which weight on things are told.
    pub level: Level,
    /// In which form.
    pub format: Format,
}

impl Default for Log {
    fn default() -> Self {
        Log {
            level: Level::Warn,
            format: Format::Text,
        }
    }
}

/// The weight of what the log tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing at all.
    Off,
    /// What failed.
    Error,
    /// What looks wrong.
    Warn,
    /// What happened.
    Info,
    /// How it happened.
    Debug,
    /// Every step.
    Trace,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// Returns the file of the embedded database, if that is the one in use.
    pub fn database_file(&self) -> Option<PathBuf> {
        address::sqlite_file(&self.database.url)
    }

    /// Returns the sender of notifications.
    pub fn notification_sender(&self) -> &str {
        match self.mail.notification_from.as_str() {
            "" => &self.mail.from,
            sender => sender,
        }
    }

    /// Returns names and addresses of those whom pages name as administrators.
    pub fn shown_admins(&self) -> Vec<(String, String)> {
        let admins = match self.site.hide_admins {
            true => "",
            false => self.site.admins.as_str(),
        };
        let one = |text: &str| match text.trim().strip_suffix('>') {
            Some(text) => {
                let (name, address) = text.split_once('<')?;
                Some((name.trim().trim_matches('"').to_owned(), address.to_owned()))
            }
            None if text.contains('@') => Some((text.trim().to_owned(), text.trim().to_owned())),
            None => None,
        };
        let named = |(name, address): (String, String)| match name.as_str() {
            "" => (address.clone(), address),
            _ => (name, address),
        };
        admins.split(',').filter_map(one).map(named).collect()
    }

    /// Returns how many bytes a request may have at the addresses that take most: mails by HTTP may be larger than anything else.
    pub fn largest_request(&self) -> u64 {
        match self.inbound.secret.as_str() {
            "" => self.server.max_body,
            _ => self.server.max_body.max(INBOUND_BYTES),
        }
    }

    /// Returns the folder for mails that come while the database is away, if there is one.
    pub fn spool(&self) -> Option<&Path> {
        let spool = self.mail.intake.spool.as_path();
        (!spool.as_os_str().is_empty()).then_some(spool)
    }

    /// Returns the socket file over which mails are handed to the server, if there is one.
    pub fn intake_socket(&self) -> Option<&Path> {
        let socket = self.mail.intake.socket.as_path();
        (!socket.as_os_str().is_empty()).then_some(socket)
    }

    /// Returns the address of the site without a slash at its end, if the settings say one.
    pub fn site_url(&self) -> Option<String> {
        let url = self.site.url.trim_end_matches('/');
        match url.strip_prefix("http://") {
            _ if url.is_empty() => None,
            Some(rest) if self.site.force_https => Some(format!("https://{rest}")),
            _ => Some(url.to_owned()),
        }
    }
}
