//! The REST API, versions 1.0 to 1.5 (`rest.md`): what CI, b4, git-pw, editors and scripts speak.
//!
//! `endpoint.rs` is the table of all addresses: requests are routed by it, `Allow` and the description of the API are made
//! of it. Each resource has a file with its table of fields, its list, its detail and its changes. `request.rs` knows who
//! asks, `input.rs` and `query.rs` what for, `page.rs` which part of a list, `answer.rs` in which form.
//!
//! `openapi/` describes all of it.
//!
//! To add a field: its line in the resource's table, with the version that has it, and in the table of changes if it may be
//! written. To add a filter: its line in the table of filters. To add an address: its line in `endpoint.rs`, its arms in
//! `endpoint::run` and `resource.rs`.

mod answer;
mod bundle;
mod check;
mod comment;
mod comparison;
mod cover;
mod embed;
mod endpoint;
mod error;
mod event;
mod field;
mod filter;
mod html;
mod index;
mod input;
mod json;
mod kept;
mod offer;
mod openapi;
mod page;
mod patch;
mod person;
mod project;
mod query;
mod request;
mod resource;
mod route;
mod search;
mod series;
mod stream;
mod user;
mod validate;
mod version;
mod webhook;

pub use webhook::Events;

use rocket::{Build, Request, Rocket};

use crate::domain::link::{Links, Outside};

/// How the API of a site is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// The path below which the site lives; empty for the root.
    pub base: String,
    /// Scheme and host of all addresses; without it the request's `Host` is used.
    pub site_url: Option<String>,
    /// Whether addresses are `https` even if the request came without it, through a front server.
    pub force_https: bool,
    /// How many entries a page has.
    pub per_page: i64,
    /// How many entries clients may ask for.
    pub max_per_page: i64,
    /// The largest body of a request, in bytes.
    pub max_body: u64,
    /// How many streams of events are kept open at a time; with none, a stream ends with what there is.
    pub streams: usize,
    /// The path of the style sheet for readers in a browser.
    pub stylesheet: String,
    /// What the bar above the pages of the site begins with.
    pub brand: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            base: String::new(),
            site_url: None,
            force_https: false,
            per_page: 30,
            max_per_page: 250,
            max_body: 8 << 20,
            streams: 1000,
            stylesheet: String::new(),
            brand: String::new(),
        }
    }
}

/// What every resource knows of the site.
pub struct Site {
    options: Options,
    links: Links,
    validator: validate::Validator,
    documents: openapi::Documents,
    watch: std::sync::Arc<stream::Watch>,
}

impl Site {
    fn new(options: Options) -> Site {
        Site {
            links: Links::new(&options.base),
            watch: stream::Watch::new(options.streams),
            options,
            validator: validate::Validator::default(),
            documents: openapi::Documents::default(),
        }
    }

    /// Returns how addresses begin that are to work elsewhere: by the settings, and by the request.
    fn origins(&self, request: &Request<'_>) -> [String; 2] {
        let host = request.host().map(ToString::to_string);
        let outside = Outside {
            site_url: self.options.site_url.as_deref(),
            force_https: self.options.force_https,
            // The gateway sets it, to what the front server says.
            scheme: request.headers().get_one("X-Forwarded-Proto"),
            host: host.as_deref(),
        };
        [outside.origin(), outside.asked()]
    }
}

/// Returns the numbers of the versions that are served, the oldest first.
pub fn versions() -> Vec<&'static str> {
    version::Version::ALL.map(version::Version::number).to_vec()
}

/// Adds the API to a site. [`crate::store::Database`] has to be attached or managed by the caller.
pub fn mount(rocket: Rocket<Build>, options: Options) -> Rocket<Build> {
    let links = Links::new(&options.base);
    let base = format!("{}/api", links.base());
    let rocket = rocket
        .mount(
            format!("{}{}", links.base(), stream::PATH),
            stream::routes(),
        )
        .mount(base.clone(), route::routes())
        .register(base, route::catchers());
    rocket.manage(Site::new(options))
}
