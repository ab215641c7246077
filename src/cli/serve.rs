//! `patchwork serve`: the site, by HTTP, FastCGI or CGI.

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    process::ExitCode,
};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use rocket::fairing::AdHoc;
use rocket_db_pools::Database;

use super::{Common, Outcome, block_on, courier, database, handover, output};
use crate::{
    api,
    config::{Given, Settings},
    gateway::{self, Door, Ended, Front, Limits, Listen, Plan, Trusted},
    store::{self, migrate::Status},
    web, xmlrpc,
};

/// Serve the site
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Without --listen the way is found by itself: the sockets that systemd hands over, FastCGI when standard input is a \
listening socket (mod_fcgid, spawn-fcgi), one CGI request when GATEWAY_INTERFACE is set, else HTTP on server.address and \
server.port.

SIGTERM, SIGINT and SIGUSR1 end the server when the requests under way are answered; SIGHUP has it begin anew with new \
settings, and no request is lost.

Examples:
  patchwork serve
  patchwork serve --port 8080
  patchwork runserver 0.0.0.0:8080
  patchwork serve --listen http+unix:/run/patchwork/http.sock
  patchwork serve --listen [::1]:80 --listen fastcgi+unix:/run/patchwork.sock")]
pub(super) struct Serve {
    /// Where to listen for HTTP
    #[arg(value_name = "ADDRESS:PORT", conflicts_with = "listen")]
    address: Option<String>,
    /// Where to listen: http://ADDRESS:PORT, http+unix:PATH, fastcgi://ADDRESS:PORT, fastcgi+unix:PATH; may be repeated
    #[arg(long, value_name = "URL")]
    listen: Vec<String>,
    /// The port for HTTP, on server.address
    #[arg(long, conflicts_with = "listen")]
    port: Option<u16>,
    /// The permissions of socket files
    #[arg(long, value_name = "OCTAL", value_parser = octal)]
    socket_mode: Option<u32>,
}

/// Serve the site by FastCGI, for a front server
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  patchwork fastcgi unix:/run/patchwork/fastcgi.sock
  spawn-fcgi -s /run/patchwork.sock -- /opt/patchwork/bin/patchwork fastcgi")]
pub(super) struct FastCgi {
    /// Where to listen: unix:PATH, ADDRESS:PORT, or fd:0 for the socket that is standard input
    #[arg(value_name = "SOCKET", default_value = "fd:0")]
    socket: String,
    /// The permissions of a socket file
    #[arg(long, value_name = "OCTAL", value_parser = octal)]
    socket_mode: Option<u32>,
}

/// Answer one CGI request, in the environment and on standard input
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  REQUEST_METHOD=GET REQUEST_URI=/api/ patchwork cgi")]
pub(super) struct Cgi {}

impl FastCgi {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let socket = self.socket;
        let url = match socket.starts_with("unix:") || socket.starts_with("fd:") {
            true => format!("fastcgi+{socket}"),
            false => format!("fastcgi://{socket}"),
        };
        let serve = Serve {
            listen: vec![url],
            socket_mode: self.socket_mode,
            ..Serve::default()
        };
        serve.run(common)
    }
}

