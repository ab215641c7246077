//! What every answer carries: security headers, validators, compression, and how long it took.

use std::{
    io::{Cursor, Write},
    sync::atomic::Ordering,
    time::Instant,
};

use flate2::{Compression, write::GzEncoder};
use rocket::{
    Data, Request, Response,
    fairing::{Fairing, Info, Kind},
    http::{ContentType, Method, Status},
};
use sha2::{Digest, Sha256};

use super::{Site, visit};
use crate::store::Statements;

/// Larger answers are passed on as they are.
const MAX_BODY: usize = 32 << 20;
const CSP: &str = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Sets the headers of all answers below the site's base.
pub struct Headers;

/// When a request came in.
pub(super) struct Began(pub(super) Instant);

#[rocket::async_trait]
impl Fairing for Headers {
    fn info(&self) -> Info {
        Info {
            name: "headers of pages",
            kind: Kind::Request | Kind::Response,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        request.local_cache(|| Began(Instant::now()));
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let Some(site) = request.rocket().state::<Site>() else {
            return;
        };
        response.set_raw_header("X-Content-Type-Options", "nosniff");
        if response.content_type() == Some(ContentType::HTML) {
            visit::shown(request).await;
            html(response);
        }
        if site.options.server_timing {
            let count = request
                .local_cache(Statements::default)
                .0
                .load(Ordering::Relaxed);
            let took = request.local_cache(|| Began(Instant::now())).0.elapsed();
            let timing = format!(
                "db;desc=\"{count}\", total;dur={:.1}",
                took.as_secs_f64() * 1000.0
            );
            response.set_raw_header("Server-Timing", timing);
        }
        let reading = matches!(request.method(), Method::Get | Method::Head);
        if reading && response.status() == Status::Ok {
            validate(request, response).await;
        }
        if site.options.gzip && compressible(response) {
            compress(request, response).await;
        }
    }
}

fn html(response: &mut Response<'_>) {
    response.set_raw_header("Content-Security-Policy", CSP);
    response.set_raw_header("X-Frame-Options", "DENY");
    response.set_raw_header("Referrer-Policy", "same-origin");
    if !response.headers().contains("Vary") {
        response.set_raw_header("Vary", "Cookie, HX-Request, HX-Target");
    }
}

/// Adds an `ETag`, and leaves the body out when the reader has it already. Files with their own header keep it.
async fn validate(request: &Request<'_>, response: &mut Response<'_>) {
    let kept = response.headers().get_one("Cache-Control");
    let is_private = kept.is_some_and(|kept| kept.starts_with("private"));
    if response.headers().contains("ETag") || kept.is_some() && !is_private {
        return;
    }
    let Some(body) = taken(response).await else {
        return;
    };
    let digest = Sha256::digest(&body);
    let tag = digest[..12]
        .iter()
        .fold(String::from("W/\""), |tag, byte| format!("{tag}{byte:02x}"))
        + "\"";
    if !is_private {
        let is_known = request.local_cache(visit::Visit::default).session.is_some();
        let kept = if is_known {
            "private, max-age=0"
        } else {
            "max-age=0"
        };
        response.set_raw_header("Cache-Control", kept);
    }
    let known = request
        .headers()
        .get_one("If-None-Match")
        .unwrap_or_default();
    if known
        .split(',')
        .any(|one| one.trim() == tag || one.trim() == "*")
    {
        response.set_status(Status::NotModified);
    } else {
        response.set_sized_body(body.len(), Cursor::new(body));
    }
    response.set_raw_header("ETag", tag);
}

fn compressible(response: &Response<'_>) -> bool {
    !response.headers().contains("Content-Encoding")
        && response.content_type().is_some_and(|kind| {
            kind.top() == "text"
                || kind.is_json()
                || kind.is_javascript()
                || kind.is_svg()
                || kind.top() == "message"
        })
}

async fn compress(request: &Request<'_>, response: &mut Response<'_>) {
    response.adjoin_raw_header("Vary", "Accept-Encoding");
    let accepted = request.headers().get("Accept-Encoding").any(takes_gzip);
    if !accepted || response.body().preset_size().is_none_or(|size| size < 600) {
        return;
    }
    let Some(body) = taken(response).await else {
        return;
    };
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(5));
    match encoder.write_all(&body).and_then(|()| encoder.finish()) {
        Ok(packed) => {
            response.set_raw_header("Content-Encoding", "gzip");
            response.set_sized_body(packed.len(), Cursor::new(packed));
        }
        Err(_) => response.set_sized_body(body.len(), Cursor::new(body)),
    }
}

/// Says whether an `Accept-Encoding` allows gzip: named, and not with weight 0.
fn takes_gzip(header: &str) -> bool {
    header.split(',').any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        matches!(name.trim(), "gzip" | "x-gzip") && !weight.trim_matches(['0', '.']).is_empty()
    })
}

/// Takes the body out of a response, if it is in memory and not huge.
async fn taken(response: &mut Response<'_>) -> Option<Vec<u8>> {
    let size = response.body().preset_size()?;
    if size > MAX_BODY {
        return None;
    }
    // It is in memory, so reading cannot fail.
    response.body_mut().take().to_bytes().await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_ask() {
        for (header, expected) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, gzip;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=0.0", false),
            ("identity", false),
        ] {
            assert_eq!(takes_gzip(header), expected, "{header}");
        }
    }
}
