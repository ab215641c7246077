//! The pages people read: HTML from the server, complete without JavaScript; htmx only saves round trips.
//!
//! One file per family of pages. A handler reads the request, asks `store`, and draws with a function that
//! also draws the fragment htmx asks for. `layout.rs` is the frame, `parts.rs` what several pages share,
//! `link.rs` every address we generate, `error.rs` the one place where errors become pages.

mod about;
mod account;
mod address;
mod admin;
mod answer;
pub mod assets;
mod bulk;
mod bundle;
mod clock;
mod comment;
mod confirmation;
mod cover;
mod delete;
mod diff;
mod display;
pub mod download;
mod echo;
mod error;
mod feed;
mod field;
mod form;
mod group;
mod guard;
mod headers;
mod host;
mod id;
mod inbound;
mod jump;
mod layout;
mod letter;
mod list;
mod listing;
mod metrics;
mod news;
mod odd;
mod optout;
mod pace;
mod pager;
mod parts;
mod password;
mod patch;
mod person;
mod probe;
mod profile;
mod project;
mod pwclientrc;
mod query;
mod quote;
mod range_diff;
mod registration;
mod reply;
mod review;
mod route;
mod saved;
mod search;
mod second_factor;
mod series;
mod session;
mod sessions;
mod suggest;
mod text;
mod thread;
mod todo;
mod token;
mod undo;
mod unsubscribe;
mod visit;

pub use crate::domain::link::Links;
pub use error::Error;
pub use guard::Db;
pub use host::Hosts;
pub use inbound::Keys;

use rocket::{Build, Rocket};

use crate::{domain::link, ingest};

/// How the pages of a site are to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// The path below which the site lives, such as `/pw`; empty for the root.
    pub base: String,
    /// Scheme and host for links that leave the page, such as `https://patches.example.org`.
    /// Without it the request's `Host` is used, which is good enough for a line to copy.
    pub site_url: Option<String>,
    /// Whether links that leave the page are `https` even if the request came without it, through a front server.
    pub force_https: bool,
    /// The names under which the site answers; any when there is none.
    pub hosts: Hosts,
    /// What the site calls itself.
    pub site_name: String,
    /// How many rows a list page shows.
    pub items_per_page: i64,
    /// Whether answers tell how many statements they took; tests count with it.
    pub server_timing: bool,
    /// Whether text is compressed here; off behind a front server that does it.
    pub gzip: bool,
    /// Names and addresses of the administrators, for `/about/`.
    pub admins: Vec<(String, String)>,
    /// Whether the REST API is offered.
    pub rest_api: bool,
    /// Whether XML-RPC is offered.
    pub xmlrpc: bool,
    /// Which versions of the REST API are offered.
    pub api_versions: Vec<&'static str>,
    /// Whether people may make themselves an account.
    pub registration: bool,
    /// Whether staff may administer only with a second factor.
    pub staff_second_factor: bool,
    /// The sender of mails about accounts and addresses.
    pub mail_from: String,
    /// The sender of mails about changed patches.
    pub notification_from: String,
    /// How many days a mailed confirmation may be answered.
    pub confirmation_days: i64,
    /// The site's key, for who proves to know it; empty: nobody can.
    pub secret_key: String,
    /// Who may read `/metrics`: nobody, `local`, or who shows this token.
    pub metrics: String,
    /// The folder in which mails wait for the database, to be counted.
    pub spool: Option<std::path::PathBuf>,
    /// How mails that were set aside are taken in when they are tried again.
    pub intake: ingest::Options,
    /// Who may hand mails in by HTTP.
    pub inbound: Keys,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            base: String::new(),
            site_url: None,
            force_https: false,
            hosts: Hosts::default(),
            site_name: "Patchwork".into(),
            items_per_page: 100,
            server_timing: false,
            gzip: true,
            admins: Vec::new(),
            rest_api: false,
            xmlrpc: false,
            api_versions: Vec::new(),
            registration: true,
            staff_second_factor: false,
            mail_from: "patchwork@localhost".into(),
            notification_from: "patchwork@localhost".into(),
            confirmation_days: 7,
            secret_key: String::new(),
            metrics: String::new(),
            spool: None,
            intake: ingest::Options::default(),
            inbound: Keys::default(),
        }
    }
}

/// Draws what the bar of every page begins with, for the pages of the other faces.
pub fn brand(options: &Options) -> String {
    layout::brand(&Links::new(&options.base), &options.site_name).into_string()
}

/// What every page knows of the site.
struct Site {
    options: Options,
    links: Links,
}

/// Adds all pages to a site. [`crate::store::Database`] has to be attached or managed by the caller.
pub fn mount(rocket: Rocket<Build>, options: Options) -> Rocket<Build> {
    let links = Links::new(&options.base);
    let base = if links.base().is_empty() {
        "/".to_owned()
    } else {
        links.base().to_owned()
    };
    let reading = [
        project::routes(),
        list::routes(),
        patch::routes(),
        cover::routes(),
        series::routes(),
        range_diff::routes(),
        person::routes(),
        comment::routes(),
        bundle::routes(),
        pwclientrc::routes(),
        session::routes(),
        undo::routes(),
        review::routes(),
        todo::routes(),
        news::routes(),
        suggest::routes(),
        search::routes(),
        saved::routes(),
        registration::routes(),
        confirmation::routes(),
        optout::routes(),
        profile::routes(),
        address::routes(),
        token::routes(),
        password::routes(),
        display::routes(),
        account::routes(),
        delete::routes(),
        second_factor::routes(),
        unsubscribe::routes(),
        admin::routes(),
    ]
    .concat();
    let pages = [route::reading(reading), route::knowing(about::routes())].concat();
    let feeds = route::reading(list::feeds());
    let files = [assets::routes(), probe::routes(), feeds, inbound::routes()].concat();
    rocket
        .attach(metrics::Counting)
        .manage(metrics::Counts::default())
        .attach(headers::Headers)
        .attach(host::Doorkeeper(options.hosts.clone()))
        .mount("/", host::routes())
        .mount(base.as_str(), route::pages(pages))
        .mount(base.as_str(), route::files(files))
        .mount(base.as_str(), metrics::routes())
        .mount(base.as_str(), echo::routes())
        .register(base.as_str(), error::catchers())
        .manage(pace::Pace::default())
        .manage(inbound::Desk::default())
        .manage(Site { options, links })
}
