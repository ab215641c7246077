//! What arrived of a request: told only to who proves to know the site's key, so `patchwork check --deploy` can see what a
//! front server does to requests. For everybody else there is nothing here.

use rocket::{
    Data, Request, Route,
    data::ToByteUnit,
    http::{ContentType, Method, Status},
    route::{Handler, Outcome},
    tokio::io,
};
use serde_json::json;

use super::Site;
use crate::{auth::proof, domain::Timestamp};

/// Returns the routes of the probe.
pub fn routes() -> Vec<Route> {
    let route = |method| Route::new(method, "/-/probe/<_..>", Echo);
    vec![route(Method::Get), route(Method::Put)]
}

/// The largest body that is counted.
const MOST: u64 = 64 << 20;

#[derive(Clone)]
struct Echo;

#[rocket::async_trait]
impl Handler for Echo {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        if !is_proven(request) {
            return Outcome::Error(Status::NotFound);
        }
        let read = data.open(MOST.bytes()).stream_to(io::sink()).await;
        let header = |name| request.headers().get_one(name);
        let told = json!({
            "path": request.uri().path().as_str(),
            "query": request.uri().query().map(|query| query.as_str()),
            "authorization": header("Authorization"),
            "scheme": header("X-Forwarded-Proto"),
            "host": header("Host"),
            "client": request.client_ip().map(|address| address.to_string()),
            "body": read.ok().map(|read| read.written),
        });
        Outcome::from(request, (ContentType::JSON, told.to_string()))
    }
}

fn is_proven(request: &Request<'_>) -> bool {
    let key = request
        .rocket()
        .state::<Site>()
        .map_or("", |site| site.options.secret_key.as_str());
    let given = request.headers().get_one(proof::HEADER).unwrap_or_default();
    proof::is_valid(key, given, Timestamp::now().0 / 1_000_000)
}