impl Cgi {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let ready = || {
            let loaded = common.settings(Vec::new())?;
            let settings = &loaded.settings;
            prepare(settings)?;
            anyhow::Ok((site(settings, 0)?, limits(settings), trusted(settings)?))
        };
        match ready() {
            Ok((site, limits, trusted)) => gateway::cgi(site, limits, &trusted)?,
            // Whoever asks gets an answer, who looks after the site the reason.
            Err(error) => {
                gateway::away()?;
                return Err(error);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

pub(super) fn octal(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| "write permissions such as 660".to_owned())
}

/// How requests come in, as far as the arguments say.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// As the process was started.
    Found,
    /// By HTTP, at this address if one was given.
    Http(Option<(String, String)>),
    /// At these sockets.
    Listed(Vec<Front>),
}

impl Serve {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let way = self.way()?;
        if way == Way::Found && Front::handed_over().is_empty() && Door::detect() == Door::Cgi {
            return Cgi {}.run(common);
        }
        let loaded = common.settings(self.given(&way))?;
        let settings = &loaded.settings;
        prepare(settings)?;
        let fronts = match way {
            Way::Listed(fronts) => fronts,
            Way::Http(_) => Vec::new(),
            Way::Found => match (Front::handed_over(), Door::detect()) {
                (handed, Door::Http) => handed,
                (handed, _) if !handed.is_empty() => handed,
                (_, Door::Cgi | Door::FastCgi) => vec![Front {
                    door: Door::FastCgi,
                    listen: Listen::Inherited(0),
                }],
            },
        };
        match fronts.is_empty() {
            true => http(settings, common, self.socket_mode)?,
            false => serve(settings, common, fronts, None, self.socket_mode)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn way(&self) -> anyhow::Result<Way> {
        match (&self.address, self.listen.as_slice()) {
            (Some(address), _) => Ok(Way::Http(Some(host_port(address)?))),
            (None, []) if self.port.is_some() => Ok(Way::Http(None)),
            (None, []) => Ok(Way::Found),
            (None, [one]) if is_http_address(one) => {
                let address = one.strip_prefix("http://").unwrap_or(one);
                Ok(Way::Http(Some(host_port(address.trim_end_matches('/'))?)))
            }
            (None, all) => {
                let fronts: Result<_, _> = all.iter().map(|url| self.front(url)).collect();
                Ok(Way::Listed(fronts?))
            }
        }
    }

    fn front(&self, url: &str) -> Result<Front, gateway::Error> {
        let front = Front::parse(url)?;
        Ok(match self.socket_mode {
            Some(mode) => Front {
                listen: front.listen.with_mode(mode),
                ..front
            },
            None => front,
        })
    }

    /// Returns what the options say in the words of the settings.
    fn given(&self, way: &Way) -> Vec<Given> {
        let one = |option, key: &str, value: String| Given {
            option,
            key: key.to_owned(),
            value,
        };
        let mut given = Vec::new();
        if let Way::Http(Some((host, port))) = way {
            given.push(one("the address", "server.address", host.clone()));
            given.push(one("the address", "server.port", port.clone()));
        }
        given.extend(
            self.port
                .map(|port| one("--port", "server.port", port.to_string())),
        );
        given
    }
}

/// Tells an address for HTTP from the other ways to write a socket; it may be short, as for `runserver`.
fn is_http_address(url: &str) -> bool {
    let is_named = ["://", "unix:", "fd:"]
        .iter()
        .any(|mark| url.contains(mark));
    url.starts_with("http://") || !is_named
}

fn limits(settings: &Settings) -> Limits {
    Limits {
        body: settings.largest_request(),
        ..Limits::default()
    }
}

/// Returns how many streams of events may stay open. Each holds a connection, of which a front server that speaks FastCGI has few: half
/// of them are for pages.
fn streams(settings: &Settings, fronts: &[Front]) -> u32 {
    let is_scarce = fronts.iter().any(|front| front.door == Door::FastCgi);
    let half = u32::try_from(limits(settings).connections / 2).unwrap_or(u32::MAX);
    match is_scarce {
        true => settings.api.streams.min(half),
        false => settings.api.streams,
    }
}

pub(super) fn trusted(settings: &Settings) -> anyhow::Result<Trusted> {
    Trusted::parse(&settings.server.trusted_proxies).map_err(|word| {
        anyhow!("server.trusted_proxies: '{word}' is neither an address nor a network such as 10.1.0.0/16")
    })
}

/// Serves until told to stop, or begins anew in the place of this process. `said` is printed when the site is open.
fn serve(
    settings: &Settings,
    common: &Common,
    fronts: Vec<Front>,
    said: Option<String>,
    socket_mode: Option<u32>,
) -> anyhow::Result<()> {
    let open = streams(settings, &fronts);
    let plan = Plan {
        fronts,
        limits: limits(settings),
        trusted: trusted(settings)?,
        orders: None,
        may_reload: Box::new({
            let common = common.clone();
            move || may_reload(&common)
        }),
    };
    let site = courier::attach(site(settings, open)?, settings);
    let site = courier::attach_jobs(site, settings);
    let site = courier::attach_webhooks(site, settings, rest(settings));
    let mut site = handover::attach(site, settings, socket_mode);
    if let Some(line) = said {
        // Not before the port is ours.
        site = site.attach(AdHoc::on_liftoff("Address", |_| {
            Box::pin(async move {
                let _ = output::say(&line);
            })
        }));
    }
    match gateway::serve(site, plan)? {
        Ended::Stopped => Ok(()),
        Ended::Reload(sockets) => Err(gateway::again(&sockets)).context("cannot begin anew"),
    }
}

/// Says whether the settings as they are now can be read. With ones that cannot, a server goes on as it is.
fn may_reload(common: &Common) -> bool {
    let read = common
        .read(Vec::new())
        .and_then(|loaded| trusted(&loaded.settings));
    if let Err(error) = &read {
        tracing::error!("{error:#}: the server goes on with the settings it has");
    }
    read.is_ok()
}

/// Splits `127.0.0.1:8000`, `[::1]:8000`, `8000`, `localhost:8000`.
fn host_port(text: &str) -> anyhow::Result<(String, String)> {
    let text = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None if text.parse::<u16>().is_ok() => format!("127.0.0.1:{text}"),
        None => text.to_owned(),
    };
    let address: SocketAddr = text.parse().with_context(|| {
        format!("cannot listen on '{text}': write an address and a port such as 127.0.0.1:8000")
    })?;
    Ok((address.ip().to_string(), address.port().to_string()))
}

/// Sees that the database is there and up to date. An embedded one is made and migrated on the way;
/// a server's belongs to whoever looks after it.
pub(super) fn prepare(settings: &Settings) -> anyhow::Result<()> {
    block_on(async {
        let db = database::open(settings).await?;
        match (database::status(&db, settings).await?, db.kind()) {
            (Status::Current, _) => {}
            (Status::Ahead, _) => {
                return Err(store::migrate::ahead()).with_context(|| database::named(settings));
            }
            (Status::Behind(_), store::Kind::Sqlite) => {
                let done = store::migrate::run(&db)
                    .await
                    .with_context(|| database::named(settings))?;
                tracing::info!("applied {done} migrations");
            }
            (Status::Behind(_), store::Kind::Postgres) => bail!(
                "{} is not up to date: run `patchwork migrate` with a role that may create tables",
                database::named(settings)
            ),
        }
        db.close().await;
        Ok(())
    })
}

/// Sees that the address for HTTP is free, to say so before any work and with the way out.
pub(super) fn free(settings: &Settings) -> anyhow::Result<()> {
    let server = &settings.server;
    let address = SocketAddr::new(server.address, server.port);
    match TcpListener::bind(address) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!("{address} is taken; choose another with --port")
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            bail!("this user may not listen on {address}; choose a port from 1024 on with --port")
        }
        // What else there is, the server itself will tell.
        _ => Ok(()),
    }
}

