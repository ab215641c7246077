//! Under which names the site answers: a request that names another host gets nothing (`deploy.md`, `ALLOWED_HOSTS`).
//! A wrong name could only come from somebody who wants our pages under it.

use rocket::{
    Data, Request, Route,
    fairing::{Fairing, Info, Kind},
    http::{Method, Status, uri::Origin},
};

use super::{error, guard::View};

/// Where requests for other hosts end.
const NOWHERE: &str = "/-/host";

/// The names under which the site answers; any when there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Reads names separated by commas or blanks: `patches.example.org`, `.example.org` with all below it, `*`.
    pub fn read(text: &str) -> Hosts {
        let names = text.split([',', ' ', '\n']).filter(|name| !name.is_empty());
        let names: Vec<String> = names.map(str::to_lowercase).collect();
        match names.iter().any(|name| name == "*") {
            true => Hosts::default(),
            false => Hosts(names),
        }
    }

    /// Says whether the site answers under a host, given with or without port.
    fn has(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_lowercase();
        let bare = without_port(&host);
        let is_it = |name: &String| match name.strip_prefix('.') {
            Some(domain) => bare == domain || bare.ends_with(name.as_str()),
            None => bare == name || host == *name,
        };
        self.0.is_empty() || self.0.iter().any(is_it)
    }
}

/// Returns a host without its port; an IPv6 address has colons of its own, and brackets around them.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            name.trim_end_matches('.')
        }
        _ => host,
    }
}

/// Turns requests for other hosts away before anything is done for them.
pub struct Doorkeeper(pub Hosts);

#[rocket::async_trait]
impl Fairing for Doorkeeper {
    fn info(&self) -> Info {
        Info {
            name: "names of the site",
            kind: Kind::Request,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let host = request.host().map(|host| host.to_string());
        if !self.0.has(&host.unwrap_or_default()) {
            request.set_method(Method::Get);
            request.set_uri(Origin::parse(NOWHERE).expect("a path"));
        }
    }
}

/// Returns the route where requests for other hosts end.
pub fn routes() -> Vec<Route> {
    rocket::routes![nowhere]
}

#[rocket::get("/-/host")]
fn nowhere(view: View<'_>) -> Nowhere {
    tracing::warn!(
        "refused a request for the host {:?}",
        view.host().unwrap_or_default()
    );
    Nowhere
}

/// Says that the site does not answer under this name.
struct Nowhere;

impl<'r> rocket::response::Responder<'r, 'static> for Nowhere {
    fn respond_to(self, request: &'r Request<'_>) -> rocket::response::Result<'static> {
        Ok(error::response(request, Status::BadRequest, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_answers_under_its_names_only() {
        let hosts = Hosts::read("patches.example.org, .example.net localhost [::1]");
        for (host, expected) in [
            ("patches.example.org", true),
            ("PATCHES.example.org:8080", true),
            ("patches.example.org.", true),
            ("x.patches.example.org", false),
            ("example.net", true),
            ("a.b.example.net", true),
            ("badexample.net", false),
            ("localhost:8000", true),
            ("[::1]:8000", true),
            ("evil.example.com", false),
            ("", false),
        ] {
            assert_eq!(hosts.has(host), expected, "{host}");
        }
        for any in ["", "*", "a.example.org, *"] {
            assert!(Hosts::read(any).has("whatever.example.com"), "{any}");
        }
    }
}
