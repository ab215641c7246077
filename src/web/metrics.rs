//! What monitors ask for: `/metrics`, in the text form of Prometheus. Off unless `server.metrics` says who may read it.
//!
//! Requests are counted in this process, by the family of their route and by status: few enough lines for any monitor,
//! and no address of a page among them. Queues are counted in the database at each call.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rocket::{
    Data, Request, Response, Route,
    fairing::{Fairing, Info, Kind},
    http::Status,
    request::{FromRequest, Outcome},
};
use rocket_db_pools::Database as _;
use subtle::ConstantTimeEq;

use super::{Site, headers::Began, route};
use crate::store::{self, Database};

/// The upper ends of the histogram's buckets, in seconds.
const BUCKETS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// How long the database may take to count its queues; without an answer the rest is told.
const PATIENCE: Duration = Duration::from_secs(3);

/// Returns the route for monitors.
pub fn routes() -> Vec<Route> {
    route::files(rocket::routes![metrics])
}

/// Counts requests and tells the log of them.
#[derive(Debug, Default)]
pub struct Counting;

#[derive(Debug, Default)]
struct Family {
    statuses: BTreeMap<u16, u64>,
    buckets: [u64; BUCKETS.len()],
    seconds: f64,
}

/// What was counted so far.
#[derive(Debug, Default)]
pub struct Counts(Mutex<BTreeMap<&'static str, Family>>);

#[rocket::async_trait]
impl Fairing for Counting {
    fn info(&self) -> Info {
        Info {
            name: "counts of requests",
            kind: Kind::Request | Kind::Response,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        request.local_cache(|| Began(Instant::now()));
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let took = request.local_cache(|| Began(Instant::now())).0.elapsed();
        let status = response.status().code;
        if let Some(counts) = request.rocket().state::<Counts>() {
            counts.add(family(request), status, took);
        }
        let id = given_id(request);
        if let Some(id) = id {
            response.set_raw_header("X-Request-Id", id.to_owned());
        }
        // Without what was asked after the question mark: it may hold a key.
        tracing::info!(
            target: "patchwork::request",
            method = %request.method(),
            path = %request.uri().path(),
            status,
            milliseconds = took.as_millis() as u64,
            client = request.client_ip().map(tracing::field::display),
            id,
            "request"
        );
    }
}

/// Returns the name that a front server gave the request, if it is one that may stand in a log.
fn given_id<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    let id = request.headers().get_one("X-Request-Id")?;
    (!id.is_empty() && id.len() <= 64 && id.chars().all(is_plain)).then_some(id)
}

/// The families of routes; what is none of them is told together.
const FAMILIES: [&str; 16] = [
    "api", "admin", "bundle", "cover", "comment", "list", "metrics", "patch", "person", "project",
    "series", "static", "user", "xmlrpc", "healthz", "readyz",
];

fn family(request: &Request<'_>) -> &'static str {
    let base = request
        .rocket()
        .state::<Site>()
        .map_or("", |site| site.links.base());
    let Some(route) = request.route() else {
        return "none";
    };
    let path = route.uri.path().strip_prefix(base).unwrap_or_default();
    let first = path.trim_start_matches('/').split('/').next();
    let known = FAMILIES.iter().find(|family| Some(**family) == first);
    known.copied().unwrap_or("other")
}

impl Counts {
    fn add(&self, family: &'static str, status: u16, took: Duration) {
        // A count is whole whatever happened to who held it.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let family = all.entry(family).or_default();
        *family.statuses.entry(status).or_default() += 1;
        family.seconds += took.as_secs_f64();
        let bucket = BUCKETS.iter().position(|end| took.as_secs_f64() <= *end);
        if let Some(bucket) = bucket {
            family.buckets[bucket] += 1;
        }
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        head(
            out,
            "patchwork_requests_total",
            "counter",
            "Requests answered by this process.",
        )?;
        for (name, family) in all.iter() {
            for (status, count) in &family.statuses {
                writeln!(
                    out,
                    "patchwork_requests_total{{family=\"{name}\",status=\"{status}\"}} {count}"
                )?;
            }
        }
        const TOOK: &str = "patchwork_request_duration_seconds";
        head(
            out,
            TOOK,
            "histogram",
            "How long answers took until their headers were ready.",
        )?;
        for (name, family) in all.iter() {
            let mut sum = 0;
            for (end, count) in BUCKETS.iter().zip(family.buckets) {
                sum += count;
                writeln!(out, "{TOOK}_bucket{{family=\"{name}\",le=\"{end}\"}} {sum}")?;
            }
            let count: u64 = family.statuses.values().sum();
            writeln!(
                out,
                "{TOOK}_bucket{{family=\"{name}\",le=\"+Inf\"}} {count}"
            )?;
            writeln!(out, "{TOOK}_sum{{family=\"{name}\"}} {:.6}", family.seconds)?;
            writeln!(out, "{TOOK}_count{{family=\"{name}\"}} {count}")?;
        }
        Ok(())
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

/// Somebody who may read the numbers. For everybody else there is nothing here.
struct Monitor(Option<store::Pool>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Monitor {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let allowed = request
            .rocket()
            .state::<Site>()
            .map_or("", |site| site.options.metrics.as_str());
        let may = match allowed {
            "" => false,
            "local" => is_local(request),
            token => {
                shown(request).is_some_and(|shown| shown.as_bytes().ct_eq(token.as_bytes()).into())
            }
        };
        match may {
            true => {
                let database = Database::fetch(request.rocket());
                Outcome::Success(Monitor(database.map(|database| (**database).clone())))
            }
            false => Outcome::Error((Status::NotFound, ())),
        }
    }
}

/// Says whether it comes from this machine itself, not through a front server on it.
fn is_local(request: &Request<'_>) -> bool {
    let passed_on = [
        // What the gateway found of it.
        "X-Patchwork-Passed-On",
        "X-Forwarded-For",
        "X-Real-IP",
        "Forwarded",
        "Via",
        "X-Forwarded-Host",
    ];
    let is_passed_on = passed_on
        .iter()
        .any(|name| request.headers().contains(name));
    let remote = request.remote().map(|remote| remote.to_string());
    let remote = remote.and_then(|remote| remote.parse::<std::net::SocketAddr>().ok());
    !is_passed_on && remote.is_some_and(|remote| remote.ip().is_loopback())
}

fn shown<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    let header = request.headers().get_one("Authorization")?;
    header.strip_prefix("Bearer ").map(str::trim)
}

#[rocket::get("/metrics")]
async fn metrics(
    monitor: Monitor,
    site: &rocket::State<Site>,
    counts: &rocket::State<Counts>,
) -> (rocket::http::ContentType, String) {
    let mut out = String::new();
    let pool = monitor.0.as_ref();
    let db = pool.map(|pool| &pool.0);
    let told = tokio::time::timeout(PATIENCE, async {
        let mut conn = db?.reader().await.ok()?;
        let lengths = store::health::lengths(&mut conn).await.ok()?;
        Some((lengths, store::health::pulses(&mut conn).await.ok()?))
    });
    let told = told.await.ok().flatten();
    let written = write(&mut out, site, counts, pool, told);
    written.expect("a String takes any text");
    let kind = rocket::http::ContentType::new("text", "plain")
        .with_params([("version", "0.0.4"), ("charset", "utf-8")]);
    (kind, out)
}

type Told = (
    Vec<(String, String, i64)>,
    Vec<(String, crate::domain::Timestamp)>,
);

fn write(
    out: &mut String,
    site: &Site,
    counts: &Counts,
    pool: Option<&store::Pool>,
    told: Option<Told>,
) -> std::fmt::Result {
    head(out, "patchwork_info", "gauge", "Which version answers.")?;
    writeln!(
        out,
        "patchwork_info{{version=\"{}\"}} 1",
        env!("CARGO_PKG_VERSION")
    )?;
    head(
        out,
        "patchwork_database_up",
        "gauge",
        "Whether the database answered.",
    )?;
    writeln!(out, "patchwork_database_up {}", u8::from(told.is_some()))?;
    if let Some(is_asked) = pool.and_then(store::Pool::is_standby_asked) {
        head(
            out,
            "patchwork_standby_asked",
            "gauge",
            "Whether visitors are answered by the standby.",
        )?;
        writeln!(out, "patchwork_standby_asked {}", u8::from(is_asked))?;
    }
    if let Some((used, idle)) = pool.map(|pool| pool.0.connections()) {
        head(
            out,
            "patchwork_database_connections",
            "gauge",
            "Connections to the database.",
        )?;
        writeln!(
            out,
            "patchwork_database_connections{{state=\"used\"}} {used}"
        )?;
        writeln!(
            out,
            "patchwork_database_connections{{state=\"idle\"}} {idle}"
        )?;
    }
    if let Some((lengths, pulses)) = told {
        queues(out, site, &lengths)?;
        head(
            out,
            "patchwork_last_run_seconds",
            "gauge",
            "When it was done last, in seconds since 1970.",
        )?;
        for (name, date) in pulses {
            writeln!(
                out,
                "patchwork_last_run_seconds{{name=\"{name}\"}} {}",
                date.0 / 1_000_000
            )?;
        }
    }
    counts.write(out)
}

fn queues(out: &mut String, site: &Site, lengths: &[(String, String, i64)]) -> std::fmt::Result {
    let of = |kind: &'static str| lengths.iter().filter(move |(of, ..)| of == kind);
    head(
        out,
        "patchwork_queue_length",
        "gauge",
        "What waits: mails to be sent, mails set aside, jobs, mails in the spool.",
    )?;
    for kind in ["outbox", "quarantine", "job"] {
        for (_, word, count) in of(kind) {
            writeln!(
                out,
                "patchwork_queue_length{{queue=\"{kind}\",state=\"{word}\"}} {count}"
            )?;
        }
    }
    if let Some(spool) = &site.options.spool
        && let Ok(files) = std::fs::read_dir(spool)
    {
        let waiting = files.count();
        writeln!(
            out,
            "patchwork_queue_length{{queue=\"spool\",state=\"waiting\"}} {waiting}"
        )?;
    }
    head(
        out,
        "patchwork_recent_mails",
        "gauge",
        "What became of the last 1000 mails.",
    )?;
    for (_, outcome, count) in of("mail") {
        writeln!(
            out,
            "patchwork_recent_mails{{outcome=\"{outcome}\"}} {count}"
        )?;
    }
    Ok(())
}
