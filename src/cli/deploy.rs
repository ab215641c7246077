//! What `patchwork check --deploy --url` sees of the site through its front server.

use std::path::Path;

use serde_json::Value;

use super::{
    ask::{Answer, Site},
    check::Finding::{self, Error, Fine, Warning},
};
use crate::{auth::proof, config::Settings, domain::Timestamp, web::assets};

/// What is sent to see whether it arrives; it lets nobody in.
const CREDENTIALS: &str = "Token patchwork-check-deploy";

/// A form of a few hundred patches, and a mail by the API.
const BODY: usize = 1 << 20;

/// Asks the site and tells what is wrong with the way there.
pub(super) async fn findings(
    settings: &Settings,
    url: &str,
    authorities: Option<&Path>,
) -> anyhow::Result<Vec<Finding>> {
    let site = Site::read(url, authorities)?;
    let key = &settings.site.secret_key;
    let mut findings = vec![reached(&site).await?];
    if !site.is_https {
        findings.push(Warning(format!(
            "{url} is not https: passwords and tokens can be read on the way; give the front server a certificate"
        )));
    }
    if settings.site.hosts.trim().is_empty() {
        findings.push(Warning(
            "site.hosts is empty, so the site answers under any name: list its names".to_owned(),
        ));
    }
    findings.push(pages(&site).await?);
    findings.extend(files(&site, settings).await?);
    if key.is_empty() {
        findings.push(Error(
            "site.secret_key is empty, so the site tells nobody what arrived: set it here and there".to_owned(),
        ));
        return Ok(findings);
    }
    let proof = proof::make(key, Timestamp::now().0 / 1_000_000);
    let headers = [
        (proof::HEADER, proof.as_str()),
        ("Authorization", CREDENTIALS),
    ];
    let plain = site.ask("GET", "/-/probe/x?a=%2F", &headers, b"").await?;
    let Some(seen) = told(&plain) else {
        findings.push(Error(format!(
            "the site does not answer the probe ({}): it has another site.secret_key, another version, or a clock that is off",
            plain.status
        )));
        return Ok(findings);
    };
    findings.push(authorization(&seen));
    findings.push(scheme(&site, &seen));
    findings.push(client(settings, &seen));
    let slash = site.ask("GET", "/-/probe/a%2Fb@c", &headers, b"").await?;
    findings.push(encoded_slash(&slash));
    let body = vec![b'x'; BODY];
    findings.push(large(
        site.ask("PUT", "/-/probe/body", &headers, &body).await,
    ));
    Ok(findings)
}

fn told(answer: &Answer) -> Option<Value> {
    let body = serde_json::from_str(&answer.body).ok();
    body.filter(|_| answer.status == 200)
}

async fn reached(site: &Site) -> anyhow::Result<Finding> {
    let answer = site.ask("GET", "/readyz", &[], b"").await?;
    Ok(match answer.status {
        200 => Fine("the site is reached and has its database".to_owned()),
        503 => Error("the site is reached, but its database is away".to_owned()),
        status => Error(format!(
            "/readyz is answered {status}: the front server does not lead to the site, or server.url_prefix is another"
        )),
    })
}

async fn pages(site: &Site) -> anyhow::Result<Finding> {
    let answer = site.ask("GET", "/about/", &[], b"").await?;
    let missing: Vec<&str> = [
        "Content-Security-Policy",
        "X-Content-Type-Options",
        "X-Frame-Options",
        "Referrer-Policy",
    ]
    .into_iter()
    .filter(|name| answer.header(name).is_none())
    .collect();
    Ok(match missing.as_slice() {
        [] if !site.is_https || answer.header("Strict-Transport-Security").is_some() => {
            Fine("pages have their security headers".to_owned())
        }
        [] => Warning(
            "no Strict-Transport-Security: have the front server add it once https works for good"
                .to_owned(),
        ),
        missing => Error(format!(
            "the front server removes {}: let it pass on what the site says",
            missing.join(", ")
        )),
    })
}