/// Serves by HTTP until told to stop.
pub(super) fn http(
    settings: &Settings,
    common: &Common,
    socket_mode: Option<u32>,
) -> anyhow::Result<()> {
    let address = SocketAddr::new(settings.server.address, settings.server.port);
    let front = Front {
        door: Door::Http,
        listen: Listen::Tcp(address.to_string()),
    };
    // After a new beginning the port is taken, by ourselves.
    if !front.listen.is_left() {
        free(settings)?;
    }
    let line = format!("Serving on {} (Ctrl-C ends it)", url(settings));
    let line = (!common.is_quiet()).then_some(line);
    serve(settings, common, vec![front], line, socket_mode)
}

/// Returns the address to type into a browser on this machine.
fn url(settings: &Settings) -> String {
    let server = &settings.server;
    let host = match server.address {
        address if address.is_unspecified() => "127.0.0.1".to_owned(),
        std::net::IpAddr::V6(address) => format!("[{address}]"),
        address => address.to_string(),
    };
    format!("http://{host}:{}{}/", server.port, server.url_prefix)
}

/// Builds the site; so many streams of events stay open.
fn site(settings: &Settings, streams: u32) -> anyhow::Result<rocket::Rocket<rocket::Build>> {
    let rocket = rocket::custom(settings.rocket_figment())
        .attach(gateway::methods())
        .attach(store::Database::init());
    let options = web::Options {
        base: settings.server.url_prefix.clone(),
        site_url: settings.site_url(),
        force_https: settings.site.force_https,
        hosts: web::Hosts::read(&settings.site.hosts),
        items_per_page: i64::from(settings.web.items_per_page),
        server_timing: settings.server.server_timing,
        gzip: settings.server.gzip,
        rest_api: settings.api.rest,
        xmlrpc: settings.api.xmlrpc,
        api_versions: api::versions(),
        admins: settings.shown_admins(),
        registration: settings.web.registration,
        staff_second_factor: settings.web.staff_second_factor,
        mail_from: settings.mail.from.clone(),
        notification_from: settings.notification_sender().to_owned(),
        confirmation_days: i64::from(settings.mail.confirmation_validity),
        secret_key: settings.site.secret_key.clone(),
        metrics: settings.server.metrics.clone(),
        spool: settings.spool().map(std::path::Path::to_owned),
        intake: super::parsemail::intake(settings),
        inbound: web::Keys {
            secret: settings.inbound.secret.clone(),
            mailgun_key: settings.inbound.mailgun_key.clone(),
            topics: names(&settings.inbound.topics),
        },
        ..web::Options::default()
    };
    let stylesheet = web::Links::new(&options.base).asset(web::assets::name("patchwork.css"));
    let brand = web::brand(&options);
    let rpc = xmlrpc::Options {
        stylesheet: stylesheet.clone(),
        brand: brand.clone(),
        base: settings.server.url_prefix.clone(),
        enabled: settings.api.xmlrpc,
        max_body: settings.server.max_body,
    };
    let site = xmlrpc::mount(web::mount(rocket, options), rpc);
    Ok(match settings.api.rest {
        true => {
            let rest = api::Options {
                streams: streams as usize,
                stylesheet,
                brand,
                ..rest(settings)
            };
            api::mount(site, rest)
        }
        false => site,
    })
}

