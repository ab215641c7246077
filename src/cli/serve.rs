//! `patchwork serve`: the site, by HTTP, FastCGI or CGI.

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;
use rocket::fairing::AdHoc;
use rocket_db_pools::Database;

use super::{Common, Outcome, block_on, courier, database, handover, output};
use crate::{
    api,
    config::{Given, Settings},
    gateway::{self, Door, Limits, Listen},
    store::{self, migrate::Status},
    web, xmlrpc,
};

/// Serve the site
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Without --listen the way is found by itself: FastCGI when standard input is a listening socket (mod_fcgid, spawn-fcgi, \
systemd), one CGI request when GATEWAY_INTERFACE is set, else HTTP on server.address and server.port.

Examples:
  patchwork serve
  patchwork serve --port 8080
  patchwork runserver 0.0.0.0:8080
  patchwork serve --listen fastcgi+unix:/run/patchwork/patchwork.sock")]
pub(super) struct Serve {
    /// Where to listen for HTTP
    #[arg(value_name = "ADDRESS:PORT", conflicts_with = "listen")]
    address: Option<String>,
    /// Where to listen: http://ADDRESS:PORT, fastcgi://ADDRESS:PORT, fastcgi+unix:PATH
    #[arg(long, value_name = "URL")]
    listen: Option<String>,
    /// The port for HTTP, on server.address
    #[arg(long)]
    port: Option<u16>,
    /// The permissions of socket files
    #[arg(long, value_name = "OCTAL", value_parser = octal)]
    socket_mode: Option<u32>,
}

fn octal(text: &str) -> Result<u32, String> {
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
    /// By FastCGI.
    FastCgi(String),
}

impl Serve {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let way = self.way()?;
        let loaded = common.settings(self.given(&way))?;
        let settings = &loaded.settings;
        prepare(settings)?;
        let limits = Limits {
            body: settings.server.max_body,
            ..Limits::default()
        };
        match (&way, Door::detect()) {
            (Way::FastCgi(listen), _) => self.fastcgi(settings, &self.socket(listen)?, limits)?,
            (Way::Found, Door::FastCgi) => self.fastcgi(settings, &Listen::Inherited(0), limits)?,
            (Way::Found, Door::Cgi) => gateway::cgi(site(settings)?, limits)?,
            (Way::Http(_), _) | (Way::Found, Door::Http) => {
                http(settings, common, self.socket_mode)?
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn way(&self) -> anyhow::Result<Way> {
        let listen = match (&self.address, &self.listen) {
            (Some(address), _) => return Ok(Way::Http(Some(host_port(address)?))),
            (None, None) if self.port.is_some() => return Ok(Way::Http(None)),
            (None, None) => return Ok(Way::Found),
            (None, Some(listen)) => listen,
        };
        if let Some(path) = listen.strip_prefix("fastcgi+unix:") {
            return Ok(Way::FastCgi(format!("unix:{path}")));
        }
        if let Some(address) = listen.strip_prefix("fastcgi://") {
            return Ok(Way::FastCgi(address.trim_end_matches('/').to_owned()));
        }
        if listen.starts_with("unix:") || listen.starts_with("fd:") {
            return Ok(Way::FastCgi(listen.clone()));
        }
        for scheme in ["http+unix:", "uwsgi", "scgi"] {
            if listen.starts_with(scheme) {
                bail!(
                    "cannot listen on {listen}: use http://ADDRESS:PORT or fastcgi+unix:PATH; every front server speaks one of them"
                );
            }
        }
        let address = listen.strip_prefix("http://").unwrap_or(listen);
        Ok(Way::Http(Some(host_port(address.trim_end_matches('/'))?)))
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

    fn fastcgi(&self, settings: &Settings, listen: &Listen, limits: Limits) -> anyhow::Result<()> {
        let site = courier::attach(site(settings)?, settings);
        let site = courier::attach_jobs(site, settings);
        let site = handover::attach(site, settings, self.socket_mode);
        Ok(gateway::fastcgi(
            site,
            listen,
            limits,
            gateway::told_to_stop(),
        )?)
    }

    fn socket(&self, listen: &str) -> anyhow::Result<Listen> {
        let listen = Listen::parse(listen)?;
        Ok(match self.socket_mode {
            Some(mode) => listen.with_mode(mode),
            None => listen,
        })
    }
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
    free(settings)?;
    let site = courier::attach(site(settings)?, settings);
    let site = courier::attach_jobs(site, settings);
    let mut site = handover::attach(site, settings, socket_mode);
    if !common.is_quiet() {
        let line = format!("Serving on {} (Ctrl-C ends it)", url(settings));
        // Not before the port is ours.
        site = site.attach(AdHoc::on_liftoff("Address", |_| {
            Box::pin(async move {
                let _ = output::say(&line);
            })
        }));
    }
    Ok(gateway::http(site)?)
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

/// Builds the site.
fn site(settings: &Settings) -> anyhow::Result<rocket::Rocket<rocket::Build>> {
    let rocket = rocket::custom(settings.rocket_figment()).attach(store::Database::init());
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
        ..web::Options::default()
    };
    let stylesheet = web::Links::new(&options.base).asset(web::assets::name("patchwork.css"));
    let rpc = xmlrpc::Options {
        base: settings.server.url_prefix.clone(),
        enabled: settings.api.xmlrpc,
        max_body: settings.server.max_body,
    };
    let site = xmlrpc::mount(web::mount(rocket, options), rpc);
    Ok(match settings.api.rest {
        true => api::mount(site, rest(settings, stylesheet)),
        false => site,
    })
}

/// Returns how the settings want the REST API to be.
fn rest(settings: &Settings, stylesheet: String) -> api::Options {
    api::Options {
        base: settings.server.url_prefix.clone(),
        site_url: settings.site_url(),
        force_https: settings.site.force_https,
        per_page: i64::from(settings.api.per_page),
        max_per_page: i64::from(settings.api.max_per_page),
        max_body: settings.server.max_body,
        stylesheet,
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
            let site = site(&settings).expect("a site");
            let is_there = site
                .routes()
                .any(|route| route.uri.path().starts_with("/api"));
            assert_eq!(is_there, wanted);
        }
    }

    #[test]
    fn ways_to_listen_are_understood() {
        let http = |host: &str, port: &str| Way::Http(Some((host.to_owned(), port.to_owned())));
        let cases = [
            ("http://0.0.0.0:8080/", http("0.0.0.0", "8080")),
            ("[::1]:80", http("::1", "80")),
            ("localhost:81", http("127.0.0.1", "81")),
            ("82", http("127.0.0.1", "82")),
            (
                "fastcgi+unix:/run/a",
                Way::FastCgi("unix:/run/a".to_owned()),
            ),
            (
                "fastcgi://127.0.0.1:9",
                Way::FastCgi("127.0.0.1:9".to_owned()),
            ),
        ];
        for (listen, expected) in cases {
            let serve = Serve {
                listen: Some(listen.to_owned()),
                ..Serve::default()
            };
            assert_eq!(serve.way().expect(listen), expected, "{listen}");
        }
        for bad in ["uwsgi+unix:/a", "http+unix:/a", "example.org:80", "0.0.0.0"] {
            let serve = Serve {
                listen: Some(bad.to_owned()),
                ..Serve::default()
            };
            assert!(serve.way().is_err(), "{bad}");
        }
    }
}