async fn files(site: &Site, settings: &Settings) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for asset in assets::all() {
        let path = format!("/static/{}", asset.name);
        let answer = site.ask("GET", &path, &[], b"").await?;
        let kept = answer.header("Cache-Control").unwrap_or_default();
        if answer.status != 200 || answer.body.as_bytes() != asset.bytes {
            findings.push(Error(format!(
                "{path} is answered {}{}",
                answer.status,
                match settings.server.static_root.as_os_str().is_empty() {
                    true => ": the site runs another version, or the front server hands out an old folder",
                    false => ": run `patchwork collectstatic`, and see that the front server hands out that folder",
                }
            )));
        } else if !kept.contains("max-age") {
            findings.push(Warning(format!(
                "{path} has no Cache-Control: browsers ask for it again on each page; add 'public, max-age=31536000, immutable'"
            )));
        }
    }
    if findings.is_empty() {
        findings.push(Fine(
            "style sheets and scripts are there and kept".to_owned(),
        ));
    }
    Ok(findings)
}

fn authorization(seen: &Value) -> Finding {
    match seen["authorization"].as_str() {
        Some(CREDENTIALS) => Fine("the Authorization header arrives".to_owned()),
        _ => Error(
            "the Authorization header is lost, so tokens do not work: Apache needs `CGIPassAuth On`".to_owned(),
        ),
    }
}

fn scheme(site: &Site, seen: &Value) -> Finding {
    let known = seen["scheme"].as_str().unwrap_or("http");
    match (site.is_https, known) {
        (true, "https") | (false, "http") => Fine(format!("the site knows that it is asked by {known}")),
        (true, _) => Error(
            "the site does not know that it is asked by https, so cookies and links are wrong: pass X-Forwarded-Proto \
             (FastCGI: HTTPS=on), or set site.force_https"
                .to_owned(),
        ),
        (false, _) => Warning("the site believes that it is asked by https, but was not".to_owned()),
    }
}

fn client(settings: &Settings, seen: &Value) -> Finding {
    let address = seen["client"].as_str().unwrap_or_default();
    let parsed: Option<std::net::IpAddr> = address.parse().ok();
    match parsed {
        Some(ip) if ip.is_loopback() => Warning(format!(
            "the site takes us for {address}: unless you run this on the same machine, have the front server pass the client's \
             address in X-Forwarded-For, and name the front server in server.trusted_proxies (now '{}'); limits on logins \
             count by address",
            settings.server.trusted_proxies
        )),
        Some(_) => Fine(format!("the site knows the client's address: {address}")),
        None => Warning(
            "the site does not know the client's address; limits on logins count by address: have the front server pass it in \
             X-Forwarded-For, and name the front server in server.trusted_proxies".to_owned(),
        ),
    }
}

fn encoded_slash(answer: &Answer) -> Finding {
    let path = told(answer).and_then(|seen| seen["path"].as_str().map(str::to_owned));
    match path {
        Some(path) if path.to_ascii_lowercase().ends_with("/a%2fb@c") => {
            Fine("a slash within a message id (%2F) arrives".to_owned())
        }
        Some(path) => Error(format!(
            "a slash within a message id arrives decoded ({path}): nginx must not have a path after proxy_pass"
        )),
        None => Error(format!(
            "an address with %2F is answered {}: Apache needs `AllowEncodedSlashes NoDecode`",
            answer.status
        )),
    }
}

fn large(answer: anyhow::Result<Answer>) -> Finding {
    const HINT: &str =
        "nginx: client_max_body_size 32m; Apache with mod_fcgid: FcgidMaxRequestLen 33554432";
    match answer {
        Ok(answer) if told(&answer).is_some_and(|seen| seen["body"] == BODY as u64) => {
            Fine("a body of 1 MiB arrives whole".to_owned())
        }
        Ok(answer) => Error(format!(
            "a body of 1 MiB is answered {}: {HINT}",
            answer.status
        )),
        Err(error) => Error(format!("a body of 1 MiB is refused ({error:#}): {HINT}")),
    }
}