/// Reads names with commas or blanks between them.
fn names(text: &str) -> Vec<String> {
    let names = text.split([',', ' ', '\n']).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// Returns how the settings want the REST API to be.
pub(super) fn rest(settings: &Settings) -> api::Options {
    api::Options {
        base: settings.server.url_prefix.clone(),
        site_url: settings.site_url(),
        force_https: settings.site.force_https,
        per_page: i64::from(settings.api.per_page),
        max_per_page: i64::from(settings.api.max_per_page),
        max_body: settings.server.max_body,
        ..api::Options::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_api_is_there_if_it_is_wanted() {
        for wanted in [false, true] {
            let mut settings = Settings::default();
            settings.api.rest = wanted;
            let site = site(&settings, 0).expect("a site");
            let is_there = site
                .routes()
                .any(|route| route.uri.path().starts_with("/api"));
            assert_eq!(is_there, wanted);
        }
    }

    #[test]
    fn ways_to_listen_are_understood() {
        let http = |host: &str, port: &str| Way::Http(Some((host.to_owned(), port.to_owned())));
        let listed = |urls: &[&str]| {
            Way::Listed(
                urls.iter()
                    .map(|url| Front::parse(url).expect("an address"))
                    .collect(),
            )
        };
        let cases: [(&[&str], Way); 7] = [
            (&["http://0.0.0.0:8080/"], http("0.0.0.0", "8080")),
            (&["[::1]:80"], http("::1", "80")),
            (&["localhost:81"], http("127.0.0.1", "81")),
            (&["82"], http("127.0.0.1", "82")),
            (&["http+unix:/run/a"], listed(&["http+unix:/run/a"])),
            (
                &["fastcgi://127.0.0.1:9"],
                listed(&["fastcgi://127.0.0.1:9"]),
            ),
            (
                &["unix:/run/a", "http://127.0.0.1:9"],
                listed(&["fastcgi+unix:/run/a", "http://127.0.0.1:9"]),
            ),
        ];
        let serve = |urls: &[&str]| Serve {
            listen: urls.iter().copied().map(str::to_owned).collect(),
            ..Serve::default()
        };
        for (listen, expected) in cases {
            assert_eq!(serve(listen).way().expect("a way"), expected, "{listen:?}");
        }
        for bad in ["uwsgi+unix:/a", "http+unix:a", "example.org:80", "0.0.0.0"] {
            assert!(serve(&[bad]).way().is_err(), "{bad}");
        }
    }
}
